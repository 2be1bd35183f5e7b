//! Mining: the job, its canonical result, and the trait every miner (scalar, CPU, GPU) implements.
//!
//! The result is a mathematical function of the job: for each block the best candidates in the
//! order (fold, seed), at most [`Job::best_per_block`] of them, each with `fold <= fold_limit`.
//! Every miner returns the same list, on any machine and any number of threads.

use crate::block::BlockBits;
use crate::generator::{Generator, Seeding};
use thiserror::Error;

/// One past the last `genrand` seed.
pub const SEED_END: u64 = 1 << 32;

/// Which (block, seed) pairs of a job are scored at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// Every pair: blocks x seeds.
    All,
    /// Only pairs where, among the first `words` words (1 to 8), at least one word of the block
    /// equals the mask's word there, or its complement. A miner finds these by hashing, at a cost
    /// that does not grow with the number of blocks.
    Join {
        /// How many leading words are looked at.
        words: u32,
    },
}

/// What to mine: blocks x seeds, exact.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// Where masks come from.
    pub generator: Generator,
    /// How a seed becomes a state.
    pub seeding: Seeding,
    /// N.
    pub block_bits: BlockBits,
    /// Seeds `start..end`, `end <= 2^32`. May be empty.
    pub seeds: std::ops::Range<u64>,
    /// The blocks, one after another, [`BlockBits::words`] words each. May be empty.
    pub blocks: &'a [u32],
    /// A candidate's fold is at most this.
    pub fold_limit: u32,
    /// Candidates kept for each block, 1 to [`Job::MAX_BEST`].
    pub best_per_block: usize,
    /// Which pairs are scored.
    pub filter: Filter,
}

impl Job<'_> {
    /// Most candidates a job may keep for each block.
    pub const MAX_BEST: usize = 64;

    /// Number of blocks.
    pub fn block_count(&self) -> usize {
        self.blocks.len() / self.block_bits.words()
    }

    /// The work of the job in pairs (seeds x blocks); for a join, in seeds.
    pub fn work(&self) -> u64 {
        let seeds = self.seeds.end.saturating_sub(self.seeds.start);
        match self.filter {
            Filter::All => seeds.saturating_mul(self.block_count() as u64),
            Filter::Join { .. } => seeds,
        }
    }

    /// Checks what the fields promise; every miner calls this first.
    pub fn check(&self) -> Result<(), MineError> {
        let bad = |what: &str| Err(MineError::BadJob { what: what.to_owned() });
        if self.generator != Generator::Mt19937 || self.seeding != Seeding::Genrand {
            return bad("only mt19937 genrand seeds can be mined");
        }
        if self.seeds.end > SEED_END {
            return bad("the seed range ends after 2^32");
        }
        if !self.blocks.len().is_multiple_of(self.block_bits.words()) {
            return bad("the block words are not a whole number of blocks");
        }
        if self.block_count() > u32::MAX as usize {
            return bad("more than 2^32 - 1 blocks");
        }
        if !(1..=Self::MAX_BEST).contains(&self.best_per_block) {
            return bad("best_per_block is not between 1 and 64");
        }
        if let Filter::Join { words } = self.filter
            && !(1..=8).contains(&words)
        {
            return bad("a join looks at 1 to 8 words");
        }
        Ok(())
    }
}

/// A (block, seed, weight) worth pricing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Index of the block in the job.
    pub block: u32,
    /// The `genrand` seed.
    pub seed: u32,
    /// Ones in the residual, 0 to N.
    pub weight: u32,
}

/// Keeps the best candidates of each block in the canonical order; what miners share is only this.
#[derive(Clone, Debug)]
pub struct Tally {
    block_bits: BlockBits,
    fold_limit: u32,
    best_per_block: usize,
    /// For each block its candidates so far, sorted by (fold, seed).
    blocks: Vec<Vec<Candidate>>,
}

impl Tally {
    /// An empty tally for `job`.
    pub fn new(job: &Job<'_>) -> Self {
        Self {
            block_bits: job.block_bits,
            fold_limit: job.fold_limit,
            best_per_block: job.best_per_block,
            blocks: vec![Vec::new(); job.block_count()],
        }
    }

    fn order(&self, c: &Candidate) -> (u32, u32) {
        (self.block_bits.fold(c.weight), c.seed)
    }

    /// The largest fold that can still enter the list of `block`. Seeds may come in any order, so a
    /// tie is decided by the seed and must still be pushed. `None`: nothing can enter any more.
    pub fn bound(&self, block: u32) -> Option<u32> {
        let list = &self.blocks[block as usize];
        if list.len() < self.best_per_block {
            return Some(self.fold_limit);
        }
        list.last().map(|worst| self.block_bits.fold(worst.weight))
    }

    /// The last candidate of a full list of `block`: one that comes after it cannot enter. `None`: not full yet.
    pub fn worst(&self, block: u32) -> Option<Candidate> {
        let list = &self.blocks[block as usize];
        list.last().filter(|_| list.len() == self.best_per_block).copied()
    }

    /// [`Tally::bound`] for seeds above all those offered so far for `block`: a tie is lost to them.
    pub fn bound_ascending(&self, block: u32) -> Option<u32> {
        let list = &self.blocks[block as usize];
        if list.len() < self.best_per_block {
            return Some(self.fold_limit);
        }
        list.last().and_then(|worst| self.block_bits.fold(worst.weight).checked_sub(1))
    }

    /// Offers a candidate; keeps it if it is among the best. Offering one twice changes nothing.
    pub fn push(&mut self, candidate: Candidate) {
        if self.block_bits.fold(candidate.weight) > self.fold_limit {
            return;
        }
        let key = self.order(&candidate);
        let list = &self.blocks[candidate.block as usize];
        let at = list.partition_point(|c| self.order(c) < key);
        if at == self.best_per_block || list.get(at).is_some_and(|c| c.seed == candidate.seed) {
            return;
        }
        let list = &mut self.blocks[candidate.block as usize];
        list.truncate(self.best_per_block - 1);
        list.insert(at, candidate);
    }

    /// Takes in another tally of the same job.
    pub fn merge(&mut self, other: Self) {
        for candidate in other.blocks.into_iter().flatten() {
            self.push(candidate);
        }
    }

    /// The canonical result: sorted by (block, fold, seed).
    pub fn finish(self) -> Vec<Candidate> {
        self.blocks.into_iter().flatten().collect()
    }
}

/// Why a miner gave no result. No partial result exists.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MineError {
    /// The watch asked to stop.
    #[error("mining was stopped")]
    Stopped,
    /// The job contradicts itself.
    #[error("bad mining job: {what}")]
    BadJob {
        /// Which promise is broken.
        what: String,
    },
    /// The device failed; the same job on the CPU would succeed.
    #[error("{device}: {what}")]
    Device {
        /// The device's name.
        device: String,
        /// What it or its driver said.
        what: String,
    },
    /// Two miners gave different results.
    #[error("{left} and {right} disagree: {what}")]
    Disagree {
        /// One miner's name.
        left: String,
        /// The other's.
        right: String,
        /// The first difference.
        what: String,
    },
}

/// Told about progress, asked whether to go on. Called from any thread, often enough for a progress bar.
pub trait Watch: Sync {
    /// `work` more units (as [`Job::work`] counts them) are done.
    fn advance(&self, work: u64) {
        let _ = work;
    }
    /// True once the miner should give up with [`MineError::Stopped`].
    fn stop(&self) -> bool {
        false
    }
}

/// Watches nothing.
impl Watch for () {}

/// Something that turns a job into its candidates.
pub trait Miner: Sync {
    /// For people: which miner, on what.
    fn name(&self) -> String;

    /// The canonical result of `job`: sorted by (block, fold, seed).
    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError>;
}
