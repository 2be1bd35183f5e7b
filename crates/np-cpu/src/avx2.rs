//! Lanes as AVX2 registers: 8 at a time.

use crate::lanes::{Lanes, top_shift};
use std::arch::x86_64::*;

/// Proof that this processor has the instructions; only [`Avx2::detect`] makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The lanes, on a processor that has them.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt"))
        .then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,bmi2,popcnt")]
fn enter<R>(work: impl FnOnce() -> R) -> R {
    work()
}

impl Lanes for Avx2 {
    type V = __m256i;
    const COUNT: usize = 8;

    #[inline(always)]
    fn with<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: `self` exists, so `detect` found the features.
        unsafe { enter(work) }
    }
    #[inline(always)]
    fn splat(self, value: u32) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_set1_epi32(value as i32) }
    }
    #[inline(always)]
    fn load(self, values: &[u32]) -> __m256i {
        let values = &values[..8];
        // SAFETY: `self` proves the features; 8 words can be read.
        unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
    }
    #[inline(always)]
    fn store(self, v: __m256i, values: &mut [u32]) {
        let values = &mut values[..8];
        // SAFETY: `self` proves the features; 8 words can be written.
        unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), v) }
    }
    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_mullo_epi32(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_min_epu32(a, b) }
    }
    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_and_si256(a, b) }
    }
    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_xor_si256(a, b) }
    }
    #[inline(always)]
    fn or_not(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_or_si256(a, _mm256_xor_si256(b, _mm256_set1_epi32(-1))) }
    }
    #[inline(always)]
    fn any(self, a: __m256i) -> bool {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_testz_si256(a, a) == 0 }
    }
    #[inline(always)]
    fn shl<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_sll_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn shr<const BITS: u32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_srl_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
    }
    #[inline(always)]
    fn shr_each(self, a: __m256i, by: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_srlv_epi32(a, by) }
    }
    #[inline(always)]
    fn gather_by_top(self, table: &[u32], at: __m256i) -> __m256i {
        let shift = self.splat(top_shift(table.len()));
        // SAFETY: `self` proves the features; so shifted, each lane is below the table's length, and not negative.
        unsafe { _mm256_i32gather_epi32::<4>(table.as_ptr().cast(), _mm256_srlv_epi32(at, shift)) }
    }
    /// A table lookup for each four bits (W. Mula, "SSSE3: fast popcount", 2008), then sums of bytes.
    #[inline(always)]
    fn ones(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves the features.
        unsafe {
            let table = _mm256_setr_epi8(
                0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3,
                4,
            );
            let nibble = _mm256_set1_epi8(15);
            let low = _mm256_shuffle_epi8(table, _mm256_and_si256(a, nibble));
            let high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(a), nibble));
            let pairs = _mm256_maddubs_epi16(_mm256_add_epi8(low, high), _mm256_set1_epi8(1));
            _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
        }
    }
    #[inline(always)]
    fn at_most(self, a: __m256i, b: __m256i) -> u32 {
        // SAFETY: `self` proves the features.
        unsafe { !_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b))) as u32 & 0xff }
    }
}
