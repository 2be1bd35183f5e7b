//! What the threads share: each block's bound, and the lists of the best candidates.
//!
//! The lists keep the best by a total key, (fold, seed), so neither the order in which candidates
//! come nor the number of threads can change the result.

use np_core::miner::{Candidate, Job, Tally};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Blocks whose lists one lock guards.
const SHARD: usize = 256;

/// The best candidates so far, from any thread.
pub(crate) struct Board {
    words: usize,
    bits: u32,
    /// For each block `fold << 32 | seed`: a candidate enters only with a key at most this large.
    keys: Vec<AtomicU64>,
    /// Each over `SHARD` blocks, which it counts from zero.
    shards: Vec<Mutex<Tally>>,
}

impl Board {
    /// An empty board for `job`.
    pub(crate) fn new(job: &Job<'_>) -> Self {
        let words = job.block_bits.words();
        let open = u64::from(job.fold_limit) << 32 | u64::from(u32::MAX);
        Self {
            words,
            bits: job.block_bits.bits(),
            keys: (0..job.block_count()).map(|_| AtomicU64::new(open)).collect(),
            shards: job
                .blocks
                .chunks(SHARD * words)
                .map(|blocks| Mutex::new(Tally::new(&Job { blocks, ..job.clone() })))
                .collect(),
        }
    }

    /// The largest fold with which a seed from `first` on can enter the list of `block`; `None`: none can.
    /// The bound only ever falls, so an old answer lets too much through and never too little.
    #[inline]
    pub(crate) fn bound(&self, block: usize, first: u32) -> Option<u32> {
        // Relaxed: a late view of the bound is a looser one.
        let key = self.keys[block].load(Ordering::Relaxed);
        let (fold, seed) = ((key >> 32) as u32, key as u32);
        if first > seed { fold.checked_sub(1) } else { Some(fold) }
    }

    /// Offers candidates, and empties the list.
    pub(crate) fn offer(&self, candidates: &mut Vec<Candidate>) {
        for candidate in candidates.drain(..) {
            let block = candidate.block as usize;
            let fold = candidate.weight.min(self.bits - candidate.weight);
            let key = u64::from(fold) << 32 | u64::from(candidate.seed);
            if key > self.keys[block].load(Ordering::Relaxed) {
                continue;
            }
            let local = (block % SHARD) as u32;
            let mut tally = self.shards[block / SHARD].lock().unwrap_or_else(PoisonError::into_inner);
            tally.push(Candidate { block: local, ..candidate });
            if let Some(worst) = tally.worst(local) {
                let fold = worst.weight.min(self.bits - worst.weight);
                let key = u64::from(fold) << 32 | u64::from(worst.seed);
                self.keys[block].store(key, Ordering::Relaxed);
            }
        }
    }

    /// The canonical result.
    pub(crate) fn finish(self) -> Vec<Candidate> {
        debug_assert!(self.words > 0);
        let mut all = Vec::new();
        for (shard, tally) in self.shards.into_iter().enumerate() {
            let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
            let first = (shard * SHARD) as u32;
            all.extend(tally.finish().into_iter().map(|c| Candidate { block: c.block + first, ..c }));
        }
        all
    }
}
