//! Round trip, ledger and size promise on many inputs, sizes, segment and block sizes.

use np_core::block::BlockBits;
use np_core::generator::Key;
use np_core::pack::Options;
use np_core::scalar::ScalarMiner;
use np_tests::inputs::{flip, mixed_tar, noise, records, stream, text};
use np_tests::properties::round_trip;

#[test]
fn sizes_about_blocks_and_words() {
    for len in [0, 1, 3, 4, 15, 16, 17, 63, 64, 65, 127, 128, 129, 4096, 50_000] {
        for input in [noise(len, len as u64), text(len), stream(&Key::Genrand(3), 0, len)] {
            round_trip(&input, &Options::level(1), &ScalarMiner);
        }
    }
}

#[test]
fn every_block_size_that_is_a_power_of_two() {
    let mut input = records((0..40).map(|i| 500 + i), 64);
    input.extend(stream(&Key::Genrand(8), 0, 20_000));
    input.extend(noise(5000, 4));
    for log in 7..=15 {
        let block_bits = BlockBits::new(1 << log).unwrap();
        round_trip(&input, &Options { block_bits, ..Options::level(1) }, &ScalarMiner);
    }
}

#[test]
fn segments_of_any_size_on_mixed_content() {
    let input = mixed_tar();
    for segment_bytes in [1000, 4096, 65_536, input.len() - 1, input.len(), 1 << 25] {
        round_trip(&input, &Options { segment_bytes, ..Options::level(1) }, &ScalarMiner);
    }
}

#[test]
fn streams_under_bit_errors() {
    for per_mille in [0, 1, 20, 100, 300] {
        let mut input = stream(&Key::Genrand(99), 0, 30_000);
        flip(&mut input, per_mille, 3);
        round_trip(&input, &Options::level(1), &ScalarMiner);
    }
}
