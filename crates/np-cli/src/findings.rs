//! What was found in a file: runs, joined over segments, and packed blocks, each with its evidence.

use crate::evidence::{Flips, Meter, key_bits};
use crate::key_text::KeyText;
use np_core::format::layout::{Grid, Run};
use np_core::generator::{Generator, Key, Seeding};
use serde::Serialize;
use std::sync::Arc;

/// A run, joined over segments.
#[derive(Debug, Serialize)]
pub struct RunFound {
    pub offset: u64,
    pub length: u64,
    #[serde(flatten)]
    pub text: KeyText,
    /// Stream byte at the first byte.
    pub stream_position: u64,
    pub complement: bool,
    pub flips: u64,
    pub flip_rate: f64,
    /// Bits, less log2 of all that could have been found instead.
    pub evidence_bits: f64,
    #[serde(skip)]
    key: Arc<Key>,
    #[serde(skip)]
    measured: Flips,
}

/// A block that a seed explains.
#[derive(Debug, Serialize)]
pub struct BlockFound {
    pub offset: u64,
    pub length: u64,
    pub generator: &'static str,
    pub seeding: &'static str,
    pub seed: u32,
    pub seed_hex: String,
    pub stream_position: u32,
    pub complement: bool,
    pub flips: u64,
    pub flip_rate: f64,
    /// Of this block alone, as if its seed were no nearer to its neighbours' than any other.
    pub evidence_bits: f64,
}

/// Everything found in a file.
#[derive(Default, Serialize)]
pub struct Findings {
    /// Bytes of the file.
    pub bytes: u64,
    pub runs: Vec<RunFound>,
    pub blocks: Vec<BlockFound>,
    #[serde(skip)]
    meter: Meter,
}

impl std::fmt::Debug for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Findings")
            .field("runs", &self.runs)
            .field("blocks", &self.blocks)
            .finish_non_exhaustive()
    }
}

impl Findings {
    /// Takes in the next segment, whose `content` begins at byte `offset` of the file.
    pub fn add(&mut self, offset: u64, content: &[u8], runs: &[Run], grid: Option<&Grid>) {
        self.bytes += content.len() as u64;
        for run in runs {
            let measured = self.meter.run(content, run);
            self.add_run(offset + run.start as u64, run, measured);
        }
        let Some(grid) = grid else { return };
        for (range, block) in grid.packed() {
            let mut stream = Key::Genrand(block.seed).stream();
            stream.skip(block.position.into());
            let flips = Flips::count(&content[range.clone()], &mut stream, block.bias.complement);
            self.blocks.push(BlockFound {
                offset: offset + range.start as u64,
                length: range.len() as u64,
                generator: Generator::Mt19937.name(),
                seeding: Seeding::Genrand.name(),
                seed: block.seed,
                seed_hex: format!("{:#010x}", block.seed),
                stream_position: block.position,
                complement: block.bias.complement,
                flips: flips.ones,
                flip_rate: flips.rate(),
                evidence_bits: 0.0,
            });
        }
    }

    /// Adds a run, or lengthens the last one if this goes on with it.
    fn add_run(&mut self, offset: u64, run: &Run, measured: Flips) {
        if let Some(last) = self.runs.last_mut()
            && last.offset + last.length == offset
            && last.stream_position + last.length == run.position
            && last.complement == run.bias.complement
            && last.key == run.key
        {
            last.length += run.len as u64;
            last.measured.add(measured);
            return;
        }
        self.runs.push(RunFound {
            offset,
            length: run.len as u64,
            text: KeyText::new(&run.key),
            stream_position: run.position,
            complement: run.bias.complement,
            flips: 0,
            flip_rate: 0.0,
            evidence_bits: 0.0,
            key: run.key.clone(),
            measured,
        });
    }

    /// Once all is read: what all that was found is worth.
    pub fn judge(&mut self) {
        for run in &mut self.runs {
            run.flips = run.measured.ones;
            run.flip_rate = run.measured.rate();
            run.evidence_bits = run.measured.evidence(key_bits(&run.key), self.bytes, run.stream_position);
        }
        for block in &mut self.blocks {
            let flips = Flips { bits: 8 * block.length, ones: block.flips };
            block.evidence_bits = flips.evidence(32, self.bytes, block.stream_position.into());
        }
    }
}
