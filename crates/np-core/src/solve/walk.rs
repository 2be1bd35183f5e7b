//! Walking a state back, generation by generation, and finding the seed it came from.

use super::ScanOptions;
use super::algebra::{ARRAY_FIRST, join, seed_of, undo_first_pass, undo_second_pass, undo_twist, unfold};
use crate::generator::Key;
use crate::generator::mt19937::{ARRAY_BASE, INIT, M, N, by_array_state};
use fearless_simd::{Level, Simd, dispatch};

/// 624 consecutive state words: any 624 outputs of a stream, untempered.
pub(crate) type Block = [u32; N];

/// The 624 words before `x`. All of `out` is right if the stream began before them; of a stream's very first
/// state only the top bit of word 0 is.
#[inline(always)]
pub(crate) fn generation_back(x: &Block, out: &mut Block) {
    // y[m] = hi(x[m]) | lo(x[m+1]) of the words sought, which come from two places: the known block, then,
    // for the first 227, the words just found. y[N] stands for the one before the first.
    let mut y = [0u32; N];
    for m in N - M..N {
        y[m] = undo_twist(x[m] ^ x[m - (N - M)]);
    }
    for m in N - M + 1..N {
        out[m] = join(y[m], y[m - 1]);
    }
    for m in 0..N - M {
        y[m] = undo_twist(x[m] ^ out[m + M]);
    }
    for m in 1..=N - M {
        out[m] = join(y[m], y[m - 1]);
    }
    out[0] = join(y[0], undo_twist(out[N - 1] ^ out[M - 1]));
}

/// The state whose stream has the first word of `block` as its output word `words`: what
/// [`Key::State`] holds, the bits of its first word that do not count as zeros.
pub(crate) fn state_before(block: &Block, words: usize) -> Block {
    let (mut near, mut far) = (*block, [0; N]);
    generation_back(&near, &mut far);
    for _ in 0..words / N {
        near = far;
        generation_back(&near, &mut far);
    }
    let part = words % N;
    let (mut farther, mut state) = ([0; N], far);
    if part > 0 {
        generation_back(&far, &mut farther);
        state[..part].copy_from_slice(&farther[N - part..]);
        state[part..].copy_from_slice(&far[..N - part]);
    }
    state[0] &= 0x8000_0000;
    state
}

/// Where a key's stream starts: `words` output words before the first word of the block that was walked back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub key: Key,
    pub words: u64,
}

/// Walks `block` back at most `options.walk_back` generations and looks for the state that a seed makes.
pub(crate) fn origin(level: Level, block: &Block, options: &ScanOptions) -> Option<Origin> {
    let arrays = ArrayTest::new(options.array_words);
    let mut now = *block;
    for generation in 0..=u64::from(options.walk_back) {
        let mut before = [0; N];
        dispatch!(level, simd => simd.vectorize(
            #[inline(always)]
            || generation_back(&now, &mut before),
        ));
        // Word 0 of the seeded state is `index` words before the word at `at` of `before`.
        for (key, at, index) in genrand_seeds(&before).chain(arrays.keys(level, &before)) {
            // The first output follows the seeded state's 624 words, and `block` this one's.
            let words = (N as u64 * (generation + 1) + index as u64).checked_sub((N + at) as u64);
            if let Some(words) = words
                && leads_to(&key, words, block)
            {
                return Some(Origin { key, words });
            }
        }
        now = before;
    }
    None
}

/// Whether the stream of `key` has the words of `block` from output word `words` on.
fn leads_to(key: &Key, words: u64, block: &Block) -> bool {
    let mut stream = key.stream();
    stream.skip(4 * words);
    let mut bytes = [0; 4 * N];
    stream.fill(&mut bytes);
    (bytes.as_chunks().0.iter().zip(block))
        .all(|(b, x)| u32::from_le_bytes(*b) == crate::generator::mt19937::temper(*x))
}

/// Seeds whose state `x` may be part of, with a place in `x` and its index in the seeded state. Two places
/// are tried, as the test cannot see a seeded state's first word.
fn genrand_seeds(x: &Block) -> impl Iterator<Item = (Key, usize, usize)> {
    [100, 400].into_iter().filter_map(|at| {
        let step = |at: usize| x[at].wrapping_sub(INIT.wrapping_mul(unfold(x[at - 1])));
        let index = step(at);
        if !(2..N as u32).contains(&index) {
            return None;
        }
        let agrees = if index > 2 { step(at - 1) == index - 1 } else { step(at + 1) == index + 1 };
        agrees.then(|| (Key::Genrand(seed_of(x[at], index)), at, index as usize))
    })
}

/// The test for states that `init_by_array` made from keys of a few words.
struct ArrayTest {
    words: usize,
}

/// Where in a block the test looks: at this word and those after it.
const LOOK: usize = 150;
/// The second place, for states whose edge is at the first one.
const LOOK_AGAIN: usize = 450;
/// The least index at which both passes can be undone.
const FIRST: usize = 4;

impl ArrayTest {
    fn new(words: usize) -> Self {
        Self { words: words.min(ScanOptions::MAX_ARRAY_WORDS) }
    }

    /// `key[j] + j` if word `at` of `x` is word `index` of a state.
    #[inline(always)]
    fn sum(&self, x: &Block, at: usize, index: usize) -> u32 {
        let i = index as u32;
        let before = undo_second_pass(x[at - 2], x[at - 1], i - 1);
        undo_first_pass(before, undo_second_pass(x[at - 1], x[at], i), ARRAY_BASE[index])
    }

    /// Keys whose state `x` may be part of, as [`genrand_seeds`] gives them.
    fn keys(&self, level: Level, x: &Block) -> Vec<(Key, usize, usize)> {
        let mut out = Vec::new();
        if self.words == 0 {
            return out;
        }
        let mut first = [0u32; N];
        dispatch!(level, simd => simd.vectorize(
            #[inline(always)]
            || self.sums(x, LOOK, &mut first),
        ));
        let mut later = [0u32; N];
        for len in 1..=self.words {
            let end = N - len;
            let any = dispatch!(level, simd => simd.vectorize(
                #[inline(always)]
                || {
                    self.sums(x, LOOK + len, &mut later);
                    (first[FIRST..end].iter().zip(&later[FIRST + len..])).any_equal()
                },
            ));
            if any {
                for index in FIRST..end {
                    if first[index] == later[index + len] {
                        out.extend(self.key(x, LOOK, index, len));
                    }
                }
            }
            // A state whose end or start is within reach of LOOK has its middle at LOOK_AGAIN.
            let middle = LOOK_AGAIN - LOOK;
            for index in middle - FIRST - len - 1..middle + FIRST {
                if self.sum(x, LOOK_AGAIN, index) == self.sum(x, LOOK_AGAIN + len, index + len) {
                    out.extend(self.key(x, LOOK_AGAIN, index, len));
                }
            }
        }
        out
    }

    /// [`ArrayTest::sum`] for every index from [`FIRST`].
    #[inline(always)]
    fn sums(&self, x: &Block, at: usize, out: &mut Block) {
        let (a, b, c) = (x[at - 2], x[at - 1], x[at]);
        let (ua, ub) = (
            unfold(a).wrapping_mul(super::algebra::ARRAY_SECOND),
            unfold(b).wrapping_mul(super::algebra::ARRAY_SECOND),
        );
        for (i, (out, base)) in out.iter_mut().zip(&ARRAY_BASE).enumerate().skip(FIRST) {
            let i = i as u32;
            let before = b.wrapping_add(i - 1) ^ ua;
            let word = c.wrapping_add(i) ^ ub;
            *out = word.wrapping_sub(base ^ unfold(before).wrapping_mul(ARRAY_FIRST));
        }
    }

    /// The key of `len` words, if `x` from `at` is its state from `index`, as far as one more word tells.
    fn key(&self, x: &Block, at: usize, index: usize, len: usize) -> Option<(Key, usize, usize)> {
        if index + len + 1 < N && self.sum(x, at + 1, index + 1) != self.sum(x, at + len + 1, index + len + 1)
        {
            return None;
        }
        let mut words = vec![0; len];
        for n in 0..len {
            let j = (index + n - 1) % len;
            words[j] = self.sum(x, at + n, index + n).wrapping_sub(j as u32);
        }
        // Both passes forward again, against every word the two states share.
        let state = by_array_state(&words);
        let (here, there) = if at >= index { (at - index, 0) } else { (0, index - at) };
        let same = x[here..].iter().zip(&state[there..]).skip(2).all(|(a, b)| a == b);
        same.then_some((Key::ByArray(words), at, index))
    }
}

/// Equality of any pair, written so that it vectorises.
trait AnyEqual {
    fn any_equal(self) -> bool;
}

impl<'a, I: Iterator<Item = (&'a u32, &'a u32)>> AnyEqual for I {
    #[inline(always)]
    fn any_equal(self) -> bool {
        self.fold(0, |any, (a, b)| any | u32::from(a == b)) != 0
    }
}
