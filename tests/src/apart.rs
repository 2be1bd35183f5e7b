//! Packed files taken apart and put together again, so that lengths, counts and sections can be made wrong on
//! purpose; and run tables written field by field, which may say what no writer says.

use np_core::codec::coder::{Coder, RangeEncoder};
use np_core::codec::model::{Bit, Tree, UInt};
use np_core::format::digest;
use np_core::format::keys::KeyModels;
use np_core::format::reader::HEADER;
use np_core::format::varint;
use np_core::generator::Key;

/// A segment as it lies in a file. Lengths are what its head claims; the bytes need not agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Kind and last flag.
    pub head: u8,
    /// Claimed bytes of content.
    pub len: u64,
    /// Of a mixed segment.
    pub flags: u8,
    /// Claimed lengths: none (stored, fill), one (zstd), or three (mixed).
    pub lengths: Vec<u64>,
    /// The sections: one, or three of a mixed segment.
    pub sections: Vec<Vec<u8>>,
}

const KIND_MIXED: u8 = 2;

impl Part {
    /// A mixed segment that claims what it has.
    pub fn mixed(len: u64, side: Vec<u8>, rans: Vec<u8>, plain: Vec<u8>) -> Self {
        let sections = vec![side, rans, plain];
        let lengths = sections.iter().map(|s| s.len() as u64).collect();
        Self { head: KIND_MIXED, len, flags: 0, lengths, sections }
    }

    /// A fill segment.
    pub fn fill(len: u64, byte: u8) -> Self {
        Self { head: 3, len, sections: vec![vec![byte]], ..Self::default() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.head);
        varint::put(out, self.len);
        if self.head & 3 == KIND_MIXED {
            out.push(self.flags);
        }
        self.lengths.iter().for_each(|length| varint::put(out, *length));
        self.sections.iter().for_each(|section| out.extend(section));
        out.extend([0; digest::BYTES]);
    }
}

/// The segments of a good file.
pub fn apart(file: &[u8]) -> Vec<Part> {
    let mut rest = &file[HEADER.len()..];
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let head = take(&mut rest, 1)[0];
        let len = take_varint(&mut rest);
        let mut part = Part { head, len, ..Part::default() };
        match head & 3 {
            0 => part.sections.push(take(&mut rest, len as usize)),
            1 => part.lengths.push(take_varint(&mut rest)),
            2 => {
                part.flags = take(&mut rest, 1)[0];
                part.lengths.extend([(); 3].map(|()| take_varint(&mut rest)));
            }
            _ => part.sections.push(take(&mut rest, 1)),
        }
        for length in &part.lengths {
            part.sections.push(take(&mut rest, *length as usize));
        }
        take(&mut rest, digest::BYTES);
        parts.push(part);
    }
    parts
}

fn take(rest: &mut &[u8], len: usize) -> Vec<u8> {
    rest.split_off(..len).expect("the file is good").to_vec()
}

fn take_varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    let mut bytes = (0..).map(|index| varint::step(&mut value, index, take(rest, 1)[0]));
    bytes.find_map(|step| step).expect("it ends").expect("the file is good")
}

/// A file of these segments, its digests all zero: see [`crate::properties::repair`].
pub fn together(parts: &[Part]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    parts.iter().for_each(|part| part.write(&mut out));
    out
}

/// What a run's entry says (FORMAT.md, "Runs"), field by field.
#[derive(Clone, Debug)]
pub struct RunFields {
    /// Bytes since the run before.
    pub gap: u64,
    /// Bytes, less 1.
    pub length: u64,
    /// A key of its own, or how many places before the newest one its key stands.
    pub key: Result<Key, u64>,
    /// Position kind, below 4.
    pub kind: u8,
    /// Coded for kind 2.
    pub position: u64,
    /// Bias class, below 64.
    pub class: u8,
    /// Complemented.
    pub complement: bool,
}

impl Default for RunFields {
    /// One byte of the newest key's stream, where that was left.
    fn default() -> Self {
        Self { gap: 0, length: 0, key: Err(0), kind: 0, position: 0, class: 0, complement: false }
    }
}

/// A side section with a run table of these entries that claims `count` of them, and no grid.
pub fn run_table(count: u64, runs: impl IntoIterator<Item = RunFields>) -> Vec<u8> {
    let coder = &mut RangeEncoder::default();
    UInt::default().code(coder, count);
    let (mut gap, mut length, mut new_key) = (UInt::default(), UInt::default(), Bit::default());
    let (mut distance, mut key, mut kind) = (UInt::default(), KeyModels::default(), Tree::<4>::default());
    let (mut position, mut class, mut complement) = (UInt::default(), Tree::<64>::default(), Bit::default());
    for run in runs {
        gap.code(coder, run.gap);
        length.code(coder, run.length);
        coder.bit(&mut new_key, run.key.is_ok());
        match run.key {
            Ok(own) => {
                key.code(coder, &own, 0).expect("a key that is written is a key");
            }
            Err(places) => {
                distance.code(coder, places);
            }
        }
        if kind.code(coder, usize::from(run.kind % 4)) == 2 {
            position.code(coder, run.position);
        }
        class.code(coder, usize::from(run.class % 64));
        coder.bit(&mut complement, run.complement);
    }
    coder.fixed(0x8000, false);
    std::mem::take(coder).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::inputs::stream;
    use crate::properties::{repair, unpacks_to};

    #[test]
    fn what_is_taken_apart_goes_together_again() {
        for segments in [craft::everything(), craft::small()] {
            let file = craft::file(&segments);
            let parts = apart(&file);
            assert_eq!(parts.len(), segments.len());
            assert_eq!(repair(&together(&parts)).0, file);
        }
    }

    #[test]
    fn a_run_table_by_hand_is_one() {
        let key = Key::Genrand(77);
        let runs = [
            RunFields { length: 99, key: Ok(key.clone()), ..RunFields::default() },
            RunFields { gap: 3, length: 49, kind: 1, ..RunFields::default() },
            RunFields { length: 9, kind: 2, position: 1000, complement: true, ..RunFields::default() },
        ];
        let mut part = Part::mixed(163, run_table(3, runs), Vec::new(), b"gap".to_vec());
        part.head |= 4;
        let mut content = stream(&key, 0, 153);
        content[100..103].copy_from_slice(b"gap");
        content.extend(stream(&key, 1000, 10).iter().map(|b| !b));
        unpacks_to(&repair(&together(&[part])).0, &content);
    }
}
