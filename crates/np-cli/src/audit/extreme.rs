//! The best of S masks on a random block: the exact law of its fold, and what it can save.

use super::binomial::{fold_chances, log2_choose};

/// The law of folds for blocks of one size.
#[derive(Clone, Debug)]
pub struct Law {
    bits: u32,
    /// `P(fold <= f)` of one mask.
    at_most: Vec<f64>,
}

impl Law {
    /// For blocks of `bits` bits.
    pub fn new(bits: u32) -> Self {
        let mut sum = 0.0;
        let at_most = fold_chances(bits).into_iter().map(|chance| {
            sum += chance;
            f64::min(sum, 1.0)
        });
        let mut at_most: Vec<f64> = at_most.collect();
        // Every fold is at most half the block, whatever the sum was rounded to.
        *at_most.last_mut().expect("a block has folds") = 1.0;
        Self { bits, at_most }
    }

    /// `P(the smallest fold of `masks` masks <= fold) = 1 - (1 - p)^masks`, `p = P(one fold <= fold)`. Masks of
    /// different seeds count as independent, which holds exactly for pairs of random masks on a random block.
    pub fn best_at_most(&self, masks: f64, fold: u32) -> f64 {
        -(masks * (-self.at_most[fold as usize]).ln_1p()).exp_m1()
    }

    /// `P(the smallest fold of `masks` masks = f)`, for every fold.
    pub fn best(&self, masks: f64) -> Vec<f64> {
        let mut below = 0.0;
        (0..=self.bits / 2)
            .map(|fold| {
                let at_most = self.best_at_most(masks, fold);
                let here = at_most - below;
                below = at_most;
                here
            })
            .collect()
    }

    /// Bits the best of `masks` masks saves on average, before anything is paid for (see [`saving`]).
    pub fn mean_saving(&self, masks: f64) -> f64 {
        let savings = (0..).map(|fold| saving(self.bits, fold));
        self.best(masks).into_iter().zip(savings).map(|(chance, saving)| chance * saving).sum()
    }
}

/// Bits a residual of this fold saves before the seed, the flag and the fold itself are paid for: `N - log2` of the
/// number of residuals with this fold.
pub fn saving(bits: u32, fold: u32) -> f64 {
    let complement = if 2 * fold < bits { 1.0 } else { 0.0 };
    f64::from(bits) - log2_choose(bits.into(), fold.into()) - complement
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of 4 bits under 2 masks, counted: the masks are independent uniform words.
    #[test]
    fn the_best_of_two_is_counted_exactly() {
        let law = Law::new(4);
        let fold = |word: u32| word.count_ones().min(4 - word.count_ones());
        let mut ways = [0u32; 3];
        for a in 0..16 {
            for b in 0..16 {
                ways[fold(a).min(fold(b)) as usize] += 1;
            }
        }
        for (chance, ways) in law.best(2.0).iter().zip(ways) {
            assert!((chance - f64::from(ways) / 256.0).abs() < 1e-14);
        }
    }

    #[test]
    fn one_mask_is_the_binomial_law() {
        for (best, one) in Law::new(128).best(1.0).iter().zip(fold_chances(128)) {
            assert!((best - one).abs() < 1e-12);
        }
    }

    /// The project's starting point: half of all blocks of 512 bits reach weight 185 with one of 2^32 masks, 33.6 bits
    /// below 512. Of the folds, which have twice the chances, that is 184.
    #[test]
    fn all_seeds_save_hardly_more_than_a_seed_costs() {
        let law = Law::new(512);
        let median = |masks| (0..=256).find(|fold| law.best_at_most(masks, *fold) >= 0.5);
        assert_eq!((median(2f64.powi(31)), median(2f64.powi(32))), (Some(185), Some(184)));
        assert!((512.0 - log2_choose(512, 185) - 33.6).abs() < 0.05);
        for log in 0..=40 {
            let mean = law.mean_saving(2f64.powi(log));
            // The count of ones alone, told as well as can be, costs more than what is left over.
            assert!(mean < f64::from(log) + 6.5 && mean > f64::from(log), "2^{log} masks save {mean}");
        }
    }

    #[test]
    fn chances_of_every_fold_add_up() {
        for masks in [1.0, 256.0, 65536.0, 2f64.powi(32)] {
            assert!((Law::new(512).best(masks).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
