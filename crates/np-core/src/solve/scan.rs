//! The scan: sieve a range tile by tile, turn hits into verified findings, go on after what they explain.

use super::algebra::{seed_of, untemper};
use super::decode::Decoder;
use super::majority::{self, FEWEST};
use super::sieve::{BACK, Hit, INDEX_AHEAD, RECURRENCE_AHEAD, TILE, WINDOW, sieve};
use super::verify::{self, Explained, PIECE, is_evidence, tried};
use super::walk::{self, Block};
use super::{Found, MARGIN, ScanOptions};
use crate::generator::Key;
use crate::generator::mt19937::N;
use fearless_simd::Level;
use std::ops::Range;

/// The scan goes on this many bytes before the estimated end of a finding.
const SLACK: usize = 32;

/// Stages of full decodings to no avail that any scan may spend.
const FAILURES: usize = 32;
/// Bytes of the ranges for each word and stage more that may be decoded to no avail: some 4 microseconds.
const BYTES_A_WORD: usize = 1024;

/// Looks for streams in the given ranges of `data`, which are in rising order and do not overlap. Sorted by
/// offset; one finding for each contiguous stretch of a stream.
pub fn scan(data: &[u8], ranges: &[Range<usize>], options: &ScanOptions) -> Vec<Found> {
    let mut scan = Scan::new(data, ranges, options);
    for range in ranges {
        scan.range(range.start..range.end.min(data.len()));
    }
    scan.found.sort_by_key(|f| (f.offset, f.position));
    scan.found
}

struct Scan<'a> {
    data: &'a [u8],
    options: &'a ScanOptions,
    level: Level,
    /// Made when first needed.
    decoder: Option<Decoder>,
    /// Words times stages that may yet be decoded to no avail: streams too noisy to decode must not slow the scan of what is left.
    spare: usize,
    found: Vec<Found>,
}

impl<'a> Scan<'a> {
    fn new(data: &'a [u8], ranges: &[Range<usize>], options: &'a ScanOptions) -> Self {
        let bytes: usize = ranges.iter().map(|r| r.len()).sum();
        let spare = FAILURES * options.decode_words + bytes / BYTES_A_WORD;
        Self { data, options, level: Level::new(), decoder: None, spare, found: Vec::new() }
    }

    fn range(&mut self, range: Range<usize>) {
        let mut hits = Vec::new();
        let mut edge = [0; WINDOW];
        // What is left: nothing before it is looked at again.
        let mut left = range.clone();
        let mut base = left.start;
        // The `genrand` stream tried last, by seed and start: its other offsets lead to the same.
        let mut last = None;
        // Where the stretch ends that was decoded last, to no avail.
        let mut decoded = left.start;
        'tiles: while base + RECURRENCE_AHEAD <= left.end {
            hits.clear();
            sieve(self.level, self.window(base, &mut edge), &mut hits);
            for &(at, hit) in &hits {
                let at = base + at;
                let end = match hit {
                    Hit::Index { index, word } if at + INDEX_AHEAD <= left.end => {
                        let seed = seed_of(word, index - 1);
                        // The pair at `at` is outputs `index - 229` and `index - 2`.
                        let start = at as i64 - 4 * i64::from(index - 229);
                        if last == Some((seed, start)) {
                            continue;
                        }
                        last = Some((seed, start));
                        self.genrand(seed, start, &left)
                    }
                    Hit::Recurrence { complement }
                        if at >= left.start + BACK && at + RECURRENCE_AHEAD <= left.end =>
                    {
                        self.stream(at - BACK, complement, &left, &mut decoded)
                    }
                    _ => None,
                };
                if let Some(end) = end {
                    left.start = (end - SLACK).max(at + 1);
                    base = left.start;
                    continue 'tiles;
                }
            }
            base += TILE;
        }
    }

    /// The sieve's window for the offsets from `base` on, padded with zeros where the data ends.
    fn window<'w>(&'w self, base: usize, edge: &'w mut [u8; WINDOW]) -> &'w [u8; WINDOW] {
        if base >= BACK
            && let Some(window) = self.data.get(base - BACK..).and_then(|d| d.first_chunk())
        {
            return window;
        }
        *edge = [0; WINDOW];
        let missing = BACK.saturating_sub(base);
        let from = &self.data[base + missing - BACK..];
        let len = from.len().min(WINDOW - missing);
        edge[missing..missing + len].copy_from_slice(&from[..len]);
        edge
    }

    /// Verifies a fresh stream; returns the offset its stretch ends at.
    fn genrand(&mut self, seed: u32, start: i64, left: &Range<usize>) -> Option<usize> {
        let key = Key::Genrand(seed);
        let needed = MARGIN + tried(32, self.data.len());
        let (anchor, position, explained) = verify::keyed(&key, start, self.data, left, needed)?;
        Some(self.keep(key, anchor, position, explained))
    }

    fn keep(&mut self, key: Key, anchor: usize, position: u64, explained: Explained) -> usize {
        self.found.push(Found {
            key,
            offset: anchor as u64,
            position,
            length: explained.bytes as u64,
            flips: explained.flips,
            complement: explained.complement,
        });
        anchor + explained.bytes
    }

    /// Finds the stream, or the complement of one, that shows at `at` by the recurrence; returns the offset its stretch ends at.
    fn stream(
        &mut self,
        at: usize,
        complement: bool,
        left: &Range<usize>,
        decoded: &mut usize,
    ) -> Option<usize> {
        // Its own words are no evidence for a state taken from the data as it is.
        let needed = MARGIN + tried(0, self.data.len());
        let own = PIECE as u64;
        let plain = self
            .state(at, complement, left)
            .filter(|s| is_evidence(s.flips(), 8 * (s.bytes() as u64).saturating_sub(own), needed));
        if let Some(state) = &plain
            && state.flips() == 0
        {
            return Some(self.name(state));
        }
        // A state with a wrong bit explains much at first, ever worse farther on: the right one explains more.
        let noisy = self.noisy(at, complement, left, decoded);
        let best = match (plain, noisy) {
            (Some(plain), Some(noisy)) => Some(if plain.lead() > noisy.lead() { plain } else { noisy }),
            (Some(plain), None) => Some(plain).filter(|s| 1000 * s.flips() <= 8 * s.bytes() as u64),
            (None, noisy) => noisy,
        };
        best.map(|state| self.name(&state))
    }

    /// The 624 words from `at` on as a state, if it explains the data around it.
    fn state(&self, at: usize, complement: bool, left: &Range<usize>) -> Option<State> {
        let bytes = self.data[at..left.end].first_chunk::<PIECE>()?;
        let mut block = [0; N];
        for (x, b) in block.iter_mut().zip(bytes.as_chunks().0) {
            *x = untemper(u32::from_le_bytes(*b) ^ inversion(complement));
        }
        self.explaining(block, at, complement, left)
    }

    /// Decodes the noisy stream that shows at `at`, as far as its parity checks hold around there.
    fn noisy(
        &mut self,
        at: usize,
        complement: bool,
        left: &Range<usize>,
        decoded: &mut usize,
    ) -> Option<State> {
        let half = 2 * self.options.decode_words;
        if at < *decoded || half < 2 * FEWEST || self.spare == 0 {
            return None;
        }
        // Up to half of the words before the hit, in its alignment, and as many after it as make the number full.
        let from = at - (at - left.start).min(half) / 4 * 4;
        let words: Vec<u32> = (self.data[from..left.end].as_chunks().0.iter())
            .take(self.options.decode_words)
            .map(|b| u32::from_le_bytes(*b) ^ inversion(complement))
            .collect();
        let here = (at - from) / 4;
        *decoded = at + 4 * GROUP;
        if !words.get(here..here + N).is_some_and(balanced) {
            return None;
        }
        let decoder = self.decoder.get_or_insert_with(|| Decoder::new(self.level));
        let stretch = stretch(decoder, &words, here);
        if stretch.len() < FEWEST {
            return None;
        }
        *decoded = from + 4 * stretch.end;
        let (from, words) = (from + 4 * stretch.start, &words[stretch]);
        let enough = majority::enough(decoder, words);
        let (mut work, spare) = (0, self.spare);
        let recovered = majority::recover(decoder, words, &mut work);
        self.spare = spare.saturating_sub(work);
        let (at, block, sure) = recovered?;
        let state = self.explaining(block, from + 4 * at, complement, left)?;
        // A wrong bit may show only farther on, where it has spread.
        let sure = sure && state.flips() * 32 * words.len() as u64 <= enough * 8 * state.bytes() as u64;
        // As long as there is more of the stream to decode, a doubtful state is not taken.
        let end = state.at + state.after.bytes;
        let taken = sure || end < *decoded + 4 * self.options.decode_words;
        if taken {
            self.spare = spare;
        }
        taken.then_some(state)
    }

    /// How far the stream with `block` at `at` explains the data, if by enough.
    fn explaining(&self, block: Block, at: usize, complement: bool, left: &Range<usize>) -> Option<State> {
        // A nearly empty state explains nearly empty data: no finding.
        if !balanced(&block) {
            return None;
        }
        let (before, after) = (&self.data[left.start..at], &self.data[at + PIECE..left.end]);
        let needed = MARGIN + tried(0, self.data.len());
        if !verify::explains_around(&block, before, after, needed, complement) {
            return None;
        }
        let before = verify::backward(&block, before, complement);
        let mut stream = Key::State(Box::new(walk::state_before(&block, 0))).stream();
        let after = verify::forward(&mut stream, &self.data[at..left.end], MARGIN)?;
        Some(State { block, at, before, after })
    }

    /// Finds the key of a verified state and keeps it; returns the offset its stretch ends at.
    fn name(&mut self, state: &State) -> usize {
        let State { block, at, before, after } = state;
        let (key, position, back) = match walk::origin(self.level, block, self.options) {
            Some(origin) => {
                let here = 4 * origin.words;
                // A stretch cannot begin before its stream.
                let back = here.min(before.bytes as u64);
                (origin.key, here - back, back as usize)
            }
            None => {
                let words = before.bytes.div_ceil(4);
                let key = Key::State(Box::new(walk::state_before(block, words)));
                (key, (4 * words - before.bytes) as u64, before.bytes)
            }
        };
        let flips = before.flips + after.flips;
        let explained = Explained { bytes: back + after.bytes, flips, complement: after.complement };
        self.keep(key, at - back, position, explained)
    }
}

/// A state and what it explains of the data.
struct State {
    block: Block,
    /// Offset of the block's first word.
    at: usize,
    /// What is explained before it.
    before: Explained,
    /// What is explained from it on.
    after: Explained,
}

impl State {
    fn bytes(&self) -> usize {
        self.before.bytes + self.after.bytes
    }

    fn flips(&self) -> u64 {
        self.before.flips + self.after.flips
    }

    /// Matches less mismatches.
    fn lead(&self) -> i64 {
        8 * self.bytes() as i64 - 2 * self.flips() as i64
    }
}

/// What a word of a stream, or of its complement, is to be XORed with.
fn inversion(complement: bool) -> u32 {
    if complement { u32::MAX } else { 0 }
}

/// Whether about half the bits of the words are ones, as in any stream: 45 % to 55 %.
fn balanced(words: &[u32]) -> bool {
    let ones: usize = words.iter().map(|x| x.count_ones() as usize).sum();
    10 * ones.abs_diff(16 * words.len()) <= 16 * words.len()
}

/// Places whose checks are counted together.
const GROUP: usize = 256;

/// The words around word `at` over which the lightest checks hold more often than chance by 5 standard
/// deviations in every [`GROUP`] of places.
fn stretch(decoder: &Decoder, words: &[u32], at: usize) -> Range<usize> {
    let places = words.len().saturating_sub(N);
    let good = |start: usize| {
        let (holds, of) = decoder.holds(words, start..start + GROUP);
        // holds > of/2 + 5/2 sqrt(of).
        let lead = (2 * holds).saturating_sub(of);
        lead * lead > 25 * of
    };
    let (mut start, mut end) = (at, at);
    while start >= GROUP && start <= places && good(start - GROUP) {
        start -= GROUP;
    }
    while end + GROUP <= places && good(end) {
        end += GROUP;
    }
    if start == end { 0..0 } else { start..end + N }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::mt19937::Mt19937;

    /// Outputs of a stream of unknown start, with the bits flipped that `flips` gives.
    fn noisy(words: usize, mut flips: impl FnMut(&mut Mt19937) -> u32) -> Vec<u8> {
        let mut random = Mt19937::genrand(1);
        let mut stream = Mt19937::by_array(&[9; 624]);
        stream.skip_words(100_000);
        (0..words).flat_map(|_| (stream.next_word() ^ flips(&mut random)).to_le_bytes()).collect()
    }

    #[test]
    fn only_decoding_to_no_avail_is_charged_and_no_more_than_may_be_spent() {
        let spend = |data: &[u8], decode_words: usize| {
            let options = ScanOptions { decode_words, walk_back: 4, ..ScanOptions::default() };
            let range = 0..data.len();
            let mut scan = Scan::new(data, std::slice::from_ref(&range), &options);
            let full = scan.spare;
            assert_eq!(full, FAILURES * decode_words + data.len() / BYTES_A_WORD);
            scan.range(range);
            (scan.found.len(), full, scan.spare)
        };
        // Three bits of 32, 9.4 %, are too many for so few words, of which there are enough to try.
        let three = |r: &mut Mt19937| {
            let mut some = || r.next_word();
            some() & some() & some() & (some() | some())
        };
        let (found, _, spare) = spend(&noisy(2 << 20, three), 2048);
        assert_eq!((found, spare), (0, 0));
        // One bit of 32.
        let one = |r: &mut Mt19937| (0..5).fold(u32::MAX, |mask, _| mask & r.next_word());
        let (found, full, spare) = spend(&noisy(1 << 16, one), 8192);
        assert_eq!((found, spare), (1, full));
    }
}
