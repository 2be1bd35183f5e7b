//! Bad packed files: a clear error, exit code 1, nothing left behind.

use crate::sandbox::{Sandbox, wait};
use np_core::format::reader::HEADER;
use np_core::generator::Key;
use np_tests::apart::{Part, RunFields, run_table, together};
use np_tests::craft::{self, Segment};
use np_tests::golden_files;
use np_tests::inputs::{noise, text};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Every length and every flipped bit of a small packed file.
fn all_damage(packed: &[u8]) {
    let sandbox = Sandbox::new();
    sandbox.write("good.np", packed);
    sandbox.ok(&["unpack", "good.np", "-o", "good"]);
    let refused = |bytes: &[u8], what: &str| {
        sandbox.write("bad.np", bytes);
        let before = sandbox.names();
        let ran = sandbox.run(&["unpack", "-T1", "bad.np"]);
        assert_eq!(ran.code, Some(1), "{what}: {}", ran.stderr);
        assert!(
            ran.stderr.starts_with("np-cli: ") && ran.stderr.contains("bad.np"),
            "{what}: {}",
            ran.stderr
        );
        assert_eq!(sandbox.names(), before, "{what} left something behind");
    };
    for len in 0..packed.len() {
        refused(&packed[..len], &format!("cut to {len} of {}", packed.len()));
    }
    let mut damaged = packed.to_vec();
    for bit in 0..8 * packed.len() {
        damaged[bit / 8] ^= 1 << (bit % 8);
        refused(&damaged, &format!("bit {bit} of {}", 8 * packed.len()));
        damaged[bit / 8] ^= 1 << (bit % 8);
    }
}

fn packed(input: &[u8]) -> Vec<u8> {
    let packed = Sandbox::new().pipe(&["pack", "-1"], input);
    assert_eq!(packed.code, Some(0), "{}", packed.stderr);
    packed.stdout
}

#[test]
fn every_bit_and_length_of_an_empty_file() {
    all_damage(&packed(b""));
}

#[test]
fn every_bit_and_length_of_a_stored_file() {
    all_damage(&packed(&noise(20, 1)));
}

#[test]
fn every_bit_and_length_of_a_zstd_file() {
    all_damage(&packed(&[b'z'; 3000]));
}

#[test]
fn every_bit_and_length_of_a_mixed_file() {
    all_damage(&craft::file(&craft::small()));
}

#[test]
fn verify_and_info_refuse_it_too() {
    let sandbox = Sandbox::new();
    let good = craft::file(&craft::everything());
    let middle = good.len() / 2;
    let mut flipped = good.clone();
    flipped[middle] ^= 8;
    sandbox.write("cut.np", &good[..middle]).write("flipped.np", &flipped);
    for verb in ["unpack", "verify", "info"] {
        sandbox.fails(&[verb, "cut.np"], 1, "cut short");
        sandbox.fails(&[verb, "flipped.np"], 1, "damaged");
    }
    assert!(sandbox.fails(&["info", "--json", "flipped.np"], 1, "damaged").stdout.is_empty());
}

#[test]
fn what_is_no_packed_file_is_named_so() {
    let sandbox = Sandbox::new();
    sandbox
        .write("text.np", &text(100))
        .write("empty.np", b"")
        .write("new.np", b"NP\xf7\x09 from the future");
    sandbox.write("short.np", &HEADER[..2]);
    sandbox.fails(&["unpack", "text.np"], 1, "not a NoisePacker file");
    sandbox.fails(&["unpack", "empty.np"], 1, "not a NoisePacker file");
    sandbox.fails(&["unpack", "new.np"], 1, "version 9 is unknown");
    sandbox.fails(&["unpack", "short.np"], 1, "cut short");
}

#[test]
fn what_follows_the_end_is_refused() {
    let sandbox = Sandbox::new();
    let good = packed(b"content");
    sandbox.write("more.np", &[&good[..], b"x"].concat()).write("twice.np", &[&good[..], &good[..]].concat());
    sandbox.fails(&["unpack", "more.np"], 1, "more data");
    sandbox.fails(&["unpack", "twice.np"], 1, "another packed file");
}

/// Files of a few bytes that ask for a lot are refused before it is done.
#[test]
fn absurd_requests_are_refused_at_once() {
    let sandbox = Sandbox::new();
    let mut far = [Segment::default().run(&Key::Genrand(1), 0, 100, 0)];
    far[0].runs[0].position = 1 << 43;
    sandbox.write("far.np", &craft::file(&far));
    let zeros = packed(&vec![0; 1 << 20]);
    sandbox.write("zeros.np", &zeros);
    // A stored segment of 4 GiB, of 32 MiB that are not there, and a length that never ends.
    let head = |bytes: &[u8]| [&HEADER[..], bytes].concat();
    sandbox.write("huge.np", &head(&[4, 0xff, 0xff, 0xff, 0xff, 0x0f]));
    sandbox.write("absent.np", &head(&[4, 0x80, 0x80, 0x80, 0x10]));
    sandbox.write("endless.np", &head(&[0xff; 40]));
    let start = Instant::now();
    for verb in ["unpack", "verify"] {
        sandbox.fails(&[verb, "far.np"], 1, "--max-skip");
        sandbox.fails(&[verb, "--max-output", "1023K", "zeros.np"], 1, "--max-output");
        sandbox.fails(&[verb, "huge.np"], 1, "limit");
        sandbox.fails(&[verb, "absent.np"], 1, "cut short");
        sandbox.fails(&[verb, "endless.np"], 1, "unknown");
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    sandbox.ok(&["verify", "--max-output", "1M", "zeros.np"]);
    sandbox.ok(&["verify", "--max-output", "none", "--max-skip", "none", "zeros.np"]);
}

/// Bombs are refused by name before they cost anything: nothing is written, whatever the output, and peak memory stays small.
#[test]
fn bombs_are_refused_before_they_cost_anything() {
    let sandbox = Sandbox::new();
    for line in golden_files::list("bombs") {
        let [name, error, _claims] = &line[..] else { panic!("{line:?}") };
        sandbox.write("bomb.np", &golden_files::read("bombs", name));
        let option = error.strip_prefix("OverLimit: ").unwrap_or("bomb.np");
        for verb in ["unpack", "verify"] {
            let ran = sandbox.fails(&[verb, "bomb.np"], 1, option);
            assert!(ran.stderr.contains("cannot unpack bomb.np"), "{name}: {}", ran.stderr);
        }
        assert!(sandbox.fails(&["unpack", "-c", "bomb.np"], 1, option).stdout.is_empty(), "{name}");
        // A file on the standard input can be looked through beforehand, too.
        let input = std::fs::File::open(sandbox.path("bomb.np")).unwrap();
        let mut unpack = sandbox.command(&["unpack"]);
        unpack.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ran = wait(unpack.spawn().unwrap());
        let option = error.strip_prefix("OverLimit: ").unwrap_or("(stdin)");
        assert!(ran.stderr.contains(option), "{name}: {}", ran.stderr);
        assert!(ran.code == Some(1) && ran.stdout.is_empty(), "{name}");
    }
}

#[test]
fn the_memory_limit_bounds_what_is_decoded_together() {
    let sandbox = Sandbox::new();
    let segments: Vec<_> = (0..20).map(|i| Segment::default().plain(&noise(1 << 20, i))).collect();
    sandbox.write("a.np", &craft::file(&segments));
    // A stored segment of a mebibyte takes two.
    sandbox.fails(&["verify", "--memory-limit", "2M", "a.np"], 1, "--memory-limit");
    sandbox.fails(&["unpack", "--memory-limit", "1M", "a.np"], 1, "--memory-limit");
    for limit in ["3M", "256M", "none"] {
        sandbox.ok(&["verify", "-T8", "--memory-limit", limit, "a.np"]);
        let out = sandbox.ok(&["unpack", "-c", "-T8", "--memory-limit", limit, "a.np"]).stdout;
        assert!(out == craft::content(&segments), "{limit}");
    }
    let keys = (0..10_000).map(|i| RunFields { length: 3, key: Ok(Key::Genrand(i)), ..RunFields::default() });
    let mut keys = Part::mixed(40_000, run_table(10_000, keys), Vec::new(), Vec::new());
    keys.head |= 4;
    sandbox.write("keys.np", &together(&[keys]));
    sandbox.fails(&["verify", "--memory-limit", "1M", "keys.np"], 1, "--memory-limit");
    assert!(!sandbox.fails(&["verify", "keys.np"], 1, "").stderr.contains("--memory-limit"));
}

/// Whatever the threads, all before the damage that stands first is written to a pipe, and that damage is told.
#[test]
fn damage_is_met_in_order() {
    let sandbox = Sandbox::new();
    let segments: Vec<_> = (0..9).map(|i| Segment::default().plain(&noise(1 << 20, i))).collect();
    let good = craft::file(&segments);
    let inside = |segment: usize| (segment << 20) + (1 << 19);
    let mut flipped = good.clone();
    flipped[inside(5)] ^= 1;
    flipped[inside(7)] ^= 1;
    let mut both = flipped.clone();
    both.truncate(inside(8));
    for (name, bad) in [("flipped", &flipped[..]), ("both", &both), ("cut", &good[..inside(5)])] {
        sandbox.write("bad.np", bad);
        let run = |threads| sandbox.fails(&["unpack", "-c", "-T", threads, "bad.np"], 1, "bad.np");
        let one = run("1");
        assert!(one.stdout == craft::content(&segments[..5]), "{name}: {} bytes", one.stdout.len());
        for threads in ["2", "3", "16"] {
            let more = run(threads);
            assert!(
                more.stdout == one.stdout && more.stderr == one.stderr,
                "{name}, {threads}: {}",
                more.stderr
            );
        }
    }
}

/// What was checked before the damage may be on the standard output; nothing of what follows is.
#[test]
fn only_checked_content_is_written_to_a_pipe() {
    let sandbox = Sandbox::new();
    let segments = craft::everything();
    let mut bad = craft::file(&segments);
    let last = bad.len() - 1;
    bad[last] ^= 1;
    sandbox.write("bad.np", &bad);
    let ran = sandbox.fails(&["unpack", "-c", "bad.np"], 1, "digest");
    let content = craft::content(&segments);
    let checked = content.len() - segments.last().unwrap().content.len();
    assert!(ran.stdout == content[..checked]);
}
