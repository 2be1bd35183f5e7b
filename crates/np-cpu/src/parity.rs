//! One runner for every kernel: whole candidate lists against the scalar oracle's.

use crate::broken::Broken;
use crate::portable::Portable;
use crate::{CpuMiner, Kernel, pairs, tiles};
use np_core::block::BlockBits;
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Candidate, Filter, Job, MineError, Miner, SEED_END, Watch};
use np_core::scalar::ScalarMiner;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
    // Then masks are made by pairs of steps where that pays, though these jobs are small.
    pairs::exceptions(Portable);
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

/// The best candidates by a plain loop that shares nothing with the miners but the generator: every pair is
/// weighed, kept while it is within the worst of the best so far, and the list is sorted now and then.
fn plainly(case: &Case) -> Vec<Candidate> {
    let words = case.bits as usize / 32;
    let blocks: Vec<u64> = case.blocks.chunks(2).map(|w| u64::from(w[0]) | u64::from(w[1]) << 32).collect();
    let count = case.blocks.len() / words;
    let mut lists = vec![(case.fold_limit, Vec::<(u32, u32, u32)>::new()); count];
    let mut mask = vec![0; words];
    for seed in case.seeds.clone() {
        mask_words(seed as u32, &mut mask);
        let mask: Vec<u64> = mask.chunks(2).map(|w| u64::from(w[0]) | u64::from(w[1]) << 32).collect();
        for ((limit, list), block) in lists.iter_mut().zip(blocks.chunks_exact(words / 2)) {
            let weight: u32 = block.iter().zip(&mask).map(|(b, m)| (b ^ m).count_ones()).sum();
            let fold = weight.min(case.bits - weight);
            if fold <= *limit {
                list.push((fold, seed as u32, weight));
                if list.len() > 4 * case.best {
                    list.sort_unstable();
                    list.truncate(case.best);
                    *limit = list[case.best - 1].0;
                }
            }
        }
    }
    let mut all = Vec::new();
    for (block, (_, mut list)) in lists.into_iter().enumerate() {
        list.sort_unstable();
        list.truncate(case.best);
        let block = block as u32;
        all.extend(list.into_iter().map(|(_, seed, weight)| Candidate { block, seed, weight }));
    }
    all
}

#[test]
fn every_kernel_agrees_on_a_hundred_million_pairs() {
    let mut noise = Noise(3);
    let mut pairs = 0;
    for (bits, seeds, count, best) in
        [(512, 60_000, 1024, 3), (512, 400_000, 64, 1), (128, 50_000, 500, 64), (2048, 20_000, 100, 2)]
    {
        let seeds = SEED_END - seeds..SEED_END;
        let blocks = blocks(&mut noise, bits as usize / 32, count, &seeds);
        let case = Case { bits, seeds, blocks, fold_limit: bits / 2, best, filter: Filter::All };
        pairs += case.job().work();
        let expected = plainly(&case);
        for kernel in kernels() {
            let miner = CpuMiner::with_threads(2).unwrap().with_kernel(kernel).unwrap();
            let found = miner.mine(&case.job(), &()).unwrap();
            let differ = found.iter().zip(&expected).find(|(f, e)| f != e);
            assert_eq!((differ, found.len()), (None, expected.len()), "{case:?}, {}", miner.name());
        }
    }
    assert!(pairs > 100_000_000, "only {pairs} pairs were compared");
}

#[test]
fn joins_of_many_blocks_agree_with_a_plain_search() {
    let mut noise = Noise(4);
    let words = 4;
    // So many that the second sieve is used.
    let seeds = 1_000_000..1_300_000;
    let mut blocks = blocks(&mut noise, words, 400_000, &seeds);
    let twice = blocks[12];
    blocks[400..404].fill(twice);
    let case = Case { bits: 128, seeds, blocks, fold_limit: 60, best: 2, filter: Filter::Join { words: 3 } };
    let mut tables = vec![std::collections::HashMap::<u32, Vec<usize>>::new(); 3];
    for (block, bits) in case.blocks.chunks_exact(words).enumerate() {
        for (table, word) in tables.iter_mut().zip(bits) {
            table.entry(*word).or_default().push(block);
        }
    }
    let mut found = Vec::new();
    let mut mask = [0; 4];
    for seed in case.seeds.clone() {
        mask_words(seed as u32, &mut mask);
        for (table, word) in tables.iter().zip(mask) {
            for block in [word, !word].iter().filter_map(|w| table.get(w)).flatten() {
                let bits = &case.blocks[block * words..(block + 1) * words];
                let weight: u32 = bits.iter().zip(mask).map(|(b, m)| (b ^ m).count_ones()).sum();
                let fold = weight.min(128 - weight);
                if fold <= 60 {
                    found.push((*block as u32, fold, seed as u32, weight));
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    let mut expected: Vec<Candidate> = Vec::new();
    for (block, _, seed, weight) in found {
        if expected.len() < 2 || expected[expected.len() - 2].block != block {
            expected.push(Candidate { block, seed, weight });
        }
    }
    assert!(expected.len() > 7_000, "{} candidates", expected.len());
    for kernel in kernels() {
        let miner = CpuMiner::with_threads(2).unwrap().with_kernel(kernel).unwrap();
        assert!(miner.mine(&case.job(), &()).unwrap() == expected, "{}", miner.name());
    }
}

/// The runner must find every fault, and none where there is none. On one thread: on several, how soon bounds tighten, and
/// so what a broken filter gets to lose, would be a matter of luck.
#[test]
fn a_broken_kernel_is_caught() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(every_fault_is_found);
}

fn every_fault_is_found() {
    fn caught<const FAULT: u8>() -> bool {
        let mine = |job: &Job<'_>| job.check().and_then(|()| tiles::mine(Broken::<FAULT>, job, &()));
        disagreement(&mine, cases()).is_some() || disagreement(&mine, large_cases()).is_some()
    }
    let faults = [
        caught::<0>(),
        caught::<1>(),
        caught::<2>(),
        caught::<3>(),
        caught::<4>(),
        caught::<5>(),
        caught::<6>(),
    ];
    assert_eq!(faults, [true; 7], "a fault was not found");
    let mine = |job: &Job<'_>| job.check().and_then(|()| tiles::mine(Portable, job, &()));
    assert_eq!(disagreement(&mine, cases().take(300)), None);
}

/// Counts the work, and asks to stop when told to.
#[derive(Default)]
struct Count {
    done: AtomicU64,
    calls: AtomicU64,
    stop: AtomicBool,
}

impl Watch for Count {
    fn advance(&self, work: u64) {
        self.done.fetch_add(work, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[test]
fn all_work_is_reported() {
    let mut noise = Noise(5);
    for filter in [Filter::All, Filter::Join { words: 2 }] {
        for kernel in kernels() {
            let blocks = blocks(&mut noise, 16, 300, &(0..9));
            let case = Case { bits: 512, seeds: 5..60_005, blocks, fold_limit: 99, best: 1, filter };
            let count = Count::default();
            let miner = CpuMiner::new().with_kernel(kernel).unwrap();
            miner.mine(&case.job(), &count).unwrap();
            assert_eq!(count.done.into_inner(), case.job().work(), "{filter:?}, {}", miner.name());
            assert!(count.calls.into_inner() > 1);
        }
    }
}

#[test]
fn mining_stops_soon_and_gives_nothing() {
    let mut noise = Noise(6);
    for (bits, count, filter) in
        [(512, 20_000, Filter::All), (32768, 300, Filter::All), (512, 1000, Filter::Join { words: 8 })]
    {
        let blocks = blocks(&mut noise, bits as usize / 32, count, &(0..9));
        let case = Case { bits, seeds: 0..SEED_END, blocks, fold_limit: bits / 2, best: 64, filter };
        let watch = Count::default();
        let asked = std::thread::scope(|scope| {
            let mining = scope.spawn(|| CpuMiner::with_threads(2).unwrap().mine(&case.job(), &watch));
            while watch.calls.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            watch.stop.store(true, Ordering::Relaxed);
            let asked = Instant::now();
            assert_eq!(mining.join().unwrap(), Err(MineError::Stopped));
            asked.elapsed()
        });
        // 0.2 s is what it takes at most on an idle machine; this one may be busy with other tests.
        assert!(asked < Duration::from_secs(2), "{case:?}: stopped after {asked:?}");
    }
}
