//! The trials together: distributions, the bound, the law, and every p-value corrected for all that was tested.

use super::{SEEDS, Trial};
use crate::audit::binomial::upper_tail;
use crate::audit::extreme::{Law, saving};
use crate::audit::tests_of_chance::{chi_squared, holm, p_text};
use serde::Serialize;
use std::fmt::Write;

/// Gains the bound is looked at for.
const GAINS: [u32; 6] = [1, 2, 4, 8, 16, 32];
/// Bars of a histogram.
const BARS: usize = 12;
/// Width of the longest bar.
const BAR: usize = 46;

/// What was tried.
#[derive(Debug, Serialize)]
pub struct Setting {
    pub input: String,
    pub bytes: usize,
    pub level: u32,
    pub block_bits: u32,
    pub miner: String,
}

/// All of it.
#[derive(Debug, Serialize)]
pub struct Judged {
    #[serde(flatten)]
    setting: Setting,
    trials: usize,
    /// p-values in all, each corrected for all of them by Holm's method.
    tests: usize,
    accounts: [Account; 3],
    best_of: Vec<BestOf>,
    smallest: Smallest,
    /// Trials in which the packer found a generator.
    trials_with_a_generator: usize,
}

/// The gains of an account, in bits.
#[derive(Debug, Serialize)]
struct Account {
    name: &'static str,
    least: f64,
    percentile_5: f64,
    median: f64,
    mean: f64,
    percentile_95: f64,
    most: f64,
    deviation: f64,
    bound: Vec<Bound>,
    #[serde(skip)]
    gains: Vec<f64>,
}

/// How often a gain of so many bits was seen, and how often it may be.
#[derive(Debug, Serialize)]
struct Bound {
    gain: u32,
    at_most: f64,
    seen: f64,
    /// Chance of so many or more if the bound holds, corrected.
    p: f64,
}

/// The best masks of so many seeds beside the law.
#[derive(Debug, Serialize)]
struct BestOf {
    seeds: u64,
    blocks: u64,
    mean_fold: f64,
    mean_fold_law: f64,
    /// Bits saved before anything is paid for.
    mean_saving: f64,
    mean_saving_law: f64,
    chi_squared: f64,
    freedom: u32,
    /// Corrected.
    p: f64,
}

/// The smallest fold of all.
#[derive(Debug, Serialize)]
struct Smallest {
    fold: u32,
    masks: f64,
    /// Chance of one so small or smaller among all that were looked at, corrected for the other tests too.
    p: f64,
}

impl Judged {
    /// Judges `trials`, of which there is at least one.
    pub fn new(setting: Setting, trials: &[Trial]) -> Self {
        let law = Law::new(setting.block_bits);
        let gains = |name, of: fn(&Trial) -> f64| Account::new(name, trials.iter().map(of).collect());
        let mut accounts = [
            gains("(a) proof of concept", |trial| trial.proof_of_concept),
            gains("(b) the same, paid in full", |trial| trial.paid),
            gains("(c) np-cli", |trial| trial.packer),
        ];
        let mut best_of: Vec<BestOf> = (0..)
            .zip(SEEDS)
            .map(|(i, seeds)| BestOf::new(setting.block_bits, seeds, &sum(trials, i), &law))
            .collect();
        let last = sum(trials, SEEDS.len() - 1);
        let fold = last.iter().position(|count| *count > 0).unwrap_or(0) as u32;
        let masks = SEEDS[SEEDS.len() - 1] as f64 * last.iter().sum::<u64>() as f64;
        let mut smallest = Smallest { fold, masks, p: law.best_at_most(masks, fold) };

        // Every p-value there is, corrected for all of them.
        let bounds = accounts.iter_mut().flat_map(|account| &mut account.bound).map(|bound| &mut bound.p);
        let laws = best_of.iter_mut().map(|best| &mut best.p);
        let mut all: Vec<&mut f64> = bounds.chain(laws).chain([&mut smallest.p]).collect();
        let tests = all.len();
        let corrected = holm(&all.iter().map(|p| **p).collect::<Vec<_>>());
        for (p, corrected) in all.iter_mut().zip(corrected) {
            **p = corrected;
        }
        let trials_with_a_generator = trials.iter().filter(|trial| trial.explained > 0).count();
        Self { setting, trials: trials.len(), tests, accounts, best_of, smallest, trials_with_a_generator }
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut out = String::new();
        let Setting { input, bytes, level, block_bits, miner } = &self.setting;
        let count = self.trials;
        let _ = writeln!(out, "{count} trials of {bytes} bytes; {input}; (c) is np-cli -{level} by {miner}");
        if *level != 6 {
            let _ = writeln!(
                out,
                "pack's default is -6, which looks at four to eight times as many seeds as -4; give -6 to try that"
            );
        }
        let _ = writeln!(
            out,
            "\nnet gain in bits              least      5 %   median     mean     95 %     most  deviation"
        );
        for a in &self.accounts {
            let _ = writeln!(
                out,
                "{:<26} {:>+8.0} {:>+8.0} {:>+8.0} {:>+8.1} {:>+8.0} {:>+8.0} {:>10.1}",
                a.name, a.least, a.percentile_5, a.median, a.mean, a.percentile_95, a.most, a.deviation
            );
        }
        for account in &self.accounts {
            account.bars(&mut out);
        }
        let _ = writeln!(
            out,
            "\nthe bound: no code that can be read back shortens more than a share 2^-g of all inputs by g bits or more;\n\
             beside it the share that was seen, and p, the chance of seeing so many if the bound held\n     g    bound   {}",
            self.accounts.each_ref().map(|a| format!("{:>8} {:>8}", &a.name[..3], "p")).join("   ")
        );
        for (i, gain) in GAINS.iter().enumerate() {
            let _ = write!(out, "{gain:>6} {:>8}", share(self.accounts[0].bound[i].at_most));
            for account in &self.accounts {
                let Bound { seen, p, .. } = account.bound[i];
                let _ = write!(out, "   {:>8} {:>8}", share(seen), p_text(p));
            }
            out.push('\n');
        }
        let _ = writeln!(
            out,
            "\nthe best of S masks on {} blocks of {block_bits} bits, beside the law 1 - (1 - p)^S\n         S   mean fold: seen      law   bits saved, unpaid: seen      law   log2 S   chi^2 / freedom        p",
            self.best_of[0].blocks
        );
        for b in &self.best_of {
            let _ = writeln!(
                out,
                "{:>10} {:>17.3} {:>8.3} {:>26.3} {:>8.3} {:>8.0} {:>11.1} / {:<3} {:>9}",
                b.seeds,
                b.mean_fold,
                b.mean_fold_law,
                b.mean_saving,
                b.mean_saving_law,
                (b.seeds as f64).log2(),
                b.chi_squared,
                b.freedom,
                p_text(b.p)
            );
        }
        let Smallest { fold, masks, p } = self.smallest;
        let _ = writeln!(
            out,
            "smallest fold of all {masks:.2e} (block, mask) pairs: {fold}; chance of one as small: {}\n\n\
             all p-values are corrected, by Holm's method, for the {} tests in this table",
            p_text(p),
            self.tests
        );
        self.verdict(&mut out);
        out
    }

    fn verdict(&self, out: &mut String) {
        /// Corrected p-values below this are not put down to chance.
        const ALPHA: f64 = 0.01;
        let breaks = |account: &Account| account.bound.iter().any(|bound| bound.p < ALPHA);
        let [a, b, c] = &self.accounts;
        let planted = self.best_of.iter().any(|best| best.p < ALPHA) || self.smallest.p < ALPHA;
        let _ = writeln!(out, "\nverdict");
        let _ = match (breaks(a), breaks(b)) {
            // The bound is about random inputs; this one is not.
            (true, false) if breaks(c) => writeln!(
                out,
                "(a) claims a gain here as it does on pure randomness; (b), the same paid in full, loses {:.0} bits on average.",
                -b.mean
            ),
            (true, false) => writeln!(
                out,
                "(a) gains more often than any code that can be read back: it leaves costs unpaid. (b) pays them and loses {:.0} bits on average.",
                -b.mean
            ),
            (true, true) => {
                writeln!(out, "(a) and (b) gain on this input: it has a regularity that tiled bytes fit.")
            }
            (false, _) => writeln!(out, "(a) does not gain more often here than a code may."),
        };
        let _ = match planted {
            true => writeln!(out, "Masks fit this input better than chance allows: a generator is in it."),
            false => writeln!(out, "Masks fit this input as well as chance has it and no better."),
        };
        let _ = match (self.trials_with_a_generator, breaks(c)) {
            (0, _) => writeln!(
                out,
                "np-cli found no generator in any trial; it adds {:.0} bits to each file on average.",
                -c.mean
            ),
            (n, true) => writeln!(
                out,
                "np-cli found a generator in {n} of {} trials and saves {:.0} bits on average.",
                self.trials, c.mean
            ),
            (n, false) => writeln!(
                out,
                "np-cli packed something in {n} of {} trials, which is within what chance allows; mean gain {:+.1} bits.",
                self.trials, c.mean
            ),
        };
    }
}

impl Account {
    fn new(name: &'static str, mut gains: Vec<f64>) -> Self {
        gains.sort_by(f64::total_cmp);
        let count = gains.len();
        // The smallest value that at least this share does not exceed.
        let quantile = |share: f64| gains[((share * count as f64).ceil() as usize).clamp(1, count) - 1];
        let mean = gains.iter().sum::<f64>() / count as f64;
        let square = gains.iter().map(|gain| (gain - mean) * (gain - mean)).sum::<f64>();
        let bound = GAINS.map(|gain| {
            let seen = gains.iter().filter(|g| **g >= f64::from(gain)).count();
            let at_most = 0.5f64.powi(gain as i32);
            let p = upper_tail(count as u64, seen as u64, at_most);
            Bound { gain, at_most, seen: seen as f64 / count as f64, p }
        });
        Self {
            name,
            least: gains[0],
            percentile_5: quantile(0.05),
            median: quantile(0.5),
            mean,
            percentile_95: quantile(0.95),
            most: gains[count - 1],
            deviation: if count > 1 { (square / (count - 1) as f64).sqrt() } else { 0.0 },
            bound: bound.into(),
            gains,
        }
    }

    fn bars(&self, out: &mut String) {
        let _ = writeln!(out, "\n{}", self.name);
        let (low, high) = (self.least.floor(), self.most.floor() + 1.0);
        let width = ((high - low) / BARS as f64).ceil().max(1.0);
        let mut counts = vec![0usize; ((high - low) / width).ceil() as usize];
        for gain in &self.gains {
            counts[((gain - low) / width) as usize] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(1);
        for (count, i) in counts.iter().zip(0u32..) {
            let from = low + width * f64::from(i);
            let bar = "#".repeat((count * BAR).div_ceil(most));
            let _ = writeln!(out, "  {from:>+8.0} to {:>+8.0} {count:>7} {bar}", from + width - 1.0);
        }
    }
}

impl BestOf {
    fn new(bits: u32, seeds: u64, counts: &[u64], law: &Law) -> Self {
        let blocks: u64 = counts.iter().sum();
        let chances = law.best(seeds as f64);
        let fit = chi_squared(counts, &chances);
        let mean = |of: &dyn Fn(u32) -> f64| {
            let sum: f64 = (0..).zip(counts).map(|(fold, count)| *count as f64 * of(fold)).sum();
            sum / blocks as f64
        };
        Self {
            seeds,
            blocks,
            mean_fold: mean(&f64::from),
            mean_fold_law: (0u32..).zip(&chances).map(|(fold, chance)| f64::from(fold) * chance).sum(),
            mean_saving: mean(&|fold| saving(bits, fold)),
            mean_saving_law: law.mean_saving(seeds as f64),
            chi_squared: fit.statistic,
            freedom: fit.freedom,
            p: fit.p,
        }
    }
}

/// A share of 1 for people: tiny ones keep a digit.
fn share(share: f64) -> String {
    if share > 0.0 && share < 1e-4 { format!("{share:.1e}") } else { format!("{share:.4}") }
}

/// Blocks by fold over all trials, for the `i`-th number of seeds.
fn sum(trials: &[Trial], i: usize) -> Vec<u64> {
    let mut all = vec![0; trials[0].folds[i].len()];
    for trial in trials {
        for (all, count) in all.iter_mut().zip(&trial.folds[i]) {
            *all += count;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gains(values: &[f64]) -> Account {
        Account::new("(x) test", values.to_vec())
    }

    #[test]
    fn quantiles_and_moments_by_hand() {
        let account = gains(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((account.least, account.median, account.most), (1.0, 2.0, 4.0));
        assert_eq!((account.percentile_5, account.percentile_95), (1.0, 4.0));
        assert!((account.mean - 2.5).abs() < 1e-12 && (account.deviation - 1.29099).abs() < 1e-5);
    }

    #[test]
    fn the_bound_is_broken_only_by_what_breaks_it() {
        // 10 of 10 gain 8 bits: 2^-80.
        let bound = &gains(&[8.5; 10]).bound;
        assert_eq!((bound[3].gain, bound[3].seen), (8, 1.0));
        assert!((bound[3].p.log2() + 80.0).abs() < 1e-6);
        assert_eq!(bound[4].p, 1.0);
        // Half gain a bit: just what is allowed.
        assert!(gains(&[1.0, -1.0, 1.0, -1.0]).bound[0].p > 0.5);
    }

    #[test]
    fn bars_count_every_gain() {
        for values in [vec![-112.0; 7], vec![-3.5, -0.5, 0.0, 80.25, 90.0]] {
            let mut out = String::new();
            gains(&values).bars(&mut out);
            let counted: usize =
                out.lines().skip(2).filter_map(|l| l.split_whitespace().nth(3)?.parse::<usize>().ok()).sum();
            assert_eq!(counted, values.len(), "{out}");
        }
    }
}
