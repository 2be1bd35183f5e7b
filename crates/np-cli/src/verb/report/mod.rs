//! `report`: one self-contained page about an input or a packed file.

mod cells;
mod chance;
mod charts;
mod gather;
mod map;
mod page;

use crate::cli::{Bounds, Files, Ready, Searching};
use crate::packing::{self, Feed};
use crate::progress::Progress;
use crate::source::Source;
use crate::target::{Makes, Target};
use crate::unpacking::{self, Unpacked};
use crate::{names, say};
use anyhow::{Context, bail};
use clap::Args;
use gather::Gathered;
use np_core::format::MAGIC;
use np_core::format::reader::Limits;
use page::Page;
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

/// Write a page about FILE: where every bit went, a map, the laws of chance, and every key found
///
/// FILE is an input, which is packed, read back and compared for the purpose, or a packed file. The page is one file that
/// needs no network and no script.
#[derive(Args, Debug)]
pub struct Report {
    /// An input or a packed file; `-` is the standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write to OUT; `-` is the standard output [default: FILE.html]
    #[arg(short, long, value_name = "OUT", conflicts_with = "stdout")]
    pub output: Option<PathBuf>,
    /// Write to the standard output
    #[arg(short = 'c', long, alias = "to-stdout")]
    pub stdout: bool,
    /// Overwrite the output
    #[arg(short, long)]
    pub force: bool,
    #[command(flatten)]
    pub bounds: Bounds,
    #[command(flatten)]
    pub with: Searching,
}

/// Packed data up to this many bytes is held in memory while a page about an input is made.
const IN_MEMORY: usize = 64 << 20;

impl Report {
    /// Writes the page.
    pub fn run(self) -> anyhow::Result<()> {
        let ready = self.with.set_up()?;
        let mut source = Source::open(&self.file)?;
        let label = source.label.clone();
        let files = Files {
            files: Vec::new(),
            output: self.output.clone(),
            stdout: self.stdout,
            force: self.force,
            keep: true,
            rm: false,
        };
        let mut target = Target::open(&files, &source, Makes::Page, |file| Ok(names::page(file)))?;
        let progress = Progress::new(self.with.talk.quiet, &label, source.len());
        let mut start = Vec::new();
        source
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)
            .with_context(|| format!("cannot read {label}"))?;
        let packed = start == MAGIC;
        let input = start.chain(&mut source);
        let mut gathered = Gathered::new(ready.options.block_bits);
        let found = match packed {
            true => gather(input, &label, self.bounds.limits(), ready.threads, &progress, &mut gathered)?,
            false => pack_and_gather(input, &label, &ready, &progress, &mut gathered)?,
        };
        source.check_unchanged()?;
        gathered.findings.judge();
        let chance = chance::look(&gathered.sample, &*ready.miner)?;
        progress.finish();
        let page = Page {
            label: &label,
            packed,
            found: &found,
            gathered: &gathered,
            chance: chance.as_ref(),
            level: self.with.search.level.number(),
            ready: &ready,
            command: &command(),
        };
        target.put(page.render()?.as_bytes())?;
        let (to, written, stdout) = (target.label.clone(), target.written(), target.is_stdout());
        target.finish(source.metadata())?;
        if !self.with.talk.quiet && !stdout {
            say!("{label} : {written} bytes ({to})");
        }
        Ok(())
    }
}

/// Reads a packed file.
fn gather(
    input: impl Read,
    label: &str,
    limits: Limits,
    threads: usize,
    progress: &Progress,
    gathered: &mut Gathered,
) -> anyhow::Result<Unpacked> {
    unpacking::unpack(input, label, limits, threads, progress, |segment, decoded| {
        gathered.add(segment, decoded);
        Ok(())
    })
}

/// Packs an input to a place of its own and reads that.
fn pack_and_gather(
    input: impl Read,
    label: &str,
    ready: &Ready,
    progress: &Progress,
    gathered: &mut Gathered,
) -> anyhow::Result<Unpacked> {
    let cannot = "cannot keep the packed data in a temporary file";
    let mut spool = tempfile::spooled_tempfile(IN_MEMORY);
    let mut feed = Feed::new(input, label, ready.options.segment_bytes);
    let packed = packing::pack(&mut feed, &ready.options, &*ready.miner, ready.threads, progress, |bytes| {
        spool.write_all(bytes).context(cannot)
    })?;
    spool.rewind().context(cannot)?;
    let silent = Progress::new(true, "", None);
    let found = gather(spool, label, Limits::NONE, ready.threads, &silent, gathered)?;
    if found.ledger != packed.ledger || found.contents != packed.contents {
        bail!("{label}: what was unpacked is not what was packed; please report this");
    }
    Ok(found)
}

/// This process's command line, as a shell would take it.
fn command() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    let quote = |word: String| match word.chars().all(plain) && !word.is_empty() {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    let words = std::env::args_os().skip(1).map(|word| quote(word.to_string_lossy().into_owned()));
    std::iter::once("np-cli".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
