//! Prices: fixed-point bits from an integer logarithm, the same on every machine.
//!
//! A price is a count of 1/256 bits. Tables are kept at 1/65536 bit and rounded once, at the end.

/// One bit, in price units.
pub const BIT: u64 = 256;
/// One bit, in the finer unit of the tables.
pub const FINE_BIT: u64 = 65536;

/// `floor(65536 * log2(x))` for `x >= 1`, by repeated squaring: exact integer arithmetic, no libm.
pub const fn log2_fine(x: u64) -> u64 {
    assert!(x > 0);
    let whole = x.ilog2() as u64;
    // y is x / 2^whole in [1, 2), with 31 fractional bits.
    let mut y = if whole >= 31 { x >> (whole - 31) } else { x << (31 - whole) };
    let mut fraction = 0;
    let mut i = 0;
    while i < 16 {
        y = (y * y) >> 31;
        fraction <<= 1;
        if y >> 32 != 0 {
            fraction |= 1;
            y >>= 1;
        }
        i += 1;
    }
    whole * FINE_BIT + fraction
}

/// `log2(x)` in price units, rounded to nearest; 0 for `x = 0`.
pub const fn log2(x: u64) -> u64 {
    if x == 0 { 0 } else { (log2_fine(x) + 128) >> 8 }
}

/// Price of an event of probability `p / 65536`, fine units.
pub const fn fine_cost(p: u16) -> u64 {
    16 * FINE_BIT - log2_fine(p as u64)
}

/// Price of an adaptively coded unsigned integer, roughly: what an untrained `UInt` model pays.
pub const fn uint(value: u64) -> u64 {
    let bits = (64 - value.leading_zeros()) as u64;
    BIT * (bits + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_floor_exact_at_powers_and_close_between() {
        for k in 0..64 {
            assert_eq!(log2_fine(1 << k), k * FINE_BIT);
        }
        for x in (1..3000u64).chain([u64::MAX, u64::MAX / 3, 185 << 40]) {
            let real = (x as f64).log2() * FINE_BIT as f64;
            assert!((log2_fine(x) as f64 - real).abs() < 1.5, "log2({x})");
        }
        assert_eq!(fine_cost(32768), FINE_BIT);
    }
}
