//! A probe: one kernel alone on the device, for comparison with its twin and for timing.

use crate::join_table::JoinTable;
use crate::layout::{Hit, Limit, Params, WORKGROUP, premixed_blocks, quads};
use crate::miner::GpuMiner;
use crate::pairs::{self, grid};
use crate::pipeline::{Bindings, uniform_bytes};
use crate::shader::Kernel;
use crate::slot::Slot;
use np_core::block::BlockBits;
use np_core::miner::MineError;
use std::time::{Duration, Instant};

/// What a kernel works on. Fields a kernel does not read may be empty.
#[derive(Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// Blocks as they are (not premixed), at most one chunk of them.
    pub blocks: &'a [u32],
    /// A limit for each block.
    pub limits: &'a [Limit],
    /// The mask buffer, as [`crate::twin::mask`] makes it. Where it is empty the buffer holds zeros.
    pub masks: &'a [u32],
    /// The table of a join.
    pub table: Option<&'a JoinTable>,
}

/// A kernel with its buffers. Seeds `0..seeds` of threads fit; seeds themselves begin anywhere.
pub struct Probe<'a> {
    miner: &'a GpuMiner,
    kernel: Kernel,
    seeds: u32,
    stride: u32,
    blocks: u32,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    masks: wgpu::Buffer,
    slot: Slot,
}

/// What a run of a kernel left.
#[derive(Clone, Debug)]
pub struct ProbeOutcome {
    /// Hits reported, also those the list could not hold.
    pub count: u64,
    /// The hits, in any order.
    pub hits: Vec<Hit>,
    /// How long it took: the device's own time if it can tell, else from submission to result.
    pub time: Duration,
}

impl<'a> Probe<'a> {
    /// Prepares `kernel` for at most `seeds` seeds and `capacity` hits.
    pub fn new(
        miner: &'a GpuMiner,
        kernel: Kernel,
        seeds: u32,
        capacity: u32,
        inputs: Inputs<'_>,
    ) -> Result<Self, MineError> {
        let open = &miner.open;
        let fail = |what| miner.failure(what);
        let words = kernel.words();
        let pipeline = miner.pipelines.get(open, kernel).map_err(fail)?;
        let stride = match inputs.table {
            Some(table) => table.bits,
            None => seeds.next_multiple_of(kernel.tile() as u32 * WORKGROUP),
        };
        let bindings = Bindings::of(kernel);
        let mixed = match bindings {
            Bindings::Score | Bindings::Fused => {
                let block_bits = BlockBits::new(32 * words as u32)
                    .map_err(|error| MineError::BadJob { what: error.to_string() })?;
                premixed_blocks(block_bits, inputs.blocks)
            }
            _ => Vec::new(),
        };
        let build = || {
            use wgpu::BufferUsages as Use;
            let upload = |label, words: &[u32], least: u64, usage| {
                let size = (4 * words.len() as u64).max(least);
                let usage = usage | Use::COPY_DST | Use::COPY_SRC;
                let desc =
                    wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
                let buffer = open.device.create_buffer(&desc);
                open.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
                buffer
            };
            let slot = pairs::single_slot(open, words.max(4), capacity);
            let [params_window, block_window, limit_window] = uniform_bytes(words);
            let mask_bytes = match bindings {
                Bindings::Make | Bindings::Score => 16 * quads(words) as u64 * u64::from(stride),
                _ => 16,
            };
            let masks = upload("masks", inputs.masks, mask_bytes, Use::STORAGE);
            let mut limits = vec![Limit::NEVER; limit_window as usize / size_of::<Limit>()];
            limits[..inputs.limits.len()].copy_from_slice(inputs.limits);
            let params = (0, &slot.params, Some(params_window));
            let group = match bindings {
                Bindings::Make => miner.pipelines.bind(open, bindings, &[params, (3, &masks, None)]),
                Bindings::Score | Bindings::Fused => {
                    open.queue.write_buffer(&slot.limits, 0, bytemuck::cast_slice(&limits));
                    let blocks = upload("blocks", &mixed, block_window, Use::UNIFORM);
                    let mut list = vec![params, (1, &blocks, Some(block_window))];
                    list.extend([(2, &slot.limits, Some(limit_window)), (4, &slot.hits, None)]);
                    if bindings == Bindings::Score {
                        list.push((3, &masks, None));
                    }
                    miner.pipelines.bind(open, bindings, &list)
                }
                Bindings::Join => {
                    let (starts, keys) =
                        inputs.table.map_or((&[][..], &[][..]), |t| (&t.starts[..], &t.keys[..]));
                    let (starts, keys) =
                        (upload("starts", starts, 16, Use::STORAGE), upload("keys", keys, 16, Use::STORAGE));
                    let list = [params, (1, &starts, None), (2, &keys, None), (4, &slot.hits, None)];
                    miner.pipelines.bind(open, bindings, &list)
                }
            };
            (slot, masks, group)
        };
        let (slot, masks, group) = open.guard(build).map_err(fail)?;
        let blocks = (inputs.blocks.len() / words) as u32;
        Ok(Self { miner, kernel, seeds, stride, blocks, pipeline, group, masks, slot })
    }

    /// What the kernel is told about `seeds` seeds from `first_seed` on.
    pub fn params(&self, first_seed: u32, seeds: u32) -> Params {
        let capacity = self.slot.capacity();
        Params { first_seed, seeds, stride: self.stride, blocks: self.blocks, capacity, ..Params::default() }
    }

    /// Runs the kernel `repeats` times in one submission.
    pub fn run(&self, first_seed: u32, seeds: u32, repeats: u32) -> Result<ProbeOutcome, MineError> {
        assert!(seeds <= self.seeds, "a probe for {} seeds cannot run {seeds}", self.seeds);
        let open = &self.miner.open;
        let params = self.params(first_seed, seeds);
        let start = Instant::now();
        let pending = open.guard(|| {
            self.slot.write_params(open, &[params]);
            self.slot.submit(open, |pass| {
                pass.set_pipeline(&self.pipeline);
                let zeros = match Bindings::of(self.kernel) {
                    Bindings::Score | Bindings::Fused => &[0; 3][..],
                    _ => &[0],
                };
                pass.set_bind_group(0, &self.group, zeros);
                let (x, y) = grid(seeds.div_ceil(self.kernel.tile() as u32 * WORKGROUP));
                for _ in 0..repeats {
                    pass.dispatch_workgroups(x, y, 1);
                }
            })
        });
        let outcome = pending.and_then(|pending| self.slot.finish(open, pending));
        let outcome = outcome.map_err(|what| self.miner.failure(what))?;
        let time = outcome.device_time.filter(|time| !time.is_zero()).unwrap_or_else(|| start.elapsed());
        Ok(ProbeOutcome { count: outcome.count, hits: outcome.hits, time })
    }

    /// The mask buffer as it is now.
    pub fn masks(&self) -> Result<Vec<u32>, MineError> {
        let open = &self.miner.open;
        let read = open.guard(|| {
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            let size = self.masks.size();
            let desc =
                wgpu::BufferDescriptor { label: Some("masks read"), size, usage, mapped_at_creation: false };
            let read = open.device.create_buffer(&desc);
            let mut encoder =
                open.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
            encoder.copy_buffer_to_buffer(&self.masks, 0, &read, 0, size);
            open.queue.submit([encoder.finish()]);
            read.map_async(wgpu::MapMode::Read, .., |_| ());
            open.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| error.to_string())?;
            let bytes = read.get_mapped_range(..).map_err(|error| error.to_string())?;
            Ok(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        });
        read.and_then(|words| words).map_err(|what| self.miner.failure(what))
    }
}
