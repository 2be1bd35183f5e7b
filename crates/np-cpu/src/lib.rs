//! NoisePacker's CPU miner: every core, the widest vectors, the scalar oracle's result exactly.
//!
//! ```
//! use np_core::{block::BlockBits, generator, miner::{Filter, Job, Miner}};
//! let mut block = [0; 16];
//! generator::mask_words(12345, &mut block);
//! let job = Job {
//!     generator: generator::Generator::Mt19937,
//!     seeding: generator::Seeding::Genrand,
//!     block_bits: BlockBits::default(),
//!     seeds: 12_000..13_000,
//!     blocks: &block,
//!     fold_limit: 100,
//!     best_per_block: 1,
//!     filter: Filter::All,
//! };
//! let found = np_cpu::CpuMiner::new().mine(&job, &()).unwrap();
//! assert_eq!(found[0].seed, 12345);
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod board;
#[cfg(test)]
mod broken;
mod classes;
mod direct;
mod index;
mod join;
mod kernel;
mod lanes;
mod masks;
pub mod measure;
mod miner;
mod pairs;
#[cfg(test)]
mod parity;
#[cfg(target_arch = "x86_64")]
mod pipelines;
mod portable;
mod sliced;
mod slices;
mod tiles;

pub use kernel::{KERNEL_VARIABLE, Kernel, KernelError};
pub use miner::CpuMiner;
