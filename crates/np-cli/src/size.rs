//! Sizes as people write and read them: `64K`, `1.5 MiB`.

/// Bytes from a whole number with an optional K, M, G or T (each times 1,024; `KB` and `KiB` are the same).
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, suffix) = text.split_at(digits);
    let suffix = suffix.to_ascii_uppercase();
    let scale = match suffix.trim_end_matches('B').trim_end_matches('I') {
        "" if suffix != "I" && suffix != "IB" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err("a size is a number, with K, M, G or T behind it if you like".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| format!("{text:?} does not begin with a number"))?;
    number.checked_mul(1 << scale).ok_or_else(|| "more than 16 EiB".to_owned())
}

/// [`parse`], or `none` for no limit.
pub fn parse_limit(text: &str) -> Result<u64, String> {
    if text.eq_ignore_ascii_case("none") { Ok(u64::MAX) } else { parse(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_zstd_reads_them() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("64K", 65536),
            ("1m", 1 << 20),
            ("2GiB", 2 << 30),
            ("1TB", 1 << 40),
            ("7B", 7),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "K", "1X", "-1", "1.5M", "1iB", "99999999999999999999", "99999999999T", "1KK"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse_limit("none"), Ok(u64::MAX));
    }
}
