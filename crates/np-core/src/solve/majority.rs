//! From decoded words to a state: words settled by majority, then 624 in a row that explain what was received.

use super::algebra::{join, undo_twist, untemper};
use super::decode::{Decoder, fits};
use super::verify::{MARGIN, is_evidence};
use super::walk::{Block, generation_back, state_before};
use crate::generator::mt19937::{M, Mt19937, N, temper, twist};

/// Fewest words worth decoding.
pub(crate) const FEWEST: usize = 2 * N;
/// Times the words are decoded, each time from what the majority settled.
const PASSES: usize = 4;
/// Most sweeps of the majority over the words.
const SWEEPS: usize = 100;

/// Looks for the stream behind `words`, consecutive outputs with some bits flipped: gives a place and the 624
/// state words there, of those that explain all the words the ones that do it best, and whether they do it as well
/// as the flips that the checks tell of allow: if not, a bit or some of the state are likely wrong. Adds to `work`
/// what the decoder did, in words times stages.
pub(crate) fn recover(decoder: &Decoder, words: &[u32], work: &mut usize) -> Option<(usize, Block, bool)> {
    let mut now = words.to_vec();
    let mut settled = vec![false; words.len()];
    let enough = enough(decoder, words);
    let mut found: Option<(u64, usize, Block)> = None;
    for _ in 0..PASSES {
        *work += words.len() * decoder.decode(words, &mut now, settled);
        let mut majority = Majority::new(&now);
        majority.settle(SWEEPS);
        let mut best: Option<(u64, usize)> = None;
        for at in 0..=words.len() - N {
            if majority.known[at..at + N].iter().all(|known| *known) {
                let block: &Block = majority.x[at..].first_chunk()?;
                let least = best.map_or(u64::MAX, |(least, _)| least);
                best = best.into_iter().chain(mismatches(words, at, block, least).map(|m| (m, at))).min();
            }
        }
        if let Some((mismatches, at)) = best
            && found.as_ref().is_none_or(|(least, ..)| mismatches < *least)
        {
            found = Some((mismatches, at, *majority.x[at..].first_chunk()?));
            if mismatches <= enough {
                break;
            }
        }
        now = majority.x.iter().map(|x| temper(*x)).collect();
        settled = fits(&now).iter().map(|fits| *fits == 3).collect();
    }
    found.map(|(mismatches, at, block)| (at, block, mismatches <= enough))
}

/// Mismatches that the flips in `words`, as the checks tell of them, allow: a state with a wrong bit explains the
/// words too, but worse than that.
pub(crate) fn enough(decoder: &Decoder, words: &[u32]) -> u64 {
    decoder.flips(words) * 21 / 20
}

/// Mismatches between `words` and the stream with `block` at word `at`, if few enough in every generation, and at most
/// `most` in all.
fn mismatches(words: &[u32], at: usize, block: &Block, most: u64) -> Option<u64> {
    let mut sum = 0;
    let mut add = |made: &[u32], words: &[u32]| {
        let flips = made.iter().zip(words).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
        sum += flips;
        let few = sum <= most && (words.len() < N / 4 || is_evidence(flips, 32 * words.len() as u64, MARGIN));
        few.then_some(())
    };
    let mut after = Mt19937::from_state(state_before(block, 0));
    let mut made = [0; N];
    for words in words[at..].chunks(N) {
        after.fill_words(&mut made);
        add(&made[..words.len()], words)?;
    }
    let (mut near, mut far) = (*block, [0; N]);
    for words in words[..at].rchunks(N) {
        generation_back(&near, &mut far);
        for (made, x) in made.iter_mut().zip(&far) {
            *made = temper(*x);
        }
        add(&made[N - words.len()..], words)?;
        near = far;
    }
    Some(sum)
}

/// Words settled by majority: a word may follow from others in three ways, and two that agree are right.
struct Majority {
    /// Untempered words.
    x: Vec<u32>,
    /// Whether a word is trusted.
    known: Vec<bool>,
}

impl Majority {
    /// Trusts the words that fit in all three recurrences.
    fn new(words: &[u32]) -> Self {
        let known = fits(words).iter().map(|fits| *fits == 3).collect();
        Self { x: words.iter().map(|w| untemper(*w)).collect(), known }
    }

    /// What word `k` would be by each of the recurrences it is in, where the other words are trusted. The top
    /// bit of the recurrence's first word is taken as it is.
    fn predictions(&self, k: usize) -> [Option<u32>; 3] {
        let (x, known, n) = (&self.x, &self.known, self.x.len());
        let last = k.checked_sub(N).filter(|j| known[j + 1] && known[j + M]);
        let middle = k.checked_sub(M).filter(|j| j + N < n && known[j + 1] && known[j + N]);
        let first = k.checked_sub(1).filter(|j| {
            j + N + 1 < n && known[j + M] && known[j + N] && known[j + 1 + M] && known[j + 1 + N]
        });
        let y = |j: usize| undo_twist(x[j + M] ^ x[j + N]);
        [
            last.map(|j| x[j + M] ^ twist(x[j], x[j + 1])),
            middle.map(|j| x[j + N] ^ twist(x[j], x[j + 1])),
            first.map(|j| join(y(j + 1), y(j))),
        ]
    }

    /// Settles words until nothing changes, at most `sweeps` times over all of them.
    fn settle(&mut self, sweeps: usize) {
        for _ in 0..sweeps {
            let mut changed = false;
            for k in 0..self.x.len() {
                let [a, b, c] = self.predictions(k);
                let agreed = if a.is_some() && (a == b || a == c) {
                    a
                } else if b == c {
                    b
                } else {
                    None
                };
                let value = match (agreed, self.known[k]) {
                    (Some(value), _) => value,
                    (None, true) => continue,
                    (None, false) => match a.or(b).or(c) {
                        Some(value) => value,
                        None => continue,
                    },
                };
                changed |= !self.known[k] || self.x[k] != value;
                self.x[k] = value;
                self.known[k] = true;
            }
            if !changed {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::mt19937::SHORT_WORDS;
    use fearless_simd::Level;

    #[test]
    fn words_with_scattered_flips_are_recovered() {
        let mut clean = vec![0; 8 * N];
        let mut mt = Mt19937::by_array(&[1, 2, 3]);
        mt.skip_words(SHORT_WORDS as u64);
        mt.fill_words(&mut clean);
        let mut flips = Mt19937::genrand(1);
        // One bit of 32: 3.1 %.
        let mut noisy = clean.clone();
        for word in &mut noisy {
            *word ^= (0..5).fold(u32::MAX, |mask, _| mask & flips.next_word());
        }
        let (at, block, _) = recover(&Decoder::new(Level::new()), &noisy, &mut 0).unwrap();
        assert!(block.iter().zip(&clean[at..]).all(|(x, w)| temper(*x) == *w), "at {at}");
        let noise: Vec<u32> = (0..4 * N).map(|_| flips.next_word() ^ flips.next_word() >> 3).collect();
        assert_eq!(recover(&Decoder::new(Level::new()), &noise, &mut 0), None);
    }
}
