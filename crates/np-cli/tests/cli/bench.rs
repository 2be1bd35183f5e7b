//! `bench`: the ledger is the verdict.

use crate::sandbox::Sandbox;
use np_tests::inputs::text;

/// The number on the line that begins with `name`.
fn figure(out: &str, name: &str) -> i64 {
    let line = out.lines().find(|line| line.trim_start().starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {out}"));
    line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn on_randomness_every_run_loses() {
    let out = String::from_utf8(Sandbox::new().ok(&["bench", "-1", "-q"]).stdout).unwrap();
    assert_eq!(figure(&out, "input"), 409_600);
    assert_eq!(figure(&out, "net gain"), 409_600 - figure(&out, "packed"));
    assert_eq!(figure(&out, "net gain"), -112, "{out}");
    assert_eq!(figure(&out, "total"), figure(&out, "packed"));
    let rows: Vec<_> = out.lines().filter(|line| line.matches('|').count() == 4).collect();
    assert_eq!(rows.len(), 1 + 27 + 1, "a head, every tenth of 266 chunks, the tail: {out}");
    // What the chunks bear adds up to the ledger.
    assert!(rows.last().unwrap().ends_with("-112.0"), "{out}");
    assert!(out.contains("MB/s"));
}

#[test]
fn a_file_can_be_given() {
    let sandbox = Sandbox::new();
    sandbox.write("in", &text(100_000));
    let out = String::from_utf8(sandbox.ok(&["bench", "-1", "in"]).stdout).unwrap();
    assert_eq!(figure(&out, "input"), 800_000);
    let gain = figure(&out, "net gain");
    assert!(gain > 0);
    let last = out.lines().rfind(|line| line.matches('|').count() == 4).unwrap();
    let borne: f64 = last.split_whitespace().last().unwrap().parse().unwrap();
    assert!((borne - gain as f64).abs() <= 0.05, "{borne} for {gain}");
    sandbox.write("empty", b"");
    sandbox.ok(&["bench", "-1", "empty"]);
}
