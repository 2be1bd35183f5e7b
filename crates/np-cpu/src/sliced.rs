//! Sliced scoring: a register a mask *bit*, a seed in each bit of it, and adders made of logic.
//!
//! The shape for many blocks and tight bounds. A weight is a sum of one-bit numbers, taken for a whole
//! batch of seeds at once; [`crate::classes`] shares most of that sum between four blocks. It is a
//! filter: it lets through every pair within its block's bound and few others, and what it lets through
//! is weighed exactly.

use crate::classes::{self, CLASSES, Classes, Quad, SLOTS, STRIDE, Slot};
use crate::direct::Tile;
use crate::lanes::Lanes;
use crate::slices::Slices;
use np_core::miner::Candidate;

/// Low bits of a weight that the last comparison does not look at.
const DROPPED: usize = 3;

/// Low bits of each class's count that are left out of the sums of a block of so many spans.
const fn rounding(spans: usize) -> usize {
    // What that costs grows with the spans, faster than weights scatter.
    if spans == 1 { 1 } else { 0 }
}

/// How far beyond a bound the filter reaches, on the average, for blocks of `words` words of which `lost`
/// bits are not counted: the three sources of slack, each from its middle.
pub(crate) fn slack(words: usize, lost: u32) -> i32 {
    let spans = classes::spans(words);
    let rounded = CLASSES / 2 * ((1 << rounding(spans)) - 1) * spans;
    (lost / 2) as i32 + rounded as i32 + (1 << DROPPED) - 1
}

/// Bits of a sum over all spans: at most 2^13 a span and 64 spans.
const TOTAL: usize = 20;
/// Bits of a class's count: at most 2^9 slices and the padding.
const COUNT: usize = 10;

/// Scratch space of [`score`].
pub(crate) struct Sums<L: Lanes> {
    /// Sums of a tile's quads over the spans so far.
    rows: Vec<[[L::V; TOTAL]; 4]>,
    /// Counts of a quad's classes. Here because clearing a local array for each quad would cost a tenth of it.
    counts: [[L::V; COUNT]; CLASSES],
}

impl<L: Lanes> Sums<L> {
    /// Nothing summed yet.
    pub(crate) fn new(l: L) -> Self {
        Self { rows: Vec::new(), counts: [[l.splat(0); COUNT]; CLASSES] }
    }
}

/// What a tile is scored with.
pub(crate) struct Batch<'a, L: Lanes> {
    /// The plan for the job's blocks.
    pub classes: &'a Classes,
    /// Where the tile's first quad stands in it.
    pub quad: usize,
    /// The batch's masks transposed.
    pub slices: &'a Slices<L>,
    /// The same as [`crate::masks::make`] lays them out.
    pub masks: &'a [L::V],
}

/// Scores a batch against the quads `wanted` of a tile (0: its first four blocks), and appends every pair
/// whose fold is within the block's bound.
pub(crate) fn score<L: Lanes>(
    l: L,
    tile: Tile<'_>,
    batch: &Batch<'_, L>,
    wanted: &[usize],
    sums: &mut Sums<L>,
    hits: &mut Vec<Candidate>,
) {
    let spans = batch.classes.spans;
    let Sums { rows, counts } = sums;
    rows.resize(wanted.len(), [[l.splat(0); TOTAL]; 4]);
    if spans > 1 {
        rows.fill([[l.splat(0); TOTAL]; 4]);
    }
    for span in 0..spans {
        let x = batch.slices.span(span);
        for (rows, local) in rows.iter_mut().zip(wanted) {
            let quad = batch.quad + local;
            let lists = batch.classes.lists(quad, span);
            match (batch.classes.quad(quad).small, spans) {
                (true, 1) => four::<L, 7, 6, 7, 8, 9, false>(l, lists, x, counts, rows),
                (true, _) => four::<L, 7, 7, 8, 9, 10, true>(l, lists, x, counts, rows),
                (false, 1) => four::<L, 10, 9, 10, 11, 12, false>(l, lists, x, counts, rows),
                (false, _) => four::<L, 10, 10, 11, 12, 13, true>(l, lists, x, counts, rows),
            }
        }
    }
    l.with(
        #[inline(always)]
        || {
            for (sums, local) in rows.iter().zip(wanted) {
                let common = batch.classes.quad(batch.quad + local);
                match (common.small, spans) {
                    (true, 1) => compare::<L, 9>(l, tile, batch.masks, *local, common, 1, sums, hits),
                    (false, 1) => compare::<L, 12>(l, tile, batch.masks, *local, common, 1, sums, hits),
                    _ => compare::<L, TOTAL>(l, tile, batch.masks, *local, common, spans, sums, hits),
                }
            }
        },
    );
}

#[inline(always)]
fn full_add<L: Lanes>(l: L, a: L::V, b: L::V, c: L::V) -> (L::V, L::V) {
    (l.xor3(a, b, c), l.maj(a, b, c))
}

/// Counts a class: `K` bits, lowest first.
#[inline(always)]
fn count<L: Lanes, const K: usize>(l: L, list: &[Slot], x: &[L::V; SLOTS]) -> [L::V; K] {
    let mut n = [l.splat(0); K];
    let (double, single) = list.as_chunks::<{ 2 * STRIDE }>();
    for e in double {
        let a = stride(l, &mut n, &e[..STRIDE], x);
        let b = stride(l, &mut n, &e[STRIDE..], x);
        let carry;
        (n[4], carry) = full_add(l, n[4], a, b);
        ripple(l, &mut n[5..], carry);
    }
    if !single.is_empty() {
        let carry = stride(l, &mut n, single, x);
        ripple(l, &mut n[4..], carry);
    }
    n
}

/// Adds a carry.
#[inline(always)]
fn ripple<L: Lanes>(l: L, n: &mut [L::V], mut carry: L::V) {
    for n in n {
        (*n, carry) = (l.xor(*n, carry), l.and(*n, carry));
    }
}

/// Adds [`STRIDE`] slices to the lowest four bits; what is given is the carry.
#[inline(always)]
fn stride<L: Lanes, const K: usize>(l: L, n: &mut [L::V; K], e: &[Slot], x: &[L::V; SLOTS]) -> L::V {
    let (one, two, four, a) = eight(l, [n[0], n[1], n[2]], &e[..8], x);
    let (one, two, four, b) = eight(l, [one, two, four], &e[8..16], x);
    let carry;
    (n[0], n[1], n[2]) = (one, two, four);
    (n[3], carry) = full_add(l, n[3], a, b);
    carry
}

/// Adds eight slices to a sum of three bits; the fourth is the carry.
#[inline(always)]
fn eight<L: Lanes>(
    l: L,
    [one, two, four]: [L::V; 3],
    e: &[Slot],
    x: &[L::V; SLOTS],
) -> (L::V, L::V, L::V, L::V) {
    let (one, a) = full_add(l, one, e[0].of(x), e[1].of(x));
    let (one, b) = full_add(l, one, e[2].of(x), e[3].of(x));
    let (two, c) = full_add(l, two, a, b);
    let (one, a) = full_add(l, one, e[4].of(x), e[5].of(x));
    let (one, b) = full_add(l, one, e[6].of(x), e[7].of(x));
    let (two, d) = full_add(l, two, a, b);
    let (four, carry) = full_add(l, four, c, d);
    (one, two, four, carry)
}

/// `a + b`: `K` bits each, to `J = K + 1`.
#[inline(always)]
fn add<L: Lanes, const K: usize, const J: usize>(l: L, a: &[L::V; K], b: &[L::V; K]) -> [L::V; J] {
    let mut carry = l.splat(0);
    let mut out = [carry; J];
    for i in 0..K {
        (out[i], carry) = full_add(l, a[i], b[i], carry);
    }
    out[K] = carry;
    out
}

/// `a + (2^K - 1 - b)`: `K` bits each, to `J = K + 1`. Never negative, unlike `a - b`.
#[inline(always)]
fn less<L: Lanes, const K: usize, const J: usize>(l: L, a: &[L::V; K], b: &[L::V; K]) -> [L::V; J] {
    let mut carry = l.splat(0);
    let mut out = [carry; J];
    for i in 0..K {
        (out[i], carry) = l.full_sub(a[i], b[i], carry);
    }
    out[K] = carry;
    out
}

/// For each row of a quad the signed sum of its classes' counts, of which the lowest `C - K` bits of `C` are left out,
/// and the [`offset`] that keeps it from being negative.
/// Classes go by the rows that differ from row 0: row 1 is the lowest bit, row 3 the highest.
///
/// A function of its own for each width, and a loop over the classes: the compiler takes very long otherwise.
#[inline(never)]
fn four<
    L: Lanes,
    const C: usize,
    const K: usize,
    const K1: usize,
    const K2: usize,
    const K3: usize,
    const MORE: bool,
>(
    l: L,
    (list, strides): (&[Slot], [u8; CLASSES]),
    x: &[L::V; SLOTS],
    counts: &mut [[L::V; COUNT]; CLASSES],
    out: &mut [[L::V; TOTAL]; 4],
) {
    l.with(
        #[inline(always)]
        || {
            let mut rest = list;
            for (class, strides) in counts.iter_mut().zip(strides) {
                let now;
                (now, rest) = rest.split_at(usize::from(strides) * STRIDE);
                class[..K].copy_from_slice(&count::<L, C>(l, now, x)[C - K..]);
            }
            let zero = l.splat(0);
            let none = [zero; K];
            let counts: [&[L::V; K]; CLASSES] =
                std::array::from_fn(|c| counts[c].first_chunk().unwrap_or(&none));
            let (mut p, mut m) = ([[zero; K1]; 4], [[zero; K1]; 4]);
            for q in 0..4 {
                p[q] = add(l, counts[2 * q], counts[2 * q + 1]);
                m[q] = less(l, counts[2 * q], counts[2 * q + 1]);
            }
            let e: [L::V; K2] = add(l, &p[0], &p[3]);
            let f: [L::V; K2] = add(l, &p[1], &p[2]);
            accumulate::<L, K3, MORE>(l, &mut out[0], &add(l, &e, &f));
            let g: [L::V; K2] = less(l, &p[0], &p[3]);
            let h: [L::V; K2] = less(l, &p[1], &p[2]);
            accumulate::<L, K3, MORE>(l, &mut out[2], &less(l, &g, &h));
            accumulate::<L, K3, MORE>(l, &mut out[3], &add(l, &g, &h));
            let i: [L::V; K2] = add(l, &m[0], &m[1]);
            let j: [L::V; K2] = add(l, &m[2], &m[3]);
            accumulate::<L, K3, MORE>(l, &mut out[1], &add(l, &i, &j));
        },
    );
}

/// What [`four`] adds to the sum of a row in each span, where a class count has `k` bits.
const fn offset(k: u32, row: usize) -> i64 {
    match row {
        0 => 0,
        1 => 4 * ((1 << k) - 1),
        2 => (1 << (k + 2)) - 1,
        _ => 2 * ((1 << (k + 1)) - 1),
    }
}

/// Sets a sum, or adds to it.
#[inline(always)]
fn accumulate<L: Lanes, const K: usize, const MORE: bool>(l: L, sum: &mut [L::V; TOTAL], more: &[L::V; K]) {
    if !MORE {
        sum[..K].copy_from_slice(more);
        return;
    }
    let mut carry = l.splat(0);
    for (sum, more) in sum.iter_mut().zip(more) {
        (*sum, carry) = full_add(l, *sum, *more, carry);
    }
    for sum in &mut sum[K..] {
        (*sum, carry) = (l.xor(*sum, carry), l.and(*sum, carry));
    }
}

/// Finds the seeds whose sums are low or high enough, for each row of a quad.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn compare<L: Lanes, const K: usize>(
    l: L,
    tile: Tile<'_>,
    masks: &[L::V],
    local: usize,
    common: Quad,
    spans: usize,
    sums: &[[L::V; TOTAL]; 4],
    hits: &mut Vec<Candidate>,
) {
    let mut found = [l.splat(0); 4];
    let mut any = l.splat(0);
    for r in 0..4 {
        let Some(bound) = tile.bounds.get(4 * local + r).filter(|b| **b >= 0) else { continue };
        // counted weight = (sum - offset) << round + differ + what was rounded off, a class's share of which has the class's
        // sign; weight = counted weight + 0 to lost. Wanted is a weight at most bound or at least N - bound.
        let round = rounding(spans);
        let k = if common.small { 7 } else { 10 } - round as u32;
        let base = spans as i64 * offset(k, r);
        let (plus, minus) = if r == 0 { (CLASSES, 0) } else { (CLASSES / 2, CLASSES / 2) };
        let rounded = |classes: usize| (spans * classes * ((1 << round) - 1)) as i64;
        let differ = i64::from(common.differ[r]);
        let bits = 32 * tile.words as i64;
        let low = i64::from(*bound) - differ + rounded(minus);
        let high = bits - i64::from(*bound) - i64::from(common.lost) - differ - rounded(plus);
        // The shift rounds down: too low a bound for `sum >= high` only lets more through.
        let (low, high) = (base + (low >> round), base + (high >> round));
        let top = (1 << K) - 1;
        let (low, high) = (low.clamp(0, top) as u32, high.clamp(0, top) as u32);
        // Whether sum > low and whether sum >= high, from the lowest bit looked at up.
        let (mut gates_low, mut gates_high) = ([0; K], [0; K]);
        for i in 0..K {
            gates_low[i] = (!low >> i & 1).wrapping_neg();
            gates_high[i] = (!high >> i & 1).wrapping_neg();
        }
        let mut above = l.splat(0);
        let mut reach = l.splat(u32::MAX);
        for i in DROPPED - round..K {
            above = l.maj(sums[r][i], l.splat(gates_low[i]), above);
            reach = l.maj(sums[r][i], l.splat(gates_high[i]), reach);
        }
        found[r] = l.or_not(reach, above);
        any = l.or_not(any, l.xor(found[r], l.splat(u32::MAX)));
    }
    if l.any(any) {
        for (r, found) in found.into_iter().enumerate() {
            weigh(l, tile, 4 * local + r, found, masks, hits);
        }
    }
}

/// Weighs the pairs of a row that passed the filter, and appends those within the bound.
#[cold]
#[inline(never)]
fn weigh<L: Lanes>(l: L, tile: Tile<'_>, row: usize, found: L::V, masks: &[L::V], hits: &mut Vec<Candidate>) {
    let words = tile.words;
    let mut lanes = [0u32; 32];
    l.store(found, &mut lanes);
    for (lane, mut groups) in lanes[..L::COUNT].iter().copied().enumerate() {
        while groups != 0 {
            let group = groups.trailing_zeros() as usize;
            groups &= groups - 1;
            let at = group * L::COUNT + lane;
            if at >= tile.seeds {
                continue;
            }
            let block = &tile.blocks[row * words..(row + 1) * words];
            let mask = &masks[group * words..(group + 1) * words];
            let mut weight = 0;
            for (mask, block) in mask.iter().zip(block) {
                let mut mask_lanes = [0; 32];
                l.store(*mask, &mut mask_lanes);
                weight += (mask_lanes[lane] ^ block).count_ones();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kernel;
    use crate::kernel::Stage;
    use crate::masks;
    use crate::parity::{Noise, blocks};
    use crate::slices::GROUPS;
    use np_core::block::weight;
    use np_core::generator::mask_words;

    /// Bounds so loose that pairs stand at them, blocks of every kind, and bits left out.
    struct Loose {
        words: usize,
        budget: u32,
    }

    impl Stage for Loose {
        type Out = u32;
        fn run<L: Lanes>(self, l: L) -> u32 {
            const COUNT: usize = 23;
            const FIRST: u32 = 5;
            let Self { words, budget } = self;
            let seeds = GROUPS * L::COUNT - 3;
            let blocks = blocks(&mut Noise(7), words, COUNT, &(5..250));
            let mut masks = vec![l.splat(0); GROUPS * words];
            masks::make(l, FIRST, GROUPS, words, &mut Vec::new(), &mut masks);
            let mut slices = Slices::new();
            slices.fill(l, &masks, words);
            let classes = Classes::new(&blocks, words, budget);
            let n = 32 * words as i32;
            let bounds: Vec<i32> = (0..COUNT)
                .map(|i| [n / 2 - n.isqrt(), n / 2 - n.isqrt() / 2, -1, n / 10, 0][i % 5])
                .collect();
            let tile = Tile { words, first: FIRST, seeds, blocks: &blocks, block: 100, bounds: &bounds };
            let wanted: Vec<usize> = (0..COUNT.div_ceil(4)).filter(|quad| *quad != 3).collect();
            let batch = Batch { classes: &classes, quad: 0, slices: &slices, masks: &masks };
            let mut hits = Vec::new();
            score(l, tile, &batch, &wanted, &mut Sums::new(l), &mut hits);

            let mut expected = Vec::new();
            let mut mask = vec![0; words];
            for (row, bound) in bounds.iter().enumerate().filter(|(row, _)| row / 4 != 3) {
                for seed in FIRST..FIRST + seeds as u32 {
                    mask_words(seed, &mut mask);
                    let weight = weight(&blocks[row * words..(row + 1) * words], &mask);
                    if weight.min(n as u32 - weight) as i32 <= *bound {
                        expected.push(Candidate { block: 100 + row as u32, seed, weight });
                    }
                }
            }
            hits.sort_unstable_by_key(|hit| (hit.block, hit.seed));
            assert!(expected.len() > 20);
            assert!(hits == expected, "{} of {} pairs, {words} words", hits.len(), expected.len());
            (0..COUNT.div_ceil(4)).map(|quad| classes.quad(quad).lost).sum()
        }
    }

    #[test]
    fn what_is_left_out_loses_no_pair() {
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
            let mut lost = 0;
            for words in [4, 5, 16, 17, 40] {
                for budget in [0, 9, 2 * words as u32, 8 * words as u32] {
                    lost += kernel.run(Loose { words, budget });
                }
            }
            assert!(lost > 1000, "{} left out {lost} bits", kernel.id());
        }
    }
}
