//! The sieve: both four-word tests at every byte offset of a tile, vectorised for the machine at hand.
//!
//! Offset `o` stands for the pair of words at `o` and `o + 908` (227 words on). If they are outputs of one
//! stream, they give `y(o) = hi(x[k]) | lo(x[k+1])` for the output `k` at `o + 908`. Then
//! * `y(o)` and `y(o + 4)` pass the **index** test if the stream is fresh from `genrand`, and
//! * `lo(y(o))` is the low part of the untempered word at `o - 1584` (396 words back) by the
//!   **recurrence**, whatever the seeding.
//!
//! Inverting every bit does not change `y`, and changes the untempered word by a constant: both are looked for.
//!
//! The vector code only rejects: it lets 2^-22 and 2^-16 of random offsets through to an exact test.

use super::algebra::{B1, pair_index, undo_twist, untemper};
use fearless_simd::{Level, Simd, dispatch};

/// Words a tile has in each of the four byte phases.
pub(crate) const LANES: usize = 1024;
/// Byte offsets one tile tests.
pub(crate) const TILE: usize = 4 * LANES;
/// Bytes the recurrence looks back from an offset.
pub(crate) const BACK: usize = 4 * 396;
/// Bytes from an offset to the second word of its pair.
pub(crate) const PAIR: usize = 4 * 227;
/// Bytes after an offset the recurrence uses: its pair.
pub(crate) const RECURRENCE_AHEAD: usize = PAIR + 4;
/// Bytes after an offset the index test uses: two pairs.
pub(crate) const INDEX_AHEAD: usize = PAIR + 8;
/// Bytes a tile reads: from [`BACK`] before its first offset to [`INDEX_AHEAD`] after its last.
pub(crate) const WINDOW: usize = BACK + TILE - 1 + INDEX_AHEAD;

/// Words tested together before the accumulated result is looked at.
const GROUP: usize = 64;

/// The index of the earliest state word an index test can see: output 227 is made from words 227 and 228,
/// and the word tested follows those.
const FIRST_INDEX: u32 = 229;
/// One past the last: words 624 on are outputs.
const END_INDEX: u32 = 624;

/// What an offset passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hit {
    /// The recurrence holds.
    Recurrence {
        /// For the inverted words.
        complement: bool,
    },
    /// The index test holds, with state word `x[index - 1]` whole.
    Index {
        /// Index of the second word the test saw.
        index: u32,
        /// The state word before it.
        word: u32,
    },
}

/// Tests the [`TILE`] offsets from `window[BACK]` on; hits are pairs of the offset from there and the test
/// passed, in rising order. Bytes outside the data are anything: the caller drops hits that used them.
pub(crate) fn sieve(level: Level, window: &[u8; WINDOW], hits: &mut Vec<(usize, Hit)>) {
    let from = hits.len();
    dispatch!(level, simd => simd.vectorize(
        #[inline(always)]
        || all_phases(window, hits),
    ));
    hits[from..].sort_unstable();
}

#[inline(always)]
fn load(window: &[u8; WINDOW], at: usize, len: usize) -> &[[u8; 4]] {
    window[at..at + 4 * len].as_chunks().0
}

#[inline(always)]
fn all_phases(window: &[u8; WINDOW], hits: &mut Vec<(usize, Hit)>) {
    let mut y = [0u32; LANES + 1];
    for phase in 0..4 {
        let first = load(window, BACK + phase, LANES + 1);
        let second = load(window, BACK + phase + PAIR, LANES + 1);
        for ((y, a), b) in y.iter_mut().zip(first).zip(second) {
            *y = undo_twist(untemper(u32::from_le_bytes(*a) ^ u32::from_le_bytes(*b)));
        }
        let back = load(window, phase, LANES);
        for start in (0..LANES).step_by(GROUP) {
            let y: &[u32; GROUP + 1] = y[start..=start + GROUP].try_into().expect("a group and one");
            let back: &[[u8; 4]; GROUP] = back[start..start + GROUP].try_into().expect("a group");
            let mut passed = 0;
            for i in 0..GROUP {
                let w = u32::from_le_bytes(back[i]);
                let index = pair_index(y[i], y[i + 1]).wrapping_sub(FIRST_INDEX) & 0x7fff_fe00;
                let part = recurrence_part(y[i], w);
                passed |= u32::from(index == 0) | u32::from(part == 0) | u32::from(part == INVERTED);
            }
            if passed != 0 {
                exact(y, back, |i, hit| hits.push((4 * (start + i) + phase, hit)));
            }
        }
    }
}

/// Seventeen bits of the recurrence test, without untempering `w`: the low 17 bits of the third and second
/// last steps of tempering are those of `w ^ w >> 18`, and bit 31 of `y`, of another word, is not in them.
#[inline(always)]
const fn recurrence_part(y: u32, w: u32) -> u32 {
    let t = y ^ (y >> 11);
    (t ^ ((t << 7) & B1) ^ w ^ (w >> 18)) << 15
}

/// What [`recurrence_part`] is where the recurrence holds for inverted words.
const INVERTED: u32 = recurrence_part(0, u32::MAX);

#[cold]
fn exact(y: &[u32; GROUP + 1], back: &[[u8; 4]; GROUP], mut put: impl FnMut(usize, Hit)) {
    for i in 0..GROUP {
        let index = pair_index(y[i], y[i + 1]);
        if (FIRST_INDEX..END_INDEX).contains(&index) {
            put(i, Hit::Index { index, word: super::algebra::join(y[i + 1], y[i]) });
        }
        let w = u32::from_le_bytes(back[i]);
        for (word, complement) in [(w, false), (!w, true)] {
            if (y[i] ^ untemper(word)) << 1 == 0 {
                put(i, Hit::Recurrence { complement });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::Key;

    #[test]
    fn every_offset_of_a_fresh_stream_passes_and_no_other_and_all_levels_agree() {
        for (shift, complement) in (0..5).flat_map(|shift| [(shift, false), (shift, true)]) {
            let mut window = [0; WINDOW];
            let mut noise = 1u64;
            for byte in &mut window {
                // Not a Mersenne Twister's: Knuth's MMIX generator.
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (noise >> 56) as u8;
            }
            let start = BACK + 100 + shift;
            Key::Genrand(77).stream().fill(&mut window[start..]);
            if complement {
                window[start..].iter_mut().for_each(|b| *b = !*b);
            }
            let mut hits = Vec::new();
            sieve(Level::new(), &window, &mut hits);
            let mut baseline = Vec::new();
            all_phases(&window, &mut baseline);
            baseline.sort_unstable();
            assert_eq!(hits, baseline);
            let index: Vec<usize> =
                hits.iter().filter(|h| matches!(h.1, Hit::Index { .. })).map(|h| h.0).collect();
            let expected: Vec<usize> = (0..395).map(|k| start - BACK + 4 * k).collect();
            assert_eq!(index, expected);
            let recurrence = hits.iter().filter(|h| h.1 == Hit::Recurrence { complement });
            let expected = (start..TILE).step_by(4);
            assert!(recurrence.map(|h| h.0).eq(expected));
        }
    }
}
