//! What is said when a file is done: sizes, ratio, what was found, and the ledger.

use np_core::contents::Contents;
use np_core::ledger::Ledger;
use std::fmt::Write;

/// Percent, with two decimals; of nothing, 100.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// `1 run`, `2 runs`, `2 stretches`.
pub fn count(n: u64, what: &str) -> String {
    let ending = match n {
        1 => "",
        _ if what.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{n} {what}{ending}")
}

/// What was found in a file of which `packed` bytes are left, honestly.
pub fn found(contents: &Contents, packed: u64) -> String {
    let mut found = Vec::new();
    if contents.runs > 0 {
        found.push(format!("{} of {} bytes", count(contents.runs, "run"), contents.run_bytes));
    }
    if contents.blocks > 0 {
        found.push(format!("{} of {} bytes", count(contents.blocks, "packed block"), contents.block_bytes));
    }
    let larger = packed.saturating_sub(contents.bytes);
    let mut text = match found.is_empty() {
        false => format!("found {}", found.join(" and ")),
        true if contents.zstd + contents.fill == 0 => "no generator found; stored".to_owned(),
        true => "no generator found; plain data through zstd".to_owned(),
    };
    if larger > 0 {
        let _ = write!(text, ", {} larger", count(larger, "byte"));
    }
    text
}

/// The line that ends packing.
pub fn packed(from: &str, to: &str, contents: &Contents, packed: u64) -> String {
    let Contents { bytes, .. } = *contents;
    let ratio = percent(packed, bytes);
    format!("{from} : {ratio:.2}%  ({bytes} => {packed} bytes, {to})  {}", found(contents, packed))
}

/// The ledger as a table: bits and percent by heading, and the total, which is the packed size.
pub fn ledger(ledger: &Ledger) -> String {
    let total = ledger.total_bits();
    let mut text = String::new();
    for (heading, bits) in ledger.rows() {
        let _ = writeln!(text, "  {:<10}{bits:>16} bits {:>7.2}%", heading.name(), percent(bits, total));
    }
    let _ = writeln!(text, "  {:<10}{total:>16} bits {:>7.2}%  = {} bytes", "total", 100.0, total / 8);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_input_is_told_the_truth() {
        let contents = Contents { stored: 1, bytes: 51200, ..Contents::default() };
        assert_eq!(found(&contents, 51214), "no generator found; stored, 14 bytes larger");
        let contents = Contents { mixed: 1, bytes: 100, runs: 1, run_bytes: 100, ..Contents::default() };
        assert_eq!(found(&contents, 50), "found 1 run of 100 bytes");
    }
}
