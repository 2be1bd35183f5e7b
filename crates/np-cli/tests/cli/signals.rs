//! Ctrl-C, SIGTERM and SIGHUP: stop at once, nothing left behind.
#![cfg(unix)]

use crate::sandbox::{NP_CLI, Sandbox, skipped, wait};
use np_tests::inputs::{noise, numbers};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
}

/// Waits until the output is open: a file without a name, or with the name of a partial one.
fn wait_for_output(sandbox: &Sandbox, child: &Child) {
    let start = Instant::now();
    let unnamed = || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
        files.filter_map(|file| file.path().read_link().ok()).any(|to| to.starts_with(sandbox.root()))
    };
    while !unnamed() && !sandbox.names().iter().any(|name| name.ends_with(".partial")) {
        assert!(start.elapsed() < Duration::from_secs(20), "no output: {:?}", sandbox.names());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_removes_the_partial_output() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        for verb in ["pack", "unpack"] {
            let sandbox = Sandbox::new();
            let mut child = sandbox.spawn(&[verb, "-o", "out"]);
            // The standard input stays open, so it waits for more.
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(b"NP\xf7\x01").unwrap();
            wait_for_output(&sandbox, &child);
            let start = Instant::now();
            kill(&child, signal);
            let ended = wait(child);
            assert!(start.elapsed() < Duration::from_secs(5), "it took {:?} to stop", start.elapsed());
            assert_eq!(ended.code, Some(130), "{verb} {signal}");
            drop(stdin);
            assert!(sandbox.names().is_empty(), "{verb} {signal} left {:?}", sandbox.names());
        }
    }
}

/// SIGKILL at moments all over a run: there is the whole output or none, and nothing beside it.
#[cfg(target_os = "linux")]
#[test]
fn a_kill_leaves_nothing() {
    use std::os::unix::fs::OpenOptionsExt;
    let sandbox = Sandbox::new();
    let unnamed = std::fs::File::options().write(true).custom_flags(libc::O_TMPFILE).open(sandbox.root());
    if unnamed.is_err() {
        return skipped("a_kill_leaves_nothing", "this file system has no files without a name");
    }
    sandbox.write("in", &noise(1 << 20, 8));
    let pack = ["pack", "-1", "--segment-size", "64K", "in", "-o", "good.np"];
    sandbox.ok(&pack);
    let unpack = ["unpack", "good.np", "-o", "out"];
    let packed = sandbox.read("good.np");
    let inputs: BTreeSet<String> = ["in".to_owned(), "good.np".to_owned()].into();
    for (args, expected) in
        [(&[&pack[..6], &["out"]].concat()[..], packed), (&unpack[..], sandbox.read("in"))]
    {
        let _ = std::fs::remove_file(sandbox.path("out"));
        let start = Instant::now();
        sandbox.ok(args);
        let whole = start.elapsed();
        let mut finished = 0;
        for moment in numbers(9).take(40) {
            let _ = std::fs::remove_file(sandbox.path("out"));
            let mut child = sandbox.spawn(args);
            std::thread::sleep(whole.mul_f64((moment % 1000) as f64 / 1000.0));
            child.kill().unwrap();
            child.wait().unwrap();
            let mut left = sandbox.names();
            if left.remove("out") {
                finished += 1;
                assert!(sandbox.read("out") == expected, "{args:?} was left half done");
            }
            assert_eq!(left, inputs, "{args:?}");
        }
        println!("{args:?}: of 40 runs that were killed {finished} had finished");
        assert!(finished < 40, "no kill came in time");
    }
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let sandbox = Sandbox::new();
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP INT; exec \"$0\" pack -1 -o out", NP_CLI])
        .current_dir(sandbox.root())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_output(&sandbox, &child);
    kill(&child, "-HUP");
    kill(&child, "-INT");
    child.stdin.take().unwrap().write_all(b"content").unwrap();
    let ran = wait(child);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(sandbox.ok(&["unpack", "-c", "out"]).stdout, b"content");
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_talk() {
    let sandbox = Sandbox::new();
    sandbox.write("big", &noise(4 << 20, 6));
    sandbox.ok(&["pack", "-1", "big"]);
    for args in [
        &["pack", "-1", "-c", "big"][..],
        &["unpack", "-c", "big.np"],
        &["info", "--json", "big.np"],
        &["man"],
        &["completions", "bash"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = sandbox.command(args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let ran = wait(child);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{args:?}");
    }
}

#[test]
fn nobody_listens_to_errors() {
    let sandbox = Sandbox::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = sandbox.command(&["pack", "missing"]).stderr(writer).spawn().unwrap();
    assert_eq!(wait(child).code, Some(1));
}
