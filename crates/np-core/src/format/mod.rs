//! The container: header, segments, digests (FORMAT.md is the specification).

pub mod digest;
pub mod grid;
pub mod keys;
pub mod layout;
mod masks;
pub mod plain;
pub mod reader;
pub mod residual;
pub mod runs;
pub mod seeds;
pub mod segment;
pub mod varint;

/// First three bytes of every packed file.
pub const MAGIC: [u8; 3] = [b'N', b'P', 0xf7];
/// The version this crate reads and writes: the fourth byte.
pub const VERSION: u8 = 1;
/// Most input bytes in a segment.
pub const SEGMENT_MAX: usize = 1 << 25;
/// No stream position is at or beyond this byte.
pub const POSITION_MAX: u64 = 1 << 44;
