//! What a segment is made of: runs at any byte, then blocks on a grid over the bytes no run covers.

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

/// The block layer of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// N.
    pub block_bits: BlockBits,
    /// For each block of [`blocks`], in order, how it is packed; `None` is plain.
    pub blocks: Vec<Option<Packed>>,
}

/// The stretches of a segment of `len` bytes that no run covers, in order. Runs are sorted and apart.
pub fn gaps(len: usize, runs: &[Run]) -> impl Iterator<Item = Range<usize>> + Clone + '_ {
    let starts = std::iter::once(0).chain(runs.iter().map(|r| r.start + r.len));
    let ends = runs.iter().map(|r| r.start).chain(std::iter::once(len));
    starts.zip(ends).filter(|(s, e)| s < e).map(|(s, e)| s..e)
}

/// First bytes of the grid's blocks: each gap has its own grid from its first byte; what is left at its
/// end, shorter than a block, is plain.
pub fn blocks(len: usize, runs: &[Run], block_bits: BlockBits) -> impl Iterator<Item = usize> + Clone + '_ {
    let bytes = block_bits.bytes();
    gaps(len, runs).flat_map(move |gap| (0..gap.len() / bytes).map(move |i| gap.start + i * bytes))
}

/// The plain stretches: what neither runs nor packed blocks cover. Neighbours are joined.
pub fn plain_ranges(len: usize, runs: &[Run], grid: Option<&Grid>) -> Vec<Range<usize>> {
    let (size, mut blocks) = match grid {
        Some(grid) => (grid.block_bits.bytes(), grid.blocks.iter()),
        None => (usize::MAX, [].iter()),
    };
    let mut out = Vec::new();
    for gap in gaps(len, runs) {
        let mut plain = gap.start;
        let mut at = gap.start;
        for packed in blocks.by_ref().take(gap.len() / size) {
            if packed.is_some() {
                if plain < at {
                    out.push(plain..at);
                }
                plain = at + size;
            }
            at += size;
        }
        if plain < gap.end {
            out.push(plain..gap.end);
        }
    }
    out
}
