//! `bench`: three accounts of the same bytes, and statistics that can fail.

use crate::sandbox::Sandbox;
use np_core::generator::Key;
use np_tests::inputs::{stream, text};
use serde_json::Value;

/// The numbers on the line that begins with `name`.
fn figures(out: &str, name: &str) -> Vec<f64> {
    let line = out.lines().find(|line| line.trim_start().starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {out}"));
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// The rows of the table by chunk, without its head.
fn rows(out: &str) -> Vec<&str> {
    out.lines().filter(|line| line.matches('|').count() == 6 && !line.contains('#')).collect()
}

/// The proof of concept's table of the known input, as the known answers have it, and honest ones beside it.
#[test]
fn the_known_answers_stand_beside_the_truth() {
    let sandbox = Sandbox::new();
    sandbox.write("in", &stream(&Key::Genrand(20_261_122), 0, 51_200));
    let out = String::from_utf8(sandbox.ok(&["bench", "-1", "-q", "in"]).stdout).unwrap();
    assert_eq!(figures(&out, "input"), [408_576.0, 409_600.0, 409_600.0]);
    let packed = figures(&out, "packed");
    assert_eq!(packed[0], 408_470.0, "{out}");
    let gains = figures(&out, "net gain");
    assert_eq!(gains[0], 106.0);
    assert!(gains[1] < -500.0 && packed[1] - gains[1].abs() == 409_600.0, "{out}");
    // That input is a stream, which the packer finds.
    assert!(gains[2] > 409_000.0, "{out}");
    assert!(out.contains("162 of 266      162 of 266      266 of 266"), "{out}");
    let table = rows(&out);
    assert_eq!(table.len(), 27 + 1, "every tenth of 266 chunks, the tail: {out}");
    assert_eq!(table[0].split('|').nth(3).unwrap().trim(), "+1.5");
    assert!(table[0].contains("PACKED") && table[0].contains("RUN"), "{out}");
    assert!(out.contains("nothing could read its file back"), "{out}");
}

#[test]
fn on_randomness_every_honest_account_loses() {
    let out = String::from_utf8(Sandbox::new().ok(&["bench", "-1", "-q"]).stdout).unwrap();
    let (packed, gains) = (figures(&out, "packed"), figures(&out, "net gain"));
    assert_eq!((packed[2], gains[2]), (409_712.0, -112.0), "{out}");
    assert!(gains[1] < -300.0, "{out}");
    assert_eq!(figures(&out, "total")[0], packed[2]);
    assert!(out.contains("1024 for the 128 bytes it drops") && out.contains("MB/s"), "{out}");
}

#[test]
fn a_file_can_be_given() {
    let sandbox = Sandbox::new();
    sandbox.write("in", &text(100_000)).write("empty", b"");
    let out = String::from_utf8(sandbox.ok(&["bench", "-1", "in"]).stdout).unwrap();
    assert_eq!(figures(&out, "input")[2], 800_000.0);
    assert!(figures(&out, "net gain")[2] > 0.0);
    let out = String::from_utf8(sandbox.ok(&["bench", "-1", "empty"]).stdout).unwrap();
    assert_eq!(figures(&out, "net gain")[2], -96.0, "{out}");
    sandbox.fails(&["bench", "--trials", "2", "in"], 2, "cannot be used with");
    sandbox.fails(&["bench", "--planted", "1,2"], 2, "between 0 and 1");
}

fn trials(args: &[&str]) -> Value {
    let args = [&["bench", "-1", "-q", "--json"], args].concat();
    let mut found: Value = serde_json::from_slice(&Sandbox::new().ok(&args).stdout).unwrap();
    // It tells the number of threads.
    found.as_object_mut().unwrap().remove("miner");
    found
}

fn least_p(rows: &Value) -> f64 {
    rows.as_array().unwrap().iter().map(|row| row["p"].as_f64().unwrap()).fold(1.0, f64::min)
}

/// Repeatable; the number of threads cannot be seen in it.
#[test]
fn trials_of_randomness_obey_the_laws_and_the_proof_of_concept_does_not() {
    let found = trials(&["--trials", "12", "--seed", "7"]);
    assert_eq!(found, trials(&["--trials", "12", "--seed", "7", "-T1"]));
    assert_ne!(found["accounts"], trials(&["--trials", "12", "--seed", "8"])["accounts"]);
    assert_eq!((&found["trials"], &found["tests"]), (&12.into(), &22.into()));
    let [claimed, paid, packer] = [0, 1, 2].map(|i| &found["accounts"][i]);
    assert!(least_p(&claimed["bound"]) < 1e-9, "{claimed}");
    assert!(least_p(&paid["bound"]) == 1.0 && paid["most"].as_f64().unwrap() < 0.0);
    assert_eq!((&packer["least"], &packer["most"]), (&(-112.0).into(), &(-112.0).into()));
    assert_eq!(found["trials_with_a_generator"], 0);
    // 9,600 blocks each; a corrected p below 1e-4 comes once in ten thousand seeds.
    assert!(least_p(&found["best_of"]) > 1e-4, "{found}");
    for best in found["best_of"].as_array().unwrap() {
        assert_eq!(best["blocks"], 9600);
        let gap = best["mean_fold"].as_f64().unwrap() - best["mean_fold_law"].as_f64().unwrap();
        assert!(gap.abs() < 0.5, "{best}");
    }
}

/// The same instrument sees what is there: the positive control.
#[test]
fn a_planted_generator_is_seen() {
    // One stream through 10 % flips, which only the packer finds.
    let one = trials(&["--trials", "2", "--seed", "7", "--planted", "300,0.1"]);
    assert_eq!(one["trials_with_a_generator"], 2);
    assert!(one["accounts"][2]["least"].as_f64().unwrap() > 200_000.0, "{one}");
    assert!(one["accounts"][1]["most"].as_f64().unwrap() < 0.0, "{one}");
    // Every tenth block a seed below 2^16, which the best of 65,536 masks tells.
    let records = trials(&["--trials", "2", "--seed", "7", "--planted", "1000,0.05,64,640"]);
    assert!(records["best_of"][2]["p"].as_f64().unwrap() < 1e-9, "{records}");
    assert!(records["smallest"]["p"].as_f64().unwrap() < 1e-9, "{records}");
    // So few seeds do not reach them.
    assert!(records["best_of"][0]["p"].as_f64().unwrap() > 1e-4, "{records}");
}

#[test]
fn the_table_of_trials_says_what_was_done() {
    let out = Sandbox::new().ok(&["bench", "-q", "--trials", "3", "--seed", "1", "-1"]).stdout;
    let out = String::from_utf8(out).unwrap();
    for part in
        ["3 trials of 51200 bytes", "np-cli -1", "pack's default is -6", "Holm", "2400 blocks", "verdict"]
    {
        assert!(out.contains(part), "no {part:?} in {out}");
    }
}
