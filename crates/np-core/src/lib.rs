//! NoisePacker's core: the format and its decoder, generators, planning and honest accounting.
#![forbid(unsafe_code)]

pub mod bias;
pub mod block;
pub mod codec;
pub mod contents;
pub mod error;
pub mod format;
pub mod generator;
pub mod ledger;
pub mod miner;
pub mod noise;
pub mod pack;
pub mod plan;
pub mod price;
pub mod scalar;
pub mod search;
pub mod solve;
pub mod unpack;

pub use error::Error;
