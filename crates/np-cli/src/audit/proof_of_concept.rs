//! The proof of concept, reproduced: what it tried, what it took, and what it believed to have paid.
//!
//! Three blocks of 512 bits make a chunk; what is left at the end is dropped. From the current seed `c`, 0 at first, it
//! tries the candidates `|c + offset|` for the offsets 0, +1, -1, ... +7999, -7999. A candidate's pattern is NumPy's
//! `RandomState(candidate).randint(0, 256, size=3)`, the low bytes of its first three MT19937 outputs; each block is
//! XORed with its byte, tiled. The first candidate that makes the share of zeros 0.525 or more, a block counting
//! as its complement where that has more, is the chunk's.

use np_core::generator::mask_words;

/// Bytes of a block.
const BLOCK_BYTES: usize = 64;
/// Blocks of a chunk.
const BLOCKS: usize = 3;
/// Bytes of a chunk.
pub const CHUNK_BYTES: usize = BLOCKS * BLOCK_BYTES;
/// Bits of a chunk.
pub const CHUNK_BITS: u32 = 8 * CHUNK_BYTES as u32;
/// What a chunk costs that is not packed: its bits and a flag.
pub const RAW_BITS: f64 = (CHUNK_BITS + 1) as f64;
/// Offsets are below this.
const OFFSETS: i32 = 8000;
/// Zeros that make the share 0.525: `807 / 1536 = 0.5254`, `806 / 1536 = 0.5247`.
pub const ZEROS_WANTED: u32 = 807;

/// What became of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chunk {
    /// Whether it was packed.
    pub packed: bool,
    /// From the current seed to the candidate; 0 unless packed.
    pub offset: i32,
    /// Zeros of the residual, of 1,536; 0 unless packed.
    pub zeros: u32,
    /// Bits, as the proof of concept counts them.
    pub cost: f64,
    /// The current seed afterwards.
    pub seed: u32,
}

impl Chunk {
    /// Bits saved, as the proof of concept counts them.
    pub fn gain(&self) -> f64 {
        f64::from(CHUNK_BITS) - self.cost
    }
}

/// Mines every whole chunk of `input`, in order.
pub fn mine(input: &[u8]) -> Vec<Chunk> {
    let mut seed = 0;
    input
        .chunks_exact(CHUNK_BYTES)
        .map(|bytes| {
            let chunk = mine_chunk(bytes, seed);
            seed = chunk.seed;
            chunk
        })
        .collect()
}

fn mine_chunk(bytes: &[u8], seed: u32) -> Chunk {
    let columns: [[u32; 8]; BLOCKS] =
        std::array::from_fn(|i| columns(&bytes[i * BLOCK_BYTES..][..BLOCK_BYTES]));
    let offsets = std::iter::once(0).chain((1..OFFSETS).flat_map(|d| [d, -d]));
    for offset in offsets {
        let candidate = (i64::from(seed) + i64::from(offset)).unsigned_abs() as u32;
        let mut outputs = [0; BLOCKS];
        mask_words(candidate, &mut outputs);
        let zeros = columns.iter().zip(outputs).map(|(columns, output)| zeros(columns, output as u8)).sum();
        if zeros < ZEROS_WANTED {
            continue;
        }
        let cost = cost(offset, zeros);
        if cost < RAW_BITS {
            return Chunk { packed: true, offset, zeros, cost, seed: candidate };
        }
        break;
    }
    Chunk { packed: false, offset: 0, zeros: 0, cost: RAW_BITS, seed }
}

/// Ones of a block at each of the eight places of a byte.
fn columns(block: &[u8]) -> [u32; 8] {
    std::array::from_fn(|place| block.iter().map(|byte| u32::from(byte >> place & 1)).sum())
}

/// Zeros of a block XORed with a tiled byte, or of its complement if that has more.
fn zeros(columns: &[u32; 8], pattern: u8) -> u32 {
    let block = BLOCK_BYTES as u32;
    let zero = |(place, ones): (usize, &u32)| if pattern >> place & 1 == 1 { *ones } else { block - ones };
    let zeros: u32 = columns.iter().enumerate().map(zero).sum();
    zeros.max(8 * block - zeros)
}

/// What it reckons a packed chunk costs: a flag, its delta code, and the entropy of the residual.
fn cost(offset: i32, zeros: u32) -> f64 {
    let ratio = f64::from(zeros) / f64::from(CHUNK_BITS);
    f64::from(1 + delta_bits(offset)) + f64::from(CHUNK_BITS) * entropy(ratio)
}

/// Its delta code: 1 bit for 0, else `ceil(log2 |offset|) + 2` bits, which cannot be told apart when read.
pub fn delta_bits(offset: i32) -> u32 {
    match offset.unsigned_abs() {
        0 => 1,
        distance => distance.next_power_of_two().ilog2() + 2,
    }
}

/// Bits of a bit that is 1 with probability `p`.
pub fn entropy(p: f64) -> f64 {
    let term = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    term(p) + term(1.0 - p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use np_core::generator::Key;

    /// `RandomState(20261122).bytes(51200)`.
    fn known_input() -> Vec<u8> {
        let mut input = vec![0; 51_200];
        Key::Genrand(20_261_122).stream().fill(&mut input);
        input
    }

    #[test]
    fn every_chunk_is_the_known_answer() {
        let known: serde_json::Value = serde_json::from_str(include_str!("known_answers.json")).unwrap();
        let chunks = mine(&known_input());
        let rows = known["chunks"].as_array().unwrap();
        assert_eq!((rows.len(), chunks.len()), (266, 266));
        for (i, (chunk, row)) in chunks.iter().zip(rows).enumerate() {
            let number = |column: usize| row[column].as_f64().unwrap();
            assert_eq!(f64::from(u8::from(chunk.packed)), number(0), "chunk {i}");
            assert_eq!(f64::from(chunk.offset), number(1), "chunk {i}");
            assert!((chunk.cost - number(2)).abs() < 1e-6, "chunk {i}: {} is not {}", chunk.cost, number(2));
            assert_eq!(f64::from(chunk.seed), number(3), "chunk {i}");
        }
        assert_eq!(chunks.iter().filter(|chunk| chunk.packed).count() as u64, known["chunks_packed"]);
        let bits: f64 = chunks.iter().map(|chunk| chunk.cost).sum();
        assert_eq!(bits.round() as u64, known["packed_bits"]);
        assert_eq!(266 * u64::from(CHUNK_BITS), known["original_bits"]);
    }

    /// One flipped bit changes what is found: the comparison above can fail.
    #[test]
    fn the_known_answer_is_of_that_input_only() {
        let mut input = known_input();
        let before = mine(&input);
        input[0] ^= 1;
        assert_ne!(before, mine(&input));
    }

    /// No decision is so close that a logarithm's last digit could turn it.
    #[test]
    fn decisions_do_not_hang_on_rounding() {
        assert!(f64::from(ZEROS_WANTED) / 1536.0 >= 0.525 && f64::from(ZEROS_WANTED - 1) / 1536.0 < 0.525);
        for zeros in ZEROS_WANTED..=CHUNK_BITS {
            for offset in [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 7999] {
                assert!((cost(offset, zeros) - RAW_BITS).abs() > 1e-6, "{zeros} zeros, offset {offset}");
            }
        }
    }

    #[test]
    fn delta_codes_are_the_formula() {
        for offset in 1..OFFSETS {
            let formula = f64::from(offset).log2().ceil() as u32 + 2;
            assert_eq!((delta_bits(offset), delta_bits(-offset)), (formula, formula));
        }
        assert_eq!(delta_bits(0), 1);
    }

    #[test]
    fn zeros_are_counted_as_the_xor_has_them() {
        let input = known_input();
        for pattern in [0u8, 1, 0x5a, 0xff] {
            let block = &input[..BLOCK_BYTES];
            let direct: u32 = block.iter().map(|byte| (byte ^ pattern).count_zeros()).sum();
            assert_eq!(zeros(&columns(block), pattern), direct.max(512 - direct));
        }
    }

    #[test]
    fn short_inputs_have_no_chunk() {
        assert!(mine(&[]).is_empty() && mine(&[0; CHUNK_BYTES - 1]).is_empty());
        // A tiled byte leaves a block of zeros regular, so the first candidates do.
        assert!(mine(&[0; CHUNK_BYTES])[0].packed);
    }
}
