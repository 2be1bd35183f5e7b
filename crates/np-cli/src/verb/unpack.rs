//! `unpack`: packed files back to what they were.

use crate::cli::{Bounds, Files, Talk, Threads};
use crate::progress::Progress;
use crate::source::{self, Source};
use crate::target::{Makes, Target};
use crate::{exit, names, say, summary, unpacking};
use anyhow::bail;
use clap::Args;
use std::path::Path;

/// Unpack files: FILE.np becomes FILE
///
/// An output gets its name only after every digest agreed. On the standard output each segment is
/// checked, with all before it, before it is written.
#[derive(Args, Debug)]
pub struct Unpack {
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub bounds: Bounds,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub talk: Talk,
}

impl Unpack {
    /// Unpacks every file; one that fails does not keep the others from being unpacked.
    pub fn run(self) -> anyhow::Result<()> {
        self.files.check(true)?;
        let inputs = source::named(&self.files.files)?;
        let threads = self.threads.set_up()?;
        exit::each(inputs, |input| self.unpack(&input, threads))
    }

    fn unpack(&self, input: &Path, threads: usize) -> anyhow::Result<()> {
        let mut source = Source::open(input)?;
        source.survey(self.bounds.limits())?;
        source.check_removable(&self.files)?;
        let like = source.metadata().cloned();
        let mut target = Target::open(&self.files, &source, Makes::Content, names::unpacked)?;
        let progress = Progress::new(self.talk.quiet, &source.label, source.len());
        let label = source.label.clone();
        let limits = self.bounds.limits();
        let unpacked =
            unpacking::unpack(&mut source, &label, limits, threads, &progress, |segment, decoded| {
                target.put(segment.content(decoded))
            })?;
        source.check_unchanged()?;
        let (written, stdout) = (target.written(), target.is_stdout());
        if written != unpacked.contents.bytes {
            bail!("{label}: {} bytes were unpacked, {written} written", unpacked.contents.bytes);
        }
        progress.finish();
        let to = target.label.clone();
        target.finish(like.as_ref())?;
        let piped = stdout && source.path.is_none();
        if !self.talk.quiet && (!piped || self.talk.verbose) {
            say!("{label} : {written} bytes ({to})");
        }
        if self.talk.verbose {
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                summary::ledger(&unpacked.ledger).as_bytes(),
            );
        }
        if self.files.rm { source.remove() } else { Ok(()) }
    }
}
