//! Which kernels there are, which the machine can run, and which one is used.

use crate::lanes::Lanes;
use crate::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::{avx2::Avx2, avx512::Avx512};
use std::fmt;

/// An instruction set the miner's loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// The compiler's own vectors; runs everywhere.
    Portable,
    /// 8 lanes: AVX2 (Intel from Haswell, AMD from Zen).
    Avx2,
    /// 16 lanes: AVX-512 F, VBMI2 and VPOPCNTDQ (Intel from Ice Lake, AMD from Zen 4).
    Avx512,
}

/// Something to do with the lanes of a kernel.
pub(crate) trait Stage {
    /// What it gives.
    type Out;
    /// Does it.
    fn run<L: Lanes>(self, l: L) -> Self::Out;
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
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// Its name in [`KERNEL_VARIABLE`].
    pub const fn id(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine can run it.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
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

    /// Runs `stage` with this kernel's lanes, or portable ones where the machine lacks them.
    pub(crate) fn run<S: Stage>(self, stage: S) -> S::Out {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Portable => (),
            Self::Avx2 => {
                if let Some(l) = Avx2::detect() {
                    return stage.run(l);
                }
            }
            Self::Avx512 => {
                if let Some(l) = Avx512::detect() {
                    return stage.run(l);
                }
            }
        }
        stage.run(Portable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_go_by_their_names() {
        for kernel in Kernel::ALL.into_iter().filter(|k| k.is_supported()) {
            assert_eq!(Kernel::named(kernel.id()), Ok(kernel));
        }
        let error = Kernel::named("amx").unwrap_err();
        assert_eq!(error, KernelError::Unknown { name: "amx".to_owned() });
        assert_eq!(error.to_string(), "NP_CPU=amx: no such kernel; there are: portable, avx2, avx512");
        let lacking = KernelError::Unsupported { kernel: Kernel::Avx512 };
        assert!(lacking.to_string().starts_with("NP_CPU=avx512: this processor cannot run it"));
    }

    #[test]
    fn the_fastest_kernel_is_the_last_that_runs() {
        let fastest = Kernel::fastest();
        assert!(fastest.is_supported());
        let after = Kernel::ALL.into_iter().skip_while(|k| *k != fastest).skip(1);
        assert_eq!(after.filter(|k| k.is_supported()).count(), 0);
    }
}
