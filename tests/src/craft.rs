//! Packed files made by hand from runs and grids, so that what reads them can be tested without a search.

use crate::inputs::{flip, noise, records, stream, text};
use np_core::bias;
use np_core::block::BlockBits;
use np_core::format::digest::{self, Chain, segment_hash};
use np_core::format::keys::KeyTable;
use np_core::format::layout::{Bias, Grid, Packed, Run, gaps};
use np_core::format::reader::HEADER;
use np_core::format::segment::{CodedSegment, Decoded, MixedParts, Simple};
use np_core::generator::Key;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A segment to be written.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// Its content.
    pub content: Vec<u8>,
    /// Its runs, sorted and apart.
    pub runs: Vec<Run>,
    /// Its block layer.
    pub grid: Option<Grid>,
}

impl Segment {
    /// Appends plain bytes.
    pub fn plain(mut self, bytes: &[u8]) -> Self {
        self.content.extend_from_slice(bytes);
        self
    }

    /// Appends a run of `len` bytes with about `per_mille` of a thousand bits flipped.
    pub fn run(mut self, key: &Key, position: u64, len: usize, per_mille: u64) -> Self {
        let mut bytes = stream(key, position, len);
        let mask = bytes.clone();
        flip(&mut bytes, per_mille, position + len as u64);
        let ones = mask.iter().zip(&bytes).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
        let (class, _) = bias::cheapest(8 * len as u64, ones);
        let start = self.content.len();
        let bias = Bias { class, complement: false };
        self.runs.push(Run { start, len, key: Arc::new(key.clone()), position, bias });
        self.content.extend(bytes);
        self
    }

    /// Gives the segment a grid, if there are blocks, at any byte, that are the start of a stream of one of `seeds`: all
    /// of them are packed, and the first two are as far from each other as its pitch.
    pub fn grid(mut self, block_bits: u32, seeds: &[u32]) -> Self {
        let block_bits = BlockBits::new(block_bits).expect("block_bits");
        let size = block_bits.bytes();
        let starts: BTreeMap<Vec<u8>, u32> =
            seeds.iter().map(|seed| (stream(&Key::Genrand(*seed), 0, size), *seed)).collect();
        let gaps: Vec<_> = gaps(self.content.len(), &self.runs).collect();
        let mut packed = Vec::new();
        for gap in &gaps {
            let mut at = gap.start;
            while at + size <= gap.end {
                match starts.get(&self.content[at..at + size]) {
                    Some(seed) => {
                        packed.push((at, Packed { seed: *seed, position: 0, bias: Bias::default() }));
                        at += size;
                    }
                    None => at += 1,
                }
            }
        }
        let pitch = match packed[..] {
            [(first, _), (second, _), ..] => second - first,
            _ => size,
        };
        self.grid = (!packed.is_empty()).then(|| Grid::of(block_bits, pitch, &gaps, packed));
        self
    }
}

/// Writes a packed file. A segment without runs and grid is stored, and so is one whose sections would be longer
/// than a reader takes.
pub fn file(segments: &[Segment]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let mut chain = Chain::new(&HEADER);
    let mut keys = KeyTable::default();
    for (i, segment) in segments.iter().enumerate() {
        let last = i + 1 == segments.len();
        let Segment { content, runs, grid } = segment;
        let mut stored = Vec::new();
        let mut mixed = !runs.is_empty() || grid.is_some();
        if mixed {
            let parts = MixedParts::new(content, runs.clone(), grid.clone(), 3);
            let mut with_new = keys.clone();
            parts.write(&mut stored, &mut with_new, content.len(), last).expect("write");
            // A section may not be longer than that: keys can cost more than they save.
            mixed = stored.len() <= content.len() + 64;
            keys = if mixed { with_new } else { keys };
        }
        if !mixed {
            stored.clear();
            Simple::Stored.write(&mut stored, content, last);
        }
        let digest = chain.accept(segment_hash(&stored, mixed.then_some(&content[..])));
        out.append(&mut stored);
        out.extend_from_slice(&digest.to_le_bytes()[..digest::BYTES]);
    }
    out
}

/// A decoded segment, to be written again.
pub fn again(segment: &CodedSegment, decoded: &Decoded) -> Segment {
    Segment {
        content: segment.content(decoded).to_vec(),
        runs: segment.runs.clone(),
        grid: decoded.grid.clone(),
    }
}

/// All of `segments`' content.
pub fn content(segments: &[Segment]) -> Vec<u8> {
    segments.iter().flat_map(|segment| segment.content.iter().copied()).collect()
}

/// Something of everything: keys of all seedings, exact, sparse and dense residuals, a stream over three
/// segments with a stored one in between, one key used twice, and packed blocks.
pub fn everything() -> Vec<Segment> {
    let long = Key::Genrand(4242);
    let array = Key::ByArray(vec![1, 2, 3]);
    let state = Key::State(Box::new(std::array::from_fn(|i| 0x9e37_79b9u32.wrapping_mul(i as u32 + 1))));
    let seeds: Vec<u32> = (0..40).map(|i| 1_000_000 + 3 * i).collect();
    vec![
        Segment::default().plain(&text(300)).run(&long, 0, 5000, 0),
        Segment::default().run(&long, 5000, 4000, 100).plain(&noise(100, 1)).run(&array, 7, 3000, 2),
        Segment::default().plain(&noise(700, 2)),
        Segment::default().run(&long, 9000, 2001, 0).run(&state, 1, 6000, 0).run(&long, 50, 900, 300),
        Segment::default()
            .plain(&noise(128, 3))
            .plain(&records(seeds.iter().copied(), 64))
            .plain(&text(100))
            .grid(512, &seeds),
    ]
}

/// A small file with a run and two packed blocks, for tests that damage every bit of it.
pub fn small() -> Vec<Segment> {
    vec![
        Segment::default()
            .plain(b"plain")
            .run(&Key::Genrand(42), 0, 200, 20)
            .plain(&records([7, 9], 16))
            .grid(128, &[7, 9]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::unpacks_to;

    /// Found by the `corrupt` fuzzer: a state key is longer than a reader takes for so short a segment.
    #[test]
    fn a_segment_that_would_be_too_long_is_stored() {
        let state = Key::State(Box::new([7; 624]));
        let segments =
            [Segment::default().run(&state, 0, 30, 0), Segment::default().run(&state, 30, 4000, 0)];
        unpacks_to(&file(&segments), &content(&segments));
    }
}
