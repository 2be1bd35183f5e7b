//! Which kernels there are, which the machine can run, and which one is used.

use std::fmt;

/// An instruction set the miner's loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// The compiler's own vectors; runs everywhere.
    Portable,
}

/// The environment variable that overrides the choice.
pub const KERNEL_VARIABLE: &str = "NP_CPU";

/// Why the kernel that was asked for is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelError {
    /// No kernel has this name.
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// This machine cannot run it.
    Unsupported {
        /// What was asked for.
        kernel: Kernel,
    },
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Kernel::ALL.map(Kernel::id).join(", ");
        match self {
            Self::Unknown { name } => {
                write!(f, "{KERNEL_VARIABLE}={name}: no such kernel; there are: {known}")
            }
            Self::Unsupported { kernel } => {
                write!(
                    f,
                    "{KERNEL_VARIABLE}={}: this processor cannot run it; unset it or take another of: {known}",
                    kernel.id()
                )
            }
        }
    }
}

impl std::error::Error for KernelError {}

impl Kernel {
    /// Every kernel of this build, slowest first.
    pub const ALL: [Self; 1] = [Self::Portable];

    /// Its name in [`KERNEL_VARIABLE`].
    pub const fn id(self) -> &'static str {
        match self {
            Self::Portable => "portable",
        }
    }

    /// Whether this machine can run it.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
        }
    }

    /// The fastest kernel this machine can run.
    pub fn fastest() -> Self {
        Self::ALL.into_iter().rev().find(|k| k.is_supported()).unwrap_or(Self::Portable)
    }

    /// The kernel named by the environment, else the fastest.
    pub fn detect() -> Result<Self, KernelError> {
        match std::env::var_os(KERNEL_VARIABLE) {
            None => Ok(Self::fastest()),
            Some(name) => Self::named(&name.to_string_lossy()),
        }
    }

    /// The kernel of this name, if this machine can run it.
    pub fn named(name: &str) -> Result<Self, KernelError> {
        let kernel = Self::ALL
            .into_iter()
            .find(|k| k.id() == name)
            .ok_or_else(|| KernelError::Unknown { name: name.to_owned() })?;
        if kernel.is_supported() { Ok(kernel) } else { Err(KernelError::Unsupported { kernel }) }
    }
}
