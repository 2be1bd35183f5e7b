//! Twisting and tempering of one long stream, several state words in a vector.

use super::lanes::{temper, twist};
use super::mt19937::{M, N};
use fearless_simd::{Bytes, Level, Simd, SimdBase, dispatch};

/// Words of the widest native vector.
pub(super) const PAD: usize = 16;

/// A state, followed by its own first words: loads that run over the end go on at the start.
pub(super) type Ring = [u32; N + PAD];

/// The ring of a state.
pub(super) fn ring(state: &[u32; N]) -> Ring {
    std::array::from_fn(|i| state[i % N])
}

/// The next N state words in the place of the last.
pub(super) fn regenerate(x: &mut Ring) {
    regenerate_at(Level::new(), x);
}

fn regenerate_at(level: Level, x: &mut Ring) {
    dispatch!(level, simd => generation(simd, x, #[inline(always)] |_, _| ()));
}

/// XORs the outputs of state words onto as many little-endian words of data.
pub(super) fn xor_tempered(state: &[u32], data: &mut [u8]) {
    let data = data.as_chunks_mut().0;
    debug_assert_eq!(state.len(), data.len());
    dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            for (d, x) in data.iter_mut().zip(state) {
                *d = (u32::from_le_bytes(*d) ^ super::mt19937::temper(*x)).to_le_bytes();
            }
        },
    ));
}

/// Writes the outputs of state words.
pub(super) fn put_tempered(state: &[u32], out: &mut [u32]) {
    dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            for (o, x) in out.iter_mut().zip(state) {
                *o = super::mt19937::temper(*x);
            }
        },
    ));
}

/// Twists once for each 4 N bytes of data, and XORs the outputs onto them.
pub(super) fn xor_generations(x: &mut Ring, data: &mut [[u8; 4 * N]]) {
    xor_generations_at(Level::new(), x, data);
}

fn xor_generations_at(level: Level, x: &mut Ring, data: &mut [[u8; 4 * N]]) {
    if cfg!(target_endian = "big") {
        for data in data {
            regenerate_at(level, x);
            xor_tempered(&x[..N], data);
        }
        return;
    }
    dispatch!(level, simd => xor_generations_in(simd, x, data));
}

#[inline(always)]
fn xor_generations_in<S: Simd>(simd: S, x: &mut Ring, data: &mut [[u8; 4 * N]]) {
    for data in data {
        generation(
            simd,
            x,
            #[inline(always)]
            |k, word: S::u32s| {
                let data = &mut data[4 * k..4 * (k + S::u32s::LEN)];
                let mask: S::u8s = temper::<S>(word).to_bytes();
                (S::u8s::from_slice(simd, data) ^ mask).store_slice(data);
            },
        );
    }
}

/// One twist. `put` gets each vector of new state words and the index of its first.
#[inline(always)]
fn generation<S: Simd>(simd: S, x: &mut Ring, mut put: impl FnMut(usize, S::u32s)) {
    let len = S::u32s::LEN;
    // The vector that `M` words on runs over the end is the first to need words of this same pass from there.
    let wrap = (N - M) / len * len;
    for k in (0..wrap).step_by(len) {
        put(k, step(simd, x, k, k + M));
    }
    x.copy_within(..PAD, N);
    put(wrap, step(simd, x, wrap, wrap + M));
    for k in (wrap + len..N).step_by(len) {
        put(k, step(simd, x, k, k + M - N));
    }
}

/// The recurrence for the words from `k` on, which begin from those at `from`.
#[inline(always)]
fn step<S: Simd>(simd: S, x: &mut Ring, k: usize, from: usize) -> S::u32s {
    let load = |k: usize| S::u32s::from_slice(simd, &x[k..k + S::u32s::LEN]);
    let word = load(from) ^ twist::<S>(simd, load(k), load(k + 1));
    word.store_slice(&mut x[k..k + S::u32s::LEN]);
    word
}

#[cfg(test)]
mod tests {
    use super::super::mt19937::{self, genrand_state};
    use super::super::tests::levels;
    use super::*;

    #[test]
    fn every_level_twists_and_tempers_as_the_recurrence_says() {
        const COUNT: usize = 3;
        let state = genrand_state(4711);
        let mut x = state.to_vec();
        for k in 0..COUNT * N {
            x.push(x[k + M] ^ mt19937::twist(x[k], x[k + 1]));
        }
        let masks: Vec<u8> = x[N..].iter().flat_map(|x| mt19937::temper(*x).to_le_bytes()).collect();
        for level in levels() {
            let mut by_ring = ring(&state);
            for i in 1..=COUNT {
                regenerate_at(level, &mut by_ring);
                assert_eq!(by_ring[..N], x[i * N..(i + 1) * N], "{level:?}, generation {i}");
            }
            let mut data = vec![0x5a; masks.len()];
            let mut again = ring(&state);
            xor_generations_at(level, &mut again, data.as_chunks_mut().0);
            assert!(data.iter().zip(&masks).all(|(d, m)| d ^ 0x5a == *m), "{level:?}");
            assert_eq!(again, by_ring);
        }
    }
}
