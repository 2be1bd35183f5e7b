//! `mine`: runs the packer's search on a plain file and lists what it finds.

use crate::cli::{Ready, Searching};
use crate::findings::Findings;
use crate::packing::{self, Feed};
use crate::progress::Progress;
use crate::source::{self, Source};
use crate::summary::count;
use crate::{exit, target};
use anyhow::Context;
use clap::Args;
use np_core::search::search;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

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

/// What a file holds.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    level: u32,
    block_bits: u32,
    miner: String,
    #[serde(flatten)]
    findings: Findings,
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
            level: self.with.search.level.number(),
            block_bits: options.block_bits.bits(),
            miner: miner.name(),
            findings: Findings::default(),
        };
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
                report.findings.add(piece.offset, &piece.content, &found.runs, found.grid.as_ref());
                progress.bytes(piece.content.len() as u64);
                Ok(())
            },
        )?;
        source.check_unchanged()?;
        report.findings.judge();
        progress.finish();
        let text = match self.json {
            true => serde_json::to_string(&report)? + "\n",
            false => report.table(),
        };
        target::print(text.as_bytes())
    }
}

impl Report {
    fn table(&self) -> String {
        let mut out = String::new();
        let Findings { bytes, runs, blocks, .. } = &self.findings;
        let what = match (runs.len(), blocks.len()) {
            (0, 0) => "no generator found".to_owned(),
            (runs, blocks) => {
                format!("{}, {}", count(runs as u64, "run"), count(blocks as u64, "block"))
            }
        };
        let _ = writeln!(
            out,
            "{}: {} bytes searched at level {} by {}: {what}",
            self.file, bytes, self.level, self.miner
        );
        if !runs.is_empty() || !blocks.is_empty() {
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
        for run in runs {
            let names = [run.text.generator, run.text.seeding];
            let key = run.text.short();
            row(run.offset, run.length, names, run.stream_position, run.flip_rate, run.evidence_bits, &key);
        }
        for block in blocks {
            let names = [block.generator, block.seeding];
            let key = format!("{} ({})", block.seed, block.seed_hex);
            let position = block.stream_position.into();
            row(block.offset, block.length, names, position, block.flip_rate, block.evidence_bits, &key);
        }
        out
    }
}
