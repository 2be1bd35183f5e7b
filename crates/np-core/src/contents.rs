//! What a packed file holds, counted: segments by kind, runs, packed blocks.

use crate::format::segment::{CodedSegment, Decoded, Kind};

/// Counts over the segments of a packed file. All lengths are bytes of content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Segments kept verbatim.
    pub stored: u64,
    /// Segments kept as a zstd frame.
    pub zstd: u64,
    /// Segments of one byte, over and over.
    pub fill: u64,
    /// Segments with runs or packed blocks.
    pub mixed: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Runs; one that begins a later segment in the midst of its stream is taken to go on, not counted again.
    pub runs: u64,
    /// Bytes runs cover.
    pub run_bytes: u64,
    /// Packed blocks.
    pub blocks: u64,
    /// Bytes packed blocks cover.
    pub block_bytes: u64,
}

impl Contents {
    /// Takes in the next segment.
    pub fn add(&mut self, segment: &CodedSegment, decoded: &Decoded) {
        match segment.kind {
            Kind::Stored => self.stored += 1,
            Kind::Zstd => self.zstd += 1,
            Kind::Fill => self.fill += 1,
            Kind::Mixed => self.mixed += 1,
        }
        self.bytes += segment.len as u64;
        let goes_on = segment.runs.first().is_some_and(|run| run.start == 0 && run.position > 0);
        self.runs += segment.runs.len() as u64 - u64::from(goes_on && segment.output_offset > 0);
        self.run_bytes += segment.runs.iter().map(|run| run.len as u64).sum::<u64>();
        if let Some(grid) = &decoded.grid {
            let packed = grid.blocks.iter().flatten().count() as u64;
            self.blocks += packed;
            self.block_bytes += packed * grid.block_bits.bytes() as u64;
        }
    }

    /// Number of segments.
    pub fn segments(&self) -> u64 {
        self.stored + self.zstd + self.fill + self.mixed
    }
}
