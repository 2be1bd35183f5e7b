//! The GPU miner: opens a device, checks it, and runs jobs on it set by set.

use crate::device::{Choice, DeviceInfo, Open, OpenError};
use crate::engine::{Engine, Halt};
use crate::joins::{self, JoinWork};
use crate::pairs::{self, PairWork};
use crate::pipeline::Pipelines;
use crate::slot::Slot;
use np_core::miner::{Candidate, Filter, Job, MineError, Miner, Tally, Watch};
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

/// Mines on one device. Every hit is computed again on the CPU; whatever goes wrong is a [`MineError::Device`].
pub struct GpuMiner {
    pub(crate) open: Open,
    pub(crate) pipelines: Pipelines,
    choice: Choice,
    submissions: AtomicU64,
    /// Slots of the last job that went well, for the next.
    idle: Mutex<Option<Vec<Slot>>>,
}

/// A job the device did not finish.
#[derive(Debug)]
pub struct Interrupted {
    /// Why.
    pub error: MineError,
    /// The candidates of all pairs but the remaining ones, and perhaps some of those.
    pub tally: Tally,
    /// The pairs that were not mined, or not known to have been.
    pub remaining: Vec<Remaining>,
}

/// Blocks x seeds of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Block numbers in the job.
    pub blocks: Range<usize>,
    /// Seeds.
    pub seeds: Range<u64>,
}

impl From<(Range<usize>, Range<u64>)> for Remaining {
    fn from((blocks, seeds): (Range<usize>, Range<u64>)) -> Self {
        Self { blocks, seeds }
    }
}

impl GpuMiner {
    /// Opens the device that `choice` means and, unless told not to, checks it against the CPU.
    pub fn open(choice: &Choice) -> Result<Self, OpenError> {
        let open = Open::new(choice)?;
        let device = open.info.name.clone();
        let pipelines = match Pipelines::new(&open, choice.fault) {
            Ok(pipelines) => pipelines,
            Err(what) => return Err(OpenError::Refused { device, what }),
        };
        let miner = Self {
            open,
            pipelines,
            choice: choice.clone(),
            submissions: AtomicU64::new(0),
            idle: Mutex::new(None),
        };
        if choice.self_test {
            miner.self_test().map_err(|error| OpenError::SelfTest { device, what: error.to_string() })?;
        }
        Ok(miner)
    }

    /// The open device.
    pub fn info(&self) -> &DeviceInfo {
        &self.open.info
    }

    /// The error that says `what` went wrong on this device.
    pub(crate) fn failure(&self, what: String) -> MineError {
        MineError::Device { device: self.open.info.name.clone(), what }
    }

    /// [`Miner::mine`], but on failure says what was done and what remains.
    pub fn mine_resumable(
        &self,
        job: &Job<'_>,
        watch: &dyn Watch,
    ) -> Result<Vec<Candidate>, Box<Interrupted>> {
        let empty = Job { blocks: &[], ..job.clone() };
        if let Err(error) = job.check() {
            return Err(Box::new(Interrupted { error, tally: Tally::new(&empty), remaining: Vec::new() }));
        }
        let mut tally = Tally::new(job);
        let count = if job.seeds.is_empty() { 0 } else { job.block_count() };
        let step = match job.filter {
            Filter::Join { .. } => joins::SET_BLOCKS,
            _ => pairs::set_blocks(job.block_bits.words(), &self.open.limits),
        };
        if count == 0 {
            watch.advance(job.work());
        }
        for first in (0..count).step_by(step) {
            let set = first..(first + step).min(count);
            if let Err((error, mut remaining)) = self.mine_set(job, set.clone(), &mut tally, watch) {
                if set.end < count {
                    remaining.push(Remaining { blocks: set.end..count, seeds: job.seeds.clone() });
                }
                return Err(Box::new(Interrupted { error, tally, remaining }));
            }
        }
        Ok(tally.finish())
    }

    /// The idle slots, if they have room for so many limits, else new ones.
    fn slots(&self, limits: usize) -> Result<Vec<Slot>, String> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        match idle.filter(|slots| slots[0].limit_count() >= limits) {
            Some(slots) => self.open.check().map(|()| slots),
            None => pairs::slots(&self.open, limits, self.choice.hit_capacity.clamp(1, 1 << 24)),
        }
    }

    fn mine_set(
        &self,
        job: &Job<'_>,
        set: Range<usize>,
        tally: &mut Tally,
        watch: &dyn Watch,
    ) -> Result<(), (MineError, Vec<Remaining>)> {
        let device = |what| MineError::Device { device: self.open.info.name.clone(), what };
        let nothing =
            |what| (device(what), vec![Remaining { blocks: set.clone(), seeds: job.seeds.clone() }]);
        let slots = self.slots(pairs::limits_needed(job.block_bits.words(), set.len())).map_err(nothing)?;
        let engine = Engine {
            open: &self.open,
            slots: &slots,
            submissions: &self.submissions,
            fault: self.choice.fault,
            target: self.choice.target,
        };
        let (halted, rest) = match job.filter {
            Filter::All => {
                let work = PairWork::new(&self.open, &self.pipelines, job, set.clone(), tally, &slots);
                let mut work = work.map_err(nothing)?;
                let halted = engine.run(&mut work, watch);
                (halted, work.rest())
            }
            Filter::Join { words } => {
                let work = JoinWork::new(&self.open, &self.pipelines, job, words, set.clone(), tally, &slots);
                let mut work = work.map_err(nothing)?;
                let halted = engine.run(&mut work, watch);
                (halted, work.rest())
            }
            other => return Err(nothing(format!("it cannot mine with the filter {other:?}"))),
        };
        if halted.is_ok() {
            *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(slots);
        }
        halted.map_err(|Halt { why, unfinished }| {
            let blocks = |piece: &crate::engine::Piece| match job.filter {
                Filter::All => set.start + piece.blocks.start..set.start + piece.blocks.end,
                _ => set.clone(),
            };
            let pieces = unfinished
                .iter()
                .map(|piece| Remaining { blocks: blocks(piece), seeds: piece.seeds.clone() });
            (why.error(&self.open.info.name), pieces.chain(rest.into_iter().map(Remaining::from)).collect())
        })
    }
}

impl Miner for GpuMiner {
    fn name(&self) -> String {
        format!("{} ({})", self.open.info.name, self.open.info.backend)
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        self.mine_resumable(job, watch).map_err(|interrupted| interrupted.error)
    }
}
