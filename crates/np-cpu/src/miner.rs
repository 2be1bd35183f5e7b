//! The CPU miner: a job cut into tasks, threads that take them, one board of results.

use crate::kernel::{Kernel, Stage};
use crate::lanes::Lanes;
use crate::tiles;
use np_core::miner::{Candidate, Job, MineError, Miner, Watch};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Arc;

/// Mines on every core, with the widest vectors the machine has.
#[derive(Clone, Debug)]
pub struct CpuMiner {
    kernel: Kernel,
    pool: Option<Arc<ThreadPool>>,
}

impl CpuMiner {
    /// A miner on the threads of rayon's global pool. An override that cannot be followed
    /// ([`Kernel::detect`] tells which and why) leaves the fastest kernel in place.
    pub fn new() -> Self {
        Self { kernel: Kernel::detect().unwrap_or_else(|_| Kernel::fastest()), pool: None }
    }

    /// A miner with `threads` threads of its own (0: as many as the machine has cores).
    pub fn with_threads(threads: usize) -> Result<Self, MineError> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("np-cpu {i}"))
            .build()
            .map_err(|e| MineError::Device { device: "cpu".to_owned(), what: e.to_string() })?;
        Ok(Self { pool: Some(Arc::new(pool)), ..Self::new() })
    }

    /// The same miner with another kernel. `None` when this machine cannot run it.
    pub fn with_kernel(self, kernel: Kernel) -> Option<Self> {
        kernel.is_supported().then_some(Self { kernel, ..self })
    }

    /// The kernel in use.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Threads in use.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or_else(rayon::current_num_threads, |p| p.current_num_threads())
    }

    fn run(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        self.kernel.run(Mine { job, watch })
    }
}

struct Mine<'a> {
    job: &'a Job<'a>,
    watch: &'a dyn Watch,
}

impl Stage for Mine<'_> {
    type Out = Result<Vec<Candidate>, MineError>;
    fn run<L: Lanes>(self, l: L) -> Self::Out {
        tiles::mine(l, self.job, self.watch)
    }
}

impl Default for CpuMiner {
    fn default() -> Self {
        Self::new()
    }
}

impl Miner for CpuMiner {
    fn name(&self) -> String {
        let threads = self.threads();
        let plural = if threads == 1 { "" } else { "s" };
        format!("cpu ({}, {threads} thread{plural})", self.kernel.id())
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        job.check()?;
        match &self.pool {
            Some(pool) => pool.install(|| self.run(job, watch)),
            None => self.run(job, watch),
        }
    }
}
