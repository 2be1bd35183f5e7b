//! What must hold of the coders: whatever was written is read back, and no stream at all panics a reader.

use np_core::bias::{FIRST_DENSE, p_one};
use np_core::codec::coder::{Coder, Pricer, RangeDecoder, RangeEncoder};
use np_core::codec::mix::{Mixer, Stretch};
use np_core::codec::model::{Bit, Delta, Tree, UInt};
use np_core::codec::rans::{self, LANES, frequencies};
use np_core::price::FINE_BIT;

/// One thing that the range coder codes.
#[derive(Clone, Copy, Debug)]
pub enum Symbol {
    /// A bit at a fixed probability of 0, in 1/65536; 0 stands for 1.
    Fixed(u16, bool),
    /// Bits without a model: value, count (at most 64).
    Direct(u64, u8),
    /// A modelled bit: which of four models.
    Bit(u8, bool),
    /// A bit mixed from three models.
    Mixed(bool),
    /// A leaf of a tree of 64.
    Leaf(u8),
    /// An unsigned integer.
    UInt(u64),
    /// A signed integer; those that [`Delta`] does not promise are coded as 1.
    Delta(i64),
}

/// One of each model.
#[derive(Default)]
struct Models {
    bits: [Bit; 4],
    mixed: [Bit; 3],
    mixer: Mixer,
    stretch: Stretch,
    tree: Tree<64>,
    uint: UInt,
    delta: Delta,
}

impl Models {
    /// Codes `symbol` and returns what was coded, as bits to compare.
    fn code(&mut self, coder: &mut impl Coder, symbol: Symbol) -> u64 {
        match symbol {
            Symbol::Fixed(p, bit) => coder.fixed(p.max(1), bit).into(),
            Symbol::Direct(value, bits) => coder.direct(value, u32::from(bits).min(64)),
            Symbol::Bit(model, bit) => coder.bit(&mut self.bits[usize::from(model % 4)], bit).into(),
            Symbol::Mixed(bit) => {
                let [a, b, c] = &mut self.mixed;
                self.mixer.code(coder, &self.stretch, [a, b, c], bit).into()
            }
            Symbol::Leaf(value) => self.tree.code(coder, usize::from(value % 64)) as u64,
            Symbol::UInt(value) => self.uint.code(coder, value),
            Symbol::Delta(value) => {
                let promised = value != 0 && value.unsigned_abs() <= 1 << 62;
                self.delta.code(coder, if promised { value } else { 1 }) as u64
            }
        }
    }
}

/// What was coded comes back, the section is about as long as the price says, and no longer than its end needs.
pub fn symbols_come_back(symbols: &[Symbol]) {
    let mut encoder = RangeEncoder::default();
    let mut pricer = Pricer::default();
    let mut models = Models::default();
    let written: Vec<u64> = symbols.iter().map(|s| models.code(&mut encoder, *s)).collect();
    let mut models = Models::default();
    symbols.iter().for_each(|s| {
        models.code(&mut pricer, *s);
    });
    let coded = encoder.finish();
    let mut decoder = RangeDecoder::new(&coded);
    let mut models = Models::default();
    for (i, (symbol, written)) in symbols.iter().zip(written).enumerate() {
        // A reader is told nothing of the values.
        let blank = match *symbol {
            Symbol::Fixed(p, _) => Symbol::Fixed(p, false),
            Symbol::Direct(_, bits) => Symbol::Direct(0, bits),
            Symbol::Bit(model, _) => Symbol::Bit(model, false),
            Symbol::Mixed(_) => Symbol::Mixed(false),
            Symbol::Leaf(_) => Symbol::Leaf(0),
            Symbol::UInt(_) => Symbol::UInt(0),
            Symbol::Delta(_) => Symbol::Delta(1),
        };
        let read = models.code(&mut decoder, blank);
        assert_eq!(read, written, "symbol {i} of {}: {symbol:?}", symbols.len());
    }
    assert!(!decoder.overrun(), "reading needs more than was written");
    // The range loses at most 2^-8 of itself to rounding in each step, and prices are rounded to 1/4096.
    let bits = pricer.fine / FINE_BIT;
    let most = bits + bits / 64 + symbols.len() as u64 + 48;
    assert!(8 * coded.len() as u64 <= most, "{} bytes for {bits} bits", coded.len());
}

/// Any bytes can be read as any symbols, without a panic, and reading past the end is noticed.
pub fn any_bytes_are_read(bytes: &[u8], symbols: &[Symbol]) {
    let mut decoder = RangeDecoder::new(bytes);
    let mut models = Models::default();
    for symbol in symbols {
        models.code(&mut decoder, *symbol);
    }
    for _ in 0..bytes.len() + 8 {
        decoder.direct(0, 8);
    }
    assert!(decoder.overrun(), "{} bytes and more were read out of {}", bytes.len() + 8, bytes.len());
}

/// A dense class from any byte.
pub fn dense_class(byte: u8) -> u8 {
    FIRST_DENSE + byte % (64 - FIRST_DENSE)
}

/// Pieces (class, residual) of dense classes come back from a rANS section.
pub fn rans_pieces_come_back(pieces: &[(u8, Vec<u8>)]) {
    let coded = rans::encode(pieces.iter().map(|(class, bytes)| (*class, &bytes[..])));
    let wanted: Vec<(u8, usize)> = pieces.iter().map(|(class, bytes)| (*class, bytes.len())).collect();
    let read = rans_section_is_read(&coded, &wanted).expect("its own section is refused");
    for (piece, (read, (class, bytes))) in read.iter().zip(pieces).enumerate() {
        assert!(read == bytes, "piece {piece} of class {class}, {} bytes, came back as others", bytes.len());
    }
}

/// Reads any section as pieces of these (class, length); the decoder and the specification, taken word for word, must
/// say the same of it: `None` if it is damaged.
pub fn rans_section_is_read(section: &[u8], pieces: &[(u8, usize)]) -> Option<Vec<Vec<u8>>> {
    let fast = || {
        let mut decoder = rans::Decoder::new(section).ok()?;
        let mut out = Vec::new();
        for (class, len) in pieces {
            let mut piece = vec![0; *len];
            decoder.xor(*class, &mut piece).ok()?;
            out.push(piece);
        }
        decoder.finish().ok()?;
        Some(out)
    };
    let (fast, plain) = (fast(), rans_by_the_book(section, pieces));
    assert!(fast == plain, "the decoder says {:?}, the specification {:?}", fast.is_some(), plain.is_some());
    fast
}

/// FORMAT.md, "rANS section", line by line.
fn rans_by_the_book(section: &[u8], pieces: &[(u8, usize)]) -> Option<Vec<Vec<u8>>> {
    let (head, words) = section.split_at_checked(8 * LANES)?;
    let mut state: Vec<u64> = head.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
    if state.iter().any(|x| *x < 1 << 32) {
        return None;
    }
    let (words, odd) = words.as_chunks();
    let mut words = words.iter().map(|w| u32::from_le_bytes(*w));
    let mut out = Vec::new();
    for (class, len) in pieces {
        let frequency = frequencies(*class);
        let mut piece = vec![0u8; *len];
        for (j, byte) in piece.iter_mut().enumerate() {
            let x = &mut state[j % LANES];
            for half in 0..2 {
                let slot = *x % 4096;
                let (mut nibble, mut start) = (0, 0);
                while slot >= start + u64::from(frequency[nibble]) {
                    start += u64::from(frequency[nibble]);
                    nibble += 1;
                }
                *x = u64::from(frequency[nibble]) * (*x >> 12) + slot - start;
                *byte |= (nibble as u8) << (4 * half);
            }
            if *x < 1 << 32 {
                *x = *x << 32 | u64::from(words.next()?);
            }
        }
        out.push(piece);
    }
    let ended = words.next().is_none() && odd.is_empty() && state.iter().all(|x| *x == 1 << 32);
    ended.then_some(out)
}

/// A dense byte coded bit by bit in the range coder, as few of them are.
pub fn dense_bytes_come_back(class: u8, bytes: &[u8]) {
    use np_core::format::residual::code_dense;
    let mut encoder = RangeEncoder::default();
    bytes.iter().for_each(|byte| {
        code_dense(&mut encoder, class, *byte);
    });
    let coded = encoder.finish();
    let mut decoder = RangeDecoder::new(&coded);
    for (i, byte) in bytes.iter().enumerate() {
        let read = code_dense(&mut decoder, class, 0);
        assert_eq!(read, *byte, "byte {i} at {} / 65536", p_one(class));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{noise, numbers};

    fn symbols(seed: u64, count: usize) -> Vec<Symbol> {
        let pick = |n: u64| match n % 7 {
            0 => Symbol::Fixed((n >> 8) as u16, n >> 40 & 1 != 0),
            1 => Symbol::Direct(n >> 3, (n >> 50) as u8 % 65),
            2 => Symbol::Bit((n >> 9) as u8, n >> 20 & 7 == 0),
            3 => Symbol::Mixed(n >> 33 & 3 == 0),
            4 => Symbol::Leaf((n >> 30) as u8),
            5 => Symbol::UInt(n >> (n >> 58)),
            _ => Symbol::Delta((n as i64) >> (n >> 58)),
        };
        numbers(seed).take(count).map(pick).collect()
    }

    #[test]
    fn many_symbols() {
        for (seed, count) in [(1, 0), (2, 1), (3, 10), (4, 1000), (5, 20_000)] {
            symbols_come_back(&symbols(seed, count));
            any_bytes_are_read(&noise(count / 3, seed), &symbols(seed, count));
        }
    }

    #[test]
    fn many_sections() {
        for seed in 0..60u64 {
            let lens = numbers(seed).map(|n| (dense_class(n as u8), (n >> 20) as usize % 300));
            let pieces: Vec<_> = lens.take(seed as usize % 7).collect();
            rans_section_is_read(&noise(seed as usize * 11, seed), &pieces);
            let full: Vec<_> = pieces.iter().map(|(class, len)| (*class, noise(*len, seed))).collect();
            rans_pieces_come_back(&full);
            dense_bytes_come_back(dense_class(seed as u8), &noise(100, seed));
        }
    }
}
