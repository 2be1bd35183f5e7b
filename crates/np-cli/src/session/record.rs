//! A session's records: a kind byte, the payload's length (LE32), the payload, and the XXH64 of all that (LE64).

use np_core::block::BlockBits;
use np_core::format::layout::Bias;
use np_core::generator::{Key, Seeding};
use np_core::miner::Candidate;
use np_core::pack::{BlockCarry, Carry, StreamCarry};
use std::ops::Range;
use std::sync::Arc;
use xxhash_rust::xxh64::xxh64;

/// What a session remembers.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Some of a job's seeds are done.
    Slice(Slice),
    /// A segment is packed.
    Segment(Segment),
    /// The name of the file the output was being written to.
    Partial(Vec<u8>),
}

/// The seeds of a job that were mined together.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The job's digest, its whole seed range included.
    pub job: u128,
    /// These seeds.
    pub seeds: Range<u64>,
    /// What they add to the job's result.
    pub candidates: Vec<Candidate>,
}

/// A packed segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its bytes, the file's header before the first one's.
    pub packed: Vec<u8>,
    /// What may go on after it.
    pub carry: Option<Carry>,
}

/// Payloads are shorter than this.
const PAYLOAD_MAX: usize = 1 << 30;

impl Record {
    /// As it is written.
    pub fn bytes(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        let kind = match self {
            Self::Slice(Slice { job, seeds, candidates }) => {
                payload.extend(job.to_le_bytes());
                payload.extend(seeds.start.to_le_bytes());
                payload.extend(seeds.end.to_le_bytes());
                for Candidate { block, seed, weight } in candidates {
                    [block, seed, weight].iter().for_each(|word| payload.extend(word.to_le_bytes()));
                }
                1
            }
            Self::Segment(Segment { packed, carry }) => {
                match carry {
                    None => payload.push(0),
                    Some(Carry::Stream(StreamCarry { key, position, bias })) => {
                        payload.extend([1, key.seeding().id() as u8]);
                        write_words(&mut payload, key.words());
                        payload.extend(position.to_le_bytes());
                        payload.extend([bias.class, bias.complement.into()]);
                    }
                    Some(Carry::Blocks(BlockCarry { at, pitch, block_bits, seeds })) => {
                        payload.push(2);
                        payload.extend((*at as u64).to_le_bytes());
                        payload.extend((*pitch as u64).to_le_bytes());
                        payload.extend(block_bits.bits().to_le_bytes());
                        write_words(&mut payload, seeds);
                    }
                }
                payload.extend(packed);
                2
            }
            Self::Partial(name) => {
                payload.extend(name);
                3
            }
        };
        let mut out = vec![kind];
        out.extend((payload.len() as u32).to_le_bytes());
        out.append(&mut payload);
        let sum = xxh64(&out, 0);
        out.extend(sum.to_le_bytes());
        out
    }

    /// The record at the start of `bytes`, and how many bytes follow it; `None` if there is none that is whole.
    pub fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut rest = bytes;
        let kind = take::<1>(&mut rest)?[0];
        let len = u32::from_le_bytes(take(&mut rest)?) as usize;
        if len > PAYLOAD_MAX {
            return None;
        }
        let (mut payload, mut rest) = rest.split_at_checked(len)?;
        let sum = u64::from_le_bytes(take(&mut rest)?);
        if xxh64(&bytes[..5 + len], 0) != sum {
            return None;
        }
        let payload = &mut payload;
        let record = match kind {
            1 => Self::Slice(read_slice(payload)?),
            2 => Self::Segment(read_segment(payload)?),
            3 => Self::Partial(payload.to_vec()),
            _ => return None,
        };
        Some((record, rest.len()))
    }
}

fn read_slice(payload: &mut &[u8]) -> Option<Slice> {
    let job = u128::from_le_bytes(take(payload)?);
    let seeds = u64::from_le_bytes(take(payload)?)..u64::from_le_bytes(take(payload)?);
    let (words, odd) = payload.as_chunks::<12>();
    let candidate = |bytes: &[u8; 12]| {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Candidate { block: word(0), seed: word(4), weight: word(8) }
    };
    (odd.is_empty() && seeds.start <= seeds.end).then(|| Slice {
        job,
        seeds,
        candidates: words.iter().map(candidate).collect(),
    })
}

fn read_segment(payload: &mut &[u8]) -> Option<Segment> {
    let carry = match take(payload)? {
        [0] => None,
        [1] => Some(Carry::Stream(read_stream(payload)?)),
        [2] => Some(Carry::Blocks(BlockCarry {
            at: usize::try_from(u64::from_le_bytes(take(payload)?)).ok()?,
            pitch: usize::try_from(u64::from_le_bytes(take(payload)?)).ok().filter(|pitch| *pitch > 0)?,
            block_bits: BlockBits::new(u32::from_le_bytes(take(payload)?)).ok()?,
            seeds: read_words(payload)?,
        })),
        _ => return None,
    };
    Some(Segment { packed: payload.to_vec(), carry })
}

fn read_stream(payload: &mut &[u8]) -> Option<StreamCarry> {
    let seeding = Seeding::from_id(take::<1>(payload)?[0].into()).ok()?;
    let words = read_words(payload)?;
    let key = match seeding {
        Seeding::Genrand => Key::Genrand(*words.first()?),
        Seeding::ByArray => Key::ByArray(words),
        Seeding::State => Key::State(words.into_boxed_slice().try_into().ok()?),
        _ => return None,
    };
    let position = u64::from_le_bytes(take(payload)?);
    let [class, complement] = take(payload)?;
    Some(StreamCarry { key: Arc::new(key), position, bias: Bias { class, complement: complement != 0 } })
}

/// How many words there are, and the words, LE32 each.
fn write_words(payload: &mut Vec<u8>, words: &[u32]) {
    payload.extend((words.len() as u32).to_le_bytes());
    words.iter().for_each(|word| payload.extend(word.to_le_bytes()));
}

fn read_words(payload: &mut &[u8]) -> Option<Vec<u32>> {
    let count = u32::from_le_bytes(take(payload)?);
    (0..count).map(|_| take(payload).map(u32::from_le_bytes)).collect()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let candidates = (0..3).map(|i| Candidate { block: i, seed: 77 * i, weight: 100 + i }).collect();
        let carry = |key| {
            let bias = Bias { class: 7, complement: true };
            Some(Carry::Stream(StreamCarry { key: Arc::new(key), position: 1 << 40, bias }))
        };
        let seeds = vec![1, 2, u32::MAX];
        let blocks = BlockCarry { at: 63, pitch: 100, block_bits: BlockBits::default(), seeds };
        let packed = vec![1, 2, 3];
        vec![
            Record::Slice(Slice { job: 1 << 100, seeds: 5..1 << 32, candidates }),
            Record::Slice(Slice { job: 0, seeds: 0..0, candidates: Vec::new() }),
            Record::Segment(Segment { packed: packed.clone(), carry: None }),
            Record::Segment(Segment { packed: Vec::new(), carry: carry(Key::Genrand(5)) }),
            Record::Segment(Segment { packed: packed.clone(), carry: carry(Key::ByArray(vec![1, 2])) }),
            Record::Segment(Segment { packed: packed.clone(), carry: Some(Carry::Blocks(blocks)) }),
            Record::Segment(Segment { packed, carry: carry(Key::State(Box::new([9; 624]))) }),
            Record::Partial(b".np-x.partial".to_vec()),
        ]
    }

    #[test]
    fn records_come_back_and_damaged_ones_do_not() {
        let bytes: Vec<u8> = records().iter().flat_map(Record::bytes).collect();
        let mut at = 0;
        for record in records() {
            let (found, rest) = Record::read(&bytes[at..]).expect("a record");
            assert_eq!(found, record);
            let end = bytes.len() - rest;
            for cut in at..end {
                assert_eq!(Record::read(&bytes[at..cut]), None, "cut at {cut}");
            }
            let mut damaged = bytes[at..end].to_vec();
            for bit in 0..8 * damaged.len() {
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Record::read(&damaged), None, "bit {bit}");
                damaged[bit / 8] ^= 1 << (bit % 8);
            }
            at = end;
        }
        assert_eq!(at, bytes.len());
    }
}
