//! Seeds tried a record by the predictor and Lazy Hunter, beside the proof of concept's outward search:
//! `cargo run --release -p np-cpu --example seeds_tried`.
//!
//! Each case is 4,096 records of 64 bytes, each the start of a fresh stream. The seeds of the first four are given;
//! counted is what is then tried, record by record, for the others. Joins and scoring, which would find these
//! seeds without any prediction, are turned off.

use np_core::block::BlockBits;
use np_core::generator::mask_words;
use np_core::miner::Watch;
use np_core::noise::NoiseMap;
use np_core::search::grid::{GridSearch, Hint};
use np_core::search::{Effort, PackWatch};
use np_cpu::CpuMiner;
use std::sync::atomic::{AtomicU64, Ordering};

const RECORDS: u32 = 4096;
/// Records whose seeds are given.
const GIVEN: usize = 4;

/// Seeds tried.
#[derive(Default)]
struct Tried(AtomicU64);

impl Watch for Tried {
    fn advance(&self, work: u64) {
        self.0.fetch_add(work, Ordering::Relaxed);
    }
}

impl PackWatch for Tried {}

/// SplitMix64.
fn noise(i: u32) -> u64 {
    let mut z = u64::from(i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Seeds tried until `seed` is met going 0, +1, -1, +2, -2 ... from the last one.
fn outward(last: u32, seed: u32) -> u64 {
    let delta = i64::from(seed) - i64::from(last);
    2 * delta.unsigned_abs() + u64::from(delta <= 0)
}

fn main() {
    let effort = Effort { join_seeds: 0, score_pairs: 0, ..Effort::level(6) };
    let block_bits = BlockBits::default();
    let miner = CpuMiner::new();
    type Seeds = fn(u32) -> u32;
    let cases: [(&str, Seeds); 5] = [
        ("constant stride", |i| 1_000_000 + 3 * i),
        ("drifting, within 4", |i| 5_000_000 + 2 * i + (noise(i) % 9) as u32),
        ("alternating of two counters", |i| if i % 2 == 0 { 2_000_000 + 3 * i } else { 9_000_000 + 5 * i }),
        ("quadratic", |i| 1_000_000 + i * (i + 1) / 2),
        ("random, 24 bits", |i| (noise(i) >> 40) as u32),
    ];
    println!(
        "| seeds | records found | seeds tried a record | outward from the last seed |\n|---|---|---|---|"
    );
    for (what, seed) in cases {
        let seeds: Vec<u32> = (0..RECORDS).map(seed).collect();
        let mut content = Vec::new();
        for seed in &seeds {
            let mut mask = [0; 16];
            mask_words(*seed, &mut mask);
            content.extend(mask.iter().flat_map(|w| w.to_le_bytes()));
        }
        let tried = Tried::default();
        let hints: Vec<Hint> =
            seeds.iter().take(GIVEN).enumerate().map(|(i, seed)| Hint { at: 64 * i, seed: *seed }).collect();
        let search = GridSearch {
            content: &content,
            block_bits,
            fixed: true,
            effort: &effort,
            miner: &miner,
            watch: &tried,
        };
        let found = search.search(&NoiseMap::new(&content), &[], &hints, None).expect("searches");
        let packed = found.map_or(0, |g| g.blocks.iter().flatten().count());
        let tried = tried.0.into_inner();
        let plain: u64 = seeds[GIVEN - 1..].windows(2).map(|s| outward(s[0], s[1])).sum();
        let each = |n: u64| n as f64 / f64::from(RECORDS - GIVEN as u32);
        println!("| {what} | {packed} of {RECORDS} | {:.1} | {:.1} |", each(tried), each(plain));
    }
}
