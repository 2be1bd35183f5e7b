//! The search of one segment: what goes on from the segment before, solving, extending, mining, planning.

pub mod ahead;
pub mod carry;
pub mod extend;
pub mod grid;
pub mod length;
pub mod places;
pub mod starts;

use crate::error::Error;
use crate::format::layout::{Grid, Run, gaps};
use crate::generator::Key;
use crate::generator::mt19937::SHORT_WORDS;
use crate::miner::{Miner, SEED_END, Watch};
use crate::noise::NoiseMap;
use crate::pack::Options;
use crate::solve::{self, ScanOptions};
use carry::Carry;
use extend::{Anchor, extend};
use grid::{GridSearch, Hint};
use std::ops::Range;
use std::sync::Arc;

/// What a level spends on a segment, all of it counted in work, none in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effort {
    /// zstd level for plain bytes.
    pub zstd_level: i32,
    /// Starts of noise-like regions that are mined deeply, at most.
    pub starts: usize,
    /// Seeds screened at each of them by the solver for a known start.
    pub solve_budget: u64,
    /// Seeds mined at each of them.
    pub start_seeds: u64,
    /// Most words decoded at once where a noisy stream of unknown start shows; see [`ScanOptions::decode_words`].
    pub decode_words: usize,
    /// Most mask words a start is mined with: the more, the more bit errors it is found through.
    pub start_words: u32,
    /// Seeds tried for exact and nearly exact starts of blocks.
    pub join_seeds: u64,
    /// Byte offsets, at most, at which such starts are looked for to learn where blocks begin.
    pub join_offsets: usize,
    /// (seed, 512-bit block) pairs scored.
    pub score_pairs: u64,
    /// Seeds tried on either side of the last one found.
    pub radius: u32,
}

impl Effort {
    /// Level 1 to 9; others are brought into that range.
    pub fn level(level: u32) -> Self {
        // zstd level; log2 of starts, solver budget, seeds at starts, seeds of the join, pairs, radius. 0 stands
        // for none.
        let (zstd_level, starts, solve, start_seeds, join_seeds, pairs, radius) = match level.clamp(1, 9) {
            1 => (3, 1, 18, 16, 0, 0, 5),
            2 => (6, 2, 19, 18, 18, 24, 6),
            3 => (9, 3, 20, 20, 20, 27, 6),
            4 => (12, 3, 20, 22, 22, 29, 7),
            5 => (16, 4, 21, 23, 23, 31, 8),
            6 => (19, 4, 22, 24, 24, 32, 8),
            7 => (19, 4, 23, 26, 26, 35, 10),
            8 => (19, 4, 25, 28, 28, 38, 11),
            _ => (19, 4, 26, 32, 32, 42, 12),
        };
        let seeds = |log: u32| if log == 0 { 0 } else { 1u64 << log };
        Self {
            zstd_level,
            starts: 1 << starts,
            solve_budget: 1 << solve,
            start_seeds: seeds(start_seeds).min(SEED_END),
            decode_words: match start_seeds {
                0..26 => 1 << 13,
                26 => 1 << 14,
                _ => 1 << 15,
            },
            start_words: if start_seeds < 26 { 64 } else { SHORT_WORDS as u32 },
            join_seeds: seeds(join_seeds).min(SEED_END),
            // 2^17 at level 6.
            join_offsets: 1 << (11 + level.clamp(1, 9)),
            score_pairs: seeds(pairs),
            radius: 1 << radius,
        }
    }

    /// True if no block is mined unless something was found before.
    pub fn is_solve_only(&self) -> bool {
        self.join_seeds == 0 && self.score_pairs == 0
    }
}

/// Told what a search does and finds; see [`Watch`].
pub trait PackWatch: Watch {
    /// A stage began that will take `work` units (see [`crate::miner::Job::work`]).
    fn stage(&self, name: &'static str, work: u64) {
        let _ = (name, work);
    }
    /// A generator was found.
    fn found(&self, run: &Run) {
        let _ = run;
    }
}

impl PackWatch for () {}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Runs, sorted and apart.
    pub runs: Vec<Run>,
    /// The block layer, if it pays.
    pub grid: Option<Grid>,
    /// What reaches the segment's end.
    pub carry: Option<Carry>,
}

/// A stream that explains less than this many blocks is left to the grid, where it costs less.
const RUN_BLOCKS: usize = 4;
/// Bytes the solver for a known start looks at: all that depends on the seeded words alone.
const START_BYTES: usize = 2496;
/// Times the ends of what was found are looked at as new starts.
const ROUNDS: usize = 3;

/// Searches a segment.
pub fn search(
    options: &Options,
    content: &[u8],
    carry: Option<&Carry>,
    miner: &dyn Miner,
    watch: &dyn PackWatch,
) -> Result<Found, Error> {
    let noise = NoiseMap::new(content);
    let mut runs: Vec<Run> = Vec::new();
    if let Some(Carry::Stream(stream)) = carry {
        for run in extend(content, 0..content.len(), &stream.anchor(content)) {
            watch.found(&run);
            runs.push(run);
        }
    }
    let mut hints: Vec<Hint> = Vec::new();
    let mut explain = |anchor: Anchor, runs: &mut Vec<Run>| {
        let Some(bounds) = gaps(content.len(), runs).find(|g| g.contains(&anchor.offset)) else { return };
        let found = extend(content, bounds, &anchor);
        let len: usize = found.iter().map(|r| r.len).sum();
        if len >= RUN_BLOCKS * options.block_bits.bytes() {
            for run in found {
                watch.found(&run);
                insert(runs, run);
            }
        } else if let (Key::Genrand(seed), false) = (&*anchor.key, found.is_empty()) {
            hints.push(Hint { at: anchor.offset, seed: *seed });
        }
    };

    let mut looked_at: Vec<usize> = Vec::new();
    for round in 0..ROUNDS {
        let mut regions = open_regions(content.len(), &noise, &runs);
        regions.retain(|r| !looked_at.contains(&r.start));
        looked_at.extend(regions.iter().map(|r| r.start));
        let before = runs.len();
        let regions = starts::choose(&regions, &options.effort);
        watch.stage("solve starts", options.effort.solve_budget * regions.len() as u64);
        for region in &regions {
            let end = region.end.min(region.start + START_BYTES);
            if let Some(mut found) =
                solve::solve_start(&content[region.start..end], options.effort.solve_budget)
            {
                found.offset += region.start as u64;
                explain(solved_anchor(found), &mut runs);
            }
        }
        let open: Vec<Range<usize>> =
            regions.into_iter().filter(|r| !runs.iter().any(|run| run.range().contains(&r.start))).collect();
        for anchor in starts::mine(content, &open, &options.effort, miner, watch)? {
            explain(anchor, &mut runs);
        }
        if round == 0 {
            // After the starts: a stream whose start is known needs no state as its key, even under noise.
            let regions = open_regions(content.len(), &noise, &runs);
            watch.stage("solve", regions.iter().map(|r| r.len() as u64).sum());
            let scanning =
                ScanOptions { decode_words: options.effort.decode_words, ..ScanOptions::default() };
            for found in solve::scan(content, &regions, &scanning) {
                explain(solved_anchor(found), &mut runs);
            }
        }
        if runs.len() == before {
            break;
        }
    }
    let search = GridSearch {
        content,
        block_bits: options.block_bits,
        fixed: options.fixed_blocks,
        effort: &options.effort,
        miner,
        watch,
    };
    let before = match carry {
        Some(Carry::Blocks(blocks)) => Some(blocks),
        _ => None,
    };
    let grid = search.search(&noise, &runs, &hints, before)?;
    let carry = Carry::of(content.len(), &runs, grid.as_ref());
    Ok(Found { runs, grid, carry })
}

/// Noise-like stretches that no run covers, cut where runs end.
fn open_regions(len: usize, noise: &NoiseMap, runs: &[Run]) -> Vec<Range<usize>> {
    places::common(&gaps(len, runs).collect::<Vec<_>>(), &noise.regions())
}

fn solved_anchor(found: solve::Found) -> Anchor {
    Anchor {
        key: Arc::new(found.key),
        offset: found.offset as usize,
        position: found.position,
        complement: found.complement,
        bits: 8 * found.length,
        ones: found.flips,
    }
}

fn insert(runs: &mut Vec<Run>, run: Run) {
    let at = runs.partition_point(|r| r.start < run.start);
    runs.insert(at, run);
}
