//! MT19937: the state, its three seedings, fill, skip, and the short form for the first words.
//!
//! Source: M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998, and the
//! authors' `mt19937ar.c` (2002), whose `init_genrand` and `init_by_array` are the seedings here.
//! State words are `x[0..624]`; output `k` is `temper(x[624 + k])`.

use super::jump;
use super::vectors::{self, Ring};

/// Words of state, and outputs between two twists.
pub const N: usize = 624;
/// Distance of the recurrence: `x[k+624] = x[k+397] ^ A(hi(x[k]) | lo(x[k+1]))`.
pub const M: usize = 397;
/// Multiplier of `init_genrand`.
pub const INIT: u32 = 1_812_433_253;
/// The twist matrix's last row.
pub const MATRIX_A: u32 = 0x9908_b0df;
const UPPER: u32 = 0x8000_0000;
const LOWER: u32 = 0x7fff_ffff;

/// Most words [`first_words`] can make without the full state: `624 - 397`.
pub const SHORT_WORDS: usize = N - M;

/// Skipping so many words is quicker by a jump.
const FAR: u64 = 1 << 24;

/// `temper`: a state word to an output word.
#[inline(always)]
pub const fn temper(mut y: u32) -> u32 {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    y ^ (y >> 18)
}

/// `A(hi(a) | lo(b))`: what the recurrence XORs onto `x[k+397]`.
#[inline(always)]
pub const fn twist(a: u32, b: u32) -> u32 {
    let y = (a & UPPER) | (b & LOWER);
    (y >> 1) ^ ((y & 1).wrapping_neg() & MATRIX_A)
}

/// One step of `init_genrand`: `x[i]` from `x[i-1]`.
#[inline(always)]
pub const fn init_step(previous: u32, i: u32) -> u32 {
    INIT.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(i)
}

/// The 624 words after `init_genrand(seed)`.
pub const fn genrand_state(seed: u32) -> [u32; N] {
    let mut x = [seed; N];
    let mut i = 1;
    while i < N {
        x[i] = init_step(x[i - 1], i as u32);
        i += 1;
    }
    x
}

/// The state that `init_by_array` starts from.
pub(crate) static ARRAY_BASE: [u32; N] = genrand_state(19_650_218);

/// The 624 words after `init_by_array(key)`. The key has at least one word.
pub fn by_array_state(key: &[u32]) -> [u32; N] {
    assert!(!key.is_empty(), "init_by_array needs at least one key word");
    let mut x = ARRAY_BASE;
    let (mut i, mut j) = (1, 0);
    for _ in 0..N.max(key.len()) {
        let previous = x[i - 1];
        x[i] = (x[i] ^ (previous ^ (previous >> 30)).wrapping_mul(1_664_525))
            .wrapping_add(key[j])
            .wrapping_add(j as u32);
        i += 1;
        j += 1;
        if i == N {
            x[0] = x[N - 1];
            i = 1;
        }
        if j == key.len() {
            j = 0;
        }
    }
    for _ in 0..N - 1 {
        let previous = x[i - 1];
        x[i] = (x[i] ^ (previous ^ (previous >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
        i += 1;
        if i == N {
            x[0] = x[N - 1];
            i = 1;
        }
    }
    x[0] = UPPER;
    x
}

/// Writes the first `mask.len() <= 227` output words of the `genrand` stream of `seed`, without the
/// 624-word state: the seeding recurrence runs to `x[397 + W]`, and only `x[0..=W]` is kept.
pub fn first_words(seed: u32, mask: &mut [u32]) {
    let words = mask.len();
    assert!(words <= SHORT_WORDS, "the short form makes at most {SHORT_WORDS} words");
    let mut head = [0u32; SHORT_WORDS + 1];
    let mut x = seed;
    head[0] = x;
    for (i, word) in (1..).zip(&mut head[1..=words]) {
        x = init_step(x, i);
        *word = x;
    }
    for i in words + 1..M {
        x = init_step(x, i as u32);
    }
    for (k, out) in mask.iter_mut().enumerate() {
        x = init_step(x, (M + k) as u32);
        *out = temper(x ^ twist(head[k], head[k + 1]));
    }
}

/// A running MT19937: the state and where in it the next output word is.
#[derive(Clone, PartialEq, Eq)]
pub struct Mt19937 {
    state: Ring,
    /// Next word of `state` to temper; `N` means a twist is due.
    next: usize,
}

impl std::fmt::Debug for Mt19937 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mt19937").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Mt19937 {
    /// The stream that starts with a twist of `state`: its first output is `temper(x[624])`.
    pub fn from_state(state: [u32; N]) -> Self {
        Self { state: vectors::ring(&state), next: N }
    }

    /// Seeded by `init_genrand`, as C++ `std::mt19937(seed)` and NumPy `RandomState(seed)` do.
    pub fn genrand(seed: u32) -> Self {
        Self::from_state(genrand_state(seed))
    }

    /// Seeded by `init_by_array`, as CPython `random.seed(int)` does with the integer's 32-bit digits.
    pub fn by_array(key: &[u32]) -> Self {
        Self::from_state(by_array_state(key))
    }

    /// The next output word.
    #[inline]
    pub fn next_word(&mut self) -> u32 {
        if self.next == N {
            self.regenerate();
        }
        let word = temper(self.state[self.next]);
        self.next += 1;
        word
    }

    /// Writes the next output words.
    pub fn fill_words(&mut self, mut out: &mut [u32]) {
        while !out.is_empty() {
            if self.next == N {
                self.regenerate();
            }
            let take = out.len().min(N - self.next);
            let (now, rest) = out.split_at_mut(take);
            vectors::put_tempered(&self.state[self.next..self.next + take], now);
            self.next += take;
            out = rest;
        }
    }

    /// XORs the next output words, little-endian, onto `data`: a multiple of 4 bytes.
    pub fn xor(&mut self, mut data: &mut [u8]) {
        debug_assert!(data.len().is_multiple_of(4));
        while !data.is_empty() {
            if self.next == N {
                let (whole, rest) = data.as_chunks_mut();
                vectors::xor_generations(&mut self.state, whole);
                data = rest;
                if data.is_empty() {
                    break;
                }
                self.regenerate();
            }
            let take = (data.len() / 4).min(N - self.next);
            let (now, rest) = data.split_at_mut(4 * take);
            vectors::xor_tempered(&self.state[self.next..self.next + take], now);
            self.next += take;
            data = rest;
        }
    }

    /// Leaves out the next `words` output words; costs one twist per 624, or a few milliseconds if they are many.
    pub fn skip_words(&mut self, mut words: u64) {
        let left = (N - self.next) as u64;
        if words <= left {
            self.next += words as usize;
            return;
        }
        words -= left;
        if words >= FAR {
            let now = self.state.first_chunk().expect("a ring is longer than a state");
            *self = Self::from_state(jump::jumped(now, words));
            return;
        }
        while words > N as u64 {
            self.regenerate();
            words -= N as u64;
        }
        self.regenerate();
        self.next = words as usize;
    }

    fn regenerate(&mut self) {
        vectors::regenerate(&mut self.state);
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First outputs of `init_by_array({0x123, 0x234, 0x345, 0x456})`, from the authors' mt19937ar.out.
    #[test]
    fn by_array_matches_the_published_output() {
        let mut mt = Mt19937::by_array(&[0x123, 0x234, 0x345, 0x456]);
        let first: Vec<u32> = (0..5).map(|_| mt.next_word()).collect();
        assert_eq!(first, [1067595299, 955945823, 477289528, 4107218783, 4228976476]);
    }

    /// The C++ standard, [rand.predef]: the 10000th output of a default `std::mt19937` (seed 5489).
    #[test]
    fn genrand_matches_the_cpp_standard() {
        let mut mt = Mt19937::genrand(5489);
        mt.skip_words(9999);
        assert_eq!(mt.next_word(), 4_123_659_995);
    }

    /// `numpy.random.RandomState(42).bytes(8)` and CPython `random.Random(42).getrandbits(32)` twice.
    #[test]
    fn seedings_match_numpy_and_cpython() {
        let mut numpy = Mt19937::genrand(42);
        assert_eq!([numpy.next_word(), numpy.next_word()], [1608637542, 3421126067]);
        let mut cpython = Mt19937::by_array(&[42]);
        assert_eq!([cpython.next_word(), cpython.next_word()], [2746317213, 478163327]);
    }

    /// CPython `random.seed` of an integer with 700 digits `i * 0x9e3779b9 mod 2^32` (longer than the state;
    /// `rand_mt` cuts such keys to 624 words).
    #[test]
    fn by_array_takes_keys_longer_than_the_state() {
        let key: Vec<u32> = (0..700u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
        let mut mt = Mt19937::by_array(&key);
        assert_eq!([mt.next_word(), mt.next_word(), mt.next_word()], [1047943777, 1825153928, 1294184710]);
    }

    #[test]
    fn every_way_to_read_a_stream_agrees_with_rand_mt() {
        for seed in [0, 1, 19_650_218, 0x8000_0000, u32::MAX] {
            let mut oracle = rand_mt::Mt::new(seed);
            let expected: Vec<u32> = (0..2000).map(|_| oracle.next_u32()).collect();
            for words in [0, 1, 16, 226, 227] {
                let mut mask = vec![0; words];
                first_words(seed, &mut mask);
                assert_eq!(mask, expected[..words], "short form, seed {seed}, {words} words");
            }
            for skip in [0, 1, 226, 227, 623, 624, 625, 1247, 1248, 1249] {
                let mut mt = Mt19937::genrand(seed);
                mt.skip_words(skip);
                let mut out = vec![0; 700];
                mt.fill_words(&mut out[..3]);
                mt.fill_words(&mut out[3..]);
                let at = skip as usize;
                assert_eq!(out, expected[at..at + 700], "seed {seed}, skip {skip}");
            }
        }
    }

    #[test]
    fn by_array_agrees_with_rand_mt() {
        for len in [1usize, 2, 3, 623, 624] {
            let key: Vec<u32> = (0..len as u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
            let mut oracle = rand_mt::Mt::new_with_key(key.iter().copied());
            let mut mt = Mt19937::by_array(&key);
            for _ in 0..1300 {
                assert_eq!(mt.next_word(), oracle.next_u32(), "key of {len} words");
            }
        }
    }
}
