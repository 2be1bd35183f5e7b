//! Tests of chance: chi-squared for a law, and Holm's correction for everything that was tested.

/// How well counts fit a law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Sum of `(observed - expected)^2 / expected` over the cells.
    pub statistic: f64,
    /// Cells less one; neighbours are joined until 5 are expected in each.
    pub freedom: u32,
    /// Chance of a statistic this large or larger if the law holds.
    pub p: f64,
}

/// Cells of the chi-squared test are joined until they expect this many.
const EXPECTED_MIN: f64 = 5.0;

/// Compares counts with the chances of a law, cell by cell.
pub fn chi_squared(observed: &[u64], chances: &[f64]) -> Fit {
    let total: u64 = observed.iter().sum();
    let mut cells: Vec<(f64, f64)> = Vec::new();
    let mut open = (0.0, 0.0);
    for (count, chance) in observed.iter().zip(chances) {
        open = (open.0 + *count as f64, open.1 + chance * total as f64);
        if open.1 >= EXPECTED_MIN {
            cells.push(std::mem::take(&mut open));
        }
    }
    // What is left over at the end joins the last cell.
    match cells.last_mut() {
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => cells.push(open),
    }
    let statistic = cells.iter().filter(|c| c.1 > 0.0).map(|(o, e)| (o - e) * (o - e) / e).sum();
    let freedom = cells.len() as u32 - 1;
    Fit { statistic, freedom, p: chi_squared_tail(statistic, freedom) }
}

/// `P(chi^2 >= x)` with `freedom` degrees of freedom: from `erfc` or `exp`, two degrees at a step
/// (Abramowitz and Stegun, 26.4.4 and 26.4.5).
fn chi_squared_tail(x: f64, freedom: u32) -> f64 {
    if freedom == 0 || x <= 0.0 {
        return 1.0;
    }
    let half = x / 2.0;
    let (mut tail, mut a) = match freedom % 2 {
        0 => ((-half).exp(), 1.0),
        _ => (libm::erfc(half.sqrt()), 0.5),
    };
    while 2.0 * a < f64::from(freedom) {
        tail += (a * half.ln() - half - libm::lgamma(a + 1.0)).exp();
        a += 1.0;
    }
    tail.min(1.0)
}

/// Holm's step-down correction: each p-value times the number of those not smaller than it, never
/// below a smaller one's. Whatever share of the hypotheses is true, the chance that any true one gets `alpha` or less is at
/// most `alpha`.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]).then(a.cmp(b)));
    let mut corrected = vec![0.0; p.len()];
    let mut least = 0f64;
    for (rank, &i) in order.iter().enumerate() {
        least = least.max((p[i] * (p.len() - rank) as f64).min(1.0));
        corrected[i] = least;
    }
    corrected
}

/// A p-value for people.
pub fn p_text(p: f64) -> String {
    match p {
        p if p < 1e-300 => "<1e-300".to_owned(),
        p if p < 1e-3 => format!("{p:.1e}"),
        p => format!("{p:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Critical values from any table of the chi-squared distribution.
    #[test]
    fn tails_are_those_of_the_tables() {
        for (x, freedom, p) in [
            (3.841459, 1, 0.05),
            (5.991465, 2, 0.05),
            (6.634897, 1, 0.01),
            (18.307038, 10, 0.05),
            (29.588298, 10, 0.001),
            (67.504807, 50, 0.05),
            (69.832160, 51, 0.041),
        ] {
            assert!((chi_squared_tail(x, freedom) - p).abs() < 1e-3 * p.max(0.1), "{x}, {freedom}");
        }
        assert_eq!(chi_squared_tail(0.0, 3), 1.0);
        assert!(chi_squared_tail(5000.0, 20) < 1e-300);
    }

    #[test]
    fn a_die_by_hand() {
        // 60 throws, 10 expected of each: 25 + 9 + 4 + 1 + 9 + 0 = 48, over 10.
        let fit = chi_squared(&[15, 7, 8, 11, 7, 12], &[1.0 / 6.0; 6]);
        assert!((fit.statistic - (25.0 + 9.0 + 4.0 + 1.0 + 9.0 + 4.0) / 10.0).abs() < 1e-9);
        assert_eq!(fit.freedom, 5);
        // Rare cells are joined with their neighbours.
        let fit = chi_squared(&[0, 1, 49, 48, 2, 0], &[0.001, 0.009, 0.49, 0.49, 0.009, 0.001]);
        assert_eq!(fit.freedom, 1);
    }

    #[test]
    fn wrong_laws_are_told() {
        assert!(chi_squared(&[600, 400], &[0.5, 0.5]).p < 1e-9);
        assert!(chi_squared(&[505, 495], &[0.5, 0.5]).p > 0.5);
    }

    #[test]
    fn holm_by_hand() {
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near(&holm(&[0.01, 0.04, 0.03, 0.005]), &[0.03, 0.06, 0.06, 0.02]));
        assert!(near(&holm(&[0.5, 0.6]), &[1.0, 1.0]));
        assert!(holm(&[]).is_empty());
    }
}
