//! The best folds that S masks reach on blocks, measured by a miner.

use np_core::block::{BlockBits, words_from_bytes};
use np_core::generator::{Generator, Seeding};
use np_core::miner::{Filter, Job, MineError, Miner};

/// Cuts whole blocks out of `bytes`.
pub fn blocks(bytes: &[u8], block_bits: BlockBits) -> Vec<u32> {
    let whole = bytes.len() / block_bits.bytes() * block_bits.bytes();
    words_from_bytes(&bytes[..whole]).collect()
}

/// For each number of seeds in `seeds` (ascending), the smallest fold of each block under the masks of the seeds
/// from 0 to below it.
pub fn best_folds(
    blocks: &[u32],
    block_bits: BlockBits,
    seeds: &[u64],
    miner: &dyn Miner,
) -> Result<Vec<Vec<u32>>, MineError> {
    let count = blocks.len() / block_bits.words();
    let mut best = vec![block_bits.bits() / 2; count];
    let mut from = 0;
    let mut out = Vec::new();
    for &to in seeds {
        let job = Job {
            generator: Generator::Mt19937,
            seeding: Seeding::Genrand,
            block_bits,
            seeds: from..to,
            blocks,
            fold_limit: block_bits.bits() / 2,
            best_per_block: 1,
            filter: Filter::All,
        };
        for candidate in miner.mine(&job, &())? {
            let best = &mut best[candidate.block as usize];
            *best = (*best).min(block_bits.fold(candidate.weight));
        }
        from = to;
        out.push(best.clone());
    }
    Ok(out)
}

/// How many blocks have which fold.
pub fn histogram(folds: &[u32], block_bits: BlockBits) -> Vec<u64> {
    let mut counts = vec![0; block_bits.bits() as usize / 2 + 1];
    for fold in folds {
        counts[*fold as usize] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use np_core::block::weight;
    use np_core::generator::mask_words;
    use np_core::scalar::ScalarMiner;
    use np_tests::inputs::noise;

    #[test]
    fn folds_are_those_of_every_mask_tried() {
        let block_bits = BlockBits::new(128).unwrap();
        let blocks = blocks(&noise(16 * 20 + 5, 3), block_bits);
        let found = best_folds(&blocks, block_bits, &[1, 7, 100], &ScalarMiner).unwrap();
        for (seeds, found) in [1u32, 7, 100].into_iter().zip(&found) {
            let direct: Vec<u32> = blocks
                .chunks(4)
                .map(|block| {
                    let fold = |seed| {
                        let mut mask = [0; 4];
                        mask_words(seed, &mut mask);
                        block_bits.fold(weight(block, &mask))
                    };
                    (0..seeds).map(fold).min().unwrap()
                })
                .collect();
            assert_eq!(*found, direct, "{seeds} seeds");
        }
        assert_eq!(histogram(&found[2], block_bits).iter().sum::<u64>(), 20);
    }
}
