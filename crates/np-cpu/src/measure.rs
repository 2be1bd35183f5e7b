//! The stages of mining by themselves, for benchmarks.

use crate::kernel::{Kernel, Stage};
use crate::lanes::Lanes;
use crate::masks;
const BATCH: usize = 512;

struct Masks {
    first: u32,
    batches: usize,
    words: usize,
}

impl Stage for Masks {
    type Out = u32;
    fn run<L: Lanes>(self, l: L) -> u32 {
        let groups = BATCH / L::COUNT;
        let mut state = Vec::new();
        let mut out = vec![l.splat(0); groups * self.words];
        let mut sum = 0u32;
        let mut lanes = [0; 32];
        for batch in 0..self.batches {
            let first = self.first.wrapping_add((batch * BATCH) as u32);
            masks::make(l, first, groups, self.words, &mut state, &mut out);
            l.store(out[out.len() - 1], &mut lanes);
            sum ^= lanes[batch % L::COUNT];
        }
        sum
    }
}

/// Makes the masks of `batches` x [`SEEDS_A_BATCH`] seeds from `first` on, `words` words each, on this thread.
/// The result depends on them, and means nothing.
pub fn masks(kernel: Kernel, first: u32, batches: usize, words: usize) -> u32 {
    kernel.run(Masks { first, batches, words })
}

/// Seeds that are worked on together.
pub const SEEDS_A_BATCH: usize = BATCH;

struct Scores<'a> {
    blocks: &'a [u32],
    words: usize,
    bound: i32,
    batches: usize,
    sliced: bool,
}

impl Stage for Scores<'_> {
    type Out = usize;
    fn run<L: Lanes>(self, l: L) -> usize {
        let batch = 32 * L::COUNT;
        let words = self.words;
        let mut state = Vec::new();
        let mut out = vec![l.splat(0); 32 * words];
        masks::make(l, 0, 32, words, &mut state, &mut out);
        let mut slices = crate::slices::Slices::new();
        let mut sums = Vec::new();
        let wanted: Vec<usize> = (0..(self.blocks.len() / words).div_ceil(4)).collect();
        let classes = crate::classes::Classes::new(self.blocks, words);
        let count = self.blocks.len() / words;
        let bounds = vec![self.bound; count];
        let mut hits = Vec::new();
        let mut best = f64::MAX;
        let mut best2 = f64::MAX;
        for _ in 0..self.batches {
            let t = std::time::Instant::now();
            let tile = crate::direct::Tile {
                words,
                first: 0,
                seeds: batch,
                blocks: self.blocks,
                block: 0,
                bounds: &bounds,
            };
            if self.sliced {
                slices.fill(l, &out, words);
                best2 = best2.min(t.elapsed().as_secs_f64());
                let t = std::time::Instant::now();
                crate::sliced::score(
                    l,
                    tile,
                    &crate::sliced::Batch { classes: &classes, quad: 0, slices: &slices, masks: &out },
                    &wanted,
                    &mut sums,
                    &mut hits,
                );
                best = best.min(t.elapsed().as_secs_f64());
            } else {
                crate::direct::score(l, tile, &out, &wanted, &mut hits);
                best = best.min(t.elapsed().as_secs_f64());
            }
        }
        println!(
            "{} {:.3} Gpairs/s; slice {:.2} ns/seed",
            self.sliced,
            (batch * count) as f64 / best / 1e9,
            best2 * 1e9 / batch as f64
        );
        hits.len()
    }
}

/// x
pub fn scores(
    kernel: Kernel,
    blocks: &[u32],
    words: usize,
    bound: i32,
    batches: usize,
    sliced: bool,
) -> usize {
    kernel.run(Scores { blocks, words, bound, batches, sliced })
}
