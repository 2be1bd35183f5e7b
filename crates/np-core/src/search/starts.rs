//! Deep start mining: where noise-like data begins, a stream may begin. Few blocks, many seeds.

use super::extend::Anchor;
use super::{Effort, PackWatch};
use crate::block::{BlockBits, words_from_bytes};
use crate::error::Error;
use crate::generator::{Generator, Key, Seeding};
use crate::miner::{Filter, Job, Miner};
use std::ops::Range;
use std::sync::Arc;

/// Candidates looked at for each start.
const BEST: usize = 2;

/// The regions whose starts are worth the effort: the longest ones if there are too many, in order.
pub fn choose(regions: &[Range<usize>], effort: &Effort) -> Vec<Range<usize>> {
    let mut chosen: Vec<Range<usize>> = regions.iter().filter(|r| r.len() >= 64).cloned().collect();
    chosen.sort_by_key(|r| (std::cmp::Reverse(r.len()), r.start));
    chosen.truncate(effort.starts);
    chosen.sort_by_key(|r| r.start);
    chosen
}

/// Mines the starts of `regions` and returns the seeds that fit, as anchors to extend from, in order.
pub fn mine(
    content: &[u8],
    regions: &[Range<usize>],
    effort: &Effort,
    miner: &dyn Miner,
    watch: &dyn PackWatch,
) -> Result<Vec<Anchor>, Error> {
    let mut anchors = Vec::new();
    if effort.start_seeds == 0 {
        return Ok(anchors);
    }
    // Longer masks see through more bit errors and cost little more: with 6.3 standard deviations asked for, 16
    // words go up to 36 % flips, 64 up to 43 %, 227 up to 46 %.
    let [short, middle, long] = [16, 64, effort.start_words.max(64)];
    let [from_middle, from_long] = [middle, long].map(|words| 4 * words as usize);
    let shapes = [(short, 64..from_middle), (middle, from_middle..from_long), (long, from_long..usize::MAX)];
    for (words, lengths) in shapes {
        let of_length: Vec<usize> =
            regions.iter().filter(|r| lengths.contains(&r.len())).map(|r| r.start).collect();
        if of_length.is_empty() {
            continue;
        }
        let block_bits = BlockBits::new(32 * words)?;
        let blocks: Vec<u32> = of_length
            .iter()
            .flat_map(|at| words_from_bytes(&content[*at..*at + block_bits.bytes()]))
            .collect();
        let job = Job {
            generator: Generator::Mt19937,
            seeding: Seeding::Genrand,
            block_bits,
            seeds: 0..effort.start_seeds,
            blocks: &blocks,
            fold_limit: chance_limit(block_bits),
            best_per_block: BEST,
            filter: Filter::All,
        };
        watch.stage("mine starts", job.work());
        for candidate in miner.mine(&job, watch)? {
            anchors.push(Anchor {
                key: Arc::new(Key::Genrand(candidate.seed)),
                offset: of_length[candidate.block as usize],
                position: 0,
                complement: candidate.weight > block_bits.bits() / 2,
                bits: block_bits.bits().into(),
                ones: block_bits.fold(candidate.weight).into(),
            });
        }
    }
    anchors.sort_by_key(|a| (a.offset, a.ones * 65536 / a.bits));
    Ok(anchors)
}

/// The largest fold worth a second look: 6.3 standard deviations (`sqrt(N) / 2`) below N / 2, which
/// one of 6.7 * 10^9 masks reaches by chance.
fn chance_limit(block_bits: BlockBits) -> u32 {
    let n = u64::from(block_bits.bits());
    (n / 2 - (63 * 63 * n / 400).isqrt()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_limits_are_six_deviations_below_half() {
        assert_eq!(chance_limit(BlockBits::new(512).unwrap()), 256 - 71);
        assert_eq!(chance_limit(BlockBits::new(2048).unwrap()), 1024 - 142);
        assert_eq!(chance_limit(BlockBits::new(7264).unwrap()), 3632 - 268);
    }
}
