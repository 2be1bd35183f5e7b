//! Bias classes: how likely a residual bit is 1, quantised (FORMAT.md, "Bias classes").
//!
//! Class 0 is exact (no ones), class 1 sparse (the count of ones, then the gaps between them), classes
//! 2 to 63 are dense: ones have probability `1 / (1 + e^(k/15))`, `k = class - 1`, in 1/65536.

use crate::price::{FINE_BIT, fine_cost, log2_fine};

/// Number of classes.
pub const CLASSES: usize = 64;
/// The class of a residual without ones.
pub const EXACT: u8 = 0;
/// The class of a residual with few ones: they are told by their gaps.
pub const SPARSE: u8 = 1;
/// The first dense class.
pub const FIRST_DENSE: u8 = 2;

/// Probability of a one in the dense classes, in 1/65536: class 2 first.
/// `round(65536 / (1 + e^(k/15)))` for `k = 1..=62`; the table itself is the definition.
#[rustfmt::skip]
pub static DENSE: [u16; CLASSES - 2] = [
    31676, 30587, 29502, 28425, 27357, 26300, 25258, 24231, 23222, 22233, 21264, 20318,
    19395, 18497, 17625, 16780, 15961, 15170, 14407, 13671, 12964, 12285, 11633, 11009,
    10412, 9841, 9296, 8777, 8283, 7812, 7365, 6940, 6537, 6155, 5793, 5451,
    5127, 4820, 4531, 4258, 4000, 3757, 3528, 3312, 3108, 2917, 2736, 2567,
    2407, 2257, 2117, 1984, 1860, 1743, 1633, 1531, 1434, 1343, 1258, 1179,
    1104, 1034,
];

/// Probability of a one, in 1/65536, of a dense class.
pub fn p_one(class: u8) -> u16 {
    DENSE[usize::from(class - FIRST_DENSE)]
}

/// Fine price of `n` residual bits of which `ones` are 1, in a dense class.
pub fn dense_cost(class: u8, n: u64, ones: u64) -> u64 {
    let p = p_one(class);
    let one = fine_cost(p);
    // Probability of a zero is 65536 - p, always above one half.
    let zero = 16 * FINE_BIT - log2_fine(65536 - u64::from(p));
    ones * one + (n - ones) * zero
}

/// Fine price of the gaps of `ones` ones among `n` bits, and of their count.
pub fn sparse_cost(n: u64, ones: u64) -> u64 {
    if ones == 0 {
        return 4 * FINE_BIT;
    }
    let gap = log2_fine(n / ones + 1) + FINE_BIT * 3 / 2;
    ones * gap + log2_fine(ones) + 4 * FINE_BIT
}

/// The cheapest class for `ones` ones (a fold) among `n` bits, and its fine price.
pub fn cheapest(n: u64, ones: u64) -> (u8, u64) {
    if ones == 0 {
        return (EXACT, 0);
    }
    // Dense prices are convex in the class: walk from the class nearest the ratio.
    let ratio = (ones * 65536 / n) as u16;
    let near = DENSE.partition_point(|p| *p > ratio).min(DENSE.len() - 1);
    let dense = (near.saturating_sub(1)..=near)
        .map(|i| {
            let class = i as u8 + FIRST_DENSE;
            (class, dense_cost(class, n, ones))
        })
        .min_by_key(|(_, cost)| *cost)
        .expect("the range is not empty");
    let sparse = (SPARSE, sparse_cost(n, ones));
    if sparse.1 < dense.1 { sparse } else { dense }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_its_formula_says() {
        for (i, p) in DENSE.iter().enumerate() {
            let k = (i + 1) as f64 / 15.0;
            assert_eq!(*p, (65536.0 / (1.0 + k.exp())).round() as u16);
        }
    }

    #[test]
    fn quantising_costs_less_than_half_a_percent() {
        for permille in [20, 50, 100, 137, 200, 300, 400, 450u64] {
            let (n, ones) = (1_000_000, permille * 1000);
            let p = permille as f64 / 1000.0;
            let ideal = -(p * p.log2() + (1.0 - p) * (1.0 - p).log2()) * n as f64;
            let (_, cost) = cheapest(n, ones);
            let bits = cost as f64 / FINE_BIT as f64;
            assert!(bits / ideal < 1.005, "{permille} permille: {bits} for {ideal}");
        }
    }
}
