//! Pipelines: bind group layouts, and a compiled pipeline for each kernel, made when first wanted.

use crate::device::Open;
use crate::fault::Fault;
use crate::layout::{Limit, Params, chunk_blocks, quads};
use crate::shader::Kernel;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Bytes between two `Params` in a buffer of them: WebGPU's `minUniformBufferOffsetAlignment`.
pub const PARAMS_STRIDE: u64 = 256;

/// Which bindings a kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bindings {
    /// Params, masks to write.
    Make,
    /// Params, blocks, limits, masks to read, hits.
    Score,
    /// Params, blocks, limits, hits.
    Fused,
    /// Params, two tables, hits.
    Join,
}

impl Bindings {
    pub const fn of(kernel: Kernel) -> Self {
        match kernel {
            Kernel::Mask { .. } | Kernel::LongMask { .. } => Self::Make,
            Kernel::Score { .. } | Kernel::ScoreWide { .. } => Self::Score,
            Kernel::Fused { .. } | Kernel::FusedWide { .. } => Self::Fused,
            Kernel::Join { .. } => Self::Join,
        }
    }

    fn entries(self) -> Vec<wgpu::BindGroupLayoutEntry> {
        let uniform = wgpu::BufferBindingType::Uniform;
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let params = (0, uniform, true);
        let hits = (4, storage(false), false);
        let list = match self {
            Self::Make => vec![params, (3, storage(false), false)],
            Self::Score => {
                vec![params, (1, uniform, true), (2, uniform, true), (3, storage(true), false), hits]
            }
            Self::Fused => vec![params, (1, uniform, true), (2, uniform, true), hits],
            Self::Join => vec![params, (1, storage(true), false), (2, storage(true), false), hits],
        };
        let entry = |(binding, ty, has_dynamic_offset)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
            count: None,
        };
        list.into_iter().map(entry).collect()
    }
}

/// Bytes of the uniform bindings of params, blocks and limits for masks of `words` words.
pub fn uniform_bytes(words: usize) -> [u64; 3] {
    let chunk = chunk_blocks(words);
    [size_of::<Params>() as u64, (chunk * quads(words) * 16) as u64, (chunk * size_of::<Limit>()) as u64]
}

/// Layouts and compiled pipelines of one device.
pub struct Pipelines {
    layouts: HashMap<Bindings, (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    made: Mutex<HashMap<Kernel, wgpu::ComputePipeline>>,
    fault: Fault,
}

impl Pipelines {
    pub fn new(open: &Open, fault: Fault) -> Result<Self, String> {
        let layouts = open.guard(|| {
            let make = |bindings: Bindings| {
                let layout = open.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                    label: None,
                    entries: &bindings.entries(),
                });
                let pipeline = open.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                    label: None,
                    bind_group_layouts: &[Some(&layout)],
                    immediate_size: 0,
                });
                (bindings, (layout, pipeline))
            };
            [Bindings::Make, Bindings::Score, Bindings::Fused, Bindings::Join].into_iter().map(make).collect()
        })?;
        Ok(Self { layouts, made: Mutex::new(HashMap::new()), fault })
    }

    /// The pipeline of `kernel`; compiles it the first time.
    pub fn get(&self, open: &Open, kernel: Kernel) -> Result<wgpu::ComputePipeline, String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = made.get(&kernel) {
            return Ok(pipeline.clone());
        }
        let mut text = kernel.text();
        if let Fault::Broken { from, to } = self.fault {
            text = text.replace(from, to);
        }
        let layout = &self.layouts[&Bindings::of(kernel)].1;
        let pipeline = open.guard(|| compile(&open.device, &text, kernel.name(), Some(layout)))?;
        made.insert(kernel, pipeline.clone());
        Ok(pipeline)
    }

    /// A bind group with these buffers: binding number, buffer, and the bytes of a uniform's window.
    pub fn bind(
        &self,
        open: &Open,
        bindings: Bindings,
        buffers: &[(u32, &wgpu::Buffer, Option<u64>)],
    ) -> wgpu::BindGroup {
        let entries: Vec<wgpu::BindGroupEntry<'_>> = buffers
            .iter()
            .map(|(binding, buffer, window)| wgpu::BindGroupEntry {
                binding: *binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    size: window.and_then(wgpu::BufferSize::new),
                }),
            })
            .collect();
        let layout = &self.layouts[&bindings].0;
        open.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    }
}

/// Compiles a shader text without the run-time checks that would cost more than the work.
pub fn compile(
    device: &wgpu::Device,
    text: &str,
    entry: &str,
    layout: Option<&wgpu::PipelineLayout>,
) -> wgpu::ComputePipeline {
    let desc =
        wgpu::ShaderModuleDescriptor { label: Some(entry), source: wgpu::ShaderSource::Wgsl(text.into()) };
    // SAFETY: the texts are this crate's own. Every index they form is below the length of its array: threads beyond
    // `params.seeds` leave first, strides and chunks are what the buffers were made with, hits are checked against
    // `params.capacity`; every loop has a bound, none divides.
    let module = unsafe { device.create_shader_module_trusted(desc, wgpu::ShaderRuntimeChecks::unchecked()) };
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry),
        layout,
        module: &module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}
