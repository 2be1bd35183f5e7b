//! Round trip, ledger and size promise: one property, on many inputs.

use np_core::format::reader::Limits;
use np_core::pack::{Options, Writer, analyze};
use np_core::scalar::ScalarMiner;
use np_core::unpack::unpack;

/// Packs, unpacks, and checks F1, the ledger and the content. Returns the packed file.
pub fn check(input: &[u8], options: &Options) -> Vec<u8> {
    let mut writer = Writer::default();
    let mut packed = Vec::new();
    let mut bits = 0;
    let mut carry = None;
    let count = input.len().div_ceil(options.segment_bytes).max(1);
    for i in 0..count {
        let at = i * options.segment_bytes;
        let content = &input[at..input.len().min(at + options.segment_bytes)];
        let analysis = analyze(options, content, carry.as_ref(), &ScalarMiner, &()).unwrap();
        carry = analysis.carry().cloned();
        bits += writer.write(content, &analysis, i + 1 == count, &mut packed).unwrap().total_bits();
    }
    assert_eq!(bits, 8 * packed.len() as u64, "the packer's ledger");
    let mut output = Vec::new();
    let ledger = unpack(&packed[..], Limits::NONE, |bytes| {
        output.extend_from_slice(bytes);
        Ok(())
    })
    .unwrap();
    assert_eq!(ledger.total_bits(), 8 * packed.len() as u64, "the ledger rebuilt from the file");
    assert!(output == input, "round trip of {} bytes", input.len());
    if options.segment_bytes >= 1 << 20 {
        assert!(
            packed.len() <= input.len() + 24 + input.len() / 65536,
            "F1: {} for {}",
            packed.len(),
            input.len()
        );
    }
    packed
}

/// Bytes no generator here explains.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut s = seed;
    std::iter::repeat_with(|| {
        s = s.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (s ^ (s >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
    .flat_map(u64::to_le_bytes)
    .take(len)
    .collect()
}

#[test]
fn small_sizes_and_segments() {
    let options = Options::level(1);
    for len in [0, 1, 63, 64, 65, 1000, 5000] {
        check(&noise(len, 1), &options);
        check(&vec![b'a'; len], &options);
    }
    for segment_bytes in [1, 7, 1000, 4999, 5000, 5001] {
        check(&noise(5000, 2), &Options { segment_bytes, ..Options::level(1) });
    }
    assert_eq!(check(&[], &options).len(), 12);
    assert_eq!(check(&noise(51200, 3), &options).len(), 51214);
}
