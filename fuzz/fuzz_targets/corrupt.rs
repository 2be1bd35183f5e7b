//! Good files, taken apart, changed and put together with right digests, are decoded or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use np_fuzz::{AnySegment, Edit, edit};
use np_tests::apart::{apart, together};
use np_tests::craft;
use np_tests::properties::{repaired_decodes_or_refuses, unpacks_to};

fuzz_target!(|case: (Vec<AnySegment>, Vec<Edit>)| {
    let (segments, edits) = case;
    let mut segments: Vec<_> = segments.iter().take(4).map(AnySegment::segment).collect();
    if segments.is_empty() {
        segments = craft::everything();
    }
    let good = craft::file(&segments);
    let mut parts = apart(&good);
    match edits.is_empty() {
        true => unpacks_to(&good, &craft::content(&segments)),
        false => edits.iter().take(16).for_each(|one| edit(&mut parts, one)),
    }
    repaired_decodes_or_refuses(&together(&parts));
});
