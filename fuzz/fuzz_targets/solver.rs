//! What the solvers report of any bytes is true.
#![no_main]

use libfuzzer_sys::fuzz_target;
use np_core::solve::ScanOptions;
use np_fuzz::{LARGE, Stretch, input};
use np_tests::properties::search::solvers_tell_the_truth;

fuzz_target!(|case: (u8, Vec<Stretch>)| {
    let (effort, stretches) = case;
    let options = ScanOptions {
        walk_back: 1 << (effort % 8),
        array_words: usize::from(effort / 8 % 4),
        decode_words: if effort > 250 { 2048 } else { 0 },
    };
    solvers_tell_the_truth(&input(&stretches, LARGE), &options, 1 << (effort % 13));
});
