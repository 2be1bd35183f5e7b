//! Mask making for many seeds at once: each lane of a vector runs the short form of one `genrand` stream.
//!
//! Written once over the native vector of the machine at hand (16, 8 or 4 words), `CHAINS` of them at a
//! time, because each step of the seeding waits for a multiplication that others can overlap.

use super::mt19937::{INIT, M, MATRIX_A, SHORT_WORDS};
use fearless_simd::{Level, Simd, SimdBase, dispatch};

/// Vectors worked on together: enough to hide the multiplier's latency, few enough for 16 registers.
const CHAINS: usize = 8;

/// Lanes of the widest native vector.
const WIDEST: usize = 16;

/// Seeds fewer than this are faster one by one.
const FEW: usize = 4;

/// Writes the first `words` words of each seed's `genrand` stream, one seed's after another's.
/// `out.len()` is `seeds.len() * words`. The same as [`super::mask_words`] for each.
pub fn mask_many(seeds: &[u32], words: usize, out: &mut [u32]) {
    mask_many_at(Level::new(), seeds, words, out);
}

fn mask_many_at(level: Level, seeds: &[u32], words: usize, out: &mut [u32]) {
    assert_eq!(out.len(), seeds.len() * words, "room for each seed's words");
    if words == 0 {
        return;
    }
    if words > SHORT_WORDS || seeds.len() < FEW {
        for (seed, out) in seeds.iter().zip(out.chunks_exact_mut(words)) {
            super::mask_words(*seed, out);
        }
        return;
    }
    dispatch!(level, simd => short(simd, seeds, words, out));
}

#[inline(always)]
fn short<S: Simd>(simd: S, seeds: &[u32], words: usize, out: &mut [u32]) {
    let lanes = CHAINS * S::u32s::LEN;
    let mut state = vec![[S::u32s::splat(simd, 0); CHAINS]; words + 1];
    for (seeds, out) in seeds.chunks(lanes).zip(out.chunks_mut(lanes * words)) {
        let mut padded = [0; CHAINS * WIDEST];
        padded[..seeds.len()].copy_from_slice(seeds);
        let x = std::array::from_fn(|c| {
            S::u32s::from_slice(simd, &padded[c * S::u32s::LEN..(c + 1) * S::u32s::LEN])
        });
        make::<S>(simd, x, &mut state);
        put::<S>(simd, &state[..words], out);
    }
}

/// As [`super::mt19937::first_words`], in every lane: from the seeds `x`, the masks' word `k` goes to `state[k]`.
#[inline(always)]
fn make<S: Simd>(simd: S, mut x: [S::u32s; CHAINS], state: &mut [[S::u32s; CHAINS]]) {
    let words = state.len() - 1;
    state[0] = x;
    for (i, kept) in (1..).zip(&mut state[1..]) {
        step::<S>(simd, &mut x, i);
        *kept = x;
    }
    for i in words + 1..M {
        step::<S>(simd, &mut x, i as u32);
    }
    for k in 0..words {
        step::<S>(simd, &mut x, (M + k) as u32);
        let next = state[k + 1];
        for c in 0..CHAINS {
            state[k][c] = temper::<S>(x[c] ^ twist::<S>(simd, state[k][c], next[c]));
        }
    }
}

/// `init_step` in every lane.
#[inline(always)]
fn step<S: Simd>(simd: S, x: &mut [S::u32s; CHAINS], i: u32) {
    let i = S::u32s::splat(simd, i);
    for x in x {
        *x = (*x ^ (*x >> 30)) * INIT + i;
    }
}

/// [`super::mt19937::temper`] in every lane.
#[inline(always)]
pub(super) fn temper<S: Simd>(mut y: S::u32s) -> S::u32s {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    y ^ (y >> 18)
}

/// [`super::mt19937::twist`] in every lane.
#[inline(always)]
pub(super) fn twist<S: Simd>(simd: S, a: S::u32s, b: S::u32s) -> S::u32s {
    let y = (a & 0x8000_0000) | (b & 0x7fff_ffff);
    let odd = S::u32s::splat(simd, 0) - (y & 1);
    (y >> 1) ^ (odd & MATRIX_A)
}

/// Turns lanes into rows: lane `l` of chain `c` of `masks` is the mask at `c * LEN + l` of `out`. Masks past
/// the end of `out` are left out.
#[inline(always)]
fn put<S: Simd>(simd: S, masks: &[[S::u32s; CHAINS]], out: &mut [u32]) {
    let (len, words) = (S::u32s::LEN, masks.len());
    for (c, out) in out.chunks_mut(len * words).enumerate() {
        let mut square = [S::u32s::splat(simd, 0); WIDEST];
        for at in (0..words).step_by(len) {
            let rows = len.min(words - at);
            for (row, mask) in square.iter_mut().zip(&masks[at..at + rows]) {
                *row = mask[c];
            }
            transpose::<S>(simd, &mut square);
            for (row, out) in square.iter().zip(out.chunks_exact_mut(words)) {
                if rows == len {
                    row.store_slice(&mut out[at..at + len]);
                } else {
                    out[at..].copy_from_slice(&row.as_slice()[..rows]);
                }
            }
        }
    }
}

/// Transposes the first `LEN` rows. Zipping row i with row i + LEN/2 moves the highest bit of the row's
/// number to the lowest of the lane's; as many zips as such numbers have bits exchange the two.
#[inline(always)]
fn transpose<S: Simd>(simd: S, rows: &mut [S::u32s; WIDEST]) {
    let half = S::u32s::LEN / 2;
    for _ in 0..S::u32s::LEN.ilog2() {
        let mut next = [S::u32s::splat(simd, 0); WIDEST];
        for i in 0..half {
            (next[2 * i], next[2 * i + 1]) = rows[i].interleave(rows[i + half]);
        }
        *rows = next;
    }
}

#[cfg(test)]
mod tests {
    use super::super::mask_words;
    use super::super::tests::levels;
    use super::*;

    #[test]
    fn many_masks_are_those_made_one_by_one() {
        for count in [0, 1, 3, 4, 5, 15, 16, 17, 127, 128, 129, 300] {
            let seeds: Vec<u32> = (0..count)
                .map(|i: u32| match i {
                    0 => 0,
                    1 => u32::MAX,
                    i => i.wrapping_mul(0x9e37_79b9),
                })
                .collect();
            for words in [0, 1, 3, 4, 5, 8, 15, 16, 17, 32, 100, 226, 227, 228, 1024] {
                let mut expected = vec![0; words * seeds.len()];
                if words > 0 {
                    for (seed, mask) in seeds.iter().zip(expected.chunks_exact_mut(words)) {
                        mask_words(*seed, mask);
                    }
                }
                for level in levels() {
                    let mut out = vec![0xdead_beef; expected.len()];
                    mask_many_at(level, &seeds, words, &mut out);
                    assert!(out == expected, "{count} masks of {words} words, {level:?}");
                }
            }
        }
    }
}
