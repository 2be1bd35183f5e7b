//! Scan speed on random data, and false alarms there: `cargo run --release --example scan_speed [MIB]`.

use np_core::generator::Key;
use np_core::solve::{ScanOptions, scan};
use std::time::Instant;

fn main() {
    let mib: usize = std::env::args().nth(1).map_or(256, |a| a.parse().expect("MIB is a number"));
    // SplitMix64: nothing a Mersenne Twister could have made.
    let mut data = vec![0u8; mib << 20];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for word in data.as_chunks_mut::<8>().0 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *word = (z ^ (z >> 31)).to_le_bytes();
    }
    let time = |what: &str, data: &[u8]| {
        let now = Instant::now();
        let found = scan(data, std::slice::from_ref(&(0..data.len())), &ScanOptions::default());
        let seconds = now.elapsed().as_secs_f64();
        println!("{what}: {:.0} MB/s, {} found", data.len() as f64 / seconds / 1e6, found.len());
        for f in found.iter().take(3) {
            println!("  {:?} at {} from {} for {}", f.key.seeding(), f.offset, f.position, f.length);
        }
    };
    time("random", &data);
    Key::Genrand(42).stream().fill(&mut data);
    time("one stream", &data);
}
