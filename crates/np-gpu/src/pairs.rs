//! Scoring every pair of a job: the shape chosen for its blocks, its buffers, and its pieces for the engine.

use crate::device::{DeviceKind, Open};
use crate::engine::{Piece, SLOTS, Work};
use crate::layout::{Hit, Limit, MAX_GROUPS, Params, REGISTER_WORDS, SHORT_WORDS, WORKGROUP};
use crate::layout::{chunk_blocks, premixed_blocks, quads};
use crate::pipeline::{Bindings, PARAMS_STRIDE, Pipelines, uniform_bytes};
use crate::shader::Kernel;
use crate::slot::{Pending, Slot};
use np_core::block::weight;
use np_core::generator::mask_words;
use np_core::miner::{Candidate, Job, Tally};
use std::ops::Range;

/// Most blocks for which each seed's mask is made and scored in one kernel, when a thread holds the whole mask.
const FUSED_BLOCKS: usize = 32;
/// The same when the mask streams past running weights.
const FUSED_WIDE_BLOCKS: usize = 8;
/// Chunks of blocks in one submission at most.
const CHUNKS: usize = 64;
/// Fewer seeds than this in a dispatch leave a large device idle; then fewer blocks go into a submission instead.
const MIN_SEEDS: u64 = 1 << 14;
/// Bytes of premixed blocks on the device at a time; more are mined set by set.
const SET_BYTES: u64 = 64 << 20;

/// Which kernels a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One kernel makes and scores.
    Fused(Kernel),
    /// One makes masks into a buffer, one scores them.
    TwoPass {
        /// The maker.
        make: Kernel,
        /// The scorer.
        score: Kernel,
    },
}

impl Shape {
    /// The shape for `blocks` blocks of `words` words.
    pub fn of(words: usize, blocks: usize) -> Self {
        if words <= REGISTER_WORDS && blocks <= FUSED_BLOCKS {
            Self::Fused(Kernel::Fused { words })
        } else if words > REGISTER_WORDS && words <= SHORT_WORDS && blocks <= FUSED_WIDE_BLOCKS {
            Self::Fused(Kernel::FusedWide { words, blocks: blocks.next_power_of_two() })
        } else {
            Self::TwoPass { make: Kernel::mask(words), score: Kernel::score(words) }
        }
    }
}

/// Blocks of `words` words mined at a time on a device with such limits: whole chunks.
pub fn set_blocks(words: usize, limits: &wgpu::Limits) -> usize {
    let chunk = chunk_blocks(words);
    let bytes = SET_BYTES.min(limits.max_buffer_size);
    ((bytes / (16 * quads(words) as u64)) as usize / chunk * chunk).max(chunk)
}

/// The pairs of one set of blocks.
pub struct PairWork<'a, 'j> {
    open: &'a Open,
    job: &'a Job<'j>,
    /// The set, in the job's numbers.
    set: Range<usize>,
    tally: &'a mut Tally,
    slots: &'a [Slot],
    shape: Shape,
    pipelines: Vec<wgpu::ComputePipeline>,
    make_groups: Vec<wgpu::BindGroup>,
    score_groups: Vec<wgpu::BindGroup>,
    /// Seeds the mask buffer can hold, and those it does hold after what was submitted.
    mask_seeds: u64,
    resident: Option<Range<u64>>,
    /// Seeds still to come, the slice being worked on, and the blocks of it still to come.
    seeds: Range<u64>,
    slice: Range<u64>,
    rest: Range<usize>,
}

/// Limits a slot must hold for sets of at most `blocks` blocks.
pub fn limits_needed(words: usize, blocks: usize) -> usize {
    let chunk = chunk_blocks(words);
    blocks.div_ceil(chunk).clamp(1, CHUNKS) * chunk
}

/// Slots for a job, with room for so many limits.
pub fn slots(open: &Open, limits: usize, capacity: u32) -> Result<Vec<Slot>, String> {
    open.guard(|| (0..SLOTS).map(|_| Slot::new(open, CHUNKS, limits, capacity)).collect())
}

/// A slot for one dispatch of such masks.
pub fn single_slot(open: &Open, words: usize, capacity: u32) -> Slot {
    Slot::new(open, 1, chunk_blocks(words), capacity)
}

/// Groups of a dispatch as (x, y): x alone ends at 65,535.
pub fn grid(groups: u32) -> (u32, u32) {
    if groups <= MAX_GROUPS { (groups, 1) } else { (1 << 15, groups.div_ceil(1 << 15)) }
}

impl<'a, 'j> PairWork<'a, 'j> {
    /// Uploads the blocks of `set` (not empty) and compiles what they need.
    pub fn new(
        open: &'a Open,
        pipelines: &Pipelines,
        job: &'a Job<'j>,
        set: Range<usize>,
        tally: &'a mut Tally,
        slots: &'a [Slot],
    ) -> Result<Self, String> {
        let words = job.block_bits.words();
        let shape = Shape::of(words, set.len());
        let kernels = match shape {
            Shape::Fused(kernel) => vec![kernel],
            Shape::TwoPass { make, score } => vec![make, score],
        };
        let compiled = kernels.iter().map(|kernel| pipelines.get(open, *kernel)).collect::<Result<_, _>>()?;
        let mixed = premixed_blocks(job.block_bits, &job.blocks[set.start * words..set.end * words]);
        let span = job.seeds.end - job.seeds.start;
        let mask_seeds = mask_seeds(open, words, span, kernels.iter().map(|k| k.tile()).max().unwrap_or(1));
        let buffer = |label, size, usage| {
            open.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let [params_window, block_window, limit_window] = uniform_bytes(words);
        let (make_groups, score_groups) = open.guard(|| {
            use wgpu::BufferUsages as Use;
            let blocks = buffer("blocks", 4 * mixed.len() as u64, Use::UNIFORM | Use::COPY_DST);
            open.queue.write_buffer(&blocks, 0, bytemuck::cast_slice(&mixed));
            let masks = match shape {
                Shape::Fused(_) => None,
                Shape::TwoPass { .. } => {
                    Some(buffer("masks", mask_seeds * 16 * quads(words) as u64, Use::STORAGE))
                }
            };
            let mut groups = (Vec::new(), Vec::new());
            for slot in slots {
                let params = (0, &slot.params, Some(params_window));
                let mut score = vec![
                    params,
                    (1, &blocks, Some(block_window)),
                    (2, &slot.limits, Some(limit_window)),
                    (4, &slot.hits, None),
                ];
                if let Some(masks) = &masks {
                    groups.0.push(pipelines.bind(open, Bindings::Make, &[params, (3, masks, None)]));
                    score.push((3, masks, None));
                }
                let bindings = if masks.is_some() { Bindings::Score } else { Bindings::Fused };
                groups.1.push(pipelines.bind(open, bindings, &score));
            }
            groups
        })?;
        Ok(Self {
            open,
            job,
            rest: set.len()..set.len(),
            set,
            tally,
            slots,
            shape,
            pipelines: compiled,
            make_groups,
            score_groups,
            mask_seeds,
            resident: None,
            slice: job.seeds.start..job.seeds.start,
            seeds: job.seeds.clone(),
        })
    }

    /// What no piece has been made of yet, as (blocks of the job, seeds).
    pub fn rest(&self) -> Vec<(Range<usize>, Range<u64>)> {
        let slice = (self.of_job(&self.rest), self.slice.clone());
        let later = (self.set.clone(), self.seeds.clone());
        [slice, later].into_iter().filter(|(blocks, seeds)| !blocks.is_empty() && !seeds.is_empty()).collect()
    }

    /// Blocks of the set in the job's numbers.
    pub fn of_job(&self, blocks: &Range<usize>) -> Range<usize> {
        self.set.start + blocks.start..self.set.start + blocks.end
    }

    /// Seeds of the next slice: all blocks of few seeds, or, if that is too much for one submission, a share of the blocks.
    fn slice_seeds(&self, size: u64) -> u64 {
        let blocks = self.set.len() as u64;
        if let Shape::Fused(_) = self.shape {
            return (size / blocks).max(1);
        }
        let chunk = blocks.min(chunk_blocks(self.job.block_bits.words()) as u64);
        let all = size / blocks;
        let seeds = if all < MIN_SEEDS { (size / chunk).min(MIN_SEEDS) } else { all };
        seeds.clamp(1, self.mask_seeds)
    }
}

/// Seeds whose masks the device keeps at a time, whole tiles of every kernel: enough threads for a large device, little enough for a small one.
fn mask_seeds(open: &Open, words: usize, span: u64, tile: usize) -> u64 {
    let bytes = 16 * quads(words) as u64;
    let budget = match open.info.kind {
        DeviceKind::Cpu => 8 << 20,
        DeviceKind::Discrete => 256 << 20,
        _ => 64 << 20,
    };
    let budget = budget.min(open.limits.max_buffer_size).min(open.limits.max_storage_buffer_binding_size);
    let group = tile as u64 * u64::from(WORKGROUP);
    (budget / bytes).min(span.next_multiple_of(group)) / group * group
}

impl Work for PairWork<'_, '_> {
    fn next(&mut self, size: u64) -> Option<Piece> {
        if self.rest.is_empty() {
            if self.seeds.is_empty() {
                return None;
            }
            let end = self.seeds.start + self.slice_seeds(size).min(self.seeds.end - self.seeds.start);
            self.slice = self.seeds.start..end;
            self.seeds.start = end;
            self.rest = 0..self.set.len();
        }
        let chunk = chunk_blocks(self.job.block_bits.words());
        let chunks =
            (size / (self.slice.end - self.slice.start) / chunk as u64).clamp(1, CHUNKS as u64) as usize;
        let end = (self.rest.start + chunks * chunk).min(self.rest.end);
        let piece = Piece::new(self.slice.clone(), self.rest.start..end);
        self.rest.start = end;
        Some(piece)
    }

    fn submit(&mut self, slot: usize, piece: &mut Piece) -> Pending {
        let words = self.job.block_bits.words();
        let chunk = chunk_blocks(words);
        let first_chunk = piece.blocks.start / chunk;
        let chunks = first_chunk..piece.blocks.end.div_ceil(chunk);
        let window = chunks.start * chunk..chunks.end * chunk;
        // Seeds only rise, so a fold equal to the worst kept one comes too late.
        let bounds = piece.blocks.clone().map(|b| self.tally.bound_ascending((self.set.start + b) as u32));
        piece.limits = bounds.map(|bound| Limit::new(self.job.block_bits, bound)).collect();
        let mut limits = vec![Limit::NEVER; window.len()];
        limits[piece.blocks.start - window.start..][..piece.limits.len()].copy_from_slice(&piece.limits);
        let seeds = (piece.seeds.end - piece.seeds.start) as u32;
        let slots = &self.slots[slot];
        let params = |c: usize| Params {
            first_seed: piece.seeds.start as u32,
            seeds,
            stride: self.mask_seeds as u32,
            blocks: (self.set.len() - c * chunk).min(chunk) as u32,
            first_block: (c * chunk) as u32,
            capacity: slots.capacity(),
            reserved: [0; 2],
        };
        let list: Vec<Params> = chunks.clone().map(params).collect();
        slots.write_params(self.open, &list);
        self.open.queue.write_buffer(&slots.limits, 0, bytemuck::cast_slice(&limits));
        let [_, block_window, limit_window] = uniform_bytes(words);
        let made = self.resident.as_ref() == Some(&piece.seeds);
        let pending = slots.submit(self.open, |pass| {
            let score = match self.shape {
                Shape::Fused(kernel) => kernel,
                Shape::TwoPass { make, score } => {
                    if !made {
                        let (x, y) = grid(seeds.div_ceil(make.tile() as u32 * WORKGROUP));
                        pass.set_pipeline(&self.pipelines[0]);
                        pass.set_bind_group(0, &self.make_groups[slot], &[0]);
                        pass.dispatch_workgroups(x, y, 1);
                    }
                    score
                }
            };
            let (x, y) = grid(seeds.div_ceil(score.tile() as u32 * WORKGROUP));
            pass.set_pipeline(&self.pipelines[self.pipelines.len() - 1]);
            for (i, c) in chunks.enumerate() {
                let offsets = [i as u64 * PARAMS_STRIDE, c as u64 * block_window, i as u64 * limit_window]
                    .map(|at| at as u32);
                pass.set_bind_group(0, &self.score_groups[slot], &offsets);
                pass.dispatch_workgroups(x, y, 1);
            }
        });
        self.resident = Some(piece.seeds.clone());
        pending
    }

    fn absorb(&mut self, piece: &Piece, mut hits: Vec<Hit>) -> Result<(), String> {
        hits.sort_unstable_by_key(|hit| (hit.seed, hit.block));
        let words = self.job.block_bits.words();
        let mut mask = vec![0; words];
        let mut made = None;
        for Hit { block, seed } in hits {
            let b = block as usize;
            if !piece.blocks.contains(&b) || !piece.seeds.contains(&u64::from(seed)) {
                return Err(format!("it reported block {block}, seed {seed}, which it was not asked about"));
            }
            if made != Some(seed) {
                mask_words(seed, &mut mask);
                made = Some(seed);
            }
            let block = self.set.start + b;
            let weight = weight(&self.job.blocks[block * words..][..words], &mask);
            if !piece.limits[b - piece.blocks.start].is_hit(weight) {
                return Err(format!(
                    "it reported block {block}, seed {seed} as a hit, but the weight is {weight}"
                ));
            }
            self.tally.push(Candidate { block: block as u32, seed, weight });
        }
        Ok(())
    }

    fn progress(&self, piece: &Piece) -> u64 {
        piece.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_all_groups_and_no_dimension_too_long() {
        for groups in [1, 2, 65_534, 65_535, 65_536, 65_537, 98_305, 1 << 24, u32::MAX / 128] {
            let (x, y) = grid(groups);
            assert!(x <= MAX_GROUPS && y <= MAX_GROUPS && u64::from(x) * u64::from(y) >= groups.into());
            assert!(u64::from(x) * (u64::from(y) - 1) < groups.into(), "whole rows of idle groups");
        }
    }

    #[test]
    fn every_job_has_a_shape() {
        assert_eq!(Shape::of(16, 32), Shape::Fused(Kernel::Fused { words: 16 }));
        assert_eq!(Shape::of(48, 3), Shape::Fused(Kernel::FusedWide { words: 48, blocks: 4 }));
        let two = |make, score| Shape::TwoPass { make, score };
        assert_eq!(Shape::of(16, 33), two(Kernel::Mask { words: 16 }, Kernel::Score { words: 16 }));
        assert_eq!(Shape::of(48, 9), two(Kernel::Mask { words: 48 }, Kernel::ScoreWide { words: 48 }));
        assert_eq!(Shape::of(228, 1), two(Kernel::LongMask { words: 228 }, Kernel::ScoreWide { words: 228 }));
    }
}
