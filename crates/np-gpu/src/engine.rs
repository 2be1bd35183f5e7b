//! The engine: keeps two submissions in flight, sizes them, and takes up again what overflowed its hit list.

use crate::device::Open;
use crate::fault::Fault;
use crate::layout::{Hit, Limit};
use crate::slot::{Outcome, Pending, Slot};
use np_core::miner::{MineError, Watch};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Submissions in flight while the host looks at an older one's hits.
const DEPTH: usize = 2;
/// Slots: those in flight and one for what must be run again.
pub const SLOTS: usize = DEPTH + 1;
/// Pairs in a submission at most: its hits are counted in 32 bits.
const MAX_SIZE: u64 = 1 << 31;

/// Pairs in a submission at least, as far as its time goes: below, a submission's own cost is all that is left.
const MIN_SIZE: u64 = 1 << 12;

/// Seeds x blocks of one submission.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Seeds.
    pub seeds: Range<u64>,
    /// Blocks, in the numbers of the work's set.
    pub blocks: Range<usize>,
    /// What counted as a hit for each of the blocks when it was submitted.
    pub limits: Vec<Limit>,
}

impl Piece {
    pub fn new(seeds: Range<u64>, blocks: Range<usize>) -> Self {
        Self { seeds, blocks, limits: Vec::new() }
    }

    /// Pairs.
    pub fn size(&self) -> u64 {
        (self.seeds.end - self.seeds.start) * (self.blocks.len().max(1) as u64)
    }

    /// Two halves, lower seeds first; `None`: one pair cannot be halved.
    fn split(&self) -> Option<[Self; 2]> {
        let (seeds, blocks) = (&self.seeds, &self.blocks);
        if seeds.end - seeds.start > 1 {
            let middle = seeds.start + (seeds.end - seeds.start) / 2;
            return Some(
                [seeds.start..middle, middle..seeds.end].map(|half| Self::new(half, blocks.clone())),
            );
        }
        if blocks.len() > 1 {
            let middle = blocks.start + blocks.len() / 2;
            return Some(
                [blocks.start..middle, middle..blocks.end].map(|half| Self::new(seeds.clone(), half)),
            );
        }
        None
    }
}

/// What the engine runs.
pub trait Work {
    /// The next piece, of about `size` pairs, or none.
    fn next(&mut self, size: u64) -> Option<Piece>;
    /// Sets the piece's limits, uploads what it needs into the slot and submits it.
    fn submit(&mut self, slot: usize, piece: &mut Piece) -> Pending;
    /// Takes the hits of a piece, checked on the CPU. Lower seeds of a block come first.
    fn absorb(&mut self, piece: &Piece, hits: Vec<Hit>) -> Result<(), String>;
    /// What a finished piece counts for, as `Job::work` counts.
    fn progress(&self, piece: &Piece) -> u64;
}

/// Why the engine stopped, and the pieces it had taken but not finished.
pub struct Halt {
    pub why: Why,
    pub unfinished: Vec<Piece>,
}

/// Why the engine stopped.
pub enum Why {
    Stopped,
    Device(String),
}

impl Why {
    pub fn error(self, device: &str) -> MineError {
        match self {
            Self::Stopped => MineError::Stopped,
            Self::Device(what) => MineError::Device { device: device.to_owned(), what },
        }
    }
}

/// How large submissions should be.
struct Pace {
    size: u64,
    target: Duration,
    capacity: u64,
}

impl Pace {
    /// Learns from a finished piece. The size never decides what is found.
    fn learn(&mut self, piece: &Piece, hits: u64, time: Duration) {
        let size = piece.size();
        let by_hits = if hits == 0 {
            MAX_SIZE
        } else {
            (size as u128 * self.capacity as u128 / 4 / u128::from(hits)) as u64
        };
        let full = size >= self.size / 2;
        let by_time = match full {
            true => (size as u128 * self.target.as_nanos() / time.as_nanos().max(1))
                .min(u128::from(4 * self.size)) as u64,
            false => self.size,
        };
        self.size = by_time.max(MIN_SIZE).min(by_hits).clamp(1, MAX_SIZE);
    }
}

/// A device at work on one job.
pub struct Engine<'a> {
    pub open: &'a Open,
    pub slots: &'a [Slot],
    pub submissions: &'a AtomicU64,
    pub fault: Fault,
    pub target: Duration,
}

struct Flight {
    slot: usize,
    piece: Piece,
    pending: Pending,
    since: Instant,
}

impl Engine<'_> {
    /// Runs all of `work`.
    pub fn run(&self, work: &mut impl Work, watch: &dyn Watch) -> Result<(), Halt> {
        let capacity = u64::from(self.slots[0].capacity());
        let mut pace = Pace { size: capacity, target: self.target, capacity };
        let mut flights: VecDeque<Flight> = VecDeque::new();
        let mut turn = 0;
        let mut last = Instant::now();
        let halt = |why, first: Option<Piece>, flights: VecDeque<Flight>| {
            let unfinished =
                first.into_iter().chain(flights.into_iter().map(|flight| flight.piece)).collect();
            Err(Halt { why, unfinished })
        };
        loop {
            if watch.stop() {
                return halt(Why::Stopped, None, flights);
            }
            while flights.len() < DEPTH {
                let Some(mut piece) = work.next(pace.size) else { break };
                match self.submit(work, turn, &mut piece) {
                    Ok(pending) => {
                        flights.push_back(Flight { slot: turn, piece, pending, since: Instant::now() })
                    }
                    Err(what) => {
                        let mut halted: Vec<Piece> = flights.into_iter().map(|flight| flight.piece).collect();
                        halted.push(piece);
                        return Err(Halt { why: Why::Device(what), unfinished: halted });
                    }
                }
                turn = (turn + 1) % DEPTH;
            }
            let Some(flight) = flights.pop_front() else { return Ok(()) };
            let outcome = match self.slots[flight.slot].finish(self.open, flight.pending) {
                Ok(outcome) => outcome,
                Err(what) => return halt(Why::Device(what), Some(flight.piece), flights),
            };
            let wall = last.max(flight.since).elapsed();
            last = Instant::now();
            pace.learn(
                &flight.piece,
                outcome.count,
                outcome.device_time.filter(|t| !t.is_zero()).unwrap_or(wall),
            );
            if let Err((why, mut unfinished)) = self.settle(work, &flight.piece, outcome, watch) {
                unfinished.extend(flights.into_iter().map(|flight| flight.piece));
                return Err(Halt { why, unfinished });
            }
        }
    }

    fn submit(&self, work: &mut impl Work, slot: usize, piece: &mut Piece) -> Result<Pending, String> {
        let number = self.submissions.fetch_add(1, Ordering::Relaxed);
        if let Fault::Lost { after } = self.fault
            && number == after
        {
            self.open.device.destroy();
        }
        self.open.guard(|| work.submit(slot, piece))
    }

    /// Takes a piece's hits; if its list overflowed, runs its halves again, one after the other.
    fn settle(
        &self,
        work: &mut impl Work,
        piece: &Piece,
        outcome: Outcome,
        watch: &dyn Watch,
    ) -> Result<(), (Why, Vec<Piece>)> {
        let spare = SLOTS - 1;
        if outcome.count <= u64::from(self.slots[spare].capacity()) {
            work.absorb(piece, outcome.hits).map_err(|what| (Why::Device(what), vec![piece.clone()]))?;
            watch.advance(work.progress(piece));
            return Ok(());
        }
        let Some(halves) = piece.split() else {
            let what = format!("{} hits reported for one pair", outcome.count);
            return Err((Why::Device(what), vec![piece.clone()]));
        };
        let mut left: VecDeque<Piece> = halves.into();
        while let Some(mut half) = left.pop_front() {
            let fail = |why, half: Piece, left: &mut VecDeque<Piece>| {
                left.push_front(half);
                (why, left.drain(..).collect())
            };
            if watch.stop() {
                return Err(fail(Why::Stopped, half, &mut left));
            }
            let run = self.submit(work, spare, &mut half);
            let outcome = match run.and_then(|pending| self.slots[spare].finish(self.open, pending)) {
                Ok(outcome) => outcome,
                Err(what) => return Err(fail(Why::Device(what), half, &mut left)),
            };
            self.settle(work, &half, outcome, watch).map_err(|(why, mut unfinished)| {
                unfinished.extend(left.drain(..));
                (why, unfinished)
            })?;
        }
        Ok(())
    }
}
