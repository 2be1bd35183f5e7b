//! The stages of mining as tasks to be timed. `cargo xtask bench` runs them in turn with what they are compared with.
//!
//! Stages: A, mask making; B, scoring; C, both, as [`CpuMiner`] does it; and the join.

use crate::classes::Classes;
use crate::direct::{self, Tile};
use crate::kernel::{Kernel, Stage};
use crate::lanes::Lanes;
use crate::sliced::{self, Batch, Sums};
use crate::slices::{GROUPS, Slices};
use crate::{CpuMiner, masks, pairs};
use np_core::block::{BlockBits, weight};
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Filter, Job, MineError, Miner};
use np_core::scalar::ScalarMiner;
use std::hint::black_box;

/// Something that does the same work each time it is run.
pub struct Task {
    /// Units (seeds, pairs, bytes) of work a run does.
    pub units: f64,
    run: Box<dyn FnMut() -> Result<(), MineError> + Send>,
}

impl Task {
    /// A task that does `units` units of work.
    pub fn new(units: f64, mut run: impl FnMut() + Send + 'static) -> Self {
        Self::fallible(units, move || {
            run();
            Ok(())
        })
    }

    fn fallible(units: f64, run: impl FnMut() -> Result<(), MineError> + Send + 'static) -> Self {
        Self { units, run: Box::new(run) }
    }

    /// Runs it once. Fails if a miner does.
    pub fn run(&mut self) -> Result<(), MineError> {
        (self.run)()
    }
}

/// How a pair is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scoring {
    /// By popcount.
    Direct,
    /// By bit slices; transposing the masks is part of it.
    Sliced,
}

/// Words of a default block.
const WORDS: usize = 16;
/// A fold few random pairs reach: scoring finds next to nothing, as in a long search.
const BOUND: u32 = 190;
/// Bits a quad may leave out under that bound, as the miner would say.
const LOST: u32 = 24;
/// Seeds of the scalar oracle's mask making.
const SCALAR_SEEDS: u32 = 2000;
/// Masks the scalar oracle scores.
const SCALAR_MASKS: usize = 50;

/// Words like noise (SplitMix64).
pub fn noise(words: usize) -> Vec<u32> {
    let mut state = 1u64;
    let mut word = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    };
    (0..words).map(|_| word()).collect()
}

/// A: masks of `words` words by the scalar oracle, in seeds.
pub fn scalar_masks(words: usize) -> Task {
    let mut mask = vec![0; words];
    Task::new(SCALAR_SEEDS.into(), move || {
        for seed in 0..SCALAR_SEEDS {
            mask_words(seed, &mut mask);
            black_box(&mask);
        }
    })
}

/// A: masks of `words` words, in seeds: about `seeds` of them at a time.
pub fn masks(kernel: Kernel, words: usize, seeds: u64) -> Task {
    kernel.run(Masks { words, seeds })
}

struct Masks {
    words: usize,
    seeds: u64,
}

impl Stage for Masks {
    type Out = Task;
    fn run<L: Lanes>(self, l: L) -> Task {
        let Self { words, seeds } = self;
        let batch = GROUPS * L::COUNT;
        let batches = seeds as usize / batch;
        // As in a long search.
        pairs::prepare(l, u64::MAX);
        let mut state = Vec::new();
        let mut out = vec![l.splat(0); GROUPS * words];
        Task::new((batch * batches) as f64, move || {
            for at in 0..batches {
                masks::make(l, (at * batch) as u32, GROUPS, words, &mut state, &mut out);
                black_box(&out);
            }
        })
    }
}

/// B: `blocks` blocks of 512 bits by the scalar oracle, in pairs.
pub fn scalar_scoring(blocks: usize) -> Task {
    let noise = noise(blocks * WORDS);
    let mut mask = [0; WORDS];
    mask_words(0, &mut mask);
    Task::new((SCALAR_MASKS * blocks) as f64, move || {
        for _ in 0..SCALAR_MASKS {
            for block in noise.chunks_exact(WORDS) {
                black_box(weight(block, black_box(&mask)));
            }
        }
    })
}

/// B: `blocks` blocks (a multiple of 64) of 512 bits, the masks made before, in pairs.
pub fn scoring(kernel: Kernel, how: Scoring, blocks: usize) -> Task {
    kernel.run(Scores { blocks: noise(blocks * WORDS), how })
}

struct Scores {
    blocks: Vec<u32>,
    how: Scoring,
}

impl Stage for Scores {
    type Out = Task;
    fn run<L: Lanes>(self, l: L) -> Task {
        let Self { blocks, how } = self;
        let batch = GROUPS * L::COUNT;
        let count = blocks.len() / WORDS;
        let mut masks = vec![l.splat(0); GROUPS * WORDS];
        masks::make(l, 0, GROUPS, WORDS, &mut Vec::new(), &mut masks);
        let mut slices = Slices::new();
        let mut sums = Sums::new(l);
        let classes = Classes::new(&blocks, WORDS, LOST);
        let bounds = vec![BOUND as i32; 64];
        let quads: Vec<usize> = (0..16).collect();
        let mut hits = Vec::new();
        // Some hundred microseconds, whatever the blocks are.
        let turns = 4096_usize.div_ceil(count);
        let mut score = move || {
            if how == Scoring::Sliced {
                slices.fill(l, &masks, WORDS);
            }
            for (at, blocks) in blocks.chunks_exact(64 * WORDS).enumerate() {
                let tile =
                    Tile { words: WORDS, first: 0, seeds: batch, blocks, block: 64 * at, bounds: &bounds };
                match how {
                    Scoring::Direct => direct::score(l, tile, &masks, &quads, &mut hits),
                    Scoring::Sliced => {
                        let batch =
                            Batch { classes: &classes, quad: 16 * at, slices: &slices, masks: &masks };
                        sliced::score(l, tile, &batch, &quads, &mut sums, &mut hits);
                    }
                }
                black_box(&hits);
                hits.clear();
            }
        };
        Task::new((batch * count * turns) as f64, move || (0..turns).for_each(|_| score()))
    }
}

fn job(blocks: &[u32], seeds: u64, filter: Filter) -> Job<'_> {
    Job {
        generator: Generator::Mt19937,
        seeding: Seeding::Genrand,
        block_bits: BlockBits::default(),
        seeds: 0..seeds,
        blocks,
        fold_limit: BOUND,
        best_per_block: 1,
        filter,
    }
}

fn whole(miner: impl Miner + Send + 'static, blocks: usize, seeds: u64, filter: Filter) -> Task {
    let noise = noise(blocks * WORDS);
    Task::fallible(seeds as f64, move || {
        black_box(miner.mine(&job(&noise, seeds, filter), &())?);
        Ok(())
    })
}

/// C: masks made and scored against so many blocks of 512 bits by the scalar oracle, in seeds.
pub fn scalar_mining(blocks: usize) -> Task {
    whole(ScalarMiner, blocks, 4_000_000 / (1000 + 20 * blocks as u64), Filter::All)
}

/// C: masks made and scored against so many blocks of 512 bits, in seeds.
pub fn mining(miner: &CpuMiner, blocks: usize) -> Task {
    whole(miner.clone(), blocks, (1 << 27) / (100 + 10 * blocks as u64), Filter::All)
}

/// The join of the first `words` words with so many blocks of 512 bits, in seeds. Its index is made in each run.
pub fn joining(miner: &CpuMiner, words: u32, blocks: usize, seeds: u64) -> Task {
    whole(miner.clone(), blocks, seeds, Filter::Join { words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_do_what_they_say() {
        let miner = CpuMiner::with_threads(2).unwrap();
        let mut ran = 0;
        for mut task in [
            scalar_masks(1),
            scalar_scoring(64),
            scalar_mining(64),
            masks(miner.kernel(), 3, 1 << 16),
            scoring(miner.kernel(), Scoring::Direct, 64),
            scoring(miner.kernel(), Scoring::Sliced, 64),
            mining(&miner, 64),
            joining(&miner, 2, 100, 1000),
        ] {
            assert!(task.units >= 1000.0);
            task.run().unwrap();
            ran += 1;
        }
        assert_eq!(ran, 8);
        let unwanted = whole(miner, 3, np_core::miner::SEED_END + 1, Filter::All).run();
        assert!(matches!(unwanted, Err(MineError::BadJob { .. })));
    }
}
