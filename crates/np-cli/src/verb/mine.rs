//! `mine`: runs the packer's search on a plain file and lists what it finds.

use crate::cli::{Ready, Searching};
use crate::evidence::{Flips, Meter, key_bits};
use crate::key_text::KeyText;
use crate::packing::{self, Feed, Piece};
use crate::progress::Progress;
use crate::source::{self, Source};
use crate::summary::count;
use crate::{exit, target};
use anyhow::Context;
use clap::Args;
use np_core::format::layout::{Run, blocks};
use np_core::generator::{Generator, Key, Seeding};
use np_core::search::{Found, search};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Search files for generators and list what was found, without packing
#[derive(Args, Debug)]
pub struct Mine {
    /// Plain files; `-` is the standard input, and so is none at all unless it is a terminal
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON: one object a file, each on its own line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub with: Searching,
}

/// A run, joined over segments.
#[derive(Debug, Serialize)]
struct RunFound {
    offset: u64,
    length: u64,
    #[serde(flatten)]
    text: KeyText,
    /// Stream byte at the first byte.
    stream_position: u64,
    complement: bool,
    flips: u64,
    flip_rate: f64,
    /// Bits, less log2 of all that could have been found instead.
    evidence_bits: f64,
    #[serde(skip)]
    key: Arc<Key>,
    #[serde(skip)]
    measured: Flips,
}

/// A block that a seed explains.
#[derive(Debug, Serialize)]
struct BlockFound {
    offset: u64,
    length: u64,
    generator: &'static str,
    seeding: &'static str,
    seed: u32,
    seed_hex: String,
    stream_position: u32,
    complement: bool,
    flips: u64,
    flip_rate: f64,
    /// Of this block alone, as if its seed were no nearer to its neighbours' than any other.
    evidence_bits: f64,
}

/// What a file holds.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    bytes: u64,
    level: u32,
    block_bits: u32,
    miner: String,
    runs: Vec<RunFound>,
    blocks: Vec<BlockFound>,
}

impl Mine {
    /// Searches every file.
    pub fn run(self) -> anyhow::Result<()> {
        let inputs = source::named(&self.files)?;
        let ready = self.with.set_up()?;
        exit::each(inputs, |input| self.mine(&input, &ready))
    }

    fn mine(&self, input: &Path, Ready { options, threads, miner }: &Ready) -> anyhow::Result<()> {
        let mut source = Source::open(input)?;
        let label = source.label.clone();
        let progress = Progress::new(self.with.talk.quiet, &label, source.len());
        let mut report = Report {
            file: label.clone(),
            bytes: 0,
            level: self.with.search.level.number(),
            block_bits: options.block_bits.bits(),
            miner: miner.name(),
            runs: Vec::new(),
            blocks: Vec::new(),
        };
        let mut meter = Meter::default();
        let mut feed = Feed::new(&mut source, &label, options.segment_bytes);
        packing::each(
            &mut feed,
            *threads,
            |piece, carry| {
                search(options, &piece.content, carry, &**miner, &progress)
                    .with_context(|| format!("cannot search {label} at byte {}", piece.offset))
            },
            |found| found.carry.as_ref(),
            |piece, found| {
                report.add(piece, &found, &mut meter);
                progress.bytes(piece.content.len() as u64);
                Ok(())
            },
        )?;
        source.check_unchanged()?;
        report.judge();
        progress.finish();
        let text = match self.json {
            true => serde_json::to_string(&report)? + "\n",
            false => report.table(),
        };
        target::print(text.as_bytes())
    }
}

impl Report {
    fn add(&mut self, piece: &Piece, found: &Found, meter: &mut Meter) {
        let content = &piece.content[..];
        self.bytes += content.len() as u64;
        for run in &found.runs {
            let measured = meter.run(content, run);
            self.add_run(piece.offset + run.start as u64, run, measured);
        }
        let Some(grid) = &found.grid else { return };
        let size = grid.block_bits.bytes();
        for (at, block) in blocks(content.len(), &found.runs, grid.block_bits).zip(&grid.blocks) {
            let Some(block) = block else { continue };
            let mut stream = Key::Genrand(block.seed).stream();
            stream.skip(block.position.into());
            let flips = Flips::count(&content[at..at + size], &mut stream, block.bias.complement);
            self.blocks.push(BlockFound {
                offset: piece.offset + at as u64,
                length: size as u64,
                generator: Generator::Mt19937.name(),
                seeding: Seeding::Genrand.name(),
                seed: block.seed,
                seed_hex: format!("{:#010x}", block.seed),
                stream_position: block.position,
                complement: block.bias.complement,
                flips: flips.ones,
                flip_rate: flips.rate(),
                evidence_bits: 0.0,
            });
        }
    }

    /// Adds a run, or lengthens the last one if this goes on with it.
    fn add_run(&mut self, offset: u64, run: &Run, measured: Flips) {
        if let Some(last) = self.runs.last_mut()
            && last.offset + last.length == offset
            && last.stream_position + last.length == run.position
            && last.complement == run.bias.complement
            && last.key == run.key
        {
            last.length += run.len as u64;
            last.measured.add(measured);
            return;
        }
        self.runs.push(RunFound {
            offset,
            length: run.len as u64,
            text: KeyText::new(&run.key),
            stream_position: run.position,
            complement: run.bias.complement,
            flips: 0,
            flip_rate: 0.0,
            evidence_bits: 0.0,
            key: run.key.clone(),
            measured,
        });
    }

    /// Once all is read: what all that was found is worth.
    fn judge(&mut self) {
        for run in &mut self.runs {
            run.flips = run.measured.ones;
            run.flip_rate = run.measured.rate();
            run.evidence_bits = run.measured.evidence(key_bits(&run.key), self.bytes, run.stream_position);
        }
        for block in &mut self.blocks {
            let flips = Flips { bits: 8 * block.length, ones: block.flips };
            block.evidence_bits = flips.evidence(32, self.bytes, block.stream_position.into());
        }
    }

    fn table(&self) -> String {
        let mut out = String::new();
        let what = match (self.runs.len(), self.blocks.len()) {
            (0, 0) => "no generator found".to_owned(),
            (runs, blocks) => {
                format!("{}, {}", count(runs as u64, "run"), count(blocks as u64, "block"))
            }
        };
        let _ = writeln!(
            out,
            "{}: {} bytes searched at level {} by {}: {what}",
            self.file, self.bytes, self.level, self.miner
        );
        if !self.runs.is_empty() || !self.blocks.is_empty() {
            let _ = writeln!(
                out,
                "        offset       length  generator seeding         position   flips  evidence/bits  key"
            );
        }
        let mut row = |offset, length, names: [&str; 2], position, rate: f64, evidence, key: &str| {
            let _ = writeln!(
                out,
                "{offset:>14} {length:>12}  {:<8} {:<9} {position:>14} {:>6.2}% {evidence:>14.1}  {key}",
                names[0],
                names[1],
                100.0 * rate
            );
        };
        for run in &self.runs {
            let names = [run.text.generator, run.text.seeding];
            let key = run.text.short();
            row(run.offset, run.length, names, run.stream_position, run.flip_rate, run.evidence_bits, &key);
        }
        for block in &self.blocks {
            let names = [block.generator, block.seeding];
            let key = format!("{} ({})", block.seed, block.seed_hex);
            let position = block.stream_position.into();
            row(block.offset, block.length, names, position, block.flip_rate, block.evidence_bits, &key);
        }
        out
    }
}
