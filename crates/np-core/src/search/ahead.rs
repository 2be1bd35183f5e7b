//! Masks of predicted seeds: while predictions come true, those of many blocks to come are made together.

use crate::format::layout::{Bias, Packed};
use crate::format::seeds::{SeedContext, SeedKind};
use crate::generator::{lanes::mask_many, mask_words};

/// Masks made together at most.
const MOST: usize = 64;
/// Seeds asked for in a row that were not among those before new ones are made ahead.
const PATIENCE: usize = 4;

/// The masks made ahead.
pub struct Ahead {
    words: usize,
    seeds: Vec<u32>,
    masks: Vec<u32>,
    /// How many of the seeds were asked for, the last of them and those before it.
    used: usize,
    missed: usize,
    single: Vec<u32>,
}

impl Ahead {
    /// For masks of `words` words.
    pub fn new(words: usize) -> Self {
        Self { words, seeds: Vec::new(), masks: Vec::new(), used: 0, missed: 0, single: vec![0; words] }
    }

    /// The mask of `seed`, which is one of `context`'s predictions.
    pub fn mask(&mut self, context: &SeedContext, seed: u32) -> &[u32] {
        let mut known = self.seeds.iter().position(|s| *s == seed);
        if known.is_none() {
            self.missed += 1;
            // Twice as many as came true.
            let count = match self.used == self.seeds.len() {
                true => Some((2 * self.used).clamp(1, MOST)),
                false => (self.missed > PATIENCE).then_some(1),
            };
            if let Some(count) = count {
                self.seeds = following(*context, seed, count);
                self.masks.resize(self.seeds.len() * self.words, 0);
                mask_many(&self.seeds, self.words, &mut self.masks);
                self.used = 0;
                known = Some(0);
            }
        }
        let Some(at) = known else {
            mask_words(seed, &mut self.single);
            return &self.single;
        };
        self.missed = 0;
        self.used = self.used.max(at + 1);
        &self.masks[at * self.words..][..self.words]
    }
}

/// `seed` and those after it, as the expert that predicts it goes on, `count` at most.
fn following(mut context: SeedContext, seed: u32, count: usize) -> Vec<u32> {
    let kind = SeedKind::ALL.into_iter().find(|kind| context.prediction(*kind) == Some(seed));
    let mut seeds = vec![seed];
    while let (Some(kind), Some(&last), true) = (kind, seeds.last(), seeds.len() < count) {
        context.learn(0, &Packed { seed: last, position: 0, bias: Bias::default() });
        match context.prediction(kind) {
            Some(next) if next != last => seeds.push(next),
            _ => break,
        }
    }
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is asked for, in whatever order, the mask is the seed's.
    #[test]
    fn masks_are_those_of_the_seeds_asked_for() {
        let seeds = (0..300u32).map(|i| match i / 100 {
            0 => 5 + 3 * i,
            1 => 7 * i * i,
            _ => i % 2 * 90_000 + 11 * i,
        });
        let mut ahead = Ahead::new(5);
        let mut context = SeedContext::default();
        let mut most = 0;
        for seed in seeds {
            // Up to the one that comes true.
            let wrong = context.predictions().take_while(|p| *p != seed).count();
            for prediction in context.predictions().take(wrong + 1) {
                let mut expected = [0; 5];
                mask_words(prediction, &mut expected);
                assert_eq!(ahead.mask(&context, prediction), expected, "{prediction}");
            }
            most = most.max(ahead.seeds.len());
            context.learn(0, &Packed { seed, position: 0, bias: Bias::default() });
        }
        assert!(most > 8, "{most} masks were made together at most");
    }
}
