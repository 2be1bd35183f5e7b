//! Blocks and their arithmetic: `block_bits`, residual weight, fold.

use crate::error::Error;

/// `block_bits`, N: a multiple of 32 from 128 to 32768, 512 unless asked otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockBits(u32);

impl BlockBits {
    /// The smallest block, in bits.
    pub const MIN: u32 = 128;
    /// The largest block, in bits.
    pub const MAX: u32 = 32768;

    /// Checks N.
    pub fn new(bits: u32) -> Result<Self, Error> {
        if (Self::MIN..=Self::MAX).contains(&bits) && bits.is_multiple_of(32) {
            Ok(Self(bits))
        } else {
            Err(Error::BlockBits { found: bits.into() })
        }
    }

    /// N.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// N / 8.
    pub const fn bytes(self) -> usize {
        self.0 as usize / 8
    }

    /// N / 32, the W of mask making: 4 to 1024.
    pub const fn words(self) -> usize {
        self.0 as usize / 32
    }

    /// `min(weight, N - weight)`: a mask's complement is as good as the mask.
    pub const fn fold(self, weight: u32) -> u32 {
        let complement = self.0 - weight;
        if weight < complement { weight } else { complement }
    }
}

impl Default for BlockBits {
    fn default() -> Self {
        Self(512)
    }
}

/// Ones in the residual `block ^ mask`. Both have the same number of words.
#[inline]
pub fn weight(block: &[u32], mask: &[u32]) -> u32 {
    debug_assert_eq!(block.len(), mask.len());
    block.iter().zip(mask).map(|(b, m)| (b ^ m).count_ones()).sum()
}

/// Bytes as little-endian words. `bytes.len()` is a multiple of 4.
pub fn words_from_bytes(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    debug_assert!(bytes.len().is_multiple_of(4));
    bytes.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]))
}
