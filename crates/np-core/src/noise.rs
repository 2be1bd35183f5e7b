//! Which parts of the input look like noise: the only parts worth searching.
//!
//! A window is noise-like if few of its bytes are equal and not all of them are ASCII. Among 64 uniform bytes 7.9 of the
//! 2,016 pairs are equal, and in none of 4 million such windows more than 31 were; base64 has 31 on average, other text over 100.

use std::ops::Range;

/// Bytes in a window.
pub const WINDOW: usize = 64;
/// Equal pairs in a noise-like window, at most: so many for all its pairs, in proportion, and so many for its length.
const PAIRS_MAX: u32 = 24;
const PAIRS_MORE: u32 = 8;
/// Bytes of which one is 128 or more but once in 2^32.
const NOT_ASCII: usize = 32;

/// For each window of the content, whether it looks like noise. A last window shorter than 32 bytes
/// goes with the one before it.
#[derive(Clone, Debug)]
pub struct NoiseMap {
    windows: Vec<bool>,
    len: usize,
}

impl NoiseMap {
    /// Looks at all of `content`.
    pub fn new(content: &[u8]) -> Self {
        let mut windows: Vec<bool> = Vec::with_capacity(content.len().div_ceil(WINDOW));
        for window in content.chunks(WINDOW) {
            let noise = if window.len() < WINDOW / 2 && !windows.is_empty() {
                windows[windows.len() - 1]
            } else {
                is_noise(window)
            };
            windows.push(noise);
        }
        Self { windows, len: content.len() }
    }

    /// Whether all of `range` looks like noise.
    pub fn all(&self, range: Range<usize>) -> bool {
        self.windows[range.start / WINDOW..range.end.div_ceil(WINDOW)].iter().all(|w| *w)
    }

    /// The noise-like stretches, in order.
    pub fn regions(&self) -> Vec<Range<usize>> {
        let mut out: Vec<Range<usize>> = Vec::new();
        for (i, _) in self.windows.iter().enumerate().filter(|(_, noise)| **noise) {
            let range = i * WINDOW..((i + 1) * WINDOW).min(self.len);
            match out.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => out.push(range),
            }
        }
        out
    }
}

/// Whether all of `bytes`, which need not begin where a window does, looks like noise.
pub fn looks_like_noise(bytes: &[u8]) -> bool {
    let windows = bytes.len().div_ceil(WINDOW).max(1);
    (0..windows).all(|i| is_noise(&bytes[bytes.len() * i / windows..bytes.len() * (i + 1) / windows]))
}

fn is_noise(window: &[u8]) -> bool {
    let mut counts = [0u8; 256];
    let mut pairs = 0u32;
    for byte in window {
        let count = &mut counts[usize::from(*byte)];
        pairs += u32::from(*count);
        *count += 1;
    }
    let n = window.len() as u32;
    let all = (WINDOW * (WINDOW - 1)) as u32;
    pairs <= PAIRS_MAX * n * n.saturating_sub(1) / all + PAIRS_MORE
        && (window.len() < NOT_ASCII || !window.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::Key;

    #[test]
    fn tells_noise_from_text_and_zeros() {
        let mut content = vec![0; 640];
        Key::Genrand(1).stream().fill(&mut content[128..448]);
        content[448..].copy_from_slice(&b"the quick brown fox jumps over the lazy dog ".repeat(5)[..192]);
        let map = NoiseMap::new(&content);
        assert_eq!(map.regions(), vec![128..448]);
        assert!(map.all(128..448) && !map.all(100..448));
        assert!(NoiseMap::new(&[]).regions().is_empty());
    }

    #[test]
    fn all_noise_is_one_region() {
        let mut content = vec![0; 1 << 24];
        Key::Genrand(2).stream().fill(&mut content);
        assert_eq!(NoiseMap::new(&content).regions(), vec![0..1 << 24]);
        for len in [16, 20, 32, 60] {
            let noise =
                content[..1 << 20].chunks_exact(len).filter(|window| looks_like_noise(window)).count();
            assert!((1 << 20) / len - noise <= 1, "{len}");
        }
    }

    #[test]
    fn base64_is_text() {
        let mut content = vec![0; 64 << 10];
        Key::Genrand(3).stream().fill(&mut content);
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        content.iter_mut().for_each(|byte| *byte = digits[usize::from(*byte % 64)]);
        assert!(NoiseMap::new(&content).regions().is_empty());
    }
}
