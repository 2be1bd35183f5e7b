//! NoisePacker's GPU miner: wgpu over Vulkan, Metal and DX12, exact, and never trusted blindly.
//!
//! [`GpuMiner`] gives exactly what [`ScalarMiner`](np_core::scalar::ScalarMiner) gives for every job. WGSL kernels in `shaders/`,
//! embedded here and specialised for the job's block size, make masks and score them; pairs that can still enter a block's list are
//! appended to a hit list, and each is computed again on the CPU before it counts. A driver that misses is caught by the
//! self-test, by [`BothMiner`], or not at all; one that invents is always caught.
//!
//! ```no_run
//! use np_core::miner::{Job, Miner};
//! fn best_masks(job: &Job<'_>) -> Result<(), Box<dyn std::error::Error>> {
//!     let gpu = np_gpu::GpuMiner::open(&np_gpu::Choice::default())?;
//!     for candidate in gpu.mine(job, &())? {
//!         println!("block {}: seed {}, weight {}", candidate.block, candidate.seed, candidate.weight);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`FallbackMiner`] goes on with another miner when the device fails. [`twin`] has each kernel's plain counterpart.

mod both;
mod device;
mod engine;
mod fallback;
mod fault;
pub mod join_table;
mod joins;
pub mod layout;
mod miner;
mod pairs;
mod pipeline;
pub mod probe;
pub mod roof;
mod self_test;
pub mod shader;
mod slot;
pub mod twin;

pub use both::{BothMiner, compare};
pub use device::{Choice, DeviceInfo, DeviceKind, NAME_VARIABLE, OpenError, Which, default_device, devices};
pub use fallback::FallbackMiner;
pub use fault::Fault;
pub use miner::{GpuMiner, Interrupted, Remaining};
pub use pairs::Shape;
