//! Solving where a stream's start is known: two words 227 apart, their index known, give a seed, even with flips.
//!
//! Outputs `k-227` and `k` give `lo(x[k+1])`, `227 <= k <= 622`: two candidates for the word, hence two seeds, for
//! each of 396 pairs. A pair with `t` flipped bits (flips of the same bit in both words cancel) is mended by
//! trying all `t`-subsets of 32 bits. Candidates go in the order of `t`, then `k`, until the budget is spent.

use super::algebra::{init_back, join, undo_first_pass, undo_second_pass, undo_twist, untemper};
use super::verify;
use super::{Found, MARGIN};
use crate::generator::Key;
use crate::generator::mt19937::{ARRAY_BASE, M, N, by_array_state, init_step, temper, twist};
use fearless_simd::{Level, Simd, dispatch};

/// The first output that a seeded word alone does not make: its pair is output 0.
const FIRST: usize = N - M;
/// One past the last output whose pair gives a word of the seeded state.
const END: usize = N - 1;
/// Most flipped bits tried in a pair.
const MOST_FLIPS: u32 = 6;
/// Seeds screened at once.
const LANES: usize = 64;
/// Words a seed is screened by.
const SCREEN: usize = 16;
/// A seed passes with at most this many mismatches of 512: 5 standard deviations below chance, and 6 above the
/// mean at 25 % flips.
const PASS: u32 = 200;
/// What a `by_array` candidate costs in seeds screened, as it is made one by one.
const ARRAY_COST: u64 = 128;

/// Looks for a `genrand` stream, or one from a `by_array` key of one or two words, that starts with the first byte
/// of `data`, perhaps with many bit errors. At least 912 bytes are needed; 2,496 give all there is to gain.
///
/// `budget` is in seeds screened (25 to 45 million a second on one core). What helps is 1,000 for clean data, 300,000
/// for up to 5 % flips, 1,000,000 to 10 %, 4,500,000 to 15 % (half of the streams at 20 %), and 40,000,000 for nearly
/// all at 20 % (half at 25 %), of 2,496 bytes.
pub fn solve_start(data: &[u8], budget: u64) -> Option<Found> {
    let words: Vec<u32> = data.as_chunks().0.iter().take(END).map(|b| u32::from_le_bytes(*b)).collect();
    if words.len() <= FIRST {
        return None;
    }
    let start = Start { data, y: pairs(&words), words, level: Level::new() };
    let mut left = budget;
    if let Some(found) = start.mended(0, &mut left) {
        return Some(found);
    }
    if let Some(found) = start.arrays(&mut left) {
        return Some(found);
    }
    (1..=MOST_FLIPS).find_map(|flips| start.mended(flips, &mut left))
}

/// Mismatches of the first [`SCREEN`] words, with the stream or with its complement.
fn fold(weight: u32) -> u32 {
    weight.min(32 * SCREEN as u32 - weight)
}

/// `hi(x[k]) | lo(x[k+1])` for `k` from [`FIRST`] on.
fn pairs(words: &[u32]) -> Vec<u32> {
    words.iter().zip(&words[FIRST..]).map(|(a, b)| undo_twist(untemper(a ^ b))).collect()
}

/// What `t` flipped bits of a pair do to `lo(x[k+1])`, for every choice of `t` bits.
fn mends(flips: u32) -> Vec<u32> {
    let single: [u32; 32] = std::array::from_fn(|i| undo_twist(untemper(1 << i)));
    let mut out = vec![(0u32, 0usize)];
    for _ in 0..flips {
        out = (out.iter())
            .flat_map(|&(mend, from)| (from..32).map(move |i| (mend, i)))
            .map(|(mend, i)| (mend ^ single[i], i + 1))
            .collect();
    }
    out.into_iter().map(|(mend, _)| mend).collect()
}

struct Start<'a> {
    data: &'a [u8],
    words: Vec<u32>,
    y: Vec<u32>,
    level: Level,
}

impl Start<'_> {
    /// Verifies a key over the data. Every key is tried at one place: its own bits are all that was tried.
    fn verified(&self, key: Key, key_bits: u32) -> Option<Found> {
        // Two bits for the index, one for the complement.
        let needed = MARGIN + key_bits + 3;
        let explained = verify::forward(&mut key.stream(), self.data, needed)?;
        Some(Found {
            key,
            offset: 0,
            position: 0,
            length: explained.bytes as u64,
            flips: explained.flips,
            complement: explained.complement,
        })
    }

    /// Tries the seeds of all pairs with `flips` flipped bits.
    fn mended(&self, flips: u32, left: &mut u64) -> Option<Found> {
        // Millions, for many flips: not made in vain.
        if *left == 0 {
            return None;
        }
        let mends = mends(flips);
        for (k, y) in (FIRST..END).zip(&self.y) {
            for mends in mends.chunks(LANES / 2) {
                let cost = 2 * mends.len() as u64;
                if *left < cost {
                    *left = 0;
                    return None;
                }
                *left -= cost;
                let mut x = [0; LANES];
                for (x, mend) in x.as_chunks_mut::<2>().0.iter_mut().zip(mends) {
                    *x = [join(0, y ^ mend), join(u32::MAX, y ^ mend)];
                }
                let (seeds, weights) = self.screen(k + 1, &x);
                for (seed, _) in seeds
                    .iter()
                    .zip(weights)
                    .take(2 * mends.len())
                    .filter(|(_, weight)| fold(*weight) <= PASS)
                {
                    if let Some(found) = self.verified(Key::Genrand(*seed), 32) {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// The seeds of states whose word `index` is in `x`, and their mismatches over the first outputs.
    fn screen(&self, index: usize, x: &[u32; LANES]) -> ([u32; LANES], [u32; LANES]) {
        let data: &[u32; SCREEN] = self.words.first_chunk().expect("more than 227 words");
        dispatch!(self.level, simd => simd.vectorize(
            #[inline(always)]
            || screen(index, x, data),
        ))
    }

    /// Verifies a `by_array` key whose first outputs fit.
    fn array(&self, key: Vec<u32>, key_bits: u32) -> Option<Found> {
        let x = by_array_state(&key);
        let weight =
            |(k, word): (usize, &u32)| (temper(x[k + M] ^ twist(x[k], x[k + 1])) ^ word).count_ones();
        let weight: u32 = self.words[..SCREEN].iter().enumerate().map(weight).sum();
        if fold(weight) > PASS { None } else { self.verified(Key::ByArray(key), key_bits) }
    }

    /// Tries `by_array` keys of one and two words.
    fn arrays(&self, left: &mut u64) -> Option<Found> {
        let y = |k: usize| self.y[k - FIRST];
        // Words `i-2` to `i+1` of the state: the last one's top bit, which only one more pair would tell, is tried
        // both ways.
        for i in FIRST + 3..(FIRST + self.y.len()).min(END) {
            let (a, b) = (join(y(i - 2), y(i - 3)), join(y(i - 1), y(i - 2)));
            let t = |x, x_next, i| undo_second_pass(x, x_next, i as u32);
            for top in [0, u32::MAX] {
                if *left < 2 * ARRAY_COST {
                    *left = 0;
                    return None;
                }
                *left -= 2 * ARRAY_COST;
                let c = join(top, y(i - 1));
                let sum = undo_first_pass(t(a, b, i - 1), t(b, c, i), ARRAY_BASE[i]);
                if let Some(found) = self.array(vec![sum], 32) {
                    return Some(found);
                }
                if i == FIRST + 3 {
                    continue;
                }
                let z = join(y(i - 3), y(i - 4));
                let before = undo_first_pass(t(z, a, i - 2), t(a, b, i - 1), ARRAY_BASE[i - 1]);
                let j = (i - 1) % 2;
                let mut key = vec![0; 2];
                key[j] = sum.wrapping_sub(j as u32);
                key[1 - j] = before.wrapping_sub(1 - j as u32);
                if let Some(found) = self.array(key, 64) {
                    return Some(found);
                }
            }
        }
        None
    }
}

/// See [`Start::screen`]. Steps the seeding recurrence back to the seed and on to the last word needed.
#[inline(always)]
fn screen(index: usize, x: &[u32; LANES], data: &[u32; SCREEN]) -> ([u32; LANES], [u32; LANES]) {
    // State words 0 to SCREEN and 397 to 397 + SCREEN - 1 make the first SCREEN outputs.
    let mut low = [[0u32; LANES]; SCREEN + 1];
    let mut high = [[0u32; LANES]; SCREEN];
    let mut keep = |i: usize, now: &[u32; LANES]| {
        if i <= SCREEN {
            low[i] = *now;
        } else if let Some(high) = i.checked_sub(M).and_then(|i| high.get_mut(i)) {
            *high = *now;
        }
    };
    let mut now = *x;
    keep(index, &now);
    for i in (1..=index).rev() {
        for x in &mut now {
            *x = init_back(*x, i as u32);
        }
        keep(i - 1, &now);
    }
    let seeds = now;
    now = *x;
    for i in index + 1..M + SCREEN {
        for x in &mut now {
            *x = init_step(*x, i as u32);
        }
        keep(i, &now);
    }
    let mut weights = [0; LANES];
    for (k, data) in data.iter().enumerate() {
        for lane in 0..LANES {
            let output = temper(high[k][lane] ^ twist(low[k][lane], low[k + 1][lane]));
            weights[lane] += (output ^ data).count_ones();
        }
    }
    (seeds, weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::mt19937::genrand_state;

    #[test]
    fn screening_makes_the_seed_and_its_first_outputs() {
        for index in [228, 396, 397, 412, 413, 623] {
            let x: [u32; LANES] = std::array::from_fn(|lane| genrand_state(lane as u32 * 0x0101_0101)[index]);
            let mut data = [0; SCREEN];
            crate::generator::mask_words(5 * 0x0101_0101, &mut data);
            let (seeds, weights) = screen(index, &x, &data);
            assert_eq!(seeds, std::array::from_fn(|lane| lane as u32 * 0x0101_0101));
            for (lane, weight) in weights.iter().enumerate() {
                assert_eq!(*weight <= PASS, lane == 5, "lane {lane}");
            }
            assert_eq!(weights[5], 0);
        }
    }

    #[test]
    fn mends_are_all_subsets() {
        let counts = [0, 1, 2, 3].map(|flips| mends(flips).len());
        assert_eq!(counts, [1, 32, 496, 4960]);
    }
}
