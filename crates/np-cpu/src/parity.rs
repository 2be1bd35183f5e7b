//! One runner for every kernel: whole candidate lists against the scalar oracle's.

use crate::{CpuMiner, Kernel};
use np_core::block::BlockBits;
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Candidate, Filter, Job, MineError, Miner, SEED_END};
use np_core::scalar::ScalarMiner;
use std::ops::Range;

/// SplitMix64 (Steele, Lea, Flood 2014): test data that is the same everywhere.
pub(crate) struct Noise(pub u64);

impl Noise {
    pub(crate) fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 16) as u32
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        (u64::from(self.word()) * end) >> 32
    }
}

/// Blocks of every kind: all zero, all one, one bit, masks of the range (with few or many bits flipped, or
/// complemented, or twice), and noise.
pub(crate) fn blocks(noise: &mut Noise, words: usize, count: usize, seeds: &Range<u64>) -> Vec<u32> {
    let mut blocks = vec![0; words * count];
    for (i, block) in blocks.chunks_exact_mut(words).enumerate() {
        let kind = if count < 8 { noise.below(8) } else { i as u64 % 8 };
        match kind {
            0 => {}
            1 => block.fill(u32::MAX),
            2 => block[noise.below(words as u64) as usize] = 1 << noise.below(32),
            3..6 if !seeds.is_empty() => {
                let seed = seeds.start + noise.below(seeds.end - seeds.start);
                mask_words(seed as u32, block);
                for _ in 0..(kind - 3) * noise.below(words as u64 * 6) {
                    block[noise.below(words as u64) as usize] ^= 1 << noise.below(32);
                }
                if noise.below(2) == 1 {
                    block.iter_mut().for_each(|w| *w = !*w);
                }
            }
            _ => block.iter_mut().for_each(|w| *w = noise.word()),
        }
    }
    if count > 9 {
        blocks.copy_within(3 * words..4 * words, (count - 1) * words);
    }
    blocks
}

/// A miner under test.
type Mine<'a> = &'a dyn Fn(&Job<'_>) -> Result<Vec<Candidate>, MineError>;

/// The first job of `jobs` on which `mine` and the oracle differ, in words.
fn disagreement(mine: Mine<'_>, mut jobs: impl Iterator<Item = Case>) -> Option<String> {
    jobs.find_map(|case| {
        let job = case.job();
        let expected = ScalarMiner.mine(&job, &());
        let found = mine(&job);
        (found != expected).then(|| {
            let first = match (&found, &expected) {
                (Ok(f), Ok(e)) => {
                    let at = f.iter().zip(e).take_while(|(f, e)| f == e).count();
                    format!("at {at} of {}: {:?}, not {:?}", e.len(), f.get(at), e.get(at))
                }
                _ => format!("{found:?}, not {expected:?}"),
            };
            format!("{case:?}: {first}")
        })
    })
}

/// A job that owns its blocks.
struct Case {
    bits: u32,
    seeds: Range<u64>,
    blocks: Vec<u32>,
    fold_limit: u32,
    best: usize,
    filter: Filter,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bits, seeds, fold_limit, best, filter, .. } = self;
        let count = self.blocks.len() * 32 / *bits as usize;
        write!(f, "N {bits}, seeds {seeds:?}, {count} blocks, limit {fold_limit}, best {best}, {filter:?}")
    }
}

impl Case {
    fn job(&self) -> Job<'_> {
        Job {
            generator: Generator::Mt19937,
            seeding: Seeding::Genrand,
            block_bits: BlockBits::new(self.bits).unwrap(),
            seeds: self.seeds.clone(),
            blocks: &self.blocks,
            fold_limit: self.fold_limit,
            best_per_block: self.best,
            filter: self.filter,
        }
    }
}

/// Powers of two, odd multiples of 32, and both sides of where mask making changes its form.
const SIZES: [u32; 23] = [
    128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 160, 224, 544, 992, 1056, 2080, 7232, 7264, 7296,
    7328, 19936, 19968, 20000, 32736,
];

/// Every block size, with ranges and block counts around lane groups, slices, batches and tiles.
fn cases() -> impl Iterator<Item = Case> {
    let mut noise = Noise(1);
    const SEEDS: [u64; 16] = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 255, 257, 511, 512, 513];
    const BLOCKS: [usize; 15] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 31, 63, 64, 65, 130];
    (0..1200).map(move |i| {
        let bits = SIZES[i % SIZES.len()];
        let words = bits as usize / 32;
        // Long blocks cost the oracle more: keep a case near a millisecond.
        let most = if words > 200 { 70 } else { u64::MAX };
        let count = SEEDS[noise.below(16) as usize].min(most);
        let start = match noise.below(3) {
            0 => SEED_END - count,
            1 => 0,
            _ => noise.below(SEED_END - 600),
        };
        let seeds = start..start + count;
        let block_count = BLOCKS[noise.below(15) as usize].min((1 << 13) / words).max(1);
        let block_count = if i % 97 == 0 { 0 } else { block_count };
        Case {
            bits,
            blocks: blocks(&mut noise, words, block_count, &seeds),
            seeds,
            fold_limit: [0, bits / 10, bits / 2 - bits.isqrt(), bits / 2, u32::MAX][noise.below(5) as usize],
            best: [1, 1, 3, 64][noise.below(4) as usize],
            filter: if noise.below(4) == 0 {
                Filter::Join { words: 1 + noise.below(8) as u32 }
            } else {
                Filter::All
            },
        }
    })
}

/// Larger jobs: many batches of seeds and many blocks, so that scoring is sliced, in one span and in
/// several, and bounds tighten while threads interleave.
fn large_cases() -> impl Iterator<Item = Case> {
    let mut noise = Noise(2);
    [
        (512, 40_000, 70),
        (128, 20_000, 130),
        (160, 9_000, 67),
        (512, 700, 1500),
        (544, 6_000, 33),
        (1024, 9_000, 37),
        (2080, 5_000, 21),
        (4096, 5_000, 13),
        (7296, 4_500, 9),
        (32768, 4_200, 8),
    ]
    .into_iter()
    .flat_map(move |(bits, seeds, count): (u32, u64, usize)| {
        let start = SEED_END - seeds - noise.below(2) * noise.below(SEED_END - seeds);
        let seeds = start..start + seeds;
        let blocks = blocks(&mut noise, bits as usize / 32, count, &seeds);
        let tight = bits / 2 - 3 * bits.isqrt() / 2 - 8;
        [(bits / 2, 1), (tight, 64), (tight, 3), (bits / 10, 1)].map(|(fold_limit, best)| Case {
            bits,
            seeds: seeds.clone(),
            blocks: blocks.clone(),
            fold_limit,
            best,
            filter: Filter::All,
        })
    })
}

/// Every kernel this machine has; says which it lacks.
fn kernels() -> Vec<Kernel> {
    let (have, lack): (Vec<_>, Vec<_>) = Kernel::ALL.into_iter().partition(|k| k.is_supported());
    if !lack.is_empty() {
        eprintln!("not checked, this processor cannot run them: {lack:?}");
    }
    have
}

#[test]
fn every_kernel_agrees_with_the_oracle() {
    for kernel in kernels() {
        for threads in [1, 3] {
            let miner = CpuMiner::with_threads(threads).unwrap().with_kernel(kernel).unwrap();
            let found = disagreement(&|job| miner.mine(job, &()), cases());
            assert_eq!(found, None, "{}", miner.name());
        }
    }
}

#[test]
fn every_kernel_agrees_on_larger_jobs() {
    for kernel in kernels() {
        let miner = CpuMiner::with_threads(3).unwrap().with_kernel(kernel).unwrap();
        let found = disagreement(&|job| miner.mine(job, &()), large_cases());
        assert_eq!(found, None, "{}", miner.name());
    }
}
