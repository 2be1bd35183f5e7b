//! Adaptive models for the range coder: a bit, a tree of bits, an unsigned and a signed integer.
//! FORMAT.md, "Models".

use super::coder::Coder;

/// Probability that a bit is 0, learned: after n bits it moves by 1/(n + 1.5) of the error, at last by 1/128.
#[derive(Clone, Copy, Debug)]
pub struct Bit {
    p: u16,
    seen: u8,
}

/// `floor(2^17 / (2n + 3))`: the step for the n-th bit, in 1/65536.
static STEP: [u32; 127] = {
    let mut table = [0; 127];
    let mut n = 0;
    while n < 127 {
        table[n] = (1 << 17) / (2 * n as u32 + 3);
        n += 1;
    }
    table
};

/// No probability is nearer to 0 or 1 than 32/65536.
const EDGE: i64 = 32;

impl Default for Bit {
    fn default() -> Self {
        Self { p: 0x8000, seen: 0 }
    }
}

impl Bit {
    /// Probability of 0, in 1/65536.
    #[inline]
    pub fn p(self) -> u16 {
        self.p
    }

    /// Takes in the bit that was coded.
    #[inline]
    pub fn learn(&mut self, bit: bool) {
        let target = if bit { 0 } else { 65536 };
        let step = i64::from(STEP[self.seen as usize]);
        let p = i64::from(self.p) + (((target - i64::from(self.p)) * step) >> 16);
        self.p = p.clamp(EDGE, 65536 - EDGE) as u16;
        self.seen = (self.seen + 1).min(126);
    }
}

/// A number of `BITS` bits, highest first, each bit in the context of those before it. `LEAVES = 2^BITS`.
#[derive(Clone, Debug)]
pub struct Tree<const LEAVES: usize> {
    nodes: [Bit; LEAVES],
}

impl<const LEAVES: usize> Default for Tree<LEAVES> {
    fn default() -> Self {
        Self { nodes: [Bit::default(); LEAVES] }
    }
}

impl<const LEAVES: usize> Tree<LEAVES> {
    /// Codes `value < LEAVES`.
    #[inline]
    pub fn code(&mut self, coder: &mut impl Coder, value: usize) -> usize {
        let bits = LEAVES.ilog2();
        let mut node = 1;
        for i in (0..bits).rev() {
            let bit = coder.bit(&mut self.nodes[node], value >> i & 1 != 0);
            node = node << 1 | usize::from(bit);
        }
        node - LEAVES
    }
}

/// An unsigned integer of up to 64 bits: its bit length by a tree, the three bits below the leading one
/// by a tree for each length, the rest as direct bits.
#[derive(Clone, Debug)]
pub struct UInt {
    length: Tree<128>,
    top: Vec<Tree<8>>,
}

impl Default for UInt {
    fn default() -> Self {
        Self { length: Tree::default(), top: vec![Tree::default(); 65] }
    }
}

impl UInt {
    /// Codes `value`. A reader of damaged data may get any value.
    pub fn code(&mut self, coder: &mut impl Coder, value: u64) -> u64 {
        let length = self.length.code(coder, 64 - value.leading_zeros() as usize).min(64) as u32;
        if length <= 1 {
            return u64::from(length);
        }
        let below = length - 1;
        let top_bits = below.min(3);
        let top = self.top_part(
            coder,
            length,
            top_bits,
            (value >> (below - top_bits)) as usize & ((1 << top_bits) - 1),
        );
        let rest = coder.direct(value, below - top_bits);
        (1 << top_bits | top as u64) << (below - top_bits) | rest
    }

    fn top_part(&mut self, coder: &mut impl Coder, length: u32, bits: u32, value: usize) -> usize {
        let nodes = &mut self.top[length as usize].nodes;
        let mut node = 1;
        for i in (0..bits).rev() {
            node = node << 1 | usize::from(coder.bit(&mut nodes[node], value >> i & 1 != 0));
        }
        node - (1 << bits)
    }
}

/// A non-zero signed integer: its sign, then its magnitude less one.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    sign: Bit,
    magnitude: UInt,
}

impl Delta {
    /// Codes `value`, which is not 0 and below 2^63 in magnitude.
    pub fn code(&mut self, coder: &mut impl Coder, value: i64) -> i64 {
        let negative = coder.bit(&mut self.sign, value < 0);
        let magnitude =
            self.magnitude.code(coder, value.unsigned_abs().wrapping_sub(1)) & (i64::MAX as u64 >> 1);
        let magnitude = magnitude as i64 + 1;
        if negative { -magnitude } else { magnitude }
    }
}

#[cfg(test)]
mod tests {
    use super::super::coder::{RangeDecoder, RangeEncoder};
    use super::*;

    #[test]
    fn integers_of_every_length_survive() {
        let values: Vec<u64> = (0..64)
            .flat_map(|k| [(1u64 << k) - 1, 1 << k, (1 << k) + (1 << k) / 3])
            .chain([u64::MAX])
            .collect();
        let mut encoder = RangeEncoder::default();
        let mut model = UInt::default();
        let mut delta = Delta::default();
        for v in &values {
            model.code(&mut encoder, *v);
            delta.code(&mut encoder, (*v >> 2) as i64 + 1);
            delta.code(&mut encoder, -((*v >> 2) as i64) - 1);
        }
        let coded = encoder.finish();
        let mut decoder = RangeDecoder::new(&coded);
        let mut model = UInt::default();
        let mut delta = Delta::default();
        for v in &values {
            assert_eq!(model.code(&mut decoder, 0), *v);
            assert_eq!(delta.code(&mut decoder, 0), (*v >> 2) as i64 + 1);
            assert_eq!(delta.code(&mut decoder, 0), -((*v >> 2) as i64) - 1);
        }
        assert!(!decoder.overrun());
    }

    #[test]
    fn a_constant_costs_almost_nothing() {
        let mut encoder = RangeEncoder::default();
        let mut model = UInt::default();
        for _ in 0..10000 {
            model.code(&mut encoder, 4095);
        }
        // The eight direct bits below the three modelled ones are all that is left.
        assert!(encoder.finish().len() < 10000 * 8 / 8 + 200);
    }
}
