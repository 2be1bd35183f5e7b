//! Joining: the device finds seeds whose first words meet some block's, the host scores the pairs they make.

use crate::device::Open;
use crate::engine::{Piece, Work};
use crate::join_table::JoinTable;
use crate::layout::{Hit, Params, WORKGROUP};
use crate::pairs::grid;
use crate::pipeline::{Bindings, Pipelines};
use crate::shader::Kernel;
use crate::slot::{Pending, Slot};
use np_core::block::weight;
use np_core::generator::mask_words;
use np_core::miner::{Candidate, Job, Tally};
use std::ops::Range;

/// Blocks in one table: its keys and hash slots stay under 64 MiB.
pub const SET_BLOCKS: usize = 1 << 20;
/// Seeds of a submission at most.
const MAX_SEEDS: u64 = 1 << 27;

/// The seeds of a join against one set of blocks.
pub struct JoinWork<'a, 'j> {
    open: &'a Open,
    job: &'a Job<'j>,
    /// The set, in the job's numbers.
    set: Range<usize>,
    tally: &'a mut Tally,
    slots: &'a [Slot],
    kernel: Kernel,
    table: JoinTable,
    pipeline: wgpu::ComputePipeline,
    groups: Vec<wgpu::BindGroup>,
    seeds: Range<u64>,
    /// What a seed counts for in [`Work::progress`]: 1 in the last set, so that sets do not count a seed twice.
    counts: u64,
}

impl<'a, 'j> JoinWork<'a, 'j> {
    /// Builds and uploads the table of the blocks of `set` (not empty).
    pub fn new(
        open: &'a Open,
        pipelines: &Pipelines,
        job: &'a Job<'j>,
        words: u32,
        set: Range<usize>,
        tally: &'a mut Tally,
        slots: &'a [Slot],
    ) -> Result<Self, String> {
        let places = JoinTable::places(job.block_bits, words);
        let kernel = Kernel::Join { words: places };
        let pipeline = pipelines.get(open, kernel)?;
        let w = job.block_bits.words();
        let table = JoinTable::new(job.block_bits, &job.blocks[set.start * w..set.end * w], places);
        let groups = open.guard(|| {
            let upload = |label, words: &[u32]| {
                let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
                let size = 4 * words.len() as u64;
                let desc =
                    wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
                let buffer = open.device.create_buffer(&desc);
                open.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
                buffer
            };
            let (starts, keys) = (upload("starts", &table.starts), upload("keys", &table.keys));
            let window = Some(size_of::<Params>() as u64);
            let bind = |slot: &Slot| {
                let list =
                    [(0, &slot.params, window), (1, &starts, None), (2, &keys, None), (4, &slot.hits, None)];
                pipelines.bind(open, Bindings::Join, &list)
            };
            slots.iter().map(bind).collect()
        })?;
        let counts = u64::from(set.end == job.block_count());
        Ok(Self {
            open,
            job,
            set,
            tally,
            slots,
            kernel,
            table,
            pipeline,
            groups,
            seeds: job.seeds.clone(),
            counts,
        })
    }

    /// What no piece has been made of yet, as (blocks of the job, seeds).
    pub fn rest(&self) -> Vec<(Range<usize>, Range<u64>)> {
        if self.seeds.is_empty() { Vec::new() } else { vec![(self.set.clone(), self.seeds.clone())] }
    }
}

impl Work for JoinWork<'_, '_> {
    fn next(&mut self, size: u64) -> Option<Piece> {
        if self.seeds.is_empty() {
            return None;
        }
        let end = self.seeds.start + size.clamp(1, MAX_SEEDS).min(self.seeds.end - self.seeds.start);
        let piece = Piece::new(self.seeds.start..end, 0..1);
        self.seeds.start = end;
        Some(piece)
    }

    fn submit(&mut self, slot: usize, piece: &mut Piece) -> Pending {
        let slots = &self.slots[slot];
        let seeds = (piece.seeds.end - piece.seeds.start) as u32;
        let params = Params {
            first_seed: piece.seeds.start as u32,
            seeds,
            stride: self.table.bits,
            capacity: slots.capacity(),
            ..Params::default()
        };
        slots.write_params(self.open, &[params]);
        slots.submit(self.open, |pass| {
            let (x, y) = grid(seeds.div_ceil(WORKGROUP));
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.groups[slot], &[0]);
            pass.dispatch_workgroups(x, y, 1);
        })
    }

    fn absorb(&mut self, piece: &Piece, mut hits: Vec<Hit>) -> Result<(), String> {
        hits.sort_unstable();
        let words = self.job.block_bits.words();
        let mut mask = vec![0; words];
        for Hit { seed, .. } in hits {
            if !piece.seeds.contains(&u64::from(seed)) {
                return Err(format!("it reported seed {seed}, which it was not asked about"));
            }
            mask_words(seed, &mut mask);
            let mut met = false;
            for (place, word) in mask.iter().enumerate().take(self.kernel.words()) {
                for b in self.table.blocks(place, *word) {
                    met = true;
                    let block = self.set.start + b as usize;
                    let weight = weight(&self.job.blocks[block * words..][..words], &mask);
                    self.tally.push(Candidate { block: block as u32, seed, weight });
                }
            }
            if !met {
                return Err(format!("it reported seed {seed}, whose first words meet no block's"));
            }
        }
        Ok(())
    }

    fn progress(&self, piece: &Piece) -> u64 {
        (piece.seeds.end - piece.seeds.start) * self.counts
    }
}
