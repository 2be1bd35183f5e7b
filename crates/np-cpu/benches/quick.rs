use np_core::{
    block::BlockBits,
    generator::{Generator, Seeding},
    miner::*,
};
use np_cpu::*;
use std::time::Instant;
fn main() {
    if let Ok(v) = std::env::var("S") {
        let mut s = 1u64;
        let b: usize = v.parse().unwrap();
        let blocks: Vec<u32> = (0..b * 16)
            .map(|_| {
                s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (s >> 32) as u32
            })
            .collect();
        for k in Kernel::ALL {
            if std::env::var("K").is_ok_and(|v| v != k.id()) {
                continue;
            }
            measure::scores(
                k,
                &blocks,
                16,
                190,
                (1 << 21) / b / if k == Kernel::Portable { 10 } else { 2 },
                true,
            );
            measure::scores(k, &blocks, 16, 190, (1 << 21) / b / 10, false);
        }
        return;
    }
    for k in Kernel::ALL {
        if !k.is_supported() {
            continue;
        }
        for w in [1, 16, 256] {
            let n = if w > 200 { 200 } else { 2000 };
            measure::masks(k, 0, n / 10, w);
            let t = Instant::now();
            let r = measure::masks(k, 0, n, w);
            let d = t.elapsed().as_secs_f64();
            println!("{:9} A W={w:3} {:7.2} Mseeds/s ({r})", k.id(), (n * 512) as f64 / d / 1e6);
        }
        let miner = CpuMiner::with_threads(1).unwrap().with_kernel(k).unwrap();
        let mut s = 1u64;
        let blocks: Vec<u32> = (0..1024 * 16)
            .map(|_| {
                s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (s >> 32) as u32
            })
            .collect();
        for b in [64usize, 1024] {
            for sl in [false, true] {
                for bound in [195, 210] {
                    measure::scores(k, &blocks[..b * 16], 16, bound, (1 << 20) / b / 20, sl);
                }
            }
        }
        for b in [1usize, 8, 64, 1024] {
            let n: u64 = (4_000_000_000 / (b as u64 * 10 + 1000)).min(4 << 20);
            let job = Job {
                generator: Generator::Mt19937,
                seeding: Seeding::Genrand,
                block_bits: BlockBits::default(),
                seeds: 0..n,
                blocks: &blocks[..b * 16],
                fold_limit: 190,
                best_per_block: 1,
                filter: Filter::All,
            };
            let t = Instant::now();
            let r = miner.mine(&job, &()).unwrap();
            let d = t.elapsed().as_secs_f64();
            println!(
                "{:9} C B={b:4} {:7.2} Mseeds/s {:7.3} Gpairs/s ({})",
                k.id(),
                n as f64 / d / 1e6,
                n as f64 * b as f64 / d / 1e9,
                r.len()
            );
        }
    }
}
