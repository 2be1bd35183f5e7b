//! The kernels' CPU twins: each computes what its namesake in `shaders/` leaves in its buffers, in the plainest way.

use crate::join_table::JoinTable;
use crate::layout::{Hit, Limit, Params, groups, premix, quads};
use np_core::block::weight;
use np_core::generator::mask_words;

/// A seed's mask as kernels keep it: padded to whole quads, premixed.
pub fn premixed_mask(seed: u32, words: usize) -> Vec<u32> {
    let mut mask = vec![0; 4 * quads(words)];
    mask_words(seed, &mut mask[..words]);
    premix(&mut mask);
    mask
}

/// The seeds of a dispatch.
fn seeds(params: &Params) -> impl Iterator<Item = u32> {
    (0..params.seeds).map({
        let first = params.first_seed;
        move |i| first + i
    })
}

/// Twin of `mask`, and of `long_mask`: the mask buffer, word `w` of seed `i` at `((w / 4) * stride + i) * 4 + w % 4`. What no
/// thread writes is zero.
pub fn mask(params: &Params, words: usize) -> Vec<u32> {
    let stride = params.stride as usize;
    let mut masks = vec![0; 4 * quads(words) * stride];
    for (i, seed) in seeds(params).enumerate() {
        for (q, quad) in premixed_mask(seed, words).chunks_exact(4).enumerate() {
            masks[4 * (q * stride + i)..][..4].copy_from_slice(quad);
        }
    }
    masks
}

/// Twin of `long_mask`: the same function of the seed as `mask`.
pub fn long_mask(params: &Params, words: usize) -> Vec<u32> {
    mask(params, words)
}

/// Twin of `weigh4`, `weigh8` and `weigh16`: ones of a premixed residual, which is first mixed back.
pub fn weigh(premixed: &[u32]) -> u32 {
    let mut ones = 0;
    for (at, size) in groups(premixed.len()) {
        let group = &premixed[at..at + size];
        let mut parity = group[0];
        ones += group[0].count_ones();
        for j in 1..size {
            let word = if j.is_multiple_of(2) { group[j] ^ parity ^ group[j - 1] } else { group[j] };
            ones += word.count_ones();
            if j.is_multiple_of(2) {
                parity = group[j];
            }
        }
    }
    ones
}

/// Twin of `score` and `score_wide`, from a mask buffer: hits in the order (block, seed). `blocks` is premixed, `limits` has one entry for
/// each of its blocks.
pub fn score(params: &Params, words: usize, blocks: &[u32], limits: &[Limit], masks: &[u32]) -> Vec<Hit> {
    let (quads, stride) = (quads(words), params.stride as usize);
    let mut hits = Vec::new();
    for (b, block) in blocks.chunks_exact(4 * quads).take(params.blocks as usize).enumerate() {
        for (i, seed) in seeds(params).enumerate() {
            let mask = (0..quads).flat_map(|q| &masks[4 * (q * stride + i)..][..4]);
            let residual: Vec<u32> = block.iter().zip(mask).map(|(b, m)| b ^ m).collect();
            if limits[b].is_hit(weigh(&residual)) {
                hits.push(Hit { block: params.first_block + b as u32, seed });
            }
        }
    }
    hits
}

/// Twin of `score_wide`: the same function of its buffers as `score`.
pub fn score_wide(
    params: &Params,
    words: usize,
    blocks: &[u32],
    limits: &[Limit],
    masks: &[u32],
) -> Vec<Hit> {
    score(params, words, blocks, limits, masks)
}

/// Twin of `fused` and `fused_wide`: hits in the order (block, seed), from blocks as they are, not premixed.
pub fn fused(params: &Params, words: usize, blocks: &[u32], limits: &[Limit]) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut mask = vec![0; words];
    for seed in seeds(params) {
        mask_words(seed, &mut mask);
        for (b, block) in blocks.chunks_exact(words).take(params.blocks as usize).enumerate() {
            if limits[b].is_hit(weight(block, &mask)) {
                hits.push(Hit { block: params.first_block + b as u32, seed });
            }
        }
    }
    hits.sort_unstable();
    hits
}

/// Twin of `fused_wide`: the same function as `fused`.
pub fn fused_wide(params: &Params, words: usize, blocks: &[u32], limits: &[Limit]) -> Vec<Hit> {
    fused(params, words, blocks, limits)
}

/// Twin of `join`: seeds one of whose first `words` mask words, or its complement, is in the table at its place.
pub fn join(params: &Params, words: usize, table: &JoinTable) -> Vec<Hit> {
    let mut mask = vec![0; words];
    seeds(params)
        .filter(|seed| {
            mask_words(*seed, &mut mask);
            mask.iter().enumerate().any(|(place, word)| table.blocks(place, *word).next().is_some())
        })
        .map(|seed| Hit { block: 0, seed })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_premixed_residual_weighs_as_much_as_the_plain_one() {
        for words in [4, 5, 7, 8, 11, 12, 16, 20, 28, 33, 227, 1024] {
            let (block, mask) = (premixed_mask(1, words), premixed_mask(2, words));
            let residual: Vec<u32> = block.iter().zip(&mask).map(|(b, m)| b ^ m).collect();
            let mut plain = [vec![0; words], vec![0; words]];
            mask_words(1, &mut plain[0]);
            mask_words(2, &mut plain[1]);
            assert_eq!(weigh(&residual), weight(&plain[0], &plain[1]), "{words} words");
        }
    }
}
