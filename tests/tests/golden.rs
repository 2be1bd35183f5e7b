//! The golden files: the good ones decode to what they always did, the bad ones are refused with the named error, the
//! bombs before they cost anything.

use np_core::format::digest::segment_hash;
use np_core::format::reader::{Limits, ReadError, survey};
use np_core::generator::Key;
use np_tests::apart::{Part, RunFields, run_table, together};
use np_tests::golden::{self, name};
use np_tests::properties::unpacked;
use np_tests::{bombs, golden_files};
use std::collections::BTreeSet;
use std::io::Cursor;

/// Names of the files of a kind on disk: the lists name all of them.
fn listed(kind: &str, lines: &[Vec<String>]) {
    let listed: BTreeSet<String> = lines.iter().map(|line| format!("{}.np", line[0])).collect();
    let found = std::fs::read_dir(golden_files::folder().join(kind)).expect("tests/golden");
    let found: BTreeSet<String> =
        found.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(listed, found, "{kind}: the list and the folder");
    assert!(found.len() >= 7, "{kind}: {} files", found.len());
}

#[test]
fn good_files_decode_to_what_they_always_did() {
    let lines = golden_files::list("good");
    listed("good", &lines);
    for line in lines {
        let [file, bytes, digest] = &line[..] else { panic!("{line:?}") };
        let (content, _) = unpacked(&golden_files::read("good", file), Limits::default()).expect(file);
        let found = format!("{:016x}", segment_hash(&content, None));
        assert_eq!((content.len().to_string(), found), (bytes.clone(), digest.clone()), "{file}");
    }
}

#[test]
fn bad_files_are_refused_with_the_named_error() {
    let lines = golden_files::list("bad");
    listed("bad", &lines);
    for line in lines {
        let [file, error] = &line[..] else { panic!("{line:?}") };
        let found = unpacked(&golden_files::read("bad", file), Limits::default()).expect_err(file);
        assert_eq!(name(&found), *error, "{file}: {found}");
    }
}

/// What is decoded of a bomb before it is refused: nothing, with the survey; and what the limits allow, without.
#[test]
fn bombs_are_refused() {
    let lines = golden_files::list("bombs");
    listed("bombs", &lines);
    for line in lines {
        let [file, error, _claims] = &line[..] else { panic!("{line:?}") };
        let packed = golden_files::read("bombs", file);
        // A survey says what is asked for too much; the rest is noticed when the first segment is read.
        let limits = Limits { max_output: 1 << 26, ..Limits::default() };
        let (found, made) = refused(&packed, limits);
        assert!(made <= limits.max_output, "{file}: {made} bytes were made");
        let surveyed = survey(Cursor::new(&packed), Limits::default());
        let found = surveyed.map_or_else(ReadError::Format, |()| found);
        assert_eq!(name(&found), *error, "{file}: {found}");
    }
}

/// The error of a file that must be refused, and how many bytes were made before.
fn refused(packed: &[u8], limits: Limits) -> (ReadError, u64) {
    let mut made = 0;
    let result = np_core::unpack::unpack(packed, limits, |bytes| {
        made += bytes.len() as u64;
        Ok(())
    });
    (result.expect_err("it is refused"), made)
}

/// A limit of memory is kept by what is claimed, before anything is allocated.
#[test]
fn memory_is_limited_by_what_is_claimed() {
    let absent = golden_files::read("bombs", "absent");
    for (max_memory, error) in
        [(100 << 20, "OverLimit: --memory-limit"), (1 << 32, "Truncated: a segment's sections")]
    {
        let (found, _) = refused(&absent, Limits { max_memory, ..Limits::default() });
        assert_eq!(name(&found), error);
    }
    let keys = (0..10_000).map(|i| RunFields { length: 3, key: Ok(Key::Genrand(i)), ..RunFields::default() });
    let keys = together(&[Part::mixed(40_000, run_table(10_000, keys), Vec::new(), Vec::new())]);
    let found = survey(Cursor::new(&keys), Limits { max_memory: 1 << 20, ..Limits::default() });
    assert_eq!(name(&ReadError::Format(found.unwrap_err())), "OverLimit: --memory-limit");
}

#[test]
fn tiny_segments_are_only_many() {
    let (content, _) = unpacked(&bombs::tiny_segments(5000), Limits::default()).expect("a good file");
    assert_eq!(content.len(), 5000);
}

/// What the lists are made from says of itself what the lists say.
#[test]
fn new_golden_files_would_be_good_and_bad_too() {
    for good in golden::good() {
        assert!(
            unpacked(&good.packed, Limits::default()).expect(good.name).0 == good.content,
            "{}",
            good.name
        );
    }
    for bad in golden::bad() {
        let error = unpacked(&bad.packed, Limits::default()).expect_err(bad.name);
        assert_eq!(name(&error), bad.error, "{}: {error}", bad.name);
    }
}
