//! `bench`: the CPU's kernels beside the scalar oracle, `rand_mt` and, with `--peers`, other programs, pair by pair.

use crate::bench_peers::{self, Peers};
use anyhow::{Context, Result, bail};
use clap::Args;
use cpu_time::ProcessTime;
use np_core::generator::Key;
use np_core::generator::lanes::mask_many;
use np_cpu::measure::{self, Scoring, Task};
use np_cpu::{CpuMiner, Kernel};
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Options {
    /// Also beside FAISS, php_mt_seed and zstd, where they are installed
    #[arg(long)]
    peers: bool,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// A fifth of the time for each figure
    #[arg(long)]
    quick: bool,
    /// Only this kernel (portable, avx2, avx512)
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// Only figures whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Count the time the processor spent on each side, not the clock's: for a machine that has other work
    #[arg(long)]
    cpu_time: bool,
    /// A python3 that has the module faiss
    #[arg(long, value_name = "PATH", default_value = "python3")]
    python: PathBuf,
    /// php_mt_seed 4.0
    #[arg(long, value_name = "PATH", default_value = "php_mt_seed")]
    php_mt_seed: PathBuf,
    /// The np-cli that unpacks beside zstd [default: the one beside this program]
    #[arg(long, value_name = "PATH")]
    np_cli: Option<PathBuf>,
}

/// What is compared, and how it came out.
pub struct Figure {
    /// Stage and shape, e.g. `A masks, W = 16`.
    pub what: String,
    /// The kernel, or the library.
    pub kernel: String,
    /// Threads of ours; a peer that is a program has as many, the oracle and `rand_mt` one.
    pub threads: usize,
    /// What the rates count a second.
    pub unit: &'static str,
    /// The median rate.
    pub rate: f64,
    /// What stands beside it.
    pub peer: String,
    /// The median rate of that.
    pub peer_rate: f64,
    /// The median of the ratios of the pairs.
    pub ratio: f64,
    /// Pairs that were run.
    pub pairs: usize,
}

/// Pairs that are run at the least, however long they take.
const PAIRS: usize = 7;

/// Units a second of one run of something.
pub type Rate<'a> = &'a mut dyn FnMut() -> Result<f64>;

/// How long to measure, and what.
pub struct Plan {
    /// For each figure.
    pub time: Duration,
    only: Option<String>,
    /// Whether the processor's time counts, not the clock's.
    pub cpu_time: bool,
}

impl Plan {
    /// Whether a figure of this name was asked for.
    pub fn wants(&self, what: &str) -> bool {
        self.only.as_ref().is_none_or(|only| what.contains(only.as_str()))
    }

    /// Runs both in turn, for a while: the median rates and the median of the ratios.
    pub fn pair(&self, ours: Rate<'_>, peer: Rate<'_>) -> Result<(f64, f64, f64, usize)> {
        let start = Instant::now();
        let (mut rates, mut peers, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        while ratios.len() < PAIRS || start.elapsed() < self.time {
            // Every other pair the other way round: what changes with time must not favour either.
            let (rate, other) = if ratios.len() % 2 == 0 {
                let rate = ours()?;
                (rate, peer()?)
            } else {
                let other = peer()?;
                (ours()?, other)
            };
            rates.push(rate);
            peers.push(other);
            ratios.push(rate / other);
        }
        let pairs = ratios.len();
        Ok((median(rates), median(peers), median(ratios), pairs))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// Seeds whose masks are made at a time: so many that starting a thread for them does not count.
const MASKS: u64 = 1 << 19;

/// Runs of a short task of which the best counts: others that want the same cores do less harm then.
const RUNS: usize = 5;
/// A task that takes longer than this is run once.
const SHORT: Duration = Duration::from_millis(20);

/// The rate of the best of a few runs.
fn best(mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let start = Instant::now();
    let mut best = run()?;
    for _ in 1..RUNS {
        if start.elapsed() > SHORT {
            break;
        }
        best = best.max(run()?);
    }
    Ok(best)
}

impl Plan {
    /// Seconds that `run` takes with `threads` threads busy.
    pub fn seconds(&self, threads: usize, run: impl FnOnce() -> Result<()>) -> Result<f64> {
        let (clock, cpu) = (Instant::now(), ProcessTime::now());
        run()?;
        let (clock, cpu) = (clock.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
        Ok(if self.cpu_time { cpu / threads as f64 } else { clock })
    }

    /// Units a second of a task that has `threads` threads.
    pub fn alone(&self, mut task: Task, threads: usize) -> impl FnMut() -> Result<f64> {
        move || best(|| Ok(task.units / self.seconds(threads, || Ok(task.run()?))?))
    }

    /// Units a second of as many tasks as there are threads, at the same time.
    pub fn together<F: Fn() -> Task>(
        &self,
        make: F,
        threads: usize,
    ) -> impl FnMut() -> Result<f64> + use<'_, F> {
        self.shared(make, threads, threads)
    }

    /// The same, with `runs` runs in all, at least one for each thread: as a miner hands out its work.
    pub fn shared<F: Fn() -> Task>(
        &self,
        make: F,
        threads: usize,
        runs: usize,
    ) -> impl FnMut() -> Result<f64> + use<'_, F> {
        let mut tasks: Vec<Task> = (0..threads).map(|_| make()).collect();
        let units = tasks[0].units * runs as f64;
        move || best(|| Ok(units / self.seconds(threads, || run_all(&mut tasks, runs))?))
    }
}

/// Runs tasks, each on a thread: every task once, and then each as often as it is free for the next of `runs` runs.
fn run_all(tasks: &mut [Task], runs: usize) -> Result<()> {
    let begun = AtomicUsize::new(tasks.len());
    let work = |task: &mut Task| {
        task.run()?;
        while begun.fetch_add(1, Ordering::Relaxed) < runs {
            task.run()?;
        }
        Ok(())
    };
    if let [task] = tasks {
        return work(task);
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = tasks.iter_mut().map(|task| scope.spawn(|| work(task))).collect();
        for thread in running {
            let Ok(done) = thread.join() else { bail!("a benchmark's thread failed") };
            done?;
        }
        Ok(())
    })
}

/// A stage of one kernel: its name, what it counts, the task, and the oracle's.
type Case<'a> = (String, &'static str, Box<dyn Fn() -> Task + 'a>, Box<dyn Fn() -> Task>);

pub fn run(options: &Options) -> Result<()> {
    let time = Duration::from_millis(if options.quick { 400 } else { 2000 });
    let plan = Plan { time, only: options.only.clone(), cpu_time: options.cpu_time };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let kernels: Vec<Kernel> = match &options.kernel {
        Some(name) => vec![Kernel::named(name)?],
        None => Kernel::ALL.into_iter().filter(|k| k.is_supported()).collect(),
    };
    let load = load();
    let mut figures = Vec::new();
    for kernel in &kernels {
        for threads in counts(threads) {
            figures.extend(stages(&plan, *kernel, threads)?);
        }
    }
    for threads in counts(threads) {
        figures.extend(generating(&plan, threads)?);
    }
    let mut missing = Vec::new();
    if options.peers {
        let np_cli = match &options.np_cli {
            Some(path) => path.clone(),
            None => std::env::current_exe().context("where this program is")?.with_file_name("np-cli"),
        };
        let peers = Peers { python: &options.python, php_mt_seed: &options.php_mt_seed, np_cli: &np_cli };
        let fastest = kernels.last().copied().unwrap_or_else(Kernel::fastest);
        for threads in counts(threads) {
            figures.extend(bench_peers::compare(&plan, &peers, fastest, threads, &mut missing)?);
        }
    }
    if options.json {
        println!("{:#}", as_json(&plan, &figures, &missing, &load));
    } else {
        print_table(&plan, &figures, &missing, &load);
    }
    Ok(())
}

/// One thread, and all.
fn counts(threads: usize) -> Vec<usize> {
    if threads > 1 { vec![1, threads] } else { vec![1] }
}

/// The load of the machine before it is measured, where the system tells.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// A, B, C and the join with one kernel.
fn stages(plan: &Plan, kernel: Kernel, threads: usize) -> Result<Vec<Figure>> {
    let miner = CpuMiner::with_threads(threads)?.with_kernel(kernel).context("the kernel can run")?;
    let mut cases: Vec<Case<'_>> = Vec::new();
    for words in [1, 16] {
        cases.push((
            format!("A masks, W = {words}"),
            "seeds",
            Box::new(move || measure::masks(kernel, words, MASKS)),
            Box::new(move || measure::scalar_masks(words)),
        ));
    }
    for (name, how) in [("popcount", Scoring::Direct), ("slices", Scoring::Sliced)] {
        cases.push((
            format!("B scoring by {name}, 1024 blocks"),
            "pairs",
            Box::new(move || measure::scoring(kernel, how, 1024)),
            Box::new(|| measure::scalar_scoring(1024)),
        ));
    }
    let mut figures = Vec::new();
    for (what, unit, ours, peer) in cases {
        if plan.wants(&what) {
            let found = plan.pair(&mut plan.together(&ours, threads), &mut plan.alone(peer(), 1))?;
            figures.push(figure(what, kernel.id(), threads, unit, "scalar", found));
        }
    }
    for blocks in [1, 64, 1024] {
        let what = format!("C both, {blocks} blocks");
        if plan.wants(&what) {
            let mut ours = plan.alone(measure::mining(&miner, blocks), threads);
            let found = plan.pair(&mut ours, &mut plan.alone(measure::scalar_mining(blocks), 1))?;
            figures.push(figure(what, kernel.id(), threads, "seeds", "scalar", found));
        }
    }
    for words in [1, 4, 8] {
        figures.extend(joining(plan, &miner, words)?);
    }
    Ok(figures)
}

/// The join with 2^20 blocks, its index apart, beside making as many mask words by the same kernel.
fn joining(plan: &Plan, miner: &CpuMiner, words: u32) -> Result<Vec<Figure>> {
    const BLOCKS: usize = 1 << 20;
    const SEEDS: u64 = 1 << 25;
    let (kernel, threads) = (miner.kernel(), miner.threads());
    let mut figures = Vec::new();
    let what = format!("join of {words} words, 2^20 blocks");
    if plan.wants(&what) {
        let mut index = measure::joining(miner, words, BLOCKS, 1);
        let mut whole = measure::joining(miner, words, BLOCKS, SEEDS);
        let mut building = Vec::new();
        let mut ours = || {
            let index = plan.seconds(threads, || Ok(index.run()?))?;
            let whole = plan.seconds(threads, || Ok(whole.run()?))?;
            building.push(index);
            Ok(SEEDS as f64 / (whole - index).max(1e-9))
        };
        let mut masks = plan.together(move || measure::masks(kernel, words as usize, MASKS), threads);
        let found = plan.pair(&mut ours, &mut masks)?;
        figures.push(figure(what, kernel.id(), threads, "seeds", "masks alone", found));
        let what = format!("index of {words} words, 2^20 blocks");
        let rate = BLOCKS as f64 / median(building);
        figures.push(figure(what, kernel.id(), threads, "blocks", "itself", (rate, rate, 1.0, found.3)));
    }
    Ok(figures)
}

/// E: the generator as unpacking uses it, beside `rand_mt`.
fn generating(plan: &Plan, threads: usize) -> Result<Vec<Figure>> {
    const LONG: usize = 1 << 20;
    const SEEDS: usize = 4096;
    const WORDS: usize = 16;
    let long = || {
        let mut stream = Key::Genrand(1).stream();
        let mut data = vec![0u8; LONG];
        Task::new(LONG as f64, move || {
            stream.xor(&mut data);
            black_box(&data);
        })
    };
    let fresh = || {
        let seeds = measure::noise(SEEDS);
        let mut out = vec![0u32; SEEDS * WORDS];
        Task::new((4 * SEEDS * WORDS) as f64, move || {
            mask_many(&seeds, WORDS, &mut out);
            black_box(&out);
        })
    };
    let peer_long = || {
        let mut mt = rand_mt::Mt::new(1);
        let mut data = vec![0u8; LONG];
        Task::new(LONG as f64, move || {
            mt.fill_bytes(&mut data);
            black_box(&data);
        })
    };
    let peer_fresh = || {
        let seeds = measure::noise(SEEDS);
        let mut out = vec![0u8; 4 * SEEDS * WORDS];
        Task::new((4 * SEEDS * WORDS) as f64, move || {
            for (seed, out) in seeds.iter().zip(out.chunks_exact_mut(4 * WORDS)) {
                rand_mt::Mt::new(*seed).fill_bytes(out);
            }
            black_box(&out);
        })
    };
    let mut figures = Vec::new();
    let what = "E one stream onto data".to_owned();
    if plan.wants(&what) {
        let found = plan.pair(&mut plan.together(&long, threads), &mut plan.alone(peer_long(), 1))?;
        figures.push(figure(what, "np-core", threads, "bytes", "rand_mt", found));
    }
    let what = "E a fresh seed every 64 bytes".to_owned();
    if plan.wants(&what) {
        let found = plan.pair(&mut plan.together(&fresh, threads), &mut plan.alone(peer_fresh(), 1))?;
        figures.push(figure(what, "np-core", threads, "bytes", "rand_mt", found));
    }
    Ok(figures)
}

/// What [`Plan::pair`] found, with its names.
pub fn figure(
    what: String,
    kernel: &str,
    threads: usize,
    unit: &'static str,
    peer: &str,
    (rate, peer_rate, ratio, pairs): (f64, f64, f64, usize),
) -> Figure {
    let (kernel, peer) = (kernel.to_owned(), peer.to_owned());
    Figure { what, kernel, threads, unit, rate, peer, peer_rate, ratio, pairs }
}

/// A rate for people: `1.23 G`.
fn human(rate: f64) -> String {
    let (scale, unit) = match rate {
        r if r >= 1e9 => (1e9, "G"),
        r if r >= 1e6 => (1e6, "M"),
        r if r >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    format!("{:.2} {unit}", rate / scale)
}

fn print_table(plan: &Plan, figures: &[Figure], missing: &[String], load: &str) {
    let time = if plan.cpu_time { "processor time" } else { "the clock" };
    println!("load before: {load}; by {time}\n");
    println!("| stage | kernel | threads | rate | beside | its rate | ratio | pairs |");
    println!("|---|---|---:|---:|---|---:|---:|---:|");
    for f in figures {
        println!(
            "| {} | {} | {} | {}{}/s | {} | {}{}/s | {:.3} | {} |",
            f.what,
            f.kernel,
            f.threads,
            human(f.rate),
            f.unit,
            f.peer,
            human(f.peer_rate),
            f.unit,
            f.ratio,
            f.pairs,
        );
    }
    for line in missing {
        println!("\nnot compared: {line}");
    }
}

fn as_json(plan: &Plan, figures: &[Figure], missing: &[String], load: &str) -> Value {
    let figure = |f: &Figure| {
        json!({
            "what": f.what, "kernel": f.kernel, "threads": f.threads, "unit": f.unit, "rate_per_s": f.rate,
            "peer": f.peer, "peer_rate_per_s": f.peer_rate, "ratio": f.ratio, "pairs": f.pairs,
        })
    };
    json!({
        "load_before": load,
        "cpu_time": plan.cpu_time,
        "figures": figures.iter().map(figure).collect::<Vec<_>>(),
        "not_compared": missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn ratios_are_of_pairs() {
        let only = Some("C both".to_owned());
        let plan = Plan { time: Duration::ZERO, only, cpu_time: false };
        let mut a = [2.0, 9.0, 4.0, 6.0, 8.0, 10.0, 12.0].into_iter();
        let mut b = [1.0, 3.0, 4.0, 2.0, 4.0, 5.0, 3.0].into_iter();
        let found = plan.pair(&mut || a.next().context("a"), &mut || b.next().context("b")).unwrap();
        assert_eq!(found, (8.0, 3.0, 2.0, PAIRS));
        assert!(plan.wants("C both, 1 blocks") && !plan.wants("A masks, W = 1"));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn runs_are_shared_and_all_are_done() {
        for (threads, runs) in [(1, 1), (1, 5), (3, 3), (3, 50)] {
            let done = Arc::new(AtomicUsize::new(0));
            let task = || {
                let done = done.clone();
                Task::new(1.0, move || {
                    done.fetch_add(1, Ordering::Relaxed);
                })
            };
            let mut tasks: Vec<Task> = (0..threads).map(|_| task()).collect();
            run_all(&mut tasks, runs).unwrap();
            assert_eq!(done.load(Ordering::Relaxed), runs, "{threads} threads");
        }
    }
}
