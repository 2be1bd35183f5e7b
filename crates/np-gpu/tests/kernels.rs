//! Each kernel alone leaves in its buffers what its CPU twin says.

mod lent;

use lent::{any, job, open, planted};
use np_core::block::BlockBits;
use np_gpu::join_table::JoinTable;
use np_gpu::layout::{Hit, Limit, premixed_blocks};
use np_gpu::probe::{Inputs, Probe};
use np_gpu::shader::Kernel;
use np_gpu::twin;

const FIRST: u32 = u32::MAX - 400;
const SEEDS: u32 = 300;

fn sorted(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_unstable();
    hits
}

/// Limits of all kinds, block by block.
fn limits(bits: u32, count: usize) -> Vec<Limit> {
    let block_bits = BlockBits::new(bits).unwrap();
    let bounds =
        [None, Some(bits / 2 - bits / 16), Some(0), Some(bits / 2), Some(bits / 2 - bits / 10), Some(9)];
    (0..count).map(|b| Limit::new(block_bits, bounds[b % bounds.len()])).collect()
}

#[test]
fn mask_and_long_mask() {
    let Some(gpu) = open("mask_and_long_mask", &any()) else { return };
    for words in [4, 5, 15, 16, 17, 48, 63, 64, 128, 226, 227, 228, 300, 454, 623, 624, 625, 851, 1024] {
        let kernel = Kernel::mask(words);
        let probe = Probe::new(&gpu, kernel, SEEDS, 1, Inputs::default()).unwrap();
        for seeds in [0, 1, 127, 128, 129, SEEDS] {
            let probe_masks = |probe: &Probe<'_>| probe.masks().unwrap();
            probe.run(FIRST, seeds, 1).unwrap();
            let params = probe.params(FIRST, seeds);
            let expected = match kernel {
                Kernel::LongMask { .. } => twin::long_mask(&params, words),
                _ => twin::mask(&params, words),
            };
            let found = probe_masks(&probe);
            let stride = params.stride as usize;
            for quad in 0..words.div_ceil(4) {
                let at = 4 * quad * stride..4 * (quad * stride + seeds as usize);
                assert_eq!(found[at.clone()], expected[at], "{words} words, {seeds} seeds, quad {quad}");
            }
        }
    }
}

#[test]
fn score_and_score_wide() {
    let Some(gpu) = open("score_and_score_wide", &any()) else { return };
    for words in [4, 5, 8, 13, 16, 24, 32, 33, 48, 128, 227, 300, 1024] {
        let kernel = Kernel::score(words);
        let bits = 32 * words as u32;
        for count in [1, 7, 8, 9, 16] {
            let blocks = planted(words, count, FIRST.into()..u64::from(FIRST + SEEDS));
            let limits = limits(bits, count);
            let make = Probe::new(&gpu, kernel, SEEDS, 1, Inputs::default()).unwrap();
            let masks = twin::mask(&make.params(FIRST, SEEDS), words);
            let inputs = Inputs { blocks: &blocks, limits: &limits, masks: &masks, table: None };
            let probe = Probe::new(&gpu, kernel, SEEDS, 1 << 14, inputs).unwrap();
            let mixed = premixed_blocks(BlockBits::new(bits).unwrap(), &blocks);
            for seeds in [1, 129, SEEDS] {
                let params = probe.params(FIRST, seeds);
                let expected = match kernel {
                    Kernel::ScoreWide { .. } => twin::score_wide(&params, words, &mixed, &limits, &masks),
                    _ => twin::score(&params, words, &mixed, &limits, &masks),
                };
                let found = probe.run(FIRST, seeds, 1).unwrap();
                assert_eq!(found.count, expected.len() as u64);
                assert_eq!(
                    sorted(found.hits),
                    sorted(expected),
                    "{words} words, {count} blocks, {seeds} seeds"
                );
            }
        }
    }
}

#[test]
fn fused_and_fused_wide() {
    let Some(gpu) = open("fused_and_fused_wide", &any()) else { return };
    for words in [4, 5, 8, 13, 16, 24, 32, 33, 47, 48, 128, 227] {
        let bits = 32 * words as u32;
        for count in [1, 2, 4, 8] {
            let kernel = match words {
                ..=32 => Kernel::Fused { words },
                _ => Kernel::FusedWide { words, blocks: count },
            };
            let blocks = planted(words, count, FIRST.into()..u64::from(FIRST + SEEDS));
            let limits = limits(bits, count);
            let inputs = Inputs { blocks: &blocks, limits: &limits, ..Inputs::default() };
            let probe = Probe::new(&gpu, kernel, SEEDS, 1 << 14, inputs).unwrap();
            let params = probe.params(FIRST, SEEDS);
            let expected = match kernel {
                Kernel::FusedWide { .. } => twin::fused_wide(&params, words, &blocks, &limits),
                _ => twin::fused(&params, words, &blocks, &limits),
            };
            let found = probe.run(FIRST, SEEDS, 1).unwrap();
            assert_eq!(sorted(found.hits), expected, "{words} words, {count} blocks");
        }
    }
}

#[test]
fn join() {
    let Some(gpu) = open("join", &any()) else { return };
    let block_bits = BlockBits::new(512).unwrap();
    let blocks = planted(16, 500, FIRST.into()..u64::from(FIRST) + 5000);
    for places in 1..=8 {
        let table = JoinTable::new(block_bits, &blocks, places);
        let kernel = Kernel::Join { words: places };
        let inputs = Inputs { table: Some(&table), ..Inputs::default() };
        let probe = Probe::new(&gpu, kernel, SEEDS, 1 << 10, inputs).unwrap();
        let expected = twin::join(&probe.params(FIRST, SEEDS), places, &table);
        assert!(!expected.is_empty());
        assert_eq!(sorted(probe.run(FIRST, SEEDS, 1).unwrap().hits), expected, "{places} places");
    }
}

/// More than 65,535 workgroups: the dispatch has two dimensions.
#[test]
fn a_dispatch_of_two_dimensions_reaches_every_seed_once() {
    let Some(gpu) = open("a_dispatch_of_two_dimensions_reaches_every_seed_once", &any()) else { return };
    let seeds = 65_535 * 128 + 5000;
    let wanted = [3, 32_768 * 128 - 1, 32_768 * 128, 65_535 * 128, seeds - 1];
    let mut blocks = vec![0; 4 * wanted.len()];
    for (block, seed) in blocks.chunks_exact_mut(4).zip(wanted) {
        np_core::generator::mask_words(seed, block);
    }
    let table = JoinTable::new(BlockBits::new(128).unwrap(), &blocks, 1);
    let inputs = Inputs { table: Some(&table), ..Inputs::default() };
    let probe = Probe::new(&gpu, Kernel::Join { words: 1 }, seeds, 100, inputs).unwrap();
    let found: Vec<u32> = sorted(probe.run(0, seeds, 1).unwrap().hits).iter().map(|hit| hit.seed).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_full_hit_list_counts_on_and_holds_true_hits() {
    let Some(gpu) = open("a_full_hit_list_counts_on_and_holds_true_hits", &any()) else { return };
    let blocks = planted(16, 2, 0..9);
    let job = job(512, 0..SEEDS.into(), &blocks, 256, 1);
    let limits = [Limit::new(job.block_bits, Some(job.fold_limit)); 2];
    let inputs = Inputs { blocks: &blocks, limits: &limits, ..Inputs::default() };
    let probe = Probe::new(&gpu, Kernel::Fused { words: 16 }, SEEDS, 50, inputs).unwrap();
    let outcome = probe.run(0, SEEDS, 1).unwrap();
    assert_eq!((outcome.count, outcome.hits.len()), (job.work(), 50));
    let mut hits = sorted(outcome.hits);
    hits.dedup();
    assert!(hits.len() == 50 && hits.iter().all(|hit| hit.block < 2 && hit.seed < SEEDS));
}

/// Also checks each roofline's results against its twin.
#[test]
fn rooflines() {
    let Some(gpu) = open("rooflines", &any()) else { return };
    for roof in np_gpu::roof::Roof::ALL {
        let rate = gpu.roof(roof, std::time::Duration::from_millis(20)).unwrap();
        assert!(rate > 1e6, "{}: {rate}", roof.name());
    }
}
