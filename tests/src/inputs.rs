//! Inputs: noise, text, streams of generators, flipped bits, records, a tar of all of them.

use np_core::generator::Key;

/// Numbers that no generator here explains (splitmix64).
pub fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// `len` bytes that no generator here explains.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    numbers(seed).flat_map(u64::to_le_bytes).take(len).collect()
}

/// `len` bytes of made-up prose.
pub fn text(len: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "block", "seed", "stream", "of", "the", "a", "mask", "noise", "is", "and", "weight", "run", "to",
        "in", "ledger,", "plan.\n",
    ];
    let words = numbers(len as u64).map(|n| WORDS[(n % 16) as usize]);
    words.flat_map(|word| word.bytes().chain(*b" ")).take(len).collect()
}

/// `len` bytes of the stream of `key` from byte `position` on.
pub fn stream(key: &Key, position: u64, len: usize) -> Vec<u8> {
    let mut stream = key.stream();
    stream.skip(position);
    let mut out = vec![0; len];
    stream.fill(&mut out);
    out
}

/// Flips about `per_mille` of a thousand bits of `data`.
pub fn flip(data: &mut [u8], per_mille: u64, seed: u64) {
    for (i, number) in (0..8 * data.len()).zip(numbers(seed)) {
        if number % 1000 < per_mille {
            data[i / 8] ^= 1 << (i % 8);
        }
    }
}

/// Records of `len` bytes, each the start of a `genrand` stream of its own.
pub fn records(seeds: impl IntoIterator<Item = u32>, len: usize) -> Vec<u8> {
    seeds.into_iter().flat_map(|seed| stream(&Key::Genrand(seed), 0, len)).collect()
}

/// A tar (ustar) of `files`.
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[108..124].copy_from_slice(b"0000000\x000000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend(*content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// A tar of text, zeros, noise, a stream, a flipped stream and records.
pub fn mixed_tar() -> Vec<u8> {
    let mut flipped = stream(&Key::Genrand(77), 0, 20_000);
    flip(&mut flipped, 50, 1);
    tar(&[
        ("text", &text(40_000)),
        ("zeros", &[0; 30_000]),
        ("noise", &noise(30_001, 9)),
        ("stream", &stream(&Key::Genrand(12_345), 0, 30_003)),
        ("flipped", &flipped),
        ("records", &records((0..50).map(|i| 1000 + 3 * i), 64)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bits_are_flipped_as_asked() {
        let mut data = vec![0; 100_000];
        flip(&mut data, 100, 5);
        let ones: u32 = data.iter().map(|byte| byte.count_ones()).sum();
        assert!((78_000..82_000).contains(&ones), "{ones}");
    }

    #[test]
    fn a_tar_has_whole_blocks() {
        let tar = mixed_tar();
        assert!(tar.len().is_multiple_of(512));
        assert_eq!(&tar[257..262], b"ustar");
    }
}
