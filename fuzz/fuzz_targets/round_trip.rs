//! Any input comes back, with any options, and the ledger is the size.
#![no_main]

use libfuzzer_sys::fuzz_target;
use np_core::scalar::ScalarMiner;
use np_fuzz::{AnyOptions, Stretch, input};
use np_tests::properties::round_trip;

fuzz_target!(|case: (AnyOptions, Vec<Stretch>)| {
    let (options, stretches) = case;
    round_trip(&input(&stretches, options.most()), &options.options(), &ScalarMiner);
});
