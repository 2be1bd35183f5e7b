//! Packing: what a level spends, the analysis of one segment, and the writer that puts segments in order.
//!
//! [`analyze`] is a function of the segment, the options and the carry alone, so segments can be analysed
//! in parallel; [`Writer::write`] is called in order. The writer decodes every segment it has written
//! before it hands it out.

use crate::block::BlockBits;
use crate::contents::Contents;
use crate::error::Error;
use crate::format::SEGMENT_MAX;
use crate::format::digest::{self, Chain, segment_hash};
use crate::format::plain;
use crate::format::reader::{Frames, HEADER, Limits};
use crate::format::segment::{Buffers, CodedSegment, MaskReader, MixedParts, Simple};
use crate::ledger::Ledger;
use crate::miner::Miner;

pub use crate::search::carry::{BlockCarry, Carry, StreamCarry};
pub use crate::search::{Effort, PackWatch};

/// What the user asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to spend.
    pub effort: Effort,
    /// N.
    pub block_bits: BlockBits,
    /// Blocks of another length are not tried, even if records fit them better.
    pub fixed_blocks: bool,
    /// Input bytes in a segment, 1 to [`SEGMENT_MAX`].
    pub segment_bytes: usize,
}

impl Options {
    /// The settings of level 1 to 9.
    pub fn level(level: u32) -> Self {
        Self {
            effort: Effort::level(level),
            block_bits: BlockBits::default(),
            fixed_blocks: false,
            segment_bytes: SEGMENT_MAX,
        }
    }
}

/// What [`analyze`] found: the segment's sections, ready to be written in order.
#[derive(Clone, Debug)]
pub struct Analysis {
    mixed: Option<MixedParts>,
    simple: Simple,
    carry: Option<Carry>,
}

impl Analysis {
    /// What may go on in the next segment, if anything does.
    pub fn carry(&self) -> Option<&Carry> {
        self.carry.as_ref()
    }
}

/// Searches a segment's content for generators and plans how to store it. `carry` is what
/// reached the end of the segment before.
pub fn analyze(
    options: &Options,
    content: &[u8],
    carry: Option<&Carry>,
    miner: &dyn Miner,
    watch: &dyn PackWatch,
) -> Result<Analysis, Error> {
    let level = options.effort.zstd_level;
    let found = crate::search::search(options, content, carry, miner, watch)?;
    let carry = found.carry;
    let mixed = (!found.runs.is_empty() || found.grid.is_some())
        .then(|| MixedParts::new(content, found.runs, found.grid, level));
    // The whole content through zstd is tried where it could win: always without runs and blocks, else
    // only if a fast trial beats what is already planned.
    let hopeless = |bulk| {
        plain::least_size(content.len()) >= bulk || plain::trial_size(content).is_none_or(|size| size >= bulk)
    };
    let simple = match &mixed {
        Some(parts) if hopeless(parts.bulk_bytes()) => Simple::Stored,
        _ => Simple::smallest(content, level),
    };
    Ok(Analysis { mixed, simple, carry })
}

/// Puts segments in order: keys, digests, the economic decision, and the proof that it can be read back.
#[derive(Debug)]
pub struct Writer {
    frames: Frames,
    chain: Chain,
    masks: MaskReader,
    started: bool,
    contents: Contents,
    /// For the content of the next segment that is read back.
    spare: Buffers,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            frames: Frames::new(Limits::default_for_packing()),
            chain: Chain::new(&HEADER),
            masks: MaskReader::default(),
            started: false,
            contents: Contents::default(),
            spare: Buffers::default(),
        }
    }
}

impl Writer {
    /// What was written so far.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// Appends a segment to `out` (after the file header, if it is the first) in the smallest of its
    /// forms, decodes it again, and returns where its bits went, header included.
    pub fn write(
        &mut self,
        content: &[u8],
        analysis: &Analysis,
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<Ledger, Error> {
        let mut ledger = Ledger::default();
        if !self.started {
            out.extend_from_slice(&HEADER);
            ledger.book_header(HEADER.len());
            self.started = true;
        }
        let start = out.len();
        let mut mixed = false;
        if let Some(parts) = &analysis.mixed {
            let mut keys = self.frames.keys.clone();
            // More keys, or longer skips, than a file may have: this segment does without.
            let written = parts.write(out, &mut keys, content.len(), last).is_ok();
            let smaller = out.len() - start < analysis.simple.bytes(content.len());
            mixed = written && smaller && self.frames.affords(&keys);
        }
        if !mixed {
            out.truncate(start);
            analysis.simple.write(out, content, last);
        }
        let verbatim = !mixed && analysis.simple == Simple::Stored;
        let hash = segment_hash(&out[start..], (!verbatim).then_some(content));
        let digest = self.chain.accept(hash);
        out.extend_from_slice(&digest.to_le_bytes()[..digest::BYTES]);

        let (found, decoded_hash, segment) = self.read_back(content, &out[start..])?;
        if decoded_hash != hash {
            return Err(self.fail("the hash differs"));
        }
        ledger.add(&found);
        self.frames.recycle(segment);
        Ok(ledger)
    }

    /// Takes in a segment that [`Writer::write`] has written in an earlier run, all that it appended, as if it had been
    /// written now. Fails if it is not the next segment of a file with this content.
    pub fn resume(&mut self, content: &[u8], written: &[u8], last: bool) -> Result<Ledger, Error> {
        let mut ledger = Ledger::default();
        let mut stored = written;
        if !self.started {
            stored = written.strip_prefix(&HEADER).ok_or_else(|| self.fail("the file header is missing"))?;
            ledger.book_header(HEADER.len());
            self.started = true;
        }
        let (found, hash, segment) = self.read_back(content, stored)?;
        if segment.last != last || segment.digest() != self.chain.accept(hash) {
            return Err(self.fail("it is not the segment that follows here"));
        }
        ledger.add(&found);
        Ok(ledger)
    }

    /// Decodes a segment again: its ledger, its hash, and itself.
    fn read_back(&mut self, content: &[u8], stored: &[u8]) -> Result<(Ledger, u64, CodedSegment), Error> {
        let mut rest = stored;
        let segment = self.frames.read_segment(&mut rest).map_err(|e| self.fail(e))?;
        let spare = std::mem::take(&mut self.spare);
        let mut decoded = segment.decode_into(&mut self.masks, spare).map_err(|e| self.fail(e))?;
        if segment.content(&decoded) != content {
            return Err(self.fail("the content differs"));
        }
        if !rest.is_empty() || decoded.ledger.total_bits() != 8 * stored.len() as u64 {
            return Err(self.fail("the ledger differs"));
        }
        self.contents.add(&segment, &decoded);
        let (ledger, hash) = (std::mem::take(&mut decoded.ledger), decoded.hash);
        self.spare = decoded.recycle();
        Ok((ledger, hash, segment))
    }

    fn fail(&self, what: impl std::fmt::Display) -> Error {
        Error::SelfCheck { offset: self.contents.bytes, what: what.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::layout::{Bias, Run};
    use crate::generator::Key;
    use std::sync::Arc;

    #[test]
    fn what_a_reader_would_refuse_is_not_written() {
        let position = 1 << 20;
        let key = Arc::new(Key::Genrand(3));
        let mut stream = key.stream();
        stream.skip(position);
        let mut content = vec![0; 1000];
        stream.fill(&mut content);
        let run = Run { start: 0, len: 1000, key, position, bias: Bias::default() };
        let parts = MixedParts::new(&content, vec![run], None, 3);
        let analysis = Analysis { mixed: Some(parts), simple: Simple::Stored, carry: None };
        for (max_skip, packed_bytes) in [(position, 0..40), (position - 1, 1000..1020)] {
            let limits = Limits { max_skip, ..Limits::default_for_packing() };
            let mut writer = Writer { frames: Frames::new(limits), ..Writer::default() };
            let mut out = Vec::new();
            writer.write(&content, &analysis, true, &mut out).unwrap();
            assert!(packed_bytes.contains(&out.len()), "{} bytes", out.len());
        }
    }
}
