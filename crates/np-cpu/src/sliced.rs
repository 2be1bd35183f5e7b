//! Sliced scoring: one register a mask *bit*, a seed in each bit of it, and adders made of logic.
//!
//! The shape for many blocks and tight bounds. With the masks of 32 registers of seeds transposed, a
//! weight is a sum of one-bit numbers, 512 seeds at a time in the widest registers; [`crate::classes`]
//! shares most of that sum between four blocks. It is a filter: it lets through every pair within its
//! block's bound and few others, and what it lets through is weighed exactly.

use crate::classes::{CLASSES, Classes, STRIDE, span_bits};
use crate::direct::Tile;
use crate::lanes::Lanes;
use np_core::miner::Candidate;

/// Low bits of a weight that the filter does not look at.
const DROPPED: usize = 3;

/// Transposes the masks of 32 groups. `slices[2 * b]` gets bit `b` of every mask, `slices[2 * b + 1]` its
/// complement: bit `g` of lane `l` is seed `g * COUNT + l`.
pub(crate) fn slice<L: Lanes>(l: L, masks: &[L::V], words: usize, slices: &mut [L::V]) {
    l.with(
        #[inline(always)]
        || {
            let ones = l.splat(u32::MAX);
            for w in 0..words {
                let mut x: [L::V; 32] = std::array::from_fn(|g| masks[g * words + w]);
                swap::<L, 16>(l, &mut x, 0x0000_ffff);
                swap::<L, 8>(l, &mut x, 0x00ff_00ff);
                swap::<L, 4>(l, &mut x, 0x0f0f_0f0f);
                swap::<L, 2>(l, &mut x, 0x3333_3333);
                swap::<L, 1>(l, &mut x, 0x5555_5555);
                for (x, out) in x.iter().zip(slices[64 * w..64 * (w + 1)].chunks_exact_mut(2)) {
                    out[0] = *x;
                    out[1] = l.xor(*x, ones);
                }
            }
        },
    );
}

/// A step of the transposition of 32 x 32 bits (H. Warren, Hacker's Delight, 7-3).
#[inline(always)]
fn swap<L: Lanes, const BY: u32>(l: L, x: &mut [L::V; 32], low: u32) {
    let low = l.splat(low);
    let by = BY as usize;
    for k in (0..32).filter(|k| k & by == 0) {
        let t = l.and(l.xor(l.shr::<BY>(x[k]), x[k + by]), low);
        x[k + by] = l.xor(x[k + by], t);
        x[k] = l.xor(x[k], l.shl::<BY>(t));
    }
}

#[inline(always)]
fn full_add<L: Lanes>(l: L, a: L::V, b: L::V, c: L::V) -> (L::V, L::V) {
    (l.xor3(a, b, c), l.maj(a, b, c))
}

/// Counts a class: `K` bits, lowest first.
#[inline(always)]
fn count<L: Lanes, const K: usize>(l: L, list: &[u16], x: &[L::V]) -> [L::V; K] {
    let mut n = [l.splat(0); K];
    for e in list.chunks_exact(STRIDE) {
        let x = |i: usize| x[e[i] as usize];
        let (one, a) = full_add(l, n[0], x(0), x(1));
        let (one, b) = full_add(l, one, x(2), x(3));
        let (two, c) = full_add(l, n[1], a, b);
        let (one, a) = full_add(l, one, x(4), x(5));
        let (one, b) = full_add(l, one, x(6), x(7));
        let (two, d) = full_add(l, two, a, b);
        let (four, mut carry) = full_add(l, n[2], c, d);
        (n[0], n[1], n[2]) = (one, two, four);
        for n in &mut n[3..] {
            (*n, carry) = (l.xor(*n, carry), l.and(*n, carry));
        }
    }
    n
}

/// `a + b`, or with `MINUS` `a + (2^K - 1 - b)`; `K` bits each, to `J = K + 1`.
#[inline(always)]
fn add<L: Lanes, const K: usize, const J: usize, const MINUS: bool>(
    l: L,
    a: [L::V; K],
    b: [L::V; K],
) -> [L::V; J] {
    let mut out = [l.splat(0); J];
    for i in 0..K {
        let carry = out[K];
        (out[i], out[K]) = if MINUS { l.full_sub(a[i], b[i], carry) } else { full_add(l, a[i], b[i], carry) };
    }
    out
}

/// The four sums of a quad, each with its offset of [`offsets`].
#[inline(always)]
fn quad<L: Lanes, const K: usize, const K1: usize, const K2: usize, const K3: usize>(
    l: L,
    list: &[u16],
    strides: [u8; CLASSES],
    x: &[L::V],
) -> [[L::V; K3]; 4] {
    let mut rest = list;
    let mut p = [[l.splat(0); K1]; 4];
    let mut m = [[l.splat(0); K1]; 4];
    for q in 0..4 {
        let (now, after) = rest.split_at(usize::from(strides[2 * q]) * STRIDE);
        let agree = count::<L, K>(l, now, x);
        let (now, after) = after.split_at(usize::from(strides[2 * q + 1]) * STRIDE);
        let differ = count::<L, K>(l, now, x);
        rest = after;
        p[q] = add::<L, K, K1, false>(l, agree, differ);
        m[q] = add::<L, K, K1, true>(l, agree, differ);
    }
    let e = add::<L, K1, K2, false>(l, p[0], p[3]);
    let f = add::<L, K1, K2, false>(l, p[1], p[2]);
    let g = add::<L, K1, K2, true>(l, p[0], p[3]);
    let h = add::<L, K1, K2, true>(l, p[1], p[2]);
    let i = add::<L, K1, K2, false>(l, m[0], m[1]);
    let j = add::<L, K1, K2, false>(l, m[2], m[3]);
    [
        add::<L, K2, K3, false>(l, e, f),
        add::<L, K2, K3, false>(l, i, j),
        add::<L, K2, K3, true>(l, g, h),
        add::<L, K2, K3, false>(l, g, h),
    ]
}

/// What [`quad`] adds to each row's signed sum.
const fn offsets(k: usize) -> [i64; 4] {
    [0, 4 * ((1 << k) - 1), (1 << (k + 2)) - 1, 2 * ((1 << (k + 1)) - 1)]
}

/// Scores the slices of a batch against the quads of a tile that `wanted` names, and appends every pair
/// whose fold is within the block's bound. The tile's first block is the first of a quad.
pub(crate) fn score<L: Lanes>(
    l: L,
    tile: Tile<'_>,
    classes: &Classes,
    wanted: impl Iterator<Item = usize>,
    slices: &[L::V],
    masks: &[L::V],
    hits: &mut Vec<Candidate>,
) {
    l.with(
        #[inline(always)]
        || {
            for local in wanted {
                let (list, strides) = classes.lists(tile.block / 4 + local, 0);
                let most = strides.iter().max().copied().unwrap_or(0);
                if most <= 15 {
                    one_span::<L, 7, 8, 9, 10, 7>(
                        l, tile, classes, local, list, strides, slices, masks, hits,
                    );
                } else {
                    one_span::<L, 10, 11, 12, 13, 10>(
                        l, tile, classes, local, list, strides, slices, masks, hits,
                    );
                }
            }
        },
    );
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn one_span<
    L: Lanes,
    const K: usize,
    const K1: usize,
    const K2: usize,
    const K3: usize,
    const SEEN: usize,
>(
    l: L,
    tile: Tile<'_>,
    classes: &Classes,
    local: usize,
    list: &[u16],
    strides: [u8; CLASSES],
    slices: &[L::V],
    masks: &[L::V],
    hits: &mut Vec<Candidate>,
) {
    let sums = quad::<L, K, K1, K2, K3>(l, list, strides, slices);
    let against = classes.against(tile.block / 4 + local);
    let bits = 32 * tile.words as i64;
    for r in 0..4 {
        let row = 4 * local + r;
        let Some(bound) = tile.bounds.get(row).filter(|b| **b >= 0) else { continue };
        let base = offsets(K)[r] - i64::from(against[r]);
        let top = (1 << K3) - 1;
        let low = (base + i64::from(*bound)).clamp(0, top) as u32;
        let high = (base + bits - i64::from(*bound)).clamp(0, top) as u32;
        let mut above = l.splat(0);
        let mut reach = l.splat(u32::MAX);
        for i in 0..SEEN {
            let sum = sums[r][DROPPED + i];
            let bit = |n: u32| l.splat((!n >> (DROPPED + i) & 1).wrapping_neg());
            above = l.maj(sum, bit(low), above);
            reach = l.maj(sum, bit(high), reach);
        }
        let hit = l.or_not(reach, above);
        if l.any(hit) {
            weigh(l, tile, row, hit, masks, hits);
        }
    }
}

#[cold]
#[inline(never)]
fn weigh<L: Lanes>(l: L, tile: Tile<'_>, row: usize, hit: L::V, masks: &[L::V], hits: &mut Vec<Candidate>) {
    let words = tile.words;
    let block = &tile.blocks[row * words..(row + 1) * words];
    let mut found = [0u32; 32];
    l.store(hit, &mut found);
    for (lane, mut groups) in found[..L::COUNT].iter().copied().enumerate() {
        while groups != 0 {
            let group = groups.trailing_zeros() as usize;
            groups &= groups - 1;
            let at = group * L::COUNT + lane;
            if at >= tile.seeds {
                continue;
            }
            let mut weight = 0;
            for (mask, block) in masks[group * words..(group + 1) * words].iter().zip(block) {
                let mut lanes = [0; 32];
                l.store(*mask, &mut lanes);
                weight += (lanes[lane] ^ block).count_ones();
            }
            let fold = weight.min(32 * words as u32 - weight);
            if fold as i32 <= tile.bounds[row] {
                hits.push(Candidate {
                    block: (tile.block + row) as u32,
                    seed: tile.first.wrapping_add(at as u32),
                    weight,
                });
            }
        }
    }
}
