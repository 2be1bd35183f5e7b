//! Lanes as AVX-512 registers: 16 at a time, with VPOPCNTDQ, funnel shifts and three-input logic.

use crate::lanes::{Lanes, top_shift};
use crate::pairs::{self, Table};
use crate::pipelines;
use std::arch::x86_64::*;

/// Proof that this processor has the instructions; only [`Avx512::detect`] makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The lanes, on a processor that has them.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("avx512vpopcntdq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt"))
        .then_some(Self(()))
    }
}

#[target_feature(enable = "avx512f,avx512vbmi2,avx512vpopcntdq,avx2,bmi2,popcnt")]
fn enter<R>(work: impl FnOnce() -> R) -> R {
    work()
}

impl Lanes for Avx512 {
    type V = __m512i;
    const COUNT: usize = 16;
    const PAIRS: bool = true;

    #[inline(always)]
    fn with<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: `self` exists, so `detect` found the features.
        unsafe { enter(work) }
    }
    #[inline(always)]
    fn splat(self, value: u32) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_set1_epi32(value as i32) }
    }
    #[inline(always)]
    fn load(self, values: &[u32]) -> __m512i {
        let values = &values[..16];
        // SAFETY: `self` proves the features; 16 words can be read.
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }
    #[inline(always)]
    fn store(self, v: __m512i, values: &mut [u32]) {
        let values = &mut values[..16];
        // SAFETY: `self` proves the features; 16 words can be written.
        unsafe { _mm512_storeu_si512(values.as_mut_ptr().cast(), v) }
    }
    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_mullo_epi32(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_min_epu32(a, b) }
    }
    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_xor_si512(a, b) }
    }
    #[inline(always)]
    fn xor3(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_ternarylogic_epi32::<0x96>(a, b, c) }
    }
    #[inline(always)]
    fn maj(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_ternarylogic_epi32::<0xe8>(a, b, c) }
    }
    #[inline(always)]
    fn full_sub(self, a: __m512i, b: __m512i, c: __m512i) -> (__m512i, __m512i) {
        // SAFETY: `self` proves the features.
        unsafe { (_mm512_ternarylogic_epi32::<0x69>(a, b, c), _mm512_ternarylogic_epi32::<0xb2>(a, b, c)) }
    }
    #[inline(always)]
    fn or_not(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_ternarylogic_epi32::<0xf3>(a, b, b) }
    }
    #[inline(always)]
    fn select(self, mask: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_ternarylogic_epi32::<0xca>(mask, a, b) }
    }
    #[inline(always)]
    fn any(self, a: __m512i) -> bool {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_test_epi32_mask(a, a) != 0 }
    }
    #[inline(always)]
    fn shl<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_slli_epi32::<BITS>(a) }
    }
    #[inline(always)]
    fn shr<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_srli_epi32::<BITS>(a) }
    }
    #[inline(always)]
    fn rol2(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_rol_epi32::<2>(a) }
    }
    #[inline(always)]
    fn look_up(self, table: &[u32; 16], at: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_permutexvar_epi32(at, self.load(table)) }
    }
    #[inline(always)]
    fn twists(self, x: &mut [__m512i; pairs::CHAINS], words: usize, out: &mut [__m512i]) {
        // SAFETY: `self` proves the features.
        unsafe { pipelines::twists(x, words, out) }
    }
    #[inline(always)]
    fn pairs_of_steps(self, x: &mut [__m512i; pairs::CHAINS], tables: &[Table]) {
        // SAFETY: `self` proves the features.
        unsafe { pipelines::pairs(x, tables) }
    }
    #[inline(always)]
    fn tempers(self, x: &mut [__m512i; pairs::CHAINS], words: usize, out: &mut [__m512i]) {
        // SAFETY: `self` proves the features.
        unsafe { pipelines::tempers(x, words, out) }
    }
    #[inline(always)]
    fn shr_each(self, a: __m512i, by: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_srlv_epi32(a, by) }
    }
    #[inline(always)]
    fn gather_by_top(self, table: &[u32], at: __m512i) -> __m512i {
        let shift = self.splat(top_shift(table.len()));
        // SAFETY: `self` proves the features; so shifted, each lane is below the table's length, and not negative.
        unsafe { _mm512_i32gather_epi32::<4>(_mm512_srlv_epi32(at, shift), table.as_ptr().cast()) }
    }
    #[inline(always)]
    fn pick(self, bits: u32, v: __m512i, out: &mut [u32]) -> usize {
        // SAFETY: `self` proves the features.
        self.store(unsafe { _mm512_maskz_compress_epi32(bits as u16, v) }, out);
        (bits & 0xffff).count_ones() as usize
    }
    #[inline(always)]
    fn ones(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_popcnt_epi32(a) }
    }
    #[inline(always)]
    fn at_most(self, a: __m512i, b: __m512i) -> u32 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_cmple_epu32_mask(a, b).into() }
    }
}
