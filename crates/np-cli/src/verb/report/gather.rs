//! What a page is made of, gathered segment by segment from a packed file: a stream of any length in memory that
//! does not grow with it, but for the lists of what was found.

use super::cells::{Cells, Kind};
use super::chance::Sample;
use crate::findings::Findings;
use np_core::block::BlockBits;
use np_core::format::layout::{cut, gaps, plain_ranges};
use np_core::format::segment::{CodedSegment, Decoded};
use np_core::generator::Key;
use np_core::noise::{NoiseMap, WINDOW};
use std::sync::Arc;

/// Cells of the finest map.
const CELLS: usize = 1 << 15;

/// All that is gathered.
pub struct Gathered {
    pub findings: Findings,
    pub cells: Cells,
    /// Blocks that look like noise and that no run covers.
    pub sample: Sample,
    /// Packed blocks, and those of all grids.
    pub packed_blocks: u64,
    pub grid_blocks: u64,
    block_bits: BlockBits,
    stream: Option<(Arc<Key>, np_core::generator::Stream)>,
}

impl Gathered {
    /// Nothing yet. `block_bits` is the size of the blocks looked at, and of the finest cells.
    pub fn new(block_bits: BlockBits) -> Self {
        Self {
            findings: Findings::default(),
            cells: Cells::new(block_bits.bytes() as u64, CELLS),
            sample: Sample::new(block_bits),
            packed_blocks: 0,
            grid_blocks: 0,
            block_bits,
            stream: None,
        }
    }

    /// Takes in the next segment.
    pub fn add(&mut self, segment: &CodedSegment, decoded: &Decoded) {
        let (base, content) = (segment.output_offset, segment.content(decoded));
        self.findings.add(base, content, &segment.runs, decoded.grid.as_ref());
        let shift = |start: usize, end: usize| base + start as u64..base + end as u64;
        for run in &segment.runs {
            let mut stream = match self.stream.take() {
                Some((key, stream)) if key == run.key && stream.position() <= run.position => stream,
                _ => run.key.stream(),
            };
            stream.skip(run.position - stream.position());
            let mut residual = content[run.range()].to_vec();
            stream.xor(&mut residual);
            if run.bias.complement {
                residual.iter_mut().for_each(|byte| *byte = !*byte);
            }
            self.stream = Some((run.key.clone(), stream));
            self.cells.paint(shift(run.start, run.range().end), Kind::Run, Some(&residual));
        }
        if let Some(grid) = &decoded.grid {
            self.grid_blocks += grid.blocks.len() as u64;
            for (range, block) in grid.packed() {
                self.packed_blocks += 1;
                let mut stream = Key::Genrand(block.seed).stream();
                stream.skip(block.position.into());
                let mut residual = content[range.clone()].to_vec();
                stream.xor(&mut residual);
                if block.bias.complement {
                    residual.iter_mut().for_each(|byte| *byte = !*byte);
                }
                self.cells.paint(shift(range.start, range.end), Kind::Seed, Some(&residual));
            }
        }
        let noise = NoiseMap::new(content);
        for range in plain_ranges(content.len(), &segment.runs, decoded.grid.as_ref()) {
            let mut at = range.start;
            while at < range.end {
                let end = range.end.min((at / WINDOW + 1) * WINDOW);
                let kind = if noise.all(at..end) { Kind::Noise } else { Kind::Plain };
                self.cells.paint(shift(at, end), kind, None);
                at = end;
            }
        }
        let size = self.block_bits.bytes();
        for at in cut(gaps(content.len(), &segment.runs), self.block_bits) {
            if noise.all(at..at + size) {
                self.sample.offer(&content[at..at + size]);
            }
        }
    }
}
