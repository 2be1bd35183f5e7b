//! The blocks of a file against chance: the folds of their best masks, and what more seeds would save.

use crate::audit::extreme::{Law, saving};
use crate::audit::folds::{best_folds, blocks, histogram};
use crate::audit::tests_of_chance::{Fit, chi_squared};
use np_core::block::BlockBits;
use np_core::miner::{MineError, Miner};

/// Blocks looked at, at most.
const BLOCKS: usize = 4096;
/// log2 of the seeds of the histogram.
const LOG_SEEDS: u32 = 16;
/// log2 of the most seeds, for so many (block, seed) pairs at most.
const LOG_SEEDS_MOST: u32 = 20;
const LOG_PAIRS: u32 = 29;

/// Evenly spread blocks: all of them while there are few, then every second, every fourth, and so on.
pub struct Sample {
    block_bits: BlockBits,
    every: u64,
    seen: u64,
    bytes: Vec<u8>,
}

impl Sample {
    /// Nothing yet.
    pub fn new(block_bits: BlockBits) -> Self {
        Self { block_bits, every: 1, seen: 0, bytes: Vec::new() }
    }

    /// The next block of the file.
    pub fn offer(&mut self, block: &[u8]) {
        let number = self.seen;
        self.seen += 1;
        if !number.is_multiple_of(self.every) {
            return;
        }
        let size = self.block_bits.bytes();
        if self.bytes.len() == BLOCKS * size {
            let kept: Vec<u8> = self.bytes.chunks(2 * size).flat_map(|pair| &pair[..size]).copied().collect();
            self.bytes = kept;
            self.every *= 2;
            if !number.is_multiple_of(self.every) {
                return;
            }
        }
        self.bytes.extend_from_slice(block);
    }
}

/// What came of it.
pub struct Chance {
    /// Bits of a block.
    pub block_bits: u32,
    /// Blocks looked at, and those there were.
    pub blocks: usize,
    pub of: u64,
    /// log2 of the seeds of `folds`.
    pub log_seeds: u32,
    /// Blocks by the fold of their best mask.
    pub folds: Vec<u64>,
    /// The law's chances for them.
    pub law: Vec<f64>,
    /// How well they agree.
    pub fit: Fit,
    /// For 1, 2, 4, ... seeds the mean saving of the best mask, measured and by the law, before anything is paid for.
    pub savings: Vec<(f64, f64)>,
}

/// Mines the sample. `None` without a single block.
pub fn look(sample: &Sample, miner: &dyn Miner) -> Result<Option<Chance>, MineError> {
    let block_bits = sample.block_bits;
    let words = blocks(&sample.bytes, block_bits);
    let count = words.len() / block_bits.words();
    if count == 0 {
        return Ok(None);
    }
    // Large blocks cost more than those of 512 bits.
    let weight = block_bits.bits().div_ceil(512).ilog2();
    let logs = (LOG_PAIRS - weight - count.ilog2()).clamp(LOG_SEEDS.min(12), LOG_SEEDS_MOST);
    let seeds: Vec<u64> = (0..=logs).map(|log| 1 << log).collect();
    let best = best_folds(&words, block_bits, &seeds, miner)?;
    let law = Law::new(block_bits.bits());
    let savings = seeds.iter().zip(&best).map(|(seeds, folds)| {
        let all: f64 = folds.iter().map(|fold| saving(block_bits.bits(), *fold)).sum();
        (all / count as f64, law.mean_saving(*seeds as f64))
    });
    let savings = savings.collect();
    let log_seeds = LOG_SEEDS.min(logs);
    let folds = histogram(&best[log_seeds as usize], block_bits);
    let chances = law.best(2f64.powi(log_seeds as i32));
    let fit = chi_squared(&folds, &chances);
    Ok(Some(Chance {
        block_bits: block_bits.bits(),
        blocks: count,
        of: sample.seen,
        log_seeds,
        folds,
        law: chances,
        fit,
        savings,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use np_cpu::CpuMiner;
    use np_tests::inputs::{noise, records};

    fn chance(bytes: &[u8]) -> Option<Chance> {
        let mut sample = Sample::new(BlockBits::default());
        bytes.chunks_exact(64).for_each(|block| sample.offer(block));
        look(&sample, &CpuMiner::new()).unwrap()
    }

    #[test]
    fn a_sample_is_evenly_spread() {
        let mut sample = Sample::new(BlockBits::new(128).unwrap());
        for number in 0..20_000u64 {
            sample.offer(&[number.to_le_bytes(), [0; 8]].concat());
        }
        let kept: Vec<u64> =
            sample.bytes.chunks(16).map(|b| u64::from_le_bytes(b[..8].try_into().unwrap())).collect();
        assert_eq!(kept, (0..20_000).step_by(8).collect::<Vec<_>>());
        assert_eq!(sample.seen, 20_000);
    }

    #[test]
    fn noise_obeys_the_law_and_records_do_not() {
        let found = chance(&noise(51_200, 5)).unwrap();
        assert_eq!((found.blocks, found.of, found.log_seeds), (800, 800, 16));
        assert!(found.fit.p > 1e-4, "{:?}", found.fit);
        for (log, (seen, law)) in found.savings.iter().enumerate() {
            assert!((seen - law).abs() < 1.0, "2^{log}: {seen} for {law}");
        }
        let found = chance(&records((0..200).map(|i| 3000 + 7 * i), 64)).unwrap();
        assert!(found.fit.p < 1e-9 && found.savings[16].0 > 500.0);
        assert!(chance(&[]).is_none());
    }
}
