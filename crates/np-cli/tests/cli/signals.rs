//! Ctrl-C, SIGTERM and SIGHUP: stop at once, nothing left behind.
#![cfg(unix)]

use crate::sandbox::{NP_CLI, Sandbox, wait};
use np_tests::inputs::noise;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
}

/// Waits until the partial output is there.
fn wait_for_partial(sandbox: &Sandbox) {
    let start = Instant::now();
    while !sandbox.names().iter().any(|name| name.ends_with(".partial")) {
        assert!(start.elapsed() < Duration::from_secs(20), "no partial output: {:?}", sandbox.names());
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
            wait_for_partial(&sandbox);
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
    wait_for_partial(&sandbox);
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
