//! `info`: what a packed file holds, segment by segment, and where its bits went.

use crate::cli::{Bounds, Threads};
use crate::key_text::KeyText;
use crate::progress::Progress;
use crate::source::{self, Source};
use crate::{exit, target, unpacking};
use anyhow::Context;
use clap::Args;
use np_core::bias::{self, FIRST_DENSE};
use np_core::format::layout::{Bias, Run};
use np_core::format::segment::{CodedSegment, Decoded, Kind};
use np_core::format::{MAGIC, VERSION};
use np_core::ledger::Ledger;
use serde::Serialize;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

mod table;

/// Show what packed files hold: segments, ledger, every run and packed block
#[derive(Args, Debug)]
pub struct Info {
    /// Packed files; `-` is the standard input, and so is none at all unless it is a terminal
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON, complete: one object a file, each on its own line
    #[arg(long)]
    pub json: bool,
    /// List all rows, however many
    #[arg(short, long)]
    pub verbose: bool,
    #[command(flatten)]
    pub bounds: Bounds,
    #[command(flatten)]
    pub threads: Threads,
}

/// A segment, as JSON has it.
#[derive(Debug, Serialize)]
struct SegmentInfo {
    /// First byte in the packed file.
    offset: u64,
    /// First byte in the output.
    output_offset: u64,
    kind: &'static str,
    content_bytes: u64,
    packed_bytes: u64,
    ledger_bits: Vec<HeadingBits>,
    runs: Vec<RunInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<GridInfo>,
}

/// Bits under a heading.
#[derive(Debug, Serialize)]
struct HeadingBits {
    heading: &'static str,
    bits: u64,
    percent: f64,
}

#[derive(Debug, Serialize)]
struct RunInfo {
    /// First byte in the output.
    offset: u64,
    length: u64,
    #[serde(flatten)]
    key: KeyText,
    /// Stream byte at the run's first byte.
    stream_position: u64,
    bias: BiasInfo,
}

#[derive(Debug, Serialize)]
struct BiasInfo {
    class: u8,
    /// How residual bits are told.
    coding: &'static str,
    /// Probability of a residual bit that differs; `null` where the gaps between them are told.
    probability: Option<f64>,
    /// The mask is complemented first.
    complement: bool,
}

#[derive(Debug, Serialize)]
struct GridInfo {
    block_bits: u32,
    /// Bytes from one block's first byte to the next one's.
    pitch: u64,
    stretches: Vec<StretchInfo>,
    /// Blocks, packed or not.
    blocks: u64,
    packed: Vec<BlockInfo>,
}

#[derive(Debug, Serialize)]
struct StretchInfo {
    /// First byte, from the start of the output.
    offset: u64,
    blocks: u32,
}

#[derive(Debug, Serialize)]
struct BlockInfo {
    /// First byte in the output.
    offset: u64,
    seed: u32,
    seed_hex: String,
    stream_position: u32,
    bias: BiasInfo,
}

impl BiasInfo {
    fn new(found: Bias) -> Self {
        let Bias { class, complement } = found;
        let (coding, probability) = match class {
            bias::EXACT => ("exact", Some(0.0)),
            bias::SPARSE => ("gaps", None),
            class if class >= FIRST_DENSE => ("dense", Some(f64::from(bias::p_one(class)) / 65536.0)),
            _ => ("unknown", None),
        };
        Self { class, coding, probability, complement }
    }
}

impl RunInfo {
    fn new(segment: &CodedSegment, run: &Run) -> Self {
        Self {
            offset: segment.output_offset + run.start as u64,
            length: run.len as u64,
            key: KeyText::new(&run.key),
            stream_position: run.position,
            bias: BiasInfo::new(run.bias),
        }
    }
}

impl SegmentInfo {
    fn new(segment: &CodedSegment, decoded: &Decoded) -> Self {
        let grid = decoded.grid.as_ref().map(|grid| {
            let packed = grid.packed().map(|(range, block)| BlockInfo {
                offset: segment.output_offset + range.start as u64,
                seed: block.seed,
                seed_hex: format!("{:#010x}", block.seed),
                stream_position: block.position,
                bias: BiasInfo::new(block.bias),
            });
            let stretches = grid.stretches.iter().map(|stretch| StretchInfo {
                offset: segment.output_offset + u64::from(stretch.start),
                blocks: stretch.count,
            });
            GridInfo {
                block_bits: grid.block_bits.bits(),
                pitch: grid.pitch as u64,
                stretches: stretches.collect(),
                blocks: grid.blocks.len() as u64,
                packed: packed.collect(),
            }
        });
        Self {
            offset: segment.offset,
            output_offset: segment.output_offset,
            kind: match segment.kind {
                Kind::Stored => "stored",
                Kind::Zstd => "zstd",
                Kind::Fill => "fill",
                Kind::Mixed => "mixed",
            },
            content_bytes: segment.len as u64,
            packed_bytes: decoded.ledger.total_bits() / 8,
            ledger_bits: rows(&decoded.ledger),
            runs: segment.runs.iter().map(|run| RunInfo::new(segment, run)).collect(),
            grid,
        }
    }
}

fn rows(ledger: &Ledger) -> Vec<HeadingBits> {
    let total = ledger.total_bits();
    ledger
        .rows()
        .map(|(heading, bits)| HeadingBits {
            heading: heading.name(),
            bits,
            percent: crate::summary::percent(bits, total),
        })
        .collect()
}

/// The file's own part of the JSON.
#[derive(Serialize)]
struct Total {
    content_bytes: u64,
    packed_bytes: u64,
    runs: u64,
    run_bytes: u64,
    packed_blocks: u64,
    packed_block_bytes: u64,
    ledger: LedgerInfo,
}

#[derive(Serialize)]
struct LedgerInfo {
    headings: Vec<HeadingBits>,
    total_bits: u64,
}

#[derive(Serialize)]
struct Header<'a> {
    file: &'a str,
    magic: String,
    version: u8,
}

impl Info {
    /// Shows every file.
    pub fn run(self) -> anyhow::Result<()> {
        let inputs = source::named(&self.files)?;
        let threads = self.threads.set_up()?;
        exit::each(inputs, |input| self.show(&input, threads))
    }

    fn show(&self, input: &Path, threads: usize) -> anyhow::Result<()> {
        let mut source = Source::open(input)?;
        source.survey(self.bounds.limits())?;
        let label = source.label.clone();
        // A file with millions of packed blocks fits on the disk, not in memory; and nothing is shown of
        // a damaged one.
        let mut spool = tempfile::spooled_tempfile(16 << 20);
        let cannot = "cannot keep the listing in a temporary file";
        let mut table = table::Table::new(self.verbose);
        if self.json {
            let magic = MAGIC.iter().map(|byte| format!("{byte:02x}")).collect();
            let header = serde_json::to_string(&Header { file: &label, magic, version: VERSION })?;
            let open = header.strip_suffix('}').unwrap_or(&header);
            write!(spool, "{open},\"segments\":[").context(cannot)?;
        }
        let mut first = true;
        let silent = Progress::new(true, "", None);
        let limits = self.bounds.limits();
        let found = unpacking::unpack(&mut source, &label, limits, threads, &silent, |segment, decoded| {
            let segment = SegmentInfo::new(segment, decoded);
            if self.json {
                if !first {
                    spool.write_all(b",").context(cannot)?;
                }
                serde_json::to_writer(&mut spool, &segment).context(cannot)?;
            } else {
                table.add(&segment);
            }
            first = false;
            Ok(())
        })?;
        source.check_unchanged()?;
        let contents = found.contents;
        if self.json {
            let total = serde_json::to_string(&Total {
                content_bytes: contents.bytes,
                packed_bytes: found.ledger.total_bits() / 8,
                runs: contents.runs,
                run_bytes: contents.run_bytes,
                packed_blocks: contents.blocks,
                packed_block_bytes: contents.block_bytes,
                ledger: LedgerInfo { headings: rows(&found.ledger), total_bits: found.ledger.total_bits() },
            })?;
            let rest = total.strip_prefix('{').unwrap_or(&total);
            writeln!(spool, "],{rest}").context(cannot)?;
        } else {
            spool.write_all(table.render(&label, &found).as_bytes()).context(cannot)?;
        }
        spool.rewind().context(cannot)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match spool.read(&mut buffer).context(cannot)? {
                0 => return Ok(()),
                count => target::print(&buffer[..count])?,
            }
        }
    }
}
