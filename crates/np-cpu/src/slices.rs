//! Transposed masks: a register for each mask bit, with a seed in each bit of it.

use crate::classes::{SLOTS, SPAN, span_bits};
use crate::lanes::Lanes;

/// Registers of seeds that make a batch of slices: a slice has as many bits a lane.
pub(crate) const GROUPS: usize = 32;

/// The slices of a batch, span by span.
///
/// In a span, slot `2 * b` is bit `b` of every mask and slot `2 * b + 1` its complement; the last slot is
/// zeros. Bit `g` of lane `l` of a slice is seed `g * COUNT + l` of the batch.
pub(crate) struct Slices<L: Lanes>(Vec<[L::V; SLOTS]>);

impl<L: Lanes> Slices<L> {
    /// No slices yet.
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// The slices of a span.
    #[inline(always)]
    pub(crate) fn span(&self, span: usize) -> &[L::V; SLOTS] {
        &self.0[span]
    }

    /// Takes in the masks of [`GROUPS`] groups, as [`crate::masks::make`] lays them out.
    pub(crate) fn fill(&mut self, l: L, masks: &[L::V], words: usize) {
        let spans = words.div_ceil(SPAN / 32);
        self.0.resize(spans, [l.splat(0); SLOTS]);
        for (span, slots) in self.0.iter_mut().enumerate() {
            let bits = span_bits(words, spans, span);
            l.with(
                #[inline(always)]
                || {
                    let words_here = bits.start / 32..bits.end / 32;
                    for (w, slots) in words_here.zip(slots.chunks_exact_mut(64)) {
                        transpose(l, &masks[w..], words, slots);
                    }
                },
            );
        }
    }
}

/// Transposes 32 x 32 bits in each lane (H. Warren, Hacker's Delight, 7-3): the five exchanges in two
/// passes, so that each works on few registers.
#[inline(always)]
fn transpose<L: Lanes>(l: L, masks: &[L::V], words: usize, slots: &mut [L::V]) {
    let mut half = [l.splat(0); GROUPS];
    for k in 0..8 {
        let mut x = [half[0]; 4];
        for (i, x) in x.iter_mut().enumerate() {
            *x = masks[(k + 8 * i) * words];
        }
        exchange::<L, 16>(l, &mut x, 0, 2, 0x0000_ffff);
        exchange::<L, 16>(l, &mut x, 1, 3, 0x0000_ffff);
        exchange::<L, 8>(l, &mut x, 0, 1, 0x00ff_00ff);
        exchange::<L, 8>(l, &mut x, 2, 3, 0x00ff_00ff);
        for (i, x) in x.into_iter().enumerate() {
            half[k + 8 * i] = x;
        }
    }
    let ones = l.splat(u32::MAX);
    for k in 0..4 {
        let mut x = [ones; 8];
        x.copy_from_slice(&half[8 * k..8 * k + 8]);
        for i in [0, 1, 2, 3] {
            exchange::<L, 4>(l, &mut x, i, i + 4, 0x0f0f_0f0f);
        }
        for i in [0, 1, 4, 5] {
            exchange::<L, 2>(l, &mut x, i, i + 2, 0x3333_3333);
        }
        for i in [0, 2, 4, 6] {
            exchange::<L, 1>(l, &mut x, i, i + 1, 0x5555_5555);
        }
        for (i, x) in x.into_iter().enumerate() {
            slots[2 * (8 * k + i)] = x;
            slots[2 * (8 * k + i) + 1] = l.xor(x, ones);
        }
    }
}

/// Exchanges the high `BY` bits of every `2 * BY` of `x[a]` with the low ones of `x[b]`.
#[inline(always)]
fn exchange<L: Lanes, const BY: u32>(l: L, x: &mut [L::V], a: usize, b: usize, low: u32) {
    let low = l.splat(low);
    let (was_a, was_b) = (x[a], x[b]);
    x[a] = l.select(low, was_a, l.shl::<BY>(was_b));
    x[b] = l.select(low, l.shr::<BY>(was_a), was_b);
}
