//! `selftest`: do this machine's miners agree? The CPU against the scalar oracle, a GPU against the CPU.

use crate::backend::{self, Checked};
use crate::target;
use anyhow::Context;
use clap::Args;
use np_core::block::BlockBits;
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Filter, Job, Miner, SEED_END};
use np_core::scalar::ScalarMiner;
use np_cpu::CpuMiner;
use np_gpu::{BothMiner, GpuMiner};
use std::fmt::Write;
use std::ops::Range;

/// Check that the miners of this machine agree, candidate by candidate
#[derive(Args, Debug)]
pub struct SelfTest {
    /// The GPU to check, by its name (or a part of it) or its number in `np-cli devices` [default: all of them]
    #[arg(long, value_name = "NAME|INDEX")]
    pub device: Option<String>,
}

/// Block sizes checked: those at which a kernel's shape changes, and their neighbours.
const SIZES: [u32; 12] = [128, 160, 512, 1024, 1056, 2048, 4096, 7264, 7296, 8192, 16384, 32768];

impl SelfTest {
    /// Runs every check; the first difference is an error with exit code 3.
    pub fn run(self) -> anyhow::Result<()> {
        let cpu = Checked(CpuMiner::new());
        let scalar = ScalarMiner;
        target::print(line(&cpu.name(), agree(&cpu, &scalar, 1)?).as_bytes())?;
        let choices: Vec<np_gpu::Choice> = match &self.device {
            Some(_) => vec![backend::gpu_choice(self.device.as_deref())],
            None => {
                np_gpu::devices().iter().map(|d| backend::gpu_choice(Some(&d.index.to_string()))).collect()
            }
        };
        if choices.is_empty() {
            target::print(b"no GPU to check: no Vulkan, Metal or DX12 driver shows a device\n")?;
        }
        for choice in choices {
            let gpu = GpuMiner::open(&choice)?;
            for bits in SIZES {
                gpu.check_parity(bits).with_context(|| format!("blocks of {bits} bits"))?;
            }
            let jobs = SIZES.len() * 3 + agree(&gpu, &cpu, 16)?;
            target::print(line(&gpu.name(), jobs).as_bytes())?;
        }
        Ok(())
    }
}

fn line(name: &str, jobs: usize) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{name}: {jobs} jobs, all candidate lists equal");
    out
}

/// Mines the same jobs on both and compares whole lists. `scale`: how much work. Returns how many jobs.
fn agree(left: &dyn Miner, right: &dyn Miner, scale: u64) -> anyhow::Result<usize> {
    let both = BothMiner::new(left, right);
    let mut jobs = 0;
    for bits in SIZES {
        let block_bits = BlockBits::new(bits)?;
        let words = block_bits.words();
        for (count, seeds, filter) in [
            (1, 0..4096 * scale, Filter::All),
            (65, SEED_END - 256 * scale..SEED_END, Filter::All),
            (300, 1000..1000 + 64 * scale, Filter::All),
            (300, 1000..1000 + 1024 * scale, Filter::Join { words: 4 }),
        ] {
            let blocks = blocks(words, count, &seeds);
            let job = Job {
                generator: Generator::Mt19937,
                seeding: Seeding::Genrand,
                block_bits,
                seeds,
                blocks: &blocks,
                fold_limit: bits / 2 - bits / 16,
                best_per_block: 3,
                filter,
            };
            both.mine(&job, &()).with_context(|| format!("{count} blocks of {bits} bits"))?;
            jobs += 1;
        }
    }
    Ok(jobs)
}

/// Blocks of which every third is a seed's mask with some bits flipped, every fourth of those complemented.
fn blocks(words: usize, count: u64, seeds: &Range<u64>) -> Vec<u32> {
    let mut out = Vec::new();
    for i in 0..count {
        let seed = match i % 3 {
            0 => seeds.start + (i * 31) % (seeds.end - seeds.start),
            _ => 0x9e37_79b9 ^ (i * 0x0101_0101),
        };
        let mut mask = vec![0; words];
        mask_words(seed as u32, &mut mask);
        for (k, word) in mask.iter_mut().enumerate() {
            *word ^= (i as u32).wrapping_mul(0x0008_0081) & (1 << (k % 32));
            if i % 12 == 9 {
                *word = !*word;
            }
        }
        out.extend(mask);
    }
    out
}
