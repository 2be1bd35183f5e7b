//! Other programs beside ours: FAISS for scoring, php_mt_seed for mask making, both in series for mining, zstd for unpacking.

use crate::bench::{Figure, Plan, figure};
use anyhow::{Context, Result, bail};
use np_cpu::measure::{self, Scoring};
use np_cpu::{CpuMiner, Kernel};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Where the programs are.
pub struct Peers<'a> {
    /// A Python with faiss.
    pub python: &'a Path,
    /// php_mt_seed 4.0.
    pub php_mt_seed: &'a Path,
    /// Ours, to stand beside zstd.
    pub np_cli: &'a Path,
}

/// Everything that is there, on `threads` threads; what is not is added to `missing`, once.
pub fn compare(
    plan: &Plan,
    peers: &Peers<'_>,
    kernel: Kernel,
    threads: usize,
    missing: &mut Vec<String>,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut lacks = |line: String| {
        if !missing.contains(&line) {
            missing.push(line);
        }
    };
    let php = has(peers.php_mt_seed, &[]);
    if !php {
        lacks(format!("php_mt_seed: {} does not run; see --php-mt-seed", peers.php_mt_seed.display()));
    }
    for words in [1, 16] {
        let what = format!("A masks, W = {words}, php_mt_seed makes 1");
        if php && plan.wants(&what) {
            let mut ours = plan.shared(move || measure::masks(kernel, words, PIECE), threads, PIECES);
            let found = plan.pair(&mut ours, &mut || php_mt_seed(plan, peers.php_mt_seed, threads))?;
            figures.push(figure(what, kernel.id(), threads, "seeds", "php_mt_seed", found));
        }
    }
    let faiss = has(peers.python, &["-c", "import faiss"]);
    if !faiss {
        lacks(format!("FAISS: {} has no module faiss; see --python", peers.python.display()));
    }
    for blocks in [64, 1024] {
        let what = format!("B scoring, {blocks} blocks");
        if faiss && plan.wants(&what) {
            let mut index = Faiss::start(plan, peers.python, blocks, threads)?;
            let mut ours = plan.together(move || measure::scoring(kernel, Scoring::Sliced, blocks), threads);
            let found = plan.pair(&mut ours, &mut || index.rate())?;
            figures.push(figure(what, kernel.id(), threads, "pairs", "FAISS", found));
        }
        let what = format!("C both, {blocks} blocks, php_mt_seed and then FAISS");
        if faiss && php && plan.wants(&what) {
            let mut index = Faiss::start(plan, peers.python, blocks, threads)?;
            let miner = CpuMiner::with_threads(threads)?.with_kernel(kernel).context("the kernel can run")?;
            let mut in_series = || {
                let masks = php_mt_seed(plan, peers.php_mt_seed, threads)?;
                Ok(1.0 / (1.0 / masks + blocks as f64 / index.rate()?))
            };
            let found =
                plan.pair(&mut plan.alone(measure::mining(&miner, blocks), threads), &mut in_series)?;
            figures.push(figure(what, kernel.id(), threads, "seeds", "php_mt_seed, FAISS", found));
        }
    }
    let zstd = Path::new("zstd");
    if !has(zstd, &["--version"]) {
        lacks("zstd: it is not on the path".to_owned());
    } else if !has(peers.np_cli, &["--version"]) {
        lacks(format!("zstd: {} does not run; see --np-cli", peers.np_cli.display()));
    } else if threads == 1 {
        let what = "unpack of 64 MiB of noise".to_owned();
        if plan.wants(&what) {
            figures.push(unpacking(plan, what, peers.np_cli, zstd)?);
        }
    }
    Ok(figures)
}

/// Whether a program starts, and does not say that it failed (php_mt_seed without arguments gives 1 and its usage).
fn has(program: &Path, arguments: &[&str]) -> bool {
    let quiet = || Stdio::null();
    let mut command = Command::new(program);
    let status = command.args(arguments).stdin(quiet()).stdout(quiet()).stderr(quiet()).status();
    status.is_ok_and(|status| arguments.is_empty() || status.success())
}

/// Ends a program that would go on.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Seeds from one report of php_mt_seed to the next. We make as many, so that both run for seconds; it gives each thread
/// an equal part of them, we give it a piece whenever it is free.
const REPORTED: u64 = 1 << 28;
/// Seeds of a piece.
const PIECE: u64 = 1 << 20;
/// Pieces of a measurement.
const PIECES: usize = (REPORTED / PIECE) as usize;

/// Seeds a second of php_mt_seed: it looks for a first output of PHP 5.2.1 and later, and reports each [`REPORTED`].
fn php_mt_seed(plan: &Plan, program: &Path, threads: usize) -> Result<f64> {
    let child = Command::new(program)
        .arg("1234567890")
        .env("OMP_NUM_THREADS", threads.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("php_mt_seed does not start")?;
    let mut child = Running(child);
    let report = child.0.stderr.take().context("php_mt_seed has no standard error")?;
    let (mut text, mut versions, mut started) = (Vec::new(), 0, None);
    for byte in BufReader::new(report).bytes() {
        text.push(byte?);
        if text.ends_with(b"Version: ") {
            versions += 1;
            text.clear();
        }
        // Its second pass is the one for these versions, and each of its reports begins a range of 2^28.
        if versions == 2 && text.ends_with(b"trying 0x") {
            text.clear();
            match started {
                None => started = Some((Instant::now(), processor_seconds(&child.0)?)),
                Some((clock, cpu)) => {
                    let cpu = (processor_seconds(&child.0)? - cpu) / threads as f64;
                    let clock = clock.elapsed().as_secs_f64();
                    return Ok(REPORTED as f64 / if plan.cpu_time { cpu } else { clock });
                }
            }
        }
    }
    bail!("php_mt_seed reports no speed; version 4.0 does")
}

/// Processor time of a program so far, as Linux tells it (proc(5), fields 14 and 15, in hundredths of a second).
fn processor_seconds(child: &Child) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks: Option<Vec<f64>> = after_name.split(' ').skip(12).take(2).map(|t| t.parse().ok()).collect();
    Ok(ticks.unwrap_or_default().iter().sum::<f64>() / 100.0)
}

/// Answers each line with the seconds of a search for each block's nearest mask: the faster of the two ways round.
const FAISS: &str = "
import faiss, numpy, sys, time
blocks, threads = int(sys.argv[1]), int(sys.argv[2])
def now():
    return time.process_time() / threads if sys.argv[3] == 'cpu' else time.perf_counter()
faiss.omp_set_num_threads(threads)
noise = numpy.random.default_rng(1)
masks = noise.integers(0, 256, (16384, 64), dtype=numpy.uint8)
blocks = noise.integers(0, 256, (blocks, 64), dtype=numpy.uint8)
def search(stored, asked):
    index = faiss.IndexBinaryFlat(512)
    index.add(stored)
    def timed():
        start = now()
        index.search(asked, 1)
        return now() - start
    return timed
ways = [search(masks, blocks), search(blocks, masks)]
way = min(ways, key=lambda way: min(way() for _ in range(3)))
for line in sys.stdin:
    print(way(), flush=True)
";

/// A Python that searches when asked.
struct Faiss {
    blocks: usize,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    _child: Running,
}

impl Faiss {
    fn start(plan: &Plan, python: &Path, blocks: usize, threads: usize) -> Result<Self> {
        let mut child = Command::new(python)
            .args(["-c", FAISS, &blocks.to_string(), &threads.to_string()])
            .arg(if plan.cpu_time { "cpu" } else { "clock" })
            // Threads that wait must not count as threads that work.
            .envs(plan.cpu_time.then_some(("OMP_WAIT_POLICY", "PASSIVE")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("python does not start")?;
        let asks = child.stdin.take().context("python has no standard input")?;
        let answers = BufReader::new(child.stdout.take().context("python has no standard output")?);
        let mut faiss = Self { blocks, asks, answers, _child: Running(child) };
        // The first answer comes after everything is set up.
        faiss.rate()?;
        Ok(faiss)
    }

    /// Pairs a second.
    fn rate(&mut self) -> Result<f64> {
        writeln!(self.asks)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let seconds: f64 = answer.trim().parse().with_context(|| format!("faiss said {answer:?}"))?;
        Ok((16384 * self.blocks) as f64 / seconds)
    }
}

/// Bytes a second of unpacking noise, each program writing nowhere.
fn unpacking(plan: &Plan, what: String, np_cli: &Path, zstd: &Path) -> Result<Figure> {
    const BYTES: usize = 64 << 20;
    let folder = tempfile::tempdir()?;
    let noise = folder.path().join("noise");
    let bytes: Vec<u8> = measure::noise(BYTES / 4).into_iter().flat_map(u32::to_le_bytes).collect();
    std::fs::write(&noise, bytes)?;
    let packed = folder.path().join("noise.np");
    let compressed = folder.path().join("noise.zst");
    finish(Command::new(np_cli).args(["pack", "-q", "-1", "-o"]).arg(&packed).arg(&noise))?;
    finish(Command::new(zstd).args(["-q", "-3", "-o"]).arg(&compressed).arg(&noise))?;
    let timed = |command: &mut Command| {
        let start = Instant::now();
        finish(command)?;
        Ok(BYTES as f64 / start.elapsed().as_secs_f64())
    };
    let found = plan.pair(
        &mut || timed(Command::new(np_cli).args(["unpack", "-q", "-T1", "-c"]).arg(&packed)),
        &mut || timed(Command::new(zstd).args(["-q", "-d", "-c"]).arg(&compressed)),
    )?;
    Ok(figure(what, "np-cli", 1, "bytes", "zstd -d", found))
}

fn finish(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status().with_context(|| format!("{command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}
