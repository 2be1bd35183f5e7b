//! The join: blocks found by hashing, at a cost that does not grow with their number.
//!
//! Every leading word of every block goes into an [`Index`], in the polarity whose top bit is zero. A seed's
//! leading mask words are looked up there: first in a bit filter that stays in the caches, then in a larger
//! one, where nearly all end, then among the entries themselves. Each of the three goes over a whole batch,
//! so that the memory has many questions at a time. A hash may lie, so what is found is checked on the
//! words before it is weighed.

use crate::board::Board;
use crate::index::{Index, MULTIPLIER, salt};
use crate::lanes::Lanes;
use crate::masks;
use crate::slices::GROUPS;
use np_core::block::weight;
use np_core::generator::mask_words;
use np_core::miner::{Candidate, Filter, Job, MineError, Watch};
use np_core::scalar::passes;
use rayon::prelude::*;

/// Batches of seeds a task takes.
const BATCHES: usize = 32;
/// How many questions ahead the memory is asked: a look that misses the caches takes as long as many that do not.
const AHEAD: usize = 64;

/// A thread's buffers.
struct Scratch<L: Lanes> {
    state: Vec<L::V>,
    masks: Vec<L::V>,
    /// Hashes of a batch: the seeds of the first place, then those of the next.
    hashes: Vec<u32>,
    /// Indices into `hashes` that the filter let through.
    passed: Vec<u32>,
    mask: Vec<u32>,
    hits: Vec<Candidate>,
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
    let batch = GROUPS * L::COUNT;
    let task_seeds = (batch * BATCHES) as u64;
    let tasks = (job.seeds.end - job.seeds.start).div_ceil(task_seeds);
    let scratch = || Scratch {
        state: Vec::new(),
        masks: vec![l.splat(0); GROUPS * places],
        hashes: vec![0; batch * places],
        passed: vec![0; batch * places],
        mask: vec![0; words],
        hits: Vec::new(),
    };
    (0..tasks).into_par_iter().try_for_each_init(scratch, |scratch, task| {
        if watch.stop() {
            return Err(MineError::Stopped);
        }
        let start = job.seeds.start + task * task_seeds;
        let end = job.seeds.end.min(start + task_seeds);
        for first in (start..end).step_by(batch) {
            let seeds = (end - first).min(batch as u64) as usize;
            probe(l, job, &index, places, first as u32, seeds, scratch, board);
        }
        watch.advance(end - start);
        Ok(())
    })
}

#[allow(clippy::too_many_arguments)]
fn probe<L: Lanes>(
    l: L,
    job: &Job<'_>,
    index: &Index,
    places: usize,
    first: u32,
    seeds: usize,
    scratch: &mut Scratch<L>,
    board: &Board,
) {
    let Scratch { state, masks, hashes, passed, mask, hits } = scratch;
    let batch = GROUPS * L::COUNT;
    masks::make(l, first, seeds.div_ceil(L::COUNT), places, state, masks);
    let count = l.with(
        #[inline(always)]
        || filter(l, index, places, masks, hashes, passed),
    );
    let words = job.block_bits.words();
    let mut made = None;
    for at in passed[..count].iter().map(|at| *at as usize) {
        let (hash, seed) = (hashes[at], at % batch);
        if seed >= seeds {
            continue;
        }
        for block in index.blocks(hash) {
            if made != Some(seed) {
                mask_words(first.wrapping_add(seed as u32), mask);
                made = Some(seed);
            }
            let bits = &job.blocks[block as usize * words..(block as usize + 1) * words];
            if passes(Filter::Join { words: places as u32 }, bits, mask) {
                let seed = first.wrapping_add(seed as u32);
                hits.push(Candidate { block, seed, weight: weight(bits, mask) });
            }
        }
        if !hits.is_empty() {
            board.offer(hits);
        }
    }
}

/// Hashes a batch's words, and lists those that the filter lets through.
#[inline(always)]
fn filter<L: Lanes>(
    l: L,
    index: &Index,
    places: usize,
    masks: &[L::V],
    hashes: &mut [u32],
    passed: &mut [u32],
) -> usize {
    let batch = GROUPS * L::COUNT;
    let (multiplier, ones) = (l.splat(MULTIPLIER), l.splat(u32::MAX));
    for place in 0..places {
        let salt = l.splat(salt(place));
        for (group, out) in hashes[place * batch..(place + 1) * batch].chunks_exact_mut(L::COUNT).enumerate()
        {
            let word = masks[group * places + place];
            let canonical = l.min(word, l.xor(word, ones));
            l.store(l.mul(l.xor(canonical, salt), multiplier), out);
        }
    }
    // No branch on what is found: which seeds pass cannot be predicted.
    let mut count = 0;
    for (at, hash) in hashes.iter().enumerate() {
        index.near.fetch(hashes[(at + AHEAD).min(hashes.len() - 1)]);
        passed[count] = at as u32;
        count += index.near.has(*hash);
    }
    if let Some(far) = &index.far {
        let near = count;
        count = 0;
        for i in 0..near {
            far.fetch(hashes[passed[(i + AHEAD).min(near - 1)] as usize]);
            let at = passed[i];
            passed[count] = at;
            count += far.has(hashes[at as usize]);
        }
    }
    count
}
