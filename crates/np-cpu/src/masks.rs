//! Mask making: [`Lanes::COUNT`] consecutive seeds a register, several registers at a time.
//!
//! A batch of seeds is cut into groups of one register. Mask word `w` of group `g` stands at
//! `g * W + w`; lane `l` of it belongs to seed `first + g * COUNT + l` (mod 2^32).

use crate::lanes::Lanes;
use crate::pairs::{self, Exceptions};
use np_core::generator::mt19937::{INIT, M, MATRIX_A, N, SHORT_WORDS};

/// The step numbers of `init_genrand`, so that adding one is a load and not an operation.
pub(crate) static STEP: [u32; N] = {
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
    make_with(l, pairs::known::<L>(), first, groups, words, state, masks);
}

/// [`make`], by pairs of steps if there is a list of their exceptions.
pub(crate) fn make_with<L: Lanes>(
    l: L,
    exceptions: Option<&Exceptions>,
    first: u32,
    groups: usize,
    words: usize,
    state: &mut Vec<L::V>,
    masks: &mut [L::V],
) {
    let masks = &mut masks[..groups * words];
    let exceptions = exceptions.filter(|_| words <= SHORT_WORDS);
    let whole = if exceptions.is_some() { groups / pairs::CHAINS * pairs::CHAINS * words } else { 0 };
    let (by_pairs, by_steps) = masks.split_at_mut(whole);
    l.with(
        #[inline(always)]
        || {
            let mut seed = first;
            for out in by_pairs.chunks_exact_mut(pairs::CHAINS * words) {
                paired(l, seeds(l, seed), words, out);
                seed = seed.wrapping_add((pairs::CHAINS * L::COUNT) as u32);
            }
            let mut chunks = by_steps.chunks_exact_mut(CHAINS * words);
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
    if let Some(exceptions) = exceptions {
        pairs::amend(l, exceptions, first, words, by_pairs);
    }
}

/// Independent chains worked on together, to hide the multiplier's latency.
const CHAINS: usize = 8;

/// The seeds from `first` on.
#[inline(always)]
fn seeds<L: Lanes, const C: usize>(l: L, first: u32) -> [L::V; C] {
    let lanes = l.load(&STEP);
    let mut x = [lanes; C];
    for (c, x) in x.iter_mut().enumerate() {
        *x = l.add(lanes, l.splat(first.wrapping_add((c * L::COUNT) as u32)));
    }
    x
}

#[inline(always)]
fn chains<L: Lanes, const C: usize>(l: L, seed: u32, words: usize, state: &mut Vec<L::V>, out: &mut [L::V]) {
    let x = seeds::<L, C>(l, seed);
    if words <= SHORT_WORDS {
        short(l, x, words, out);
    } else {
        long::<L, C>(l, x, words, state, out);
    }
}

/// A step of the seeding but for the addition of its number.
#[inline(always)]
pub(crate) fn mix<L: Lanes>(l: L, x: L::V) -> L::V {
    l.mul(l.xor(x, l.shr::<30>(x)), l.splat(INIT))
}

#[inline(always)]
fn step<L: Lanes, const C: usize>(l: L, x: &mut [L::V; C], i: usize) {
    let i = l.splat(STEP[i]);
    for x in x {
        *x = l.add(mix(l, *x), i);
    }
}

#[inline(always)]
fn temper<L: Lanes>(l: L, mut y: L::V) -> L::V {
    y = l.xor(y, l.shr::<11>(y));
    y = l.xor(y, l.and(l.shl::<7>(y), l.splat(0x9d2c_5680)));
    y = l.xor(y, l.and(l.shl::<15>(y), l.splat(0xefc6_0000)));
    l.xor(y, l.shr::<18>(y))
}

/// `A(hi(a) | lo(b))`.
#[inline(always)]
fn twist<L: Lanes>(l: L, a: L::V, b: L::V) -> L::V {
    let y = l.select(l.splat(0x8000_0000), a, b);
    let odd = l.sub(l.splat(0), l.and(b, l.splat(1)));
    l.xor(l.shr::<1>(y), l.and(odd, l.splat(MATRIX_A)))
}

/// At most 227 words: of the state's first words only what they are twisted to is kept, in the masks' place.
#[inline(always)]
fn short<L: Lanes, const C: usize>(l: L, mut x: [L::V; C], words: usize, out: &mut [L::V]) {
    twists(l, &mut x, words, out);
    for i in words + 1..M {
        step(l, &mut x, i);
    }
    tempers(l, &mut x, words, out);
}

/// [`short`], by pairs of steps.
#[inline(always)]
fn paired<L: Lanes>(l: L, mut x: [L::V; pairs::CHAINS], words: usize, out: &mut [L::V]) {
    l.twists(&mut x, words, out);
    let mut i = words + 1;
    if i.is_multiple_of(2) {
        step(l, &mut x, i);
        i += 1;
    }
    l.pairs_of_steps(&mut x, &pairs::TABLES[i / 2..]);
    l.tempers(&mut x, words, out);
}

/// From the seeds `x` on takes a step for each of `words` words, and keeps in `out` what a word and the next are twisted to.
#[inline(always)]
pub(crate) fn twists<L: Lanes, const C: usize>(l: L, x: &mut [L::V; C], words: usize, out: &mut [L::V]) {
    for k in 0..words {
        let i = l.splat(STEP[k + 1]);
        for (c, x) in x.iter_mut().enumerate() {
            let before = *x;
            *x = l.add(mix(l, before), i);
            out[c * words + k] = twist(l, before, *x);
        }
    }
}

/// From state word `M - 1` on takes a step for each of `words` words, and makes the mask's word of it and of what was kept
/// in `out`.
#[inline(always)]
pub(crate) fn tempers<L: Lanes, const C: usize>(l: L, x: &mut [L::V; C], words: usize, out: &mut [L::V]) {
    for k in 0..words {
        let i = l.splat(STEP[M + k]);
        for (c, x) in x.iter_mut().enumerate() {
            *x = l.add(mix(l, *x), i);
            let out = &mut out[c * words + k];
            *out = temper(l, l.xor(*x, *out));
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
                state[k] = l.xor(state[(k + M) % N], twist(l, state[k], next));
                piece[k] = temper(l, state[k]);
            }
        }
    }
}
