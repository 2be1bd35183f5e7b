//! Solving finds clean streams of every seeding, anywhere, with the right key, and nothing in noise.

use np_core::generator::Key;
use np_core::solve::{Found, OVERLAP, ScanOptions, scan};
use std::slice::from_ref;

/// Bytes no Mersenne Twister made: SplitMix64 from `seed`.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut out: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next().to_le_bytes()).collect();
    out.truncate(len);
    out
}

/// Noise of `len` bytes with `key`'s stream from `position` at `at`, `stretch` bytes long.
fn planted(key: &Key, position: u64, len: usize, at: usize, stretch: usize) -> Vec<u8> {
    let mut data = noise(at as u64 + len as u64, len);
    let mut stream = key.stream();
    stream.skip(position);
    stream.fill(&mut data[at..at + stretch]);
    data
}

fn scan_all(data: &[u8]) -> Vec<Found> {
    scan(data, from_ref(&(0..data.len())), &ScanOptions::default())
}

#[track_caller]
fn assert_found(found: &[Found], key: &Key, position: u64, at: usize, stretch: usize) {
    let [found] = found else { panic!("{} found", found.len()) };
    assert_eq!(found.key, *key);
    assert_eq!(found.offset as i64 - found.position as i64, at as i64 - position as i64, "alignment");
    assert!(found.offset.abs_diff(at as u64) <= 1, "starts at {}, not {at}", found.offset);
    let end = (at + stretch) as u64;
    assert!((found.offset + found.length).abs_diff(end) <= 1, "ends at {}", found.offset + found.length);
    assert!(found.flips <= 8);
}

#[test]
fn fresh_genrand_streams_at_any_offset_and_length() {
    for (n, stretch) in [916, 917, 1000, 2496, 5000, 70_001].into_iter().enumerate() {
        let seed = [0, 1, 42, 5489, 0x8000_0000, u32::MAX][n];
        for at in [0, 1, 2, 3, 1583, 4096, 10_001] {
            let data = planted(&Key::Genrand(seed), 0, at + stretch + 3 * n, at, stretch);
            assert_found(&scan_all(&data), &Key::Genrand(seed), 0, at, stretch);
        }
    }
}

#[test]
fn a_fresh_stream_whose_first_bytes_are_lost() {
    for lost in [1, 7, 500, 1500] {
        let data = planted(&Key::Genrand(7), lost, 5000, 0, 1100);
        assert_found(&scan_all(&data), &Key::Genrand(7), lost, 0, 1100);
    }
}

#[test]
fn streams_one_after_another_are_all_found() {
    let mut data = Vec::new();
    for seed in 0..50u32 {
        let mut piece = vec![0; 1000 + seed as usize];
        Key::Genrand(seed).stream().fill(&mut piece);
        data.extend(piece);
    }
    let found = scan_all(&data);
    let keys: Vec<Key> = found.iter().map(|f| f.key.clone()).collect();
    assert_eq!(keys, (0..50).map(Key::Genrand).collect::<Vec<_>>());
}

#[test]
fn streams_cut_anywhere_are_walked_back_to_their_seed() {
    for (key, position) in [
        (Key::Genrand(123_456_789), 1_000_003),
        (Key::Genrand(0), 40_000_002),
        (Key::ByArray(vec![0x7abc_def0]), 0),
        (Key::ByArray(vec![5]), 77_777),
        (Key::ByArray(vec![0x89ab_cdef, 0x0fed_cba9]), 0),
        (Key::ByArray(vec![1, 2]), 4_000_001),
    ] {
        let data = planted(&key, position, 20_000, 1234, 9_001);
        assert_found(&scan_all(&data), &key, position, 1234, 9_001);
    }
}

#[test]
fn complements_are_found_as_such() {
    for (key, position) in [
        (Key::Genrand(77), 0),
        (Key::Genrand(123_456_789), 1_000_003),
        (Key::ByArray(vec![0x89ab_cdef, 0x0fed_cba9]), 77_777),
    ] {
        let mut data = planted(&key, position, 20_000, 1234, 9_001);
        let straight = scan_all(&data);
        data.iter_mut().for_each(|b| *b = !*b);
        let found = scan_all(&data);
        assert_found(&found, &key, position, 1234, 9_001);
        assert!(found[0].complement && !straight[0].complement);
        assert_eq!(Found { complement: false, ..found[0].clone() }, straight[0]);
    }
}

/// Every phase of a generation, so that no place in the seeded state is one the tests cannot see.
#[test]
fn the_seed_is_found_from_every_word_of_a_generation() {
    let options = ScanOptions { walk_back: 3, array_words: 3, ..ScanOptions::default() };
    for key in [vec![9], vec![9, 9], vec![9, 9, 9]].map(Key::ByArray).into_iter().chain([Key::Genrand(9)]) {
        let mut stream = vec![0; 10_000];
        key.stream().fill(&mut stream);
        for word in 0..1249 {
            let data = &stream[4 * word + 1..4 * word + 2900];
            let found = scan(data, from_ref(&(0..data.len())), &options);
            assert_eq!(found.len(), 1, "word {word}");
            assert_eq!((&found[0].key, found[0].position), (&key, 4 * word as u64 + 1), "word {word}");
        }
    }
}

#[test]
fn a_stream_without_a_seed_is_keyed_by_its_state() {
    // As an OS-seeded CPython `Random()` is: 624 words, then 10 million draws.
    let words: Vec<u32> = (0..624u32).map(|i| i.wrapping_mul(0x9e37_79b9) ^ 0x1234).collect();
    let origin = Key::ByArray(words);
    for (position, stretch) in [(40_000_000, 9_000), (40_000_001, 2_600), (40_000_002, 100_000)] {
        let data = planted(&origin, position, 120_000, 3_001, stretch);
        let found = scan_all(&data);
        let [f] = &found[..] else { panic!("{} found", found.len()) };
        assert!(f.offset.abs_diff(3_001) <= 1 && f.position < 4);
        assert!((f.offset + f.length).abs_diff(3_001 + stretch as u64) <= 1);
        let mut made = vec![0; f.length as usize];
        let mut stream = f.key.stream();
        stream.skip(f.position);
        stream.fill(&mut made);
        let differing = made.iter().zip(&data[f.offset as usize..]).filter(|(a, b)| a != b).count();
        assert!(differing <= 2);
        let Key::State(state) = &f.key else { panic!("{:?}", f.key.seeding()) };
        assert_eq!(state[0] & 0x7fff_ffff, 0, "bits that do not count are zeros");
    }
}

#[test]
fn ranges_are_kept_to_and_may_be_cut() {
    let mut data = noise(5, 300_000);
    Key::Genrand(1).stream().fill(&mut data[50_001..60_000]);
    let mut cut = Key::Genrand(2).stream();
    cut.skip(1_000_003);
    cut.fill(&mut data[100_000..150_000]);
    let keys = |found: Vec<Found>| {
        let mut keys: Vec<_> =
            found.iter().map(|f| (f.key.clone(), f.offset as i64 - f.position as i64)).collect();
        keys.sort_by_key(|k| k.1);
        keys.dedup();
        keys
    };
    let options = ScanOptions::default();
    let whole = keys(scan_all(&data));
    assert_eq!(whole.len(), 2);
    for piece in [9_000, 16_384, 65_536] {
        let mut found = Vec::new();
        for start in (0..data.len()).step_by(piece) {
            let range = start..(start + piece + OVERLAP).min(data.len());
            found.extend(scan(&data, from_ref(&range), &options));
        }
        assert_eq!(keys(found), whole, "pieces of {piece}");
    }
    assert_eq!(scan(&data, &[0..50_001, 60_000..100_000, 150_000..300_000], &options), []);
    assert_eq!(scan(&data, &[], &options), []);
    assert_eq!(scan(&[], from_ref(&(0..0)), &options), []);
}

#[test]
fn plain_data_and_noise_hold_nothing() {
    assert_eq!(scan_all(&noise(1, 4 << 20)), []);
    assert_eq!(scan_all(&vec![0; 1 << 20]), []);
    assert_eq!(scan_all(&vec![0xff; 1 << 16]), []);
    let mut sparse = vec![0; 1 << 18];
    for at in (0..sparse.len()).step_by(977) {
        sparse[at] = 1 << (at % 8);
    }
    assert_eq!(scan_all(&sparse), []);
    let counter: Vec<u8> = (0..1u32 << 16).flat_map(u32::to_le_bytes).collect();
    assert_eq!(scan_all(&counter), []);
}
