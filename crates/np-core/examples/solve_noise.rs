//! Share of noisy streams that solving finds, by flips and length: `cargo run --release --example solve_noise [TRIALS]`.

use np_core::generator::Key;
use np_core::solve::{ScanOptions, scan, solve_start};
use std::time::Instant;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The stream of `key` from `position`, each bit flipped with `percent` / 100.
    fn noisy(&mut self, key: &Key, position: u64, len: usize, percent: f64) -> Vec<u8> {
        let mut data = vec![0; len];
        let mut stream = key.stream();
        stream.skip(position);
        stream.fill(&mut data);
        let limit = (percent / 100.0 * u64::MAX as f64) as u64;
        for byte in &mut data {
            for bit in 0..8 {
                *byte ^= u8::from(self.next() < limit) << bit;
            }
        }
        data
    }
}

fn main() {
    let trials: u32 = std::env::args().nth(1).map_or(50, |a| a.parse().expect("TRIALS is a number"));
    let mut random = Random(1);
    println!("known start, genrand: found of {trials}, milliseconds each");
    for len in [1024, 2496] {
        for (percent, budget) in [
            (2.0, 300_000),
            (5.0, 300_000),
            (10.0, 1_000_000),
            (15.0, 4_500_000),
            (20.0, 4_500_000),
            (20.0, 40_000_000),
            (25.0, 40_000_000),
        ] {
            let (mut found, now) = (0, Instant::now());
            for _ in 0..trials {
                let key = Key::Genrand(random.next() as u32);
                let data = random.noisy(&key, 0, len, percent);
                found += u32::from(solve_start(&data, budget).is_some_and(|f| f.key == key));
            }
            let each = now.elapsed().as_secs_f64() * 1e3 / f64::from(trials);
            println!("  {len} bytes at {percent} %, budget {budget}: {found}, {each:.2} ms");
        }
    }
    println!("unknown start and position, no seed in reach: found of {}, milliseconds each", trials.min(10));
    for len in [8 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10] {
        for percent in [0.5, 2.0, 5.0, 7.0, 9.0, 10.0, 11.0, 12.0] {
            let (mut found, now, trials) = (0, Instant::now(), trials.min(10));
            for _ in 0..trials {
                let key = Key::ByArray((0..624).map(|_| random.next() as u32).collect());
                let position = random.next() % 100_000;
                // Noise before and after, at no particular offset.
                let (before, after) = (random.next() % 50_000, random.next() % 50_000);
                let mut data = random.noisy(&key, 0, before as usize, 50.0);
                data.extend(random.noisy(&key, position, len, percent));
                data.extend(random.noisy(&key, 0, after as usize, 50.0));
                let options = ScanOptions { walk_back: 64, ..ScanOptions::default() };
                let all = scan(&data, std::slice::from_ref(&(0..data.len())), &options);
                let covers = |f: &np_core::solve::Found| {
                    f.offset.abs_diff(before) < 200 && f.length.abs_diff(len as u64) < 400
                };
                // Right to the last bit: a state with a wrong bit would explain ever less.
                let right = |f: &np_core::solve::Found| {
                    f.flips as f64 <= 8.0 * f.length as f64 * (percent + 1.0) / 100.0
                };
                found += u32::from(all.len() == 1 && covers(&all[0]) && right(&all[0]));
            }
            let each = now.elapsed().as_secs_f64() * 1e3 / f64::from(trials);
            println!("  {len} bytes at {percent} %: {found}, {each:.0} ms");
        }
    }
    println!("known start, by_array of one and two words: found of {trials}");
    for words in [1, 2] {
        for percent in [0.0, 0.5, 1.0, 2.0, 3.0] {
            let (mut found, now) = (0, Instant::now());
            for _ in 0..trials {
                let key = Key::ByArray((0..words).map(|_| random.next() as u32).collect());
                let data = random.noisy(&key, 0, 2496, percent);
                found += u32::from(solve_start(&data, 300_000).is_some_and(|f| f.key == key));
            }
            let each = now.elapsed().as_secs_f64() * 1e3 / f64::from(trials);
            println!("  {words} words, 2496 bytes at {percent} %: {found}, {each:.2} ms");
        }
    }
}
