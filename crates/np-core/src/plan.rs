//! The planner of the block layer: the cheapest path through the blocks, by dynamic programming.
//!
//! Every packed block pays for its flag, its seed (by an expert's prediction, by a delta, or fresh),
//! its bias class and its residual; a raw block pays its flag and its bits; a block out of step with the last one
//! pays for a stretch of its own. Prices come from what the adaptive models charged for the plan before, so the
//! second plan is priced as it will be coded; the best of all plans, by the coder's own account, is the result.

use crate::bias;
use crate::block::BlockBits;
use crate::codec::coder::Pricer;
use crate::format::grid;
use crate::format::layout::{Bias, Grid, Packed, Run, gaps};
use crate::format::seeds::{KINDS, SeedContext, SeedKind};
use crate::price::{FINE_BIT, log2_fine};
use std::collections::BTreeMap;
use std::ops::Range;

/// A way to pack a block that mining found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The `genrand` seed.
    pub seed: u32,
    /// First byte of its stream, from the segment's start: the block's own, or an earlier block's.
    pub stream_start: usize,
    /// Ones in the residual, before folding.
    pub weight: u32,
}

/// A noise-like block with the ways to pack it.
#[derive(Clone, Debug)]
pub struct Options {
    /// First byte, from the segment's start.
    pub at: usize,
    /// Ways to pack it.
    pub choices: Vec<Choice>,
}

/// Times the prices are learned anew.
const PASSES: usize = 3;
/// Paths kept from block to block.
const PATHS: usize = 48;

/// Fine prices of the choices a plan makes.
#[derive(Clone, Debug)]
struct Prices {
    flag: [i64; 2],
    /// By [`SeedKind`].
    kind: [i64; KINDS],
    /// Beyond the logarithm of the delta.
    delta: i64,
    fresh_seed: i64,
    class: Vec<i64>,
}

impl Default for Prices {
    fn default() -> Self {
        let bit = FINE_BIT as i64;
        Self {
            flag: [bit / 4, bit / 4],
            kind: [bit; KINDS],
            delta: 3 * bit,
            fresh_seed: 26 * bit,
            class: vec![3 * bit; 64],
        }
    }
}

/// `-log2(count / total)`, with half a count for what was never seen.
fn surprise(count: u64, total: u64) -> i64 {
    log2_fine(2 * total + 64) as i64 - log2_fine(2 * count + 1) as i64
}

impl Prices {
    /// A fresh seed, with saying so.
    fn fresh(&self) -> i64 {
        self.kind[SeedKind::Fresh as usize] + self.fresh_seed
    }

    /// What the models would charge after coding `grid`.
    fn learned(grid: &Grid) -> Self {
        let (mut flags, mut kinds, mut classes) = ([0u64; 2], [0u64; KINDS], vec![0u64; 64]);
        let (mut fresh_bits, mut fresh_count) = (0, 0u64);
        let mut context = SeedContext::default();
        for (at, packed) in grid.places().zip(&grid.blocks) {
            flags[usize::from(packed.is_some())] += 1;
            if let Some(packed) = packed {
                let kind = context.kind(at, packed);
                kinds[kind as usize] += 1;
                classes[usize::from(packed.bias.class)] += 1;
                if kind == SeedKind::Fresh {
                    fresh_bits += u64::from(32 - packed.seed.leading_zeros()) + 2;
                    fresh_count += 1;
                }
                context.learn(at, packed);
            }
        }
        let total = flags[1];
        let bit = FINE_BIT as i64;
        Self {
            flag: [surprise(flags[0], flags[0] + flags[1]), surprise(flags[1], flags[0] + flags[1])],
            kind: kinds.map(|k| surprise(k, total)),
            delta: 2 * bit,
            fresh_seed: (fresh_bits * FINE_BIT).checked_div(fresh_count).map_or(26 * bit, |f| f as i64),
            class: classes.into_iter().map(|c| surprise(c, total)).collect(),
        }
    }
}

/// A path up to a packed block.
#[derive(Clone, Copy, Debug)]
struct Path {
    /// Its cost so far, less what all-raw up to and with this block would cost.
    cost: i64,
    context: SeedContext,
    /// Index in the list of all paths of the path it came from.
    from: Option<usize>,
    /// Which block (index in the options) and choice it ends with.
    block: usize,
    choice: usize,
    bias: Bias,
}

/// The block layer of a segment of `len` bytes with these runs, or `None` if all raw is cheaper. `options` are
/// sorted, each between runs; they may overlap.
pub fn plan(block_bits: BlockBits, len: usize, runs: &[Run], options: &[Options]) -> Option<Grid> {
    if options.iter().all(|o| o.choices.is_empty()) {
        return None;
    }
    let gaps: Vec<Range<usize>> = gaps(len, runs).collect();
    let mut prices = Prices::default();
    let mut pitch = block_bits.bytes();
    let mut best: Option<(i64, Grid)> = None;
    for _ in 0..PASSES {
        let Some(picks) = cheapest(block_bits, pitch, options, &prices) else { break };
        let residuals: i64 = picks.iter().map(|pick| pick.residual as i64).sum();
        let saved = (picks.len() as u64 * u64::from(block_bits.bits()) * FINE_BIT) as i64 - residuals;
        let packed = || picks.iter().map(|pick| (pick.at, pick.packed));
        let pitches = [block_bits.bytes(), commonest_step(block_bits.bytes(), &gaps, &picks)];
        let of_pitch = pitches.iter().enumerate().filter(|(i, pitch)| !pitches[..*i].contains(pitch));
        let (gain, grid) = of_pitch
            .map(|(_, pitch)| Grid::of(block_bits, *pitch, &gaps, packed()))
            .map(|grid| (saved - price(len, runs, &grid), grid))
            .max_by_key(|(gain, grid)| (*gain, std::cmp::Reverse(grid.pitch)))?;
        prices = Prices::learned(&grid);
        pitch = grid.pitch;
        if gain > best.as_ref().map_or(0, |(g, _)| *g) {
            best = Some((gain, grid));
        }
    }
    best.map(|(_, grid)| grid)
}

/// What coding `grid` costs, by the coder's own account, in fine units.
fn price(len: usize, runs: &[Run], grid: &Grid) -> i64 {
    let mut pricer = Pricer::default();
    grid::code(&mut pricer, len, 0, runs, Some(grid), Vec::new(), |_| false).expect("a plan can be coded");
    // And two bytes for its share of section ends.
    pricer.fine as i64 + 16 * FINE_BIT as i64
}

/// The commonest distance between neighbours in a gap; the shortest of several.
fn commonest_step(size: usize, gaps: &[Range<usize>], picks: &[Pick]) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for pair in picks.windows(2) {
        let [a, b] = [&pair[0], &pair[1]].map(|pick| gaps.partition_point(|gap| gap.end <= pick.at));
        if a == b {
            *counts.entry(pair[1].at - pair[0].at).or_default() += 1;
        }
    }
    counts.iter().max_by_key(|(step, count)| (**count, std::cmp::Reverse(**step))).map_or(size, |(s, _)| *s)
}

/// A block on the cheapest path.
#[derive(Clone, Copy, Debug)]
struct Pick {
    at: usize,
    packed: Packed,
    /// Fine price of the residual.
    residual: u64,
}

/// A new stretch, about.
const STRETCH: i64 = 24 * FINE_BIT as i64;

/// The packed blocks of the cheapest path, in order, where blocks `pitch` bytes apart are in step.
fn cheapest(block_bits: BlockBits, pitch: usize, options: &[Options], prices: &Prices) -> Option<Vec<Pick>> {
    let bits = u64::from(block_bits.bits());
    let raw = (bits * FINE_BIT) as i64;
    let mut paths: Vec<Path> = Vec::new();
    // Paths that may still be gone on from.
    let mut live: Vec<usize> = Vec::new();
    for (block, option) in options.iter().enumerate().filter(|(_, option)| !option.choices.is_empty()) {
        // Of the paths that this block may follow, one dearer than the cheapest by a whole fresh seed and a stretch
        // can never win again.
        let ended = |path: &Path| options[path.block].at + block_bits.bytes() <= option.at;
        let (mut before, overlapping): (Vec<usize>, Vec<usize>) =
            live.iter().partition(|p| ended(&paths[**p]));
        let least = before.iter().map(|p| paths[*p].cost).min().unwrap_or(0);
        before.retain(|p| paths[*p].cost < least + prices.fresh() + STRETCH);
        if before.len() > PATHS {
            before.sort_by_key(|p| (paths[*p].cost, *p));
            before.truncate(PATHS);
            before.sort_unstable();
        }
        live = before.iter().copied().chain(overlapping).collect();
        let mut made = Vec::new();
        for (choice, c) in option.choices.iter().enumerate() {
            let fold = block_bits.fold(c.weight);
            let (class, residual) = bias::cheapest(bits, fold.into());
            let bias = Bias { class, complement: fold != c.weight };
            let own =
                residual as i64 + prices.class[usize::from(class)] + prices.flag[1] - prices.flag[0] - raw;
            let packed = Packed { seed: c.seed, position: (option.at - c.stream_start) as u32, bias };
            // Before any packed block only a fresh seed can be told.
            let alone = (packed.position == 0).then(|| (prices.fresh(), None));
            let after = before.iter().filter_map(|from| {
                let last = &paths[*from];
                let in_step = (option.at - options[last.block].at).is_multiple_of(pitch);
                let stretch = if in_step { 0 } else { STRETCH };
                let seed = seed_price(&last.context, option.at, &packed, prices)?;
                Some((last.cost + stretch + seed, Some(*from)))
            });
            let Some((cost, from)) = alone.into_iter().chain(after).min_by_key(|(cost, from)| (*cost, *from))
            else {
                continue;
            };
            let mut context = from.map_or_else(SeedContext::default, |f| paths[f].context);
            context.learn(option.at, &packed);
            made.push(Path { cost: cost + own, context, from, block, choice, bias });
        }
        for path in made {
            live.push(paths.len());
            paths.push(path);
        }
    }
    let mut end = paths.iter().enumerate().min_by_key(|(i, p)| (p.cost, *i)).filter(|(_, p)| p.cost < 0)?.0;
    let mut picks = Vec::new();
    loop {
        let path = paths[end];
        let Options { at, ref choices } = options[path.block];
        let Choice { seed, stream_start, weight } = choices[path.choice];
        let packed = Packed { seed, position: (at - stream_start) as u32, bias: path.bias };
        let residual = bias::cheapest(bits, block_bits.fold(weight).into()).1;
        picks.push(Pick { at, packed, residual });
        match path.from {
            Some(from) => end = from,
            None => break,
        }
    }
    picks.reverse();
    Some(picks)
}

/// Fine price of telling the seed of `packed` at byte `at` after `context`, or `None` if it cannot follow.
fn seed_price(context: &SeedContext, at: usize, packed: &Packed, prices: &Prices) -> Option<i64> {
    if packed.position > 0 && !context.goes_on(at, packed.seed, packed.position) {
        return None;
    }
    let kind = context.kind(at, packed);
    let price = prices.kind[kind as usize];
    Some(match kind {
        SeedKind::Delta | SeedKind::AlternateDelta => {
            price + prices.delta + log2_fine(context.delta(kind, packed.seed).unsigned_abs()) as i64
        }
        SeedKind::Fresh => prices.fresh(),
        _ => price,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(seeds: &[(u32, u32)]) -> (usize, Vec<Options>) {
        let options = seeds
            .iter()
            .enumerate()
            .map(|(index, (seed, weight))| Options {
                at: 64 * index,
                choices: vec![Choice { seed: *seed, stream_start: 64 * index, weight: *weight }],
            })
            .collect();
        (64 * seeds.len(), options)
    }

    #[test]
    fn packs_what_pays_and_leaves_what_does_not() {
        let (len, options) = options(&[(1000, 0), (77, 250), (1003, 20), (1006, 512)]);
        let grid = plan(BlockBits::default(), len, &[], &options).unwrap();
        let packed: Vec<bool> = grid.blocks.iter().map(Option::is_some).collect();
        assert_eq!(packed, [true, false, true, true]);
        assert!(grid.blocks[3].unwrap().bias.complement);
    }

    #[test]
    fn a_single_good_mask_on_noise_does_not_pay() {
        // Weight 185 is the best of 2^32 masks: it saves 33.6 bits and costs a seed, a flag and a class.
        let (len, mut options) = options(&[(0xdead_beef, 185)]);
        assert_eq!(plan(BlockBits::default(), len, &[], &options), None);
        options[0].choices.clear();
        assert_eq!(plan(BlockBits::default(), len, &[], &options), None);
    }

    #[test]
    fn looks_past_a_greedy_first_match() {
        // The second block has two masks: the lighter one costs a fresh seed, the other a repeated delta.
        let (len, mut options) = options(&[(1000, 0), (1010, 0), (1020, 0), (1030, 0)]);
        options[1].choices.insert(0, Choice { seed: 4_000_000_000, stream_start: 64, weight: 0 });
        let grid = plan(BlockBits::default(), len, &[], &options).unwrap();
        assert_eq!(grid.blocks[1].unwrap().seed, 1010);
    }

    fn exact(at: usize, seed: u32) -> Options {
        Options { at, choices: vec![Choice { seed, stream_start: at, weight: 0 }] }
    }

    #[test]
    fn blocks_in_step_are_one_stretch_at_any_pitch() {
        // 16 bytes of header before each record, one record lost, then two records out of step.
        let mut options: Vec<Options> =
            (0..40).filter(|i| *i != 7).map(|i| exact(116 + 80 * i, i as u32)).collect();
        options.extend([exact(5003, 900), exact(5067, 901)]);
        let grid = plan(BlockBits::default(), 6000, &[], &options).unwrap();
        assert_eq!(grid.pitch, 80);
        assert_eq!(grid.packed().map(|(range, _)| range.start).collect::<Vec<_>>(), ats(&options));
        let starts: Vec<(u32, u32)> = grid.stretches.iter().map(|s| (s.start, s.count)).collect();
        assert_eq!(starts, [(116, 40), (5003, 1), (5067, 1)]);
    }

    #[test]
    fn of_blocks_that_overlap_one_is_packed() {
        let weak = |at| Options { at, choices: vec![Choice { seed: 7, stream_start: at, weight: 150 }] };
        let options = [exact(0, 1), weak(40), exact(64, 2), weak(100), exact(128, 3)];
        let grid = plan(BlockBits::default(), 192, &[], &options).unwrap();
        assert_eq!(grid.packed().map(|(_, p)| p.seed).collect::<Vec<_>>(), [1, 2, 3]);
    }

    fn ats(options: &[Options]) -> Vec<usize> {
        options.iter().map(|o| o.at).collect()
    }
}
