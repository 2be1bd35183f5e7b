//! Any pieces come back from a rANS section; of any bytes the decoder says what the specification says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use np_tests::properties::codec::{
    dense_bytes_come_back, dense_class, rans_pieces_come_back, rans_section_is_read,
};

fuzz_target!(|case: (Vec<(u8, Vec<u8>)>, Vec<(u8, u8)>, &[u8])| {
    let (pieces, wanted, bytes) = case;
    let pieces: Vec<_> = pieces.into_iter().map(|(class, bytes)| (dense_class(class), bytes)).collect();
    rans_pieces_come_back(&pieces);
    let wanted: Vec<_> = wanted.into_iter().map(|(class, len)| (dense_class(class), len.into())).collect();
    rans_section_is_read(bytes, &wanted);
    if let Some((class, bytes)) = pieces.first() {
        dense_bytes_come_back(*class, bytes);
    }
});
