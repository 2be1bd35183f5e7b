//! Unsigned LEB128, shortest form only (FORMAT.md, "Varints").

/// Appends `value`.
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes in one byte more. `None`: go on; `Some(Ok(value))`: done; `Some(Err(()))`: not a shortest varint
/// of at most 32 bits.
pub fn step(so_far: &mut u64, index: u32, byte: u8) -> Option<Result<u64, ()>> {
    if index > 4 || (index > 0 && byte == 0) {
        return Some(Err(()));
    }
    *so_far |= u64::from(byte & 0x7f) << (7 * index);
    match (byte & 0x80 != 0, *so_far >> 32) {
        (_, 1..) => Some(Err(())),
        (true, 0) => None,
        (false, 0) => Some(Ok(*so_far)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<Result<u64, ()>> {
        let mut value = 0;
        bytes.iter().enumerate().find_map(|(i, b)| step(&mut value, i as u32, *b))
    }

    #[test]
    fn shortest_forms_only() {
        for value in [0, 1, 127, 128, 16383, 16384, 51200, 1 << 25, u32::MAX as u64] {
            let mut out = Vec::new();
            put(&mut out, value);
            assert_eq!(read(&out), Some(Ok(value)));
        }
        assert_eq!(read(&[0x80, 0x00]), Some(Err(())), "padded zero");
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Some(Err(())), "over 32 bits");
        assert_eq!(read(&[0x80]), None);
    }
}
