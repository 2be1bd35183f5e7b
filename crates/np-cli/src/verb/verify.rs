//! `verify`: decodes packed files and throws the content away.

use crate::cli::{Bounds, Talk, Threads};
use crate::progress::Progress;
use crate::source::{self, Source};
use crate::summary::{self, count};
use crate::{exit, say, unpacking};
use clap::Args;
use std::path::{Path, PathBuf};

/// Check packed files: decode everything, compare every digest, write nothing
#[derive(Args, Debug)]
pub struct Verify {
    /// Packed files; `-` is the standard input, and so is none at all unless it is a terminal
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub bounds: Bounds,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub talk: Talk,
}

impl Verify {
    /// Checks every file, the good and the bad.
    pub fn run(self) -> anyhow::Result<()> {
        let inputs = source::named(&self.files)?;
        let threads = self.threads.set_up()?;
        exit::each(inputs, |input| self.verify(&input, threads))
    }

    fn verify(&self, input: &Path, threads: usize) -> anyhow::Result<()> {
        let mut source = Source::open(input)?;
        source.survey(self.bounds.limits())?;
        let label = source.label.clone();
        let progress = Progress::new(self.talk.quiet, &label, source.len());
        let limits = self.bounds.limits();
        let found = unpacking::unpack(&mut source, &label, limits, threads, &progress, |_, _| Ok(()))?;
        source.check_unchanged()?;
        progress.finish();
        let packed = found.ledger.total_bits() / 8;
        if !self.talk.quiet {
            let segments = count(found.contents.segments(), "segment");
            say!("{label} : ok, {packed} bytes hold {} in {segments}", found.contents.bytes);
        }
        if self.talk.verbose {
            say!("{}", summary::found(&found.contents, packed));
            say!("{}", summary::ledger(&found.ledger).trim_end());
        }
        Ok(())
    }
}
