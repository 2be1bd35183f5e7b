//! The session of a long run: a file beside the output that holds what was found so far, so that a run that was
//! stopped or killed can go on with `--resume` and come to the same packed file.
//!
//! A session is a head of five lines (what it is, which np-cli, options, input, and the XXH64 of these lines) and a
//! log of records, each with its own XXH64: results of mining jobs, slice by slice, and packed segments. Both are functions of
//! the input and the options, so an answer from the log is the answer that mining gives. What a kill cut off at the end
//! of the log is left out; a head that does not fit the input, the options and this np-cli is refused.

mod miner;
mod record;

pub use miner::SessionMiner;
pub use record::Segment;

use crate::fault;
use crate::partial::{Access, Partial};
use crate::say;
use crate::target::folder_of;
use anyhow::{Context, bail};
use record::{Record, Slice};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use xxhash_rust::xxh64::{Xxh64, xxh64};

const MAGIC: &str = "NoisePacker session 1";

/// A run of less than this needs no session.
const QUICK: Duration = Duration::from_secs(1);
/// Records are not kept in memory beyond so many bytes.
const PENDING_MAX: usize = 1 << 26;
/// Between two syncs to the disk.
const SYNC: Duration = Duration::from_secs(5);

/// What a session belongs to.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The input.
    pub input: PathBuf,
    /// All that decides what is found and how it is written.
    pub options: String,
}

impl Identity {
    /// The head's lines. The input is read for its digest.
    fn head(&self) -> io::Result<String> {
        let mut file = File::open(&self.input)?;
        let mut digest = Xxh64::new(0);
        let mut buffer = vec![0; 1 << 16];
        let mut len = 0u64;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => {
                    digest.update(&buffer[..count]);
                    len += count as u64;
                }
            }
        }
        let Self { options, .. } = self;
        let version = env!("CARGO_PKG_VERSION");
        let digest = digest.digest();
        let lines = format!("{MAGIC}\nnp-cli {version}\n{options}\n{len} bytes, XXH64 {digest:016x}\n");
        Ok(format!("{lines}{:016x}\n", xxh64(lines.as_bytes(), 0)))
    }
}

/// A run's session, with what an earlier run left.
pub struct Session {
    path: PathBuf,
    identity: Identity,
    state: Mutex<State>,
}

struct State {
    log: Log,
    /// Slices of jobs that are done, by the job's digest; in order of their seeds.
    done: HashMap<u128, Vec<Slice>>,
    segments: Vec<Segment>,
}

enum Log {
    /// Not worth a file yet: records so far, and since when.
    Pending(Vec<u8>, Instant),
    File(File, Instant),
    /// It could not be written, and that was told.
    Lost,
}

impl Session {
    /// The session at `path`. With `resume` it goes on with the one that is there; without, one that is there is in
    /// the way unless `force` throws it away.
    pub fn open(path: PathBuf, identity: Identity, resume: bool, force: bool) -> anyhow::Result<Self> {
        // Who asks for a session has one at once.
        let since = Instant::now();
        let log = Log::Pending(Vec::new(), since.checked_sub(QUICK).filter(|_| resume).unwrap_or(since));
        let mut state = State { log, done: HashMap::new(), segments: Vec::new() };
        let label = path.display().to_string();
        match path.try_exists().with_context(|| format!("cannot look for {label}"))? {
            false => {}
            true if resume => state.load(&path, &identity)?,
            true if force => {
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {label}"))?;
            }
            true => bail!(
                "{label} holds what an interrupted run has found; go on with --resume, or start anew with -f"
            ),
        }
        Ok(Self { path, identity, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out the packed segments that are done, the first ones of the input.
    pub fn take_segments(&self) -> Vec<Segment> {
        std::mem::take(&mut self.state().segments)
    }

    /// What is done, for people; `None` if nothing is.
    pub fn summary(&self) -> Option<String> {
        let state = self.state();
        let seeds: u64 = state.done.values().flatten().map(|slice| slice.seeds.end - slice.seeds.start).sum();
        let (segments, jobs) = (state.segments.len(), state.done.len());
        (segments + jobs > 0).then(|| {
            let segments = crate::summary::count(segments as u64, "segment");
            let jobs = crate::summary::count(jobs as u64, "mining job");
            format!("{}: going on after {segments} and {seeds} seeds of {jobs}", self.path.display())
        })
    }

    /// Notes where the output is being written, so that a later run can remove what a kill left there.
    pub fn note_partial(&self, partial: &Path) {
        if let Some(name) = partial.file_name() {
            self.append(&Record::Partial(name.as_encoded_bytes().to_vec()));
        }
    }

    /// Notes a packed segment.
    pub fn note_segment(&self, segment: Segment) {
        self.append(&Record::Segment(segment));
    }

    fn note_slice(&self, slice: Slice) {
        self.append(&Record::Slice(slice));
    }

    /// The slices of a job that are done: from its first seed on, without a hole.
    fn slices(&self, job: u128) -> Vec<Slice> {
        self.state().done.get(&job).cloned().unwrap_or_default()
    }

    fn append(&self, record: &Record) {
        let bytes = record.bytes();
        let state = &mut *self.state();
        let result = match &mut state.log {
            Log::Lost => Ok(()),
            Log::Pending(pending, since) => {
                pending.extend(bytes);
                let worth = since.elapsed() >= QUICK || pending.len() > PENDING_MAX;
                if worth { self.begin(state) } else { Ok(()) }
            }
            Log::File(file, synced) => write(file, &bytes).and_then(|()| {
                if synced.elapsed() > SYNC {
                    file.sync_data()?;
                    *synced = Instant::now();
                }
                Ok(())
            }),
        };
        self.told(state, result);
    }

    /// Writes what is pending, if there is anything: the run is about to stop. True if there is a file to go on with.
    pub fn save(&self) -> bool {
        let state = &mut *self.state();
        let result = match &mut state.log {
            Log::Pending(pending, _) if !pending.is_empty() => self.begin(state),
            Log::File(file, _) => file.sync_data(),
            _ => Ok(()),
        };
        self.told(state, result);
        matches!(state.log, Log::File(..))
    }

    /// Makes the file: all of the head at once, or nothing.
    fn begin(&self, state: &mut State) -> io::Result<()> {
        let Log::Pending(pending, _) = &mut state.log else { return Ok(()) };
        let mut bytes = self.identity.head()?.into_bytes();
        bytes.append(pending);
        fault::point("session")?;
        let mut partial = Partial::create(folder_of(&self.path), Access::Private)?;
        write(partial.file_mut(), &bytes)?;
        fault::point("session")?;
        let file = partial.finish(&self.path, false, |_| Ok(()))?;
        state.log = Log::File(file, Instant::now());
        Ok(())
    }

    /// Without a session the run goes on: it only cannot be resumed.
    fn told(&self, state: &mut State, result: io::Result<()>) {
        if let Err(error) = result {
            say!("np-cli: cannot write {}: {error}; going on without it", self.path.display());
            if matches!(state.log, Log::File(..)) {
                let _ = std::fs::remove_file(&self.path);
            }
            state.log = Log::Lost;
        }
    }

    /// The output is there: nothing is left to go on with.
    pub fn remove(&self) {
        let state = &mut *self.state();
        if let Log::File(..) = state.log {
            let removed = fault::point("session").and_then(|()| std::fs::remove_file(&self.path));
            if let Err(error) = removed {
                say!("np-cli: cannot remove {}: {error}; it is of no use any more", self.path.display());
            }
            state.log = Log::Lost;
        }
    }
}

fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    fault::point("session")?;
    file.write_all(bytes)
}

impl State {
    /// Reads a session, checks that it belongs here, and goes on with it.
    fn load(&mut self, path: &Path, identity: &Identity) -> anyhow::Result<()> {
        let label = path.display().to_string();
        let cannot = || format!("cannot read {label}");
        let mut file = OpenOptions::new().read(true).write(true).open(path).with_context(cannot)?;
        let mut bytes = Vec::new();
        fault::point("session").with_context(cannot)?;
        file.read_to_end(&mut bytes).with_context(cannot)?;
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let ends: Vec<usize> = ends.take(5).collect();
        let [.., last_but_one, end] = ends[..] else {
            bail!("{label} is not a session, or is damaged; remove it")
        };
        let found = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let sum = format!("{:016x}\n", xxh64(&bytes[..last_but_one], 0));
        if !found.starts_with(MAGIC) || found[..].lines().nth(4) != sum.lines().next() {
            bail!("{label} is not a session of this version, or its head is damaged; start anew with -f");
        }
        let wanted = identity.head().with_context(|| format!("cannot read {}", identity.input.display()))?;
        let names = ["np-cli is another", "the options are others", "the input has changed"];
        for (what, (found, wanted)) in names.iter().zip(found.lines().zip(wanted.lines()).skip(1)) {
            if found != wanted {
                bail!(
                    "{label} cannot be gone on with, as {what} ({found}; now {wanted}); start anew with -f"
                );
            }
        }
        let mut at = end;
        while let Some((record, rest)) = Record::read(&bytes[at..]) {
            self.take(record, path);
            at = bytes.len() - rest;
        }
        if at < bytes.len() {
            say!(
                "np-cli: {label}: its last {} bytes were cut off or damaged, and are left out",
                bytes.len() - at
            );
        }
        file.set_len(at as u64).with_context(cannot)?;
        file.seek(io::SeekFrom::End(0)).with_context(cannot)?;
        self.log = Log::File(file, Instant::now());
        Ok(())
    }

    fn take(&mut self, record: Record, session: &Path) {
        match record {
            Record::Slice(slice) => {
                let slices = self.done.entry(slice.job).or_default();
                // Only what joins on counts.
                if slices.last().is_none_or(|last| last.seeds.end == slice.seeds.start) {
                    slices.push(slice);
                }
            }
            Record::Segment(segment) => self.segments.push(segment),
            Record::Partial(name) => {
                let name = String::from_utf8_lossy(&name).into_owned();
                if name.starts_with(crate::partial::PARTIAL.0) && name.ends_with(crate::partial::PARTIAL.1) {
                    // A killed run could not remove it; often it is gone already.
                    let _ = std::fs::remove_file(session.with_file_name(name));
                }
            }
        }
    }
}
