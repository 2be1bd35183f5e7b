//! Static-table rANS for dense residuals: nibbles by bias class, eight interleaved states
//! (FORMAT.md, "rANS section").
//!
//! Source: J. Duda, "Asymmetric numeral systems", arXiv:1311.2540; interleaving after F. Giesen,
//! arXiv:1402.3392. States are 64 bits, renormalised by 32-bit words once a byte; frequencies of nibbles sum
//! to 4096, so a byte's two make 2^24, and a state stays far enough above that.

use crate::bias::{CLASSES, FIRST_DENSE, p_one};

/// Interleaved states. Byte `j` of a piece belongs to state `j mod 8`.
pub const LANES: usize = 8;
const STATE_BYTES: usize = 8;
const WORD_BYTES: usize = 4;
const SCALE_BITS: u32 = 12;
const LOW: u64 = 1 << 32;

/// Why a rANS section cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// Frequencies of the sixteen nibbles in a dense class: `p^ones * (1-p)^zeros` rounded to 1/4096, at
/// least 1; nibble 0 takes what is left.
pub fn frequencies(class: u8) -> [u16; 16] {
    let one = u128::from(p_one(class));
    let zero = 65536 - one;
    let mut table = [0u16; 16];
    let mut sum = 0;
    for nibble in (0..16usize).rev() {
        let ones = nibble.count_ones();
        let share = one.pow(ones) * zero.pow(4 - ones);
        let f = ((share + (1 << 51)) >> 52).max(1) as u16;
        table[nibble] = if nibble == 0 { 4096 - sum } else { f };
        sum += f;
    }
    table
}

struct EncodeTable {
    start: [u16; 16],
    frequency: [u16; 16],
}

impl EncodeTable {
    fn new(class: u8) -> Self {
        let frequency = frequencies(class);
        let mut start = [0; 16];
        for i in 1..16 {
            start[i] = start[i - 1] + frequency[i - 1];
        }
        Self { start, frequency }
    }
}

/// Codes pieces: residual bytes with their dense classes. Each byte is two nibbles, low first; lanes
/// start anew at lane 0 with each piece.
pub fn encode<'a>(pieces: impl DoubleEndedIterator<Item = (u8, &'a [u8])>) -> Vec<u8> {
    let mut tables: [Option<EncodeTable>; CLASSES] = [const { None }; CLASSES];
    let mut state = [LOW; LANES];
    let mut words: Vec<u32> = Vec::new();
    for (class, bytes) in pieces.rev() {
        let table = tables[usize::from(class)].get_or_insert_with(|| EncodeTable::new(class));
        for (i, byte) in bytes.iter().enumerate().rev() {
            let x = &mut state[i % LANES];
            let nibbles = [usize::from(byte >> 4), usize::from(byte & 15)];
            let [high, low] = nibbles.map(|n| u64::from(table.frequency[n]));
            // No frequency is 4096, so this does not overflow.
            if *x >= (high * low) << (64 - 2 * SCALE_BITS) {
                words.push(*x as u32);
                *x >>= 32;
            }
            for (nibble, f) in nibbles.into_iter().zip([high, low]) {
                *x = ((*x / f) << SCALE_BITS) + *x % f + u64::from(table.start[nibble]);
            }
        }
    }
    let mut out = Vec::with_capacity(STATE_BYTES * LANES + WORD_BYTES * words.len());
    for x in state {
        out.extend_from_slice(&x.to_le_bytes());
    }
    for word in words.into_iter().rev() {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out
}

/// What each of the 4096 slots means. Fields have loads of their own: unpacking them from one would take longer.
struct DecodeTable {
    steps: [Step; 1 << SCALE_BITS],
    nibbles: [u8; 1 << SCALE_BITS],
}

/// How a state goes on from a slot.
#[derive(Clone, Copy, Default)]
struct Step {
    /// Its nibble's frequency.
    frequency: u16,
    /// Its place among the slots of that nibble.
    place: u16,
}

impl DecodeTable {
    fn new(class: u8) -> Box<Self> {
        let mut table =
            Box::new(Self { steps: [Step::default(); 1 << SCALE_BITS], nibbles: [0; 1 << SCALE_BITS] });
        let mut slot = 0;
        for (nibble, frequency) in frequencies(class).into_iter().enumerate() {
            for place in 0..frequency {
                table.steps[slot] = Step { frequency, place };
                table.nibbles[slot] = nibble as u8;
                slot += 1;
            }
        }
        table
    }
}

/// Decodes pieces in the order they were coded.
pub struct Decoder<'a> {
    state: [u64; LANES],
    input: &'a [u8],
    at: usize,
    tables: [Option<Box<DecodeTable>>; CLASSES],
}

impl<'a> Decoder<'a> {
    /// Reads the states.
    pub fn new(input: &'a [u8]) -> Result<Self, Damaged> {
        let (head, input) = input.split_at_checked(STATE_BYTES * LANES).ok_or(Damaged)?;
        let mut state = [0; LANES];
        for (x, bytes) in state.iter_mut().zip(head.as_chunks().0) {
            *x = u64::from_le_bytes(*bytes);
            if *x < LOW {
                return Err(Damaged);
            }
        }
        Ok(Self { state, input, at: 0, tables: [const { None }; CLASSES] })
    }

    /// XORs the next piece, of dense class `class`, onto `out`.
    pub fn xor(&mut self, class: u8, out: &mut [u8]) -> Result<(), Damaged> {
        debug_assert!(class >= FIRST_DENSE);
        let table = &**self.tables[usize::from(class)].get_or_insert_with(|| DecodeTable::new(class));
        let mut state = self.state;
        let (rounds, rest) = out.as_chunks_mut();
        for round_out in rounds {
            // A round reads at most one word a lane; with that many left no check is needed inside.
            if let Some(words) = self.input.get(self.at..self.at + WORD_BYTES * LANES) {
                self.at += WORD_BYTES * round(table, &mut state, words, round_out);
            } else {
                careful(table, &mut state, self.input, &mut self.at, round_out)?;
            }
        }
        careful(table, &mut state, self.input, &mut self.at, rest)?;
        self.state = state;
        Ok(())
    }

    /// Checks that everything was read and every state is back where the encoder began.
    pub fn finish(self) -> Result<(), Damaged> {
        let done = self.at == self.input.len() && self.state.iter().all(|x| *x == LOW);
        if done { Ok(()) } else { Err(Damaged) }
    }
}

/// Takes a byte, low nibble first, out of a state, which is then to be renormalised.
#[inline(always)]
fn take(table: &DecodeTable, x: &mut u64) -> u8 {
    let mut nibble = || {
        let slot = (*x & ((1 << SCALE_BITS) - 1)) as usize;
        let Step { frequency, place } = table.steps[slot];
        *x = u64::from(frequency) * (*x >> SCALE_BITS) + u64::from(place);
        table.nibbles[slot]
    };
    nibble() | nibble() << 4
}

/// One byte of each state; returns the words used. Whether a state takes a word is a coin's toss, so there is
/// no branch on it.
#[inline(always)]
fn round(table: &DecodeTable, state: &mut [u64; LANES], words: &[u8], out: &mut [u8; LANES]) -> usize {
    let words: &[[u8; WORD_BYTES]; LANES] = words.as_chunks().0.try_into().expect("a word for each state");
    let mut used = 0;
    for (x, byte) in state.iter_mut().zip(out) {
        *byte ^= take(table, x);
        let word = u64::from(u32::from_le_bytes(words[used % LANES]));
        let short = *x < LOW;
        *x = std::hint::select_unpredictable(short, *x << 32 | word, *x);
        used += usize::from(short);
    }
    used
}

/// The same with every read checked: for the last bytes of a piece or of the input.
fn careful(
    table: &DecodeTable,
    state: &mut [u64; LANES],
    input: &[u8],
    at: &mut usize,
    out: &mut [u8],
) -> Result<(), Damaged> {
    for (i, byte) in out.iter_mut().enumerate() {
        let x = &mut state[i % LANES];
        *byte ^= take(table, x);
        if *x < LOW {
            let word = input.get(*at..).and_then(|rest| rest.first_chunk()).ok_or(Damaged)?;
            *x = *x << 32 | u64::from(u32::from_le_bytes(*word));
            *at += WORD_BYTES;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bias::{DENSE, dense_cost};
    use crate::price::FINE_BIT;

    fn biased(len: usize, class: u8, seed: u64) -> Vec<u8> {
        let mut s = seed;
        let mut bit = || {
            s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (s >> 48) < u64::from(p_one(class))
        };
        (0..len).map(|_| (0..8).fold(0, |b, i| b | u8::from(bit()) << i)).collect()
    }

    #[test]
    fn frequencies_fill_the_scale() {
        for i in 0..DENSE.len() {
            let f = frequencies(i as u8 + FIRST_DENSE);
            assert_eq!(f.iter().map(|f| u32::from(*f)).sum::<u32>(), 4096);
            assert!(f.iter().all(|f| *f >= 1));
        }
    }

    #[test]
    fn pieces_of_any_length_and_class_survive_near_their_price() {
        let long = if cfg!(miri) { 1001 } else { 100_001 };
        let pieces: Vec<(u8, Vec<u8>)> =
            [(2, 0), (2, 1), (40, 7), (63, 8), (33, 9), (20, 64), (63, long / 25), (2, long)]
                .into_iter()
                .enumerate()
                .map(|(i, (class, len))| (class, biased(len, class, i as u64)))
                .collect();
        let coded = encode(pieces.iter().map(|(c, b)| (*c, &b[..])));
        let mut decoder = Decoder::new(&coded).unwrap();
        for (class, bytes) in &pieces {
            let mut out = vec![0xa5; bytes.len()];
            decoder.xor(*class, &mut out).unwrap();
            assert!(out.iter().zip(bytes).all(|(o, b)| *o == b ^ 0xa5));
        }
        decoder.finish().unwrap();
        let price: u64 = pieces
            .iter()
            .map(|(c, b)| {
                dense_cost(*c, 8 * b.len() as u64, b.iter().map(|b| u64::from(b.count_ones())).sum())
            })
            .sum();
        let bits = price / FINE_BIT;
        let size = 8 * (coded.len() - STATE_BYTES * LANES) as u64;
        assert!(size < bits + bits / 200 + 300, "{size} bits for {bits}");
    }

    #[test]
    fn whole_rounds_are_the_careful_step_for_each_state() {
        for (i, class) in [(0, FIRST_DENSE), (1, 20), (2, 42), (3, 63)] {
            let len = if cfg!(miri) { 400 } else { 4000 };
            let bytes = biased(len, class, i);
            let coded = encode([(class, &bytes[..])].into_iter());
            let mut decoder = Decoder::new(&coded).unwrap();
            let mut state = decoder.state;
            let (table, mut at) = (DecodeTable::new(class), 0);
            let (mut fast, mut slow) = (vec![0x33; len], vec![0x33; len]);
            // Pieces of whole rounds, so that the states of both can be compared after each.
            for (fast, slow) in fast.chunks_mut(80).zip(slow.chunks_mut(80)) {
                decoder.xor(class, fast).unwrap();
                careful(&table, &mut state, &coded[STATE_BYTES * LANES..], &mut at, slow).unwrap();
                assert_eq!((decoder.state, decoder.at), (state, at), "class {class}");
            }
            assert!(fast == slow && fast.iter().zip(&bytes).all(|(f, b)| f ^ 0x33 == *b));
        }
    }

    #[test]
    fn damage_is_an_error_not_a_panic() {
        let bytes = biased(1000, 20, 1);
        let coded = encode([(20, &bytes[..])].into_iter());
        for cut in (0..coded.len()).step_by(if cfg!(miri) { 97 } else { 1 }) {
            let result = Decoder::new(&coded[..cut]).and_then(|mut d| {
                d.xor(20, &mut vec![0; 1000])?;
                d.finish()
            });
            assert_eq!(result, Err(Damaged), "cut at {cut}");
        }
    }
}
