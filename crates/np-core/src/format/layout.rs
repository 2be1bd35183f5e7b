//! What a segment is made of: runs, then stretches of blocks between them, all at any byte.

use crate::block::BlockBits;
use crate::generator::Key;
use std::ops::Range;
use std::sync::Arc;

/// How a residual is told: its bias class, and whether it is the complement of what the class describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Bias {
    /// See [`crate::bias`].
    pub class: u8,
    /// The mask is complemented first.
    pub complement: bool,
}

/// A stretch of the input explained by one generator from one stream position on.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// First byte, from the segment's start.
    pub start: usize,
    /// Bytes, at least 1.
    pub len: usize,
    /// The generator's key.
    pub key: Arc<Key>,
    /// Stream byte at the run's first byte.
    pub position: u64,
    /// Its residual.
    pub bias: Bias,
}

impl Run {
    /// Bytes of the segment it covers.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }

    /// The stream byte after it.
    pub fn end_position(&self) -> u64 {
        self.position + self.len as u64
    }
}

/// A packed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The `genrand` seed.
    pub seed: u32,
    /// Stream byte at the block's first byte: 0, or more where the block goes on with the last one's stream.
    pub position: u32,
    /// Its residual.
    pub bias: Bias,
}

/// Blocks that follow each other at the grid's pitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First byte of its first block, from the segment's start.
    pub start: u32,
    /// Blocks, at least 1.
    pub count: u32,
}

/// The block layer of a segment: stretches of blocks, each within a gap between runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// N.
    pub block_bits: BlockBits,
    /// Bytes from one block's first byte to the next one's, at least a block.
    pub pitch: usize,
    /// Sorted and apart; at least one.
    pub stretches: Vec<Stretch>,
    /// For each block of [`Grid::places`], in order, how it is packed; `None` is plain.
    pub blocks: Vec<Option<Packed>>,
}

/// Plain blocks that a stretch takes in before a new one is cheaper.
const HOLE_MAX: usize = 1024;

impl Grid {
    /// The grid with these packed blocks (first byte and how), which are sorted, apart, and each in one of the
    /// `gaps`. There is at least one.
    pub fn of(
        block_bits: BlockBits,
        pitch: usize,
        gaps: &[Range<usize>],
        packed: impl IntoIterator<Item = (usize, Packed)>,
    ) -> Self {
        let mut grid = Self { block_bits, pitch, stretches: Vec::new(), blocks: Vec::new() };
        // The last block's first byte, and its gap.
        let mut last: Option<(usize, usize)> = None;
        for (at, packed) in packed {
            let gap = gaps.partition_point(|gap| gap.end <= at);
            let holes = last.filter(|(_, in_gap)| *in_gap == gap).and_then(|(last, _)| {
                let steps = (at - last) / pitch;
                ((at - last).is_multiple_of(pitch) && steps <= HOLE_MAX).then(|| steps - 1)
            });
            match (holes, grid.stretches.last_mut()) {
                (Some(holes), Some(stretch)) => {
                    stretch.count += holes as u32 + 1;
                    grid.blocks.extend(std::iter::repeat_n(None, holes));
                }
                _ => grid.stretches.push(Stretch { start: at as u32, count: 1 }),
            }
            grid.blocks.push(Some(packed));
            last = Some((at, gap));
        }
        grid
    }

    /// First bytes of the blocks.
    pub fn places(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        let pitch = self.pitch;
        self.stretches
            .iter()
            .flat_map(move |s| (0..s.count as usize).map(move |i| s.start as usize + i * pitch))
    }

    /// The packed blocks with their bytes, in order.
    pub fn packed(&self) -> impl Iterator<Item = (Range<usize>, Packed)> + Clone + '_ {
        let size = self.block_bits.bytes();
        self.places().zip(&self.blocks).filter_map(move |(at, packed)| Some((at..at + size, (*packed)?)))
    }
}

/// The stretches of a segment of `len` bytes that no run covers, in order. Runs are sorted and apart.
pub fn gaps(len: usize, runs: &[Run]) -> impl Iterator<Item = Range<usize>> + Clone + '_ {
    let starts = std::iter::once(0).chain(runs.iter().map(|r| r.start + r.len));
    let ends = runs.iter().map(|r| r.start).chain(std::iter::once(len));
    starts.zip(ends).filter(|(s, e)| s < e).map(|(s, e)| s..e)
}

/// Each gap cut into blocks from its first byte: their first bytes.
pub fn cut(
    gaps: impl Iterator<Item = Range<usize>> + Clone,
    block_bits: BlockBits,
) -> impl Iterator<Item = usize> + Clone {
    let bytes = block_bits.bytes();
    gaps.flat_map(move |gap| (0..gap.len() / bytes).map(move |i| gap.start + i * bytes))
}

/// The plain bytes: what neither runs nor packed blocks cover, in order. Neighbours are joined.
pub fn plain_ranges(len: usize, runs: &[Run], grid: Option<&Grid>) -> Vec<Range<usize>> {
    let mut packed = grid.into_iter().flat_map(Grid::packed).map(|(range, _)| range).peekable();
    let mut out = Vec::new();
    for gap in gaps(len, runs) {
        let mut plain = gap.start;
        while let Some(block) = packed.next_if(|block| block.start < gap.end) {
            if plain < block.start {
                out.push(plain..block.start);
            }
            plain = block.end;
        }
        if plain < gap.end {
            out.push(plain..gap.end);
        }
    }
    out
}
