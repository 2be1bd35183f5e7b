//! Round trip, ledger and size promise: one property, on many inputs.

use np_core::format::reader::Limits;
use np_core::pack::{Options, Writer, analyze};
use np_core::scalar::ScalarMiner;
use np_core::unpack::unpack;

/// Packs, unpacks, and checks F1, the ledger and the content. Returns the packed file.
pub fn check(input: &[u8], options: &Options) -> Vec<u8> {
    let mut writer = Writer::default();
    let mut packed = Vec::new();
    let mut bits = 0;
    let mut carry = None;
    let count = input.len().div_ceil(options.segment_bytes).max(1);
    for i in 0..count {
        let at = i * options.segment_bytes;
        let content = &input[at..input.len().min(at + options.segment_bytes)];
        let analysis = analyze(options, content, carry.as_ref(), &ScalarMiner, &()).unwrap();
        carry = analysis.carry().cloned();
        bits += writer.write(content, &analysis, i + 1 == count, &mut packed).unwrap().total_bits();
    }
    assert_eq!(bits, 8 * packed.len() as u64, "the packer's ledger");
    let mut output = Vec::new();
    let ledger = unpack(&packed[..], Limits::NONE, |bytes| {
        output.extend_from_slice(bytes);
        Ok(())
    })
    .unwrap();
    assert_eq!(ledger.total_bits(), 8 * packed.len() as u64, "the ledger rebuilt from the file");
    assert!(output == input, "round trip of {} bytes", input.len());
    if options.segment_bytes >= 1 << 20 {
        assert!(
            packed.len() <= input.len() + 24 + input.len() / 65536,
            "F1: {} for {}",
            packed.len(),
            input.len()
        );
    }
    packed
}

/// Bytes no generator here explains.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut s = seed;
    std::iter::repeat_with(|| {
        s = s.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (s ^ (s >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
    .flat_map(u64::to_le_bytes)
    .take(len)
    .collect()
}

#[test]
fn small_sizes_and_segments() {
    let options = Options::level(1);
    for len in [0, 1, 63, 64, 65, 1000, 5000] {
        check(&noise(len, 1), &options);
        check(&vec![b'a'; len], &options);
    }
    for segment_bytes in [1, 7, 1000, 4999, 5000, 5001] {
        check(&noise(5000, 2), &Options { segment_bytes, ..Options::level(1) });
    }
    assert_eq!(check(&[], &options).len(), 12);
    assert_eq!(check(&noise(51200, 3), &options).len(), 51214);
}

use np_core::generator::{Key, mask_words};

fn flipped(mut bytes: Vec<u8>, permille: u64, seed: u64) -> Vec<u8> {
    let dice = noise(16 * bytes.len(), seed);
    for (i, two) in dice.chunks_exact(2).enumerate() {
        let roll = u64::from(u16::from_le_bytes([two[0], two[1]]));
        if roll * 1000 < permille * 65536 {
            bytes[i / 8] ^= 1 << (i % 8);
        }
    }
    bytes
}

fn stream(seed: u32, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    Key::Genrand(seed).stream().fill(&mut out);
    out
}

fn records(seeds: impl Iterator<Item = u32>) -> Vec<u8> {
    seeds
        .flat_map(|seed| {
            let mut mask = [0; 16];
            mask_words(seed, &mut mask);
            mask.map(u32::to_le_bytes).concat()
        })
        .collect()
}

/// A level that the scalar miner can afford.
fn modest() -> Options {
    let mut options = Options::level(6);
    options.effort.start_seeds = 1 << 12;
    options.effort.join_seeds = 1 << 12;
    options.effort.score_pairs = 1 << 22;
    options.effort.radius = 64;
    options
}

/// Bits a residual of `bits` bits needs of which `ones` are 1.
fn entropy_of(bits: usize, ones: u64) -> f64 {
    let p = ones as f64 / bits as f64;
    if ones == 0 { 0.0 } else { -(p * p.log2() + (1.0 - p) * (1.0 - p).log2()) * bits as f64 }
}

/// Bits a residual of `bits` bits with `permille` ones needs.
fn entropy(bits: usize, permille: u64) -> f64 {
    let p = permille as f64 / 1000.0;
    if p == 0.0 { 0.0 } else { -(p * p.log2() + (1.0 - p) * (1.0 - p).log2()) * bits as f64 }
}

#[test]
fn one_stream_costs_its_key_and_its_noise() {
    for permille in [0, 1, 10, 50, 100, 200, 300] {
        for len in [5000, 300_000, (1 << 20) + 13] {
            let input = flipped(stream(3000, len), permille, 9);
            let packed = check(&input, &modest()).len() as f64;
            let clean = stream(3000, len);
            let ones: u64 = input.iter().zip(&clean).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
            let ideal = entropy_of(8 * len, ones) / 8.0;
            assert!(packed <= ideal * 1.015 + 60.0, "{len} bytes, {permille} permille: {packed} for {ideal}");
        }
    }
}

#[test]
fn streams_stand_anywhere_between_text_and_noise() {
    let mut input = b"text before, ".repeat(100);
    input.truncate(1024);
    input.extend(stream(77, 20_000));
    input.extend(b"text between ".repeat(63));
    input.extend(noise(10_000, 4));
    input.extend(vec![0; 5000]);
    let at = input.len().next_multiple_of(64);
    input.resize(at, 0);
    input.extend(flipped(stream(78, 30_000), 100, 5));
    let packed = check(&input, &modest());
    let ideal = 10_000.0 + entropy(240_000, 100) / 8.0;
    assert!((packed.len() as f64) < ideal * 1.02 + 300.0, "{} for {ideal}", packed.len());
}

#[test]
fn a_stream_goes_on_across_segments_with_one_key() {
    let input = stream(2024, 200_000);
    let options = Options { segment_bytes: 16384, ..modest() };
    let packed = check(&input, &options);
    assert!(packed.len() < 13 * 24 + 40, "{}", packed.len());
}

/// Under noise the last bytes of a segment may not be worth telling, but what follows is.
#[test]
fn a_stream_goes_on_though_a_segment_ends_in_noise() {
    for bad in [1, 10, 300] {
        let mut input = flipped(stream(2024, 100_000), 200, 9);
        for end in (16384..100_000).step_by(16384) {
            input[end - bad..end].copy_from_slice(&noise(bad, end as u64));
        }
        let options = Options { segment_bytes: 16384, ..modest() };
        let packed = check(&input, &options).len() as f64;
        let ideal = entropy(800_000, 200) / 8.0 + 6.0 * bad as f64;
        assert!(packed < ideal * 1.02 + 7.0 * 60.0, "{bad} bytes: {packed} for {ideal}");
    }
}

/// Only the first segment has seeds that a search from zero reaches.
#[test]
fn records_go_on_across_segments() {
    let dice = noise(800, 6);
    let strides: Vec<u32> = (0..800).map(|i| 2000 + 3 * i).collect();
    let drifting: Vec<u32> = (0..800u32).zip(&dice).map(|(i, d)| 2000 + 3 * i + u32::from(d % 5)).collect();
    for (seeds, header, bytes, spent) in
        [(&strides, 0, 64, 250), (&drifting, 0, 64, 800), (&strides, 7, 40, 400), (&drifting, 16, 100, 1000)]
    {
        let mut options = Options { segment_bytes: 16384, ..modest() };
        options.effort.start_seeds = 1 << 11;
        options.effort.join_seeds = 1 << 11;
        options.effort.score_pairs = 0;
        let mut input = Vec::new();
        for seed in seeds {
            input.extend(noise(header, 1000 + u64::from(*seed)));
            input.extend(stream(*seed, bytes));
        }
        let packed = check(&input, &options).len();
        // A record that lies across two segments stays as it is.
        let plain = 800 * header + (input.len() / 16384 + 1) * (bytes + header);
        assert!(packed < plain + spent, "{header} + {bytes}: {packed}, of them plain {plain}");
    }
}

#[test]
fn records_cost_what_their_seeds_tell() {
    let stride = records((0..1000).map(|i| 100 + 3 * i));
    assert!(check(&stride, &modest()).len() < 150);
    let complement: Vec<u8> = stride.iter().map(|b| !b).collect();
    assert!(check(&complement, &modest()).len() < 150);
    let dice = noise(2000, 6);
    let uniform = records(dice.chunks(2).map(|d| u32::from(u16::from_le_bytes([d[0], d[1]]) & 0xfff)));
    let packed = check(&uniform, &modest()).len();
    assert!(packed < 1000 * 14 / 8, "{packed}");
    let drifting = records((0..1000u32).zip(&dice).map(|(i, d)| 1_000 + i / 2 + u32::from(d % 9)));
    let packed = check(&drifting, &modest()).len();
    assert!(packed < 1000, "{packed}");
    let packed = check(&flipped(uniform, 100, 7), &modest()).len() as f64;
    let ideal = 1000.0 * (12.0 + entropy(512, 100)) / 8.0;
    assert!(packed < ideal * 1.03, "{packed} for {ideal}");
}

#[test]
fn seeds_out_of_reach_are_hunted_from_the_first() {
    // Only the first record's seed is within the start search; the rest drift out of every range.
    let seeds = (0..500u32).map(|i| 4000 + 40 * i);
    let mut options = modest();
    options.effort.join_seeds = 0;
    options.effort.score_pairs = 0;
    let packed = check(&records(seeds), &options).len();
    assert!(packed < 200, "{packed}");
}

#[test]
fn a_stream_shorter_than_a_run_is_followed_in_the_grid() {
    let input: Vec<u8> = (0..200).flat_map(|i| stream(500 + 7 * i, 192)).collect();
    let packed = check(&input, &modest()).len();
    assert!(packed < 300, "{packed}");
}

#[test]
fn records_are_found_at_any_byte_behind_headers_and_of_any_length() {
    for (first, header, bytes) in [(100, 0, 64), (37, 16, 64), (0, 0, 100), (5, 3, 40), (1, 20, 300)] {
        let mut options = modest();
        options.effort.join_seeds = 1 << 9;
        let mut input = noise(first, 9);
        for seed in 0..60 {
            input.extend(noise(header, 1000 + seed));
            input.extend(stream(3 * seed as u32 + 7, bytes));
        }
        input.extend(noise(11, 10));
        let packed = check(&input, &options).len();
        let plain = first + 60 * (header + bytes % 4) + 11;
        assert!(packed < plain + 60, "{header} + {bytes}: {packed}, of them plain {plain}");
    }
}

#[test]
fn every_block_size_round_trips() {
    for bits in [128, 160, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768] {
        let bytes = bits as usize / 8;
        let mut options = modest();
        options.block_bits = np_core::block::BlockBits::new(bits).unwrap();
        options.fixed_blocks = true;
        options.effort.starts = 0;
        let count = (32768 / bytes).max(4);
        let mut input: Vec<u8> = (0..count as u32).flat_map(|i| stream(90 + 5 * i, bytes)).collect();
        input.extend(noise(bytes / 2, 3));
        let packed = check(&input, &options);
        assert!(packed.len() < 200 + bytes / 2 + count, "{bits}: {}", packed.len());
    }
}

#[test]
fn true_noise_never_shrinks_and_pays_nothing_for_the_search() {
    for seed in 0..4 {
        let packed = check(&noise(51_200, 100 + seed), &modest());
        assert_eq!(packed.len(), 51_214);
    }
}
