//! Speed of `unpack`, one thread: `cargo run --release -p np-core --example decode_speed [MIB [NAME]]`.
//!
//! Prints GB/s of output, the best of several runs (of many, with a NAME), for raw noise, one long stream, and a fresh seed every
//! 64 bytes, the last two also with one bit in ten flipped; and the share of the file's size.

use np_core::format::reader::Limits;
use np_core::generator::{Key, mask_words};
use np_core::pack::{Options, Writer, analyze};
use np_core::scalar::ScalarMiner;
use np_core::unpack::unpack;
use std::time::Instant;

const RUNS: usize = 7;
/// Enough of them that packing does not show in a profile.
const RUNS_ALONE: usize = 150;

/// SplitMix64: nothing a Mersenne Twister could have made.
fn noise(len: usize) -> impl Iterator<Item = u64> {
    let mut state = 0u64;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
    .take(len)
}

/// One bit in ten flipped.
fn flipped(mut bytes: Vec<u8>) -> Vec<u8> {
    for (i, dice) in noise(8 * bytes.len()).enumerate() {
        bytes[i / 8] ^= u8::from(dice < u64::MAX / 10) << (i % 8);
    }
    bytes
}

fn pack(input: &[u8]) -> Vec<u8> {
    let mut options = Options::level(2);
    options.effort.start_seeds = 1 << 12;
    options.effort.join_seeds = 1 << 12;
    options.effort.score_pairs = 1 << 16;
    let mut writer = Writer::default();
    let (mut packed, mut carry) = (Vec::new(), None);
    let mut segments = input.chunks(options.segment_bytes).peekable();
    while let Some(content) = segments.next() {
        let analysis = analyze(&options, content, carry.as_ref(), &ScalarMiner, &()).expect("packs");
        carry = analysis.carry().cloned();
        writer.write(content, &analysis, segments.peek().is_none(), &mut packed).expect("writes");
    }
    packed
}

fn main() {
    let mib: usize = std::env::args().nth(1).map_or(16, |a| a.parse().expect("MIB is a number"));
    let len = mib << 20;
    let raw: Vec<u8> = noise(len / 8).flat_map(u64::to_le_bytes).collect();
    let mut stream = vec![0; len];
    Key::Genrand(77).stream().fill(&mut stream);
    let records: Vec<u8> = (0..len as u32 / 64)
        .flat_map(|i| {
            let mut mask = [0; 16];
            mask_words(3 * i, &mut mask);
            mask.map(u32::to_le_bytes).into_iter().flatten()
        })
        .collect();
    let only = std::env::args().nth(2);
    for (what, input) in [
        ("raw", raw),
        ("one stream", stream.clone()),
        ("fresh seeds", records.clone()),
        ("one stream, flips", flipped(stream)),
        ("fresh seeds, flips", flipped(records)),
    ] {
        if only.as_ref().is_some_and(|only| only != what) {
            continue;
        }
        let packed = pack(&input);
        let best = (0..if only.is_some() { RUNS_ALONE } else { RUNS })
            .map(|_| {
                let mut at = 0;
                let now = Instant::now();
                unpack(&packed[..], Limits::NONE, |bytes| {
                    at += bytes.len();
                    Ok(())
                })
                .expect("unpacks");
                assert_eq!(at, input.len());
                now.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        let share = 100.0 * packed.len() as f64 / input.len() as f64;
        println!("{what:18} {:6.3} GB/s, {share:8.4} % of its size", input.len() as f64 / best / 1e9);
    }
}
