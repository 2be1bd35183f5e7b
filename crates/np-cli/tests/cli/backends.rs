//! The output does not depend on who mined: whole files from the CPU and from a GPU, byte for byte.

use crate::sandbox::{Sandbox, skipped};
use np_tests::inputs::{flip, mixed_tar, noise, numbers, records};

/// The number of the first GPU here, software ones included; where one is required, none is a failure.
fn gpu(test: &str) -> Option<String> {
    let out = Sandbox::new().ok(&["devices", "--json"]).stdout;
    let list: serde_json::Value = serde_json::from_slice(&out).expect("devices --json is JSON");
    let devices = list["devices"].as_array().expect("a list of devices");
    let index = devices.iter().find_map(|device| device["index"].as_u64());
    if index.is_none() {
        assert_ne!(std::env::var("NP_REQUIRE_GPU").as_deref(), Ok("1"), "{test} needs a device");
        skipped(test, "no driver shows a device");
    }
    index.map(|index| index.to_string())
}

#[test]
fn files_are_the_same_on_every_backend() {
    let Some(device) = gpu("files_are_the_same_on_every_backend") else { return };
    let sandbox = Sandbox::new();
    let mut noisy = records(numbers(5).map(|n| (n % (1 << 14)) as u32).take(1024), 64);
    flip(&mut noisy, 50, 6);
    sandbox.write("tar", &mixed_tar()).write("random", &noise(51_200, 7)).write("noisy", &noisy);
    for name in ["tar", "random", "noisy"] {
        for level in ["-1", "-2", "-3"] {
            sandbox.ok(&["pack", "-f", level, "--backend", "cpu", name, "-o", "cpu.np"]);
            for backend in ["gpu", "both"] {
                let out = format!("{backend}.np");
                sandbox.ok(&[
                    "pack",
                    "-f",
                    level,
                    "--backend",
                    backend,
                    "--device",
                    &device,
                    name,
                    "-o",
                    &out,
                ]);
                assert_eq!(sandbox.read(&out), sandbox.read("cpu.np"), "{name} {level} --backend {backend}");
            }
        }
    }
    assert!(sandbox.read("cpu.np").len() < noisy.len() / 2, "the seeds of noisy records were found");
}

#[test]
fn a_gpu_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a");
    sandbox.fails(&["pack", "--backend", "gpu", "--device", "no such device", "a"], 1, "no such device");
}
