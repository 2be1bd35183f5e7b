//! NoisePacker's core: the format and its decoder, generators, planning and honest accounting.
#![forbid(unsafe_code)]

pub mod block;
pub mod error;
pub mod generator;
pub mod miner;
pub mod scalar;
pub mod solve;

pub use error::Error;
