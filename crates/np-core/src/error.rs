//! What can be wrong with a packed file, an option or a plan. Offsets are bytes from the packed file's start.

use thiserror::Error;

/// Everything np-core refuses, with where and what was found there.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes are not a packed file's.
    #[error("not a NoisePacker file: it starts with {found:02x?}, a packed file with {expected:02x?}")]
    NotPacked {
        /// The first bytes of the file, four at most.
        found: Vec<u8>,
        /// The magic number.
        expected: [u8; 3],
    },
    /// A version this decoder does not know.
    #[error("format version {version} is unknown here (known: {known}); a newer np-cli may read it")]
    UnknownVersion {
        /// Version byte found.
        version: u8,
        /// The version this decoder reads.
        known: u8,
    },
    /// A generator this decoder does not know.
    #[error("generator {id} is unknown here (known: 1 mt19937); a newer np-cli may read it")]
    UnknownGenerator {
        /// Id found.
        id: u64,
    },
    /// A seeding this decoder does not know.
    #[error(
        "seeding {id} is unknown here (known: 0 genrand, 1 by_array, 2 state); a newer np-cli may read it"
    )]
    UnknownSeeding {
        /// Id found.
        id: u64,
    },
    /// A segment kind or flag this decoder does not know.
    #[error(
        "segment at byte {offset}: {what} {value:#x} is unknown here; the file is damaged or newer than this np-cli"
    )]
    UnknownFlag {
        /// Where the segment starts.
        offset: u64,
        /// Which field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// The file ends inside a structure.
    #[error("the file is cut short: it ends at byte {offset}, inside {what}")]
    Truncated {
        /// Where the file ends.
        offset: u64,
        /// What was being read.
        what: &'static str,
    },
    /// Bytes follow the last segment.
    #[error("{what} at byte {offset}, after the last segment: the file was appended to or is damaged")]
    TrailingData {
        /// Where the last segment ends.
        offset: u64,
        /// What is there.
        what: &'static str,
    },
    /// A field is outside the range the format allows.
    #[error("segment at byte {offset}: {what} is {found}, the limit is {limit}: the file is damaged")]
    OutOfRange {
        /// Where the segment starts.
        offset: u64,
        /// Which field.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The largest value allowed.
        limit: u64,
    },
    /// Coded data contradicts itself.
    #[error("segment at byte {offset}: {what}: the file is damaged")]
    Damaged {
        /// Where the segment starts.
        offset: u64,
        /// What contradicts what.
        what: &'static str,
    },
    /// A digest does not match what was decoded.
    #[error(
        "segment at byte {offset}: the digest is {found:012x}, what was decoded has {expected:012x}: the file is damaged"
    )]
    Digest {
        /// Where the segment starts.
        offset: u64,
        /// The stored digest.
        found: u64,
        /// The digest of what was decoded.
        expected: u64,
    },
    /// The file asks for more than the caller's limits allow.
    #[error(
        "segment at byte {offset}: {what} would be {found}, over the limit of {limit}; raise it with {option} if you trust this file"
    )]
    OverLimit {
        /// Where the segment starts.
        offset: u64,
        /// What would be exceeded.
        what: &'static str,
        /// What the file asks for.
        found: u64,
        /// What is allowed.
        limit: u64,
        /// The option that raises it.
        option: &'static str,
    },
    /// `block_bits` outside what the format allows.
    #[error("block_bits is {found}: it must be a multiple of 32 from 128 to 32768")]
    BlockBits {
        /// The value given.
        found: u64,
    },
    /// The packer decoded its own output and got something else. Nothing was written.
    #[error("the packer cannot read back its own segment at input byte {offset}: {what}; please report this")]
    SelfCheck {
        /// Input offset of the segment.
        offset: u64,
        /// What went wrong.
        what: String,
    },
    /// Mining failed.
    #[error(transparent)]
    Mine(#[from] crate::miner::MineError),
}
