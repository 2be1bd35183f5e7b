//! The join: blocks found by hashing, at a cost that does not grow with their number.
//!
//! Every leading word of every block goes into an [`Index`], in the polarity whose top bit is zero. A seed's
//! leading mask words are looked up there: first in a bit filter that stays in the caches, a register of hashes at
//! a time, then in a larger one, where nearly all end, then among the entries themselves. What is found waits
//! until there is enough to make its masks together. A hash may lie, so it is checked on the words before it is
//! weighed.

use crate::board::Board;
use crate::index::{Index, MULTIPLIER, salt};
use crate::lanes::Lanes;
use crate::masks;
use crate::slices::GROUPS;
use np_core::block::weight;
use np_core::generator::lanes::mask_many;
use np_core::miner::{Candidate, Filter, Job, MineError, Watch};
use np_core::scalar::passes;
use rayon::prelude::*;

/// Batches of seeds a task takes.
const BATCHES: usize = 32;
/// Blocks found that wait for their masks.
const FOUND: usize = 1024;

/// A join under way.
struct Join<'a, L> {
    l: L,
    job: &'a Job<'a>,
    board: &'a Board,
    /// How many leading words of a mask are looked up.
    places: usize,
    index: Index,
}

/// A thread's buffers.
struct Scratch<L: Lanes> {
    state: Vec<L::V>,
    masks: Vec<L::V>,
    /// What the first filter let through of the last batch, and room for that of the next.
    passed: [Passed; 2],
    /// Blocks, and the seeds that may fit them.
    found: (Vec<u32>, Vec<u32>),
    found_masks: Vec<u32>,
    hits: Vec<Candidate>,
}

/// What a filter let through of a batch of `of` seeds: words' hashes, and which of the seeds have them. Only the first
/// `count` are meant, and of them not the seeds from `of` on.
#[derive(Default)]
struct Passed {
    first: u32,
    of: u32,
    hashes: Vec<u32>,
    seeds: Vec<u32>,
    count: usize,
}

/// The candidates of a job with [`Filter::Join`], on the board.
pub(crate) fn mine<L: Lanes>(
    l: L,
    job: &Job<'_>,
    places: u32,
    watch: &dyn Watch,
    board: &Board,
) -> Result<(), MineError> {
    let words = job.block_bits.words();
    let places = words.min(places as usize);
    let index = Index::new(job.blocks, words, places, watch)?;
    let join = Join { l, job, board, places, index };
    let batch = GROUPS * L::COUNT;
    let task_seeds = (batch * BATCHES) as u64;
    let tasks = (job.seeds.end - job.seeds.start).div_ceil(task_seeds);
    let scratch = || Scratch {
        state: Vec::new(),
        masks: vec![l.splat(0); GROUPS * places],
        passed: [(); 2].map(|()| Passed::new(batch * places + L::COUNT)),
        found: (Vec::with_capacity(FOUND), Vec::with_capacity(FOUND)),
        found_masks: Vec::new(),
        hits: Vec::new(),
    };
    (0..tasks).into_par_iter().try_for_each_init(scratch, |scratch, task| {
        if watch.stop() {
            return Err(MineError::Stopped);
        }
        let start = job.seeds.start + task * task_seeds;
        let end = job.seeds.end.min(start + task_seeds);
        for first in (start..end).step_by(batch) {
            join.probe(first as u32, (end - first).min(batch as u64) as usize, scratch);
        }
        join.settle(scratch);
        join.weigh(scratch);
        watch.advance(end - start);
        Ok(())
    })
}

impl Passed {
    /// Of a batch of so many words and a register more.
    fn new(words: usize) -> Self {
        Self { hashes: vec![0; words], seeds: vec![0; words], ..Self::default() }
    }
}

impl<L: Lanes> Join<'_, L> {
    /// Sends the masks of `seeds` seeds, a batch at most, through the first filter, and the batch before through the rest.
    fn probe(&self, first: u32, seeds: usize, scratch: &mut Scratch<L>) {
        let groups = seeds.div_ceil(L::COUNT);
        let masks = &mut scratch.masks[..groups * self.places];
        masks::make(self.l, first, groups, self.places, &mut scratch.state, masks);
        let passed = &mut scratch.passed[1];
        (passed.first, passed.of) = (first, seeds as u32);
        passed.count = self.l.with(
            #[inline(always)]
            || self.filter(masks, passed),
        );
        if let Some(far) = &self.index.far {
            passed.hashes[..passed.count].iter().for_each(|hash| far.fetch(*hash));
        }
        self.settle(scratch);
        scratch.passed.swap(0, 1);
    }

    /// Hashes a batch's words, lists those that the first filter lets through, and returns how many.
    #[inline(always)]
    fn filter(&self, masks: &[L::V], passed: &mut Passed) -> usize {
        let l = self.l;
        let (multiplier, ones) = (l.splat(MULTIPLIER), l.splat(u32::MAX));
        let mut count = 0;
        for place in 0..self.places {
            let salt = l.splat(salt(place));
            let mut lanes = l.load(&LANES);
            for masks in masks.chunks_exact(self.places) {
                let canonical = l.min(masks[place], l.xor(masks[place], ones));
                let hash = l.mul(l.xor(canonical, salt), multiplier);
                let found = self.index.near.has_lanes(l, hash);
                l.pick(found, hash, &mut passed.hashes[count..]);
                count += l.pick(found, lanes, &mut passed.seeds[count..]);
                lanes = l.add(lanes, l.splat(L::COUNT as u32));
            }
        }
        count
    }

    /// Looks up what the first filter let through of the last batch. What the second is asked for came while a batch was
    /// made.
    fn settle(&self, scratch: &mut Scratch<L>) {
        let mut passed = std::mem::take(&mut scratch.passed[0]);
        let Passed { first, of, hashes, seeds, count } = &mut passed;
        if let Some(far) = &self.index.far {
            // No branch on what is found: which pass cannot be predicted.
            let mut further = 0;
            for i in 0..*count {
                let hash = hashes[i];
                hashes[further] = hash;
                seeds[further] = seeds[i];
                further += far.has(hash);
            }
            *count = further;
        }
        for (hash, seed) in hashes[..*count].iter().zip(&*seeds).filter(|(_, seed)| *seed < of) {
            for block in self.index.blocks(*hash) {
                scratch.found.0.push(block);
                scratch.found.1.push(first.wrapping_add(*seed));
                if scratch.found.0.len() == FOUND {
                    self.weigh(scratch);
                }
            }
        }
        *count = 0;
        scratch.passed[0] = passed;
    }

    /// Offers what was found, if it is so, and forgets it.
    fn weigh(&self, scratch: &mut Scratch<L>) {
        let Scratch { found: (blocks, seeds), found_masks, hits, .. } = scratch;
        let words = self.job.block_bits.words();
        found_masks.resize(seeds.len() * words, 0);
        mask_many(seeds, words, found_masks);
        for ((block, seed), mask) in
            blocks.drain(..).zip(seeds.drain(..)).zip(found_masks.chunks_exact(words))
        {
            let bits = &self.job.blocks[block as usize * words..(block as usize + 1) * words];
            if passes(Filter::Join { words: self.places as u32 }, bits, mask) {
                hits.push(Candidate { block, seed, weight: weight(bits, mask) });
            }
        }
        self.board.offer(hits);
    }
}

/// The numbers of the lanes.
static LANES: [u32; 32] = {
    let mut lanes = [0; 32];
    let mut lane = 0;
    while lane < 32 {
        lanes[lane] = lane as u32;
        lane += 1;
    }
    lanes
};
