//! Keys as people and programs read them.

use np_core::generator::{Key, Seeding};
use serde::Serialize;

/// A key, all of it.
#[derive(Clone, Debug, Serialize)]
pub struct KeyText {
    /// The generator's name.
    pub generator: &'static str,
    /// The seeding's name.
    pub seeding: &'static str,
    /// The key as one number, lowest word first, as Python's `random.seed` takes it. Not for `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<String>,
    /// The same in base 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Its words, lowest first.
    pub words: Vec<u32>,
}

impl KeyText {
    /// All there is to say of `key`.
    pub fn new(key: &Key) -> Self {
        let number = key.seeding() != Seeding::State;
        Self {
            generator: key.generator().name(),
            seeding: key.seeding().name(),
            decimal: number.then(|| decimal(key.words())),
            hex: number.then(|| hex(key.words())),
            words: key.words().to_vec(),
        }
    }

    /// For a table: short.
    pub fn short(&self) -> String {
        match (&self.decimal, &self.hex) {
            (Some(decimal), Some(hex)) if decimal.len() <= 24 => format!("{decimal} ({hex})"),
            (Some(_), Some(hex)) if hex.len() <= 36 => hex.clone(),
            (Some(_), Some(hex)) => format!("{}... ({} words)", &hex[..34], self.words.len()),
            _ => format!("{:#010x} {:#010x} ... ({} words)", self.words[0], self.words[1], self.words.len()),
        }
    }
}

/// A number of 32-bit words, lowest first, in base 16.
fn hex(words: &[u32]) -> String {
    words.iter().rev().map(|word| format!("{word:08x}")).fold("0x".to_owned(), |all, word| all + &word)
}

/// A number of 32-bit words, lowest first, in base 10.
fn decimal(words: &[u32]) -> String {
    const CHUNK: u64 = 1_000_000_000;
    let mut words = words.to_vec();
    let mut chunks = Vec::new();
    while words.iter().any(|word| *word != 0) {
        let mut rest = 0;
        for word in words.iter_mut().rev() {
            let value = rest << 32 | u64::from(*word);
            *word = (value / CHUNK) as u32;
            rest = value % CHUNK;
        }
        chunks.push(rest);
    }
    let Some(first) = chunks.pop() else { return "0".to_owned() };
    chunks.iter().rev().fold(first.to_string(), |all, chunk| all + &format!("{chunk:09}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_words() {
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[42]), "42");
        assert_eq!(decimal(&[u32::MAX]), "4294967295");
        assert_eq!(decimal(&[0, 1]), "4294967296");
        // 2^96 - 1 and 10^18, from any calculator.
        assert_eq!(decimal(&[u32::MAX; 3]), "79228162514264337593543950335");
        assert_eq!(decimal(&[2808348672, 232830643]), "1000000000000000000");
        assert_eq!(hex(&[42]), "0x0000002a");
        assert_eq!(hex(&[1, 0xab]), "0x000000ab00000001");
        assert_eq!(KeyText::new(&Key::Genrand(7)).short(), "7 (0x00000007)");
    }
}
