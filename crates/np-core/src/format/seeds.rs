//! How a packed block's seed is told: by the first expert that predicts it, by a delta, or fresh
//! (FORMAT.md, "Seeds").
//!
//! Differential seed coding, as in the proof of concept, made prefix-free and learned: each expert in turn
//! is asked whether it is right, and what the answer costs is mixed from how often it was right lately,
//! after what, and after which kinds.

use super::layout::Packed;
use crate::codec::coder::Coder;
use crate::codec::mix::{Mixer, Stretch};
use crate::codec::model::{Bit, Delta, UInt};
use crate::error::Error;

/// How a seed is told, in the order the experts are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeedKind {
    /// The last packed block's stream, further on.
    SameStream,
    /// The last seed, from its start.
    SameSeed,
    /// The last seed plus the last delta.
    Stride,
    /// The last seed plus the last delta plus the last change of delta.
    SecondDifference,
    /// The seed before the last plus its distance from the second before it: two counters taking turns.
    AlternateStride,
    /// The seed before the last.
    AlternateSeed,
    /// The last seed plus a delta.
    Delta,
    /// The seed before the last plus a delta.
    AlternateDelta,
    /// A seed of its own.
    Fresh,
}

/// Number of kinds.
pub const KINDS: usize = 9;

impl SeedKind {
    /// All kinds, in order.
    pub const ALL: [Self; KINDS] = [
        Self::SameStream,
        Self::SameSeed,
        Self::Stride,
        Self::SecondDifference,
        Self::AlternateStride,
        Self::AlternateSeed,
        Self::Delta,
        Self::AlternateDelta,
        Self::Fresh,
    ];
}

/// Largest delta that is told as one: beyond it a fresh seed is cheaper.
pub const DELTA_MAX: i64 = 1 << 20;

/// What is known before a block's seed is told: the seeds of the last blocks that began a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeedContext {
    /// The last seed first.
    seeds: [u32; 4],
    /// How many of them there are.
    count: usize,
    /// First byte of the last packed block's stream, from the segment's start.
    stream_start: usize,
}

impl SeedContext {
    /// The seed the expert `kind` predicts, if it has one.
    pub fn prediction(&self, kind: SeedKind) -> Option<u32> {
        let [s1, s2, s3, s4] = self.seeds.map(i64::from);
        let (needs, value) = match kind {
            SeedKind::SameSeed => (1, s1),
            SeedKind::Stride => (2, 2 * s1 - s2),
            SeedKind::SecondDifference => (3, 3 * s1 - 3 * s2 + s3),
            SeedKind::AlternateStride => (4, 2 * s2 - s4),
            SeedKind::AlternateSeed => (2, s2),
            _ => return None,
        };
        if self.count < needs { None } else { u32::try_from(value).ok() }
    }

    /// The seeds predicted, most trusted first, each once.
    pub fn predictions(&self) -> impl Iterator<Item = u32> + '_ {
        let all = SeedKind::ALL.map(|kind| self.prediction(kind));
        (0..KINDS).filter_map(move |i| all[i].filter(|p| !all[..i].contains(&Some(*p))))
    }

    /// The last seed, if there is one.
    pub fn last(&self) -> Option<u32> {
        (self.count > 0).then_some(self.seeds[0])
    }

    /// Whether the block at byte `at` with this seed and stream position goes on with the last stream.
    pub fn goes_on(&self, at: usize, seed: u32, position: u32) -> bool {
        self.count > 0 && position > 0 && seed == self.seeds[0] && at - self.stream_start == position as usize
    }

    /// The kind that tells `packed`, at byte `at` of the segment.
    pub fn kind(&self, at: usize, packed: &Packed) -> SeedKind {
        if self.goes_on(at, packed.seed, packed.position) {
            return SeedKind::SameStream;
        }
        debug_assert_eq!(packed.position, 0, "a block goes on with a stream that is not the last one");
        if let Some(kind) = SeedKind::ALL.into_iter().find(|k| self.prediction(*k) == Some(packed.seed)) {
            return kind;
        }
        let distance = |i: usize| match self.count > i {
            true => (i64::from(packed.seed) - i64::from(self.seeds[i])).abs(),
            false => i64::MAX,
        };
        match (distance(0), distance(1)) {
            (last, before) if last.min(before) > DELTA_MAX => SeedKind::Fresh,
            // Two centres of the same distance would only blur each other's statistics.
            (last, before) if last / 16 <= before => SeedKind::Delta,
            _ => SeedKind::AlternateDelta,
        }
    }

    /// The delta that tells `seed` as `kind`.
    pub fn delta(&self, kind: SeedKind, seed: u32) -> i64 {
        i64::from(seed) - i64::from(self.seeds[usize::from(kind == SeedKind::AlternateDelta)])
    }

    /// Takes in a packed block at byte `at`.
    pub fn learn(&mut self, at: usize, packed: &Packed) {
        if packed.position == 0 {
            self.seeds = [packed.seed, self.seeds[0], self.seeds[1], self.seeds[2]];
            self.count = (self.count + 1).min(4);
            self.stream_start = at;
        }
    }
}

/// What the answers to one expert's question are learned in.
#[derive(Clone, Debug, Default)]
struct Expert {
    by_last: [Bit; KINDS],
    by_record: [Bit; 8],
    by_both: [[Bit; KINDS]; KINDS],
    mixer: Mixer,
    /// Whether it was right, for the last three blocks, the last one lowest.
    record: usize,
}

/// Models of seeds; they start anew in each segment.
#[derive(Clone, Debug)]
pub struct SeedModels {
    experts: [Expert; KINDS - 1],
    stretch: Stretch,
    deltas: [Delta; 2],
    fresh: UInt,
    last: usize,
    before: usize,
}

impl Default for SeedModels {
    fn default() -> Self {
        Self {
            experts: Default::default(),
            stretch: Stretch::default(),
            deltas: Default::default(),
            fresh: UInt::default(),
            last: SeedKind::Fresh as usize,
            before: SeedKind::Fresh as usize,
        }
    }
}

impl SeedModels {
    /// Codes the kind, the seed and the stream position of the block at byte `at`; a reader passes any block.
    /// `offset`: the segment's, for errors.
    pub fn code(
        &mut self,
        coder: &mut impl Coder,
        context: &SeedContext,
        at: usize,
        given: &Packed,
        offset: u64,
    ) -> Result<(SeedKind, u32, u32), Error> {
        let wanted = context.kind(at, given);
        let mut kind = SeedKind::Fresh;
        for expert in SeedKind::ALL.into_iter().take(KINDS - 1) {
            if self.can_answer(context, expert) && self.ask(coder, expert, wanted == expert) {
                kind = expert;
                break;
            }
        }
        let (seed, position) = self.code_as(coder, kind, context, at, given, offset)?;
        // Every expert that was asked for an opinion is judged, also those behind the one that answered.
        for expert in SeedKind::ALL.into_iter().take(KINDS - 1) {
            let right = match context.prediction(expert) {
                Some(predicted) => predicted == seed && position == 0,
                None => expert == kind,
            };
            let record = &mut self.experts[expert as usize].record;
            *record = (*record << 1 | usize::from(right)) & 7;
        }
        (self.before, self.last) = (self.last, kind as usize);
        Ok((kind, seed, position))
    }

    /// Codes the seed and the stream position of the block at byte `at`, which is known to be told as `kind`.
    pub fn code_as(
        &mut self,
        coder: &mut impl Coder,
        kind: SeedKind,
        context: &SeedContext,
        at: usize,
        given: &Packed,
        offset: u64,
    ) -> Result<(u32, u32), Error> {
        let damaged = |what| Error::Damaged { offset, what };
        let seed = match kind {
            SeedKind::SameStream => return Ok((context.seeds[0], (at - context.stream_start) as u32)),
            SeedKind::Delta | SeedKind::AlternateDelta => {
                let alternate = usize::from(kind == SeedKind::AlternateDelta);
                // A reader's block is arbitrary: any non-zero delta does.
                let given = Some(context.delta(kind, given.seed)).filter(|d| *d != 0).unwrap_or(1);
                let delta = self.deltas[alternate].code(coder, given);
                i64::from(context.seeds[alternate]).saturating_add(delta)
            }
            SeedKind::Fresh => self.fresh.code(coder, given.seed.into()).min(1 << 40) as i64,
            predicted => context
                .prediction(predicted)
                .ok_or_else(|| damaged("a block repeats a prediction that does not exist"))?
                .into(),
        };
        let seed = u32::try_from(seed).map_err(|_| damaged("a seed is not between 0 and 2^32 - 1"))?;
        Ok((seed, 0))
    }

    /// Whether `expert` has something to say that no expert before it has said.
    fn can_answer(&self, context: &SeedContext, expert: SeedKind) -> bool {
        match expert {
            SeedKind::SameStream | SeedKind::Delta => context.count > 0,
            SeedKind::AlternateDelta => context.count > 1,
            SeedKind::Fresh => true,
            _ => {
                let prediction = context.prediction(expert);
                let earlier = SeedKind::ALL.into_iter().take(expert as usize);
                prediction.is_some() && earlier.into_iter().all(|e| context.prediction(e) != prediction)
            }
        }
    }

    fn ask(&mut self, coder: &mut impl Coder, expert: SeedKind, right: bool) -> bool {
        let Expert { by_last, by_record, by_both, mixer, record } = &mut self.experts[expert as usize];
        let inputs = [&mut by_last[self.last], &mut by_record[*record], &mut by_both[self.last][self.before]];
        mixer.code(coder, &self.stretch, inputs, right)
    }
}
