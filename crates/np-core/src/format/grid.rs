//! The block layer of a segment: bitmap, seeds, weights (FORMAT.md, "Block grid").
//!
//! Differential seed coding, as in the proof of concept, made prefix-free by the range coder: a seed is
//! the same stream, the same seed, the last delta again, a delta, or fresh.

use super::layout::{Bias, Grid, Packed, Run, blocks};
use crate::block::BlockBits;
use crate::codec::coder::Coder;
use crate::codec::model::{Bit, Delta, Tree, UInt};
use crate::error::Error;
use crate::generator::{Generator, Seeding};
use crate::ledger::Heading;

/// How a packed block's seed is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeedKind {
    /// The last packed block's stream, further on.
    SameStream,
    /// The last packed block's seed, from its start.
    SameSeed,
    /// The last seed plus the last delta again.
    Stride,
    /// The last seed plus a delta.
    Delta,
    /// A seed of its own.
    Fresh,
}

impl SeedKind {
    const ALL: [Self; 5] = [Self::SameStream, Self::SameSeed, Self::Stride, Self::Delta, Self::Fresh];
}

/// Largest delta that is told as one: beyond it a fresh seed is cheaper.
pub const DELTA_MAX: i64 = 1 << 20;

/// What is known before a block's seed is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeedContext {
    /// The last packed block's seed.
    pub seed: u32,
    /// Its delta from the one before.
    pub delta: i64,
    /// First byte of the stream the last packed block belongs to, from the segment's start.
    pub stream_start: usize,
    /// Whether any block was packed yet.
    pub any: bool,
}

impl SeedContext {
    /// The kind that tells `packed`, at byte `at` of the segment, most cheaply.
    pub fn kind(&self, at: usize, packed: &Packed) -> SeedKind {
        let delta = i64::from(packed.seed) - i64::from(self.seed);
        if self.any && packed.position > 0 {
            debug_assert_eq!(at - self.stream_start, packed.position as usize);
            SeedKind::SameStream
        } else if !self.any {
            SeedKind::Fresh
        } else if delta == 0 {
            SeedKind::SameSeed
        } else if delta == self.delta {
            SeedKind::Stride
        } else if delta.abs() <= DELTA_MAX {
            SeedKind::Delta
        } else {
            SeedKind::Fresh
        }
    }

    /// Takes in a packed block at byte `at`.
    pub fn learn(&mut self, at: usize, packed: &Packed) {
        if packed.position == 0 {
            let delta = i64::from(packed.seed) - i64::from(self.seed);
            if self.any && delta != 0 {
                self.delta = delta;
            }
            self.seed = packed.seed;
            self.stream_start = at;
            self.any = true;
        }
    }
}

/// Models of the block layer; they start anew in each segment. Public so that the planner can price
/// with what a first pass has taught them.
#[derive(Clone, Debug)]
pub struct GridModels {
    packed: [Bit; 8],
    kind: [Tree<8>; 5],
    delta: Delta,
    fresh: UInt,
    class: Tree<64>,
    complement: Bit,
    history: usize,
    last_kind: usize,
}

impl Default for GridModels {
    fn default() -> Self {
        Self {
            packed: Default::default(),
            kind: Default::default(),
            delta: Delta::default(),
            fresh: UInt::default(),
            class: Tree::default(),
            complement: Bit::default(),
            history: 0,
            last_kind: 4,
        }
    }
}

impl GridModels {
    /// Codes whether a block is packed.
    pub fn code_packed(&mut self, coder: &mut impl Coder, packed: bool) -> bool {
        coder.book(Heading::Bitmap);
        let packed = coder.bit(&mut self.packed[self.history], packed);
        self.history = (self.history << 1 | usize::from(packed)) & 7;
        packed
    }

    /// Codes how the block at byte `at` is packed. `offset`: the segment's, for errors.
    pub fn code_block(
        &mut self,
        coder: &mut impl Coder,
        context: &mut SeedContext,
        at: usize,
        given: &Packed,
        offset: u64,
    ) -> Result<Packed, Error> {
        coder.book(Heading::Seeds);
        let kind = self.kind[self.last_kind].code(coder, context.kind(at, given) as usize);
        let Some(kind_found) = SeedKind::ALL.get(kind) else {
            return Err(Error::Damaged { offset, what: "a seed of an unknown kind" });
        };
        self.last_kind = kind;
        if !context.any && *kind_found != SeedKind::Fresh {
            return Err(Error::Damaged { offset, what: "the first seed is not fresh" });
        }
        let last = i64::from(context.seed);
        let (seed, position) = match kind_found {
            SeedKind::SameStream => (last, at - context.stream_start),
            SeedKind::SameSeed => (last, 0),
            SeedKind::Stride => (last + context.delta, 0),
            SeedKind::Delta => {
                // A reader's block is arbitrary: any non-zero delta does.
                let delta = i64::from(given.seed) - last;
                (last + self.delta.code(coder, if delta == 0 { 1 } else { delta }), 0)
            }
            SeedKind::Fresh => (self.fresh.code(coder, given.seed.into()).min(1 << 40) as i64, 0),
        };
        let seed = u32::try_from(seed)
            .map_err(|_| Error::Damaged { offset, what: "a seed is not between 0 and 2^32 - 1" })?;
        coder.book(Heading::Weights);
        let class = self.class.code(coder, given.bias.class.into()) as u8;
        let complement = coder.bit(&mut self.complement, given.bias.complement);
        let packed = Packed { seed, position: position as u32, bias: Bias { class, complement } };
        context.learn(at, &packed);
        Ok(packed)
    }
}

/// Codes the block layer of a segment of `len` bytes with these runs. A writer passes its grid, a reader
/// `None`; `overrun` tells a reader to give up.
pub fn code<C: Coder>(
    coder: &mut C,
    len: usize,
    offset: u64,
    runs: &[Run],
    given: Option<&Grid>,
    overrun: impl Fn(&C) -> bool,
) -> Result<Option<Grid>, Error> {
    coder.book(Heading::Bitmap);
    if !coder.fixed(0x8000, given.is_some()) {
        return Ok(None);
    }
    let generator = coder.direct(Generator::Mt19937.id(), 8);
    let seeding = coder.direct(Seeding::Genrand.id(), 8);
    let Generator::Mt19937 = Generator::from_id(generator)?;
    if Seeding::from_id(seeding)? != Seeding::Genrand {
        return Err(Error::Damaged { offset, what: "blocks are packed with a seeding other than genrand" });
    }
    let words = coder.direct(given.map_or(0, |g| g.block_bits.words() as u64), 11);
    let block_bits = BlockBits::new(32 * words as u32)?;
    let mut models = GridModels::default();
    let mut context = SeedContext::default();
    let blank = Packed { seed: 0, position: 0, bias: Bias::default() };
    let mut out = Vec::new();
    for (i, at) in blocks(len, runs, block_bits).enumerate() {
        let packed = given.and_then(|g| g.blocks[i]);
        out.push(if models.code_packed(coder, packed.is_some()) {
            Some(models.code_block(coder, &mut context, at, &packed.unwrap_or(blank), offset)?)
        } else {
            None
        });
        if overrun(coder) {
            return Err(Error::Damaged { offset, what: "the block table is longer than its section" });
        }
    }
    Ok(Some(Grid { block_bits, blocks: out }))
}
