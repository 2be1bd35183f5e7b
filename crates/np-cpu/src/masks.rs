//! Mask making: [`Lanes::COUNT`] consecutive seeds a register, several registers at a time.
//!
//! A batch of seeds is cut into groups of one register. Mask word `w` of group `g` stands at
//! `g * W + w`; lane `l` of it belongs to seed `first + g * COUNT + l` (mod 2^32).

use crate::lanes::Lanes;
use np_core::generator::mt19937::{INIT, M, MATRIX_A, N, SHORT_WORDS};

/// The step numbers of `init_genrand`, so that adding one is a load and not an operation.
static STEP: [u32; N] = {
    let mut steps = [0; N];
    let mut i = 0;
    while i < N {
        steps[i] = i as u32;
        i += 1;
    }
    steps
};

/// Makes the masks of `groups` groups from `first` on, `words` words each. `masks` holds at least
/// `groups * words` registers; `state` is scratch space.
pub(crate) fn make<L: Lanes>(
    l: L,
    first: u32,
    groups: usize,
    words: usize,
    state: &mut Vec<L::V>,
    masks: &mut [L::V],
) {
    let masks = &mut masks[..groups * words];
    l.with(
        #[inline(always)]
        || {
            let mut seed = first;
            let mut chunks = masks.chunks_exact_mut(CHAINS * words);
            for out in &mut chunks {
                chains::<L, CHAINS>(l, seed, words, state, out);
                seed = seed.wrapping_add((CHAINS * L::COUNT) as u32);
            }
            for out in chunks.into_remainder().chunks_exact_mut(words) {
                chains::<L, 1>(l, seed, words, state, out);
                seed = seed.wrapping_add(L::COUNT as u32);
            }
        },
    );
}

/// Independent chains worked on together, to hide the multiplier's latency.
const CHAINS: usize = 8;

#[inline(always)]
fn chains<L: Lanes, const C: usize>(l: L, seed: u32, words: usize, state: &mut Vec<L::V>, out: &mut [L::V]) {
    let mut x = [l.splat(0); C];
    for (c, x) in x.iter_mut().enumerate() {
        let mut lanes = [0; 32];
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane = seed.wrapping_add((c * L::COUNT + i) as u32);
        }
        *x = l.load(&lanes);
    }
    if words <= SHORT_WORDS {
        short::<L, C>(l, x, words, out);
    } else {
        long::<L, C>(l, x, words, state, out);
    }
}

#[inline(always)]
fn step<L: Lanes, const C: usize>(l: L, x: &mut [L::V; C], i: usize) {
    let factor = l.splat(INIT);
    let i = l.splat(STEP[i]);
    for x in x {
        *x = l.add(l.mul(l.xor(*x, l.shr::<30>(*x)), factor), i);
    }
}

#[inline(always)]
fn temper<L: Lanes>(l: L, mut y: L::V) -> L::V {
    y = l.xor(y, l.shr::<11>(y));
    y = l.xor(y, l.and(l.shl::<7>(y), l.splat(0x9d2c_5680)));
    y = l.xor(y, l.and(l.shl::<15>(y), l.splat(0xefc6_0000)));
    l.xor(y, l.shr::<18>(y))
}

/// `from ^ A(hi(a) | lo(b))`.
#[inline(always)]
fn twist<L: Lanes>(l: L, from: L::V, a: L::V, b: L::V) -> L::V {
    let high = l.and(l.xor(a, b), l.splat(0x8000_0000));
    let y = l.xor(high, b);
    let odd = l.sub(l.splat(0), l.and(y, l.splat(1)));
    l.xor(from, l.xor(l.shr::<1>(y), l.and(odd, l.splat(MATRIX_A))))
}

/// At most 227 words: only `x[0..=W]` is kept, in the place of the masks that follow from them.
#[inline(always)]
fn short<L: Lanes, const C: usize>(l: L, mut x: [L::V; C], words: usize, out: &mut [L::V]) {
    for i in 0..words {
        for (c, x) in x.iter().enumerate() {
            out[c * words + i] = *x;
        }
        step(l, &mut x, i + 1);
    }
    let last = x;
    for i in words + 1..M {
        step(l, &mut x, i);
    }
    for k in 0..words {
        step(l, &mut x, M + k);
        for c in 0..C {
            let at = c * words + k;
            let next = if k + 1 < words { out[at + 1] } else { last[c] };
            out[at] = temper(l, twist(l, x[c], out[at], next));
        }
    }
}

/// More than 227 words: the whole state, twisted as often as it takes.
#[inline(always)]
fn long<L: Lanes, const C: usize>(
    l: L,
    mut x: [L::V; C],
    words: usize,
    state: &mut Vec<L::V>,
    out: &mut [L::V],
) {
    state.clear();
    state.resize(N * C, l.splat(0));
    for i in 0..N {
        if i > 0 {
            step(l, &mut x, i);
        }
        for (c, x) in x.iter().enumerate() {
            state[c * N + i] = *x;
        }
    }
    for (state, out) in state.chunks_exact_mut(N).zip(out.chunks_exact_mut(words)) {
        for piece in out.chunks_mut(N) {
            for k in 0..piece.len() {
                let next = state[(k + 1) % N];
                state[k] = twist(l, state[(k + M) % N], state[k], next);
                piece[k] = temper(l, state[k]);
            }
        }
    }
}
