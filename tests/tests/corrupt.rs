//! Damage is noticed, wherever it is; and no bytes at all panic the decoder.

use np_core::Error;
use np_core::format::reader::{HEADER, Limits, ReadError};
use np_core::generator::Key;
use np_core::pack::Options;
use np_core::scalar::ScalarMiner;
use np_tests::apart::{apart, together};
use np_tests::craft::{self, Segment};
use np_tests::inputs::{noise, numbers, text};
use np_tests::properties::{
    damage_is_noticed, decodes_or_refuses, pack, repaired_decodes_or_refuses, unpacked, unpacks_to,
};
use rayon::prelude::*;

#[test]
fn crafted_files_unpack() {
    for segments in [craft::everything(), craft::small()] {
        unpacks_to(&craft::file(&segments), &craft::content(&segments));
    }
}

#[test]
fn every_bit_and_length_of_stored_zstd_and_mixed_files() {
    let options = Options::level(1);
    let small_segments = Options { segment_bytes: 40, ..Options::level(1) };
    let files = [
        pack(b"", &options, &ScalarMiner),
        pack(&noise(50, 1), &options, &ScalarMiner),
        pack(&noise(100, 2), &small_segments, &ScalarMiner),
        pack(&text(500), &options, &ScalarMiner),
        pack(&[7; 5000], &options, &ScalarMiner),
        craft::file(&craft::small()),
    ];
    files.par_iter().for_each(|file| damage_is_noticed(file));
}

#[test]
fn every_byte_of_a_file_with_everything() {
    let file = craft::file(&craft::everything());
    (0..file.len()).into_par_iter().for_each(|at| {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(unpacked(&damaged, Limits::NONE).is_err(), "byte {at} of {}", file.len());
        assert!(unpacked(&file[..at], Limits::NONE).is_err(), "cut to {at} of {}", file.len());
    });
}

/// Damage behind a repaired checksum reaches the decoder, which must not panic, hang or lie.
#[test]
fn arbitrary_bytes_behind_a_good_header() {
    let good = craft::file(&craft::everything());
    (0..3000u64).into_par_iter().for_each(|i| {
        let mut random = numbers(i);
        let mut next = || random.next().unwrap() as usize;
        let mut bytes = match i % 3 {
            0 => [&HEADER[..], &noise(next() % 200, i)].concat(),
            1 => [&HEADER[..], &[2, 100, 0], &noise(next() % 200, i)].concat(),
            _ => good.clone(),
        };
        for _ in 0..next() % 4 {
            let at = next() % bytes.len();
            bytes[at] = next() as u8;
        }
        decodes_or_refuses(&bytes);
    });
}

/// Good files taken apart, changed, and put together with right digests: what follows the damage is decoded too.
#[test]
fn damage_behind_repaired_digests() {
    let files = [craft::file(&craft::everything()), craft::file(&craft::small())];
    let decoded: usize = (0..2000u64)
        .into_par_iter()
        .map(|i| {
            let mut random = numbers(i);
            let mut next = || random.next().unwrap() as usize;
            let mut parts = apart(&files[i as usize % 2]);
            for _ in 0..1 + next() % 3 {
                let (at, other) = (next() % parts.len(), next() % parts.len());
                let part = &mut parts[at];
                let which = next() % part.sections.len();
                match next() % 5 {
                    0 => parts.swap(at, other),
                    1 => part.len = part.len.wrapping_add(next() as u64 % 9).wrapping_sub(4) & 0xffff,
                    2 => part.flags ^= 1,
                    3 if !part.lengths.is_empty() => {
                        part.sections[which].pop();
                        part.lengths[which] = part.sections[which].len() as u64;
                    }
                    _ if part.sections[which].is_empty() => {}
                    _ => {
                        let place = next() % part.sections[which].len();
                        part.sections[which][place] = next() as u8;
                    }
                }
            }
            repaired_decodes_or_refuses(&together(&parts))
        })
        .sum();
    assert!(decoded > 2000, "only {decoded} segments could be decoded at all");
}

#[test]
fn limits_are_named_with_what_was_asked() {
    let far = 1 << 40;
    let run = [Segment::default().run(&Key::Genrand(1), 0, 100, 0)];
    let mut far_run = run.clone();
    far_run[0].runs[0].position = far;
    // The content is wrong, but the limit must stop it before that is found out.
    let packed = craft_without_checking(&far_run);
    match unpacked(&packed, Limits::default()) {
        Err(ReadError::Format(Error::OverLimit { found, option, .. })) => {
            assert_eq!((found, option), (far, "--max-skip"));
        }
        other => panic!("{other:?}"),
    }
    let packed = craft::file(&run);
    match unpacked(&packed, Limits { max_output: 99, ..Limits::default() }) {
        Err(ReadError::Format(Error::OverLimit { found, limit, option, .. })) => {
            assert_eq!((found, limit, option), (100, 99, "--max-output"));
        }
        other => panic!("{other:?}"),
    }
}

/// An exact run's stream is not made while it is written, so even a far one is written at once.
fn craft_without_checking(segments: &[Segment]) -> Vec<u8> {
    assert!(segments.iter().flat_map(|s| &s.runs).all(|run| run.bias.class == np_core::bias::EXACT));
    craft::file(segments)
}
