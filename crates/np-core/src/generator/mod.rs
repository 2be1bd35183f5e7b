//! Generators, seedings and keys: what a mask can come from. Open enums; the format carries their ids.

mod jump;
pub mod lanes;
pub mod mt19937;
mod vectors;

use crate::error::Error;
use mt19937::Mt19937;

/// A deterministic bit stream chosen by a key. FORMAT.md, "Generators".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Generator {
    /// The 32-bit Mersenne Twister.
    Mt19937,
}

impl Generator {
    /// The number that names this generator in a packed file.
    pub const fn id(self) -> u64 {
        match self {
            Self::Mt19937 => 1,
        }
    }

    /// The generator a packed file names.
    pub fn from_id(id: u64) -> Result<Self, Error> {
        match id {
            1 => Ok(Self::Mt19937),
            id => Err(Error::UnknownGenerator { id }),
        }
    }

    /// The name people know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mt19937 => "mt19937",
        }
    }
}

/// How a key fills the generator's state. FORMAT.md, "Generators".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Seeding {
    /// `init_genrand(u32)`: C++ `std::mt19937`, NumPy `RandomState(int)`, PHP `mt_srand`.
    Genrand,
    /// `init_by_array(u32 words)`: CPython `random.seed(int)`, Ruby `Random.new`.
    ByArray,
    /// The 624 state words themselves.
    State,
}

impl Seeding {
    /// The number that names this seeding in a packed file.
    pub const fn id(self) -> u64 {
        match self {
            Self::Genrand => 0,
            Self::ByArray => 1,
            Self::State => 2,
        }
    }

    /// The seeding a packed file names.
    pub fn from_id(id: u64) -> Result<Self, Error> {
        match id {
            0 => Ok(Self::Genrand),
            1 => Ok(Self::ByArray),
            2 => Ok(Self::State),
            id => Err(Error::UnknownSeeding { id }),
        }
    }

    /// The design's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genrand => "genrand",
            Self::ByArray => "by_array",
            Self::State => "state",
        }
    }
}

/// A generator, a seeding and the seed itself: everything that fixes a stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Key {
    /// MT19937 seeded by one word.
    Genrand(u32),
    /// MT19937 seeded by 1 to [`Key::MAX_ARRAY`] words.
    ByArray(Vec<u32>),
    /// MT19937 from 624 state words; the first output follows a twist of them.
    State(Box<[u32; mt19937::N]>),
}

impl Key {
    /// Most words a `by_array` key may have: longer ones cost more than the state they lead to.
    pub const MAX_ARRAY: usize = mt19937::N;

    /// The generator of this key.
    pub const fn generator(&self) -> Generator {
        Generator::Mt19937
    }

    /// The seeding of this key.
    pub const fn seeding(&self) -> Seeding {
        match self {
            Self::Genrand(_) => Seeding::Genrand,
            Self::ByArray(_) => Seeding::ByArray,
            Self::State(_) => Seeding::State,
        }
    }

    /// The key's words, lowest first.
    pub fn words(&self) -> &[u32] {
        match self {
            Self::Genrand(seed) => std::slice::from_ref(seed),
            Self::ByArray(words) => words,
            Self::State(words) => &words[..],
        }
    }

    /// The key's stream, from its first byte.
    pub fn stream(&self) -> Stream {
        let mt = match self {
            Self::Genrand(seed) => Mt19937::genrand(*seed),
            Self::ByArray(words) => Mt19937::by_array(words),
            Self::State(words) => Mt19937::from_state(**words),
        };
        Stream { mt, position: 0, partial: 0 }
    }
}

/// A key's output as bytes, words little-endian, with a byte position.
#[derive(Clone, Debug)]
pub struct Stream {
    mt: Mt19937,
    position: u64,
    /// The word `position` stands in, when it is not at a word's start.
    partial: u32,
}

impl Stream {
    /// Bytes from the stream's start to the next byte out.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Leaves out the next `bytes` bytes. Costs a twist per 2,496 bytes.
    pub fn skip(&mut self, bytes: u64) {
        let target = self.position + bytes;
        let made = self.position.div_ceil(4);
        let whole = target / 4;
        if whole >= made {
            self.mt.skip_words(whole - made);
            if !target.is_multiple_of(4) {
                self.partial = self.mt.next_word();
            }
        }
        self.position = target;
    }

    /// Writes the next `out.len()` bytes of the stream.
    pub fn fill(&mut self, out: &mut [u8]) {
        out.fill(0);
        self.xor(out);
    }

    /// XORs the next `data.len()` bytes of the stream onto `data`.
    pub fn xor(&mut self, data: &mut [u8]) {
        let phase = (self.position % 4) as usize;
        self.position += data.len() as u64;
        let begun = if phase == 0 { 0 } else { data.len().min(4 - phase) };
        let (first, data) = data.split_at_mut(begun);
        xor_bytes(first, &self.partial.to_le_bytes()[phase..]);
        let (words, last) = data.split_at_mut(data.len() / 4 * 4);
        self.mt.xor(words);
        if !last.is_empty() {
            self.partial = self.mt.next_word();
            xor_bytes(last, &self.partial.to_le_bytes());
        }
    }
}

fn xor_bytes(data: &mut [u8], mask: &[u8]) {
    for (d, m) in data.iter_mut().zip(mask) {
        *d ^= m;
    }
}

/// Writes the first `mask.len()` words of the `genrand` stream of `seed`: a block's mask.
pub fn mask_words(seed: u32, mask: &mut [u32]) {
    if mask.len() <= mt19937::SHORT_WORDS {
        mt19937::first_words(seed, mask);
    } else {
        Mt19937::genrand(seed).fill_words(mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::Level;

    /// Instruction sets to test: what the machine has, and what is below it.
    pub(super) fn levels() -> Vec<Level> {
        let native = Level::new();
        let mut levels = vec![native, Level::baseline()];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(native.as_sse4_2().map(Level::Sse4_2));
            levels.extend(native.as_avx2().map(Level::Avx2));
        }
        levels
    }

    #[test]
    fn streams_read_in_any_pieces_are_the_same_bytes() {
        let mut whole = vec![0; 6000];
        Key::Genrand(7).stream().fill(&mut whole);
        for step in [1, 2, 3, 4, 5, 7, 64, 2495, 2496, 2497] {
            let mut stream = Key::Genrand(7).stream();
            let mut out = vec![0; 6000];
            for piece in out.chunks_mut(step) {
                stream.fill(piece);
            }
            assert_eq!(out, whole, "pieces of {step}");
            assert_eq!(stream.position(), 6000);
        }
        for skip in [0, 1, 2, 3, 4, 5, 2495, 2496, 2497, 4999] {
            for first in [0, 1, 3, 4, 6] {
                let mut stream = Key::Genrand(7).stream();
                stream.skip(first);
                stream.skip(skip);
                let mut out = [0; 9];
                stream.fill(&mut out);
                let at = (first + skip) as usize;
                assert_eq!(out, whole[at..at + 9], "skip {first} then {skip}");
            }
        }
    }

    #[test]
    fn long_masks_continue_short_ones() {
        let mut long = vec![0; 1024];
        mask_words(99, &mut long);
        let mut short = vec![0; 227];
        mask_words(99, &mut short);
        assert_eq!(long[..227], short);
    }
}
