//! `bench --trials`: the three accounts and the best-of-S law on fresh randomness, over and over.

mod judged;

use super::{Bench, RANDOM_BYTES};
use crate::audit::folds::{best_folds, blocks, histogram};
use crate::audit::{paid, proof_of_concept};
use crate::cli::Ready;
use crate::packing::{self, Feed};
use crate::progress::Progress;
use crate::target;
use judged::{Judged, Setting};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Numbers of seeds whose best masks are compared with the law.
const SEEDS: [u64; 3] = [1, 1 << 8, 1 << 16];

/// What one trial came to. Gains are bits.
struct Trial {
    proof_of_concept: f64,
    paid: f64,
    packer: f64,
    /// Bytes the packer explains by runs or packed blocks.
    explained: u64,
    /// Blocks by their best fold, for each of [`SEEDS`].
    folds: Vec<Vec<u64>>,
}

/// Runs `count` trials, as many at once as there are threads, and tells what they came to. With `--seed` the
/// outcome is the same on any number of threads.
pub fn run(bench: &Bench, ready: &Ready, count: u64) -> anyhow::Result<()> {
    let label = bench.random_name();
    let progress = Progress::new(bench.with.talk.quiet, "trials", Some(count * RANDOM_BYTES as u64));
    let next = AtomicU64::new(0);
    let done = Mutex::new(Vec::new());
    // Threads of their own: a trial waits for jobs in the miner's pool, and a worker of a pool that waits would
    // begin another trial on top of its own.
    std::thread::scope(|scope| {
        for _ in 0..ready.threads.min(count as usize) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= count {
                        return;
                    }
                    let result = trial(bench, ready, number, &progress);
                    if result.is_err() {
                        next.store(count, Relaxed);
                    }
                    done.lock().expect("no trial panics").push((number, result));
                }
            });
        }
    });
    progress.finish();
    let mut done = done.into_inner()?;
    done.sort_by_key(|(number, _)| *number);
    let trials = done.into_iter().map(|(_, trial)| trial).collect::<anyhow::Result<Vec<_>>>()?;
    let setting = Setting {
        input: label,
        bytes: RANDOM_BYTES,
        level: bench.with.search.level.number(),
        block_bits: ready.options.block_bits.bits(),
        miner: ready.miner.name(),
    };
    let judged = Judged::new(setting, &trials);
    let text = match bench.json {
        true => serde_json::to_string(&judged)? + "\n",
        false => judged.table(),
    };
    target::print(text.as_bytes())
}

fn trial(bench: &Bench, ready: &Ready, number: u64, progress: &Progress) -> anyhow::Result<Trial> {
    let input = bench.random(number)?;
    let Ready { options, miner, .. } = ready;
    let bits = 8.0 * input.len() as f64;
    let chunks = proof_of_concept::mine(&input);
    let mut feed = Feed::new(&input[..], "trial", options.segment_bytes);
    let packed = packing::pack(&mut feed, options, &**miner, 1, progress, |_| Ok(()))?;
    let words = blocks(&input, options.block_bits);
    let folds = best_folds(&words, options.block_bits, &SEEDS, &**miner)?;
    Ok(Trial {
        proof_of_concept: chunks.iter().map(proof_of_concept::Chunk::gain).sum(),
        paid: paid::price(&chunks, input.len()).gain(input.len()),
        packer: bits - packed.ledger.total_bits() as f64,
        explained: packed.contents.run_bytes + packed.contents.block_bytes,
        folds: folds.iter().map(|folds| histogram(folds, options.block_bits)).collect(),
    })
}
