//! What goes on from one segment into the next: a stream, or blocks whose seeds follow each other.

use super::extend::Anchor;
use crate::bias;
use crate::block::BlockBits;
use crate::format::layout::{Bias, Grid, Packed, Run};
use crate::format::seeds::SeedContext;
use crate::generator::Key;
use std::sync::Arc;

/// A run may end so many bytes before the segment does and its stream still go on: under noise the last bytes may not
/// be worth their bits.
const STREAM_ENDS: usize = 1024;
/// Of the last so many places for blocks, [`BLOCKS_LEAST`] must be packed.
const BLOCKS_END: usize = 16;
const BLOCKS_LEAST: usize = 3;
/// Seeds that are carried on: all that the predictors look at.
const SEEDS: usize = 4;

/// What reaches the end of a segment and may go on in the next.
#[derive(Clone, Debug, PartialEq)]
pub enum Carry {
    /// A stream.
    Stream(StreamCarry),
    /// Blocks.
    Blocks(BlockCarry),
}

/// A stream that reaches the end of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamCarry {
    /// The generator's key.
    pub key: Arc<Key>,
    /// Stream byte at the next segment's first byte.
    pub position: u64,
    /// The residual's bias so far.
    pub bias: Bias,
}

/// Packed blocks up to the end of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockCarry {
    /// Byte of the next segment where the next block would begin.
    pub at: usize,
    /// Bytes from one block to the next.
    pub pitch: usize,
    /// Bits of a block.
    pub block_bits: BlockBits,
    /// The last seeds, the last one first: one to four.
    pub seeds: Vec<u32>,
}

impl Carry {
    /// What reaches the end of a segment of `len` bytes.
    pub(super) fn of(len: usize, runs: &[Run], grid: Option<&Grid>) -> Option<Self> {
        let stream = runs.last().filter(|run| len - run.range().end <= STREAM_ENDS).map(|run| StreamCarry {
            key: run.key.clone(),
            position: run.end_position() + (len - run.range().end) as u64,
            bias: run.bias,
        });
        stream.map(Self::Stream).or_else(|| BlockCarry::of(len, grid?).map(Self::Blocks))
    }
}

impl StreamCarry {
    /// The stream from a segment's first byte on, expected to have the same bias there.
    pub(super) fn anchor(&self, content: &[u8]) -> Anchor {
        let n = 4096.min(8 * content.len() as u64);
        let ones = match self.bias.class {
            class if class >= bias::FIRST_DENSE => n * u64::from(bias::p_one(class)) / 65536,
            _ => 0,
        };
        let Self { key, position, bias } = self.clone();
        Anchor { key, offset: 0, position, complement: bias.complement, bits: n, ones }
    }
}

impl BlockCarry {
    fn of(len: usize, grid: &Grid) -> Option<Self> {
        let last = grid.packed().map(|(range, _)| range.start).last()?;
        let from = len.saturating_sub(BLOCKS_END * grid.pitch);
        if grid.packed().filter(|(range, _)| range.start >= from).count() < BLOCKS_LEAST {
            return None;
        }
        let mut seeds: Vec<u32> =
            grid.packed().filter(|(_, packed)| packed.position == 0).map(|(_, packed)| packed.seed).collect();
        seeds.reverse();
        seeds.truncate(SEEDS);
        let next = last + (len - last).div_ceil(grid.pitch) * grid.pitch;
        Some(Self { at: next - len, pitch: grid.pitch, block_bits: grid.block_bits, seeds })
    }

    /// The predictors as they are after the last seeds.
    pub(super) fn context(&self) -> SeedContext {
        let mut context = SeedContext::default();
        for seed in self.seeds.iter().rev() {
            context.learn(0, &Packed { seed: *seed, position: 0, bias: Bias::default() });
        }
        context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(packed: impl IntoIterator<Item = usize>) -> Grid {
        let packed = packed.into_iter().map(|i| {
            let packed = Packed { seed: 7 * i as u32, position: 0, bias: Bias::default() };
            (5 + 100 * i, packed)
        });
        Grid::of(BlockBits::default(), 100, std::slice::from_ref(&(0..10_000)), packed)
    }

    #[test]
    fn blocks_go_on_in_step_with_their_seeds() {
        let expected = |at, seeds: [u32; 4]| {
            let seeds = seeds.to_vec();
            Some(Carry::Blocks(BlockCarry { at, pitch: 100, block_bits: BlockBits::default(), seeds }))
        };
        // The last block is at 9,905.
        let grid = blocks(0..100);
        for (len, at) in [(9_970, 35), (10_000, 5), (10_004, 1), (10_005, 0), (10_006, 99)] {
            assert_eq!(Carry::of(len, &[], Some(&grid)), expected(at, [693, 686, 679, 672]), "{len}");
        }
        let grid = blocks((0..90).chain([97]));
        assert_eq!(Carry::of(10_000, &[], Some(&grid)), expected(5, [679, 623, 616, 609]));
    }

    #[test]
    fn few_blocks_or_far_ones_do_not_go_on() {
        for grid in [blocks(0..84), blocks([10, 98, 99]), blocks([])] {
            assert_eq!(Carry::of(10_000, &[], Some(&grid)), None);
        }
        assert_eq!(Carry::of(10_000, &[], None), None);
    }

    #[test]
    fn a_stream_goes_on_though_its_last_bytes_do_not_pay() {
        let key = Arc::new(Key::Genrand(3));
        let bias = Bias { class: 0, complement: true };
        let run = |len| Run { start: 10, len, key: key.clone(), position: 500, bias };
        for len in [4990, 4989, 3966] {
            let carry = Carry::of(5000, &[run(len)], None);
            assert_eq!(carry, Some(Carry::Stream(StreamCarry { key: key.clone(), position: 5490, bias })));
        }
        assert_eq!(Carry::of(5000, &[run(3965)], None), None);
    }
}
