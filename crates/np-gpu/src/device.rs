//! Devices: which there are, which one is taken, and the open device with its errors caught.

use crate::fault::Fault;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;

/// The environment variable that names a device when the choice does not.
pub const NAME_VARIABLE: &str = "WGPU_ADAPTER_NAME";

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU beside the CPU.
    Integrated,
    /// A GPU passed through to a virtual machine.
    Virtual,
    /// Something the driver does not name.
    Other,
    /// The CPU, behind a software driver. Taken only when asked for.
    Cpu,
}

impl DeviceKind {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Other => "other",
            Self::Cpu => "CPU",
        }
    }
}

impl From<wgpu::DeviceType> for DeviceKind {
    fn from(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Cpu => Self::Cpu,
            wgpu::DeviceType::Other => Self::Other,
        }
    }
}

/// A device of this machine, as `np-cli devices` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// Its number, for [`Which::Index`]. Stable as long as drivers are.
    pub index: usize,
    /// Its name, as the driver gives it.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
    /// The API it is reached through: `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// The driver.
    pub driver: String,
    /// The driver's version and more.
    pub driver_info: String,
    /// PCI vendor and device, 0 where unknown.
    pub pci: (u32, u32),
    /// Bytes of the largest buffer.
    pub max_buffer_bytes: u64,
    /// Bytes of the largest storage binding.
    pub max_storage_bytes: u64,
    /// Bytes of workgroup memory.
    pub workgroup_bytes: u32,
    /// Smallest and largest subgroup.
    pub subgroup: (u32, u32),
    /// Whether the device can time its own work.
    pub timestamps: bool,
}

/// Which device to take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The one `WGPU_ADAPTER_NAME` names, else the first real GPU: discrete, integrated, virtual, other.
    #[default]
    Default,
    /// The device with this [`DeviceInfo::index`].
    Index(usize),
    /// The first device whose name contains this, in any case.
    Name(String),
}

impl Which {
    /// A number is an index, anything else part of a name.
    pub fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(index) => Self::Index(index),
            Err(_) => Self::Name(text.to_owned()),
        }
    }
}

/// What to open and how to run it. `Choice::default()` is what `auto` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The device.
    pub which: Which,
    /// Whether [`Which::Default`] may end at a CPU-type device when there is no real GPU.
    pub allow_cpu: bool,
    /// Whether to check the device against the CPU as soon as it is open.
    pub self_test: bool,
    /// Hits a dispatch can hold: 1 or more. More are found again in smaller dispatches.
    pub hit_capacity: u32,
    /// How long a submission should keep the device. Far under the two seconds after which drivers give up.
    pub target: Duration,
    /// What is to go wrong, for tests.
    pub fault: Fault,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            which: Which::Default,
            allow_cpu: false,
            self_test: true,
            hit_capacity: 1 << 18,
            target: Duration::from_millis(25),
            fault: Fault::None,
        }
    }
}

/// Why no device was opened.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// No driver shows any device, or only CPU-type ones.
    #[error("no GPU found ({seen}); install its Vulkan driver, or name a device")]
    NoDevice {
        /// What was found instead.
        seen: String,
    },
    /// The named device is not there.
    #[error("no device {asked}; there is {seen}")]
    NotFound {
        /// What was asked for.
        asked: String,
        /// What there is.
        seen: String,
    },
    /// The driver refused the device, or lacks what the kernels need.
    #[error("{device} cannot be opened: {what}")]
    Refused {
        /// The device's name.
        device: String,
        /// What the driver said.
        what: String,
    },
    /// The device computes wrongly.
    #[error("{device} failed its self-test: {what}")]
    SelfTest {
        /// The device's name.
        device: String,
        /// The first difference.
        what: String,
    },
}

/// Every device of this machine, in the order of [`DeviceInfo::index`]. Empty where there is no driver.
pub fn devices() -> Vec<DeviceInfo> {
    adapters().iter().enumerate().map(|(index, adapter)| describe(index, adapter)).collect()
}

/// The device that [`Which::Default`] takes among `devices`, if any.
pub fn default_device(devices: &[DeviceInfo], allow_cpu: bool) -> Option<usize> {
    let best =
        devices.iter().filter(|d| allow_cpu || d.kind != DeviceKind::Cpu).min_by_key(|d| (d.kind, d.index));
    best.map(|d| d.index)
}

/// All adapters but `Noop`, Vulkan's first. A driver that panics counts as none.
fn adapters() -> Vec<wgpu::Adapter> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let list = catch_unwind(|| {
        let mut desc = wgpu::InstanceDescriptor::new_without_display_handle();
        desc.backends = backends;
        desc.flags = wgpu::InstanceFlags::empty();
        pollster::block_on(wgpu::Instance::new(desc).enumerate_adapters(backends))
    });
    let mut list = list.unwrap_or_default();
    list.retain(|adapter| adapter.get_info().backend != wgpu::Backend::Noop);
    list
}

fn describe(index: usize, adapter: &wgpu::Adapter) -> DeviceInfo {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    DeviceInfo {
        index,
        name: info.name,
        kind: info.device_type.into(),
        backend: info.backend.to_str().to_owned(),
        driver: info.driver,
        driver_info: info.driver_info,
        pci: (info.vendor, info.device),
        max_buffer_bytes: limits.max_buffer_size,
        max_storage_bytes: limits.max_storage_buffer_binding_size,
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        subgroup: (info.subgroup_min_size, info.subgroup_max_size),
        timestamps: adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY),
    }
}

/// Index of the device that `choice` means.
fn pick(devices: &[DeviceInfo], choice: &Choice, variable: Option<&str>) -> Result<usize, OpenError> {
    let seen = || match devices {
        [] => "no device at all".to_owned(),
        _ => devices
            .iter()
            .map(|d| format!("{}: {} ({})", d.index, d.name, d.kind.name()))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let by_name = |name: &str| {
        let wanted = name.to_lowercase();
        let found = devices.iter().find(|d| d.name.to_lowercase().contains(&wanted));
        found
            .map(|d| d.index)
            .ok_or_else(|| OpenError::NotFound { asked: format!("named {name:?}"), seen: seen() })
    };
    match &choice.which {
        Which::Name(name) => by_name(name),
        Which::Index(index) if *index < devices.len() => Ok(*index),
        Which::Index(index) => Err(OpenError::NotFound { asked: format!("number {index}"), seen: seen() }),
        Which::Default => match variable.filter(|name| !name.is_empty()) {
            Some(name) => by_name(name),
            None => {
                default_device(devices, choice.allow_cpu).ok_or_else(|| OpenError::NoDevice { seen: seen() })
            }
        },
    }
}

/// An open device. Nothing it does panics: what goes wrong is kept, and [`Open::check`] says so.
pub(crate) struct Open {
    pub info: DeviceInfo,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    /// Nanoseconds of a timestamp's tick, where the device has them.
    pub tick: Option<f32>,
    trouble: Arc<Mutex<Option<String>>>,
}

/// Remembers the first thing that went wrong.
fn note(trouble: &Mutex<Option<String>>, what: String) {
    trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
}

impl Open {
    /// Finds and opens the device that `choice` means.
    pub fn new(choice: &Choice) -> Result<Self, OpenError> {
        let mut adapters = adapters();
        let devices: Vec<DeviceInfo> = adapters.iter().enumerate().map(|(i, a)| describe(i, a)).collect();
        let variable = std::env::var(NAME_VARIABLE).ok();
        let index = pick(&devices, choice, variable.as_deref())?;
        let (adapter, info) = (adapters.swap_remove(index), devices[index].clone());
        let refused = |what: String| OpenError::Refused { device: info.name.clone(), what };
        let limits = adapter.limits();
        if (limits.max_uniform_buffer_binding_size as usize) < crate::layout::UNIFORM_BYTES
            || limits.max_compute_invocations_per_workgroup < crate::layout::WORKGROUP
            || limits.max_compute_workgroups_per_dimension < crate::layout::MAX_GROUPS
        {
            return Err(refused("its limits are below WebGPU's".to_owned()));
        }
        let timestamps = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let desc = wgpu::DeviceDescriptor {
            label: Some("NoisePacker"),
            required_features: timestamps,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let opened = catch_unwind(AssertUnwindSafe(|| pollster::block_on(adapter.request_device(&desc))));
        let (device, queue) = match opened {
            Ok(Ok(pair)) => pair,
            Ok(Err(error)) => return Err(refused(error.to_string())),
            Err(_) => return Err(refused("the driver panicked".to_owned())),
        };
        let trouble = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&trouble);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&seen, error.to_string())));
        let seen = Arc::clone(&trouble);
        device.set_device_lost_callback(move |reason, message| {
            note(&seen, format!("the device was lost ({reason:?}): {message}"));
        });
        let tick = (!timestamps.is_empty()).then(|| queue.get_timestamp_period());
        Ok(Self { info, device, queue, limits, tick, trouble })
    }

    /// The first thing that went wrong, as text. Once something has, the device is not used again.
    pub fn check(&self) -> Result<(), String> {
        match &*self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(what) => Err(what.clone()),
        }
    }

    /// Runs `f`, which talks to the driver; a panic in there (wgpu has no other way to say that a wait failed) is trouble.
    pub fn guard<T>(&self, f: impl FnOnce() -> T) -> Result<T, String> {
        self.check()?;
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(value) => self.check().map(|()| value),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
                note(&self.trouble, format!("the driver panicked: {text}"));
                self.check().and(Err(text.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(index: usize, name: &str, kind: DeviceKind) -> DeviceInfo {
        DeviceInfo {
            index,
            name: name.to_owned(),
            kind,
            backend: "vulkan".to_owned(),
            driver: String::new(),
            driver_info: String::new(),
            pci: (0, 0),
            max_buffer_bytes: 0,
            max_storage_bytes: 0,
            workgroup_bytes: 0,
            subgroup: (0, 0),
            timestamps: false,
        }
    }

    #[test]
    fn real_gpus_come_first_and_cpus_only_when_asked() {
        let devices = [
            device(0, "llvmpipe (LLVM 15)", DeviceKind::Cpu),
            device(1, "Iris Xe", DeviceKind::Integrated),
            device(2, "NVIDIA H100", DeviceKind::Discrete),
        ];
        let choice = |which| Choice { which, ..Choice::default() };
        assert_eq!(pick(&devices, &choice(Which::Default), None), Ok(2));
        assert_eq!(pick(&devices, &choice(Which::Default), Some("iris")), Ok(1));
        assert_eq!(pick(&devices, &choice(Which::Default), Some("")), Ok(2));
        assert_eq!(pick(&devices, &choice(Which::parse("0")), Some("iris")), Ok(0));
        assert_eq!(pick(&devices, &choice(Which::parse("LLVM")), None), Ok(0));
        assert!(matches!(pick(&devices, &choice(Which::parse("7")), None), Err(OpenError::NotFound { .. })));
        assert!(matches!(
            pick(&devices, &choice(Which::Default), Some("arc")),
            Err(OpenError::NotFound { .. })
        ));
        assert!(matches!(
            pick(&devices[..1], &choice(Which::Default), None),
            Err(OpenError::NoDevice { .. })
        ));
        assert!(matches!(pick(&[], &choice(Which::Default), None), Err(OpenError::NoDevice { .. })));
        let allowed = Choice { allow_cpu: true, ..Choice::default() };
        assert_eq!(pick(&devices[..1], &allowed, None), Ok(0));
        assert_eq!(pick(&devices, &allowed, None), Ok(2));
    }
}
