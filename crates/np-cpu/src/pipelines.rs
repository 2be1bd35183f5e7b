//! The loops of mask making for AVX-512, by hand.
//!
//! Sixteen chains are worked on at a time, in registers 0 to 15. One turn of a loop is a software pipeline over them: in each row
//! of it the operations are of different chains, so that few wait for another's result. The orders are the best of some thousands
//! measured on a Zen 4, which does two operations of 512 bits a cycle:
//!
//! | of 16 seeds | operations | cycles at the least | cycles, each loop alone |
//! |---|---|---|---|
//! | a step, and the twist | 8 | 4 | 4.1 |
//! | two steps | 7 | 3.5 | 3.51 |
//! | a step, and the tempering | 13 | 6.5 | 6.6 |
//!
//! One chain after another they take 4.8, 3.9 and 8.7 cycles.

use crate::masks::STEP;
use crate::pairs::{CHAINS, Table};
use np_core::generator::mt19937::{INIT, M, MATRIX_A, SHORT_WORDS};
use std::arch::{asm, x86_64::*};

/// The instructions of one operation on a chain; none for `-`. A chain is a list of registers' numbers and, where words
/// are loaded or stored, an address.
macro_rules! operation {
    ($name:ident -) => { "" };

    // Of the chain's word x a step makes m. It takes x's place, and j is what the two are twisted to, by way of p.
    (shift ($x:literal $m:literal $($rest:tt)*)) => { concat!("vpsrld zmm", $m, ", zmm", $x, ", 30\n") };
    (fold ($x:literal $m:literal $($rest:tt)*)) => { concat!("vpxord zmm", $m, ", zmm", $m, ", zmm", $x, "\n") };
    (mix ($x:literal $m:literal $($rest:tt)*)) => { concat!("vpmulld zmm", $m, ", zmm", $m, ", zmm17\n") };
    (count ($x:literal $m:literal $($rest:tt)*)) => {
        concat!("vpaddd zmm", $m, ", zmm", $m, ", dword ptr [{step}]{{1to16}}\n")
    };
    (join ($x:literal $m:literal $j:literal $p:literal $at:literal)) => {
        concat!("vpshldd zmm", $j, ", zmm", $m, ", zmm", $x, ", 1\n")
    };
    (keep ($x:literal $m:literal $j:literal $p:literal $at:literal)) => { concat!("vmovdqa64 zmm", $x, ", zmm", $m, "\n") };
    (matrix ($x:literal $m:literal $j:literal $p:literal $at:literal)) => {
        concat!("vpermd zmm", $p, ", zmm", $j, ", zmm16\n")
    };
    (turn ($x:literal $m:literal $j:literal $p:literal $at:literal)) => { concat!("vprord zmm", $j, ", zmm", $j, ", 2\n") };
    (twist ($x:literal $m:literal $j:literal $p:literal $at:literal)) => {
        concat!("vpxord zmm", $j, ", zmm", $j, ", zmm", $p, "\n")
    };
    (twisted ($x:literal $m:literal $j:literal $p:literal $at:literal)) => {
        concat!("vmovdqu64 zmmword ptr ", $at, ", zmm", $j, "\n")
    };

    // x becomes, by way of m = x ^ x >> 30 and u = INIT * m, `INIT^2 * m + table[u rotated left by two]`.
    (multiply ($x:literal $m:literal $u:literal)) => { concat!("vpmulld zmm", $u, ", zmm", $m, ", zmm17\n") };
    (square ($x:literal $m:literal $u:literal)) => { concat!("vpmulld zmm", $x, ", zmm", $m, ", zmm18\n") };
    (rotate ($x:literal $m:literal $u:literal)) => { concat!("vprold zmm", $u, ", zmm", $u, ", 2\n") };
    (look_up ($x:literal $m:literal $u:literal)) => { concat!("vpermd zmm", $u, ", zmm", $u, ", zmm16\n") };
    (add ($x:literal $m:literal $u:literal)) => { concat!("vpaddd zmm", $x, ", zmm", $x, ", zmm", $u, "\n") };

    // A step takes x to the next word, with which y is begun; t and s are the tempering's shifted words.
    (step ($x:literal $m:literal $($rest:tt)*)) => {
        concat!("vpaddd zmm", $x, ", zmm", $m, ", dword ptr [{step}]{{1to16}}\n")
    };
    (begin ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpxord zmm", $y, ", zmm", $x, ", zmmword ptr ", $at, "\n")
    };
    (shift_u ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpsrld zmm", $t, ", zmm", $y, ", 11\n")
    };
    (shift_s ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpslld zmm", $t, ", zmm", $y, ", 7\n")
    };
    (shift_t ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpslld zmm", $s, ", zmm", $y, ", 15\n")
    };
    (shift_l ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpsrld zmm", $t, ", zmm", $y, ", 18\n")
    };
    (temper_s ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpternlogd zmm", $y, ", zmm", $t, ", zmm16, 0x78\n")
    };
    (temper_t ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpternlogd zmm", $y, ", zmm", $s, ", zmm19, 0x78\n")
    };
    (temper_u ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpxord zmm", $y, ", zmm", $y, ", zmm", $t, "\n")
    };
    (temper_l ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vpxord zmm", $y, ", zmm", $y, ", zmm", $t, "\n")
    };
    (tempered ($x:literal $m:literal $y:literal $t:literal $s:literal $at:literal)) => {
        concat!("vmovdqu64 zmmword ptr ", $at, ", zmm", $y, "\n")
    };
}

/// The rows: in the first the newest chain is the first of the list, in the next the second, and so on. `$a` is the newest
/// chain, `$b` the one before.
macro_rules! pipeline {
    ($row:ident: $o:tt $n:tt $m:tt $l:tt $k:tt $j:tt $i:tt $h:tt $g:tt $f:tt $e:tt $d:tt $c:tt $b:tt $a:tt $($rest:tt)*) => {
        concat!(
            $row!($a $b $c $d $e $f $g $h $i $j $k $l $m $n $o),
            pipeline!($row: $n $m $l $k $j $i $h $g $f $e $d $c $b $a $($rest)*)
        )
    };
    ($row:ident: $($end:tt)*) => { "" };
}

macro_rules! twists {
    ($a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $j:tt $($rest:tt)*) => {
        concat!(
            operation!(shift $a), operation!(twist $j), operation!(mix $c), operation!(join $e), operation!(matrix $i),
            operation!(turn $i), operation!(count $d), operation!(twisted $j), operation!(fold $b), operation!(keep $g)
        )
    };
}

macro_rules! pairs {
    ($a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $j:tt $k:tt $l:tt $($rest:tt)*) => {
        concat!(
            operation!(shift $a), operation!(rotate $d), operation!(look_up $d), operation!(fold $b), operation!(square $c),
            operation!(add $l), operation!(multiply $c)
        )
    };
}

macro_rules! tempers {
    ($a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $j:tt $k:tt $l:tt $m:tt $n:tt $o:tt) => {
        concat!(
            operation!(begin $g), operation!(temper_u $j), operation!(tempered $o), operation!(shift_s $k),
            operation!(temper_t $m), operation!(temper_s $k), operation!(fold $c), operation!(shift_l $n), operation!(mix $c),
            operation!(temper_l $n), operation!(step $c), operation!(shift_u $i), operation!(shift_t $l), operation!(shift $a)
        )
    };
}

/// A loop of `$turns` turns of a pipeline over the chains `$x`; `$first` and `$last` stand around it in each turn. The chains are
/// in registers 0 to 15; `$operand` says what 16 to 19 are; 20 to 31 are scratch.
macro_rules! turns {
    ($x:ident, $turns:expr, [$($first:literal),*], $row:ident: [$($chain:tt)*], [$($last:literal),*], $($operand:tt)*) => {{
        let [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15] = $x;
        asm!(
            ".p2align 6",
            "2:",
            $($first,)*
            pipeline!($row: - - - - - - - - - - - - - - $($chain)* - - - - - - - - - - - - - -),
            $($last,)*
            "dec {turns}",
            "jnz 2b",
            turns = inout(reg) $turns => _,
            $($operand)*
            inout("zmm0") *x0, inout("zmm1") *x1, inout("zmm2") *x2, inout("zmm3") *x3,
            inout("zmm4") *x4, inout("zmm5") *x5, inout("zmm6") *x6, inout("zmm7") *x7,
            inout("zmm8") *x8, inout("zmm9") *x9, inout("zmm10") *x10, inout("zmm11") *x11,
            inout("zmm12") *x12, inout("zmm13") *x13, inout("zmm14") *x14, inout("zmm15") *x15,
            out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _, out("zmm24") _, out("zmm25") _,
            out("zmm26") _, out("zmm27") _, out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
            options(nostack),
        )
    }};
}

/// [`turns`] that go with the steps from `$step` on, and along the masks, of `$words` words each, in `$out`.
macro_rules! words {
    ($x:ident, $words:ident, $out:ident, $step:expr, $row:ident: $chains:tt, $($operand:tt)*) => {{
        let stride = stride($words, $out);
        let at = $out.as_mut_ptr();
        turns!(
            $x, $words, [], $row: $chains,
            ["add {step}, 4", "add {at}, 64", "add {at5}, 64", "add {at10}, 64"],
            step = inout(reg) STEP.as_ptr().add($step) => _,
            at = inout(reg) at => _,
            at5 = inout(reg) at.add(5 * $words) => _,
            at10 = inout(reg) at.add(10 * $words) => _,
            s = in(reg) stride,
            s3 = in(reg) 3 * stride,
            s5 = in(reg) 5 * stride,
            in("zmm17") _mm512_set1_epi32(INIT as i32),
            $($operand)*
        )
    }};
}

/// What the twist's matrix adds, by the low bits of `j = b << 1 | a >> 31`: its second bit is the one that b loses. What
/// turning j leaves of that bit at the top is taken away.
static MATRIX: Table = {
    let mut table = [0; 16];
    let mut low = 0;
    while low < 16 {
        if low & 2 != 0 {
            table[low] = MATRIX_A ^ 0x8000_0000;
        }
        low += 1;
    }
    Table(table)
};

/// The bytes from the mask of one chain, of `words` words, to that of the next. Panics if `out` has not those of all chains, or if
/// there are no steps for so many words.
fn stride(words: usize, out: &[__m512i]) -> usize {
    assert!(
        words > 0 && words <= SHORT_WORDS && out.len() >= CHAINS * words,
        "{words} words, {} registers",
        out.len()
    );
    words * size_of::<__m512i>()
}

/// [`masks::twists`](crate::masks::twists) of 16 chains.
#[target_feature(enable = "avx512f,avx512vbmi2")]
#[inline]
pub(crate) fn twists(x: &mut [__m512i; CHAINS], words: usize, out: &mut [__m512i]) {
    // SAFETY: the function has the features; turn k reads step k + 1, of N, and writes word k of each chain's mask.
    unsafe {
        words!(
            x, words, out, 1,
            twists: [
                (0 18 25 31 "[{at}]") (1 19 26 31 "[{at} + {s}]") (2 20 27 31 "[{at} + 2*{s}]") (3 21 28 31 "[{at} + {s3}]")
                (4 22 29 31 "[{at} + 4*{s}]") (5 23 30 31 "[{at5}]") (6 24 25 31 "[{at5} + {s}]")
                (7 18 26 31 "[{at5} + 2*{s}]") (8 19 27 31 "[{at5} + {s3}]") (9 20 28 31 "[{at5} + 4*{s}]")
                (10 21 29 31 "[{at10}]") (11 22 30 31 "[{at10} + {s}]") (12 23 25 31 "[{at10} + 2*{s}]")
                (13 24 26 31 "[{at10} + {s3}]") (14 18 27 31 "[{at10} + 4*{s}]") (15 19 28 31 "[{at10} + {s5}]")
            ],
            in("zmm16") _mm512_loadu_si512((&raw const MATRIX).cast()),
            out("zmm18") _, out("zmm19") _,
        );
    }
}

/// [`pairs::steps`](crate::pairs::steps).
#[target_feature(enable = "avx512f")]
#[inline]
pub(crate) fn pairs(x: &mut [__m512i; CHAINS], tables: &[Table]) {
    if tables.is_empty() {
        return;
    }
    // SAFETY: the function has the feature; each of the turns reads one table.
    unsafe {
        turns!(
            x, tables.len(), ["vmovdqa64 zmm16, zmmword ptr [{table}]"],
            pairs: [
                (0 19 22) (1 20 23) (2 21 24) (3 19 25) (4 20 26) (5 21 27)
                (6 19 28) (7 20 29) (8 21 30) (9 19 22) (10 20 23) (11 21 24)
                (12 19 25) (13 20 26) (14 21 27) (15 19 28)
            ],
            ["add {table}, 64"],
            table = inout(reg) tables.as_ptr() => _,
            in("zmm17") _mm512_set1_epi32(INIT as i32),
            in("zmm18") _mm512_set1_epi32(INIT.wrapping_mul(INIT) as i32),
            out("zmm16") _, out("zmm19") _,
        );
    }
}

/// [`masks::tempers`](crate::masks::tempers) of 16 chains.
#[target_feature(enable = "avx512f")]
#[inline]
pub(crate) fn tempers(x: &mut [__m512i; CHAINS], words: usize, out: &mut [__m512i]) {
    // SAFETY: the function has the feature; turn k reads step M + k, of N, and reads and writes word k of each chain's mask.
    unsafe {
        words!(
            x, words, out, M,
            tempers: [
                (0 18 21 30 31 "[{at}]") (1 20 22 30 31 "[{at} + {s}]") (2 18 23 30 31 "[{at} + 2*{s}]")
                (3 20 24 30 31 "[{at} + {s3}]") (4 18 25 30 31 "[{at} + 4*{s}]") (5 20 26 30 31 "[{at5}]")
                (6 18 27 30 31 "[{at5} + {s}]") (7 20 28 30 31 "[{at5} + 2*{s}]") (8 18 29 30 31 "[{at5} + {s3}]")
                (9 20 21 30 31 "[{at5} + 4*{s}]") (10 18 22 30 31 "[{at10}]") (11 20 23 30 31 "[{at10} + {s}]")
                (12 18 24 30 31 "[{at10} + 2*{s}]") (13 20 25 30 31 "[{at10} + {s3}]") (14 18 26 30 31 "[{at10} + 4*{s}]")
                (15 20 27 30 31 "[{at10} + {s5}]")
            ],
            in("zmm16") _mm512_set1_epi32(0x9d2c_5680_u32 as i32),
            in("zmm19") _mm512_set1_epi32(0xefc6_0000_u32 as i32),
            out("zmm18") _,
        );
    }
}
