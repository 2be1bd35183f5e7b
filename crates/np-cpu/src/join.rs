//! The join: blocks found by hashing, at a cost that does not grow with their number.
//!
//! Every leading word of every block goes into one table, in the polarity whose top bit is zero. A seed's
//! leading mask words are looked up there: first in a bit filter that stays in the caches, then in a larger
//! one, where nearly all end, then among the entries themselves. Each of the three goes over a whole batch,
//! so that the memory has many questions at a time. A hash may lie, so what is found is checked on the
//! words before it is weighed.

use crate::board::Board;
use crate::lanes::Lanes;
use crate::masks;
use crate::slices::GROUPS;
use np_core::block::weight;
use np_core::generator::mask_words;
use np_core::miner::{Candidate, Filter, Job, MineError, Watch};
use np_core::scalar::passes;
use rayon::prelude::*;

/// Batches of seeds a task takes.
const BATCHES: usize = 32;
/// The first filter has at most 2^19 words, 2 MiB: beyond that a look costs several times as much.
const NEAR_MOST: u32 = 19;
/// A filter of up to 2^17 words, 512 KiB, fits the caches of a core and may be sparse.
const NEAR_SPARSE: u32 = 17;
/// The second filter has at most 2^22 words, 16 MiB.
const FAR_MOST: u32 = 22;
/// An odd multiplier: 2^32 over the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
const MULTIPLIER: u32 = 0x9e37_79b1;

/// Sets words at different places apart.
const fn salt(place: usize) -> u32 {
    (place as u32).wrapping_mul(0x85eb_ca6b)
}

/// The hash of a word at `place`, the same for a word and its complement.
fn hash(word: u32, place: usize) -> u32 {
    let canonical = word ^ ((word as i32 >> 31) as u32);
    (canonical ^ salt(place)).wrapping_mul(MULTIPLIER)
}

/// A set of hashes, with some more in it than were put there.
struct Sieve {
    words: Vec<u32>,
    multiplier: u32,
    shift: u32,
}

impl Sieve {
    /// `2^bits` words, at most `2^22`; `multiplier` is odd, and another for each sieve.
    fn new(hashes: impl Iterator<Item = u32>, bits: u32, multiplier: u32) -> Self {
        let mut sieve = Self { words: vec![0; 1 << bits], multiplier, shift: 32 - bits };
        for hash in hashes {
            let (word, ones) = sieve.place(hash);
            sieve.words[word] |= ones;
        }
        sieve
    }

    /// The word of a hash, by its top bits, and the two ones it has there, by its lowest ten.
    #[inline(always)]
    fn place(&self, hash: u32) -> (usize, u32) {
        let hash = hash.wrapping_mul(self.multiplier);
        ((hash >> self.shift) as usize, 1 << (hash & 31) | 1 << (hash >> 5 & 31))
    }

    #[inline(always)]
    fn has(&self, hash: u32) -> bool {
        let (word, ones) = self.place(hash);
        self.words[word] & ones == ones
    }
}

/// Every leading word of every block.
struct Index {
    near: Sieve,
    /// What the first sieve lets through goes into this one, if the first is too full.
    far: Option<Sieve>,
    /// `hash << 32 | block`, sorted.
    entries: Vec<u64>,
    /// Where the entries of each value of the top bits start; one more at the end.
    starts: Vec<u32>,
    starts_shift: u32,
}

impl Index {
    fn new(blocks: &[u32], words: usize, places: usize) -> Self {
        let mut entries: Vec<u64> = blocks
            .par_chunks_exact(words)
            .enumerate()
            .flat_map_iter(|(block, bits)| {
                let hashes = bits.iter().take(places).enumerate();
                hashes.map(move |(place, word)| u64::from(hash(*word, place)) << 32 | block as u64)
            })
            .collect();
        entries.par_sort_unstable();
        entries.dedup();
        let count = entries.len() as u64;
        let log = |n: u64| n.next_power_of_two().trailing_zeros();
        // Two entries a word let 2 % through; a quarter of one, where that is still small, 0.02 %.
        let bits = log(count / 2).max(log(4 * count).min(NEAR_SPARSE)).max(1);
        let hashes = || entries.iter().map(|e| (e >> 32) as u32);
        let near = Sieve::new(hashes(), bits.min(NEAR_MOST), 1);
        let far = (bits > NEAR_MOST).then(|| Sieve::new(hashes(), FAR_MOST, 0xc2b2_ae35));
        let bits = log(count).clamp(1, 26);
        let starts_shift = 32 - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for top in 0..=1u64 << bits {
            while at < entries.len() && entries[at] >> 32 >> starts_shift < top {
                at += 1;
            }
            starts.push(at as u32);
        }
        Self { near, far, entries, starts, starts_shift }
    }

    /// The blocks that have a word of this hash.
    fn blocks(&self, hash: u32) -> impl Iterator<Item = u32> + '_ {
        let top = (hash >> self.starts_shift) as usize;
        let entries = &self.entries[self.starts[top] as usize..self.starts[top + 1] as usize];
        entries.iter().filter(move |e| (**e >> 32) as u32 == hash).map(|e| *e as u32)
    }
}

/// A thread's buffers.
struct Scratch<L: Lanes> {
    state: Vec<L::V>,
    masks: Vec<L::V>,
    /// Hashes of a batch: the seeds of the first place, then those of the next.
    hashes: Vec<u32>,
    /// Indices into `hashes` that the filter let through.
    passed: Vec<u32>,
    mask: Vec<u32>,
    hits: Vec<Candidate>,
}

/// The candidates of a job with [`Filter::Join`], on the board.
pub(crate) fn mine<L: Lanes>(
    l: L,
    job: &Job<'_>,
    places: u32,
    watch: &dyn Watch,
    board: &Board,
) -> Result<(), MineError> {
    let words = job.block_bits.words();
    let places = words.min(places as usize);
    let index = Index::new(job.blocks, words, places);
    let batch = GROUPS * L::COUNT;
    let task_seeds = (batch * BATCHES) as u64;
    let tasks = (job.seeds.end - job.seeds.start).div_ceil(task_seeds);
    let scratch = || Scratch {
        state: Vec::new(),
        masks: vec![l.splat(0); GROUPS * places],
        hashes: vec![0; batch * places],
        passed: vec![0; batch * places],
        mask: vec![0; words],
        hits: Vec::new(),
    };
    (0..tasks).into_par_iter().try_for_each_init(scratch, |scratch, task| {
        if watch.stop() {
            return Err(MineError::Stopped);
        }
        let start = job.seeds.start + task * task_seeds;
        let end = job.seeds.end.min(start + task_seeds);
        for first in (start..end).step_by(batch) {
            let seeds = (end - first).min(batch as u64) as usize;
            probe(l, job, &index, places, first as u32, seeds, scratch, board);
        }
        watch.advance(end - start);
        Ok(())
    })
}

#[allow(clippy::too_many_arguments)]
fn probe<L: Lanes>(
    l: L,
    job: &Job<'_>,
    index: &Index,
    places: usize,
    first: u32,
    seeds: usize,
    scratch: &mut Scratch<L>,
    board: &Board,
) {
    let Scratch { state, masks, hashes, passed, mask, hits } = scratch;
    let batch = GROUPS * L::COUNT;
    masks::make(l, first, seeds.div_ceil(L::COUNT), places, state, masks);
    let count = l.with(
        #[inline(always)]
        || filter(l, index, places, masks, hashes, passed),
    );
    let words = job.block_bits.words();
    let mut made = None;
    for at in passed[..count].iter().map(|at| *at as usize) {
        let (hash, seed) = (hashes[at], at % batch);
        if seed >= seeds {
            continue;
        }
        for block in index.blocks(hash) {
            if made != Some(seed) {
                mask_words(first.wrapping_add(seed as u32), mask);
                made = Some(seed);
            }
            let bits = &job.blocks[block as usize * words..(block as usize + 1) * words];
            if passes(Filter::Join { words: places as u32 }, bits, mask) {
                let seed = first.wrapping_add(seed as u32);
                hits.push(Candidate { block, seed, weight: weight(bits, mask) });
            }
        }
        if !hits.is_empty() {
            board.offer(hits);
        }
    }
}

/// Hashes a batch's words, and lists those that the filter lets through.
#[inline(always)]
fn filter<L: Lanes>(
    l: L,
    index: &Index,
    places: usize,
    masks: &[L::V],
    hashes: &mut [u32],
    passed: &mut [u32],
) -> usize {
    let batch = GROUPS * L::COUNT;
    let (multiplier, ones) = (l.splat(MULTIPLIER), l.splat(u32::MAX));
    for place in 0..places {
        let salt = l.splat(salt(place));
        for (group, out) in hashes[place * batch..(place + 1) * batch].chunks_exact_mut(L::COUNT).enumerate()
        {
            let word = masks[group * places + place];
            let canonical = l.min(word, l.xor(word, ones));
            l.store(l.mul(l.xor(canonical, salt), multiplier), out);
        }
    }
    let mut count = 0;
    // No branch: which seeds pass cannot be predicted.
    for (at, hash) in hashes.iter().enumerate() {
        passed[count] = at as u32;
        count += usize::from(index.near.has(*hash));
    }
    if let Some(far) = &index.far {
        let near = count;
        count = 0;
        for i in 0..near {
            let at = passed[i];
            passed[count] = at;
            count += usize::from(far.has(hashes[at as usize]));
        }
    }
    count
}
