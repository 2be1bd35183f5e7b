//! Direct scoring: popcount of mask ^ block, a register of seeds against four blocks at a time.
//!
//! The shape for few blocks and for loose bounds; [`crate::sliced`] is the one for many blocks.

use crate::lanes::Lanes;
use np_core::miner::Candidate;

/// Where a tile stands in its job.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// N / 32.
    pub words: usize,
    /// The seed of lane 0 of group 0.
    pub first: u32,
    /// Seeds of the batch; lanes beyond them do not count.
    pub seeds: usize,
    /// The tile's blocks, W words each.
    pub blocks: &'a [u32],
    /// The index of the first of them.
    pub block: usize,
    /// For each of them the largest fold wanted; negative: none.
    pub bounds: &'a [i32],
}

/// Scores the masks of a batch (as [`crate::masks::make`] lays them out) against the quads `wanted` of a
/// tile (0: its first four blocks), and appends every pair whose fold is within the block's bound.
pub(crate) fn score<L: Lanes>(
    l: L,
    tile: Tile<'_>,
    masks: &[L::V],
    wanted: &[usize],
    hits: &mut Vec<Candidate>,
) {
    l.with(
        #[inline(always)]
        || {
            for quad in wanted {
                let rows_left = tile.bounds.len() - 4 * quad;
                if rows_left >= 4 {
                    rows::<L, 4>(l, tile, 4 * quad, masks, hits);
                } else {
                    for row in 0..rows_left {
                        rows::<L, 1>(l, tile, 4 * quad + row, masks, hits);
                    }
                }
            }
        },
    );
}

#[inline(always)]
fn rows<L: Lanes, const R: usize>(
    l: L,
    tile: Tile<'_>,
    row: usize,
    masks: &[L::V],
    hits: &mut Vec<Candidate>,
) {
    let words = tile.words;
    let blocks: [&[u32]; R] = std::array::from_fn(|r| &tile.blocks[(row + r) * words..(row + r + 1) * words]);
    let bits = l.splat(32 * words as u32);
    for (group, mask) in masks.chunks_exact(words).take(tile.seeds.div_ceil(L::COUNT)).enumerate() {
        let mut weight = [l.splat(0); R];
        for (w, mask) in mask.iter().enumerate() {
            for (weight, block) in weight.iter_mut().zip(blocks) {
                *weight = l.add(*weight, l.ones(l.xor(*mask, l.splat(block[w]))));
            }
        }
        for (r, weight) in weight.into_iter().enumerate() {
            let bound = tile.bounds[row + r];
            let fold = l.min(weight, l.sub(bits, weight));
            // One more on both sides, so that a bound of -1 needs no signed compare anywhere.
            let lanes = l.at_most(l.add(fold, l.splat(1)), l.splat((bound + 1) as u32));
            if lanes != 0 {
                append(l, tile, row + r, group, lanes, weight, hits);
            }
        }
    }
}

#[cold]
#[inline(never)]
fn append<L: Lanes>(
    l: L,
    tile: Tile<'_>,
    row: usize,
    group: usize,
    mut lanes: u32,
    weight: L::V,
    hits: &mut Vec<Candidate>,
) {
    let mut weights = [0; 32];
    l.store(weight, &mut weights);
    while lanes != 0 {
        let lane = lanes.trailing_zeros() as usize;
        lanes &= lanes - 1;
        let at = group * L::COUNT + lane;
        if at < tile.seeds {
            hits.push(Candidate {
                block: (tile.block + row) as u32,
                seed: tile.first.wrapping_add(at as u32),
                weight: weights[lane],
            });
        }
    }
}
