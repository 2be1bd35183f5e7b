//! What must hold of every input, every packed file, and any bytes at all.

use np_core::format::reader::{Limits, ReadError};
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

/// Any bytes are decoded or refused, within tight limits; they never panic the decoder.
pub fn decodes_or_refuses(bytes: &[u8]) {
    let limits = Limits { max_output: 1 << 20, max_skip: 1 << 20 };
    if let Ok((output, ledger)) = unpacked(bytes, limits) {
        assert!(output.len() <= 1 << 20);
        assert_eq!(ledger.total_bits(), 8 * bytes.len() as u64);
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
