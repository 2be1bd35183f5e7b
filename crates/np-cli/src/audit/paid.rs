//! The proof of concept's plan, paid in full: what a decoder would have to be told, at the cheapest price we know.
//!
//! The same chunks are packed with the same candidates. What is paid besides: which of the three blocks were
//! complemented; the ratio, without which no entropy decoder can begin; the delta in a code that can be told
//! apart when read (the Elias gamma code of the zigzag delta); and the bytes after the last whole chunk.

use super::proof_of_concept::{CHUNK_BITS, CHUNK_BYTES, Chunk, ZEROS_WANTED, delta_bits, entropy};

/// Bits of the number of zeros of a chunk: `log2(1536 - 807 + 1)`, rounded up.
const RATIO_BITS: f64 = 10.0;
/// One bit a block tells whether it was complemented.
const POLARITY_BITS: f64 = 3.0;

/// Where the bits went that the proof of concept did not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unpaid {
    /// Which blocks were complemented.
    pub polarity: f64,
    /// The ratios: one for all or each its own, whichever is cheaper, with what a common one costs the residuals.
    pub ratio: f64,
    /// What a prefix-free delta code costs more.
    pub delta: f64,
    /// The bytes that were dropped.
    pub tail: f64,
}

/// The account.
#[derive(Clone, Debug, PartialEq)]
pub struct Paid {
    /// Bits of each whole chunk.
    pub chunks: Vec<f64>,
    /// Bits of all: chunks, tail, and what is told once.
    pub total: f64,
    /// What was not counted before.
    pub unpaid: Unpaid,
}

impl Paid {
    /// Bits saved, of an input of `bytes` bytes.
    pub fn gain(&self, bytes: usize) -> f64 {
        8.0 * bytes as f64 - self.total
    }
}

/// Prices `chunks`, which the proof of concept made of an input of `bytes` bytes.
pub fn price(chunks: &[Chunk], bytes: usize) -> Paid {
    let packed = || chunks.iter().filter(|chunk| chunk.packed);
    let count = packed().count() as f64;
    let zeros: u64 = packed().map(|chunk| u64::from(chunk.zeros)).sum();
    // The whole file's ratio, as a count for 1,536 bits.
    let common = match count {
        0.0 => ZEROS_WANTED,
        count => (zeros as f64 / count).round() as u32,
    };
    let own = |chunk: &Chunk| f64::from(CHUNK_BITS) * entropy(f64::from(chunk.zeros) / f64::from(CHUNK_BITS));
    let with_common: f64 = RATIO_BITS + packed().map(|chunk| residual(chunk.zeros, common)).sum::<f64>();
    let with_own: f64 = packed().map(|chunk| RATIO_BITS + own(chunk)).sum();
    let share = with_common < with_own;

    let mut unpaid = Unpaid { tail: 8.0 * (bytes % CHUNK_BYTES) as f64, ..Unpaid::default() };
    // Which of the two ways to tell the ratio.
    unpaid.ratio = if count > 0.0 { 1.0 + if share { RATIO_BITS } else { 0.0 } } else { 0.0 };
    let once = unpaid.ratio;
    let costs: Vec<f64> = chunks
        .iter()
        .map(|chunk| {
            if !chunk.packed {
                return chunk.cost;
            }
            let delta = f64::from(gamma_bits(zigzag(chunk.offset) + 1) - delta_bits(chunk.offset));
            let ratio = if share { residual(chunk.zeros, common) - own(chunk) } else { RATIO_BITS };
            unpaid.polarity += POLARITY_BITS;
            unpaid.delta += delta;
            unpaid.ratio += ratio;
            chunk.cost + POLARITY_BITS + delta + ratio
        })
        .collect();
    let total = costs.iter().sum::<f64>() + once + unpaid.tail;
    Paid { chunks: costs, total, unpaid }
}

/// Bits of a residual with `zeros` zeros that is coded as if it had `common`. A certainty that fails would cost
/// without end, so the ratio is kept one half of a bit away from it.
fn residual(zeros: u32, common: u32) -> f64 {
    let all = f64::from(CHUNK_BITS);
    let p = f64::from(common).min(all - 0.5) / all;
    -(f64::from(zeros) * p.log2() + f64::from(CHUNK_BITS - zeros) * (1.0 - p).log2())
}

/// 0, -1, +1, -2, +2, ... to 0, 1, 2, 3, 4, ...
fn zigzag(offset: i32) -> u32 {
    (offset << 1 ^ offset >> 31) as u32
}

/// Bits of the Elias gamma code of `n >= 1`.
fn gamma_bits(n: u32) -> u32 {
    2 * n.ilog2() + 1
}

#[cfg(test)]
mod tests {
    use super::super::proof_of_concept::{RAW_BITS, mine};
    use super::*;
    use np_core::generator::Key;

    #[test]
    fn gamma_codes_can_be_told_apart() {
        assert_eq!([0, -1, 1, -2, 2].map(zigzag), [0, 1, 2, 3, 4]);
        assert_eq!([1, 2, 3, 4, 7, 8].map(gamma_bits), [1, 3, 3, 5, 5, 7]);
        // Kraft: what can be told apart has a sum of at most 1. The proof of concept's own code has more.
        let sum = |bits: fn(i32) -> u32| (-7999..8000).map(|d| 0.5f64.powi(bits(d) as i32)).sum::<f64>();
        assert!(sum(|d| gamma_bits(zigzag(d) + 1)) <= 1.0);
        assert!(sum(delta_bits) > 4.0);
    }

    #[test]
    fn nothing_packed_costs_its_bits_and_flags() {
        let raw = Chunk { packed: false, offset: 0, zeros: 0, cost: RAW_BITS, seed: 0 };
        let paid = price(&[raw; 4], 4 * CHUNK_BYTES + 7);
        assert_eq!(paid.total, 4.0 * 1537.0 + 56.0);
        assert_eq!(paid.gain(4 * CHUNK_BYTES + 7), -4.0);
        assert_eq!(price(&[], 5).total, 40.0);
    }

    #[test]
    fn one_packed_chunk_is_priced_by_hand() {
        let chunk = Chunk { packed: true, offset: -3, zeros: 1024, cost: 1410.5, seed: 0 };
        let paid = price(&[chunk], CHUNK_BYTES);
        // One ratio either way, 10 bits, and 1 for which way; gamma(6) has 5 bits where 4 were counted.
        assert_eq!((paid.unpaid.polarity, paid.unpaid.delta, paid.unpaid.tail), (3.0, 1.0, 0.0));
        assert!((paid.unpaid.ratio - 11.0).abs() < 1e-9);
        assert!((paid.total - (1410.5 + 3.0 + 1.0 + 11.0)).abs() < 1e-9);
    }

    #[test]
    fn the_parts_add_up_and_every_random_input_loses() {
        for seed in 0..40 {
            let mut input = vec![0; 51_200];
            Key::Genrand(seed).stream().fill(&mut input);
            let chunks = mine(&input);
            let paid = price(&chunks, input.len());
            let before: f64 = chunks.iter().map(|chunk| chunk.cost).sum();
            let Unpaid { polarity, ratio, delta, tail } = paid.unpaid;
            assert!((paid.total - before - polarity - ratio - delta - tail).abs() < 1e-6);
            assert_eq!(tail, 1024.0);
            assert!(paid.gain(input.len()) < -300.0, "seed {seed}: {}", paid.gain(input.len()));
        }
    }
}
