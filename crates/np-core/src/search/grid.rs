//! Mining the block grid: the neighbourhood of the last seed first (Lazy Hunter), then exact starts by a
//! join, at every byte to learn where blocks begin, then as many seeds as the budget buys; what goes on with a
//! stream is followed without mining.

use super::ahead::Ahead;
use super::carry::BlockCarry;
use super::length::fitting;
use super::places::{common, in_step, sample};
use super::{Effort, PackWatch};
use crate::block::{BlockBits, words_from_bytes};
use crate::error::Error;
use crate::format::layout::{Bias, Grid, Packed, Run, cut, gaps};
use crate::format::seeds::{KINDS, SeedContext, SeedKind};
use crate::generator::{Generator, Key, Seeding, Stream, lanes::mask_many};
use crate::miner::{Filter, Job, Miner, SEED_END};
use crate::noise::{NoiseMap, looks_like_noise};
use crate::plan::{Choice, Options, plan};
use crate::price::FINE_BIT;
use std::collections::HashSet;
use std::ops::Range;

/// Candidates kept for a block.
const BEST: usize = 4;
/// Leading words a join looks at.
const JOIN_WORDS: u32 = 4;
/// Seeds on either side of a centre that are tried before all of the neighbourhood.
const NEAREST: u32 = 8;
/// Blocks in a row without a seed near the last one before the hunter gives up.
const PATIENCE: usize = 16;
/// Blocks the budget is spent on at most are those that leave each at least this many seeds.
const SEEDS_MIN: u64 = 256;

/// Hints whose masks are made together.
const TOGETHER: usize = 256;

/// Bits that a seed saves that is certain to be the right one.
const STRONG: u32 = 64;

/// A seed found at a byte of the segment before the grid was looked at.
#[derive(Clone, Copy, Debug)]
pub struct Hint {
    /// Byte of the segment where its stream starts.
    pub at: usize,
    /// The `genrand` seed.
    pub seed: u32,
}

/// The largest fold that saves more than `bits` bits in a block.
pub fn fold_limit(block_bits: BlockBits, bits: u32) -> Option<u32> {
    let n = u64::from(block_bits.bits());
    let pays =
        |fold: &u32| crate::bias::cheapest(n, u64::from(*fold)).1 + u64::from(bits) * FINE_BIT < n * FINE_BIT;
    // Prices grow with the fold up to half the block.
    let (mut low, mut high) = (0, block_bits.bits() / 2 + 1);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if pays(&middle) { low = middle } else { high = middle }
    }
    pays(&low).then_some(low)
}

/// Bits that a mask has to save so that one of `seeds` masks, tried on each of `blocks`, does so by chance in one of
/// 2^8 searches: a false seed is in the way of the right one.
fn sure(blocks: u64, seeds: u64) -> u32 {
    blocks.max(1).ilog2() + seeds.max(1).ilog2() + 8
}

/// Mines the blocks of `content` that no run covers and plans them.
pub struct GridSearch<'a> {
    /// The segment's content.
    pub content: &'a [u8],
    /// N, unless records fit another length better.
    pub block_bits: BlockBits,
    /// N whatever fits.
    pub fixed: bool,
    /// What to spend.
    pub effort: &'a Effort,
    /// The miner.
    pub miner: &'a dyn Miner,
    /// Progress.
    pub watch: &'a dyn PackWatch,
}

impl GridSearch<'_> {
    /// The block layer, or `None` if it does not pay. `before` is what may go on from the segment before.
    pub fn search(
        &self,
        noise: &NoiseMap,
        runs: &[Run],
        hints: &[Hint],
        before: Option<&BlockCarry>,
    ) -> Result<Option<Grid>, Error> {
        if self.effort.is_solve_only() && hints.is_empty() && before.is_none() {
            return Ok(None);
        }
        let gaps: Vec<Range<usize>> = gaps(self.content.len(), runs).collect();
        let mut hints = hints.to_vec();
        if let Some(before) = before {
            hints.extend(self.go_on(before, &gaps)?);
        }
        let mut options = self.cut(&gaps, &hints);
        self.hunt(&mut options, SeedContext::default())?;
        let (joined, found) = self.locate(&options, &gaps, noise)?;
        let taken = options.iter().flat_map(|o| o.choices.iter().map(|c| Hint { at: o.at, seed: c.seed }));
        let mut known: Vec<Hint> = taken.chain(found).collect();
        known.sort_by_key(|hint| hint.at);
        match fitting(self.content, &gaps, &known) {
            Some(block_bits) if block_bits != self.block_bits && !self.fixed => {
                let search = Self { block_bits, ..*self };
                let options = search.cut(&gaps, &[]);
                search.finish(options, &gaps, runs, &known, &[])
            }
            _ => self.finish(options, &gaps, runs, &known, &joined),
        }
    }

    /// What is found where the blocks of the segment before would go on.
    fn go_on(&self, before: &BlockCarry, gaps: &[Range<usize>]) -> Result<Vec<Hint>, Error> {
        let block_bits = if self.fixed { self.block_bits } else { before.block_bits };
        let search = Self { block_bits, ..*self };
        let mut options = Vec::new();
        search.open(&mut options, gaps, (before.at..self.content.len()).step_by(before.pitch));
        search.hunt(&mut options, before.context())?;
        let found = options.iter().flat_map(|o| o.choices.iter().map(|c| Hint { at: o.at, seed: c.seed }));
        Ok(found.collect())
    }

    /// The gaps cut into blocks from their first bytes, and the places of hints.
    fn cut(&self, gaps: &[Range<usize>], hints: &[Hint]) -> Vec<Options> {
        let mut options = Vec::new();
        let places = cut(gaps.iter().cloned(), self.block_bits).chain(hints.iter().map(|hint| hint.at));
        self.open(&mut options, gaps, places);
        self.take_all(&mut options, hints);
        options
    }

    /// Searches on from what is known of where blocks begin. Blocks in `joined` need no join.
    fn finish(
        &self,
        mut options: Vec<Options>,
        gaps: &[Range<usize>],
        runs: &[Run],
        known: &[Hint],
        joined: &[Range<usize>],
    ) -> Result<Option<Grid>, Error> {
        let mut places: Vec<usize> = known.iter().map(|hint| hint.at).collect();
        places.dedup_by(|at, last| *at < *last + self.block_bits.bytes());
        let (mut steps, mut cut_anew) = (Vec::new(), Vec::new());
        for gap in gaps {
            let own =
                places.partition_point(|at| *at < gap.start)..places.partition_point(|at| *at < gap.end);
            let (before, own) = (steps.len(), &places[own]);
            steps.extend(in_step(gap, own, self.block_bits));
            if steps.len() - before > own.len() {
                cut_anew.push(gap.clone());
            }
        }
        options.retain(|o| !o.choices.is_empty() || holding(&cut_anew, o.at).is_none());
        self.open(&mut options, gaps, steps);
        self.take_all(&mut options, known);

        self.hunt(&mut options, SeedContext::default())?;
        self.join(&mut options, joined)?;
        self.hunt(&mut options, SeedContext::default())?;
        if self.score(&mut options)? {
            self.hunt(&mut options, SeedContext::default())?;
        }
        self.follow(&mut options);
        Ok(plan(self.block_bits, self.content.len(), runs, &options))
    }

    /// Takes in blocks at these places, as far as they look like noise, lie in a gap and in the way of no block
    /// that has a seed.
    fn open(
        &self,
        options: &mut Vec<Options>,
        gaps: &[Range<usize>],
        places: impl IntoIterator<Item = usize>,
    ) {
        let size = self.block_bits.bytes();
        let there: HashSet<usize> = options.iter().map(|o| o.at).collect();
        let taken: Vec<usize> = options.iter().filter(|o| !o.choices.is_empty()).map(|o| o.at).collect();
        let is_open = |at: usize| {
            let gap = holding(gaps, at);
            let next = taken.partition_point(|taken| taken + size <= at);
            gap.is_some_and(|gap| at + size <= gap.end)
                && taken.get(next).is_none_or(|taken| at + size <= *taken)
                && !there.contains(&at)
                && looks_like_noise(&self.content[at..at + size])
        };
        options.extend(
            places.into_iter().filter(|at| is_open(*at)).map(|at| Options { at, choices: Vec::new() }),
        );
        options.sort_by_key(|o| o.at);
        options.dedup_by_key(|o| o.at);
    }

    fn words(&self, option: &Options) -> impl Iterator<Item = u32> {
        words_from_bytes(&self.content[option.at..option.at + self.block_bits.bytes()])
    }

    /// Takes the hints at blocks' first bytes.
    fn take_all(&self, options: &mut [Options], hints: &[Hint]) {
        let has = |option: &Options, seed| option.choices.iter().any(|c| c.seed == seed);
        let wanted = hints.iter().filter_map(|hint| {
            let i = options.binary_search_by_key(&hint.at, |o| o.at).ok()?;
            (!has(&options[i], hint.seed)).then_some((i, hint.seed))
        });
        let wanted: Vec<(usize, u32)> = wanted.collect();
        let words = self.block_bits.words();
        let mut masks = Vec::new();
        for wanted in wanted.chunks(TOGETHER) {
            let seeds: Vec<u32> = wanted.iter().map(|(_, seed)| *seed).collect();
            masks.resize(seeds.len() * words, 0);
            mask_many(&seeds, words, &mut masks);
            for ((i, seed), mask) in wanted.iter().zip(masks.chunks_exact(words)) {
                let option = &mut options[*i];
                if !has(option, *seed) {
                    option.choices.push(self.choice(option, *seed, mask));
                }
            }
        }
    }

    fn choice(&self, option: &Options, seed: u32, mask: &[u32]) -> Choice {
        let residual = self.words(option).zip(mask).map(|(word, mask)| word ^ mask);
        Choice { seed, stream_start: option.at, weight: residual.map(u32::count_ones).sum() }
    }

    fn mine(
        &self,
        options: &mut [Options],
        which: &[usize],
        seeds: Range<u64>,
        fold_limit: u32,
        filter: Filter,
    ) -> Result<bool, Error> {
        let blocks: Vec<u32> = which.iter().flat_map(|i| self.words(&options[*i])).collect();
        let job = Job {
            generator: Generator::Mt19937,
            seeding: Seeding::Genrand,
            block_bits: self.block_bits,
            seeds,
            blocks: &blocks,
            fold_limit,
            best_per_block: BEST,
            filter,
        };
        let found = self.miner.mine(&job, self.watch)?;
        for candidate in &found {
            let option = &mut options[which[candidate.block as usize]];
            if !option.choices.iter().any(|c| c.seed == candidate.seed) {
                let choice =
                    Choice { seed: candidate.seed, stream_start: option.at, weight: candidate.weight };
                option.choices.push(choice);
            }
        }
        Ok(!found.is_empty())
    }

    /// Lazy Hunter: where a block has a seed, tries for the next blocks what the experts predict from the
    /// last seeds, then the neighbourhood of the last seed and of where its stride leads, the nearest seeds
    /// first, before anything wider. Blocks that have a seed are passed over. `context` is what the experts know before
    /// the first block.
    fn hunt(&self, options: &mut [Options], mut context: SeedContext) -> Result<(), Error> {
        let radius = i64::from(self.effort.radius);
        let bare = options.iter().filter(|o| o.choices.is_empty()).count() as u64;
        let limit = |seeds| fold_limit(self.block_bits, sure(bare, seeds));
        // Around the last seed and around where its stride leads.
        let near = 4 * u64::from(self.effort.radius) + 2;
        let (Some(predicted), Some(near)) = (limit(KINDS as u64), limit(near)) else {
            return Ok(());
        };
        let mut ahead = Ahead::new(self.block_bits.words());
        let mut misses = 0;
        // The end of the last block with a seed.
        let mut end = 0;
        self.watch.stage("hunt", bare * (2 * self.effort.radius as u64 + 1));
        for i in 0..options.len() {
            if options[i].at < end {
                continue;
            }
            if options[i].choices.is_empty() && misses <= PATIENCE {
                let guess = context.predictions().find_map(|seed| {
                    self.watch.advance(1);
                    let choice = self.choice(&options[i], seed, ahead.mask(&context, seed));
                    (self.block_bits.fold(choice.weight) <= predicted).then_some(choice)
                });
                match (guess, context.last()) {
                    (Some(choice), _) => options[i].choices.push(choice),
                    (None, Some(last)) if radius > 0 => {
                        let stride = context.prediction(SeedKind::Stride).unwrap_or(last);
                        let far = stride.abs_diff(last) > self.effort.radius;
                        let centres = [last, stride];
                        let centres = centres.into_iter().take(1 + usize::from(far)).map(i64::from);
                        let rings = [i64::from(NEAREST).min(radius), radius];
                        for (radius, centre) in
                            rings.into_iter().flat_map(|ring| centres.clone().map(move |c| (ring, c)))
                        {
                            let clamp = |x: i64| x.clamp(0, SEED_END as i64) as u64;
                            let seeds = clamp(centre - radius)..clamp(centre + radius + 1);
                            if self.mine(options, &[i], seeds, near, Filter::All)? {
                                break;
                            }
                        }
                    }
                    _ => {}
                }
            }
            match options[i].choices.iter().min_by_key(|c| self.block_bits.fold(c.weight)) {
                Some(best) => {
                    let packed = Packed { seed: best.seed, position: 0, bias: Bias::default() };
                    context.learn(options[i].at, &packed);
                    end = options[i].at + self.block_bits.bytes();
                    misses = 0;
                }
                None => misses += 1,
            }
        }
        Ok(())
    }

    /// Finds exact and nearly exact starts at any byte. Returns the bytes that were looked at, unless blocks are longer
    /// than what was looked at there, and what was found, by place and fold.
    fn locate(
        &self,
        options: &[Options],
        gaps: &[Range<usize>],
        noise: &NoiseMap,
    ) -> Result<(Vec<Range<usize>>, Vec<Hint>), Error> {
        let probe = self.block_bits.min(BlockBits::default());
        if self.effort.join_seeds == 0 {
            return Ok(Default::default());
        }
        let size = self.block_bits.bytes();
        // Bytes where a block has room before the next one that has a seed, or the gap's end.
        let mut free = Vec::new();
        for gap in gaps {
            let mut start = gap.start;
            let first = options.partition_point(|o| o.at < gap.start);
            let taken = options[first..].iter().filter(|o| !o.choices.is_empty()).map(|o| o.at);
            for end in taken.take_while(|at| *at < gap.end).chain([gap.end]) {
                if start + size <= end {
                    free.push(start..end - size + 1);
                }
                start = end + size;
            }
        }
        if free.iter().map(Range::len).sum::<usize>() > self.effort.join_offsets {
            free = common(&free, &noise.regions());
        }
        let looked_at = sample(&free, self.effort.join_offsets);
        let places: Vec<usize> = looked_at
            .iter()
            .cloned()
            .flatten()
            .filter(|at| looks_like_noise(&self.content[*at..*at + size]))
            .collect();
        let limit = fold_limit(probe, sure(places.len() as u64, self.effort.join_seeds));
        let (Some(limit), false) = (limit, places.is_empty()) else { return Ok(Default::default()) };
        self.watch.stage("locate", self.effort.join_seeds);
        let blocks: Vec<u32> =
            places.iter().flat_map(|at| words_from_bytes(&self.content[*at..*at + probe.bytes()])).collect();
        let job = Job {
            generator: Generator::Mt19937,
            seeding: Seeding::Genrand,
            block_bits: probe,
            seeds: 0..self.effort.join_seeds,
            blocks: &blocks,
            fold_limit: limit,
            best_per_block: BEST,
            filter: Filter::Join { words: JOIN_WORDS },
        };
        let found = self.miner.mine(&job, self.watch)?;
        let found = found.iter().map(|c| Hint { at: places[c.block as usize], seed: c.seed }).collect();
        Ok((if probe == self.block_bits { looked_at } else { Vec::new() }, found))
    }

    /// Exact and nearly exact starts, at a cost that does not depend on the number of blocks. Blocks that begin in
    /// `joined` were joined before.
    fn join(&self, options: &mut [Options], joined: &[Range<usize>]) -> Result<(), Error> {
        let seeds = self.effort.join_seeds;
        let mut which = bare(options);
        which.retain(|i| holding(joined, options[*i].at).is_none());
        if seeds == 0 || which.is_empty() {
            return Ok(());
        }
        // Where what was found nearby is weak, the right seed may still be elsewhere.
        if let Some(strong) = fold_limit(self.block_bits, STRONG) {
            let is_weak = |choice: &Choice| self.block_bits.fold(choice.weight) > strong;
            which = (0..options.len()).filter(|i| options[*i].choices.iter().all(is_weak)).collect();
        }
        self.watch.stage("join", seeds);
        if let Some(limit) = fold_limit(self.block_bits, sure(which.len() as u64, seeds)) {
            self.mine(options, &which, 0..seeds, limit, Filter::Join { words: JOIN_WORDS })?;
        }
        Ok(())
    }

    /// Scores every pair of bare blocks and as many seeds as the budget buys.
    fn score(&self, options: &mut [Options]) -> Result<bool, Error> {
        let mut which = bare(options);
        // The budget counts 512-bit pairs.
        let budget = self.effort.score_pairs / u64::from(self.block_bits.bits().div_ceil(512));
        let most = (budget / SEEDS_MIN) as usize;
        if which.len() > most {
            which.truncate(most);
        }
        if which.is_empty() {
            return Ok(false);
        }
        // With few blocks making the masks is the cost: no more of them than a start is worth.
        let seeds = (budget / which.len() as u64).clamp(1, self.effort.start_seeds.max(1));
        let seeds = 1 << seeds.ilog2();
        self.watch.stage("mine", seeds * which.len() as u64);
        match fold_limit(self.block_bits, seeds.ilog2().max(12)) {
            Some(limit) => self.mine(options, &which, 0..seeds, limit, Filter::All),
            None => Ok(false),
        }
    }

    /// Where a block's stream goes on into the next blocks, they may go on with it.
    fn follow(&self, options: &mut [Options]) {
        let size = self.block_bits.bytes();
        let Some(limit) = fold_limit(self.block_bits, 8) else { return };
        let strong = fold_limit(self.block_bits, STRONG).unwrap_or(0);
        for i in 0..options.len() {
            for c in 0..options[i].choices.len() {
                let Choice { seed, stream_start, .. } = options[i].choices[c];
                if stream_start != options[i].at {
                    continue;
                }
                let mut stream: Option<Stream> = None;
                let (_, later) = options.split_at_mut(i + 1);
                for next in later.iter_mut().skip_while(|o| o.at < stream_start + size) {
                    // Nothing goes on where another seed is certainly right.
                    if next.choices.iter().any(|c| c.seed != seed && self.block_bits.fold(c.weight) <= strong)
                    {
                        break;
                    }
                    let at = next.at;
                    let position = (at - stream_start) as u64;
                    // Blocks may overlap, and streams do not go back.
                    let stream = match &mut stream {
                        Some(stream) if stream.position() <= position => stream,
                        other => other.insert(Key::Genrand(seed).stream()),
                    };
                    stream.skip(position - stream.position());
                    let mut residual = self.content[at..at + size].to_vec();
                    stream.xor(&mut residual);
                    let weight = residual.iter().map(|b| b.count_ones()).sum();
                    if self.block_bits.fold(weight) > limit {
                        break;
                    }
                    next.choices.push(Choice { seed, stream_start, weight });
                }
            }
        }
    }
}

/// The one of `ranges`, which are sorted and apart, that holds `at`.
fn holding(ranges: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    ranges.get(ranges.partition_point(|range| range.end <= at)).filter(|range| range.start <= at)
}

/// The blocks no way to pack was found for.
fn bare(options: &[Options]) -> Vec<usize> {
    (0..options.len()).filter(|i| options[*i].choices.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fold_limits_save_what_they_promise() {
        for bits in [128, 512, 2048, 32768] {
            let block_bits = BlockBits::new(bits).unwrap();
            for save in [1, 10, 24, 100] {
                let limit = fold_limit(block_bits, save).unwrap();
                let saves = |fold: u32| {
                    let cost = crate::bias::cheapest(bits.into(), fold.into()).1;
                    cost + u64::from(save) * FINE_BIT < u64::from(bits) * FINE_BIT
                };
                assert!(saves(limit) && !saves(limit + 1), "{bits} bits, save {save}");
            }
        }
        assert_eq!(fold_limit(BlockBits::new(128).unwrap(), 200), None);
    }
}
