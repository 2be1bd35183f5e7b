//! Integer logistic mixing: several learned probabilities of one bit, weighted by how right they were
//! (FORMAT.md, "Mixing").
//!
//! Source: M. Mahoney, "Adaptive weighing of context models for lossless data compression", 2005, in
//! fixed point: probabilities in 1/4096, `stretch(p) = ln(p / (1 - p))` in 1/256.

use super::coder::Coder;
use super::model::Bit;

/// `round(4096 / (1 + e^(-k/2)))` for `k = -16..=16`, kept within 1..=4095: squash at every 128th step.
#[rustfmt::skip]
static SQUASH: [i32; 33] = [
    1, 2, 4, 6, 10, 17, 27, 45, 74, 120, 194,
    311, 488, 747, 1102, 1546, 2048, 2550, 2994, 3349, 3608, 3785,
    3902, 3976, 4022, 4051, 4069, 4079, 4086, 4090, 4092, 4094, 4095,
];

/// The probability, in 1/4096, that is `x / 256` in the logistic domain: linear between table entries.
pub fn squash(x: i32) -> i32 {
    let x = x.clamp(-2047, 2047) + 2048;
    let (step, part) = ((x >> 7) as usize, x & 127);
    (SQUASH[step] * (128 - part) + SQUASH[step + 1] * part + 64) >> 7
}

/// For each probability in 1/4096 the smallest `x` in -2047..=2047 with `squash(x) >= p`.
fn stretch_table() -> Box<[i16; 4096]> {
    let mut table = Box::new([2047; 4096]);
    let mut next = 0;
    for x in -2047..=2047 {
        let p = squash(x);
        while next <= p {
            table[next as usize] = x as i16;
            next += 1;
        }
    }
    table
}

/// Inputs of a mixer.
pub const INPUTS: usize = 3;
/// A weight of one, 16 fractional bits.
const ONE: i32 = 1 << 16;
/// How fast weights move.
const RATE: i32 = 6;

/// The table all mixers of a coder share.
#[derive(Clone, Debug)]
pub struct Stretch(Box<[i16; 4096]>);

impl Default for Stretch {
    fn default() -> Self {
        Self(stretch_table())
    }
}

/// Weights for the inputs of one kind of bit.
#[derive(Clone, Copy, Debug)]
pub struct Mixer {
    weights: [i32; INPUTS],
}

impl Default for Mixer {
    fn default() -> Self {
        Self { weights: [ONE * 2 / 5; INPUTS] }
    }
}

impl Mixer {
    /// Codes `bit` with the mixed probability of the inputs, and teaches them and the weights.
    pub fn code(
        &mut self,
        coder: &mut impl Coder,
        stretch: &Stretch,
        inputs: [&mut Bit; INPUTS],
        bit: bool,
    ) -> bool {
        // Probabilities here are those of a one.
        let x = [0, 1, 2].map(|i| {
            let one = 65536 - u32::from(inputs[i].p());
            i32::from(stretch.0[(one >> 4).min(4095) as usize])
        });
        let dot: i64 = (0..INPUTS).map(|i| i64::from(x[i]) * i64::from(self.weights[i])).sum();
        let one = squash((dot >> 16).clamp(-2047, 2047) as i32);
        let p_zero = ((4096 - one) << 4).clamp(16, 65520) as u16;
        let bit = coder.fixed(p_zero, bit);
        let error = ((i32::from(bit) << 12) - one) * RATE;
        for (weight, x) in self.weights.iter_mut().zip(x) {
            *weight = (*weight + ((x * error + 0x2000) >> 14)).clamp(-8 * ONE, 8 * ONE);
        }
        for input in inputs {
            input.learn(bit);
        }
        bit
    }
}

#[cfg(test)]
mod tests {
    use super::super::coder::{Pricer, RangeDecoder, RangeEncoder};
    use super::*;
    use crate::price::FINE_BIT;

    #[test]
    fn the_tables_are_what_their_formulas_say() {
        for (i, s) in SQUASH.iter().enumerate() {
            let x = (i as f64 - 16.0) / 2.0;
            assert_eq!(*s, ((4096.0 / (1.0 + (-x).exp())).round() as i32).clamp(1, 4095));
        }
        let stretch = stretch_table();
        assert!(stretch.windows(2).all(|w| w[0] <= w[1]));
        for p in [1, 100, 2048, 4000, 4095] {
            assert!((squash(stretch[p].into()) - p as i32).abs() <= 16, "{p}");
        }
    }

    #[test]
    fn the_right_input_wins_and_the_reader_follows() {
        // The bit alternates: an input that sees the last bit is right, the others are useless.
        type Code<'a> = &'a mut dyn FnMut(&mut Mixer, &Stretch, [&mut Bit; 3], bool) -> bool;
        let run = |coder: Code<'_>, n: usize| {
            let (mut mixer, stretch) = (Mixer::default(), Stretch::default());
            let (mut blind, mut blind_too, mut seeing) =
                (Bit::default(), Bit::default(), [Bit::default(); 2]);
            let mut last = false;
            for i in 0..n {
                let bit = coder(
                    &mut mixer,
                    &stretch,
                    [&mut blind, &mut blind_too, &mut seeing[usize::from(last)]],
                    i % 2 == 1,
                );
                assert_eq!(bit, i % 2 == 1);
                last = bit;
            }
        };
        let bits = if cfg!(miri) { 300 } else { 2000 };
        let mut pricer = Pricer::default();
        run(&mut |m, s, i, b| m.code(&mut pricer, s, i, b), bits);
        assert!(pricer.fine / FINE_BIT < 60, "{} bits", pricer.fine / FINE_BIT);
        let mut encoder = RangeEncoder::default();
        run(&mut |m, s, i, b| m.code(&mut encoder, s, i, b), bits);
        let coded = encoder.finish();
        let mut decoder = RangeDecoder::new(&coded);
        run(&mut |m, s, i, _| m.code(&mut decoder, s, i, false), bits);
    }
}
