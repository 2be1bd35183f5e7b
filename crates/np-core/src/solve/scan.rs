//! The scan: sieve a range tile by tile, turn hits into verified findings, go on after what they explain.

use super::algebra::{seed_of, untemper};
use super::sieve::{BACK, Hit, INDEX_AHEAD, RECURRENCE_AHEAD, TILE, WINDOW, sieve};
use super::verify::{self, Explained, PIECE, tried};
use super::walk::{self, Block};
use super::{Found, MARGIN, ScanOptions};
use crate::generator::Key;
use crate::generator::mt19937::N;
use fearless_simd::Level;
use std::ops::Range;

/// The scan goes on this many bytes before the estimated end of a finding.
const SLACK: usize = 32;

/// Looks for streams in the given ranges of `data`, which are in rising order and do not overlap. Sorted by
/// offset; one finding for each contiguous stretch of a stream.
pub fn scan(data: &[u8], ranges: &[Range<usize>], options: &ScanOptions) -> Vec<Found> {
    let mut scan = Scan { data, options, level: Level::new(), found: Vec::new() };
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
    found: Vec<Found>,
}

impl Scan<'_> {
    fn range(&mut self, range: Range<usize>) {
        let mut hits = Vec::new();
        let mut edge = [0; WINDOW];
        // What is left: nothing before it is looked at again.
        let mut left = range.clone();
        let mut base = left.start;
        // The `genrand` stream tried last, by seed and start: its other offsets lead to the same.
        let mut last = None;
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
                    Hit::Recurrence if at >= left.start + BACK && at + RECURRENCE_AHEAD <= left.end => {
                        self.state(at - BACK, &left)
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
        });
        anchor + explained.bytes
    }

    /// Takes the 624 words from `at` on as a state, and verifies it by the words around it.
    fn state(&mut self, at: usize, left: &Range<usize>) -> Option<usize> {
        let bytes = self.data[at..left.end].first_chunk::<PIECE>()?;
        let mut block = [0; N];
        for (x, b) in block.iter_mut().zip(bytes.as_chunks().0) {
            *x = untemper(u32::from_le_bytes(*b));
        }
        self.block(&block, at, left)
    }

    /// Verifies that the stream with `block` at `at` explains the data around it, finds its key and keeps it.
    fn block(&mut self, block: &Block, at: usize, left: &Range<usize>) -> Option<usize> {
        // A nearly empty state explains nearly empty data: no finding. A real one is balanced.
        let ones: u32 = block.iter().map(|x| x.count_ones()).sum();
        if ones.abs_diff(16 * N as u32) > N as u32 {
            return None;
        }
        let (before, after) = (&self.data[left.start..at], &self.data[at + PIECE..left.end]);
        if !verify::explains_around(block, before, after, MARGIN + tried(0, self.data.len())) {
            return None;
        }
        let before = verify::backward(block, before);
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
        let mut stream = key.stream();
        stream.skip(position);
        let explained = verify::forward(&mut stream, &self.data[at - back..left.end], MARGIN)?;
        Some(self.keep(key, at - back, position, explained))
    }
}
