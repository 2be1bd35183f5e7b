//! How long blocks should be: as far as the streams that begin at known places go on together.

use super::grid::Hint;
use crate::bias;
use crate::block::BlockBits;
use crate::generator::Key;
use crate::price::FINE_BIT;
use std::ops::Range;

/// Fewest known places that tell a length.
const FEWEST: usize = 3;
/// Stretches of known places that are looked at, spread evenly over all of them, and places in each.
const STRETCHES: usize = 16;
const PLACES: usize = 16;
/// Words of the shortest and of the longest block.
const SHORTEST: usize = BlockBits::MIN as usize / 32;
const LONGEST: usize = BlockBits::MAX as usize / 32;

/// The length at which blocks that begin at the `known` places (sorted, the best seed of each first) save the most,
/// or `None` if there are too few of them. `gaps` are sorted; each place is in one of them.
pub fn fitting(content: &[u8], gaps: &[Range<usize>], known: &[Hint]) -> Option<BlockBits> {
    let mut known = known.to_vec();
    known.dedup_by_key(|hint| hint.at);
    if known.len() < FEWEST {
        return None;
    }
    let mut total = vec![0; LONGEST + 1];
    let mut done = 0;
    for i in 0..STRETCHES {
        let from = done.max(known.len() * i / STRETCHES);
        done = known.len().min(from + PLACES);
        let places = &known[from..done];
        let saved: Vec<Vec<u64>> = places.iter().map(|hint| saved_by_length(content, gaps, hint)).collect();
        for (words, total) in total.iter_mut().enumerate().skip(SHORTEST) {
            *total += most(places, &saved, words);
        }
    }
    let (words, _) = (0..).zip(total).max_by_key(|(words, saved)| (*saved, std::cmp::Reverse(*words)))?;
    BlockBits::new(32 * words).ok()
}

/// By its length in words, what a block at this place saves, in fine units.
fn saved_by_length(content: &[u8], gaps: &[Range<usize>], hint: &Hint) -> Vec<u64> {
    let end = gaps.get(gaps.partition_point(|gap| gap.end <= hint.at)).map_or(hint.at, |gap| gap.end);
    let mut residual = content[hint.at..end.min(hint.at + 4 * LONGEST)].to_vec();
    Key::Genrand(hint.seed).stream().xor(&mut residual);
    let mut weight = 0;
    let mut saved = vec![0; SHORTEST.min(residual.len() / 4 + 1)];
    for (words, word) in (1..).zip(residual.chunks_exact(4)) {
        weight += word.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
        if words >= SHORTEST as u64 {
            let price = bias::cheapest(32 * words, weight.min(32 * words - weight)).1;
            saved.push((32 * words * FINE_BIT).saturating_sub(price));
        }
    }
    saved
}

/// The most that blocks of this length at some of these places, apart from each other, save.
fn most(places: &[Hint], saved: &[Vec<u64>], words: usize) -> u64 {
    // By how many of the places are looked at.
    let mut best = vec![0];
    for (i, (place, saved)) in places.iter().zip(saved).enumerate() {
        let before = places[..i].partition_point(|earlier| earlier.at + 4 * words <= place.at);
        best.push(best[i].max(best[before] + saved.get(words).copied().unwrap_or(0)));
    }
    best[places.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of `bytes` each behind headers of 9 bytes, one bit in `flips` flipped (0: none).
    fn records(bytes: usize, flips: usize) -> (Vec<u8>, Vec<Hint>) {
        let mut content = Vec::new();
        let mut known = Vec::new();
        for seed in 0..40 {
            let at = content.len();
            content.resize(at + 9 + bytes, 0);
            Key::Genrand(1 << 20 | seed).stream().fill(&mut content[at..at + 9]);
            Key::Genrand(seed).stream().fill(&mut content[at + 9..]);
            known.push(Hint { at: at + 9, seed });
        }
        if flips > 0 {
            (0..8 * content.len()).step_by(flips).for_each(|bit| content[bit / 8] ^= 1 << (bit % 8));
        }
        (content, known)
    }

    #[test]
    fn blocks_are_as_long_as_records() {
        for (bytes, flips) in [(16, 0), (32, 0), (64, 0), (64, 11), (100, 0), (100, 13), (256, 7), (1000, 9)]
        {
            let (content, known) = records(bytes, flips);
            let gap = 0..content.len();
            let found = fitting(&content, std::slice::from_ref(&gap), &known).map(BlockBits::bytes);
            assert_eq!(found, Some(bytes / 4 * 4), "{bytes} bytes, one of {flips}");
            assert_eq!(fitting(&content, std::slice::from_ref(&gap), &known[..2]), None);
        }
    }

    #[test]
    fn a_longer_block_must_not_cost_the_next_one() {
        // Every second record is followed by the next at once; a longer block would fit the others.
        let lengths = [64, 96].repeat(40);
        let mut content = Vec::new();
        let mut known = Vec::new();
        for (seed, length) in (0..).zip(lengths) {
            let at = content.len();
            content.resize(at + length, 0);
            Key::Genrand(seed).stream().fill(&mut content[at..]);
            known.push(Hint { at, seed });
        }
        let gap = 0..content.len();
        let found = fitting(&content, std::slice::from_ref(&gap), &known);
        assert_eq!(found, Some(BlockBits::default()));
    }
}
