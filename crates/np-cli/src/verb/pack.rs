//! `pack`: files to packed files.

use crate::backend::Choice;
use crate::cli::{Files, Search, Talk, Threads};
use crate::exit::{self, Usage};
use crate::packing::{self, Feed, Packed};
use crate::progress::Progress;
use crate::say;
use crate::source::{self, Source};
use crate::target::{Makes, Target};
use crate::{names, summary, unpacking};
use anyhow::{Context, bail};
use clap::Args;
use np_core::format::reader::Limits;
use np_core::miner::Miner;
use np_core::pack::Options;
use std::path::Path;

/// Pack files: FILE becomes FILE.np
///
/// The search is exact and its budget counts work, not time: the same command gives the same file on every
/// machine, backend and number of threads. Random data
/// grows by 4 bytes a file and 10 bytes or so a segment of 32 MiB.
#[derive(Args, Debug)]
pub struct Pack {
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub search: Search,
    #[command(flatten)]
    pub choice: Choice,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub talk: Talk,
}

impl Pack {
    /// Packs every file; one that fails does not keep the others from being packed.
    pub fn run(self) -> anyhow::Result<()> {
        self.files.check(false)?;
        let options = self.search.options()?;
        let inputs = source::named(&self.files.files)?;
        if inputs.len() > 1 && self.files.stdout {
            return Err(Usage::error("packed files cannot be joined on one output; pack them one by one"));
        }
        let threads = self.threads.set_up()?;
        let miner = self.choice.open(threads)?;
        exit::each(inputs, |input| self.pack(&input, &options, &*miner, threads))
    }

    fn pack(&self, input: &Path, options: &Options, miner: &dyn Miner, threads: usize) -> anyhow::Result<()> {
        let mut source = Source::open(input)?;
        source.check_removable(&self.files)?;
        let like = source.metadata().cloned();
        let mut target = Target::open(&self.files, &source, Makes::Packed, |file| Ok(names::packed(file)))?;
        let progress = Progress::new(self.talk.quiet, &source.label, source.len());
        if self.talk.verbose {
            say!("{}: searching with {}, {threads} threads", source.label, miner.name());
        }
        let label = source.label.clone();
        let mut feed = Feed::new(&mut source, &label, options.segment_bytes);
        let packed = packing::pack(&mut feed, options, miner, threads, &progress, |bytes| target.put(bytes))?;
        source.check_unchanged()?;
        if packed.contents.bytes != source.read_bytes() {
            bail!("{label}: {} bytes were read, {} packed", source.read_bytes(), packed.contents.bytes);
        }
        if self.files.rm {
            read_back(&mut target, &packed, threads)?;
        }
        progress.finish();
        let (to, written, stdout) = (target.label.clone(), target.written(), target.is_stdout());
        target.finish(like.as_ref())?;
        let piped = stdout && source.path.is_none();
        if !self.talk.quiet && (!piped || self.talk.verbose) {
            say!("{}", summary::packed(&label, &to, &packed.contents, written));
        }
        if self.talk.verbose {
            let _ =
                std::io::Write::write_all(&mut std::io::stderr(), summary::ledger(&packed.ledger).as_bytes());
        }
        if self.files.rm { source.remove() } else { Ok(()) }
    }
}

/// Reads the packed file again from where it was written: its digests, its contents and its ledger must be
/// what the packer says they are.
fn read_back(target: &mut Target, packed: &Packed, threads: usize) -> anyhow::Result<()> {
    let silent = Progress::new(true, "", None);
    let label = target.label.clone();
    let cannot = || format!("{label} is not what was written; the input is kept");
    let file = target.read_back()?;
    let found = unpacking::unpack(file, &label, Limits::NONE, threads, &silent, |_, _| Ok(()))
        .with_context(cannot)?;
    if found.ledger != packed.ledger || found.contents != packed.contents {
        bail!(cannot());
    }
    Ok(())
}
