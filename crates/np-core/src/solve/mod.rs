//! Solving: finding MT19937 streams by algebra, in linear time, at any byte offset.
//!
//! [`scan`] looks at every byte offset of the ranges it is given for
//! * a fresh `genrand` stream: four clean words anywhere in its first 2,500 bytes name its seed;
//! * a stream of any seeding at any position: the recurrence of the untempered words, then 624 clean words,
//!   walked back to a `genrand` seed or a `by_array` key of a few words where there is one within
//!   [`ScanOptions::walk_back`] generations, else the state itself.
//! * a noisy stream of 32 KiB or more, up to some 7 % flips, or of 128 KiB or more, up to 9 % if so many words may be
//!   decoded: where the recurrence shows it, up to [`ScanOptions::decode_words`] words are decoded by belief
//!   propagation and majority, then as above.
//!
//! Streams whose every bit is inverted are found as well: pairs of words do not change, and the recurrence changes by
//! a constant.
//!
//! [`solve_start`] is for a known start: the first byte of a region or a record. It goes through some 15 % flips in a
//! second's fraction, and finds half or more at 20 % and 25 % for more work (`examples/solve_noise.rs` measures both).
//!
//! CPython's `randbytes(n)` and `getrandbits` take the *high* bits of the last, partial word: after the stream's whole
//! words, the last `n mod 4` bytes are not the stream's next bytes but the upper ones of its next word.
//!
//! # False alarms
//! A [`Found`] has always been verified by regenerating its stream. Its evidence in bits (by Hoeffding's
//! inequality: [`is_evidence`]) is at least log2 of all candidates the scan could have met, (key, byte offset)
//! pairs, plus [`MARGIN`] = 64. The tests that lead to a candidate therefore do not matter: on random data a
//! scan of any length reports something with probability at most 2^-64.
//!
//! # Cutting ranges
//! The scan of a range reads nothing outside it. Pieces of a range that overlap by [`OVERLAP`] bytes find every
//! stream that the whole range would, each at least once: a stream has the same key and alignment
//! (`offset - position`) in every piece, except that a stream without a seed is keyed by its state at the first byte
//! seen, and that each piece walks back from where it finds the stream. Noisy streams are decoded from what a piece
//! holds of them: pieces should then be megabytes, and overlap by as much as the noisy streams to be found are long.

mod algebra;
mod decode;
mod majority;
mod scan;
mod sieve;
mod start;
mod verify;
mod walk;

pub use scan::scan;
pub use start::solve_start;
pub use verify::{MARGIN, is_evidence};

use crate::generator::Key;

/// Bytes by which pieces of a range must overlap so that no stream is missed at a cut.
pub const OVERLAP: usize = 8192;

/// A stream found by algebra: from `offset` on, `data` is the stream of `key` from its byte `position` on,
/// perhaps with bit errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What makes the stream.
    pub key: Key,
    /// Byte offset in the data of the first byte known to be of the stream.
    pub offset: u64,
    /// Byte position in the stream of that byte.
    pub position: u64,
    /// Bytes explained from there. The end is an estimate: exact to a byte when clean, to some 20 under noise.
    pub length: u64,
    /// Mismatching bits in them.
    pub flips: u64,
    /// It is the complement of the stream, every bit inverted, that the data is like. Lengths and flips are of that.
    pub complement: bool,
}

/// What a scan may spend. Everything is counted work, so that the result is the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions {
    /// Generations (2,496 bytes each) to walk a state back in search of its seed.
    pub walk_back: u32,
    /// Longest `by_array` key to look for, in words, at most [`ScanOptions::MAX_ARRAY_WORDS`].
    pub array_words: usize,
    /// Most words decoded at once where a noisy stream shows, about 0.1 ms each (8,192: up to some 1.5 s); 0 to leave noisy streams of
    /// unknown start alone. Fewer than 2,048 find little.
    pub decode_words: usize,
}

impl ScanOptions {
    /// The longest `by_array` key that can be looked for. CPython's `random.seed(str)` makes 17 words and more.
    pub const MAX_ARRAY_WORDS: usize = 64;
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { walk_back: 1 << 16, array_words: 2, decode_words: 8192 }
    }
}
