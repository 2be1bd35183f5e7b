//! Verification: what a key explains of the data, and whether that is evidence enough.

use super::walk::{self, Block, generation_back};
use crate::generator::mt19937::{N, temper};
use crate::generator::{Key, Stream};
use std::ops::Range;

/// Bytes compared at a time: a generation of the state.
pub(crate) const PIECE: usize = 4 * N;

/// Bits of evidence a finding needs beyond everything that was tried to find it.
pub const MARGIN: u32 = 64;

/// Whether `flips` mismatches among `bits` are evidence of at least `needed` bits: by Hoeffding's inequality
/// random bits show so few with probability at most `2^-e`, `e = (bits - 2 flips)^2 / (2 ln 2 bits)`.
pub fn is_evidence(flips: u64, bits: u64, needed: u32) -> bool {
    // 46/64 = 0.71875 is just below 1/(2 ln 2) = 0.72135: the rule errs on the strict side.
    let lead = u128::from(bits.saturating_sub(2 * flips));
    bits > 0 && 46 * lead * lead >= 64 * u128::from(bits) * u128::from(needed)
}

/// log2 of the candidates of `key_bits` free bits at any byte of `len` that a scan can meet, rounded up.
pub(crate) fn tried(key_bits: u32, len: usize) -> u32 {
    // Four bits more: a stream may start in the 2,500 bytes before the data, a state has four tests, and every
    // stream has its complement.
    key_bits + usize::BITS - len.leading_zeros() + 4
}

/// Ones in `a ^ b`, which are equally long.
pub(crate) fn distance(a: &[u8], b: &[u8]) -> u64 {
    let (a8, a1) = a.as_chunks::<8>();
    let (b8, b1) = b.as_chunks::<8>();
    let long: u64 = (a8.iter().zip(b8))
        .map(|(a, b)| u64::from((u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).count_ones()))
        .sum();
    let short: u32 = a1.iter().zip(b1).map(|(a, b)| (a ^ b).count_ones()).sum();
    long + u64::from(short)
}

/// What a stream was found to explain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Explained {
    /// Bytes, from where the comparison began.
    pub bytes: usize,
    /// Mismatches in them.
    pub flips: u64,
    /// With the stream's complement.
    pub complement: bool,
}

/// Inverts the bits of `bytes` if `complement` is set.
fn invert(bytes: &mut [u8], complement: bool) {
    if complement {
        bytes.iter_mut().for_each(|b| *b = !*b);
    }
}

/// The length of the best start of `xors`: the sum of what each matching bit is for and each mismatch is
/// against "the stream goes on" is highest there.
fn best_start(xors: impl Iterator<Item = u8> + Clone) -> Explained {
    // A mismatch counts a match and a half: good up to 40 % flips. If one that counts seven leads about as
    // far, there are few, and that one ends sharper.
    let noisy = best_by(xors.clone(), |weight| 16 - 5 * weight);
    let sharp = best_by(xors, |weight| 8 - 8 * weight);
    if 4 * sharp.bytes + 64 >= 3 * noisy.bytes { sharp } else { noisy }
}

fn best_by(xors: impl Iterator<Item = u8>, gain: impl Fn(i64) -> i64) -> Explained {
    let (mut score, mut best, mut flips, mut out) = (0, 0, 0, Explained::default());
    for (at, xor) in xors.enumerate() {
        let weight = xor.count_ones();
        flips += u64::from(weight);
        score += gain(weight.into());
        if score > best {
            best = score;
            out = Explained { bytes: at + 1, flips, complement: false };
        }
    }
    out
}

/// A stretch as it grows piece by piece, in either direction.
#[derive(Default)]
struct Growth {
    /// Everything but the last piece, which may hold the end.
    sure: Explained,
    /// The last good piece's mismatches, nearest byte first.
    last: Vec<u8>,
    /// Ones in them.
    last_flips: u64,
}

impl Growth {
    /// Takes the next piece in if its mismatches are few enough; else gives the stretch, up to where it seems to
    /// end. `xors` has the nearest byte first.
    fn piece(
        &mut self,
        len: usize,
        xors: impl Iterator<Item = u8> + Clone,
        flips: u64,
        needed: u32,
    ) -> Option<Explained> {
        if !is_evidence(flips, 8 * len as u64, needed) {
            let end = best_start(self.last.iter().copied().chain(xors));
            return Some(Explained {
                bytes: self.sure.bytes + end.bytes,
                flips: self.sure.flips + end.flips,
                complement: self.sure.complement,
            });
        }
        self.sure.bytes += self.last.len();
        self.sure.flips += self.last_flips;
        self.last_flips = flips;
        self.last.clear();
        if flips == 0 {
            self.last.resize(len, 0);
        } else {
            self.last.extend(xors);
        }
        None
    }

    /// Bytes taken in so far.
    fn bytes(&self) -> usize {
        self.sure.bytes + self.last.len()
    }
}

/// How far `stream` explains `data` from its first byte on: whole pieces while each is evidence by itself,
/// then to the byte where it seems to end. Nothing if the first piece is not worth `needed` bits. If more than half
/// of the first piece's bits mismatch, it is the stream's complement that is meant.
pub(crate) fn forward(stream: &mut Stream, data: &[u8], mut needed: u32) -> Option<Explained> {
    let mut growth = Growth::default();
    let mut made = [0u8; PIECE];
    loop {
        let rest = &data[growth.bytes()..];
        let piece = &rest[..rest.len().min(PIECE)];
        let made = &mut made[..piece.len()];
        stream.fill(made);
        invert(made, growth.sure.complement);
        let mut flips = distance(piece, made);
        let bits = 8 * piece.len() as u64;
        if growth.bytes() == 0 && 2 * flips > bits {
            growth.sure.complement = true;
            invert(made, true);
            flips = bits - flips;
        }
        if let Some(end) =
            growth.piece(piece.len(), piece.iter().zip(&*made).map(|(a, b)| a ^ b), flips, needed)
        {
            return (end.bytes > 0 && growth.bytes() > 0).then_some(end);
        }
        needed = MARGIN;
    }
}

/// Whether the stream that has the 624 words `block` between `before` and `after`, or its complement, explains one
/// of them by `needed` bits, over its nearest 64 or [`PIECE`] bytes.
pub(crate) fn explains_around(
    block: &Block,
    before: &[u8],
    after: &[u8],
    needed: u32,
    complement: bool,
) -> bool {
    let mut made = [0; 2 * PIECE];
    let mut stream = Key::State(Box::new(walk::state_before(block, 0))).stream();
    stream.fill(&mut made);
    invert(&mut made, complement);
    let mut previous = [0; N];
    generation_back(block, &mut previous);
    let mut previous = previous.map(|x| temper(x).to_le_bytes());
    invert(previous.as_flattened_mut(), complement);
    let (next, previous) = (&made[PIECE..], previous.as_flattened());
    [64, PIECE].into_iter().any(|len| {
        let (b, a) = (len.min(before.len()), len.min(after.len()));
        is_evidence(distance(&next[..a], &after[..a]), 8 * a as u64, needed)
            || is_evidence(
                distance(&previous[PIECE - b..], &before[before.len() - b..]),
                8 * b as u64,
                needed,
            )
    })
}

/// How far the stream whose words at the end of `data` (and on) are `block`, or its complement, explains `data`
/// backwards. `block` is what comes right after `data`.
pub(crate) fn backward(block: &Block, data: &[u8], complement: bool) -> Explained {
    let mut growth = Growth::default();
    growth.sure.complement = complement;
    let (mut now, mut before) = (*block, [0; N]);
    loop {
        generation_back(&now, &mut before);
        let rest = &data[..data.len() - growth.bytes()];
        let piece = &rest[rest.len() - rest.len().min(PIECE)..];
        let mut words = before.map(|x| temper(x).to_le_bytes());
        invert(words.as_flattened_mut(), complement);
        let made = &words.as_flattened()[PIECE - piece.len()..];
        let flips = distance(piece, made);
        if let Some(end) =
            growth.piece(piece.len(), piece.iter().zip(made).rev().map(|(a, b)| a ^ b), flips, MARGIN)
        {
            return end;
        }
        now = before;
    }
}

/// Checks a `genrand` or `by_array` key whose stream starts at byte `start` (which may lie before the data)
/// over the part of its first [`PIECE`] bytes, and on, that lies in `range`. Returns the anchor and what is
/// explained from there.
pub(crate) fn keyed(
    key: &Key,
    start: i64,
    data: &[u8],
    range: &Range<usize>,
    needed: u32,
) -> Option<(usize, u64, Explained)> {
    let anchor = start.max(range.start as i64);
    let position = (anchor - start) as u64;
    let anchor = anchor as usize;
    if anchor >= range.end {
        return None;
    }
    let mut stream = key.stream();
    stream.skip(position);
    let explained = forward(&mut stream, &data[anchor..range.end], needed)?;
    Some((anchor, position, explained))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_what_hoeffding_says() {
        // 128 clean bits: 128 * 0.71875 = 92.
        assert!(is_evidence(0, 128, 92));
        assert!(!is_evidence(0, 128, 93));
        assert!(!is_evidence(0, 0, 0));
        assert!(!is_evidence(64, 128, 1));
        assert!(!is_evidence(128, 128, 1));
        // 19,968 bits at 45 % flips: lead 1,996, e = 143.4 by the strict constant.
        assert!(is_evidence(8986, 19_968, 143));
        assert!(!is_evidence(8986, 19_968, 144));
    }

    #[test]
    fn the_end_is_found_to_the_byte_when_clean_and_nearly_so_when_noisy() {
        for len in [1000, 2496, 2500, 10_000, 10_001] {
            let mut data = vec![0; len + 5000];
            Key::ByArray(vec![len as u32]).stream().fill(&mut data);
            let mut stream = Key::Genrand(9).stream();
            stream.fill(&mut data[..len]);
            let found = forward(&mut Key::Genrand(9).stream(), &data, 100).unwrap();
            assert!(found.bytes.abs_diff(len) <= 1, "{found:?}, not {len}");
            for at in (0..8 * len).step_by(7) {
                data[at / 8] ^= 1 << (at % 8);
            }
            let found = forward(&mut Key::Genrand(9).stream(), &data, 100).unwrap();
            assert!(found.bytes.abs_diff(len) <= 16, "{found:?}, not {len}");
        }
        let mut data = vec![0; 9000];
        Key::ByArray(vec![3]).stream().fill(&mut data);
        assert_eq!(forward(&mut Key::Genrand(9).stream(), &data, 100), None);
    }

    #[test]
    fn backwards_too() {
        let mut stream = Key::Genrand(9).stream();
        stream.skip(4 * 5000);
        let mut data = vec![0; 20_000];
        Key::ByArray(vec![3]).stream().fill(&mut data[..7777]);
        stream.fill(&mut data[7777..]);
        let at = 7777 + 4 * 2000;
        let mut block = [0; N];
        for (x, b) in block.iter_mut().zip(data[at..].as_chunks().0) {
            *x = super::super::algebra::untemper(u32::from_le_bytes(*b));
        }
        let found = backward(&block, &data[..at], false);
        assert!(found.bytes.abs_diff(8000) <= 1 && found.flips == 0, "{found:?}");
    }
}
