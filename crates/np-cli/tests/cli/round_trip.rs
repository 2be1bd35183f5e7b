//! Files and pipes there and back.

use crate::sandbox::Sandbox;
use np_core::generator::Key;
use np_tests::craft;
use np_tests::inputs::{flip, mixed_tar, noise, records, stream, text};

/// Packs a file, verifies it, unpacks it; then the same through pipes, which must give the same bytes.
fn there_and_back(input: &[u8], options: &[&str]) -> Vec<u8> {
    let sandbox = Sandbox::new();
    sandbox.write("in", input);
    sandbox.ok(&[&["pack", "in"], options].concat());
    sandbox.ok(&["verify", "in.np"]);
    sandbox.ok(&["unpack", "in.np", "-o", "out"]);
    assert!(sandbox.read("out") == input, "{} bytes through files", input.len());
    let packed = sandbox.read("in.np");
    let piped = sandbox.pipe(&[&["pack"], options].concat(), input);
    assert_eq!(piped.code, Some(0), "{}", piped.stderr);
    assert!(piped.stdout == packed, "{} bytes: files and pipes differ", input.len());
    let back = sandbox.pipe(&["unpack", "-"], &packed);
    assert!(back.code == Some(0) && back.stdout == input, "{} bytes through pipes", input.len());
    assert_eq!(sandbox.names().len(), 3, "{:?}", sandbox.names());
    packed
}

#[test]
fn small_sizes() {
    for len in [0, 1, 63, 64, 65] {
        for input in [noise(len, 1), text(len), stream(&Key::Genrand(1), 0, len)] {
            there_and_back(&input, &["-1"]);
        }
    }
    assert_eq!(there_and_back(b"", &["-1"]).len(), 12);
}

#[test]
fn noise_grows_by_fourteen_bytes() {
    assert_eq!(there_and_back(&noise(51_200, 2), &["-1"]).len(), 51_214);
}

#[test]
fn plain_files() {
    assert!(there_and_back(&text(200_000), &["-1"]).len() < 100_000);
    assert!(there_and_back(&vec![0; 1 << 20], &["-1"]).len() < 200);
}

#[test]
fn a_binary() {
    let binary = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let some = &binary[..binary.len().min(6 << 20)];
    let packed = there_and_back(some, &["-1", "--segment-size", "1M"]);
    assert!(packed.len() < some.len());
}

#[test]
fn a_mixed_tar() {
    there_and_back(&mixed_tar(), &["-1"]);
}

#[test]
fn generators_at_any_block_size() {
    let mut input = records((0..100).map(|i| 7000 + 5 * i), 64);
    let mut flipped = stream(&Key::Genrand(31), 0, 30_000);
    flip(&mut flipped, 100, 4);
    input.extend(flipped);
    for log in 7..=15 {
        there_and_back(&input, &["-1", "--block-bits", &(1 << log).to_string()]);
    }
}

#[test]
fn crafted_files_with_everything() {
    let sandbox = Sandbox::new();
    let segments = craft::everything();
    sandbox.write("all.np", &craft::file(&segments));
    for threads in ["1", "2", "5"] {
        sandbox.ok(&["verify", "all.np", "-T", threads]);
        let out = sandbox.ok(&["unpack", "-c", "all.np", "-T", threads]).stdout;
        assert!(out == craft::content(&segments), "{threads} threads");
    }
}

#[test]
fn threads_do_not_change_the_output() {
    let mut input = mixed_tar();
    // A stream over many segments, which each segment hands on to the next.
    input.extend(stream(&Key::Genrand(555), 0, 100_000));
    input.extend(noise(10_000, 8));
    let sandbox = Sandbox::new();
    sandbox.write("in", &input);
    for size in ["4K", "30000", "1M"] {
        let pack =
            |threads| sandbox.ok(&["pack", "-c", "-1", "--segment-size", size, "-T", threads, "in"]).stdout;
        let one = pack("1");
        for threads in ["2", "3", "8"] {
            assert!(pack(threads) == one, "{threads} threads, segments of {size}");
        }
        let back = sandbox.pipe(&["unpack", "-T3"], &one);
        assert!(back.code == Some(0) && back.stdout == input);
    }
}

#[test]
fn the_default_level_packs_and_unpacks() {
    there_and_back(&text(3000), &[]);
}
