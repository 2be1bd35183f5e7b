//! The ledger shared out among the proof of concept's chunks: each bit of the packed file is borne by the
//! bytes it was spent on, so that the chunks and the tail together bear all of them.

use crate::evidence::Flips;
use np_core::format::layout::{blocks, plain_ranges};
use np_core::format::reader::HEADER_BYTES;
use np_core::format::segment::{CodedSegment, Decoded};
use np_core::generator::Key;
use np_core::ledger::Heading;
use std::fmt::Write;
use std::ops::Range;

/// Three blocks of 512 bits.
pub const CHUNK_BYTES: usize = 192;
/// A chunk's blocks.
const CHUNK_BLOCKS: usize = 3;

/// What each chunk bears.
pub struct Accounts {
    input: usize,
    /// By chunk; last the tail that fills none.
    chunks: Vec<Account>,
    last_seed: Option<u32>,
}

#[derive(Clone, Default)]
struct Account {
    bits: f64,
    /// Bytes that runs or packed blocks explain.
    explained: usize,
    delta: Option<i64>,
    seeds: usize,
}

impl Accounts {
    /// For an input of `input` bytes.
    pub fn new(input: usize) -> Self {
        Self { input, chunks: vec![Account::default(); input / CHUNK_BYTES + 1], last_seed: None }
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
            for (at, block) in blocks(segment.len, &segment.runs, grid.block_bits).zip(&grid.blocks) {
                let range = at..at + size;
                grid_bytes.push((shift(range.clone()), 1.0));
                let Some(block) = block else { continue };
                let mut stream = Key::Genrand(block.seed).stream();
                stream.skip(block.position.into());
                let flips = Flips::count(&content[range.clone()], &mut stream, block.bias.complement);
                explained.push((shift(range.clone()), flips.entropy()));
                packed.push((shift(range.clone()), 1.0));
                self.explain(shift(range));
                self.note_seed(base + at, block.seed);
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

    fn note_seed(&mut self, at: usize, seed: u32) {
        let delta = self.last_seed.map(|last| i64::from(seed) - i64::from(last));
        self.last_seed = Some(seed);
        let account = self.account(at);
        account.seeds += 1;
        account.delta = account.delta.or(delta);
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

    /// Every `step`-th chunk, and the tail.
    pub fn table(&self, step: usize) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "   #ID | STATUS       |    DELTA | NET GAIN | SO FAR (bits)");
        let mut so_far = 0.0;
        let whole = self.input / CHUNK_BYTES;
        for (id, account) in self.chunks.iter().enumerate() {
            let bytes = if id < whole { CHUNK_BYTES } else { self.input % CHUNK_BYTES };
            let gain = 8.0 * bytes as f64 - account.bits;
            so_far += gain;
            let tail = id == whole;
            if (tail && bytes == 0 && account.bits == 0.0) || (!tail && !id.is_multiple_of(step)) {
                continue;
            }
            let blocks = account.explained * CHUNK_BLOCKS / CHUNK_BYTES;
            let status = match (account.explained, tail) {
                (0, _) => "RAW".to_owned(),
                (explained, _) if explained == bytes && account.seeds == 0 => "RUN".to_owned(),
                (_, true) => "PACKED".to_owned(),
                _ => format!("PACKED {blocks}/{CHUNK_BLOCKS}"),
            };
            let name = if tail { "tail".to_owned() } else { id.to_string() };
            let delta = account.delta.map_or("-".to_owned(), |delta| format!("{delta:+}"));
            let _ = writeln!(out, "{name:>6} | {status:<12} | {delta:>8} | {gain:>+8.1} | {so_far:>+8.1}");
        }
        out
    }
}
