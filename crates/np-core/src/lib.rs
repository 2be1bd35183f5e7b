//! NoisePacker's core: the format and its decoder, generators, planning and honest accounting.
//!
//! Data that looks like noise often came out of a generator. The packer finds the generator's key, stores that and
//! the residual (`block ^ mask`) where the two differ, and books every bit of the result in a [`ledger`].
//! [`pack::analyze`] searches a segment, [`pack::Writer`] puts segments in order, [`unpack::unpack`] reads them back.
//!
//! ```
//! use np_core::{format::reader::Limits, generator::Key, pack, scalar::ScalarMiner, unpack::unpack};
//!
//! let mut noise = vec![0; 10_000];
//! Key::Genrand(42).stream().fill(&mut noise);
//! let found = pack::analyze(&pack::Options::level(1), &noise, None, &ScalarMiner, &())?;
//! let mut packed = Vec::new();
//! let ledger = pack::Writer::default().write(&noise, &found, true, &mut packed)?;
//! assert!(packed.len() < 40 && ledger.total_bits() == 8 * packed.len() as u64);
//!
//! let mut again = Vec::new();
//! unpack(&packed[..], Limits::default(), |bytes| Ok(again.extend_from_slice(bytes)))?;
//! assert_eq!(again, noise);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
