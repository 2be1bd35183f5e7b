//! Decoding a noisy stream: belief propagation over the low-weight parity checks of the recurrence.
//!
//! The recurrence ties the bits of output words `j+1`, `j+397` and `j+624` by 31 linear equations. Some of their
//! sums have only 5 to 8 terms, the same at every `j`: parity checks of a code of which the noisy words are a
//! received word. Beliefs are leanings `ln(P(0) / P(1))` in units of 1 / [`UNIT`]: a bit adds what its checks
//! say, and a check multiplies biases `P(0) - P(1)`, which are of 2^15. All of it is 16-bit integer arithmetic: it
//! gives the same bits on every machine. What is decoded counts only once it is verified.

use super::algebra::{undo_twist, untemper};
use crate::generator::mt19937::{M, N, temper, twist};
use fearless_simd::{Level, Simd, dispatch};
use std::array;
use std::ops::Range;

/// Terms of the lightest checks there are.
const LIGHTEST: usize = 5;
/// Heaviest check used, in terms.
const HEAVIEST: usize = 12;
/// All checks of up to this many terms are used.
const LIGHT: usize = 7;
/// Heavier ones are added for pairs of bits that fewer checks than this tell apart: have one of but not both.
const APART: u32 = 4;
/// Most equations summed in a check.
const MOST_SUMMED: usize = 4;
/// Checks of one kind worked on together; less than 227, so that none of them share a bit.
const CHUNK: usize = 64;
/// Most stages.
const STAGES: usize = 8;
/// Rounds over all checks in a stage.
const ROUNDS: usize = 10;
/// Recurrences a word must fit in, of three, to be settled.
const SETTLED: u8 = 2;
/// A leaning of 1.
const UNIT: i16 = 512;
/// The leaning of a settled bit.
const SURE: i16 = 14 * UNIT;
/// A leaning at which a bit counts as certain: [`bias_of`] reaches 1 there.
const CERTAIN: i16 = 4 * UNIT;

/// A parity check: the XOR of these bits of the words from `j` on is zero, for every `j`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Check {
    /// (word, bit), words counted from `j`.
    terms: Vec<(usize, usize)>,
}

/// The checks used: of all sums of at most [`MOST_SUMMED`] equations, lightest first, those with at most
/// [`LIGHT`] terms, then those that tell two bits apart which fewer than [`APART`] do so far.
fn checks() -> Vec<Check> {
    // Equation `c`: bit `c` of words j+624 and j+397, and those bits of word j+1 whose flip changes bit `c` of
    // temper(A(..)). Where the top bit of x[j] has a part, word j would be involved as well: left out.
    let forward = |bit: usize| temper(twist(0, untemper(1 << bit)));
    let columns: [u32; 32] = array::from_fn(forward);
    let top = temper(twist(1 << 31, 0));
    let row = |c: usize| (0..32).fold(0u32, |row, bit| row | ((columns[bit] >> c) & 1) << bit);
    let rows: [u32; 32] = array::from_fn(row);
    let mut all = Vec::new();
    let mut sums = vec![(0u32, 0u32, 0usize)];
    for _ in 0..MOST_SUMMED {
        sums = (sums.iter())
            .flat_map(|&(set, row, from)| (from..32).map(move |c| (set, row, c)))
            .map(|(set, row, c)| (set | 1 << c, row ^ rows[c], c + 1))
            .collect();
        let fit = sums.iter().map(|&(set, row, _)| (2 * set.count_ones() + row.count_ones(), set, row));
        all.extend(fit.filter(|(weight, set, _)| {
            *weight as usize <= HEAVIEST && (set & top).count_ones().is_multiple_of(2)
        }));
    }
    all.sort_unstable();
    let mut apart = [[[0; 32]; 32]; 2];
    let mut out = Vec::new();
    for (weight, set, row) in all {
        // Pairs of bits of which one is in the check.
        let mut pairs = Vec::new();
        for (role, mask) in [set, row].into_iter().enumerate() {
            let one = |bit: usize| mask >> bit & 1 == 1;
            let some =
                (0..32).filter(|a| one(*a)).flat_map(|a| (0..32).filter(|b| !one(*b)).map(move |b| (a, b)));
            pairs.extend(some.map(|(a, b)| (role, a.min(b), a.max(b))));
        }
        if weight as usize <= LIGHT || pairs.iter().any(|&(role, a, b)| apart[role][a][b] < APART) {
            pairs.iter().for_each(|&(role, a, b)| apart[role][a][b] += 1);
            let bits =
                |set: u32, word: usize| (0..32).filter(move |b| set >> b & 1 == 1).map(move |b| (word, b));
            out.push(Check { terms: bits(row, 1).chain(bits(set, M)).chain(bits(set, N)).collect() });
        }
    }
    out
}

/// The decoder: its checks, for the machine at hand.
pub(crate) struct Decoder {
    checks: Vec<Check>,
    level: Level,
}

impl Decoder {
    pub(crate) fn new(level: Level) -> Self {
        Self { checks: checks(), level }
    }

    /// Decodes `words`, consecutive outputs of one stream with some bits flipped, into the words as believed.
    ///
    /// Each stage starts afresh from the received words, but for those that the stage before has settled: words
    /// that then fit in two recurrences. `settled` words of `now` are taken as known in the first stage. Gives the number of stages.
    pub(crate) fn decode(&self, words: &[u32], now: &mut [u32], mut settled: Vec<bool>) -> usize {
        let places = words.len() - N;
        let leaning = leaning_of(self.bias(words));
        let mut least = usize::MAX;
        let mut messages: Vec<Vec<i16>> =
            self.checks.iter().map(|c| vec![0; c.terms.len() * places]).collect();
        for stage in 1..=STAGES {
            let mut beliefs: Vec<Vec<i16>> = (0..32)
                .map(|bit| {
                    (words.iter().zip(&*now).zip(&settled))
                        .map(|((received, now), settled)| {
                            let (word, sure) = if *settled { (now, SURE) } else { (received, leaning) };
                            if word >> bit & 1 == 0 { sure } else { -sure }
                        })
                        .collect()
                })
                .collect();
            messages.iter_mut().for_each(|m| m.fill(0));
            for _ in 0..ROUNDS {
                for (check, messages) in self.checks.iter().zip(&mut messages) {
                    dispatch!(self.level, simd => simd.vectorize(
                        #[inline(always)]
                        || layer(check, messages, &mut beliefs, places),
                    ));
                }
            }
            for (j, now) in now.iter_mut().enumerate() {
                *now = (0..32).fold(0, |w, bit| w | u32::from(beliefs[bit][j] < 0) << bit);
            }
            let fits = fits(now);
            settled = fits.iter().map(|fits| *fits >= SETTLED).collect();
            let broken = 3 * places - fits.iter().map(|fits| usize::from(*fits)).sum::<usize>();
            // Little is gained once a stage mends less than a 64th of what is left.
            if broken + broken / 64 >= least {
                return stage;
            }
            least = broken;
        }
        STAGES
    }

    /// The bias of a received bit, from how many of the lightest checks hold, rounded up to a whole of 128.
    fn bias(&self, words: &[u32]) -> u64 {
        let (holds, of) = self.holds(words, 0..words.len() - N);
        let product = (2 * holds).saturating_sub(of) as u128;
        // The bias whose fifth power that is.
        (1..127).find(|b: &u64| u128::from(b.pow(5)) * of as u128 >= product << 35).unwrap_or(127)
    }

    /// How many bits of `words` are flipped at most, by what the checks tell.
    pub(crate) fn flips(&self, words: &[u32]) -> u64 {
        (129 - self.bias(words)) * 32 * words.len() as u64 / 256
    }

    /// How many of the checks with five terms hold at `places`, and how many there are.
    pub(crate) fn holds(&self, words: &[u32], places: Range<usize>) -> (usize, usize) {
        let lightest = || self.checks.iter().filter(|check| check.terms.len() == LIGHTEST);
        let holds = |check: &Check, j: usize| {
            check.terms.iter().fold(0, |sum, (word, bit)| sum ^ words[j + word] >> bit) & 1 == 0
        };
        let count = lightest().map(|check| places.clone().filter(|&j| holds(check, j)).count()).sum();
        (count, lightest().count() * places.len())
    }
}

/// Whether the recurrence holds between words `j+1`, `j+397` and `j+624`.
fn follows(words: &[u32], j: usize) -> bool {
    let y = undo_twist(untemper(words[j + N] ^ words[j + M]));
    (y ^ untemper(words[j + 1])) << 1 == 0
}

/// For each word, how many of the recurrences it is in hold: three at most.
pub(crate) fn fits(words: &[u32]) -> Vec<u8> {
    let mut fits = vec![0; words.len()];
    for j in (0..words.len() - N).filter(|&j| follows(words, j)) {
        [j + 1, j + M, j + N].iter().for_each(|&k| fits[k] += 1);
    }
    fits
}

/// The leaning of a bit whose bias is `bias` of 128, below 128: `ln((128 + bias) / (128 - bias))` as the series of
/// 2 artanh, rounded down.
fn leaning_of(bias: u64) -> i16 {
    // The odd powers of the bias, of 2^40.
    let powers = std::iter::successors(Some(bias << 33), |power| Some((power * bias * bias) >> 14));
    let sum: u64 = powers.zip((1..).step_by(2)).take_while(|p| p.0 > 0).map(|(power, n)| power / n).sum();
    ((2 * sum * UNIT as u64) >> 40) as i16
}

/// The bias of a bit, of 2^15, whose leaning is `v`: tanh of half of it, as the parabola `u (2 - |u|)` with
/// `u = v / 4` for `|v| < 4`, nowhere off by more than 0.045.
#[inline(always)]
fn bias_of(v: i16) -> i16 {
    let u = v.clamp(1 - CERTAIN, CERTAIN - 1) << 4;
    u.saturating_add(u - times(u, u.abs()))
}

/// Product of two fractions of 2^15, to an even number.
#[inline(always)]
fn times(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16 * 2
}

/// The leaning of a check's message of bias `p` of 2^15, not above [`DAMPING`]: 2 artanh p as 2 p + 0.8 p^3,
/// nowhere off by more than 0.02.
#[inline(always)]
fn leaning(p: i16) -> i16 {
    // 0.4 of 2^15.
    (p >> 5) + (times(times(times(p, p), 13_107), p) >> 5)
}

/// One kind of check at every place: each term's leaning less what this check said before, then what the others
/// say now.
#[inline(always)]
fn layer(check: &Check, messages: &mut [i16], beliefs: &mut [Vec<i16>], places: usize) {
    let terms = check.terms.len();
    let mut without = [[0i16; CHUNK]; HEAVIEST];
    let mut before = [[0i16; CHUNK]; HEAVIEST];
    let mut bias = [[0i16; CHUNK]; HEAVIEST];
    for start in (0..places).step_by(CHUNK) {
        let len = CHUNK.min(places - start);
        let messages = &mut messages[terms * start..terms * (start + len)];
        let mut product = [i16::MAX; CHUNK];
        for (t, &(word, bit)) in check.terms.iter().enumerate() {
            before[t] = product;
            let beliefs = &beliefs[bit][start + word..start + word + len];
            let message = &messages[t * len..(t + 1) * len];
            for i in 0..len {
                let v = beliefs[i].saturating_sub(message[i]);
                without[t][i] = v;
                bias[t][i] = bias_of(v);
                product[i] = times(product[i], bias[t][i]);
            }
        }
        let mut after = [DAMPING; CHUNK];
        for (t, &(word, bit)) in check.terms.iter().enumerate().rev() {
            let beliefs = &mut beliefs[bit][start + word..start + word + len];
            let message = &mut messages[t * len..(t + 1) * len];
            for i in 0..len {
                let m = leaning(times(before[t][i], after[i]));
                message[i] = m;
                beliefs[i] = without[t][i].saturating_add(m);
                after[i] = times(after[i], bias[t][i]);
            }
        }
    }
}

/// Messages are weakened by this factor of 2^15, 0.6, as the checks are not independent.
const DAMPING: i16 = 19_661;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::mt19937::Mt19937;

    #[test]
    fn leanings_and_biases_are_those_of_real_arithmetic() {
        for bias in 0..128 {
            let exact = f64::from(UNIT) * ((128.0 + bias as f64) / (128.0 - bias as f64)).ln();
            assert!((f64::from(leaning_of(bias)) - exact).abs() < 1.1, "{bias}");
        }
        for v in i16::MIN..=i16::MAX {
            let exact = (f64::from(v) / f64::from(UNIT) / 2.0).tanh();
            assert!((f64::from(bias_of(v)) / 32768.0 - exact).abs() < 0.045, "{v}");
        }
        for p in -DAMPING..=DAMPING {
            let exact = 2.0 * (f64::from(p) / 32768.0).atanh();
            assert!((f64::from(leaning(p)) / f64::from(UNIT) - exact).abs() < 0.02, "{p}");
        }
    }

    #[test]
    fn all_levels_give_the_same_beliefs() {
        // Not a whole number of chunks; beliefs of all sizes, into saturation.
        let places = 3 * CHUNK + 7;
        let mut random = Mt19937::genrand(8);
        let mut sixteen = || (random.next_word() >> 16) as i16 >> (random.next_word() % 8);
        let beliefs: Vec<Vec<i16>> = (0..32).map(|_| (0..N + places).map(|_| sixteen()).collect()).collect();
        // Rounds over all checks; without a level, as the compiler makes it for any machine.
        let rounds = |level: Option<Level>| {
            let mut beliefs = beliefs.clone();
            let mut all: Vec<Vec<i16>> = checks().iter().map(|c| vec![0; c.terms.len() * places]).collect();
            for _ in 0..3 {
                for (check, messages) in checks().iter().zip(&mut all) {
                    match level {
                        Some(level) => dispatch!(level, simd => simd.vectorize(
                            #[inline(always)]
                            || layer(check, messages, &mut beliefs, places),
                        )),
                        None => layer(check, messages, &mut beliefs, places),
                    }
                }
            }
            (beliefs, all)
        };
        let plain = rounds(None);
        assert_ne!(plain.0, beliefs);
        assert!(rounds(Some(Level::baseline())) == plain);
        assert!(rounds(Some(Level::new())) == plain);
    }

    #[test]
    fn checks_hold_on_a_stream() {
        let mut words = vec![0; 2 * N];
        Mt19937::genrand(3).fill_words(&mut words);
        let checks = checks();
        assert_eq!(checks.iter().filter(|c| c.terms.len() == 5).count(), 3);
        for check in &checks {
            for j in 0..N {
                assert_eq!(check.terms.iter().fold(0, |sum, (w, b)| sum ^ words[j + w] >> b) & 1, 0);
            }
        }
    }
}
