//! What a join looks words up in: two bit filters and a table of every leading word of every block.
//!
//! All three are ordered by the top bits of a hash, so that each is made in parts that stay in a core's caches: first
//! every chunk of blocks sorts its hashes by their top byte, then every top byte collects its own from all chunks.

use crate::lanes::Lanes;
use np_core::miner::{MineError, Watch};
use rayon::prelude::*;

/// Parts of an index: values of a hash's top byte.
const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 8;
/// Hashes a chunk sorts at a time: half a mebibyte of entries.
const CHUNK: usize = 1 << 16;
/// The first filter has at most 2^20 words, 4 MiB: beyond that a look costs several times as much.
const NEAR_MOST: u32 = 20;
/// A filter of up to 2^17 words, 512 KiB, fits the caches of a core and may be sparse.
const NEAR_SPARSE: u32 = 17;
/// The second filter has 2^22 words, 16 MiB.
const FAR: u32 = 22;
/// From 2^19 hashes on a second filter pays: their table no longer fits the caches.
const FAR_FROM: usize = 1 << 19;
/// An odd multiplier: 2^32 over the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
pub(crate) const MULTIPLIER: u32 = 0x9e37_79b1;
/// Another, for the bits of the second filter.
const FAR_MULTIPLIER: u32 = 0xc2b2_ae35;

/// Sets words at different places apart.
pub(crate) const fn salt(place: usize) -> u32 {
    (place as u32).wrapping_mul(0x85eb_ca6b)
}

/// The hash of a word at `place`, the same for a word and its complement.
fn hash(word: u32, place: usize) -> u32 {
    let canonical = word ^ ((word as i32 >> 31) as u32);
    (canonical ^ salt(place)).wrapping_mul(MULTIPLIER)
}

/// A set of hashes, with some more in it than were put there. The odd `MULTIPLIER` chooses the bits.
pub(crate) struct Sieve<const MULTIPLIER: u32> {
    words: Vec<u32>,
    shift: u32,
}

impl<const MULTIPLIER: u32> Sieve<MULTIPLIER> {
    /// An empty set of `2^bits` words.
    fn new(bits: u32) -> Self {
        Self { words: vec![0; 1 << bits], shift: 32 - bits }
    }

    /// The word of a hash, by its top bits.
    #[inline(always)]
    fn word(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    /// Where in its word a hash has its two ones: each the low five bits of one of these.
    #[inline(always)]
    fn ones(hash: u32) -> (u32, u32) {
        // The low bits of a product say nothing of the factor's high bits, and the high ones chose the word.
        let hash = if MULTIPLIER == 1 { hash } else { hash.wrapping_mul(MULTIPLIER) >> 22 };
        (hash, hash >> 5)
    }

    /// Puts a hash into its word.
    fn put(hash: u32, word: &mut u32) {
        let (a, b) = Self::ones(hash);
        *word |= 1 << (a & 31) | 1 << (b & 31);
    }

    /// Asks the memory for what [`Sieve::has`] will look at.
    #[inline(always)]
    pub(crate) fn fetch(&self, hash: u32) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 processor has the instruction, and it may be given any address.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(self.words.as_ptr().wrapping_add(self.word(hash)).cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = hash;
    }

    /// 0 only if it was not put there, else 1.
    #[inline(always)]
    pub(crate) fn has(&self, hash: u32) -> usize {
        let word = self.words[self.word(hash)];
        let (a, b) = Self::ones(hash);
        (word.wrapping_shr(a) & word.wrapping_shr(b) & 1) as usize
    }
}

impl Sieve<1> {
    /// [`Sieve::has`] of each lane: bit i is set if it was lane i.
    #[inline(always)]
    pub(crate) fn has_lanes<L: Lanes>(&self, l: L, hash: L::V) -> u32 {
        let (one, five_bits) = (l.splat(1), l.splat(31));
        let word = l.gather_by_top(&self.words, hash);
        let a = l.shr_each(word, l.and(hash, five_bits));
        let b = l.shr_each(word, l.and(l.shr::<5>(hash), five_bits));
        l.at_most(one, l.and(l.and(a, b), one))
    }
}

/// The hashes of one value of the top byte.
struct Part {
    /// `hash << 32 | block`, by the hash's next bits.
    entries: Vec<u64>,
    /// Where the entries of each value of those bits start; one more at the end.
    starts: Vec<u32>,
}

/// Every leading word of every block.
pub(crate) struct Index {
    /// Nearly all hashes that are not there end here.
    pub near: Sieve<1>,
    /// What the first filter lets through goes into this one, if there are many hashes.
    pub far: Option<Sieve<FAR_MULTIPLIER>>,
    parts: Vec<Part>,
    /// How far to shift a hash, its top byte taken off, to get its place in `starts`.
    shift: u32,
}

/// A chunk's `hash << 32 | block`, sorted by the hash's top byte.
struct Sorted {
    entries: Vec<u64>,
    starts: [u32; PARTS + 1],
}

impl Index {
    /// The first `places` words of each block of `words` words. Fails when it is stopped.
    pub(crate) fn new(
        blocks: &[u32],
        words: usize,
        places: usize,
        watch: &dyn Watch,
    ) -> Result<Self, MineError> {
        let stopped = || if watch.stop() { Err(MineError::Stopped) } else { Ok(()) };
        let count = blocks.len() / words * places;
        let per_chunk = (CHUNK / places).max(1);
        let chunks: Vec<Sorted> = blocks
            .par_chunks(per_chunk * words)
            .enumerate()
            .map(|(chunk, blocks)| {
                stopped()?;
                Ok(Sorted::new(blocks, words, places, chunk * per_chunk))
            })
            .collect::<Result<_, _>>()?;
        let log = |n: usize| n.next_power_of_two().trailing_zeros();
        // Eight bits a hash let 5 % through; 128, where that is still small, 0.02 %.
        let bits = log(count / 4).max(log(4 * count).min(NEAR_SPARSE)).clamp(PART_BITS, NEAR_MOST);
        let mut near = Sieve::new(bits);
        let far_bits = if count >= FAR_FROM { FAR } else { PART_BITS };
        let mut far = Sieve::new(far_bits);
        let own = log(count / PARTS).clamp(1, 32 - PART_BITS);
        let shift = 32 - PART_BITS - own;
        let near_part = near.words.len() / PARTS;
        let far_part = far.words.len() / PARTS;
        let (near_shift, far_shift) = (near.shift, far.shift);
        let parts = near
            .words
            .par_chunks_mut(near_part)
            .zip(far.words.par_chunks_mut(far_part))
            .enumerate()
            .map(|(part, (near, far))| {
                stopped()?;
                let made = Part::new(&chunks, part, own);
                for hash in made.entries.iter().map(|entry| (entry >> 32) as u32) {
                    Sieve::<1>::put(hash, &mut near[(hash >> near_shift) as usize % near_part]);
                    Sieve::<FAR_MULTIPLIER>::put(hash, &mut far[(hash >> far_shift) as usize % far_part]);
                }
                Ok(made)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { near, far: (count >= FAR_FROM).then_some(far), parts, shift })
    }

    /// The blocks that have a word of this hash.
    pub(crate) fn blocks(&self, hash: u32) -> impl Iterator<Item = u32> + '_ {
        let part = &self.parts[(hash >> (32 - PART_BITS)) as usize];
        let own = (hash << PART_BITS >> PART_BITS >> self.shift) as usize;
        let entries = &part.entries[part.starts[own] as usize..part.starts[own + 1] as usize];
        entries.iter().filter(move |e| (**e >> 32) as u32 == hash).map(|e| *e as u32)
    }
}

impl Sorted {
    /// The entries of `blocks`, the first of which is block `first`.
    fn new(blocks: &[u32], words: usize, places: usize, first: usize) -> Self {
        let unsorted: Vec<u64> = blocks
            .chunks_exact(words)
            .zip(first..)
            .flat_map(|(bits, block)| {
                let hashes = bits.iter().take(places).enumerate();
                hashes.map(move |(place, word)| u64::from(hash(*word, place)) << 32 | block as u64)
            })
            .collect();
        let mut starts = [0; PARTS + 1];
        let mut entries = vec![0; unsorted.len()];
        distribute(&unsorted, 64 - PART_BITS, &mut starts, &mut entries);
        Self { entries, starts }
    }
}

impl Part {
    /// The entries of every chunk whose top byte is `part`, by their next `own` bits.
    fn new(chunks: &[Sorted], part: usize, own: u32) -> Self {
        let slices = chunks.iter().map(|c| &c.entries[c.starts[part] as usize..c.starts[part + 1] as usize]);
        // The top byte is the same for all, and in the way.
        let unsorted: Vec<u64> = slices.flat_map(|s| s.iter().map(|e| e << PART_BITS)).collect();
        let mut starts = vec![0; (1 << own) + 1];
        let mut entries = vec![0; unsorted.len()];
        distribute(&unsorted, 64 - own, &mut starts, &mut entries);
        let top = (part as u64) << (64 - PART_BITS);
        entries.iter_mut().for_each(|entry| *entry = *entry >> PART_BITS | top);
        Self { entries, starts }
    }
}

/// Sorts `from` into `to` by `value >> shift`. `starts`, of zeros and one longer than there are such values, gets where
/// each begins.
fn distribute(from: &[u64], shift: u32, starts: &mut [u32], to: &mut [u64]) {
    for value in from {
        starts[(value >> shift) as usize + 1] += 1;
    }
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    // Where each begins now tells where its next goes; after that, where the one after it begins.
    for value in from {
        let at = &mut starts[(value >> shift) as usize];
        to[*at as usize] = *value;
        *at += 1;
    }
    starts.rotate_right(1);
    starts[0] = 0;
}
