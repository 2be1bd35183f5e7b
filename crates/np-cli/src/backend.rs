//! Which miner does the work: the only place that knows the backends.

use anyhow::bail;
use clap::{Args, ValueEnum};
use np_core::miner::Miner;
use np_core::scalar::ScalarMiner;
use serde::Serialize;

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

const NO_GPU: &str = "this build has no GPU backend; use --backend cpu or auto";

impl Choice {
    /// The miner that was asked for. `threads`: how many it may use.
    pub fn open(&self, threads: usize) -> anyhow::Result<Box<dyn Miner>> {
        let _ = threads;
        match self.backend {
            Backend::Gpu | Backend::Both => bail!(NO_GPU),
            Backend::Auto | Backend::Cpu if self.device.is_some() => bail!("--device: {NO_GPU}"),
            Backend::Auto | Backend::Cpu => Ok(Box::new(ScalarMiner)),
        }
    }
}

/// Something that can mine.
#[derive(Debug, Serialize)]
pub struct Device {
    /// What `--device` takes; `None` for the CPU.
    pub index: Option<usize>,
    /// `cpu` or `gpu`.
    pub kind: &'static str,
    /// For people.
    pub name: String,
    /// What it works through.
    pub api: String,
    /// Whether `--backend auto` would take it.
    pub auto: bool,
}

/// Everything here that can mine, and why there is not more.
pub fn devices() -> (Vec<Device>, Option<String>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = Device {
        index: None,
        kind: "cpu",
        name: format!("{} ({threads} threads)", std::env::consts::ARCH),
        api: ScalarMiner.name(),
        auto: true,
    };
    (vec![cpu], Some("this build has no GPU backend".to_owned()))
}
