//! The chained digest: XXH64 over what is stored and what it means (FORMAT.md, "Digests").

use xxhash_rust::xxh64::{Xxh64, xxh64};

/// Bytes of a stored digest.
pub const BYTES: usize = 6;

/// The digest of everything so far in a file: each segment's stored digest is its low 48 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain(u64);

impl Chain {
    /// Before the first segment: the digest of the file header.
    pub fn new(header: &[u8]) -> Self {
        Self(xxh64(header, 0))
    }

    /// Takes in a segment's own hash and returns the digest to be stored after it.
    pub fn accept(&mut self, segment_hash: u64) -> u64 {
        let mut input = [0; 16];
        input[..8].copy_from_slice(&self.0.to_le_bytes());
        input[8..].copy_from_slice(&segment_hash.to_le_bytes());
        self.0 = xxh64(&input, 0);
        self.0 & ((1 << (8 * BYTES)) - 1)
    }
}

/// A segment's own hash: its stored bytes before the digest, then, unless they hold it verbatim
/// (`content` is `None`), its content.
pub fn segment_hash(stored: &[u8], content: Option<&[u8]>) -> u64 {
    let mut hash = Xxh64::new(0);
    hash.update(stored);
    if let Some(content) = content {
        hash.update(content);
    }
    hash.digest()
}
