//! Arbitrary inputs for the targets: contents that look like what the packer looks for, options, segments, and
//! what can be done to a packed file.

use arbitrary::Arbitrary;
use np_core::block::BlockBits;
use np_core::format::layout::{Bias, Run};
use np_core::generator::Key;
use np_core::pack::{Effort, Options};
use np_tests::apart::{Part, RunFields, run_table};
use np_tests::craft::Segment;
use np_tests::inputs::{flip, noise, records, stream, text};
use std::sync::Arc;

/// A key of any seeding.
#[derive(Arbitrary, Clone, Debug)]
pub enum AnyKey {
    /// Few seeds, so that keys come again.
    Small(u8),
    /// Any seed.
    Genrand(u32),
    /// One word more than the list.
    Array(u32, Vec<u32>),
    /// A state made from a seed.
    State(u32),
}

impl AnyKey {
    /// As np-core knows it.
    pub fn key(&self) -> Key {
        match self {
            Self::Small(seed) => Key::Genrand((*seed).into()),
            Self::Genrand(seed) => Key::Genrand(*seed),
            Self::Array(first, rest) => {
                let words = std::iter::once(*first).chain(rest.iter().copied());
                Key::ByArray(words.take(Key::MAX_ARRAY).collect())
            }
            Self::State(seed) => {
                Key::State(Box::new(std::array::from_fn(|i| seed.wrapping_mul(2 * i as u32 + 1))))
            }
        }
    }
}

/// A stretch of an input.
#[derive(Arbitrary, Clone, Debug)]
pub enum Stretch {
    /// As they are.
    Bytes(Vec<u8>),
    /// The same byte over and over.
    Fill(u8, u16),
    /// Prose.
    Text(u8),
    /// What nothing explains.
    Noise(u16),
    /// A key's stream from a position on: key, position, bytes, flipped bits in a thousand, complemented.
    Stream(AnyKey, u16, u16, u8, bool),
    /// Starts of streams: first seed, stride, how many, log2 of their bytes, flipped bits in a thousand.
    Records(u32, i8, u8, u8, u8),
    /// Records of any length behind noise, of seeds in reach: first seed, stride, how many, bytes of noise, bytes.
    Spaced(u8, i8, u8, u8, u8),
}

/// Below what a noisy stream of unknown start is decoded from: that takes seconds with a sanitizer.
pub const SMALL: usize = 4_900;
/// Enough for everything.
pub const LARGE: usize = 8_000;

impl Stretch {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Fill(byte, len) => vec![*byte; usize::from(*len)],
            Self::Text(len) => text((*len).into()),
            Self::Noise(len) => noise(usize::from(len % 8192), u64::from(*len)),
            Self::Stream(key, position, len, per_mille, complement) => {
                let mut bytes = stream(&key.key(), (*position).into(), usize::from(len % 8192));
                flip(&mut bytes, u64::from(*per_mille), u64::from(*position));
                if *complement {
                    bytes.iter_mut().for_each(|b| *b = !*b);
                }
                bytes
            }
            Self::Records(first, stride, count, log, per_mille) => {
                let seeds =
                    (0..i64::from(*count)).map(|i| first.wrapping_add((i * i64::from(*stride)) as u32));
                let mut bytes = records(seeds, 16 << (log % 5));
                flip(&mut bytes, u64::from(*per_mille), u64::from(*first));
                bytes
            }
            Self::Spaced(first, stride, count, header, len) => {
                let mut bytes = Vec::new();
                for i in 0..i32::from(*count) {
                    let seed = (i32::from(*first) + i * i32::from(*stride)) as u32;
                    bytes.extend(noise((*header).into(), seed.into()));
                    bytes.extend(records([seed], usize::from(*len) + 16));
                }
                bytes
            }
        }
    }
}

/// An input of these stretches, cut to `most` bytes.
pub fn input(stretches: &[Stretch], most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for stretch in stretches {
        bytes.extend(stretch.bytes());
        bytes.truncate(most);
    }
    bytes
}

/// Options whose budgets keep the oracle quick.
#[derive(Arbitrary, Clone, Debug)]
pub struct AnyOptions {
    level: u8,
    block_words: u8,
    segment: u16,
    start_seeds: u8,
    join_seeds: u8,
    pairs: u16,
    radius: u8,
}

impl AnyOptions {
    /// Most bytes of the input: seldom as many as all parts of the search want.
    pub fn most(&self) -> usize {
        if self.level == 255 { LARGE } else { SMALL }
    }

    /// As np-core knows them.
    pub fn options(&self) -> Options {
        let words = 4 + u32::from(self.block_words) % 64;
        let effort = Effort {
            zstd_level: 1 + i32::from(self.level % 3),
            starts: 1 + usize::from(self.level % 4),
            solve_budget: 1 << (4 + self.level % 6),
            start_seeds: u64::from(self.start_seeds % 64),
            start_words: if self.level.is_multiple_of(2) { 64 } else { 227 },
            join_seeds: u64::from(self.join_seeds),
            join_offsets: 1 << (self.start_seeds % 12),
            score_pairs: u64::from(self.pairs % 8192),
            radius: u32::from(self.radius % 32),
            ..Effort::level(1)
        };
        let segment_bytes = match self.segment {
            0..1024 => 1 << 25,
            n => usize::from(n) / 2,
        };
        let block_bits = BlockBits::new(32 * words).expect("4 to 67 words");
        Options { effort, block_bits, fixed_blocks: self.radius.is_multiple_of(2), segment_bytes }
    }
}

/// A segment to be written without a search.
#[derive(Arbitrary, Clone, Debug)]
pub struct AnySegment {
    stretches: Vec<AnyPiece>,
    grid: Option<(u8, Vec<u32>, u8)>,
}

#[derive(Arbitrary, Clone, Debug)]
enum AnyPiece {
    Plain(u8),
    Zeros(u8),
    Run(AnyKey, u16, u16, u8),
    Blocks(u8, u32, u8, u8),
}

impl AnySegment {
    /// As `craft` writes it.
    pub fn segment(&self) -> Segment {
        let mut segment = Segment::default().plain(b"x");
        for piece in self.stretches.iter().take(12) {
            segment = match piece {
                AnyPiece::Plain(len) => segment.plain(&noise(usize::from(*len), 5)),
                AnyPiece::Zeros(len) => segment.plain(&vec![0; (*len).into()]),
                AnyPiece::Run(key, position, len, per_mille) => {
                    let len = 1 + usize::from(len % 4096);
                    segment.run(&key.key(), (*position).into(), len, u64::from(*per_mille) * 2)
                }
                AnyPiece::Blocks(words, first, stride, count) => {
                    let seeds =
                        (0..u32::from(count % 32)).map(|i| first.wrapping_add(i * u32::from(*stride)));
                    segment.plain(&records(seeds, 4 * (4 + usize::from(words % 28))))
                }
            };
        }
        match &self.grid {
            None => segment,
            Some((words, seeds, stride)) => {
                let mut seeds: Vec<u32> = seeds.iter().take(16).copied().collect();
                seeds.extend(self.stretches.iter().take(12).flat_map(|piece| match piece {
                    AnyPiece::Blocks(_, first, step, count) => {
                        (0..u32::from(count % 32)).map(|i| first.wrapping_add(i * u32::from(*step))).collect()
                    }
                    _ => vec![u32::from(*stride)],
                }));
                segment.grid(32 * (4 + u32::from(words % 28)), &seeds)
            }
        }
    }
}

/// A run table written field by field.
#[derive(Arbitrary, Clone, Debug)]
pub struct AnyRunTable {
    runs: Vec<AnyRun>,
    count: Option<u32>,
}

#[derive(Arbitrary, Clone, Debug)]
struct AnyRun {
    gap: u16,
    wide: Option<u64>,
    length: u16,
    key: Option<AnyKey>,
    distance: u16,
    kind: u8,
    position: u64,
    shift: u8,
    class: u8,
    complement: bool,
}

impl AnyRunTable {
    /// The side section.
    pub fn section(&self) -> Vec<u8> {
        let fields = self.runs.iter().take(200).map(|run| RunFields {
            gap: run.wide.unwrap_or(u64::from(run.gap % 64)),
            length: u64::from(run.length % 512),
            key: match &run.key {
                Some(key) => Ok(key.key()),
                None => Err(u64::from(run.distance % 16)),
            },
            kind: run.kind,
            position: run.position >> (run.shift % 64),
            class: run.class,
            complement: run.complement,
        });
        run_table(self.count.map_or(self.runs.len().min(200) as u64, u64::from), fields)
    }

    /// The runs in order and apart, as a writer gives them, in a segment of the length returned.
    pub fn runs(&self) -> (Vec<Run>, usize) {
        let mut at = 0;
        let mut runs = Vec::new();
        for run in self.runs.iter().take(200) {
            let start = at + usize::from(run.gap);
            let len = 1 + usize::from(run.length);
            let key = Arc::new(run.key.as_ref().map_or(Key::Genrand(run.distance.into()), AnyKey::key));
            let bias = Bias { class: run.class % 64, complement: run.complement };
            runs.push(Run { start, len, key, position: run.position >> (run.shift % 64), bias });
            at = start + len;
        }
        (runs, at + usize::from(self.count.is_some()))
    }
}

/// Something done to a packed file that was taken apart. Segments and sections are counted modulo what there is.
#[derive(Arbitrary, Clone, Debug)]
pub enum Edit {
    /// A byte of a section: segment, section, place, XOR.
    Byte(u8, u8, u16, u8),
    /// A section cut short or made longer, its claim with it: segment, section, place, bytes.
    Splice(u8, u8, u16, Vec<u8>),
    /// A section's claim alone.
    Claim(u8, u8, i16),
    /// The length of the content.
    Length(u8, i32),
    /// Head and flags.
    Head(u8, u8, u8),
    /// Two segments change places.
    Swap(u8, u8),
    /// A section goes where another is: segment, section, segment, section.
    Exchange(u8, u8, u8, u8),
    /// A segment comes twice.
    Twice(u8),
    /// A segment goes.
    Drop(u8),
    /// A side section is replaced by a run table written by hand.
    Table(u8, AnyRunTable),
}

/// Does `edit` to a file taken apart.
pub fn edit(parts: &mut Vec<Part>, edit: &Edit) {
    let Some(count) = parts.len().checked_sub(1).map(|n| n + 1) else { return };
    let segment = |index: &u8| usize::from(*index) % count;
    let section = |parts: &[Part], at: usize, index: &u8| match parts[at].sections.len() {
        0 => None,
        n => Some(usize::from(*index) % n),
    };
    match edit {
        Edit::Byte(at, which, place, xor) => {
            let at = segment(at);
            let Some(which) = section(parts, at, which) else { return };
            let bytes = &mut parts[at].sections[which];
            if !bytes.is_empty() {
                let place = usize::from(*place) % bytes.len();
                bytes[place] ^= xor;
            }
        }
        Edit::Splice(at, which, place, new) => {
            let at = segment(at);
            let Some(which) = section(parts, at, which) else { return };
            let bytes = &mut parts[at].sections[which];
            let place = usize::from(*place) % (bytes.len() + 1);
            bytes.truncate(place);
            bytes.extend(new);
            let len = bytes.len() as u64;
            match parts[at].lengths.get_mut(which) {
                Some(claim) => *claim = len,
                None => parts[at].len = len,
            }
        }
        Edit::Claim(at, which, by) => {
            let at = segment(at);
            let Some(which) = section(parts, at, which) else { return };
            if let Some(claim) = parts[at].lengths.get_mut(which) {
                *claim = claim.saturating_add_signed((*by).into()) & 0xffff_ffff;
            }
        }
        Edit::Length(at, by) => {
            let len = &mut parts[segment(at)].len;
            *len = len.saturating_add_signed((*by).into()) & 0xffff_ffff;
        }
        Edit::Head(at, head, flags) => {
            let at = segment(at);
            parts[at].head ^= head;
            parts[at].flags ^= flags;
        }
        Edit::Swap(a, b) => parts.swap(segment(a), segment(b)),
        Edit::Exchange(a, i, b, j) => {
            let (a, b) = (segment(a), segment(b));
            let (Some(i), Some(j)) = (section(parts, a, i), section(parts, b, j)) else { return };
            let bytes = parts[a].sections[i].clone();
            parts[a].sections[i] = std::mem::replace(&mut parts[b].sections[j], bytes);
            for (at, which) in [(a, i), (b, j)] {
                let len = parts[at].sections[which].len() as u64;
                if let Some(claim) = parts[at].lengths.get_mut(which) {
                    *claim = len;
                }
            }
        }
        Edit::Twice(at) => {
            let part = parts[segment(at)].clone();
            parts.insert(segment(at), part);
        }
        Edit::Drop(at) => {
            parts.remove(segment(at));
        }
        Edit::Table(at, table) => {
            let part = &mut parts[segment(at)];
            if let (Some(claim), 3) = (part.lengths.first_mut(), part.sections.len()) {
                part.sections[0] = table.section();
                *claim = part.sections[0].len() as u64;
            }
        }
    }
}
