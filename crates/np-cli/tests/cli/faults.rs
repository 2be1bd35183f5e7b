//! Every operation that can fail is made to fail, one after the other: what follows is a clear error and a folder as it was
//! before, or, where a failure may be gone over, the right output.

use crate::sandbox::{Ran, Sandbox, skipped, wait};
use np_core::generator::Key;
use np_tests::inputs::{flip, noise, records, stream, text};
use std::collections::BTreeSet;
use std::process::Stdio;

/// What may fail without harm: the run says so or need not, and succeeds.
const TOLERATED: [&str; 3] = ["sync folder", "session", "link"];

/// A run of np-cli, and what it leaves when nothing fails.
struct Scene {
    name: &'static str,
    args: Vec<&'static str>,
    output: &'static str,
    expected: Vec<u8>,
}

fn input() -> Vec<u8> {
    let mut input = text(3000);
    input.extend(stream(&Key::Genrand(9), 0, 5000));
    let mut records = records((0..24).map(|i| 500 + 7 * i % 90), 64);
    flip(&mut records, 30, 2);
    input.extend(records);
    input.extend(noise(2000, 3));
    input
}

/// A folder with an input, a packed file, and precious outputs that are to be overwritten only by good ones.
fn folder(packed: &[u8]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("in", &input()).write("good.np", packed);
    sandbox.write("in.np", b"precious").write("good", b"precious").write("other.np", b"precious");
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str], fault: &str) -> Ran {
    let mut command = sandbox.command(args);
    command.env("NP_FAULT", fault).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    wait(command.spawn().expect("np-cli starts"))
}

/// Fails operation after operation of a kind until there is none left to fail, and returns how many there were.
fn fail_all(scene: &Scene, packed: &[u8], kind: &str) -> usize {
    let removes = scene.args.contains(&"--rm");
    // About half of the mining is for segments that are then analysed again, because something goes on from the one before.
    // Which half a number is in varies with the threads.
    let in_vain = kind == "mine" && scene.args.contains(&"--segment-size");
    let mut failed = 0;
    for number in 0.. {
        let fault = format!("{kind}:{number}");
        let sandbox = folder(packed);
        let before: BTreeSet<String> = sandbox.names();
        let source = if scene.args[0] == "pack" { "in" } else { "good.np" };
        let ran = run(&sandbox, &scene.args, &fault);
        let at = format!("{} {fault}: {}", scene.name, ran.stderr);
        let injected = ran.stderr.contains("np-cli: fault ") || ran.stderr.contains("out of memory");
        let written = sandbox.read(scene.output) == scene.expected;
        if ran.code == Some(0) {
            assert!(!injected || in_vain || TOLERATED.contains(&kind), "it succeeded with {at}");
            assert!(written || scene.args[0] == "verify", "wrong output with {at}");
            let mut after = before.clone();
            if removes {
                after.remove(source);
            }
            if ran.stderr.contains("cannot remove in.np-session") {
                after.insert("in.np-session".to_owned());
            }
            assert_eq!(sandbox.names(), after, "{at}");
            if !injected {
                assert!(!in_vain || 4 * failed >= number, "{failed} of {number} failures mattered");
                return number;
            }
            continue;
        }
        failed += 1;
        assert!(injected, "it failed by itself: {at}");
        assert_eq!(ran.code, Some(1), "{at}");
        let told = ran.stderr.lines().rfind(|line| !line.contains("np-cli: fault ")).unwrap_or_default();
        let clear = told.starts_with("np-cli: ") && told[8..].contains(':');
        assert!(clear, "the error is not clear: {at}");
        assert_eq!(sandbox.names(), before, "something was left or lost: {at}");
        if kind == "remove" {
            assert!(written && sandbox.read(source).len() > 8, "{at}");
        } else {
            assert_eq!(sandbox.read(scene.output), b"precious", "{at}");
        }
    }
    unreachable!("there is an end to what can fail")
}

#[test]
fn every_operation_that_fails_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    sandbox.write("in", &input());
    let ran = run(&sandbox, &["pack", "-2", "-o", "in.np", "in"], "create:0");
    if ran.code == Some(0) {
        return skipped("every_operation_that_fails_leaves_nothing_behind", "faults are not built in");
    }
    let whole = ["-f", "--backend", "cpu", "-T2"];
    let pack = ["-f", "--backend", "cpu", "--segment-size", "8K", "-T2"];
    let packed =
        |options: &[&'static str]| sandbox.ok(&[&["pack", "-2", "-c", "in"], options].concat()).stdout;
    let (quick, one) = (packed(&pack), packed(&whole));
    let scene = |name, args: &[&[&'static str]], output, expected: &[u8]| Scene {
        name,
        args: args.concat(),
        output,
        expected: expected.to_vec(),
    };
    let scenes = [
        scene("pack", &[&["pack", "-2", "in"], &pack], "in.np", &quick),
        scene("pack, one segment", &[&["pack", "-2", "in"], &whole], "in.np", &one),
        scene("pack --rm", &[&["pack", "-2", "--rm", "in"], &pack], "in.np", &quick),
        scene("unpack", &[&["unpack", "-f", "-T2", "good.np"]], "good", &input()),
        scene("unpack --rm", &[&["unpack", "-f", "--rm", "-T2", "good.np"]], "good", &input()),
        scene("verify", &[&["verify", "-T2", "good.np"]], "good", b"precious"),
    ];
    let kinds = [
        "stat",
        "open",
        "read",
        "create",
        "write",
        "seek",
        "mode",
        "times",
        "sync",
        "link",
        "rename",
        "sync folder",
        "remove",
        "mine",
        "alloc",
    ];
    println!("| | {} |", kinds.join(" | "));
    let mut total = 0;
    for scene in &scenes {
        // What --rm adds is what happens to files.
        let files_only = scene.args.contains(&"--rm");
        let counts = kinds.iter().map(|kind| match *kind {
            "mine" | "alloc" if files_only => 0,
            // Here every failure of mining matters; all else is as in the scene before.
            kind if scene.name == "pack, one segment" && kind != "mine" => 0,
            kind => fail_all(scene, &quick, kind),
        });
        let counts: Vec<usize> = counts.collect();
        total += counts.iter().sum::<usize>();
        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
        println!("| {} | {} |", scene.name, counts.join(" | "));
    }
    assert!(total > 60, "only {total} operations were failed");
    // A session that cannot be written, or removed, is told of, and does no harm.
    let resumable = scene("pack --resume", &[&["pack", "-2", "--resume", "in"], &pack], "in.np", &quick);
    let points = fail_all(&resumable, &quick, "session");
    println!("session: {points}");
    assert!(points > 4, "{points} points");
}

/// A miner that lies is found out by the one beside it, whatever job it lies about: exit code 3 and no output.
#[test]
fn backends_that_disagree() {
    let sandbox = Sandbox::new();
    let disagrees = |args: &[&str], fault: &str| {
        let before = sandbox.names();
        let ran = run(&sandbox, args, fault);
        assert_eq!(ran.code, Some(3), "{args:?} {fault}: {}", ran.stderr);
        assert!(ran.stderr.contains("disagree: candidate 0 is "), "{args:?} {fault}: {}", ran.stderr);
        assert_eq!(sandbox.names(), before, "{args:?} {fault}");
    };
    if !run(&sandbox, &["selftest", "--device", "none such"], "lie:0").stderr.contains("fault lie") {
        return skipped("backends_that_disagree", "faults are not built in");
    }
    for job in [0, 1, 20] {
        disagrees(&["selftest"], &format!("lie:{job}"));
    }
    let Some(device) = a_gpu(&sandbox) else {
        return skipped("backends_that_disagree (on a GPU)", "no driver shows a device");
    };
    sandbox.write("in", &input());
    let pack = ["pack", "-3", "--backend", "both", "--device", &device];
    sandbox.ok(&[&pack[..], &["in", "-o", "good"]].concat());
    for job in [0, 2] {
        disagrees(&[&pack[..], &["in"]].concat(), &format!("lie:{job}"));
    }
    // One file that failed so does not hide behind others.
    let ran = run(&sandbox, &[&pack[..], &["in", "no such file"]].concat(), "lie:0");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
}

/// The number of a GPU, software ones included; where one is required, none is a failure.
fn a_gpu(sandbox: &Sandbox) -> Option<String> {
    let list = sandbox.ok(&["devices", "--json"]).stdout;
    let list: serde_json::Value = serde_json::from_slice(&list).expect("devices --json is JSON");
    let device = list["devices"].as_array()?.iter().find_map(|d| d["index"].as_u64());
    assert!(device.is_some() || std::env::var("NP_REQUIRE_GPU").as_deref() != Ok("1"), "a device is needed");
    device.map(|index| index.to_string())
}

/// A GPU that is lost at any of its submissions: by itself it is an error; with the CPU beside it the file is the same.
#[test]
fn every_gpu_submission_that_fails() {
    let sandbox = Sandbox::new();
    let Some(device) = a_gpu(&sandbox) else {
        return skipped("every_gpu_submission_that_fails", "no driver shows a device");
    };
    let mut input = records((0..40).map(|i| 900 + 13 * i % 70), 64);
    flip(&mut input, 40, 2);
    sandbox.write("in", &input);
    let expected = sandbox.ok(&["pack", "-3", "--backend", "cpu", "-c", "in"]).stdout;
    let (mut failed, mut went_on) = (0, 0);
    for after in 0..16 {
        let fault = format!("gpu:{after}");
        for backend in ["gpu", "auto"] {
            let ran = run(&sandbox, &["pack", "-3", "--backend", backend, "--device", &device, "in"], &fault);
            let at = format!("{backend} lost after {after}: {}", ran.stderr);
            if ran.code == Some(0) {
                assert!(sandbox.read("in.np") == expected, "{at}");
                std::fs::remove_file(sandbox.path("in.np")).unwrap();
                went_on += usize::from(ran.stderr.contains("going on with the CPU"));
            } else {
                assert_eq!(ran.code, Some(1), "{at}");
                assert!(ran.stderr.starts_with("np-cli: ") && ran.stderr[8..].contains(": "), "{at}");
                failed += 1;
            }
            assert_eq!(sandbox.names(), ["in".to_owned()].into(), "{at}");
        }
    }
    println!(
        "GPU lost before submission 0 to 15: {failed} clear errors alone, {went_on} times the CPU went on"
    );
    if failed + went_on == 0 {
        skipped("every_gpu_submission_that_fails", "faults are not built in");
    }
}
