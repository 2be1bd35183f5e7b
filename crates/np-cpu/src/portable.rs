//! Lanes as plain arrays: the compiler's own vectors on every architecture (SSE2, NEON, ...).

use crate::lanes::{Lanes, top_shift};

/// Works everywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

const COUNT: usize = 8;

/// One array register, aligned so that the compiler may use aligned moves.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Array([u32; COUNT]);

#[inline(always)]
fn each(f: impl Fn(usize) -> u32) -> Array {
    let mut out = [0; COUNT];
    for (i, o) in out.iter_mut().enumerate() {
        *o = f(i);
    }
    Array(out)
}

impl Lanes for Portable {
    type V = Array;
    const COUNT: usize = COUNT;

    #[inline(always)]
    fn with<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }
    #[inline(always)]
    fn splat(self, value: u32) -> Array {
        Array([value; COUNT])
    }
    #[inline(always)]
    fn load(self, values: &[u32]) -> Array {
        each(|i| values[..COUNT][i])
    }
    #[inline(always)]
    fn store(self, v: Array, values: &mut [u32]) {
        values[..COUNT].copy_from_slice(&v.0);
    }
    #[inline(always)]
    fn add(self, a: Array, b: Array) -> Array {
        each(|i| a.0[i].wrapping_add(b.0[i]))
    }
    #[inline(always)]
    fn sub(self, a: Array, b: Array) -> Array {
        each(|i| a.0[i].wrapping_sub(b.0[i]))
    }
    #[inline(always)]
    fn mul(self, a: Array, b: Array) -> Array {
        each(|i| a.0[i].wrapping_mul(b.0[i]))
    }
    #[inline(always)]
    fn min(self, a: Array, b: Array) -> Array {
        each(|i| a.0[i].min(b.0[i]))
    }
    #[inline(always)]
    fn and(self, a: Array, b: Array) -> Array {
        each(|i| a.0[i] & b.0[i])
    }
    #[inline(always)]
    fn xor(self, a: Array, b: Array) -> Array {
        each(|i| a.0[i] ^ b.0[i])
    }
    #[inline(always)]
    fn or_not(self, a: Array, b: Array) -> Array {
        each(|i| a.0[i] | !b.0[i])
    }
    #[inline(always)]
    fn any(self, a: Array) -> bool {
        a.0.iter().fold(0, |any, lane| any | lane) != 0
    }
    #[inline(always)]
    fn shl<const BITS: u32>(self, a: Array) -> Array {
        each(|i| a.0[i] << BITS)
    }
    #[inline(always)]
    fn shr<const BITS: u32>(self, a: Array) -> Array {
        each(|i| a.0[i] >> BITS)
    }
    #[inline(always)]
    fn shr_each(self, a: Array, by: Array) -> Array {
        each(|i| a.0[i].wrapping_shr(by.0[i]))
    }
    #[inline(always)]
    fn gather_by_top(self, table: &[u32], at: Array) -> Array {
        let shift = top_shift(table.len());
        each(|i| table[(at.0[i] >> shift) as usize])
    }
    #[inline(always)]
    fn ones(self, a: Array) -> Array {
        each(|i| a.0[i].count_ones())
    }
    #[inline(always)]
    fn at_most(self, a: Array, b: Array) -> u32 {
        let mut bits = 0;
        for i in 0..COUNT {
            bits |= u32::from(a.0[i] as i32 <= b.0[i] as i32) << i;
        }
        bits
    }
}
