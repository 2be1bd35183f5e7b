//! Pieces of a segment and their masks, XORed onto content or residual: runs at once, blocks in batches.

use super::keys::STREAMS_KEPT;
use super::layout::{Bias, Grid, Packed, Run};
use crate::generator::lanes::mask_many;
use crate::generator::mt19937::SHORT_WORDS;
use crate::generator::{Key, Stream};
use std::ops::Range;
use std::sync::Arc;

/// A run or a packed block, as the residual coder sees it.
pub(super) struct Piece {
    /// Bytes of the content.
    pub(super) range: Range<usize>,
    key: PieceKey,
    position: u64,
    pub(super) bias: Bias,
}

enum PieceKey {
    Run(Arc<Key>),
    Block(u32),
}

/// Takes runs in order, then packed blocks in order: the order of residuals.
pub(super) fn try_each_piece<E>(
    runs: &[Run],
    grid: Option<&Grid>,
    mut take: impl FnMut(Piece) -> Result<(), E>,
) -> Result<(), E> {
    for run in runs {
        let key = PieceKey::Run(run.key.clone());
        take(Piece { range: run.range(), key, position: run.position, bias: run.bias })?;
    }
    let Some(grid) = grid else { return Ok(()) };
    let size = grid.block_bits.bytes();
    let mut blocks = grid.blocks.iter();
    for stretch in &grid.stretches {
        // Loops, not adapters: there may be half a million blocks, and this is most of what each costs.
        let starts = (stretch.start as usize..).step_by(grid.pitch);
        for (at, packed) in starts.zip(blocks.by_ref().take(stretch.count as usize)) {
            if let Some(Packed { seed, position, bias }) = *packed {
                let key = PieceKey::Block(seed);
                take(Piece { range: at..at + size, key, position: position.into(), bias })?;
            }
        }
    }
    Ok(())
}

/// Streams that were read last, so that what goes on need not start anew.
#[derive(Clone, Debug, Default)]
pub struct MaskReader {
    /// Last used last.
    runs: Vec<(Arc<Key>, Stream)>,
    block: Option<(u32, Stream)>,
}

impl MaskReader {
    /// Takes in the streams that `later` left, as if it had been this reader: segments that need no
    /// stream of an earlier one can then be decoded in parallel, each with a reader of its own.
    pub fn absorb(&mut self, later: Self) {
        self.runs.retain(|(key, _)| later.runs.iter().all(|(other, _)| other != key));
        self.runs.extend(later.runs);
        let extra = self.runs.len().saturating_sub(STREAMS_KEPT);
        self.runs.drain(..extra);
        self.block = later.block.or(self.block.take());
    }

    /// A reader with the streams that these runs go on with.
    pub fn of_runs(&self, runs: &[Run]) -> Self {
        let mut own = Self::default();
        for run in runs.iter().filter(|run| run.position > 0) {
            let there = |(key, _): &&(Arc<Key>, Stream)| *key == run.key;
            if own.runs.iter().find(there).is_none() {
                own.runs.extend(self.runs.iter().find(there).cloned());
            }
        }
        own
    }

    /// Leaves the streams as decoding these runs would: segments that go on with a stream can then be decoded in
    /// parallel too.
    pub fn pass_over(&mut self, runs: &[Run]) {
        for run in runs {
            self.read_run(&run.key, run.position, |stream| stream.skip(run.len as u64));
        }
    }

    /// XORs the mask of a run.
    fn xor_run(&mut self, key: &Arc<Key>, position: u64, data: &mut [u8]) {
        self.read_run(key, position, |stream| stream.xor(data));
    }

    fn read_run(&mut self, key: &Arc<Key>, position: u64, read: impl FnOnce(&mut Stream)) {
        let kept = self.runs.iter().position(|(k, _)| k == key).map(|i| self.runs.remove(i).1);
        let kept = kept.filter(|stream| stream.position() <= position);
        let mut stream = kept.unwrap_or_else(|| key.stream());
        stream.skip(position - stream.position());
        read(&mut stream);
        if self.runs.len() == STREAMS_KEPT {
            self.runs.remove(0);
        }
        self.runs.push((key.clone(), stream));
    }

    /// XORs the mask of a block alone.
    fn xor_block(&mut self, seed: u32, position: u64, data: &mut [u8]) {
        let mut stream = match self.block.take() {
            Some((s, stream)) if s == seed && stream.position() <= position => stream,
            _ => Key::Genrand(seed).stream(),
        };
        stream.skip(position - stream.position());
        stream.xor(data);
        self.block = Some((seed, stream));
    }
}

/// The start of a block's stream, as far as blocks that follow each other go on with it.
#[derive(Clone, Copy)]
struct Start {
    seed: u32,
    /// First byte of the data.
    at: usize,
    bytes: usize,
}

/// Starts kept until their masks are made.
const BATCH: usize = 1024;
/// Mask words made together, about: they are read again while they are in the nearest cache.
const WORDS: usize = 1 << 13;
/// Fewest masks made together: all lanes of [`mask_many`].
const SEEDS: usize = 128;

/// XORs the masks of pieces onto data. Those of blocks that begin a stream are made together; all are there
/// only after [`Masker::finish`].
pub(super) struct Masker<'a> {
    reader: &'a mut MaskReader,
    starts: Vec<Start>,
    seeds: Vec<u32>,
    words: Vec<u32>,
}

impl<'a> Masker<'a> {
    /// Reads streams from where `reader` left them.
    pub(super) fn new(reader: &'a mut MaskReader) -> Self {
        Self { reader, starts: Vec::new(), seeds: Vec::new(), words: Vec::new() }
    }

    /// XORs a piece's mask, complemented if its bias says so, onto its bytes, which begin at `at`. `data` is
    /// the same in each call, but may have grown.
    pub(super) fn xor(&mut self, piece: &Piece, data: &mut [u8], at: usize) {
        let bytes = piece.range.len();
        let own = &mut data[at..at + bytes];
        if piece.bias.complement {
            own.iter_mut().for_each(|d| *d = !*d);
        }
        match &piece.key {
            PieceKey::Run(key) => self.reader.xor_run(key, piece.position, own),
            PieceKey::Block(seed) if piece.position == 0 => {
                if self.starts.len() == BATCH {
                    self.finish(data);
                }
                self.starts.push(Start { seed: *seed, at, bytes });
            }
            PieceKey::Block(seed) => match self.starts.last_mut() {
                Some(start)
                    if start.seed == *seed
                        && start.bytes as u64 == piece.position
                        && start.at + start.bytes == at
                        && start.bytes + bytes <= 4 * SHORT_WORDS =>
                {
                    start.bytes += bytes
                }
                _ => self.reader.xor_block(*seed, piece.position, own),
            },
        }
    }

    /// Makes and XORs the masks still kept.
    pub(super) fn finish(&mut self, data: &mut [u8]) {
        for same in self.starts.chunk_by(|a, b| a.bytes == b.bytes) {
            let words = same[0].bytes / 4;
            for starts in same.chunks(SEEDS.max(WORDS / words)) {
                self.seeds.clear();
                self.seeds.extend(starts.iter().map(|s| s.seed));
                self.words.resize(words * starts.len(), 0);
                mask_many(&self.seeds, words, &mut self.words);
                for (start, mask) in starts.iter().zip(self.words.chunks_exact(words)) {
                    let data = data[start.at..start.at + start.bytes].as_chunks_mut().0;
                    for (d, m) in data.iter_mut().zip(mask) {
                        *d = (u32::from_le_bytes(*d) ^ m).to_le_bytes();
                    }
                }
            }
        }
        self.starts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::BlockBits;
    use crate::format::layout::{cut, gaps};
    use std::convert::Infallible;

    fn each_piece(runs: &[Run], grid: &Grid, mut take: impl FnMut(Piece)) {
        let Ok(()) = try_each_piece(runs, Some(grid), |piece| {
            take(piece);
            Ok::<(), Infallible>(())
        });
    }

    /// Blocks alone, blocks that go on (next to each other, after a hole, past the short form), complements,
    /// and runs that go on, go back and share the segment.
    fn layout(block_bits: BlockBits, count: usize, lone: usize) -> (usize, Vec<Run>, Grid) {
        let size = block_bits.bytes();
        let key = Arc::new(Key::Genrand(99));
        let run = |start, len, position| {
            let bias = Bias { class: 0, complement: position == 70 };
            Run { start, len, key: key.clone(), position, bias }
        };
        let runs = vec![run(0, 5001, 3), run(5001, 333, 70), run(5400, 4000, 10_000)];
        let len = 9400 + count * size + 3;
        let gaps: Vec<_> = gaps(len, &runs).collect();
        let mut blocks = Vec::new();
        let (mut seed, mut start) = (0u32, 0);
        for (i, at) in cut(gaps.iter().cloned(), block_bits).enumerate() {
            let follows = i > 0 && i % 41 >= lone;
            if !follows {
                (seed, start) = (seed.wrapping_mul(0x9e37_79b9).wrapping_add(5), at);
            }
            let bias = Bias { class: 0, complement: i % 7 == 3 };
            let packed = Packed { seed, position: (at - start) as u32, bias };
            blocks.extend((i % 41 % 9 != 5 || !follows).then_some((at, packed)));
        }
        (len, runs, Grid::of(block_bits, size, &gaps, blocks))
    }

    #[test]
    fn masks_made_together_are_those_of_the_streams() {
        for (bits, count, lone) in
            [(512, 1500, 30), (512, 2100, 41), (128, 900, 1), (160, 500, 20), (8192, 60, 38), (32768, 9, 41)]
        {
            let (len, runs, grid) = layout(BlockBits::new(bits).unwrap(), count, lone);
            let mut expected = vec![0x11; len];
            each_piece(&runs, &grid, |piece| {
                let mut stream = match &piece.key {
                    PieceKey::Run(key) => key.stream(),
                    PieceKey::Block(seed) => Key::Genrand(*seed).stream(),
                };
                stream.skip(piece.position);
                let data = &mut expected[piece.range.clone()];
                stream.xor(data);
                data.iter_mut().for_each(|d| *d ^= if piece.bias.complement { 0xff } else { 0 });
            });
            let mut data = vec![0x11; len];
            let mut reader = MaskReader::default();
            let mut masks = Masker::new(&mut reader);
            each_piece(&runs, &grid, |piece| masks.xor(&piece, &mut data, piece.range.start));
            masks.finish(&mut data);
            assert!(data == expected, "{count} blocks of {bits} bits, {lone} of 41 alone");
        }
    }

    #[test]
    fn streams_passed_over_are_left_as_if_they_were_read() {
        let run = |seed, position, len| {
            let key = Arc::new(Key::Genrand(seed));
            Run { start: 0, len, key, position, bias: Bias { class: 0, complement: false } }
        };
        let before = [run(1, 0, 5000), run(2, 70, 33), run(3, 0, 9), run(1, 6000, 100)];
        let after = [run(2, 103, 50), run(1, 6100, 7000), run(3, 4, 20), run(4, 0, 10)];
        let mut read = MaskReader::default();
        for run in &before {
            read.xor_run(&run.key, run.position, &mut vec![0; run.len]);
        }
        let mut passed = MaskReader::default();
        passed.pass_over(&before);
        let own = passed.of_runs(&after);
        let kept: Vec<u64> = own.runs.iter().map(|(_, stream)| stream.position()).collect();
        assert_eq!(kept, [103, 6100, 9]);
        for mut reader in [passed, own] {
            let mut read = read.clone();
            for run in &after {
                let (mut a, mut b) = (vec![0; run.len], vec![0; run.len]);
                read.xor_run(&run.key, run.position, &mut a);
                reader.xor_run(&run.key, run.position, &mut b);
                assert_eq!(a, b, "{run:?}");
            }
        }
    }

    /// The packer leaves exact pieces out, so what follows in its data need not follow in the content.
    #[test]
    fn a_stream_goes_on_only_where_its_start_ends() {
        let piece = |seed, position: u64| Piece {
            range: 0..64,
            key: PieceKey::Block(seed),
            position,
            bias: Bias::default(),
        };
        let (mut data, mut expected) = (Vec::new(), Vec::new());
        let mut reader = MaskReader::default();
        let mut masks = Masker::new(&mut reader);
        for (seed, position) in
            [(5, 0), (6, 64), (5, 64), (5, 128), (5, 0), (5, 64), (5, 192), (6, 0), (5, 64)]
        {
            let at = data.len();
            data.resize(at + 64, 0);
            expected.resize(at + 64, 0);
            masks.xor(&piece(seed, position), &mut data, at);
            let mut stream = Key::Genrand(seed).stream();
            stream.skip(position);
            stream.fill(&mut expected[at..]);
        }
        masks.finish(&mut data);
        assert_eq!(data, expected);
    }
}
