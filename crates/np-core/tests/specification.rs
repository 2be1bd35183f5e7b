//! The packed files printed in docs/FORMAT.md unpack to what it says of them: the format cannot drift
//! from its specification by changing writer and reader alike.

use np_core::format::reader::Limits;
use np_core::generator::Key;
use np_core::unpack::unpack;

fn stream(seed: u32, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    Key::Genrand(seed).stream().fill(&mut out);
    out
}

#[test]
fn the_examples_unpack_to_what_they_stand_for() {
    let text = include_str!("../../../docs/FORMAT.md");
    let (_, section) = text.split_once("\n## Examples\n").expect("FORMAT.md has examples");
    let examples: Vec<Vec<u8>> = section
        .lines()
        .filter(|line| line.starts_with("    4e 50 f7 01"))
        .map(|line| line.split_whitespace().map(|b| u8::from_str_radix(b, 16).expect("hex")).collect())
        .collect();
    let mut records: Vec<u8> = (0..8).flat_map(|i| stream(100 + 3 * i, 64)).collect();
    records[5] ^= 1 << 4;
    let contents = [Vec::new(), b"hello".to_vec(), stream(1, 1000), records];
    assert_eq!(examples.len(), contents.len());
    for (packed, content) in examples.iter().zip(contents) {
        let mut out = Vec::new();
        let ledger = unpack(&packed[..], Limits::default(), |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        })
        .expect("an example unpacks");
        assert!(out == content, "{} bytes", content.len());
        assert_eq!(ledger.total_bits(), 8 * packed.len() as u64);
    }
}
