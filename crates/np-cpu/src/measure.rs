//! The speed of each stage of mining, for every kernel the machine has, beside the scalar oracle.
//!
//! Stages: A, mask making; B, scoring; C, both, as [`CpuMiner`] does it; and the join. A rate is the best
//! of several short runs, and the oracle is timed between them, so that a busy machine does little harm.

use crate::classes::Classes;
use crate::direct::{self, Tile};
use crate::kernel::{Kernel, Stage};
use crate::lanes::Lanes;
use crate::sliced::{self, Batch};
use crate::slices::{GROUPS, Slices};
use crate::{CpuMiner, masks};
use np_core::block::{BlockBits, weight};
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Filter, Job, MineError, Miner};
use np_core::scalar::ScalarMiner;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// One measured rate.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was done: stage and shape, e.g. `A masks W=16`.
    pub what: String,
    /// The kernel's name.
    pub kernel: &'static str,
    /// Threads it ran on.
    pub threads: usize,
    /// What `rate` counts: `seeds` or `pairs`.
    pub unit: &'static str,
    /// Units a second.
    pub rate: f64,
    /// Units a second of what it is compared with.
    pub peer_rate: f64,
    /// What it is compared with, on one thread.
    pub peer: &'static str,
}

impl Figure {
    /// How many times as fast as the peer.
    pub fn ratio(&self) -> f64 {
        self.rate / self.peer_rate
    }
}

/// Words of a default block.
const WORDS: usize = 16;
/// A fold few random pairs reach: scoring finds next to nothing, as in a long search.
const BOUND: u32 = 190;

/// Measures every kernel this machine has: A and B on one thread, C and the join on one and on `threads`.
/// Each figure takes about `time`; `only` leaves a single kernel. Fails only if threads cannot be started.
pub fn every_kernel(time: Duration, threads: usize, only: Option<&str>) -> Result<Vec<Figure>, MineError> {
    let mut figures = Vec::new();
    let wanted = |k: &Kernel| k.is_supported() && only.is_none_or(|name| name == k.id());
    for kernel in Kernel::ALL.into_iter().filter(wanted) {
        figures.extend([1, WORDS].map(|words| making(kernel, words, time)));
        figures.extend([false, true].map(|sliced| scoring(kernel, sliced, time)));
        for threads in if threads > 1 { vec![1, threads] } else { vec![1] } {
            let miner = CpuMiner::with_threads(threads)?.with_kernel(kernel).unwrap_or_default();
            for blocks in [1, 64, 1024] {
                figures.push(mining(&miner, blocks, time)?);
            }
            for places in [1, 4, 8] {
                figures.push(joining(&miner, places, time)?);
            }
        }
    }
    Ok(figures)
}

/// The best rates of two things that are run in turn, each doing so many units, for about `time` in all.
fn paired(
    time: Duration,
    (units, mut run): (f64, impl FnMut()),
    (peer_units, mut peer): (f64, impl FnMut()),
) -> (f64, f64) {
    let (start, mut best, mut peer_best) = (Instant::now(), 0f64, 0f64);
    let mut runs = 0;
    while runs < 3 || start.elapsed() < time {
        let now = Instant::now();
        run();
        best = best.max(units / now.elapsed().as_secs_f64());
        let now = Instant::now();
        peer();
        peer_best = peer_best.max(peer_units / now.elapsed().as_secs_f64());
        runs += 1;
    }
    (best, peer_best)
}

/// Blocks like noise (SplitMix64).
fn noise(words: usize) -> Vec<u32> {
    let mut state = 1u64;
    let mut word = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    };
    (0..words).map(|_| word()).collect()
}

fn scalar_masks(words: usize, seeds: u32) {
    let mut mask = vec![0; words];
    for seed in 0..seeds {
        mask_words(seed, &mut mask);
        black_box(&mask);
    }
}

struct Masks {
    words: usize,
    batches: usize,
    time: Duration,
}

impl Stage for Masks {
    type Out = (f64, f64);
    fn run<L: Lanes>(self, l: L) -> (f64, f64) {
        let batch = GROUPS * L::COUNT;
        let mut state = Vec::new();
        let mut out = vec![l.splat(0); GROUPS * self.words];
        let run = || {
            for at in 0..self.batches {
                masks::make(l, (at * batch) as u32, GROUPS, self.words, &mut state, &mut out);
                black_box(&out);
            }
        };
        let peer = || scalar_masks(self.words, 2000);
        paired(self.time, ((batch * self.batches) as f64, run), (2000.0, peer))
    }
}

/// A: masks of `words` words.
fn making(kernel: Kernel, words: usize, time: Duration) -> Figure {
    let (rate, peer_rate) = kernel.run(Masks { words, batches: 100, time });
    let what = format!("A masks W={words}");
    Figure { what, kernel: kernel.id(), threads: 1, unit: "seeds", rate, peer_rate, peer: "scalar" }
}

struct Scores<'a> {
    blocks: &'a [u32],
    sliced: bool,
    time: Duration,
}

impl Stage for Scores<'_> {
    type Out = (f64, f64);
    fn run<L: Lanes>(self, l: L) -> (f64, f64) {
        let batch = GROUPS * L::COUNT;
        let count = self.blocks.len() / WORDS;
        let mut masks = vec![l.splat(0); GROUPS * WORDS];
        masks::make(l, 0, GROUPS, WORDS, &mut Vec::new(), &mut masks);
        let mut slices = Slices::new();
        let mut sums = Vec::new();
        let classes = Classes::new(self.blocks, WORDS);
        let bounds = vec![BOUND as i32; 64];
        let quads: Vec<usize> = (0..16).collect();
        let mut hits = Vec::new();
        let run = || {
            if self.sliced {
                slices.fill(l, &masks, WORDS);
            }
            for (at, blocks) in self.blocks.chunks_exact(64 * WORDS).enumerate() {
                let tile =
                    Tile { words: WORDS, first: 0, seeds: batch, blocks, block: 64 * at, bounds: &bounds };
                if self.sliced {
                    let batch = Batch { classes: &classes, quad: 16 * at, slices: &slices, masks: &masks };
                    sliced::score(l, tile, &batch, &quads, &mut sums, &mut hits);
                } else {
                    direct::score(l, tile, &masks, &quads, &mut hits);
                }
                hits.clear();
            }
        };
        let mut mask = [0; WORDS];
        mask_words(0, &mut mask);
        let peer = || {
            for _ in 0..50 {
                for block in self.blocks.chunks_exact(WORDS) {
                    black_box(weight(block, black_box(&mask)));
                }
            }
        };
        paired(self.time, ((batch * count) as f64, run), ((50 * count) as f64, peer))
    }
}

/// B: 1024 blocks of 512 bits, the masks made before.
fn scoring(kernel: Kernel, sliced: bool, time: Duration) -> Figure {
    let blocks = noise(1024 * WORDS);
    let (rate, peer_rate) = kernel.run(Scores { blocks: &blocks, sliced, time });
    let what = if sliced { "B sliced, transposing included" } else { "B direct" };
    let what = format!("{what}, 1024 blocks");
    Figure { what, kernel: kernel.id(), threads: 1, unit: "pairs", rate, peer_rate, peer: "scalar" }
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

/// Runs a miner, and says what went wrong after the clock has stopped.
fn run(miner: &dyn Miner, job: &Job<'_>, failed: &mut Option<MineError>) {
    match miner.mine(job, &()) {
        Ok(found) => {
            black_box(found);
        }
        Err(error) => *failed = Some(error),
    }
}

/// C: masks made and scored against so many blocks of 512 bits.
fn mining(miner: &CpuMiner, blocks: usize, time: Duration) -> Result<Figure, MineError> {
    let noise = noise(blocks * WORDS);
    let seeds = (1 << 29) / (100 + 10 * blocks as u64);
    let peer_seeds = 8_000_000 / (1000 + 20 * blocks as u64);
    let (mut failed, mut peer_failed) = (None, None);
    let (rate, peer_rate) = paired(
        time,
        (seeds as f64, || run(miner, &job(&noise, seeds, Filter::All), &mut failed)),
        (peer_seeds as f64, || run(&ScalarMiner, &job(&noise, peer_seeds, Filter::All), &mut peer_failed)),
    );
    let (kernel, threads) = (miner.kernel().id(), miner.threads());
    let figure = Figure {
        what: format!("C both, {blocks} blocks"),
        kernel,
        threads,
        unit: "seeds",
        rate,
        peer_rate,
        peer: "scalar",
    };
    failed.or(peer_failed).map_or(Ok(figure), Err)
}

/// The join against a million blocks; its peer is mask making alone, of as many words, by the same kernel.
fn joining(miner: &CpuMiner, places: u32, time: Duration) -> Result<Figure, MineError> {
    let noise = noise((1 << 20) * WORDS);
    let join = Filter::Join { words: places };
    let seeds = 4_000_000;
    let mut failed = None;
    // Hashing the blocks is done once for all seeds: what a few seeds take is taken off.
    let base = paired(time, (1.0, || run(miner, &job(&noise, 1, join), &mut failed)), (1.0, || ())).0;
    let all = paired(time, (1.0, || run(miner, &job(&noise, seeds, join), &mut failed)), (1.0, || ())).0;
    let alone = making(miner.kernel(), places as usize, time);
    let figure = Figure {
        what: format!("join of {places} words, 2^20 blocks"),
        kernel: miner.kernel().id(),
        threads: miner.threads(),
        unit: "seeds",
        rate: seeds as f64 / (1.0 / all - 1.0 / base),
        peer_rate: alone.rate,
        peer: "mask making alone",
    };
    failed.map_or(Ok(figure), Err)
}
