//! The scalar miner: the plainest loop over blocks and seeds, the oracle every other miner is checked against.

use crate::block::weight;
use crate::generator::mask_words;
use crate::miner::{Candidate, Filter, Job, MineError, Miner, Tally, Watch};

/// Scores every pair of the job one by one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScalarMiner;

impl Miner for ScalarMiner {
    fn name(&self) -> String {
        "scalar".to_owned()
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        job.check()?;
        let words = job.block_bits.words();
        let mut tally = Tally::new(job);
        let mut mask = vec![0; words];
        let work_per_seed = job.work().checked_div(job.seeds.end.saturating_sub(job.seeds.start));
        for seed in job.seeds.clone() {
            if seed % 4096 == 0 && watch.stop() {
                return Err(MineError::Stopped);
            }
            mask_words(seed as u32, &mut mask);
            for (block, bits) in job.blocks.chunks_exact(words).enumerate() {
                if passes(job.filter, bits, &mask) {
                    let weight = weight(bits, &mask);
                    tally.push(Candidate { block: block as u32, seed: seed as u32, weight });
                }
            }
            watch.advance(work_per_seed.unwrap_or(0));
        }
        Ok(tally.finish())
    }
}

/// Whether the job's filter lets this pair be scored.
pub fn passes(filter: Filter, block: &[u32], mask: &[u32]) -> bool {
    match filter {
        Filter::All => true,
        Filter::Join { words } => {
            block.iter().zip(mask).take(words as usize).any(|(b, m)| b == m || *b == !m)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::BlockBits;
    use crate::generator::{Generator, Seeding};

    #[test]
    fn finds_planted_seeds_and_their_complements() {
        let block_bits = BlockBits::new(128).unwrap();
        let mut blocks = vec![0; 8];
        mask_words(700, &mut blocks[..4]);
        mask_words(300, &mut blocks[4..]);
        blocks[0] ^= 1;
        blocks[4..].iter_mut().for_each(|w| *w = !*w);
        let mut job = Job {
            generator: Generator::Mt19937,
            seeding: Seeding::Genrand,
            block_bits,
            seeds: 0..1000,
            blocks: &blocks,
            fold_limit: 64,
            best_per_block: 3,
            filter: Filter::All,
        };
        let all = ScalarMiner.mine(&job, &()).unwrap();
        assert_eq!(all.len(), 6);
        assert_eq!(all[0], Candidate { block: 0, seed: 700, weight: 1 });
        assert_eq!(all[3], Candidate { block: 1, seed: 300, weight: 128 });
        job.filter = Filter::Join { words: 2 };
        let joined = ScalarMiner.mine(&job, &()).unwrap();
        assert_eq!(joined, [all[0], all[3]]);
    }
}
