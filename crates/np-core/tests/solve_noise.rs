//! Solving finds noisy streams: with a known start by mending pairs, without one by decoding.

use np_core::generator::Key;
use np_core::solve::{ScanOptions, scan, solve_start};
use std::slice::from_ref;

/// Flips each bit of `data` with `share` of 2^16, by a 64-bit multiply-and-shift generator.
fn flip(data: &mut [u8], share: u64, seed: u64) {
    let mut state = seed;
    for byte in data {
        for bit in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte ^= u8::from(state >> 48 < share) << bit;
        }
    }
}

fn noisy(key: &Key, position: u64, len: usize, share: u64, seed: u64) -> Vec<u8> {
    let mut data = vec![0; len];
    let mut stream = key.stream();
    stream.skip(position);
    stream.fill(&mut data);
    flip(&mut data, share, seed);
    data
}

/// Percent in 2^16.
const PERCENT: u64 = 655;

#[test]
fn a_known_start_is_found_through_fifteen_percent() {
    for (seed, percent, budget) in
        [(1, 0, 1_000), (2, 5, 300_000), (u32::MAX, 10, 1_000_000), (77, 15, 4_500_000)]
    {
        let data = noisy(&Key::Genrand(seed), 0, 3000, percent * PERCENT, 5);
        let found = solve_start(&data, budget).unwrap();
        assert_eq!((found.key, found.position, found.offset), (Key::Genrand(seed), 0, 0));
        let expected = 8 * 3000 * percent / 100;
        assert!(found.flips.abs_diff(expected) < 400, "{} flips", found.flips);
    }
}

#[test]
fn a_known_start_of_cpython_streams() {
    // Seeds of 31 and of 60 bits, as `random.seed(int)` takes them.
    for key in [vec![0x7abc_def1], vec![0x89ab_cdef, 0x0fed_cba9]] {
        let key = Key::ByArray(key);
        for percent in [0, 1] {
            let data = noisy(&key, 0, 2496, percent * PERCENT, 3);
            assert_eq!(solve_start(&data, 300_000).map(|f| f.key), Some(key.clone()));
        }
    }
}

#[test]
fn complements_are_found_through_noise_as_well() {
    let invert = |data: &mut [u8]| data.iter_mut().for_each(|b| *b = !*b);
    for (key, percent, budget) in
        [(Key::Genrand(2), 5, 300_000), (Key::Genrand(3), 15, 4_500_000), (Key::ByArray(vec![4]), 1, 300_000)]
    {
        let mut data = noisy(&key, 0, 3000, percent * PERCENT, 5);
        let straight = solve_start(&data, budget).unwrap();
        invert(&mut data);
        let found = solve_start(&data, budget).unwrap();
        assert!(found.complement && !straight.complement);
        assert_eq!((found.key, found.length, found.flips), (key, straight.length, straight.flips));
    }
    let mut data = noisy(&Key::Genrand(5), 1_000_003, 80_000, 4 * PERCENT, 9);
    invert(&mut data);
    let found = scan(&data, from_ref(&(0..data.len())), &ScanOptions::default());
    let [f] = &found[..] else { panic!("{} found", found.len()) };
    assert_eq!((&f.key, f.complement), (&Key::Genrand(5), true));
}

#[test]
fn noise_has_no_start() {
    let mut data = vec![0; 4096];
    flip(&mut data, 1 << 15, 1);
    assert_eq!(solve_start(&data, 1_000_000), None);
    assert_eq!(solve_start(&data[..911], 1_000_000), None);
    assert_eq!(solve_start(&[], 1_000_000), None);
}

#[test]
fn a_noisy_stream_from_its_middle_leads_back_to_its_seed() {
    for (key, position, percent) in
        [(Key::Genrand(5), 1_000_003, 1), (Key::ByArray(vec![9]), 70_001, 3), (Key::Genrand(6), 2_000_000, 5)]
    {
        let mut data = noisy(&key, 0, 140_001, 1 << 15, 1);
        let at = 30_002;
        let stretch = noisy(&key, position, 80_000, percent * PERCENT, 2);
        data[at..at + stretch.len()].copy_from_slice(&stretch);
        let found = scan(&data, from_ref(&(0..data.len())), &ScanOptions::default());
        let [f] = &found[..] else { panic!("{} found at {percent} %", found.len()) };
        assert_eq!(f.key, key);
        assert_eq!(f.offset as i64 - f.position as i64, at as i64 - position as i64);
        assert!(
            f.offset.abs_diff(at as u64) < 50 && f.length.abs_diff(80_000) < 100,
            "{} {}",
            f.offset,
            f.length
        );
    }
    let found = scan(
        &noisy(&Key::Genrand(5), 1_000_003, 80_000, 5 * PERCENT, 9),
        from_ref(&(0..80_000)),
        &ScanOptions { decode_words: 0, ..ScanOptions::default() },
    );
    assert_eq!(found, [], "decoding is what finds them");
}

/// A stream of which the first words decoded to a state with a wrong bit, which explained those words well and the
/// rest of the stream ever worse.
#[test]
fn a_state_with_a_wrong_bit_is_not_the_last_word() {
    // SplitMix64 from where this stream came up.
    let mut state = 0x243f_3ed0_6faa_c0f5u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let key = Key::ByArray((0..624).map(|_| next() as u32).collect());
    let (position, before, after) = (next() % 100_000, next() % 50_000, next() % 50_000);
    let (before, len) = (before as usize, 1 << 18);
    let mut data = vec![0; before + len + after as usize];
    let mut mask = vec![0; data.len()];
    for (part, position, percent) in
        [(0..before, 0, 50), (before..before + len, position, 5), (before + len..data.len(), 0, 50)]
    {
        let mut stream = key.stream();
        stream.skip(position);
        stream.fill(&mut data[part.clone()]);
        let limit = (f64::from(percent) / 100.0 * u64::MAX as f64) as u64;
        for byte in &mut mask[part] {
            *byte = (0..8).fold(0, |byte, bit| byte | u8::from(next() < limit) << bit);
        }
    }
    data.iter_mut().zip(&mask).for_each(|(d, m)| *d ^= m);
    let options = ScanOptions { walk_back: 0, ..ScanOptions::default() };
    let found = scan(&data, from_ref(&(0..data.len())), &options);
    let [f] = &found[..] else { panic!("{} found", found.len()) };
    let real: u64 = mask[before..before + len].iter().map(|m| u64::from(m.count_ones())).sum();
    assert!(f.length.abs_diff(1 << 18) < 100 && f.flips.abs_diff(real) < 400, "{} flips of {real}", f.flips);
}
