//! The ledger shared out among the proof of concept's chunks: each bit of the packed file is borne by the
//! bytes it was spent on, so that the chunks and the tail together bear all of them.

use crate::audit::proof_of_concept::CHUNK_BYTES;
use crate::evidence::Flips;
use np_core::format::layout::plain_ranges;
use np_core::format::reader::HEADER_BYTES;
use np_core::format::segment::{CodedSegment, Decoded};
use np_core::generator::Key;
use np_core::ledger::Heading;
use std::ops::Range;

/// A chunk's blocks.
const CHUNK_BLOCKS: usize = 3;

/// What each chunk bears.
pub struct Accounts {
    input: usize,
    /// By chunk; last the tail that fills none.
    chunks: Vec<Account>,
}

#[derive(Clone, Default)]
struct Account {
    bits: f64,
    /// Bytes that runs or packed blocks explain.
    explained: usize,
    seeds: usize,
}

impl Accounts {
    /// For an input of `input` bytes.
    pub fn new(input: usize) -> Self {
        Self { input, chunks: vec![Account::default(); input / CHUNK_BYTES + 1] }
    }

    /// Takes in the next segment.
    pub fn add(&mut self, segment: &CodedSegment, decoded: &Decoded) {
        let base = segment.output_offset as usize;
        let shift = |range: Range<usize>| base + range.start..base + range.end;
        let everything = vec![(base..base + segment.len, 1.0)];
        let content = segment.content(decoded);
        let mut packed = Vec::new();
        let mut grid_bytes = Vec::new();
        let mut explained = Vec::new();
        let runs: Vec<_> = segment.runs.iter().map(|run| (shift(run.range()), 1.0)).collect();
        for run in &segment.runs {
            let mut stream = run.key.stream();
            stream.skip(run.position);
            let flips = Flips::count(&content[run.range()], &mut stream, run.bias.complement);
            explained.push((shift(run.range()), flips.entropy()));
            self.explain(shift(run.range()));
        }
        if let Some(grid) = &decoded.grid {
            let size = grid.block_bits.bytes();
            for (at, block) in grid.places().zip(&grid.blocks) {
                let range = at..at + size;
                grid_bytes.push((shift(range.clone()), 1.0));
                let Some(block) = block else { continue };
                let mut stream = Key::Genrand(block.seed).stream();
                stream.skip(block.position.into());
                let flips = Flips::count(&content[range.clone()], &mut stream, block.bias.complement);
                explained.push((shift(range.clone()), flips.entropy()));
                packed.push((shift(range.clone()), 1.0));
                self.explain(shift(range));
                self.account(base + at).seeds += 1;
            }
        }
        let plain: Vec<_> = plain_ranges(segment.len, &segment.runs, decoded.grid.as_ref())
            .into_iter()
            .map(|range| (shift(range), 1.0))
            .collect();
        if base == 0 {
            self.share((8 * HEADER_BYTES) as f64, &everything, &everything);
        }
        for (heading, bits) in decoded.ledger.rows() {
            let borne_by = match heading {
                Heading::Keys | Heading::Runs => &runs,
                Heading::Bitmap => &grid_bytes,
                Heading::Seeds => &packed,
                Heading::Weights => {
                    if packed.is_empty() {
                        &runs
                    } else {
                        &packed
                    }
                }
                Heading::Residual => &explained,
                Heading::Plain => &plain,
                _ => &everything,
            };
            self.share(bits as f64, borne_by, &everything);
        }
    }

    /// Shares `bits` out among `pieces`, by their weight and then evenly among each one's bytes.
    fn share(&mut self, bits: f64, pieces: &[(Range<usize>, f64)], otherwise: &[(Range<usize>, f64)]) {
        let weight = |(range, weight): &(Range<usize>, f64)| match range.is_empty() {
            true => 0.0,
            // Explained without a flip still bears a trace, so that shares always have a whole.
            false => weight.max(1e-6) * if *weight == 1.0 { range.len() as f64 } else { 1.0 },
        };
        let total: f64 = pieces.iter().map(weight).sum();
        if total == 0.0 {
            match otherwise.iter().map(weight).sum::<f64>() {
                0.0 => self.account(self.input).bits += bits,
                _ => self.share(bits, otherwise, &[]),
            }
            return;
        }
        for piece in pieces {
            let per_byte = bits * weight(piece) / total / piece.0.len().max(1) as f64;
            self.by_chunk(piece.0.clone(), |account, bytes| account.bits += per_byte * bytes as f64);
        }
    }

    fn explain(&mut self, range: Range<usize>) {
        self.by_chunk(range, |account, bytes| account.explained += bytes);
    }

    fn account(&mut self, at: usize) -> &mut Account {
        &mut self.chunks[at / CHUNK_BYTES]
    }

    fn by_chunk(&mut self, range: Range<usize>, mut put: impl FnMut(&mut Account, usize)) {
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min((at / CHUNK_BYTES + 1) * CHUNK_BYTES);
            put(self.account(at), end - at);
            at = end;
        }
    }

    /// How chunk `id` fared, or, after the last one, the tail: its status and the bits it saved.
    pub fn fared(&self, id: usize) -> (String, f64) {
        let tail = id == self.input / CHUNK_BYTES;
        let bytes = if tail { self.input % CHUNK_BYTES } else { CHUNK_BYTES };
        let account = &self.chunks[id];
        let status = match (account.explained, tail) {
            (0, _) => "RAW".to_owned(),
            (explained, _) if explained == bytes && account.seeds == 0 => "RUN".to_owned(),
            (_, true) => "PACKED".to_owned(),
            (explained, _) => format!("PACKED {}/{CHUNK_BLOCKS}", explained * CHUNK_BLOCKS / CHUNK_BYTES),
        };
        (status, 8.0 * bytes as f64 - account.bits)
    }

    /// Chunks of which a run or a packed block explains at least a part.
    pub fn explained(&self) -> usize {
        let whole = self.input / CHUNK_BYTES;
        self.chunks[..whole].iter().filter(|account| account.explained > 0).count()
    }
}
