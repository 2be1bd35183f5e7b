//! The block layer of a segment: bitmap, seeds, weights (FORMAT.md, "Block grid").

use super::layout::{Bias, Grid, Packed, Run, blocks};
use super::seeds::{SeedContext, SeedModels};
use crate::block::BlockBits;
use crate::codec::coder::Coder;
use crate::codec::model::{Bit, Tree};
use crate::error::Error;
use crate::generator::{Generator, Seeding};
use crate::ledger::Heading;

/// Models of the block layer; they start anew in each segment.
#[derive(Clone, Debug, Default)]
pub struct GridModels {
    packed: [Bit; 8],
    /// Which of the last three blocks were packed, the last one lowest.
    history: usize,
    seeds: SeedModels,
    class: Tree<64>,
    complement: Bit,
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
        let (seed, position) = self.seeds.code(coder, context, at, given, offset)?;
        coder.book(Heading::Weights);
        let class = self.class.code(coder, given.bias.class.into()) as u8;
        let complement = coder.bit(&mut self.complement, given.bias.complement);
        let packed = Packed { seed, position, bias: Bias { class, complement } };
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
