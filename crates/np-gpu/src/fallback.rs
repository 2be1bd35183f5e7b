//! Going on elsewhere: when the device fails, another miner takes the job from where it was.

use crate::miner::{GpuMiner, Interrupted};
use np_core::miner::{Candidate, Job, MineError, Miner, Watch};
use std::sync::{Mutex, PoisonError};

/// Mines on a GPU until it fails, from then on with another miner. The result is the same.
pub struct FallbackMiner<'a> {
    gpu: GpuMiner,
    other: &'a dyn Miner,
    failure: Mutex<Option<MineError>>,
}

impl<'a> FallbackMiner<'a> {
    /// `gpu` first, `other` once `gpu` has failed.
    pub fn new(gpu: GpuMiner, other: &'a dyn Miner) -> Self {
        Self { gpu, other, failure: Mutex::new(None) }
    }

    /// The device's failure, if it has failed: to be told to the user.
    pub fn failure(&self) -> Option<MineError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Mines what the device left over, and adds it to what it had.
    fn go_on(
        &self,
        job: &Job<'_>,
        watch: &dyn Watch,
        left: Interrupted,
    ) -> Result<Vec<Candidate>, MineError> {
        let words = job.block_bits.words();
        let mut tally = left.tally;
        for part in left.remaining {
            let blocks = &job.blocks[part.blocks.start * words..part.blocks.end * words];
            let rest = Job { blocks, seeds: part.seeds, ..job.clone() };
            for candidate in self.other.mine(&rest, watch)? {
                tally.push(Candidate { block: candidate.block + part.blocks.start as u32, ..candidate });
            }
        }
        Ok(tally.finish())
    }
}

impl Miner for FallbackMiner<'_> {
    fn name(&self) -> String {
        match self.failure() {
            None => self.gpu.name(),
            Some(_) => self.other.name(),
        }
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        if self.failure().is_some() {
            return self.other.mine(job, watch);
        }
        match self.gpu.mine_resumable(job, watch) {
            Ok(candidates) => Ok(candidates),
            Err(left) if matches!(left.error, MineError::Device { .. }) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(left.error.clone());
                self.go_on(job, watch, *left)
            }
            Err(left) => Err(left.error),
        }
    }
}
