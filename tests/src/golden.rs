//! The golden files of this version: what must be read for ever, and what must be refused for ever, and why.
//!
//! `cargo xtask golden` writes them to tests/golden/; the tests read what lies there.

use crate::apart::{Part, RunFields, apart, run_table, together};
use crate::craft::{self, Segment};
use crate::inputs::{flip, mixed_tar, noise, records, stream, text};
use crate::properties::{pack, repair};
use np_core::Error;
use np_core::block::BlockBits;
use np_core::codec::coder::{Coder, RangeEncoder};
use np_core::codec::model::{Bit, Tree, UInt};
use np_core::format::SEGMENT_MAX;
use np_core::format::reader::{HEADER, ReadError};
use np_core::generator::Key;
use np_core::pack::Options;
use np_core::scalar::ScalarMiner;

/// A file that decodes.
pub struct Good {
    /// File name, without `.np`.
    pub name: &'static str,
    /// The packed file.
    pub packed: Vec<u8>,
    /// What it decodes to.
    pub content: Vec<u8>,
}

/// A file that is refused.
pub struct Bad {
    /// File name, without `.np`.
    pub name: &'static str,
    /// The packed file.
    pub packed: Vec<u8>,
    /// The error's name (see [`name`]).
    pub error: &'static str,
}

/// An error's name: its variant, and which field or contradiction it tells of.
pub fn name(error: &ReadError) -> String {
    let ReadError::Format(error) = error else { return "Io".to_owned() };
    let debug = format!("{error:?}");
    let variant = debug.split([' ', '{']).next().unwrap_or_default();
    match error {
        Error::UnknownFlag { what, .. }
        | Error::Truncated { what, .. }
        | Error::TrailingData { what, .. }
        | Error::OutOfRange { what, .. }
        | Error::Damaged { what, .. } => format!("{variant}: {what}"),
        Error::OverLimit { option, .. } => format!("{variant}: {option}"),
        _ => variant.to_owned(),
    }
}

fn crafted(name: &'static str, segments: &[Segment]) -> Good {
    Good { name, packed: craft::file(segments), content: craft::content(segments) }
}

fn packed(name: &'static str, content: Vec<u8>, block_bits: u32, segment_bytes: usize) -> Good {
    let block_bits = BlockBits::new(block_bits).expect("block bits");
    let mut options = Options { block_bits, fixed_blocks: true, segment_bytes, ..Options::level(1) };
    options.effort.join_seeds = 1 << 12;
    Good { name, packed: pack(&content, &options, &ScalarMiner), content }
}

fn flipped(mut bytes: Vec<u8>, per_mille: u64) -> Vec<u8> {
    flip(&mut bytes, per_mille, 3);
    bytes
}

/// The good ones.
pub fn good() -> Vec<Good> {
    let long = Key::Genrand(4242);
    let strides = |step: u32| records((0..60).map(|i| 100 + step * i), 64);
    let turns = records((0..60).map(|i| if i % 2 == 0 { 10 + i } else { 3000 - i }), 64);
    let walk = records((0..60u32).map(|i| 500 + i * i % 97), 64);
    let headed = (0..50u32).flat_map(|i| [noise(9, i.into()), records([70 + 3 * i], 64)].concat()).collect();
    let complement = stream(&long, 0, 700).iter().map(|b| !b).collect();
    vec![
        packed("empty", Vec::new(), 512, SEGMENT_MAX),
        packed("hello", b"hello".to_vec(), 512, SEGMENT_MAX),
        packed("stored", noise(300, 1), 512, SEGMENT_MAX),
        packed("text", text(3000), 512, SEGMENT_MAX),
        packed("fill", vec![7; 100_000], 512, SEGMENT_MAX),
        packed("segments", [text(900), noise(300, 2), vec![0; 500]].concat(), 512, 250),
        packed("run", stream(&long, 0, 5000), 512, SEGMENT_MAX),
        packed("run_among", [text(300), stream(&long, 0, 4000), noise(200, 3)].concat(), 512, SEGMENT_MAX),
        packed("run_sparse", flipped(stream(&long, 0, 6000), 1), 512, SEGMENT_MAX),
        packed("run_dense", flipped(stream(&long, 0, 4000), 50), 512, SEGMENT_MAX),
        packed("run_rans", flipped(stream(&long, 0, 16_000), 20), 512, SEGMENT_MAX),
        packed("run_complement", complement, 512, SEGMENT_MAX),
        packed("run_state", stream(&Key::ByArray((1..9).collect()), 40_000, 6000), 512, SEGMENT_MAX),
        packed("run_array", stream(&Key::ByArray(vec![1, 2]), 0, 6000), 512, SEGMENT_MAX),
        packed("run_over_segments", [text(100), stream(&long, 0, 5000)].concat(), 512, 1000),
        packed("grid_stride", strides(3), 512, SEGMENT_MAX),
        packed("grid_same", strides(0), 512, SEGMENT_MAX),
        packed("grid_turns", turns, 512, SEGMENT_MAX),
        packed("grid_walk", flipped(walk, 10), 512, SEGMENT_MAX),
        packed("grid_128", records((0..80).map(|i| 9 + 2 * i), 16), 128, SEGMENT_MAX),
        packed("grid_160_tail", [records(0..50, 20), text(11)].concat(), 160, SEGMENT_MAX),
        packed("grid_behind_text", [text(101), strides(7), text(50)].concat(), 512, SEGMENT_MAX),
        packed("grid_pitch", headed, 512, SEGMENT_MAX),
        packed("grid_phases", [noise(33, 4), strides(5), noise(9, 6), strides(2)].concat(), 512, SEGMENT_MAX),
        packed("grid_32768", flipped(records([5, 6, 7], 4096), 2), 32768, SEGMENT_MAX),
        packed("tar", mixed_tar()[..12_000].to_vec(), 512, SEGMENT_MAX),
        crafted("everything", &craft::everything()),
        crafted("small", &craft::small()),
    ]
}

/// A side section of one run table entry and more, each value coded by a model of its own: as they are when a segment begins.
enum Say {
    UInt(u64),
    Bit(bool),
    Kind(usize),
    Class(usize),
    Even(u64, u32),
    /// UInts of one model.
    UInts([u64; 4]),
    /// Whether there is a grid.
    Grid(bool),
}
use Say::{Class, Even, Grid, Kind, UInts};

fn side(say: &[Say]) -> Vec<u8> {
    let mut coder = RangeEncoder::default();
    for say in say {
        match say {
            Say::UInt(value) => {
                UInt::default().code(&mut coder, *value);
            }
            Say::Bit(bit) => {
                coder.bit(&mut Bit::default(), *bit);
            }
            Kind(kind) => {
                Tree::<4>::default().code(&mut coder, *kind);
            }
            Class(class) => {
                Tree::<64>::default().code(&mut coder, *class);
            }
            Grid(there) => {
                coder.fixed(0x8000, *there);
            }
            Even(value, bits) => {
                coder.direct(*value, *bits);
            }
            UInts(values) => {
                let mut numbers = UInt::default();
                values.iter().for_each(|value| {
                    numbers.code(&mut coder, *value);
                });
            }
        }
    }
    coder.finish()
}

/// A file of one mixed segment of 100 bytes with this side section.
fn mixed(side: Vec<u8>, rans: Vec<u8>, plain: Vec<u8>) -> Vec<u8> {
    let mut part = Part::mixed(100, side, rans, plain);
    part.head |= 4;
    repair(&together(&[part])).0
}

/// [`mixed`] with nothing but a side section.
fn sided(say: &[Say]) -> Vec<u8> {
    mixed(side(say), Vec::new(), Vec::new())
}

/// A run of the whole segment with a `genrand` key of its own, in this class; no grid.
fn one_run(class: usize) -> [Say; 12] {
    let run = [Say::UInt(1), Say::UInt(0), Say::UInt(99), Say::Bit(true), Say::UInt(1), Say::UInt(0)];
    let rest = [Say::UInt(5), Kind(0), Class(class), Say::Bit(false), Grid(false), Even(0, 0)];
    let mut all = run.into_iter().chain(rest);
    std::array::from_fn(|_| all.next().expect("twelve"))
}

/// A good file with one change.
fn changed(file: Vec<u8>, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut file = file;
    change(&mut file);
    file
}

/// The bad ones.
pub fn bad() -> Vec<Bad> {
    let hello = || craft::file(&[Segment::default().plain(b"hello")]);
    let rans = || craft::file(&[Segment::default().run(&Key::Genrand(9), 0, 9000, 30)]);
    let zstd = || pack(&text(600), &Options::level(1), &ScalarMiner);
    let parts = |file: Vec<u8>, change: &dyn Fn(&mut Vec<Part>)| {
        let mut parts = apart(&file);
        change(&mut parts);
        repair(&together(&parts)).0
    };
    // A section and its claim.
    let section = |file: Vec<u8>, which: usize, change: &dyn Fn(&mut Vec<u8>)| {
        parts(file, &|parts| {
            change(&mut parts[0].sections[which]);
            parts[0].lengths[which] = parts[0].sections[which].len() as u64;
        })
    };
    let head = |bytes: &[u8]| [&HEADER[..], bytes].concat();
    let new_key = || [Say::UInt(1), Say::UInt(0), Say::UInt(9), Say::Bit(true)];
    let key = |rest: Vec<Say>| sided(&new_key().into_iter().chain(rest).collect::<Vec<_>>());
    let run =
        |rest: Vec<Say>| key([Say::UInt(1), Say::UInt(0), Say::UInt(5)].into_iter().chain(rest).collect());
    let grid = |say: [Say; 3]| sided(&[Say::UInt(0), Grid(true)].into_iter().chain(say).collect::<Vec<_>>());
    let stretches = |numbers: [u64; 4]| {
        sided(&[Say::UInt(0), Grid(true), Even(1, 8), Even(0, 8), Even(16, 11), UInts(numbers)])
    };
    let two = || craft::file(&[Segment::default().plain(b"one"), Segment::default().plain(b"two")]);
    let far = RunFields {
        length: 99,
        key: Ok(Key::Genrand(1)),
        kind: 2,
        position: 1 << 44,
        ..RunFields::default()
    };
    let three = || craft::file(&["one", "two", "end"].map(|text| Segment::default().plain(text.as_bytes())));
    let empty = || Part { head: 4, sections: vec![Vec::new()], ..Part::default() };
    let bad = |name, packed, error| Bad { name, packed, error };
    vec![
        bad("nothing", Vec::new(), "NotPacked"),
        bad("other_magic", b"NQ\xf7\x01\x04\x00".to_vec(), "NotPacked"),
        bad("magic_only", HEADER[..3].to_vec(), "Truncated: the file header"),
        bad("version_2", changed(hello(), |f| f[3] = 2), "UnknownVersion"),
        bad(
            "header_only",
            HEADER.to_vec(),
            "Truncated: a segment's head (the last segment has not been seen)",
        ),
        bad("no_last_segment", changed(hello(), |f| f[4] &= !4), "Digest"),
        bad("head_bit_3", changed(hello(), |f| f[4] |= 8), "UnknownFlag: head byte"),
        bad("flag_bit_1", parts(rans(), &|p| p[0].flags |= 2), "UnknownFlag: flag byte"),
        bad("long_varint", head(&[4, 0x85, 0x00]), "Damaged: a length is not a shortest varint"),
        bad(
            "endless_varint",
            head(&[4, 0xff, 0xff, 0xff, 0xff, 0xff]),
            "Damaged: a length is not a shortest varint",
        ),
        bad("length_over_2_25", head(&[4, 0x81, 0x80, 0x80, 0x10]), "OutOfRange: a segment's length"),
        bad("side_over_length", head(&[6, 10, 0, 75, 0, 0]), "OutOfRange: the length of a side section"),
        bad("rans_over_length", head(&[6, 10, 0, 1, 75, 0]), "OutOfRange: the length of a rANS section"),
        bad("plain_over_length", head(&[6, 10, 0, 1, 0, 75]), "OutOfRange: the length of a plain section"),
        bad("frame_over_length", head(&[5, 10, 75]), "OutOfRange: the length of a zstd frame"),
        bad("empty_mixed", head(&[6, 0, 0, 0, 0, 0]), "Damaged: it is empty"),
        bad("empty_in_the_midst", parts(two(), &|p| p[1] = empty()), "Damaged: it is empty"),
        bad("cut_in_a_section", changed(hello(), |f| f.truncate(8)), "Truncated: a segment's sections"),
        bad("cut_in_the_digest", changed(hello(), |f| f.truncate(15)), "Truncated: a segment's digest"),
        bad("more_data", changed(hello(), |f| f.push(0)), "TrailingData: there is more data"),
        bad("two_files", [hello(), hello()].concat(), "TrailingData: another packed file begins"),
        bad("content_bit", changed(hello(), |f| f[8] ^= 1), "Digest"),
        bad("digest_bit", changed(hello(), |f| f[14] ^= 1), "Digest"),
        bad("segments_swapped", changed(three(), |f| f[4..26].rotate_left(11)), "Digest"),
        bad(
            "no_zstd_frame",
            section(zstd(), 0, &|s| s.fill(0xff)),
            "Damaged: its zstd frame cannot be decoded",
        ),
        bad(
            "zstd_frame_cut",
            section(zstd(), 0, &|s| s.truncate(s.len() - 1)),
            "Damaged: its zstd frame cannot be decoded",
        ),
        bad(
            "zstd_frame_longer",
            parts(zstd(), &|p| p[0].len -= 1),
            "Damaged: its zstd frame cannot be decoded",
        ),
        bad(
            "zstd_frame_shorter",
            parts(zstd(), &|p| p[0].len += 1),
            "Damaged: its zstd frame cannot be decoded",
        ),
        bad("runs_over_65536", sided(&[Say::UInt(65_537)]), "OutOfRange: the number of runs"),
        bad("run_begins_outside", sided(&[Say::UInt(1), Say::UInt(101)]), "OutOfRange: the start of a run"),
        bad(
            "run_ends_outside",
            sided(&[Say::UInt(1), Say::UInt(50), Say::UInt(50)]),
            "OutOfRange: the end of a run",
        ),
        bad(
            "run_without_a_key",
            sided(&[Say::UInt(1), Say::UInt(0), Say::UInt(9), Say::Bit(false), Say::UInt(0)]),
            "Damaged: a run names a key the file does not have",
        ),
        bad("generator_2", key(vec![Say::UInt(2)]), "UnknownGenerator"),
        bad("seeding_3", key(vec![Say::UInt(1), Say::UInt(3)]), "UnknownSeeding"),
        bad(
            "seed_2_32",
            key(vec![Say::UInt(1), Say::UInt(0), Say::UInt(1 << 32)]),
            "OutOfRange: a genrand seed",
        ),
        bad(
            "array_of_none",
            key(vec![Say::UInt(1), Say::UInt(1), Say::UInt(0)]),
            "OutOfRange: the length of a by_array key",
        ),
        bad(
            "array_of_625",
            key(vec![Say::UInt(1), Say::UInt(1), Say::UInt(625)]),
            "OutOfRange: the length of a by_array key",
        ),
        bad("position_kind_3", run(vec![Kind(3)]), "Damaged: a stream position of an unknown kind"),
        bad(
            "position_over_2_44",
            mixed(run_table(1, [far]), Vec::new(), Vec::new()),
            "OutOfRange: a stream position",
        ),
        bad(
            "runs_cut",
            key(vec![Say::UInt(1), Say::UInt(1), Say::UInt(624)]),
            "Damaged: the run table is longer than its section",
        ),
        bad("grid_generator_2", grid([Even(2, 8), Even(0, 8), Even(16, 11)]), "UnknownGenerator"),
        bad("grid_seeding_4", grid([Even(1, 8), Even(4, 8), Even(16, 11)]), "UnknownSeeding"),
        bad(
            "grid_by_array",
            grid([Even(1, 8), Even(1, 8), Even(16, 11)]),
            "Damaged: blocks are packed with a seeding other than genrand",
        ),
        bad("grid_pitch_over_len", stretches([101, 0, 0, 0]), "Damaged: its blocks have no room"),
        bad("grid_stretches_over_len", stretches([0, 2, 0, 0]), "Damaged: its blocks have no room"),
        bad("grid_past_end", stretches([0, 0, 100, 0]), "Damaged: blocks begin past its end"),
        bad(
            "grid_stretch_past_end",
            stretches([0, 0, 37, 0]),
            "Damaged: a stretch of blocks reaches into a run or past its end",
        ),
        bad(
            "grid_stretch_too_long",
            stretches([1, 0, 0, 1]),
            "Damaged: a stretch of blocks reaches into a run or past its end",
        ),
        bad("grid_of_96_bits", grid([Even(1, 8), Even(0, 8), Even(3, 11)]), "BlockBits"),
        bad(
            "weight_over_bits",
            sided(&one_run(1).into_iter().chain([Say::UInt(801)]).collect::<Vec<_>>()),
            "OutOfRange: the weight of a residual",
        ),
        bad(
            "one_outside",
            sided(&one_run(1).into_iter().chain([Say::UInt(1), Say::UInt(800)]).collect::<Vec<_>>()),
            "Damaged: a sparse residual is longer than what it belongs to",
        ),
        bad("residual_cut", sided(&one_run(2)), "Damaged: its side section ends too early"),
        bad(
            "rans_states_cut",
            section(rans(), 1, &|s| s.truncate(63)),
            "Damaged: its rANS section is cut short",
        ),
        bad(
            "rans_state_low",
            section(rans(), 1, &|s| s[..8].fill(0)),
            "Damaged: its rANS section is cut short",
        ),
        bad(
            "rans_words_cut",
            section(rans(), 1, &|s| s.truncate(200)),
            "Damaged: its rANS section ends too early",
        ),
        bad(
            "rans_words_over",
            section(rans(), 1, &|s| s.extend([0, 0])),
            "Damaged: its rANS section does not end where it should",
        ),
        bad(
            "plain_missing",
            section(craft::file(&craft::small()), 2, &|s| s.truncate(s.len() - 1)),
            "Damaged: the plain section is not as long as the bytes nothing else explains",
        ),
        bad(
            "plain_over",
            section(craft::file(&craft::small()), 2, &|s| s.push(0)),
            "Damaged: the plain section is not as long as the bytes nothing else explains",
        ),
        bad(
            "plain_no_frame",
            parts(craft::file(&craft::small()), &|p| p[0].flags = 1),
            "Damaged: its zstd frame cannot be decoded",
        ),
    ]
}
