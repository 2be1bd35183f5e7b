//! Streams: memory does not grow with the input, and output comes before the input has ended.

use crate::sandbox::{Sandbox, wait};
use np_tests::inputs::noise;
use std::io::{Read, Write};
use std::process::Stdio;

#[test]
fn output_comes_before_the_input_has_ended() {
    let sandbox = Sandbox::new();
    let input = noise(4 << 20, 3);
    let mut pack = sandbox.spawn(&["pack", "-1", "-T1", "--segment-size", "64K"]);
    let mut stdin = pack.stdin.take().unwrap();
    let mut stdout = pack.stdout.take().unwrap();
    let mut packed = vec![0; 100_000];
    std::thread::scope(|scope| {
        // No more than half of the input is written until some output was seen.
        let half = input.len() / 2;
        let (first, rest) = input.split_at(half);
        let (seen, wait_for_seen) = std::sync::mpsc::channel();
        scope.spawn(move || {
            stdin.write_all(first).unwrap();
            wait_for_seen.recv().unwrap();
            stdin.write_all(rest).unwrap();
        });
        stdout.read_exact(&mut packed).unwrap();
        seen.send(()).unwrap();
        stdout.read_to_end(&mut packed).unwrap();
    });
    assert_eq!(wait(pack).code, Some(0));
    assert!(sandbox.pipe(&["unpack"], &packed).stdout == input);
}

/// The high-water mark of a child's memory, read while it waits for the rest of its input.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded_by_segments_not_by_the_input() {
    let sandbox = Sandbox::new();
    let input = noise(24 << 20, 4);
    let mut most = Vec::new();
    for len in [6 << 20, 24 << 20] {
        let mut pack = sandbox.spawn(&["pack", "-1", "-T2", "--segment-size", "256K", "-o", "out.np", "-f"]);
        let mut stdin = pack.stdin.take().unwrap();
        stdin.write_all(&input[..len]).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", pack.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        most.push(line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap());
        drop(stdin);
        assert_eq!(wait(pack).code, Some(0));
    }
    assert!(most[1] < most[0] + 8 * 1024, "KiB for 6 and for 24 MiB: {most:?}");
}

/// The standard input may be a file that is read from its midst on.
#[cfg(unix)]
#[test]
fn a_packed_file_behind_something_else() {
    use std::io::{Seek, SeekFrom};
    let sandbox = Sandbox::new();
    sandbox.write("a", &noise(5000, 1));
    let packed = sandbox.ok(&["pack", "-1", "-c", "a"]).stdout;
    sandbox.write("b", &[&b"something else"[..], &packed].concat());
    let mut input = std::fs::File::open(sandbox.path("b")).unwrap();
    input.seek(SeekFrom::Start(14)).unwrap();
    let mut unpack = sandbox.command(&["unpack"]);
    unpack.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = wait(unpack.spawn().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout, noise(5000, 1));
}
