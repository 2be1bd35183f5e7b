//! Sessions: what was killed or stopped goes on to the same file; what does not belong together is refused.
#![cfg(unix)]

use crate::sandbox::{Ran, Sandbox, wait};
use np_tests::inputs::{flip, noise, numbers, records};
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const SESSION: &str = "out.np-session";
const PACK: [&str; 9] = ["pack", "-6", "--backend", "cpu", "--segment-size", "32K", "in", "-o", "out.np"];

/// Records whose seeds must be mined, and noise: some seconds' work in two segments.
fn long_input() -> Vec<u8> {
    let mut input = records(numbers(5).map(|n| (n % (1 << 14)) as u32).take(256), 64);
    flip(&mut input, 50, 6);
    input.extend(noise(24_000, 7));
    input
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("in", &long_input());
    sandbox
}

fn session_bytes(sandbox: &Sandbox) -> u64 {
    std::fs::metadata(sandbox.path(SESSION)).map_or(0, |found| found.len())
}

/// Starts packing and waits until the session has grown, or all is done.
fn until_it_grows(sandbox: &Sandbox, resume: bool) -> Child {
    let before = session_bytes(sandbox);
    let args: Vec<&str> = PACK.into_iter().chain(resume.then_some("--resume")).collect();
    let mut child = sandbox.spawn(&args);
    let start = Instant::now();
    while session_bytes(sandbox) <= before && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(100), "the session does not grow");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, signal: &str) {
    let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
}

fn resume(sandbox: &Sandbox) -> Ran {
    let args: Vec<&str> = PACK.into_iter().chain(["--resume"]).collect();
    sandbox.ok(&args)
}

/// The file that a run left alone makes, for the tests that compare.
fn alone() -> &'static [u8] {
    static ALONE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let sandbox = sandbox();
        sandbox.ok(&PACK);
        assert_eq!(sandbox.names(), ["in".to_owned(), "out.np".to_owned()].into(), "the session goes away");
        sandbox.read("out.np")
    });
    &ALONE
}

#[test]
fn a_killed_run_goes_on_to_the_same_file() {
    let expected = alone();
    assert!(expected.len() < 36_000, "the records' seeds are found");
    let sandbox = sandbox();
    for kills in 0..6 {
        let mut child = until_it_grows(&sandbox, kills > 0);
        std::thread::sleep(Duration::from_millis(30 * kills));
        signal(&child, "-KILL");
        child.wait().unwrap();
        if cfg!(target_os = "linux") {
            let mut left = sandbox.names();
            left.remove("out.np");
            assert_eq!(left, ["in".to_owned(), SESSION.to_owned()].into(), "after {kills} kills");
        }
    }
    if !sandbox.names().contains("out.np") {
        // The name that a kill may leave the output with is in the session.
        let session = String::from_utf8_lossy(&sandbox.read(SESSION)).into_owned();
        let from = session.rfind(".np-").expect("the session names it");
        let len = session[from..].find(".partial").expect("all of it") + ".partial".len();
        sandbox.write(&session[from..from + len], b"left by a kill");
        let ran = resume(&sandbox);
        assert!(ran.stderr.contains("going on after"), "{}", ran.stderr);
    }
    assert!(sandbox.read("out.np") == expected);
    // Temporary files of the killed runs are gone, too.
    assert_eq!(sandbox.names(), ["in".to_owned(), "out.np".to_owned()].into());
}

#[test]
fn a_signal_saves_the_session_and_says_how_to_go_on() {
    let expected = alone();
    for name in ["-INT", "-TERM"] {
        let sandbox = sandbox();
        let child = until_it_grows(&sandbox, false);
        signal(&child, name);
        let ran = wait(child);
        assert_eq!(ran.code, Some(130), "{name}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("--resume") && ran.stderr.contains("bytes of in"),
            "{name}: {}",
            ran.stderr
        );
        assert_eq!(sandbox.names(), ["in".to_owned(), SESSION.to_owned()].into(), "{name}");
        resume(&sandbox);
        assert!(sandbox.read("out.np") == expected, "{name}");
        assert_eq!(sandbox.names().len(), 2, "{name}: the session goes away");
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    let sandbox = sandbox();
    let child = until_it_grows(&sandbox, false);
    for _ in 0..2 {
        signal(&child, "-INT");
        std::thread::sleep(Duration::from_millis(20));
    }
    let ran = wait(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert_eq!(sandbox.names(), ["in".to_owned(), SESSION.to_owned()].into());
}

#[test]
fn sessions_that_do_not_belong_are_refused() {
    let sandbox = sandbox();
    let child = until_it_grows(&sandbox, false);
    signal(&child, "-TERM");
    assert_eq!(wait(child).code, Some(130));
    let session = sandbox.read(SESSION);
    let resumed =
        |extra: &[&'static str]| PACK.into_iter().chain(["--resume"]).chain(extra.iter().copied()).collect();
    let fails = |args: Vec<&str>, what: &str| drop(sandbox.fails(&args, 1, what));

    fails(PACK.to_vec(), "--resume");
    fails(resumed(&["-7"]), "the options are others");
    fails(resumed(&["--block-bits", "128"]), "the options are others");
    let mut other = long_input();
    other[40_000] ^= 1;
    sandbox.write("in", &other);
    fails(resumed(&[]), "the input has changed");
    other.push(0);
    sandbox.write("in", &other);
    fails(resumed(&[]), "the input has changed");
    sandbox.write("in", &long_input());

    let head = session.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(4).unwrap().0;
    for at in (0..=head).step_by(7) {
        let mut damaged = session.clone();
        damaged[at] ^= 1;
        sandbox.write(SESSION, &damaged);
        fails(resumed(&[]), SESSION);
    }
    sandbox.write(SESSION, &session[..head / 2]);
    fails(resumed(&[]), "not a session");
    sandbox.write(SESSION, b"");
    fails(resumed(&[]), "not a session");

    // Damage to a record, or a record cut short, costs that one and those behind it.
    let mut damaged = session.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    sandbox.write(SESSION, &damaged);
    let ran = resume(&sandbox);
    assert!(ran.stderr.contains("cut off or damaged"), "{}", ran.stderr);
    assert!(sandbox.read("out.np") == alone());
    assert_eq!(sandbox.names().len(), 2);
}

#[test]
fn a_session_needs_files_and_gives_way_to_force() {
    let sandbox = Sandbox::new();
    sandbox.write("a", &noise(3000, 1)).write("a.np-session", b"anything");
    let piped = sandbox.pipe(&["pack", "--resume", "-o", "b.np"], b"x");
    assert_eq!(piped.code, Some(2), "{}", piped.stderr);
    assert_eq!(sandbox.run(&["pack", "--resume", "-c", "a"]).code, Some(2));
    sandbox.fails(&["pack", "a"], 1, "--resume");
    sandbox.ok(&["pack", "-f", "a"]);
    assert_eq!(sandbox.names(), ["a".to_owned(), "a.np".to_owned()].into());
    // Quick runs have none.
    sandbox.ok(&["pack", "-f", "--resume", "-1", "a"]);
    assert_eq!(sandbox.names().len(), 2);
}
