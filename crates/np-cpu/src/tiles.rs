//! The driver: cuts blocks x seeds into tasks and each task into tiles that stay in the caches.

use crate::board::Board;
use crate::classes::Classes;
use crate::direct::{self, Tile};
use crate::join;
use crate::lanes::Lanes;
use crate::sliced::{self, Batch, Sums};
use crate::slices::{GROUPS, Slices};
use crate::{masks, pairs};
use np_core::miner::{Candidate, Filter, Job, MineError, Watch};
use rayon::prelude::*;
use std::ops::Range;

/// Blocks scored between two looks at the bounds; a multiple of four.
const TILE: usize = 64;
/// Words of masks times blocks after which a task ends: some milliseconds.
const TASK: usize = 1 << 26;
/// Words of blocks that are worked on before the next: their plan takes about four times their bytes.
const SECTION: usize = 1 << 20;
/// Fewer blocks than this are scored directly: transposing the masks would not pay.
const SLICED_BLOCKS: usize = 8;
/// Fewer batches of seeds than this do not pay for the plan.
const SLICED_BATCHES: u64 = 8;

/// The canonical result of a checked job.
pub(crate) fn mine<L: Lanes>(l: L, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
    if job.block_count() == 0 || job.seeds.is_empty() {
        return Ok(Vec::new());
    }
    let board = Board::new(job);
    pairs::prepare(l, job.seeds.end - job.seeds.start);
    match job.filter {
        Filter::Join { words } => join::mine(l, job, words, watch, &board)?,
        _ => {
            let blocks = job.block_count();
            let section = (SECTION / job.block_bits.words()).next_multiple_of(TILE);
            for from in (0..blocks).step_by(section) {
                Section::new(l, job, &board, from..blocks.min(from + section)).mine(watch)?;
            }
        }
    }
    Ok(board.finish())
}

/// Some of a job's blocks, against all its seeds.
struct Section<'a, L: Lanes> {
    l: L,
    job: &'a Job<'a>,
    board: &'a Board,
    blocks: Range<usize>,
    /// The plan for sliced scoring, if that pays.
    classes: Option<Classes>,
    /// The largest bound for which sliced scoring pays; above it too many pairs would be weighed twice.
    sliced_bound: i32,
}

/// A thread's buffers.
struct Scratch<L: Lanes> {
    state: Vec<L::V>,
    masks: Vec<L::V>,
    slices: Slices<L>,
    sums: Sums<L>,
    bounds: Vec<i32>,
    sliced: Vec<usize>,
    direct: Vec<usize>,
    hits: Vec<Candidate>,
}

impl<'a, L: Lanes> Section<'a, L> {
    const BATCH: usize = GROUPS * L::COUNT;

    fn new(l: L, job: &'a Job<'a>, board: &'a Board, blocks: Range<usize>) -> Self {
        let words = job.block_bits.words();
        let seeds = job.seeds.end - job.seeds.start;
        let pays = blocks.len() >= SLICED_BLOCKS && seeds >= SLICED_BATCHES * Self::BATCH as u64;
        // Weights scatter around N / 2 by a standard deviation of sqrt(N) / 2.
        let bits = job.block_bits.bits() as i32;
        // What the filter lets through must stay rare: bits are left out of the counts as long as it reaches no
        // further than 4.25 deviations from N / 2, which one pair in 50,000 does.
        let room = bits / 2 - job.fold_limit.min(bits as u32 / 2) as i32 - 17 * bits.isqrt() / 8;
        let lost = (2 * (room - sliced::slack(words, 0))).clamp(0, bits / 16) as u32;
        let classes =
            pays.then(|| Classes::new(&job.blocks[blocks.start * words..blocks.end * words], words, lost));
        // Beyond three deviations, where one pair in 400 lies, it does not pay.
        let sliced_bound = bits / 2 - 3 * bits.isqrt() / 2 - sliced::slack(words, lost);
        Self { l, job, board, blocks, classes, sliced_bound }
    }

    fn mine(&self, watch: &dyn Watch) -> Result<(), MineError> {
        let words = self.job.block_bits.words();
        let span = (TASK / (Self::BATCH * words)).next_multiple_of(TILE);
        let batch = Self::BATCH as u64;
        let seeds = &self.job.seeds;
        let across = (seeds.end - seeds.start).div_ceil(batch);
        let down = self.blocks.len().div_ceil(span);
        let scratch = || Scratch {
            state: Vec::new(),
            masks: Vec::new(),
            slices: Slices::new(),
            sums: Sums::new(self.l),
            bounds: Vec::new(),
            sliced: Vec::new(),
            direct: Vec::new(),
            hits: Vec::new(),
        };
        (0..across * down as u64).into_par_iter().try_for_each_init(scratch, |scratch, task| {
            if watch.stop() {
                return Err(MineError::Stopped);
            }
            let first = seeds.start + task / down as u64 * batch;
            let count = (seeds.end - first).min(batch) as usize;
            let from = self.blocks.start + (task % down as u64) as usize * span;
            let to = self.blocks.end.min(from + span);
            self.task(scratch, first as u32, count, from..to);
            watch.advance(count as u64 * (to - from) as u64);
            Ok(())
        })
    }

    /// `seeds` seeds from `first` on, at most a batch, against some of the section's blocks.
    fn task(&self, scratch: &mut Scratch<L>, first: u32, seeds: usize, blocks: Range<usize>) {
        let Self { l, job, .. } = *self;
        let Scratch { state, masks, slices, sums, bounds, sliced, direct, hits } = scratch;
        let words = job.block_bits.words();
        // A batch that is nearly full is filled up, so that it can be sliced; its last lanes do not count.
        let classes = self.classes.as_ref().filter(|_| seeds > Self::BATCH / 2);
        let groups = if classes.is_some() { GROUPS } else { seeds.div_ceil(L::COUNT) };
        masks.resize(GROUPS * words, l.splat(0));
        masks::make(l, first, groups, words, state, masks);
        let mut filled = false;
        for from in blocks.clone().step_by(TILE) {
            let to = blocks.end.min(from + TILE);
            bounds.clear();
            bounds.extend((from..to).map(|block| self.bound(block, first)));
            sliced.clear();
            direct.clear();
            for (quad, bounds) in bounds.chunks(4).enumerate() {
                let most = bounds.iter().copied().max().unwrap_or(-1);
                if most >= 0 {
                    let sliceable = classes.is_some() && most <= self.sliced_bound;
                    if sliceable { &mut *sliced } else { &mut *direct }.push(quad);
                }
            }
            let blocks = &job.blocks[from * words..to * words];
            let tile = Tile { words, first, seeds, blocks, block: from, bounds };
            direct::score(l, tile, masks, direct, hits);
            if let Some(classes) = classes.filter(|_| !sliced.is_empty()) {
                if !filled {
                    slices.fill(l, masks, words);
                    filled = true;
                }
                let quad = (from - self.blocks.start) / 4;
                let batch = Batch { classes, quad, slices, masks };
                sliced::score(l, tile, &batch, sliced, sums, hits);
            }
            self.board.offer(hits);
        }
    }

    /// The largest fold wanted of a block, -1 for none, for seeds from `first` on.
    fn bound(&self, block: usize, first: u32) -> i32 {
        let most = self.job.block_bits.bits() / 2;
        self.board.bound(block, first).map_or(-1, |fold| fold.min(most) as i32)
    }
}
