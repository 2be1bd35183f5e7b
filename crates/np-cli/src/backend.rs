//! Which miner does the work: the only place that knows the backends.

use crate::fault;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use np_core::miner::{Candidate, Job, MineError, Miner, Watch};
use np_cpu::CpuMiner;
use np_gpu::{BothMiner, FallbackMiner, GpuMiner, Which};
use serde::Serialize;
use std::sync::{Once, OnceLock};

/// Who mines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// A GPU if there is a real one, else the CPU
    Auto,
    /// The CPU
    Cpu,
    /// A GPU, or fail
    Gpu,
    /// The GPU and the CPU, and compare every result (slow; for testing)
    Both,
}

/// The options that choose a backend.
#[derive(Args, Clone, Debug)]
pub struct Choice {
    /// Who searches; the output does not depend on it
    #[arg(long, value_enum, default_value = "auto")]
    pub backend: Backend,
    /// The GPU to use, by its name (or a part of it) or its number in `np-cli devices`
    #[arg(long, value_name = "NAME|INDEX")]
    pub device: Option<String>,
}

impl Choice {
    /// The miner that was asked for. `threads`: how many the CPU may use (0: all).
    pub fn open(&self, threads: usize) -> anyhow::Result<Box<dyn Miner>> {
        np_cpu::Kernel::detect().context("NP_CPU")?;
        let cpu = CpuMiner::with_threads(threads)?;
        match self.backend {
            Backend::Cpu if self.device.is_some() => {
                bail!("--device names a GPU, but --backend cpu uses none; use --backend gpu")
            }
            Backend::Cpu => Ok(Box::new(Checked(cpu))),
            Backend::Auto if self.device.is_some() => {
                let gpu = Telling::new(GpuMiner::open(&self.gpu())?, cpu.clone());
                Ok(Box::new(Routed::new(cpu, gpu)))
            }
            Backend::Auto => Ok(Box::new(Routed::new(cpu.clone(), Auto { cpu, gpu: OnceLock::new() }))),
            Backend::Gpu => Ok(Box::new(Routed::new(cpu, GpuMiner::open(&self.gpu())?))),
            Backend::Both => {
                // Both miners live as long as the process.
                let gpu: &'static GpuMiner = Box::leak(Box::new(GpuMiner::open(&self.gpu())?));
                let cpu: &'static Checked<CpuMiner> = Box::leak(Box::new(Checked(cpu)));
                Ok(Box::new(BothMiner::new(gpu, cpu)))
            }
        }
    }

    fn gpu(&self) -> np_gpu::Choice {
        gpu_choice(self.device.as_deref())
    }
}

/// What `--device` asks for.
pub fn gpu_choice(device: Option<&str>) -> np_gpu::Choice {
    let which = device.map_or(Which::Default, Which::parse);
    let fault = fault::planned("gpu").map_or(np_gpu::Fault::None, |after| np_gpu::Fault::Lost { after });
    np_gpu::Choice { which, fault, ..np_gpu::Choice::default() }
}

/// A miner whose jobs a test can make fail, or give a wrong result.
pub struct Checked<M>(pub M);

impl<M: Miner> Miner for Checked<M> {
    fn name(&self) -> String {
        self.0.name()
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        let failed = |e: std::io::Error| MineError::Device { device: self.name(), what: e.to_string() };
        fault::point("mine").map_err(failed)?;
        let mut found = self.0.mine(job, watch)?;
        if fault::point("lie").is_err() {
            match found.first_mut() {
                Some(first) => first.weight ^= 1,
                None => found.push(Candidate { block: 0, seed: 0, weight: 1 }),
            }
        }
        Ok(found)
    }
}

/// Jobs under this many pairs (or seeds of a join) are done sooner on the CPU than a GPU can be asked: the
/// neighbourhoods of the Lazy Hunter above all.
const SMALL: u64 = 1 << 20;

/// Small jobs on the CPU, large ones on a GPU.
struct Routed<G> {
    cpu: CpuMiner,
    gpu: G,
}

impl<G: Miner> Routed<G> {
    fn new(cpu: CpuMiner, gpu: G) -> Self {
        Self { cpu, gpu }
    }
}

impl<G: Miner> Miner for Routed<G> {
    fn name(&self) -> String {
        self.gpu.name()
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        if job.work() < SMALL { self.cpu.mine(job, watch) } else { self.gpu.mine(job, watch) }
    }
}

/// A GPU with the CPU to go on if it fails, and a word on stderr when it does.
struct Telling {
    miner: FallbackMiner<'static>,
    told: Once,
}

impl Telling {
    fn new(gpu: GpuMiner, cpu: CpuMiner) -> Self {
        // The CPU miner lives as long as the process.
        Self { miner: FallbackMiner::new(gpu, Box::leak(Box::new(cpu))), told: Once::new() }
    }
}

impl Miner for Telling {
    fn name(&self) -> String {
        self.miner.name()
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        let result = self.miner.mine(job, watch);
        if let Some(error) = self.miner.failure() {
            self.told.call_once(|| eprintln!("np-cli: {error}; going on with the CPU"));
        }
        result
    }
}

/// A real GPU if there is one, asked for only once there is a job worth its start-up.
struct Auto {
    cpu: CpuMiner,
    gpu: OnceLock<Option<Telling>>,
}

impl Miner for Auto {
    fn name(&self) -> String {
        self.gpu.get().and_then(Option::as_ref).map_or_else(|| self.cpu.name(), Miner::name)
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        let gpu = self.gpu.get_or_init(|| {
            let gpu = GpuMiner::open(&np_gpu::Choice::default()).ok()?;
            Some(Telling::new(gpu, self.cpu.clone()))
        });
        match gpu {
            Some(gpu) => gpu.mine(job, watch),
            None => self.cpu.mine(job, watch),
        }
    }
}

/// Something that can mine.
#[derive(Debug, Serialize)]
pub struct Device {
    /// What `--device` takes; `None` for the CPU.
    pub index: Option<usize>,
    /// `cpu`, or what kind of GPU.
    pub kind: &'static str,
    /// For people.
    pub name: String,
    /// What it works through, and its driver.
    pub api: String,
    /// Largest buffer, in bytes; `None` for the CPU.
    pub max_buffer_bytes: Option<u64>,
    /// Bytes of workgroup memory; `None` for the CPU.
    pub workgroup_bytes: Option<u32>,
    /// Smallest and largest subgroup; `None` for the CPU.
    pub subgroup: Option<(u32, u32)>,
    /// Whether the device can time its own work.
    pub timestamps: bool,
    /// Whether `--backend auto` would take it.
    pub auto: bool,
}

/// Everything here that can mine, and why there is not more.
pub fn devices() -> (Vec<Device>, Option<String>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let gpus = np_gpu::devices();
    let chosen = np_gpu::default_device(&gpus, false);
    let mut out = vec![Device {
        index: None,
        kind: "cpu",
        name: format!("{} ({threads} threads)", std::env::consts::ARCH),
        api: CpuMiner::new().name(),
        max_buffer_bytes: None,
        workgroup_bytes: None,
        subgroup: None,
        timestamps: false,
        auto: chosen.is_none(),
    }];
    out.extend(gpus.into_iter().map(|gpu| Device {
        index: Some(gpu.index),
        kind: gpu.kind.name(),
        api: format!("{}, {} {}", gpu.backend, gpu.driver, gpu.driver_info),
        max_buffer_bytes: Some(gpu.max_buffer_bytes),
        workgroup_bytes: Some(gpu.workgroup_bytes),
        subgroup: Some(gpu.subgroup),
        timestamps: gpu.timestamps,
        auto: chosen == Some(gpu.index),
        name: gpu.name,
    }));
    let none = out.len() == 1;
    (out, none.then(|| "no Vulkan, Metal or DX12 driver shows a device".to_owned()))
}
