//! Lanes as AVX-512 registers: 16 at a time, with VPOPCNTDQ and three-input logic.

use crate::lanes::{Lanes, top_shift};
use crate::pairs::{self, Table};
use np_core::generator::mt19937::INIT;
use std::arch::{asm, x86_64::*};

/// Proof that this processor has the instructions; only [`Avx512::detect`] makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The lanes, on a processor that has them.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vpopcntdq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt"))
        .then_some(Self(()))
    }
}

#[target_feature(enable = "avx512f,avx512vpopcntdq,avx2,bmi2,popcnt")]
fn enter<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// The instructions of one operation on a chain `(x, m, u)`, three registers' numbers; none for `-`.
///
/// x becomes, by way of m = x ^ x >> 30 and u = INIT * m, `INIT^2 * m + table[u rotated left by two]`.
macro_rules! operation {
    ($_:ident -) => { "" };
    (shift ($x:literal $m:literal $u:literal)) => { concat!("vpsrld zmm", $m, ", zmm", $x, ", 30\n") };
    (fold ($x:literal $m:literal $u:literal)) => { concat!("vpxord zmm", $m, ", zmm", $m, ", zmm", $x, "\n") };
    (multiply ($x:literal $m:literal $u:literal)) => { concat!("vpmulld zmm", $u, ", zmm", $m, ", zmm17\n") };
    (square ($x:literal $m:literal $u:literal)) => { concat!("vpmulld zmm", $x, ", zmm", $m, ", zmm18\n") };
    (rotate ($x:literal $m:literal $u:literal)) => { concat!("vprold zmm", $u, ", zmm", $u, ", 2\n") };
    (look_up ($x:literal $m:literal $u:literal)) => { concat!("vpermd zmm", $u, ", zmm", $u, ", zmm16\n") };
    (add ($x:literal $m:literal $u:literal)) => { concat!("vpaddd zmm", $x, ", zmm", $x, ", zmm", $u, "\n") };
}

/// A pair of steps of each chain. In each row every operation is of another chain: of two thousand orders measured on a Zen 4
/// this one takes 3.51 cycles for 16 seeds, where seven operations cannot take less than 3.5 and the compiler's order takes
/// 3.5 to 3.9, by chance.
macro_rules! pipeline {
    ($l:tt $k:tt $j:tt $i:tt $h:tt $g:tt $f:tt $e:tt $d:tt $c:tt $b:tt $a:tt $($rest:tt)*) => {
        concat!(
            operation!(shift $a), operation!(rotate $d), operation!(look_up $d), operation!(fold $b),
            operation!(square $c), operation!(add $l), operation!(multiply $c),
            pipeline!($k $j $i $h $g $f $e $d $c $b $a $($rest)*)
        )
    };
    ($($end:tt)*) => { "" };
}

/// [`pairs::steps`], by hand.
#[target_feature(enable = "avx512f")]
#[inline]
fn pairs_of_steps(x: &mut [__m512i; pairs::CHAINS], tables: &[Table]) {
    if tables.is_empty() {
        return;
    }
    let [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15] = x;
    // SAFETY: the function has the feature; each of the turns reads one table.
    unsafe {
        asm!(
            ".p2align 6",
            "2:",
            "vmovdqa64 zmm16, [{table}]",
            pipeline!(
                - - - - - - - - - - -
                (0 19 22) (1 20 23) (2 21 24) (3 19 25) (4 20 26) (5 21 27)
                (6 19 28) (7 20 29) (8 21 30) (9 19 22) (10 20 23) (11 21 24)
                (12 19 25) (13 20 26) (14 21 27) (15 19 28)
                - - - - - - - - - - -
            ),
            "add {table}, 64",
            "dec {turns}",
            "jnz 2b",
            table = inout(reg) tables.as_ptr() => _,
            turns = inout(reg) tables.len() => _,
            in("zmm17") _mm512_set1_epi32(INIT as i32),
            in("zmm18") _mm512_set1_epi32(INIT.wrapping_mul(INIT) as i32),
            inout("zmm0") *x0, inout("zmm1") *x1, inout("zmm2") *x2, inout("zmm3") *x3,
            inout("zmm4") *x4, inout("zmm5") *x5, inout("zmm6") *x6, inout("zmm7") *x7,
            inout("zmm8") *x8, inout("zmm9") *x9, inout("zmm10") *x10, inout("zmm11") *x11,
            inout("zmm12") *x12, inout("zmm13") *x13, inout("zmm14") *x14, inout("zmm15") *x15,
            out("zmm16") _, out("zmm19") _, out("zmm20") _, out("zmm21") _, out("zmm22") _,
            out("zmm23") _, out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _,
            out("zmm28") _, out("zmm29") _, out("zmm30") _,
            options(nostack, readonly),
        );
    }
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
    fn pairs_of_steps(self, x: &mut [__m512i; pairs::CHAINS], tables: &[Table]) {
        // SAFETY: `self` proves the features.
        unsafe { pairs_of_steps(x, tables) }
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
