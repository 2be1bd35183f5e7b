//! Far skips: a state many words on, without those between.
//!
//! A step of the recurrence is linear over GF(2), with a characteristic polynomial phi of degree 19937. With g = t^J mod phi,
//! the state J words on is the sum of the states i words on over the terms t^i of g, and these are among the next 19937.
//!
//! Source: H. Haramoto, M. Matsumoto, T. Nishimura, F. Panneton, P. L'Ecuyer, "Efficient Jump Ahead for F2-Linear Random
//! Number Generators", INFORMS Journal on Computing 20(3), 2008; phi is as in the paper on MT19937.

use super::mt19937::{M, MATRIX_A, N, twist};
use fearless_simd::{Level, Simd, dispatch};
use std::sync::LazyLock;

/// The degree of phi.
const DEGREE: usize = 19937;
/// Words of 64 coefficients of a polynomial below phi.
const WORDS: usize = DEGREE.div_ceil(64);

/// A polynomial below phi: its coefficients, those of low degree first.
type Residue = [u64; WORDS];

/// The degrees of phi's terms, but for the highest.
static PHI: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let mut odd = vec![false; DEGREE + 1];
    // (t^(N-1) + t^(M-1))^k, times t^shift. Its binomial coefficients are odd where j's bits are among those of k.
    let mut add_power = |k: usize, shift: usize| {
        for j in (0..=k).filter(|j| j & !k == 0) {
            odd[(N - 1) * j + (M - 1) * (k - j) + shift] ^= true;
        }
    };
    // MATRIX_A's lowest bit has the highest power left to it: k of 31 such factors, and one of t^N + t^M.
    for shift in [N, M] {
        add_power(31, shift);
        for k in (0..31).filter(|k| MATRIX_A >> (30 - k) & 1 == 1) {
            add_power(k, shift);
        }
    }
    if MATRIX_A >> 31 == 1 {
        add_power(0, 0);
    }
    odd[DEGREE] ^= true;
    (0..=DEGREE).filter(|i| odd[*i]).collect()
});

/// The state words `words` on from `x`. Of the first of them only the highest bit counts, as in `x`.
pub(super) fn jumped(x: &[u32; N], words: u64) -> [u32; N] {
    let mut ahead = Vec::with_capacity(DEGREE + N);
    ahead.extend(x);
    for i in 0..DEGREE {
        ahead.push(ahead[i + M] ^ twist(ahead[i], ahead[i + 1]));
    }
    let terms = power(words);
    let mut out = [0; N];
    dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            for i in (0..DEGREE).filter(|i| terms[i / 64] >> (i % 64) & 1 == 1) {
                for (out, x) in out.iter_mut().zip(&ahead[i..i + N]) {
                    *out ^= x;
                }
            }
        },
    ));
    out
}

/// `t^exponent mod phi`.
fn power(exponent: u64) -> Residue {
    // The exponent's highest bits are a degree below phi's; each bit below them squares, and each one multiplies by t.
    let below = (u64::BITS - exponent.leading_zeros()).saturating_sub(14);
    let degree = (exponent >> below) as usize;
    let mut out = [0; WORDS];
    out[degree / 64] = 1 << (degree % 64);
    for bit in (0..below).rev() {
        let mut square = [0; 2 * WORDS];
        for (i, word) in out.iter().enumerate() {
            square[2 * i] = spread(*word as u32);
            square[2 * i + 1] = spread((word >> 32) as u32);
        }
        if exponent >> bit & 1 == 1 {
            for i in (0..2 * WORDS).rev() {
                square[i] = square[i] << 1 | if i > 0 { square[i - 1] >> 63 } else { 0 };
            }
        }
        out = reduced(square);
    }
    out
}

/// Zeros between the bits: the square of a polynomial over GF(2).
fn spread(bits: u32) -> u64 {
    let mut x = u64::from(bits);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        x = (x | x << shift) & mask;
    }
    x
}

/// The remainder mod phi. phi's second term is 623 below its first, so a word of terms at a time can be taken down.
fn reduced(mut x: [u64; 2 * WORDS]) -> Residue {
    const TOP: usize = DEGREE % 64;
    for i in (WORDS - 1..2 * WORDS).rev() {
        let (word, at) = if i == WORDS - 1 { (x[i] >> TOP, DEGREE) } else { (x[i], 64 * i) };
        if i == WORDS - 1 {
            x[i] &= (1 << TOP) - 1;
        } else {
            x[i] = 0;
        }
        for term in PHI.iter() {
            let to = at - DEGREE + term;
            x[to / 64] ^= word << (to % 64);
            if !to.is_multiple_of(64) {
                x[to / 64 + 1] ^= word >> (64 - to % 64);
            }
        }
    }
    std::array::from_fn(|i| x[i])
}

#[cfg(test)]
mod tests {
    use super::super::mt19937::{Mt19937, genrand_state};
    use super::*;

    /// The weight of phi that the authors give.
    #[test]
    fn the_polynomial_has_135_terms() {
        assert_eq!(PHI.len() + 1, 135);
        assert_eq!(PHI.last(), Some(&(DEGREE - 623)));
    }

    #[test]
    fn a_jump_is_as_many_steps() {
        let start = genrand_state(5489);
        let mut x = start.to_vec();
        for i in 0..100_000 {
            x.push(x[i + M] ^ twist(x[i], x[i + 1]));
        }
        for words in [0, 1, 2, 623, 624, 16_383, 16_384, 19_936, 19_937, 19_938, 40_001, 65_535, 99_999] {
            let jumped = jumped(&start, words as u64);
            assert_eq!(jumped[0] >> 31, x[words] >> 31, "{words}");
            assert_eq!(jumped[1..], x[words + 1..words + N], "{words}");
        }
    }

    /// Jumps of every size up to 2^64 words add up.
    #[test]
    fn jumps_add_up() {
        let start = genrand_state(1);
        let mut total = 0u64;
        let mut x = start;
        for words in (0..63).step_by(9).map(|bit| (1 << bit) + 12_345) {
            x = jumped(&x, words);
            total += words;
        }
        assert_eq!(jumped(&start, total)[1..], x[1..]);
        let [a, b] = [u64::MAX / 3, u64::MAX / 3 * 2].map(|words| jumped(&start, words));
        assert_eq!(jumped(&a, u64::MAX / 3)[1..], b[1..]);
    }

    /// NumPy: `m = numpy.random.MT19937(); m._legacy_seeding(1); m.random_raw(N)`.
    #[test]
    fn skips_are_what_numpy_leaves_out() {
        let mut mt = Mt19937::genrand(1);
        mt.skip_words(100_000_000);
        let next = [mt.next_word(), mt.next_word(), mt.next_word()];
        assert_eq!(next, [3_051_281_137, 3_631_774_760, 3_273_899_368]);
    }
}
