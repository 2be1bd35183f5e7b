//! `pack`: files to packed files.

use crate::backend::Choice;
use crate::cli::{Files, Search, Talk, Threads};
use crate::exit::{self, Stopped, Usage};
use crate::interrupt;
use crate::packing::{self, Feed, Packed};
use crate::progress::Progress;
use crate::say;
use crate::session::{Identity, Session, SessionMiner};
use crate::source::{self, Source};
use crate::target::{Makes, Target};
use crate::{names, summary, unpacking};
use anyhow::{Context, bail};
use clap::Args;
use np_core::format::reader::Limits;
use np_core::miner::{MineError, Miner};
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
    /// Go on where a run of the same command was interrupted, from the session it left beside the output
    /// (OUT.np-session); start anew if there is none
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub search: Search,
    #[command(flatten)]
    pub choice: Choice,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub talk: Talk,
}

/// A level that mines so many seeds at a start may take long enough to be interrupted: level 6 and above.
const LONG: u64 = 1 << 24;

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

    /// The session of a run that may be long, or that is to go on with one.
    fn session(
        &self,
        source: &Source,
        target: &Target,
        options: &Options,
    ) -> anyhow::Result<Option<Session>> {
        let (Some(input), Some((output, partial))) =
            (source.metadata().and(source.path.as_ref()), target.names())
        else {
            return match self.resume {
                true => Err(Usage::error("--resume needs a file to read and a file to write, not a pipe")),
                false => Ok(None),
            };
        };
        if !self.resume && options.effort.start_seeds < LONG {
            return Ok(None);
        }
        let identity = Identity { input: input.clone(), options: format!("{options:?}") };
        let session = Session::open(names::session(output), identity, self.resume, self.files.force)?;
        if let (Some(summary), false) = (session.summary(), self.talk.quiet) {
            say!("{summary}");
        }
        session.note_partial(partial);
        Ok(Some(session))
    }

    fn pack(&self, input: &Path, options: &Options, miner: &dyn Miner, threads: usize) -> anyhow::Result<()> {
        let mut source = Source::open(input)?;
        source.check_removable(&self.files)?;
        let like = source.metadata().cloned();
        let mut target = Target::open(&self.files, &source, Makes::Packed, |file| Ok(names::packed(file)))?;
        let session = self.session(&source, &target, options)?;
        let progress = Progress::new(self.talk.quiet, &source.label, source.len());
        if self.talk.verbose {
            say!("{}: searching with {}, {threads} threads", source.label, miner.name());
        }
        let label = source.label.clone();
        let mut feed = Feed::new(&mut source, &label, options.segment_bytes);
        let session = session.as_ref();
        let miner: &dyn Miner = match session {
            Some(session) => &SessionMiner::new(miner, session),
            None => miner,
        };
        interrupt::saves(session.is_some());
        let packed = packing::pack_in(session, &mut feed, options, miner, threads, &progress, |bytes| {
            target.put(bytes)
        });
        interrupt::saves(false);
        let packed = match (packed, session) {
            (Err(error), Some(session)) if interrupt::requested() => {
                progress.finish();
                return Err(stopped(error, session, &progress, &label));
            }
            (packed, _) => packed?,
        };
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
        if let Some(session) = session {
            session.remove();
        }
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

/// After a signal: what there is to go on with, if there is something.
fn stopped(error: anyhow::Error, session: &Session, progress: &Progress, label: &str) -> anyhow::Error {
    if !matches!(error.downcast_ref(), Some(np_core::Error::Mine(MineError::Stopped)))
        && !matches!(error.downcast_ref(), Some(MineError::Stopped))
    {
        return error;
    }
    match session.save() {
        true => say!(
            "np-cli: stopped; {}; what was found is kept: go on with the same command and --resume",
            progress.remains(label)
        ),
        false => say!("np-cli: stopped; nothing half-written was left behind"),
    }
    Stopped.into()
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
