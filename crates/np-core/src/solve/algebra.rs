//! The inverses solving rests on: untemper, undo the twist, step the seeding recurrences back.

use crate::generator::mt19937::{INIT, MATRIX_A};

const LOWER: u32 = 0x7fff_ffff;
const UPPER: u32 = 0x8000_0000;

/// The mask of `temper`'s shift by 7, and what is left of it when that step is applied two and four times.
pub(crate) const B1: u32 = 0x9d2c_5680;
const B2: u32 = B1 & (B1 << 7);
const B4: u32 = B2 & (B2 << 14);
const C: u32 = 0xefc6_0000;

/// Multiplicative inverse of an odd word modulo 2^32.
const fn inverse(odd: u32) -> u32 {
    // Newton's iteration doubles the correct low bits: 3, 6, 12, 24, 48.
    let mut v = odd;
    let mut i = 0;
    while i < 4 {
        v = v.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(v)));
        i += 1;
    }
    v
}

const INIT_INVERSE: u32 = inverse(INIT);

/// The inverse of `temper`. Linear: `untemper(a) ^ untemper(b) == untemper(a ^ b)`.
///
/// A step `y ^= S(y)` with nilpotent `S` is undone by `(1 + S)(1 + S^2)(1 + S^4)...`.
#[inline(always)]
pub(crate) const fn untemper(mut y: u32) -> u32 {
    y ^= y >> 18;
    y ^= (y << 15) & C;
    y ^= (y << 7) & B1;
    y ^= (y << 14) & B2;
    y ^= (y << 28) & B4;
    y ^= y >> 11;
    y ^ (y >> 22)
}

/// The inverse of `A(v) = v >> 1 ^ (MATRIX_A if v is odd)`: from `x[k+624] ^ x[k+397]` to
/// `hi(x[k]) | lo(x[k+1])`.
#[inline(always)]
pub(crate) const fn undo_twist(y: u32) -> u32 {
    let odd = ((y as i32) >> 31) as u32;
    ((y ^ (odd & MATRIX_A)) << 1).wrapping_sub(odd)
}

/// `previous ^ previous >> 30` undone: the step is its own inverse, as 30 is more than half of 32.
#[inline(always)]
pub(crate) const fn unfold(x: u32) -> u32 {
    x ^ (x >> 30)
}

/// One step of `init_genrand` back: `x[i-1]` from `x[i]`.
#[inline(always)]
pub(crate) const fn init_back(x: u32, i: u32) -> u32 {
    unfold(INIT_INVERSE.wrapping_mul(x.wrapping_sub(i)))
}

/// The `genrand` seed whose state has word `x` at `index`.
pub(crate) fn seed_of(x: u32, index: u32) -> u32 {
    (1..=index).rev().fold(x, init_back)
}

/// `hi(a) | lo(b)`.
#[inline(always)]
pub(crate) const fn join(a: u32, b: u32) -> u32 {
    (a & UPPER) | (b & LOWER)
}

/// The index test of `genrand` states, on `y[k] = hi(x[k]) | lo(x[k+1])` and `y[k+1]`: the index `k+2`
/// that the pair would have modulo 2^31; a small one means a seeded state stands here.
#[inline(always)]
pub(crate) const fn pair_index(y0: u32, y1: u32) -> u32 {
    let x1 = join(y1, y0);
    y1.wrapping_sub(INIT.wrapping_mul(unfold(x1))) & LOWER
}

/// Multiplier of `init_by_array`'s first pass, from the authors' `mt19937ar.c`.
pub(crate) const ARRAY_FIRST: u32 = 1_664_525;
/// Multiplier of `init_by_array`'s second pass.
pub(crate) const ARRAY_SECOND: u32 = 1_566_083_941;

/// Word `i` after the first pass of `init_by_array`, from the final words `i-1` and `i`. Good for `i >= 3`:
/// the second pass makes word 2 from a word 1 that it replaces at its end.
#[inline(always)]
pub(crate) const fn undo_second_pass(x_before: u32, x: u32, i: u32) -> u32 {
    x.wrapping_add(i) ^ unfold(x_before).wrapping_mul(ARRAY_SECOND)
}

/// `key[j] + j` with `j = (i-1) mod length`, from words `i-1` and `i` after the first pass and word `i` of
/// `genrand_state(19650218)`. Good for `i >= 4`, where both words are known.
#[inline(always)]
pub(crate) const fn undo_first_pass(t_before: u32, t: u32, base: u32) -> u32 {
    t.wrapping_sub(base ^ unfold(t_before).wrapping_mul(ARRAY_FIRST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::mt19937::{genrand_state, init_step, temper, twist};

    #[test]
    fn inverses_undo_what_they_should() {
        assert_eq!(INIT.wrapping_mul(INIT_INVERSE), 1);
        let mut v = 1u32;
        for i in 0..10_000 {
            v = v.wrapping_mul(0x9e37_79b9).wrapping_add(0x7f4a_7c15);
            assert_eq!(untemper(temper(v)), v);
            assert_eq!(undo_twist(twist(v, v)), v);
            assert_eq!(init_back(init_step(v, i), i), v);
        }
        for v in [0, 1, UPPER, LOWER, u32::MAX] {
            assert_eq!(untemper(temper(v)), v);
            assert_eq!(undo_twist(twist(v, v)), v);
        }
    }

    #[test]
    fn a_seeded_state_tells_its_index_and_its_seed() {
        let x = genrand_state(0xdead_beef);
        for k in 0..=621 {
            assert_eq!(pair_index(join(x[k], x[k + 1]), join(x[k + 1], x[k + 2])), k as u32 + 2);
            assert_eq!(seed_of(x[k + 2], k as u32 + 2), 0xdead_beef);
        }
    }
}
