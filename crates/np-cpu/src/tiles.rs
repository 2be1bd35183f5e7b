//! The driver: cuts blocks x seeds into tasks and each task into tiles that stay in the caches.

use crate::board::Board;
use crate::direct::{self, Tile};
use crate::lanes::Lanes;
use crate::masks;
use np_core::miner::{Candidate, Filter, Job, MineError, Watch};
use np_core::scalar::passes;
use rayon::prelude::*;

/// Seeds whose masks are made together.
pub(crate) const BATCH: usize = 512;
/// Blocks scored between two looks at the bounds.
const TILE: usize = 64;
/// Words of masks times blocks after which a task ends: some milliseconds.
const TASK: usize = 1 << 26;

/// A thread's buffers.
struct Scratch<L: Lanes> {
    state: Vec<L::V>,
    masks: Vec<L::V>,
    bounds: Vec<i32>,
    hits: Vec<Candidate>,
}

/// The canonical result of a checked job.
pub(crate) fn mine<L: Lanes>(l: L, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
    let blocks = job.block_count();
    if blocks == 0 || job.seeds.is_empty() {
        return Ok(Vec::new());
    }
    let board = Board::new(job);
    let words = job.block_bits.words();
    let span = blocks.min((TASK / (BATCH * words)).max(TILE));
    let seeds = job.seeds.end - job.seeds.start;
    let (across, down) = (seeds.div_ceil(BATCH as u64), blocks.div_ceil(span) as u64);
    let scratch = || Scratch { state: Vec::new(), masks: Vec::new(), bounds: Vec::new(), hits: Vec::new() };
    (0..across * down).into_par_iter().try_for_each_init(scratch, |scratch, task| {
        let first = job.seeds.start + task / down * BATCH as u64;
        let count = (job.seeds.end - first).min(BATCH as u64) as usize;
        let from = (task % down) as usize * span;
        let to = blocks.min(from + span);
        task_of(l, job, watch, &board, scratch, first as u32, count, from..to)
    })?;
    Ok(board.finish())
}

#[allow(clippy::too_many_arguments)]
fn task_of<L: Lanes>(
    l: L,
    job: &Job<'_>,
    watch: &dyn Watch,
    board: &Board,
    scratch: &mut Scratch<L>,
    first: u32,
    seeds: usize,
    blocks: std::ops::Range<usize>,
) -> Result<(), MineError> {
    if watch.stop() {
        return Err(MineError::Stopped);
    }
    let words = job.block_bits.words();
    let groups = seeds.div_ceil(L::COUNT);
    scratch.masks.resize(groups * words, l.splat(0));
    masks::make(l, first, groups, words, &mut scratch.state, &mut scratch.masks);
    for from in blocks.clone().step_by(TILE) {
        let to = blocks.end.min(from + TILE);
        scratch.bounds.clear();
        scratch.bounds.extend(
            (from..to).map(|b| board.bound(b, first).map_or(-1, |f| f.min(job.block_bits.bits()) as i32)),
        );
        let tile = Tile {
            words,
            first,
            seeds,
            blocks: &job.blocks[from * words..to * words],
            block: from,
            bounds: &scratch.bounds,
        };
        direct::score(l, tile, &scratch.masks, &mut scratch.hits);
        if let Filter::Join { .. } = job.filter {
            let mut mask = vec![0; words];
            scratch.hits.retain(|c| {
                np_core::generator::mask_words(c.seed, &mut mask);
                let at = c.block as usize * words;
                passes(job.filter, &job.blocks[at..at + words], &mask)
            });
        }
        board.offer(&mut scratch.hits);
    }
    if job.filter == Filter::All {
        watch.advance(seeds as u64 * blocks.len() as u64);
    } else if blocks.start == 0 {
        watch.advance(seeds as u64);
    }
    Ok(())
}
