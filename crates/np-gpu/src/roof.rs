//! Rooflines: small kernels that show what a device can do at most, in the run whose figures are held against them.

use crate::device::{DeviceKind, Open};
use crate::layout::WORKGROUP;
use crate::miner::GpuMiner;
use crate::pairs::grid;
use crate::pipeline::compile;
use crate::shader::assemble;
use bytemuck::{Pod, Zeroable};
use np_core::miner::MineError;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// A ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Roof {
    /// `shaders/roof_multiply.wgsl`: 32-bit multiply-adds.
    Multiply,
    /// `shaders/roof_shift.wgsl`: a shift and a xor.
    Shift,
    /// `shaders/roof_logic.wgsl`: three-input logic functions.
    Logic,
    /// `shaders/roof_popcount.wgsl`: xor, popcount and add of one word.
    Popcount,
    /// `shaders/roof_memory.wgsl`: bytes read.
    Memory,
}

/// Steps on a vector of four in one round of a roofline loop, for each of its two vectors.
const STEPS: u32 = 16;
/// Operations of a thread in one round.
const ROUND_OPERATIONS: u64 = 4 * 2 * STEPS as u64;
/// Rounds of a loop at most.
const MAX_ROUNDS: u32 = 1 << 13;
/// How long one dispatch may take: drivers give up after two seconds.
const MAX_DISPATCH: Duration = Duration::from_millis(500);
/// Rounds whose results are checked against [`Roof::twin`].
const CHECKED_ROUNDS: u32 = 3;

/// `Roof` in `shaders/shared/roof.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    threads: u32,
    rounds: u32,
    factor: u32,
    quads: u32,
}

/// The factor no compiler knows.
const FACTOR: u32 = 0x0019_660d;

impl Roof {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Multiply, Self::Shift, Self::Logic, Self::Popcount, Self::Memory];

    /// Name of the entry point and of the shader's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Multiply => "roof_multiply",
            Self::Shift => "roof_shift",
            Self::Logic => "roof_logic",
            Self::Popcount => "roof_popcount",
            Self::Memory => "roof_memory",
        }
    }

    /// What is counted, for people.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Multiply => "multiply-adds/s",
            Self::Shift => "shift-xor pairs/s",
            Self::Logic => "3-input logic/s",
            Self::Popcount => "xor-popcount-adds/s",
            Self::Memory => "bytes/s",
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Multiply => include_str!("../../../shaders/roof_multiply.wgsl"),
            Self::Shift => include_str!("../../../shaders/roof_shift.wgsl"),
            Self::Logic => include_str!("../../../shaders/roof_logic.wgsl"),
            Self::Popcount => include_str!("../../../shaders/roof_popcount.wgsl"),
            Self::Memory => include_str!("../../../shaders/roof_memory.wgsl"),
        }
    }

    /// Step `i` on the vectors `x` and `y`.
    const fn step(self, i: u32) -> &'static str {
        match (self, i % 3) {
            (Self::Multiply, _) => "x = x * roof.factor + y;\ny = y * roof.factor + x;",
            (Self::Shift, 0) => "x ^= x << vec4<u32>(13u);\ny ^= y << vec4<u32>(13u);",
            (Self::Shift, 1) => "x ^= x >> vec4<u32>(17u);\ny ^= y >> vec4<u32>(17u);",
            (Self::Shift, _) => "x ^= x << vec4<u32>(5u);\ny ^= y << vec4<u32>(5u);",
            (Self::Logic, _) => {
                "x = x.yzwx ^ ((y ^ x.yzwx) & ~(x ^ x.yzwx));\ny = y.yzwx ^ ((x ^ y.yzwx) & ~(y ^ y.yzwx));"
            }
            (Self::Popcount, _) => {
                "x += countOneBits(x ^ vec4<u32>(roof.factor));\ny += countOneBits(y ^ vec4<u32>(roof.factor));"
            }
            (Self::Memory, _) => "",
        }
    }

    /// The whole WGSL text.
    pub fn text(self) -> String {
        assemble(self.template(), |name| match name {
            "ROUND" => {
                let mut out = String::new();
                for i in 0..STEPS {
                    writeln!(out, "{}", self.step(i)).expect("a String takes every write");
                }
                out
            }
            _ => WORKGROUP.to_string(),
        })
    }

    /// The kernel's CPU twin: the result of `thread` after `rounds` rounds, `threads` threads reading `data` for [`Roof::Memory`].
    pub fn twin(self, thread: u32, threads: u32, rounds: u32, data: &[[u32; 4]]) -> u32 {
        let begin = |t: u32| [1u32, 2, 3, 4].map(|i| i.wrapping_add(t).wrapping_mul(0x9e37_79b1));
        let (mut x, mut y) = (begin(thread), begin(!thread));
        if self == Self::Memory {
            for _ in 0..rounds {
                for quad in data.iter().skip(thread as usize).step_by(threads as usize) {
                    x = [0, 1, 2, 3].map(|i| x[i] ^ quad[i]);
                }
                x = x.map(|v| v.wrapping_mul(FACTOR));
            }
            return x[0] ^ x[1] ^ x[2] ^ x[3];
        }
        let turned = |v: [u32; 4]| [v[1], v[2], v[3], v[0]];
        for i in (0..rounds).flat_map(|_| 0..STEPS) {
            match self {
                Self::Multiply => {
                    x = [0, 1, 2, 3].map(|l| x[l].wrapping_mul(FACTOR).wrapping_add(y[l]));
                    y = [0, 1, 2, 3].map(|l| y[l].wrapping_mul(FACTOR).wrapping_add(x[l]));
                }
                Self::Shift => {
                    let step = |v: u32| v ^ [v << 13, v >> 17, v << 5][i as usize % 3];
                    (x, y) = (x.map(step), y.map(step));
                }
                Self::Logic => {
                    let t = turned(x);
                    x = [0, 1, 2, 3].map(|l| t[l] ^ ((y[l] ^ t[l]) & !(x[l] ^ t[l])));
                    let t = turned(y);
                    y = [0, 1, 2, 3].map(|l| t[l] ^ ((x[l] ^ t[l]) & !(y[l] ^ t[l])));
                }
                Self::Popcount => {
                    let step = |v: u32| v.wrapping_add((v ^ FACTOR).count_ones());
                    (x, y) = (x.map(step), y.map(step));
                }
                Self::Memory => {}
            }
        }
        (0..4).fold(0, |z, l| z ^ x[l] ^ y[l])
    }
}

/// Buffers and pipeline of a roofline.
struct Bench<'a> {
    open: &'a Open,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    params: wgpu::Buffer,
    results: wgpu::Buffer,
    read: wgpu::Buffer,
    threads: u32,
    quads: u32,
}

impl<'a> Bench<'a> {
    fn new(open: &'a Open, roof: Roof) -> Self {
        use wgpu::BufferUsages as Use;
        let (threads, bytes) = match open.info.kind {
            DeviceKind::Cpu => (1 << 12, 64 << 20),
            _ => (1 << 20, 512 << 20),
        };
        let bytes =
            u64::min(bytes, open.limits.max_storage_buffer_binding_size).min(open.limits.max_buffer_size);
        let quads = if roof == Roof::Memory { (bytes / 16) as u32 } else { 0 };
        let buffer = |size: u64, usage| {
            open.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let params = buffer(size_of::<Params>() as u64, Use::UNIFORM | Use::COPY_DST);
        let results = buffer(4 * u64::from(threads), Use::STORAGE | Use::COPY_SRC);
        let read = buffer(4 * u64::from(threads), Use::MAP_READ | Use::COPY_DST);
        let data = buffer(16 * u64::from(quads.max(1)), Use::STORAGE | Use::COPY_DST);
        if quads > 0 {
            // Half of the data is the twin's, the other zero: enough to tell a kernel that reads the wrong place.
            open.queue.write_buffer(&data, 0, bytemuck::cast_slice(&sample()));
        }
        let pipeline = compile(&open.device, &roof.text(), roof.name(), None);
        let mut entries = vec![
            wgpu::BindGroupEntry { binding: 0, resource: params.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: results.as_entire_binding() },
        ];
        if quads > 0 {
            entries.push(wgpu::BindGroupEntry { binding: 2, resource: data.as_entire_binding() });
        }
        let layout = pipeline.get_bind_group_layout(0);
        let desc = wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries };
        let group = open.device.create_bind_group(&desc);
        Self { open, pipeline, group, params, results, read, threads, quads }
    }

    /// Runs `rounds` rounds `repeats` times and waits; the results of all threads.
    fn run(&self, rounds: u32, repeats: u32, quads: u32) -> Result<(Duration, Vec<u32>), String> {
        let start = Instant::now();
        let params = Params { threads: self.threads, rounds, factor: FACTOR, quads };
        self.open.queue.write_buffer(&self.params, 0, bytemuck::bytes_of(&params));
        let mut encoder =
            self.open.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            let (x, y) = grid(self.threads.div_ceil(WORKGROUP));
            for _ in 0..repeats {
                pass.dispatch_workgroups(x, y, 1);
            }
        }
        encoder.copy_buffer_to_buffer(&self.results, 0, &self.read, 0, self.read.size());
        self.open.queue.submit([encoder.finish()]);
        self.read.map_async(wgpu::MapMode::Read, .., |_| ());
        self.open.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| error.to_string())?;
        let time = start.elapsed();
        let words = {
            let bytes = self.read.get_mapped_range(..).map_err(|error| error.to_string())?;
            bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        self.read.unmap();
        Ok((time, words))
    }
}

/// Data at the beginning of what [`Roof::Memory`] reads; the rest is zero.
fn sample() -> Vec<[u32; 4]> {
    (0..10_000u32).map(|i| [i, !i, i.wrapping_mul(FACTOR), i << 7]).collect()
}

impl GpuMiner {
    /// Measures a ceiling for about `budget`, in [`Roof::unit`]s a second, and checks that the kernel did its work.
    pub fn roof(&self, roof: Roof, budget: Duration) -> Result<f64, MineError> {
        let open = &self.open;
        let measured = open.guard(|| {
            let bench = Bench::new(open, roof);
            let data = if roof == Roof::Memory { sample() } else { Vec::new() };
            let (_, results) = bench.run(CHECKED_ROUNDS, 1, bench.quads.min(data.len() as u32))?;
            for thread in [0, 1, bench.threads / 2, bench.threads - 1] {
                let expected = roof.twin(thread, bench.threads, CHECKED_ROUNDS, &data);
                if results[thread as usize] != expected {
                    return Err(format!(
                        "{} computes {}, not {expected}",
                        roof.name(),
                        results[thread as usize]
                    ));
                }
            }
            let (mut rounds, mut repeats) = (1, 1);
            loop {
                let (time, results) = bench.run(rounds, repeats, bench.quads)?;
                if time >= budget || repeats >= 1 << 16 {
                    let expected = roof.twin(0, bench.threads, rounds, &data);
                    if results[0] != expected {
                        return Err(format!("{} computes {} in {rounds} rounds", roof.name(), results[0]));
                    }
                    let work = match roof {
                        Roof::Memory => 16 * u64::from(bench.quads),
                        _ => ROUND_OPERATIONS * u64::from(bench.threads),
                    };
                    return Ok(work as f64 * f64::from(rounds) * f64::from(repeats) / time.as_secs_f64());
                }
                let more = (budget.as_secs_f64() * 1.2 / time.as_secs_f64()).clamp(1.5, 8.0);
                // Loops stay short, for software devices end loops after 65,535 turns, and dispatches too.
                if rounds < MAX_ROUNDS && time * 8 < MAX_DISPATCH {
                    rounds = (f64::from(rounds) * more).ceil().min(f64::from(MAX_ROUNDS)) as u32;
                } else {
                    repeats = (f64::from(repeats) * more).ceil() as u32;
                }
            }
        });
        measured.and_then(|rate| rate).map_err(|what| self.failure(what))
    }
}
