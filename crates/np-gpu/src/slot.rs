//! A slot: the buffers of one submission in flight, and the way its hits come back.

use crate::device::Open;
use crate::layout::{HITS_HEADER, Hit, Limit, Params};
use crate::pipeline::PARAMS_STRIDE;
use std::sync::mpsc;
use std::time::Duration;

/// Hits that come back with the submission itself; the rest, rarely any, is fetched by a second copy.
const QUICK_HITS: u32 = 4096;
/// How long a submission may take before the device counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// Buffers of one submission.
pub struct Slot {
    pub params: wgpu::Buffer,
    pub limits: wgpu::Buffer,
    pub hits: wgpu::Buffer,
    read: wgpu::Buffer,
    capacity: u32,
    limit_count: usize,
    clock: Option<Clock>,
}

/// Two timestamps around a submission.
struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

/// Where in the buffer that is read back the timestamps stand, behind the quick hits.
fn ticks_at(capacity: u32) -> u64 {
    (HITS_HEADER + u64::from(capacity) * size_of::<Hit>() as u64).next_multiple_of(8)
}

/// What came back.
pub struct Outcome {
    /// Hits found, also those the list could not hold.
    pub count: u64,
    /// The hits, unless there were too many.
    pub hits: Vec<Hit>,
    /// How long the device worked, if it can tell.
    pub device_time: Option<Duration>,
}

/// A submission on its way.
pub struct Pending {
    index: wgpu::SubmissionIndex,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Slot {
    /// Buffers for `dispatches` dispatches, `limits` limits and `capacity` hits.
    pub fn new(open: &Open, dispatches: usize, limits: usize, capacity: u32) -> Self {
        use wgpu::BufferUsages as Use;
        let buffer = |label, size, usage| {
            let desc = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
            open.device.create_buffer(&desc)
        };
        let list = ticks_at(capacity);
        let clock = open.tick.map(|_| Clock {
            queries: open.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer("ticks", 16, Use::QUERY_RESOLVE | Use::COPY_SRC),
        });
        Self {
            params: buffer("params", dispatches as u64 * PARAMS_STRIDE, Use::UNIFORM | Use::COPY_DST),
            limits: buffer("limits", (limits * size_of::<Limit>()) as u64, Use::UNIFORM | Use::COPY_DST),
            hits: buffer("hits", list, Use::STORAGE | Use::COPY_SRC | Use::COPY_DST),
            read: buffer("read", list + 16, Use::MAP_READ | Use::COPY_DST),
            capacity,
            limit_count: limits,
            clock,
        }
    }

    /// Limits the slot has room for.
    pub fn limit_count(&self) -> usize {
        self.limit_count
    }

    /// Hits the list can hold.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Writes the params of the submission's dispatches.
    pub fn write_params(&self, open: &Open, list: &[Params]) {
        let mut bytes = vec![0; list.len() * PARAMS_STRIDE as usize];
        for (to, params) in bytes.chunks_exact_mut(PARAMS_STRIDE as usize).zip(list) {
            to[..size_of::<Params>()].copy_from_slice(bytemuck::bytes_of(params));
        }
        open.queue.write_buffer(&self.params, 0, &bytes);
    }

    /// Submits what `record` puts into a compute pass.
    pub fn submit(&self, open: &Open, record: impl FnOnce(&mut wgpu::ComputePass<'_>)) -> Pending {
        let mut encoder = open.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        encoder.clear_buffer(&self.hits, 0, Some(HITS_HEADER));
        {
            let timestamp_writes = self.clock.as_ref().map(|clock| wgpu::ComputePassTimestampWrites {
                query_set: &clock.queries,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let desc = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
            record(&mut encoder.begin_compute_pass(&desc));
        }
        let quick = HITS_HEADER + u64::from(self.capacity.min(QUICK_HITS)) * size_of::<Hit>() as u64;
        encoder.copy_buffer_to_buffer(&self.hits, 0, &self.read, 0, quick);
        if let Some(clock) = &self.clock {
            encoder.resolve_query_set(&clock.queries, 0..2, &clock.resolved, 0);
            encoder.copy_buffer_to_buffer(&clock.resolved, 0, &self.read, ticks_at(self.capacity), 16);
        }
        let index = open.queue.submit([encoder.finish()]);
        self.map(index)
    }

    fn map(&self, index: wgpu::SubmissionIndex) -> Pending {
        let (send, mapped) = mpsc::channel();
        self.read.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only when the miner has given up.
            let _ = send.send(result);
        });
        Pending { index, mapped }
    }

    /// Waits for the submission and takes its hits.
    pub fn finish(&self, open: &Open, pending: Pending) -> Result<Outcome, String> {
        self.wait(open, pending)?;
        let (count, ticks, mut hits) = self.read(open, 0)?;
        let quick = self.capacity.min(QUICK_HITS);
        if count > quick && count <= self.capacity {
            let pending = open.guard(|| {
                let mut encoder =
                    open.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
                let size = HITS_HEADER + u64::from(count) * size_of::<Hit>() as u64;
                encoder.copy_buffer_to_buffer(&self.hits, 0, &self.read, 0, size);
                self.map(open.queue.submit([encoder.finish()]))
            })?;
            self.wait(open, pending)?;
            hits = self.read(open, count)?.2;
        }
        let device_time = open.tick.map(|tick| {
            let nanoseconds = ticks[1].saturating_sub(ticks[0]) as f64 * f64::from(tick);
            Duration::from_nanos(nanoseconds as u64)
        });
        hits.truncate(count as usize);
        Ok(Outcome { count: count.into(), hits, device_time })
    }

    fn wait(&self, open: &Open, pending: Pending) -> Result<(), String> {
        let wait = wgpu::PollType::Wait { submission_index: Some(pending.index), timeout: Some(PATIENCE) };
        open.guard(|| open.device.poll(wait))?.map_err(|error| error.to_string())?;
        match pending.mapped.try_recv() {
            Ok(Ok(())) => open.check(),
            Ok(Err(error)) => open.check().and(Err(error.to_string())),
            Err(_) => open.check().and(Err("the device gave no result".to_owned())),
        }
    }

    /// Count, timestamps and the first hits (`want`, or the quick ones if 0) of the mapped buffer, which it unmaps.
    fn read(&self, open: &Open, want: u32) -> Result<(u32, [u64; 2], Vec<Hit>), String> {
        let list = open.guard(|| {
            let bytes = self.read.get_mapped_range(..).map_err(|error| error.to_string())?;
            let word =
                |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            let count = word(0);
            let ticks_at = ticks_at(self.capacity) as usize;
            let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
            let ticks = match self.clock {
                Some(_) => [long(ticks_at), long(ticks_at + 8)],
                None => [0; 2],
            };
            let take = count.min(if want > 0 { want } else { self.capacity.min(QUICK_HITS) }) as usize;
            let hit = |i: usize| {
                let at = HITS_HEADER as usize + i * size_of::<Hit>();
                Hit { block: word(at), seed: word(at + 4) }
            };
            Ok((count, ticks, (0..take).map(hit).collect()))
        })?;
        self.read.unmap();
        list
    }
}
