//! What goes wrong is an error that says so, never a panic or a wrong list: broken kernels, lost devices, no driver, wrong names.

mod lent;

use lent::{any, job, open, planted};
use np_core::miner::{Filter, Job, MineError, Miner};
use np_core::scalar::ScalarMiner;
use np_gpu::{BothMiner, Choice, FallbackMiner, Fault, GpuMiner, OpenError, Which};

/// A choice whose shaders have `from` replaced by `to`.
fn broken(from: &'static str, to: &'static str) -> Choice {
    Choice { fault: Fault::Broken { from, to }, ..any() }
}

/// Kernels broken in every shared and single piece.
const BREAKS: [(&str, &str); 9] = [
    ("1812433253u", "1812433255u"),
    ("0x9908b0dfu", "0x9908b0deu"),
    ("0xefc60000u", "0xefc40000u"),
    ("i + 7u", "i + 8u"),
    ("~(sum ^ input)", "(sum ^ input)"),
    ("(a ^ b) & (a ^ c)", "(a ^ b) | (a ^ c)"),
    ("weight - limit.low >= limit.span", "weight - limit.low > limit.span + 40u"),
    ("params.first_seed + thread", "params.first_seed + (thread | 1u)"),
    ("let at = atomicAdd(&hits.count, 1u);", "let at = 0u; atomicStore(&hits.count, 1u);"),
];

#[test]
fn parity_and_the_self_test_catch_broken_kernels() {
    for (from, to) in BREAKS {
        let choice = broken(from, to);
        let Some(gpu) = open("parity_and_the_self_test_catch_broken_kernels", &choice) else { return };
        for count in [3, 50] {
            let blocks = planted(16, count, 70..1000);
            let job = job(512, 70..1000, &blocks, 230, 4);
            let error = BothMiner::new(&gpu, &ScalarMiner).mine(&job, &()).expect_err(from);
            assert!(
                matches!(error, MineError::Disagree { .. } | MineError::Device { .. }),
                "{from}: {error}"
            );
        }
        let tested = GpuMiner::open(&Choice { self_test: true, ..choice });
        assert!(matches!(tested, Err(OpenError::SelfTest { .. })), "the self-test misses {from}");
    }
}

#[test]
fn a_working_device_passes_the_self_test_and_both() {
    let choice = Choice { self_test: true, ..any() };
    let Some(gpu) = open("a_working_device_passes_the_self_test_and_both", &choice) else { return };
    for bits in [128, 416, 2048, 12800] {
        gpu.check_parity(bits).unwrap();
    }
    assert!(matches!(gpu.check_parity(100), Err(MineError::BadJob { .. })));
    let blocks = planted(16, 9, 0..500);
    let job = job(512, 0..500, &blocks, 256, 4);
    assert_eq!(BothMiner::new(&gpu, &ScalarMiner).mine(&job, &()), ScalarMiner.mine(&job, &()));
}

#[test]
fn a_shader_the_driver_rejects_is_an_error() {
    let choice = broken("return (y >> 1u)", "return nonsense");
    let Some(gpu) = open("a_shader_the_driver_rejects_is_an_error", &choice) else { return };
    let blocks = planted(16, 3, 0..50);
    let job = job(512, 0..50, &blocks, 256, 1);
    for _ in 0..2 {
        assert!(matches!(gpu.mine(&job, &()), Err(MineError::Device { .. })));
    }
}

#[test]
fn a_device_lost_in_the_middle_is_an_error_and_the_run_goes_on() {
    for (words, count, capacity) in [(16, 3, 500), (16, 60, 700), (48, 3, 300), (300, 20, 700)] {
        let bits = 32 * words as u32;
        let blocks = planted(words, count, 0..3000);
        for filter in [Filter::All, Filter::Join { words: 3 }] {
            let job = Job { filter, ..job(bits, 0..3000, &blocks, bits, 6) };
            let expected = ScalarMiner.mine(&job, &()).unwrap();
            for after in [0, 1, 2] {
                let choice = Choice { hit_capacity: capacity, fault: Fault::Lost { after }, ..any() };
                let test = "a_device_lost_in_the_middle_is_an_error_and_the_run_goes_on";
                let Some(gpu) = open(test, &choice) else { return };
                let left = *gpu.mine_resumable(&job, &()).expect_err("the device is gone");
                assert!(matches!(left.error, MineError::Device { .. }), "{}", left.error);
                assert!(
                    matches!(gpu.mine(&job, &()), Err(MineError::Device { .. })),
                    "once lost, always lost"
                );
                let seeds: u64 = left.remaining.iter().map(|part| part.seeds.end - part.seeds.start).sum();
                assert!(seeds > 0 && (after < 2 || left.remaining.iter().all(|part| part.seeds.start > 0)));

                let gpu = open(test, &choice).unwrap();
                let auto = FallbackMiner::new(gpu, &ScalarMiner);
                assert_eq!(auto.failure(), None);
                assert_eq!(
                    auto.mine(&job, &()).unwrap(),
                    expected,
                    "{words} words, {filter:?}, after {after}"
                );
                assert!(matches!(auto.failure(), Some(MineError::Device { .. })));
                assert_eq!(auto.mine(&job, &()).unwrap(), expected, "and again, without the device");
                assert_eq!(auto.name(), "scalar");
            }
        }
    }
}

/// A device lost among the first of several sets of blocks leaves the later ones whole.
#[test]
fn a_device_lost_in_the_first_set_of_blocks_leaves_the_others() {
    let choice = Choice { fault: Fault::Lost { after: 2 }, ..any() };
    let test = "a_device_lost_in_the_first_set_of_blocks_leaves_the_others";
    let Some(gpu) = open(test, &choice) else { return };
    let blocks = planted(1024, 16_390, 0..2);
    let job = job(32_768, 0..2, &blocks, 14_000, 1);
    let left = *gpu.mine_resumable(&job, &()).expect_err("the device is gone");
    assert_eq!(
        left.remaining.last().map(|part| (part.blocks.clone(), part.seeds.clone())),
        Some((16_384..16_390, 0..2))
    );
    let auto = FallbackMiner::new(open(test, &choice).unwrap(), &ScalarMiner);
    assert_eq!(auto.mine(&job, &()), ScalarMiner.mine(&job, &()));
    assert!(auto.failure().is_some());
}

#[test]
fn unknown_devices_are_named_in_the_error() {
    let named = Choice { which: Which::parse("no such device"), ..any() };
    match GpuMiner::open(&named) {
        Err(error @ OpenError::NotFound { .. }) => assert!(error.to_string().contains("no such device")),
        other => panic!("{:?}", other.err()),
    }
    assert!(matches!(
        GpuMiner::open(&Choice { which: Which::Index(999), ..any() }),
        Err(OpenError::NotFound { .. })
    ));
}

#[test]
fn cpu_type_devices_are_taken_only_when_asked() {
    let devices = np_gpu::devices();
    if devices.is_empty() {
        assert_ne!(std::env::var("NP_REQUIRE_GPU").as_deref(), Ok("1"), "this test needs a device");
        eprintln!("skipped: cpu_type_devices_are_taken_only_when_asked: no device at all");
        return;
    }
    let opened = GpuMiner::open(&Choice::default());
    match np_gpu::default_device(&devices, false) {
        Some(index) => assert_eq!(opened.map_err(|e| e.to_string()).unwrap().info().index, index),
        None => assert!(matches!(opened.err(), Some(OpenError::NoDevice { .. }))),
    }
    let by_index = GpuMiner::open(&Choice { which: Which::Index(0), ..Choice::default() });
    assert_eq!(by_index.map_err(|e| e.to_string()).unwrap().info(), &devices[0]);
    let name = devices[0].name.to_uppercase();
    let by_name = GpuMiner::open(&Choice { which: Which::Name(name), ..Choice::default() });
    assert_eq!(by_name.map_err(|e| e.to_string()).unwrap().info().name, devices[0].name);
}

/// Variables decide which drivers the loader sees, so this looks at a process of its own.
#[test]
fn no_driver_is_an_error_and_no_panic() {
    const INSIDE: &str = "NP_TEST_WITHOUT_DRIVERS";
    if std::env::var(INSIDE).is_ok() {
        assert_eq!(np_gpu::devices(), []);
        assert!(matches!(GpuMiner::open(&any()).err(), Some(OpenError::NoDevice { .. })));
        return;
    }
    if !cfg!(target_os = "linux") {
        eprintln!(
            "skipped: no_driver_is_an_error_and_no_panic: drivers can be hidden only from Linux's loader"
        );
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "no_driver_is_an_error_and_no_panic", "--nocapture"])
        .env(INSIDE, "1")
        .env("VK_DRIVER_FILES", "/nonexistent/driver.json")
        .env("VK_ICD_FILENAMES", "/nonexistent/driver.json")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains("panicked"), "{text}");
}

/// The device's name in the environment counts as asking for it.
#[test]
fn the_environment_can_name_a_device() {
    const INSIDE: &str = "NP_TEST_NAMED_DEVICE";
    let Some(device) = np_gpu::devices().into_iter().next() else {
        assert_ne!(std::env::var("NP_REQUIRE_GPU").as_deref(), Ok("1"), "this test needs a device");
        eprintln!("skipped: the_environment_can_name_a_device: no device at all");
        return;
    };
    if std::env::var(INSIDE).is_ok() {
        let opened = GpuMiner::open(&Choice { self_test: false, ..Choice::default() });
        assert_eq!(opened.map_err(|e| e.to_string()).unwrap().info().name, device.name);
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_environment_can_name_a_device"])
        .env(INSIDE, "1")
        .env(np_gpu::NAME_VARIABLE, &device.name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
