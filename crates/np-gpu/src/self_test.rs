//! The self-test: a few small jobs on the device and on the scalar miner, whole candidate lists compared.

use crate::both::compare;
use crate::miner::GpuMiner;
use np_core::block::BlockBits;
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Filter, Job, MineError, Miner};
use np_core::scalar::ScalarMiner;

/// Seeds of a self-test job: more than a workgroup, and not a whole number of them.
const SEEDS: u64 = 300;
/// Where its seeds begin.
const FIRST: u64 = 0x7fff_ff80;

/// Blocks near the masks of seeds in the test's range: the one `i`-th has about `i` bits wrong, every third is a complement.
fn blocks(words: usize, count: usize) -> Vec<u32> {
    let mut blocks = vec![0u32; words * count];
    for (i, block) in blocks.chunks_exact_mut(words).enumerate() {
        mask_words((FIRST + (i as u64 * 37) % SEEDS) as u32, block);
        for bit in 0..i {
            block[(bit * 7 + 3) % words] ^= 1 << ((bit * 13 + i) % 32);
        }
        if i % 3 == 2 {
            block.iter_mut().for_each(|word| *word = !*word);
        }
    }
    blocks
}

impl GpuMiner {
    /// Checks the device against the CPU: the fused, the mask and scoring, and the join kernels on blocks of 512 bits. Takes
    /// milliseconds, most of them compiling. [`MineError::Disagree`] tells the first difference.
    pub fn self_test(&self) -> Result<(), MineError> {
        self.check_parity(512)
    }

    /// The same checks on blocks of `bits` bits.
    ///
    /// # Errors
    /// [`MineError::BadJob`] if `bits` is no block size.
    pub fn check_parity(&self, bits: u32) -> Result<(), MineError> {
        let block_bits =
            BlockBits::new(bits).map_err(|error| MineError::BadJob { what: error.to_string() })?;
        let words = block_bits.words();
        for (count, filter) in [(3, Filter::All), (40, Filter::All), (3, Filter::Join { words: 2 })] {
            let blocks = blocks(words, count);
            let job = Job {
                generator: Generator::Mt19937,
                seeding: Seeding::Genrand,
                block_bits,
                seeds: FIRST..FIRST + SEEDS,
                blocks: &blocks,
                fold_limit: bits / 2 - bits / 16,
                best_per_block: 4,
                filter,
            };
            let expected = ScalarMiner.mine(&job, &())?;
            compare((&self.name(), &self.mine(&job, &())?), (&ScalarMiner.name(), &expected))?;
        }
        Ok(())
    }
}
