//! What host and shaders share: struct layouts, chunk sizes, the premixed form of blocks, hit limits.
//!
//! Tests hold every struct here against what naga computes for its namesake in `shaders/shared`.

use bytemuck::{Pod, Zeroable};
use np_core::block::BlockBits;

/// Threads in a workgroup, of every kernel.
pub const WORKGROUP: u32 = 128;
/// Most workgroups in one dimension of a dispatch (WebGPU's `maxComputeWorkgroupsPerDimension`).
pub const MAX_GROUPS: u32 = 65_535;
/// Bytes of a uniform binding every device takes (WebGPU's `maxUniformBufferBindingSize`).
pub const UNIFORM_BYTES: usize = 65_536;
/// Most words of a mask that need no output fed back: `624 - 397`.
pub const SHORT_WORDS: usize = np_core::generator::mt19937::SHORT_WORDS;
/// Most words of a mask a thread holds whole in registers.
pub const REGISTER_WORDS: usize = 32;

/// What a dispatch is told. `Params` in `shaders/shared/job.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Params {
    /// Seed of thread 0.
    pub first_seed: u32,
    /// Seeds of this dispatch.
    pub seeds: u32,
    /// Seeds between two quads of one mask in the mask buffer; for a join, bits of the table's hash.
    pub stride: u32,
    /// Blocks of this dispatch.
    pub blocks: u32,
    /// Number of its first block.
    pub first_block: u32,
    /// Hits the list can hold.
    pub capacity: u32,
    /// Zero.
    pub reserved: [u32; 2],
}

/// Which weights of a block are hits: `weight - low >= span`, modulo 2^32. `Limit` in `shaders/shared/blocks.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Limit {
    /// One more than the largest weight below the middle that is a hit.
    pub low: u32,
    /// Weights from `low` up that are none.
    pub span: u32,
    /// Zero.
    pub reserved: [u32; 2],
}

impl Limit {
    /// No weight is a hit.
    pub const NEVER: Self = Self { low: 0, span: u32::MAX, reserved: [0; 2] };

    /// Folds up to `bound` are hits; `None`: none is.
    pub fn new(block_bits: BlockBits, bound: Option<u32>) -> Self {
        let bits = block_bits.bits();
        match bound {
            None => Self::NEVER,
            Some(fold) if fold >= bits / 2 => Self { low: 0, span: 0, reserved: [0; 2] },
            Some(fold) => Self { low: fold + 1, span: bits - 2 * fold - 1, reserved: [0; 2] },
        }
    }

    /// Whether a residual of this weight is a hit.
    pub fn is_hit(&self, weight: u32) -> bool {
        weight.wrapping_sub(self.low) >= self.span
    }
}

/// A reported pair. `Hit` in `shaders/shared/job.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
pub struct Hit {
    /// Number of the block (zero for a join).
    pub block: u32,
    /// The seed.
    pub seed: u32,
}

/// Bytes before the first hit of a hit list: its count and a zero. `Hits` in `shaders/shared/job.wgsl`.
pub const HITS_HEADER: u64 = 8;

/// Quads (`vec4<u32>`) of a mask or block of `words` words; the last one's missing words are zero.
pub const fn quads(words: usize) -> usize {
    words.div_ceil(4)
}

/// Blocks of `words` words in one uniform binding: a multiple of 8, 16 to 1024.
pub const fn chunk_blocks(words: usize) -> usize {
    let fit = UNIFORM_BYTES / (16 * quads(words)) / 8 * 8;
    if fit < 1024 { fit } else { 1024 }
}

/// How the words of a mask are weighed: `(first word, size)` of each group, sizes 16, then perhaps 8, then perhaps 4.
pub fn groups(words: usize) -> Vec<(usize, usize)> {
    let padded = 4 * quads(words);
    let mut groups = Vec::new();
    let mut at = 0;
    for size in [16, 8, 4] {
        while padded - at >= size {
            groups.push((at, size));
            at += size;
        }
    }
    groups
}

/// Premixes a padded mask or block in place: in each group every even word but the first becomes the parity of all
/// words up to it (`shaders/shared/weigh.wgsl` says why).
pub fn premix(padded: &mut [u32]) {
    for (at, size) in groups(padded.len()) {
        let group = &mut padded[at..at + size];
        let mut parity = group[0];
        for j in (2..size).step_by(2) {
            parity ^= group[j - 1] ^ group[j];
            group[j] = parity;
        }
    }
}

/// The blocks as kernels read them: padded to whole quads, premixed, in chunks of [`chunk_blocks`], the last one filled up with zeros.
pub fn premixed_blocks(block_bits: BlockBits, blocks: &[u32]) -> Vec<u32> {
    let words = block_bits.words();
    let (padded, chunk) = (4 * quads(words), chunk_blocks(words));
    let count = blocks.len() / words;
    let mut out = vec![0; count.next_multiple_of(chunk) * padded];
    for (to, from) in out.chunks_exact_mut(padded).zip(blocks.chunks_exact(words)) {
        to[..words].copy_from_slice(from);
        premix(to);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_fold_test() {
        for bits in [128, 160, 512] {
            let block_bits = BlockBits::new(bits).unwrap();
            for bound in [0, 1, bits / 4, bits / 2 - 1, bits / 2, bits] {
                let limit = Limit::new(block_bits, Some(bound));
                for weight in 0..=bits {
                    assert_eq!(
                        limit.is_hit(weight),
                        block_bits.fold(weight) <= bound,
                        "{weight} of {bits}, {bound}"
                    );
                }
            }
            assert!((0..=bits).all(|weight| !Limit::NEVER.is_hit(weight)));
        }
    }

    #[test]
    fn groups_cover_every_word_once() {
        for words in 4..=1024 {
            let groups = groups(words);
            let mut at = 0;
            for (first, size) in groups {
                assert_eq!(first, at);
                at += size;
            }
            assert_eq!(at, 4 * quads(words));
            assert!(chunk_blocks(words) >= 16 && 16 * quads(words) * chunk_blocks(words) <= UNIFORM_BYTES);
        }
    }
}
