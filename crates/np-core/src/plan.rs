//! The planner of the block layer: the cheapest path through the blocks, by dynamic programming.
//!
//! Every packed block pays for its flag, its seed (by an expert's prediction, by a delta, or fresh),
//! its bias class and its residual; a raw block pays its flag and its bits. Prices come from what the
//! adaptive models charged for the plan before, so the second plan is priced as it will be coded; the
//! best of all plans, by the coder's own account, is the result.

use crate::bias;
use crate::block::BlockBits;
use crate::codec::coder::Pricer;
use crate::format::grid;
use crate::format::layout::{Bias, Grid, Packed};
use crate::format::seeds::{KINDS, SeedContext, SeedKind};
use crate::price::{FINE_BIT, log2_fine};

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
    /// Index in the grid.
    pub index: usize,
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
    fn learned(grid: &Grid, ats: &[usize]) -> Self {
        let (mut flags, mut kinds, mut classes) = ([0u64; 2], [0u64; KINDS], vec![0u64; 64]);
        let (mut fresh_bits, mut fresh_count) = (0, 0u64);
        let mut context = SeedContext::default();
        for (at, packed) in ats.iter().zip(&grid.blocks) {
            flags[usize::from(packed.is_some())] += 1;
            if let Some(packed) = packed {
                let kind = context.kind(*at, packed);
                kinds[kind as usize] += 1;
                classes[usize::from(packed.bias.class)] += 1;
                if kind == SeedKind::Fresh {
                    fresh_bits += u64::from(32 - packed.seed.leading_zeros()) + 2;
                    fresh_count += 1;
                }
                context.learn(*at, packed);
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

/// The block layer of a segment whose grid has blocks at the bytes `ats`, or `None` if all raw is cheaper.
pub fn plan(block_bits: BlockBits, ats: &[usize], options: &[Options]) -> Option<Grid> {
    if options.iter().all(|o| o.choices.is_empty()) {
        return None;
    }
    let mut prices = Prices::default();
    let mut best: Option<(i64, Grid)> = None;
    for _ in 0..PASSES {
        let Some(grid) = cheapest(block_bits, ats, options, &prices) else { break };
        let gain = gain(&grid, ats, options);
        prices = Prices::learned(&grid, ats);
        if gain > best.as_ref().map_or(0, |(g, _)| *g) {
            best = Some((gain, grid));
        }
    }
    best.map(|(_, grid)| grid)
}

/// What `grid` saves against all raw, by the coder's own account, in fine units.
fn gain(grid: &Grid, ats: &[usize], options: &[Options]) -> i64 {
    let mut pricer = Pricer::default();
    let blocks = Some(&grid.blocks[..]);
    grid::code_blocks(&mut pricer, ats.iter().copied(), ats.len(), blocks, 0, |_| false)
        .expect("a plan can be coded");
    let bits = u64::from(grid.block_bits.bits());
    let saved = grid.blocks.iter().flatten().count() as u64 * bits * FINE_BIT;
    for option in options {
        if let Some(packed) = &grid.blocks[option.index] {
            let weight = option
                .choices
                .iter()
                .find(|c| c.seed == packed.seed && option.at - c.stream_start == packed.position as usize)
                .map_or(0, |c| c.weight);
            pricer.fine += bias::cheapest(bits, grid.block_bits.fold(weight).into()).1;
        }
    }
    // The grid's own head, and two bytes for its share of section ends.
    let head = 28 + 16;
    saved as i64 - pricer.fine as i64 - head * FINE_BIT as i64
}

fn cheapest(block_bits: BlockBits, ats: &[usize], options: &[Options], prices: &Prices) -> Option<Grid> {
    let bits = u64::from(block_bits.bits());
    let raw = (bits * FINE_BIT) as i64;
    let mut paths: Vec<Path> = Vec::new();
    // Paths that may still be gone on from, and the cost of the cheapest of them.
    let mut live: Vec<usize> = Vec::new();
    for (block, option) in options.iter().enumerate() {
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
            let after = live.iter().filter_map(|from| {
                let last = &paths[*from];
                Some((last.cost + seed_price(&last.context, option.at, &packed, prices)?, Some(*from)))
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
        // A path dearer than the cheapest by a whole fresh seed can never win again.
        let least = live.iter().map(|p| paths[*p].cost).min().unwrap_or(0);
        live.retain(|p| paths[*p].cost < least + prices.fresh());
        if live.len() > PATHS {
            live.sort_by_key(|p| (paths[*p].cost, *p));
            live.truncate(PATHS);
            live.sort_unstable();
        }
    }
    let mut end = paths.iter().enumerate().min_by_key(|(i, p)| (p.cost, *i)).filter(|(_, p)| p.cost < 0)?.0;
    let mut blocks = vec![None; ats.len()];
    loop {
        let path = paths[end];
        let option = &options[path.block];
        let choice = option.choices[path.choice];
        blocks[option.index] = Some(Packed {
            seed: choice.seed,
            position: (option.at - choice.stream_start) as u32,
            bias: path.bias,
        });
        match path.from {
            Some(from) => end = from,
            None => break,
        }
    }
    Some(Grid { block_bits, blocks })
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

    fn options(seeds: &[(u32, u32)]) -> (Vec<usize>, Vec<Options>) {
        let ats: Vec<usize> = (0..seeds.len()).map(|i| 64 * i).collect();
        let options = seeds
            .iter()
            .enumerate()
            .map(|(index, (seed, weight))| Options {
                index,
                at: 64 * index,
                choices: vec![Choice { seed: *seed, stream_start: 64 * index, weight: *weight }],
            })
            .collect();
        (ats, options)
    }

    #[test]
    fn packs_what_pays_and_leaves_what_does_not() {
        let (ats, options) = options(&[(1000, 0), (77, 250), (1003, 20), (1006, 512)]);
        let grid = plan(BlockBits::default(), &ats, &options).unwrap();
        let packed: Vec<bool> = grid.blocks.iter().map(Option::is_some).collect();
        assert_eq!(packed, [true, false, true, true]);
        assert!(grid.blocks[3].unwrap().bias.complement);
    }

    #[test]
    fn a_single_good_mask_on_noise_does_not_pay() {
        // Weight 185 is the best of 2^32 masks: it saves 33.6 bits and costs a seed, a flag and a class.
        let (ats, mut options) = options(&[(0xdead_beef, 185)]);
        assert_eq!(plan(BlockBits::default(), &ats, &options), None);
        options[0].choices.clear();
        assert_eq!(plan(BlockBits::default(), &ats, &options), None);
    }

    #[test]
    fn looks_past_a_greedy_first_match() {
        // The second block has two masks: the lighter one costs a fresh seed, the other a repeated delta.
        let (ats, mut options) = options(&[(1000, 0), (1010, 0), (1020, 0), (1030, 0)]);
        options[1].choices.insert(0, Choice { seed: 4_000_000_000, stream_start: 64, weight: 0 });
        let grid = plan(BlockBits::default(), &ats, &options).unwrap();
        assert_eq!(grid.blocks[1].unwrap().seed, 1010);
    }
}
