//! `bench-shaders`: seeds/s and pairs/s of each kernel and of whole jobs, beside the device's ceilings and the CPU miner.

use anyhow::{Context, Result, bail};
use clap::Args;
use np_core::block::BlockBits;
use np_core::generator::{Generator, Seeding};
use np_core::miner::{Filter, Job, Miner, SEED_END};
use np_gpu::layout::{Limit, WORKGROUP, chunk_blocks};
use np_gpu::probe::{Inputs, Probe};
use np_gpu::roof::Roof;
use np_gpu::shader::Kernel;
use np_gpu::{Choice, DeviceKind, GpuMiner, Which};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Options {
    /// Device number or part of its name; without it the first real GPU, else the software one
    #[arg(long, value_name = "NAME|INDEX")]
    device: Option<String>,
    /// A tenth of a second for each figure instead of one
    #[arg(long)]
    quick: bool,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// Mask sizes of the tables, in words.
const WORDS: [usize; 4] = [4, 16, 48, 128];
/// Block counts of the tables.
const BLOCKS: [usize; 4] = [1, 64, 1024, 16384];

/// The miner that stands beside the device in the table of jobs.
fn cpu_miner() -> impl Miner {
    np_cpu::CpuMiner::new()
}

/// What the device can do at most, in operations a second.
struct Ceilings {
    rates: HashMap<Roof, f64>,
    /// A software device runs everything on the same ports: times add up. A GPU's units work side by side: the slowest counts.
    one_unit: bool,
}

impl Ceilings {
    fn time(&self, parts: &[(Roof, f64)]) -> f64 {
        let times = parts.iter().map(|(roof, count)| count / self.rates[roof]);
        if self.one_unit { times.sum() } else { times.fold(0.0, f64::max) }
    }

    /// Seeds/s if mask making were nothing but seeding (a multiply-add, a shift and a xor a step, 397 + W steps) and six
    /// shift-xor pairs a word for twist and temper.
    fn seeds(&self, words: usize) -> f64 {
        let steps = (397 + words) as f64;
        1.0 / self.time(&[(Roof::Multiply, steps), (Roof::Shift, steps + 6.0 * words as f64)])
    }

    /// Pairs/s if scoring were a xor, a popcount and an add for each word. A carry-save tree can exceed it.
    fn pairs(&self, words: usize) -> f64 {
        self.rates[&Roof::Popcount] / words as f64
    }
}

/// What a device costs before it has done anything.
struct Startup {
    /// Finding and opening the device.
    opened: Duration,
    /// The self-test and the pipelines it compiles.
    tested: Duration,
    /// A job of one seed and one block, pipelines compiled.
    smallest: Duration,
}

impl Startup {
    /// Seeds from which opening a device for one job takes less time than the CPU miner, if it ever does.
    fn worth(&self, gpu_seeds: f64, cpu_seeds: f64) -> Option<f64> {
        let fixed = (self.opened + self.tested + self.smallest).as_secs_f64();
        (gpu_seeds > cpu_seeds).then(|| fixed / (1.0 / cpu_seeds - 1.0 / gpu_seeds))
    }
}

/// A line of a table. Rates are per second.
struct Row {
    what: String,
    words: usize,
    blocks: usize,
    seeds: f64,
    pairs: f64,
    /// The CPU miner's pairs/s, for whole jobs.
    cpu: Option<f64>,
}

/// Noise, the same every time.
fn noise(words: usize) -> Vec<u32> {
    let mut x = 0x9e37_79b9_7f4a_7c15u64;
    let next = |_| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 16) as u32
    };
    (0..words).map(next).collect()
}

/// A fold that noise practically never has, so that few hits are reported, as in a real run.
fn rare(words: usize) -> u32 {
    8 * words as u32
}

pub fn run(options: &Options) -> Result<()> {
    let which = options.device.as_deref().map_or(Which::Default, Which::parse);
    let start = Instant::now();
    let gpu = GpuMiner::open(&Choice {
        which: which.clone(),
        allow_cpu: true,
        self_test: false,
        ..Choice::default()
    })?;
    let opened = start.elapsed();
    let start = Instant::now();
    gpu.self_test().context("the self-test failed; no figure of this device means anything")?;
    let tested = start.elapsed();
    let budget = Duration::from_millis(if options.quick { 100 } else { 1000 });

    let mut rates = HashMap::new();
    for roof in Roof::ALL {
        rates.insert(roof, gpu.roof(roof, budget)?);
    }
    let ceilings = Ceilings { rates, one_unit: gpu.info().kind == DeviceKind::Cpu };
    let mut kernels = Vec::new();
    for words in WORDS {
        kernels.extend(kernel_rows(&gpu, words, budget)?);
    }
    let mut jobs = Vec::new();
    for words in WORDS {
        for blocks in BLOCKS {
            jobs.push(job_row(&gpu, words, blocks, budget)?);
        }
    }
    let startup = Startup { opened, tested, smallest: smallest_job(&gpu)? };
    if options.json {
        println!("{:#}", as_json(&gpu, &ceilings, &kernels, &jobs, &startup));
    } else {
        print_tables(&gpu, &ceilings, &kernels, &jobs, &startup);
    }
    Ok(())
}

/// Each kernel alone, timed by the device where it can.
fn kernel_rows(gpu: &GpuMiner, words: usize, budget: Duration) -> Result<Vec<Row>> {
    let chunk = chunk_blocks(words);
    let mut list = vec![(Kernel::mask(words), 0)];
    if words <= 32 {
        list.extend([1, 32].map(|blocks| (Kernel::Fused { words }, blocks)));
    } else {
        list.extend([1, 8].map(|blocks| (Kernel::FusedWide { words, blocks }, blocks)));
    }
    list.extend([64.min(chunk), chunk].map(|blocks| (Kernel::score(words), blocks)));
    let most = match gpu.info().kind {
        DeviceKind::Cpu => 1 << 14,
        _ => (1 << 26) / words as u32 / (8 * WORKGROUP) * (8 * WORKGROUP),
    };
    let mut rows = Vec::new();
    for (kernel, count) in list {
        let blocks = noise(count * words);
        let limits = vec![Limit::new(BlockBits::new(32 * words as u32)?, Some(rare(words))); count];
        let masks = match kernel {
            Kernel::Score { .. } | Kernel::ScoreWide { .. } => {
                noise(most as usize * words.next_multiple_of(4))
            }
            _ => Vec::new(),
        };
        let inputs = Inputs { blocks: &blocks, limits: &limits, masks: &masks, table: None };
        let probe = Probe::new(gpu, kernel, most, 1 << 12, inputs)?;
        // The first run compiles: drivers put it off until then.
        probe.run(0, 1, 1)?;
        let (mut seeds, mut repeats) = (most.min(1 << 12), 1u32);
        let rate = loop {
            let time = probe.run(0, seeds, repeats)?.time.as_secs_f64();
            let rate = f64::from(seeds) * f64::from(repeats) / time;
            if time >= budget.as_secs_f64() / 3.0 || repeats >= 1 << 16 {
                break rate;
            }
            let wanted = rate * budget.as_secs_f64() / 2.0;
            seeds = (wanted as u32).clamp(1, most);
            repeats = ((wanted / f64::from(seeds)) as u32).clamp(repeats, 4 * repeats.max(1));
        };
        let what = kernel.name().to_owned();
        rows.push(Row { what, words, blocks: count, seeds: rate, pairs: rate * count as f64, cpu: None });
    }
    Ok(rows)
}

/// Seeds/s of a miner on noise: more and more seeds, from `seeds` on, until it takes long enough.
fn job_rate(miner: &dyn Miner, words: usize, blocks: &[u32], seeds: u64, budget: Duration) -> Result<f64> {
    let mut seeds = seeds;
    // The first run compiles and is not timed.
    let mut first = true;
    loop {
        let job = Job {
            generator: Generator::Mt19937,
            seeding: Seeding::Genrand,
            block_bits: BlockBits::new(32 * words as u32)?,
            seeds: 0..seeds,
            blocks,
            fold_limit: rare(words),
            best_per_block: 1,
            filter: Filter::All,
        };
        let start = Instant::now();
        let found = miner.mine(&job, &())?;
        let time = start.elapsed();
        if !found.is_empty() && words > 4 {
            bail!("{} finds something in noise: {:?}", miner.name(), found[0]);
        }
        if std::mem::take(&mut first) {
            continue;
        }
        if time >= budget / 2 || seeds == SEED_END {
            return Ok(seeds as f64 / time.as_secs_f64());
        }
        let more = (budget.as_secs_f64() / time.as_secs_f64().max(1e-6)).clamp(2.0, 16.0);
        seeds = ((seeds as f64 * more) as u64).min(SEED_END);
    }
}

/// The time of a job of one seed and one block: the median of several.
fn smallest_job(gpu: &GpuMiner) -> Result<Duration> {
    let blocks = noise(16);
    let job = Job {
        generator: Generator::Mt19937,
        seeding: Seeding::Genrand,
        block_bits: BlockBits::default(),
        seeds: 0..1,
        blocks: &blocks,
        fold_limit: rare(16),
        best_per_block: 1,
        filter: Filter::All,
    };
    let mut times = Vec::new();
    for _ in 0..9 {
        let start = Instant::now();
        gpu.mine(&job, &())?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// A whole job through the miner, hits, readback and all; the CPU miner beside it.
fn job_row(gpu: &GpuMiner, words: usize, count: usize, budget: Duration) -> Result<Row> {
    let blocks = noise(count * words);
    let seeds = job_rate(gpu, words, &blocks, 1024, budget)?;
    let cpu = job_rate(&cpu_miner(), words, &blocks, 64, budget / 2)?;
    let pairs = count as f64;
    Ok(Row {
        what: "job".to_owned(),
        words,
        blocks: count,
        seeds,
        pairs: seeds * pairs,
        cpu: Some(cpu * pairs),
    })
}

/// A rate for people: `1.23 G`.
fn human(rate: f64) -> String {
    let (scale, unit) = match rate {
        r if r >= 1e12 => (1e12, "T"),
        r if r >= 1e9 => (1e9, "G"),
        r if r >= 1e6 => (1e6, "M"),
        r if r >= 1e3 => (1e3, "k"),
        _ => (1.0, " "),
    };
    format!("{:.2} {unit}", rate / scale)
}

fn percent(part: f64, whole: f64) -> String {
    format!("{:.0} %", 100.0 * part / whole)
}

fn print_tables(gpu: &GpuMiner, ceilings: &Ceilings, kernels: &[Row], jobs: &[Row], startup: &Startup) {
    let info = gpu.info();
    println!(
        "device: {} ({}, {}, {} {})",
        info.name,
        info.kind.name(),
        info.backend,
        info.driver,
        info.driver_info
    );
    println!("cpu miner: {}", cpu_miner().name());
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "start-up: open {:.0} ms, self-test with its pipelines {:.0} ms; then the smallest job takes {:.2} ms",
        ms(startup.opened),
        ms(startup.tested),
        ms(startup.smallest)
    );
    println!("\n| ceiling | measured |\n|---|---:|");
    for roof in Roof::ALL {
        println!("| {} | {}{} |", roof.name(), human(ceilings.rates[&roof]), roof.unit());
    }
    println!("\n| kernel | W | B | seeds/s | pairs/s | of mask ceiling | of popcount ceiling |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for row in kernels {
        let makes = !row.what.starts_with("score");
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.what,
            row.words,
            row.blocks,
            human(row.seeds),
            if row.blocks > 0 { human(row.pairs) } else { String::new() },
            if makes { percent(row.seeds, ceilings.seeds(row.words)) } else { String::new() },
            if row.blocks > 0 { percent(row.pairs, ceilings.pairs(row.words)) } else { String::new() },
        );
    }
    println!(
        "\n| job: W | B | seeds/s | pairs/s | of mask ceiling | of popcount ceiling | CPU miner pairs/s | GPU / CPU | worth opening from |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for row in jobs {
        let cpu = row.cpu.unwrap_or(f64::NAN);
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.1} | {} |",
            row.words,
            row.blocks,
            human(row.seeds),
            human(row.pairs),
            percent(row.seeds, ceilings.seeds(row.words)),
            percent(row.pairs, ceilings.pairs(row.words)),
            human(cpu),
            row.pairs / cpu,
            match startup.worth(row.seeds, cpu / row.blocks as f64) {
                Some(seeds) => format!("{}seeds", human(seeds)),
                None => "never".to_owned(),
            },
        );
    }
}

fn as_json(gpu: &GpuMiner, ceilings: &Ceilings, kernels: &[Row], jobs: &[Row], startup: &Startup) -> Value {
    let info = gpu.info();
    let row = |row: &Row| {
        json!({
            "what": row.what, "words": row.words, "blocks": row.blocks,
            "seeds_per_s": row.seeds, "pairs_per_s": row.pairs, "cpu_pairs_per_s": row.cpu,
            "worth_opening_from_seeds": row.cpu.and_then(|cpu| startup.worth(row.seeds, cpu / row.blocks as f64)),
            "of_mask_ceiling": row.seeds / ceilings.seeds(row.words),
            "of_popcount_ceiling": row.pairs / ceilings.pairs(row.words),
        })
    };
    let roofs: serde_json::Map<String, Value> =
        Roof::ALL.iter().map(|roof| (roof.name().to_owned(), json!(ceilings.rates[roof]))).collect();
    json!({
        "device": { "name": info.name, "kind": info.kind.name(), "backend": info.backend,
                    "driver": info.driver, "driver_info": info.driver_info },
        "cpu_miner": cpu_miner().name(),
        "open_ms": startup.opened.as_secs_f64() * 1e3,
        "self_test_ms": startup.tested.as_secs_f64() * 1e3,
        "smallest_job_ms": startup.smallest.as_secs_f64() * 1e3,
        "ceilings_per_s": roofs,
        "kernels": kernels.iter().map(row).collect::<Vec<_>>(),
        "jobs": jobs.iter().map(row).collect::<Vec<_>>(),
    })
}
