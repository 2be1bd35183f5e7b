//! The stages of mining by themselves, for benchmarks.

use crate::kernel::{Kernel, Stage};
use crate::lanes::Lanes;
use crate::masks;
use crate::tiles::BATCH;

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
        let mut slices = vec![l.splat(0); 64 * words + 1];
        let classes = crate::classes::Classes::new(self.blocks, words);
        let count = self.blocks.len() / words;
        let bounds = vec![self.bound; count];
        let mut hits = Vec::new();
        let t = std::time::Instant::now();
        for b in 0..self.batches {
            let tile = crate::direct::Tile {
                words,
                first: 0,
                seeds: batch,
                blocks: self.blocks,
                block: 0,
                bounds: &bounds,
            };
            if self.sliced {
                crate::sliced::slice(l, &out, words, &mut slices);
                crate::sliced::score(l, tile, &classes, 0..count.div_ceil(4), &slices, &out, &mut hits);
            } else {
                crate::direct::score(l, tile, &out, &mut hits);
            }
            if b == 0 {
                println!("hits {}", hits.len());
            }
        }
        let d = t.elapsed().as_secs_f64();
        println!("{} {:.3} Gpairs/s", self.sliced, (batch * count * self.batches) as f64 / d / 1e9);
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
