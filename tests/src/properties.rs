//! What must hold of every input, every packed file, and any bytes at all.

pub mod codec;
pub mod search;

use np_core::Error;
use np_core::format::digest::{self, Chain};
use np_core::format::layout::Run;
use np_core::format::reader::{HEADER, Limits, ReadError, SegmentReader, survey};
use np_core::format::segment::{CodedSegment, Decoded, MaskReader};
use np_core::ledger::Ledger;
use np_core::miner::Miner;
use np_core::pack::{Options, Writer, analyze};
use np_core::unpack::unpack;

/// Packs `input` in memory, one segment after the other, and checks that the packer's ledger is its size.
pub fn pack(input: &[u8], options: &Options, miner: &dyn Miner) -> Vec<u8> {
    let mut writer = Writer::default();
    let mut packed = Vec::new();
    let mut bits = 0;
    let mut carry = None;
    let count = input.len().div_ceil(options.segment_bytes).max(1);
    for i in 0..count {
        let at = i * options.segment_bytes;
        let content = &input[at..input.len().min(at + options.segment_bytes)];
        let analysis = analyze(options, content, carry.as_ref(), miner, &()).expect("analyze");
        carry = analysis.carry().cloned();
        let ledger = writer.write(content, &analysis, i + 1 == count, &mut packed).expect("write");
        bits += ledger.total_bits();
    }
    assert_eq!(bits, 8 * packed.len() as u64, "the packer's ledger");
    assert_eq!(writer.contents().bytes, input.len() as u64);
    packed
}

/// Unpacks in memory.
pub fn unpacked(packed: &[u8], limits: Limits) -> Result<(Vec<u8>, Ledger), ReadError> {
    let mut output = Vec::new();
    let ledger = unpack(packed, limits, |bytes| {
        output.extend_from_slice(bytes);
        Ok(())
    })?;
    Ok((output, ledger))
}

/// A packed file comes back as `input`, and the ledger rebuilt from it is its size.
pub fn unpacks_to(packed: &[u8], input: &[u8]) {
    let (output, ledger) = unpacked(packed, Limits::NONE).expect("unpack");
    assert!(output == input, "{} bytes came back as {} others", input.len(), output.len());
    assert_eq!(ledger.total_bits(), 8 * packed.len() as u64, "the ledger rebuilt from the file");
}

/// Round trip, ledger and the size promise F1. Returns the packed file.
pub fn round_trip(input: &[u8], options: &Options, miner: &dyn Miner) -> Vec<u8> {
    let packed = pack(input, options, miner);
    unpacks_to(&packed, input);
    if options.segment_bytes >= 1 << 20 {
        let most = input.len() + 24 + input.len() / 65536;
        assert!(packed.len() <= most, "F1: {} bytes for {}", packed.len(), input.len());
    }
    packed
}

/// F3: `packed`, a good file, is refused once it is cut short anywhere or any one bit of it is flipped.
pub fn damage_is_noticed(packed: &[u8]) {
    assert!(unpacked(packed, Limits::NONE).is_ok(), "the file is not good to begin with");
    for len in 0..packed.len() {
        assert!(unpacked(&packed[..len], Limits::NONE).is_err(), "cut to {len} of {} bytes", packed.len());
    }
    let mut damaged = packed.to_vec();
    for bit in 0..8 * packed.len() {
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(unpacked(&damaged, Limits::NONE).is_err(), "bit {bit} of {}", 8 * packed.len());
        damaged[bit / 8] ^= 1 << (bit % 8);
    }
}

/// What any bytes may ask of a decoder under test.
const TIGHT: Limits = Limits { max_output: 1 << 20, max_skip: 1 << 23, max_memory: 1 << 24 };

/// Any bytes are decoded or refused, within tight limits; they never panic the decoder.
pub fn decodes_or_refuses(bytes: &[u8]) {
    let surveyed = survey(std::io::Cursor::new(bytes), TIGHT);
    match unpacked(bytes, TIGHT) {
        Ok((output, ledger)) => {
            assert!(output.len() <= 1 << 20);
            assert_eq!(ledger.total_bits(), 8 * bytes.len() as u64);
            assert_eq!(surveyed, Ok(()), "refused by the survey, but decoded");
        }
        Err(ReadError::Format(error @ Error::OverLimit { .. })) => {
            assert_eq!(surveyed, Err(error), "refused, but not by the survey");
        }
        Err(_) => {}
    }
}

/// As [`decodes_or_refuses`] with every digest made right first, so that no damage is stopped by a digest alone.
/// What can be decoded then must come out alike whichever way it is decoded, and once more after it was
/// written again. Returns how many segments could be decoded.
pub fn repaired_decodes_or_refuses(bytes: &[u8]) -> usize {
    let (repaired, segments) = repair(bytes);
    let known_by_itself = |(segment, decoded): &(CodedSegment, Decoded)| {
        let alone = segment.decode(&mut MaskReader::default()).expect("decoded once, refused alone");
        assert!(
            segment.content(&alone) == segment.content(decoded),
            "a stream at hand and a stream begun anew differ"
        );
        assert_eq!((alone.hash, &alone.ledger), (decoded.hash, &decoded.ledger));
    };
    segments.iter().for_each(known_by_itself);
    let decodable: usize = segments.iter().map(|(segment, _)| segment.len).sum();
    let mut output = Vec::new();
    let result = unpack(&repaired[..], TIGHT, |bytes| {
        output.extend_from_slice(bytes);
        Ok(())
    });
    assert_eq!(output.len(), decodable, "a repaired digest is refused: {result:?}");
    if let Ok(ledger) = result {
        assert_eq!(ledger.total_bits(), 8 * repaired.len() as u64);
        let again: Vec<_> =
            segments.iter().map(|(segment, decoded)| crate::craft::again(segment, decoded)).collect();
        // A file may tell twice what a packer tells once, so only the content must be the same.
        unpacks_to(&crate::craft::file(&again), &output);
    }
    segments.len()
}

/// Every digest of `bytes` made right, as far as segments can be decoded, and those segments.
pub fn repair(bytes: &[u8]) -> (Vec<u8>, Vec<(CodedSegment, Decoded)>) {
    let mut repaired = bytes.to_vec();
    let mut segments = Vec::new();
    let Ok(mut reader) = SegmentReader::new(bytes, TIGHT) else { return (repaired, segments) };
    let mut chain = Chain::new(&HEADER);
    let mut masks = MaskReader::default();
    loop {
        // Data behind the last segment hides that segment from this reader; nothing is lost by that.
        let Ok(Some(segment)) = reader.next_segment() else { return (repaired, segments) };
        let Ok(decoded) = segment.decode(&mut masks) else { return (repaired, segments) };
        let end = segment.offset as usize + (decoded.ledger.total_bits() / 8) as usize;
        let digest = chain.accept(decoded.hash).to_le_bytes();
        repaired[end - digest::BYTES..end].copy_from_slice(&digest[..digest::BYTES]);
        segments.push((segment, decoded));
    }
}

/// Any bytes as a side section of a segment of `len` bytes: its run table and its grid are read or refused.
pub fn any_side_section_is_read(bytes: &[u8], len: usize) {
    use np_core::codec::coder::RangeDecoder;
    use np_core::format::{grid, keys::KeyTable, runs};
    let mut coder = RangeDecoder::new(bytes);
    let mut keys = KeyTable::default();
    let Ok(runs) = runs::code_checked(&mut coder, &mut keys, len, 0) else { return };
    assert!(keys.len() <= runs.len());
    let mut at = 0;
    for run in &runs {
        assert!(run.start >= at && run.len > 0 && run.range().end <= len, "{run:?} from {at} in {len}");
        at = run.range().end;
    }
    if let Ok(Some(grid)) = grid::code(&mut coder, len, 0, &runs, None, Vec::new(), RangeDecoder::overrun) {
        assert_eq!(grid.blocks.len(), grid.places().count());
        let mut end = 0;
        for at in grid.places() {
            let block = at..at + grid.block_bits.bytes();
            assert!(at >= end && block.end <= len, "{block:?} after {end} in {len}");
            assert!(runs.iter().all(|run| run.range().end <= at || block.end <= run.start), "{block:?}");
            end = block.end;
        }
    }
}

/// Any run table whose runs are in order comes back as it was written, or is refused for a limit of the format.
pub fn run_tables_come_back(runs: &[Run], len: usize) {
    use np_core::codec::coder::{RangeDecoder, RangeEncoder};
    use np_core::format::{keys::KeyTable, runs};
    let mut encoder = RangeEncoder::default();
    match runs::code(&mut encoder, &mut KeyTable::default(), len, 0, runs) {
        Ok(_) => {
            let coded = encoder.finish();
            let mut decoder = RangeDecoder::new(&coded);
            let read = runs::code_checked(&mut decoder, &mut KeyTable::default(), len, 0);
            assert_eq!(read.as_deref(), Ok(runs));
        }
        Err(error) => assert!(matches!(error, Error::OutOfRange { .. }), "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use np_core::scalar::ScalarMiner;

    fn packed() -> Vec<u8> {
        pack(b"some bytes", &Options::level(1), &ScalarMiner)
    }

    #[test]
    #[should_panic(expected = "came back as")]
    fn a_wrong_content_is_noticed() {
        unpacks_to(&packed(), b"some other");
    }

    #[test]
    #[should_panic(expected = "not good to begin with")]
    fn a_bad_file_proves_nothing() {
        damage_is_noticed(&packed()[1..]);
    }
}
