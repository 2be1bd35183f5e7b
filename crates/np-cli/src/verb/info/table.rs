//! `info` for people: tables, cut where they get long.

use super::{BiasInfo, SegmentInfo};
use crate::summary::{self, percent};
use crate::unpacking::Unpacked;
use np_core::format::VERSION;
use std::fmt::Write;

/// Rows of a table that are shown without `-v`.
const ROWS: usize = 32;

/// Rows so far: text of those that are shown, and how many there are.
#[derive(Default)]
struct Rows {
    text: String,
    count: usize,
    most: usize,
}

impl Rows {
    fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    fn add(&mut self, row: impl FnOnce() -> String) {
        self.count += 1;
        if self.count <= self.most {
            self.text.push_str(&row());
            self.text.push('\n');
        }
    }

    fn render(&self, out: &mut String, title: &str, head: &str) {
        if self.count == 0 {
            return;
        }
        let _ = writeln!(out, "{title}: {}\n{head}", self.count);
        out.push_str(&self.text);
        if self.count > self.most {
            let _ = writeln!(out, "  ... {} more; -v or --json lists all", self.count - self.most);
        }
    }
}

/// The tables of a file.
pub struct Table {
    segments: Rows,
    runs: Rows,
    blocks: Rows,
    /// The shortest and the longest block.
    block_bits: (u32, u32),
    stretches: u64,
    all_blocks: u64,
    seeds: Option<(u32, u32)>,
    deltas: [u64; 3],
    last_seed: Option<u32>,
}

impl Table {
    /// `all`: show every row.
    pub fn new(all: bool) -> Self {
        let most = if all { usize::MAX } else { ROWS };
        Self {
            segments: Rows::new(most),
            runs: Rows::new(most),
            blocks: Rows::new(most),
            block_bits: (u32::MAX, 0),
            stretches: 0,
            all_blocks: 0,
            seeds: None,
            deltas: [0; 3],
            last_seed: None,
        }
    }

    /// Takes in the next segment.
    pub fn add(&mut self, segment: &SegmentInfo) {
        self.segments.add(|| {
            format!(
                "{:>14} {:>14}  {:<7} {:>10} {:>10} {:>8.2}%",
                segment.offset,
                segment.output_offset,
                segment.kind,
                segment.content_bytes,
                segment.packed_bytes,
                percent(segment.packed_bytes, segment.content_bytes)
            )
        });
        for run in &segment.runs {
            self.runs.add(|| {
                format!(
                    "{:>14} {:>10}  {:<8} {:<9} {:>14}  {:<12} {}",
                    run.offset,
                    run.length,
                    run.key.generator,
                    run.key.seeding,
                    run.stream_position,
                    bias(&run.bias),
                    run.key.short()
                )
            });
        }
        let Some(grid) = &segment.grid else { return };
        let (shortest, longest) = self.block_bits;
        self.block_bits = (shortest.min(grid.block_bits), longest.max(grid.block_bits));
        self.stretches += grid.stretches.len() as u64;
        self.all_blocks += grid.blocks;
        for block in &grid.packed {
            let delta = self.last_seed.map(|last| i64::from(block.seed) - i64::from(last));
            let kind = match delta {
                Some(0) => 0,
                Some(delta) if delta.abs() <= 1 << 20 => 1,
                _ => 2,
            };
            self.deltas[kind] += 1;
            self.last_seed = Some(block.seed);
            let (low, high) = self.seeds.unwrap_or((block.seed, block.seed));
            self.seeds = Some((low.min(block.seed), high.max(block.seed)));
            self.blocks.add(|| {
                format!(
                    "{:>14} {:>10} ({}) {:>11} {:>10}  {}",
                    block.offset,
                    block.seed,
                    block.seed_hex,
                    delta.map_or("-".to_owned(), |delta| format!("{delta:+}")),
                    block.stream_position,
                    bias(&block.bias)
                )
            });
        }
    }

    /// All of it.
    pub fn render(&self, label: &str, found: &Unpacked) -> String {
        let packed = found.ledger.total_bits() / 8;
        let bytes = found.contents.bytes;
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{label}: NoisePacker format {VERSION}, {packed} bytes hold {bytes} ({:.2}%)",
            percent(packed, bytes)
        );
        let _ = writeln!(out, "{}\nledger", summary::found(&found.contents, packed));
        out.push_str(&summary::ledger(&found.ledger));
        self.segments.render(
            &mut out,
            "segments",
            "        offset         output  kind       content     packed     ratio",
        );
        self.runs.render(
            &mut out,
            "runs",
            "        offset     length  generator seeding         position  flips        key",
        );
        self.blocks.render(
            &mut out,
            "packed blocks",
            "        offset       seed                    delta   position  flips",
        );
        if let Some((low, high)) = self.seeds {
            let [same, near, far] = self.deltas;
            let bits = match self.block_bits {
                (shortest, longest) if shortest < longest => format!("{shortest} to {longest}"),
                (bits, _) => bits.to_string(),
            };
            let _ = writeln!(
                out,
                "  {} of {} blocks of {bits} bits in {}; seeds {low} to {high}; after the last one: \
                 {same} the same, {near} by a delta, {far} fresh",
                self.blocks.count,
                self.all_blocks,
                summary::count(self.stretches, "stretch"),
            );
        }
        out
    }
}

fn bias(bias: &BiasInfo) -> String {
    let sign = if bias.complement { " inv" } else { "" };
    match bias.probability {
        Some(p) if p > 0.0 => format!("{:.2}%{sign}", 100.0 * p),
        _ => format!("{}{sign}", bias.coding),
    }
}
