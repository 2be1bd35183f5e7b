//! The block layer of a segment: stretches, bitmap, seeds, weights (FORMAT.md, "Block grid").

use super::layout::{Bias, Grid, Packed, Run, Stretch, gaps};
use super::seeds::{SeedContext, SeedKind, SeedModels};
use crate::block::BlockBits;
use crate::codec::coder::Coder;
use crate::codec::model::{Bit, Tree, UInt};
use crate::error::Error;
use crate::generator::{Generator, Seeding};
use crate::ledger::Heading;

/// Models of the block layer; they start anew in each segment.
#[derive(Clone, Debug, Default)]
struct GridModels {
    packed: [Bit; 8],
    /// Which of the last three blocks were packed, the last one lowest.
    history: usize,
    seeds: SeedModels,
    context: SeedContext,
    class: Tree<64>,
    complement: Bit,
    repeats: UInt,
    /// How the last block was told, and how many blocks up to it, none plain, were told that way one by one.
    alike: Option<(Way, usize)>,
}

/// How a packed block is told: the kind of its seed, and its bias.
type Way = (SeedKind, Bias);

/// So many blocks alike in a row, and it is told how many more there are.
const ALIKE: usize = 2;

impl GridModels {
    /// Codes a block, at byte `at` of the segment, by itself.
    fn code_block(
        &mut self,
        coder: &mut impl Coder,
        at: usize,
        given: Option<&Packed>,
        offset: u64,
    ) -> Result<Option<Packed>, Error> {
        coder.book(Heading::Bitmap);
        let packed = coder.bit(&mut self.packed[self.history], given.is_some());
        self.history = (self.history << 1 | usize::from(packed)) & 7;
        if !packed {
            self.alike = None;
            return Ok(None);
        }
        let blank = Packed { seed: 0, position: 0, bias: Bias::default() };
        let given = given.unwrap_or(&blank);
        coder.book(Heading::Seeds);
        let (kind, seed, position) = self.seeds.code(coder, &self.context, at, given, offset)?;
        coder.book(Heading::Weights);
        let class = self.class.code(coder, given.bias.class.into()) as u8;
        let complement = coder.bit(&mut self.complement, given.bias.complement);
        let bias = Bias { class, complement };
        let packed = Packed { seed, position, bias };
        self.context.learn(at, &packed);
        let way = (kind, bias);
        self.alike = Some((way, self.alike.filter(|(last, _)| *last == way).map_or(1, |(_, n)| n + 1)));
        Ok(Some(packed))
    }

    /// The way of the next blocks, if it is now told how many blocks share it.
    fn settled(&mut self) -> Option<Way> {
        self.alike.take_if(|(_, count)| *count == ALIKE).map(|(way, _)| way)
    }

    /// How many of the next blocks, at the bytes `ats`, are packed in this way.
    fn repeats(&self, way: Way, ats: impl Iterator<Item = usize>, next: &[Option<Packed>]) -> usize {
        let mut context = self.context;
        let same = |(at, packed): &(usize, &Option<Packed>)| match packed {
            Some(packed) if (context.kind(*at, packed), packed.bias) == way => {
                context.learn(*at, packed);
                true
            }
            _ => false,
        };
        ats.zip(next).take_while(same).count()
    }
}

/// Codes the blocks at the bytes `ats`, `count` of them. A writer passes how they are packed, a reader `None`;
/// `overrun` tells a reader to give up. They go to `out`, whatever was in it.
fn code_blocks<C: Coder>(
    coder: &mut C,
    mut ats: impl Iterator<Item = usize> + Clone,
    count: usize,
    given: Option<&[Option<Packed>]>,
    mut out: Vec<Option<Packed>>,
    offset: u64,
    overrun: impl Fn(&C) -> bool,
) -> Result<Vec<Option<Packed>>, Error> {
    let damaged = |what| Error::Damaged { offset, what };
    let mut models = GridModels::default();
    out.clear();
    while let Some(at) = ats.next() {
        let packed = given.and_then(|blocks| blocks[out.len()].as_ref());
        out.push(models.code_block(coder, at, packed, offset)?);
        if let Some(way) = models.settled() {
            coder.book(Heading::Bitmap);
            let repeats = given.map_or(0, |blocks| models.repeats(way, ats.clone(), &blocks[out.len()..]));
            let repeats = models.repeats.code(coder, repeats as u64);
            if repeats > (count - out.len()) as u64 {
                return Err(damaged("more blocks are alike than there are"));
            }
            let (kind, bias) = way;
            coder.book(Heading::Seeds);
            for at in ats.by_ref().take(repeats as usize) {
                let given = given.and_then(|blocks| blocks[out.len()]).unwrap_or(Packed {
                    seed: 0,
                    position: 0,
                    bias,
                });
                let (seed, position) =
                    models.seeds.code_as(coder, kind, &models.context, at, &given, offset)?;
                let packed = Packed { seed, position, bias };
                models.context.learn(at, &packed);
                models.history = (models.history << 1 | 1) & 7;
                out.push(Some(packed));
            }
        }
        if overrun(coder) {
            return Err(damaged("the block table is longer than its section"));
        }
    }
    Ok(out)
}

/// Codes the pitch and the stretches.
fn code_stretches<C: Coder>(
    coder: &mut C,
    len: usize,
    offset: u64,
    runs: &[Run],
    size: usize,
    given: Option<(usize, &[Stretch])>,
    overrun: impl Fn(&C) -> bool,
) -> Result<(usize, Vec<Stretch>), Error> {
    let damaged = |what| Error::Damaged { offset, what };
    let mut numbers = UInt::default();
    let pitch = numbers.code(coder, given.map_or(0, |(pitch, _)| (pitch - size) as u64));
    let count = numbers.code(coder, given.map_or(0, |(_, stretches)| stretches.len() as u64 - 1));
    let len = len as u64;
    if pitch > len || count >= len / size as u64 {
        return Err(damaged("its blocks have no room"));
    }
    let pitch = size as u64 + pitch;
    let mut gaps = gaps(len as usize, runs).map(|gap| gap.start as u64..gap.end as u64);
    let mut gap = 0..0;
    let mut at = 0;
    let mut out = Vec::new();
    for i in 0..=count as usize {
        let given = given.map(|(_, stretches)| stretches[i]);
        let mut skip = match given {
            None => numbers.code(coder, 0),
            Some(stretch) => {
                let start = u64::from(stretch.start);
                let ahead = gaps.clone().take_while(|gap| gap.start <= start);
                let passed: u64 = ahead.map(|gap| gap.end.min(start) - gap.start).sum();
                numbers.code(coder, gap.end.min(start) - at + passed)
            }
        };
        while skip >= gap.end - at {
            skip -= gap.end - at;
            gap = gaps.next().ok_or_else(|| damaged("blocks begin past its end"))?;
            at = gap.start;
        }
        at += skip;
        let blocks = numbers.code(coder, given.map_or(0, |stretch| u64::from(stretch.count) - 1));
        let room = gap.end - at;
        if size as u64 > room || blocks > (room - size as u64) / pitch {
            return Err(damaged("a stretch of blocks reaches into a run or past its end"));
        }
        out.push(Stretch { start: at as u32, count: blocks as u32 + 1 });
        at += blocks * pitch + size as u64;
        if overrun(coder) {
            return Err(damaged("the table of stretches is longer than its section"));
        }
    }
    Ok((pitch as usize, out))
}

/// Codes the block layer of a segment of `len` bytes with these runs. A writer passes its grid, a reader
/// `None`; `overrun` tells a reader to give up. `room` is a buffer for the blocks.
pub fn code<C: Coder>(
    coder: &mut C,
    len: usize,
    offset: u64,
    runs: &[Run],
    given: Option<&Grid>,
    room: Vec<Option<Packed>>,
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
    let told = given.map(|grid| (grid.pitch, &grid.stretches[..]));
    let (pitch, stretches) = code_stretches(coder, len, offset, runs, block_bits.bytes(), told, &overrun)?;
    let mut grid = Grid { block_bits, pitch, stretches, blocks: Vec::new() };
    let count = grid.stretches.iter().map(|s| s.count as usize).sum();
    let told = given.map(|g| &g.blocks[..]);
    grid.blocks = code_blocks(coder, grid.places(), count, told, room, offset, overrun)?;
    Ok(Some(grid))
}
