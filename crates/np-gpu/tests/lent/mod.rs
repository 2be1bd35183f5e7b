//! The device tests run on, and jobs for it. Without a device they say so and pass, unless `NP_REQUIRE_GPU=1`.

use np_core::block::BlockBits;
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Filter, Job};
use np_gpu::{Choice, GpuMiner, OpenError};

/// A choice that takes any device, a software one too.
pub fn any() -> Choice {
    Choice { allow_cpu: true, self_test: false, ..Choice::default() }
}

/// Opens a device for `test`, or says why the test is skipped.
pub fn open(test: &str, choice: &Choice) -> Option<GpuMiner> {
    match GpuMiner::open(choice) {
        Ok(miner) => Some(miner),
        Err(error @ OpenError::NoDevice { .. }) => {
            assert_ne!(std::env::var("NP_REQUIRE_GPU").as_deref(), Ok("1"), "{test} needs a device: {error}");
            eprintln!("skipped: {test}: {error}");
            None
        }
        Err(error) => panic!("{test}: {error}"),
    }
}

/// Noise that differs from block to block.
pub fn noise(words: usize, count: usize) -> Vec<u32> {
    let mut x = 0x1234_5678_9abc_def1u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 16) as u32
    };
    (0..words * count).map(|_| next()).collect()
}

/// Noise blocks, but every fourth is the mask of a seed among `seeds`, with a few bits flipped, every other of those complemented.
pub fn planted(words: usize, count: usize, seeds: std::ops::Range<u64>) -> Vec<u32> {
    let mut blocks = noise(words, count);
    for (b, block) in blocks.chunks_exact_mut(words).enumerate().filter(|(b, _)| b % 4 == 0) {
        let span = seeds.end.saturating_sub(seeds.start).max(1);
        mask_words((seeds.start + b as u64 * 61 % span) as u32, block);
        for flip in 0..b % 9 {
            block[flip * 5 % words] ^= 1 << (flip * 11 % 32);
        }
        if b % 8 == 4 {
            block.iter_mut().for_each(|word| *word = !*word);
        }
    }
    blocks
}

/// A job over all pairs.
pub fn job(bits: u32, seeds: std::ops::Range<u64>, blocks: &[u32], fold_limit: u32, best: usize) -> Job<'_> {
    Job {
        generator: Generator::Mt19937,
        seeding: Seeding::Genrand,
        block_bits: BlockBits::new(bits).unwrap(),
        seeds,
        blocks,
        fold_limit,
        best_per_block: best,
        filter: Filter::All,
    }
}
