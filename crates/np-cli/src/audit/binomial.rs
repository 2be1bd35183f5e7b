//! The binomial distribution of weights and folds, exact up to the rounding of doubles.

use std::f64::consts::LN_2;

/// `ln C(n, k)`.
pub fn ln_choose(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// `log2 C(n, k)`: the bits that tell which `k` of `n` bits are ones, given `k`.
pub fn log2_choose(n: u64, k: u64) -> f64 {
    ln_choose(n, k) / LN_2
}

/// `P(X >= k)` for `n` trials of chance `p`, summed term by term.
pub fn upper_tail(n: u64, k: u64, p: f64) -> f64 {
    if k == 0 || p >= 1.0 {
        return 1.0;
    }
    if k > n || p <= 0.0 {
        return 0.0;
    }
    let ln_term = |i: u64| ln_choose(n, i) + i as f64 * p.ln() + (n - i) as f64 * (-p).ln_1p();
    let sum: f64 = (k..=n).map(|i| ln_term(i).exp()).sum();
    sum.min(1.0)
}

/// `P(fold = f)` of a residual of `bits` fair bits, for `f` from 0 to `bits / 2`. `bits` is even.
pub fn fold_chances(bits: u32) -> Vec<f64> {
    let n = u64::from(bits);
    (0..=n / 2)
        .map(|fold| {
            let ln_ways = ln_choose(n, fold) + if fold == n / 2 { 0.0 } else { LN_2 };
            (ln_ways - n as f64 * LN_2).exp()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `C(n, k)` in integers.
    fn choose(n: u128, k: u128) -> u128 {
        (0..k).fold(1, |all, i| all * (n - i) / (i + 1))
    }

    #[test]
    fn logarithms_are_those_of_the_integers() {
        for n in [1u64, 2, 8, 64, 96] {
            for k in 0..=n {
                let exact = (choose(n.into(), k.into()) as f64).log2();
                assert!((log2_choose(n, k) - exact).abs() < 1e-11, "C({n}, {k})");
            }
        }
        // 33.6 bits below 512, as the median best of 2^32 masks has it.
        assert!((512.0 - log2_choose(512, 185) - 33.6).abs() < 0.05);
    }

    #[test]
    fn folds_of_small_blocks_are_exact() {
        for bits in [2u32, 4, 8, 32] {
            let chances = fold_chances(bits);
            for (fold, chance) in (0..).zip(&chances) {
                let ways = (0u64..1 << bits.min(16))
                    .filter(|word| bits <= 16 && word.count_ones().min(bits - word.count_ones()) == fold)
                    .count() as f64;
                let exact = match bits {
                    32 if fold == 16 => choose(32, 16) as f64 / 2f64.powi(32),
                    32 => 2.0 * choose(32, fold.into()) as f64 / 2f64.powi(32),
                    _ => ways / 2f64.powi(bits as i32),
                };
                assert!((chance - exact).abs() < 1e-13, "{bits} bits, fold {fold}: {chance} for {exact}");
            }
        }
        for bits in [128, 512, 32768] {
            assert!((fold_chances(bits).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn tails_of_small_cases_are_exact() {
        // 5 coins: 32 ways, of which 1, 6, 16, 26, 31, 32 have at least 5, 4, ... 0 heads.
        for (k, ways) in [(5, 1.0), (4, 6.0), (3, 16.0), (2, 26.0), (1, 31.0), (0, 32.0)] {
            assert!((upper_tail(5, k, 0.5) - ways / 32.0).abs() < 1e-14);
        }
        // A die thrown twice: at least one six.
        assert!((upper_tail(2, 1, 1.0 / 6.0) - 11.0 / 36.0).abs() < 1e-14);
        assert_eq!((upper_tail(3, 4, 0.5), upper_tail(3, 1, 0.0), upper_tail(3, 3, 1.0)), (0.0, 0.0, 1.0));
    }
}
