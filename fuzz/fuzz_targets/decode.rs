//! Any bytes are decoded or refused; with a good header before them, and with their digests repaired, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use np_core::format::reader::HEADER;
use np_tests::properties::{decodes_or_refuses, repaired_decodes_or_refuses};

fuzz_target!(|bytes: &[u8]| {
    decodes_or_refuses(bytes);
    let behind_a_header = match bytes.starts_with(&HEADER) {
        true => bytes.to_vec(),
        false => [&HEADER[..], bytes].concat(),
    };
    repaired_decodes_or_refuses(&behind_a_header);
});
