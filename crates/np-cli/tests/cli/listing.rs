//! What `info`, `mine`, `devices`, `completions` and `man` print.

use crate::sandbox::Sandbox;
use np_core::generator::Key;
use np_tests::craft;
use np_tests::inputs::{noise, records, stream, text};
use serde_json::Value;

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(text)))
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn sum(list: &Value, name: &str) -> u64 {
    list.as_array().expect("a list").iter().map(|item| number(item, name)).sum()
}

/// The ledger's headings add up to its total, which is the file's size; segments add up to both.
fn check_ledger(info: &Value, size: usize) {
    assert_eq!(number(info, "packed_bytes"), size as u64);
    assert_eq!(number(&info["ledger"], "total_bits"), 8 * size as u64);
    assert_eq!(sum(&info["ledger"]["headings"], "bits"), 8 * size as u64);
    let segments = info["segments"].as_array().unwrap();
    assert_eq!(sum(&info["segments"], "packed_bytes") + 4, size as u64);
    assert_eq!(sum(&info["segments"], "content_bytes"), number(info, "content_bytes"));
    for segment in segments {
        assert_eq!(sum(&segment["ledger_bits"], "bits"), 8 * number(segment, "packed_bytes"));
    }
    let percents =
        info["ledger"]["headings"].as_array().unwrap().iter().map(|h| h["percent"].as_f64().unwrap());
    assert!((percents.sum::<f64>() - 100.0).abs() < 1e-6);
}

#[test]
fn info_books_every_bit_of_plain_files() {
    for input in [noise(5000, 1), text(5000), Vec::new()] {
        let sandbox = Sandbox::new();
        sandbox.write("in", &input);
        sandbox.ok(&["pack", "-1", "--segment-size", "2K", "in"]);
        let size = sandbox.read("in.np").len();
        check_ledger(&json(&sandbox.ok(&["info", "--json", "in.np"]).stdout), size);
        let table = String::from_utf8(sandbox.ok(&["info", "in.np"]).stdout).unwrap();
        assert!(table.contains(&format!("{} bits", 8 * size)), "{table}");
        assert!(table.contains("no generator found"), "{table}");
    }
}

#[test]
fn info_tells_all_of_a_file_with_everything() {
    let sandbox = Sandbox::new();
    let segments = craft::everything();
    let file = craft::file(&segments);
    sandbox.write("all.np", &file);
    let info = json(&sandbox.ok(&["info", "--json", "all.np"]).stdout);
    check_ledger(&info, file.len());
    assert_eq!(info["magic"], "4e50f7");
    assert_eq!(info["version"], 1);
    let kinds: Vec<_> = info["segments"].as_array().unwrap().iter().map(|s| s["kind"].clone()).collect();
    assert_eq!(kinds, ["mixed", "mixed", "stored", "mixed", "mixed"]);

    let mut found = Vec::new();
    for segment in info["segments"].as_array().unwrap() {
        found.extend(segment["runs"].as_array().unwrap().iter().cloned());
    }
    let mut start = 0;
    let mut i = 0;
    for segment in &segments {
        for run in &segment.runs {
            assert_eq!(number(&found[i], "offset"), start + run.start as u64);
            assert_eq!(number(&found[i], "length"), run.len as u64);
            assert_eq!(number(&found[i], "stream_position"), run.position);
            assert_eq!(number(&found[i]["bias"], "class"), u64::from(run.bias.class));
            assert_eq!(found[i]["generator"], "mt19937");
            assert_eq!(found[i]["words"].as_array().unwrap().len(), run.key.words().len());
            i += 1;
        }
        start += segment.content.len() as u64;
    }
    assert_eq!(i, found.len());
    assert_eq!((found[0]["decimal"].as_str(), found[0]["hex"].as_str()), (Some("4242"), Some("0x00001092")));
    assert_eq!(found[0]["bias"]["probability"], 0.0);
    let p = found[1]["bias"]["probability"].as_f64().unwrap();
    assert!((0.08..0.12).contains(&p), "{p}");
    assert_eq!(found[2]["seeding"], "by_array");
    // 3 * 2^64 + 2 * 2^32 + 1, as Python's random.seed takes it.
    assert_eq!(found[2]["decimal"], "55340232229718589441");
    assert_eq!(found[4]["seeding"], "state");

    let grid = &info["segments"][4]["grid"];
    assert_eq!(number(grid, "block_bits"), 512);
    let packed = grid["packed"].as_array().unwrap();
    assert_eq!(packed.len(), 40);
    assert_eq!((number(&packed[0], "seed"), number(&packed[39], "seed")), (1_000_000, 1_000_117));
    assert_eq!(packed[0]["seed_hex"], "0x000f4240");
    assert_eq!(number(&packed[1], "offset") - number(&packed[0], "offset"), 64);
    assert_eq!((number(&info, "packed_blocks"), number(&info, "packed_block_bytes")), (40, 2560));

    let table = String::from_utf8(sandbox.ok(&["info", "all.np"]).stdout).unwrap();
    for part in ["4242 (0x00001092)", "by_array", "state", "(624 words)", "1000000 (0x000f4240)", "8 more;"] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
    let all = String::from_utf8(sandbox.ok(&["info", "-v", "all.np"]).stdout).unwrap();
    assert!(all.contains("1000117 (0x000f42b5)") && !all.contains("more;"), "{all}");
}

#[test]
fn info_gives_each_file_a_line() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a").write("b", b"b");
    sandbox.ok(&["pack", "-1", "a", "b"]);
    let out = sandbox.ok(&["info", "--json", "a.np", "b.np"]).stdout;
    let files: Vec<_> =
        out.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| json(l)["file"].clone()).collect();
    assert_eq!(files, ["a.np", "b.np"]);
}

#[test]
fn mine_lists_what_it_finds() {
    let sandbox = Sandbox::new();
    let mut input = stream(&Key::Genrand(77), 0, 20_000);
    input.extend(noise(3000, 7));
    sandbox.write("in", &input);
    let report = json(&sandbox.ok(&["mine", "-1", "--json", "in"]).stdout);
    assert_eq!(number(&report, "bytes"), 23_000);
    assert_eq!(number(&report, "level"), 1);
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "{report}");
    let run = &runs[0];
    assert_eq!((number(run, "offset"), number(run, "stream_position"), number(run, "flips")), (0, 0, 0));
    // Noise goes on as the stream would with a probability of 1/256 a byte.
    assert!((20_000..20_003).contains(&number(run, "length")), "{run}");
    assert_eq!((run["generator"].as_str(), run["seeding"].as_str()), (Some("mt19937"), Some("genrand")));
    assert_eq!((run["decimal"].as_str(), run["hex"].as_str()), (Some("77"), Some("0x0000004d")));
    let evidence = run["evidence_bits"].as_f64().unwrap();
    assert!((159_000.0..160_000.0).contains(&evidence), "{run}");
    let table =
        String::from_utf8(sandbox.ok(&["mine", "-1", "--segment-size", "3000", "in"]).stdout).unwrap();
    assert!(table.contains("1 run, 0 blocks") && table.contains("77 (0x0000004d)"), "joined: {table}");
    let noise_only = sandbox.pipe(&["mine", "-1"], &noise(3000, 8));
    assert_eq!(noise_only.code, Some(0));
    assert!(String::from_utf8_lossy(&noise_only.stdout).contains("no generator found"));
}

#[test]
fn info_and_the_summary_tell_what_the_search_found() {
    let sandbox = Sandbox::new();
    let seeds = (0..64).map(|i| 1_000_000 + 3 * i);
    sandbox.write("stream", &stream(&Key::Genrand(77), 0, 20_000)).write("records", &records(seeds, 64));
    let said = sandbox.ok(&["pack", "-1", "stream"]).stderr;
    assert!(said.contains("found 1 run of 20000 bytes"), "{said}");
    let size = sandbox.read("stream.np").len();
    assert!(size < 100, "{size} bytes");
    check_ledger(&json(&sandbox.ok(&["info", "--json", "stream.np"]).stdout), size);
    let table = String::from_utf8(sandbox.ok(&["info", "stream.np"]).stdout).unwrap();
    assert!(table.contains("77 (0x0000004d)") && table.contains("exact"), "{table}");

    let said = sandbox.ok(&["pack", "-3", "records"]).stderr;
    assert!(said.contains("found 64 packed blocks of 4096 bytes"), "{said}");
    let info = json(&sandbox.ok(&["info", "--json", "records.np"]).stdout);
    check_ledger(&info, sandbox.read("records.np").len());
    let packed = info["segments"][0]["grid"]["packed"].as_array().unwrap();
    let found: Vec<u64> = packed.iter().map(|block| number(block, "seed")).collect();
    assert_eq!(found, (0..64).map(|i| 1_000_000 + 3 * i).collect::<Vec<_>>());
}

/// Past the neighbourhood that is looked at, a seed is found only by looking at all.
#[test]
fn radius_bounds_the_neighbourhood() {
    let sandbox = Sandbox::new();
    // No two steps are alike, so that only the last seed's neighbourhood can lead to the next one; the
    // first two blocks' worth are found from the file's start.
    let seeds: Vec<u32> = (0..40u32).map(|i| 900 + 20 * i + i * i % 13).collect();
    sandbox.write("in", &records(seeds, 64));
    let blocks = |radius: &str| {
        let report = json(&sandbox.ok(&["mine", "-1", "--json", "--radius", radius, "in"]).stdout);
        report["blocks"].as_array().unwrap().len()
    };
    let (narrow, wide) = (blocks("2"), blocks("40"));
    assert!(wide == 40 && narrow < 40, "{narrow} blocks within 2, {wide} within 40");
}

#[test]
fn devices_completions_and_manual() {
    let sandbox = Sandbox::new();
    let devices = json(&sandbox.ok(&["devices", "--json"]).stdout);
    assert_eq!(devices["devices"][0]["kind"], "cpu");
    assert!(String::from_utf8_lossy(&sandbox.ok(&["devices"]).stdout).contains("cpu"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = String::from_utf8(sandbox.ok(&["completions", shell]).stdout).unwrap();
        assert!(out.contains("np-cli") && out.contains("unpack"), "{shell}");
    }
    let manual = String::from_utf8(sandbox.ok(&["man"]).stdout).unwrap();
    let verbs =
        ["pack", "unpack", "verify", "info", "mine", "bench", "report", "devices", "completions", "man"];
    sandbox.ok(&["man", "pages"]);
    for verb in verbs {
        let page = String::from_utf8(sandbox.read(&format!("pages/np-cli-{verb}.1"))).unwrap();
        assert!(page.contains(".TH") && manual.contains(&page), "{verb}");
    }
    assert!(String::from_utf8(sandbox.read("pages/np-cli.1")).unwrap().contains("Exit codes"));
    assert!(String::from_utf8(sandbox.read("pages/np-cli-pack.1")).unwrap().contains("segment"));
}

#[test]
fn a_backend_that_is_not_there_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a");
    sandbox.ok(&["pack", "-1", "--backend", "cpu", "a", "-o", "cpu.np"]);
    sandbox.fails(&["pack", "-1", "--backend", "cpu", "--device", "9", "a"], 1, "--device");
}
