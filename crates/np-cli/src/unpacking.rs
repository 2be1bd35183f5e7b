//! Unpacking a stream: segments are read in order, decoded in parallel where they are independent, checked
//! and handed out in order.

use crate::progress::Progress;
use anyhow::Context;
use np_core::contents::Contents;
use np_core::error::Error;
use np_core::format::reader::{HEADER, Limits, ReadError, SegmentReader, Verifier};
use np_core::format::segment::{Buffers, CodedSegment, Decoded, MEMORY_MAX, MaskReader};
use np_core::ledger::Ledger;
use rayon::prelude::*;
use std::io::{BufReader, Read};
use std::sync::{Mutex, PoisonError};

/// What unpacking came to.
#[derive(Clone, Debug)]
pub struct Unpacked {
    /// Where the packed bits were; its total is the packed file's size.
    pub ledger: Ledger,
    /// What the file holds.
    pub contents: Contents,
}

/// Bytes of content that are decoded together at least, for each thread, so that all are at work to the end.
const BATCH_BYTES: usize = 1 << 20;
/// Segments that are decoded together at most.
const BATCH_SEGMENTS: usize = 1 << 12;

/// Decodes all of `input`; `take` gets each segment with its content, in order, once the digest of all up
/// to it agreed. `label` names the input in errors.
///
/// While `threads` others, if they are more than one, decode a batch of segments, this thread takes what was decoded before and
/// reads the next batch.
pub fn unpack(
    input: impl Read,
    label: &str,
    limits: Limits,
    threads: usize,
    progress: &Progress,
    mut take: impl FnMut(&CodedSegment, &Decoded) -> anyhow::Result<()>,
) -> anyhow::Result<Unpacked> {
    let cannot = || format!("cannot unpack {label}");
    let input = BufReader::with_capacity(1 << 17, input);
    let mut reader = SegmentReader::new(input, limits).with_context(cannot)?;
    let mut verifier = Verifier::default();
    let mut masks = MaskReader::default();
    let mut ledger = Ledger::default();
    ledger.book_header(HEADER.len());
    let mut contents = Contents::default();
    // What was decoded into, of contents that were taken.
    let spare = Mutex::new(Vec::new());
    // One batch is decoded, and another is read or taken.
    let most = limits.max_memory / 2;
    let (mut batch, mut at_end) = read_batch(&mut reader, threads, most);
    let mut done = Done::new();
    while !batch.is_empty() || !done.is_empty() {
        if threads == 1 {
            // What is taken at once is still in the cache.
            done = decode(std::mem::take(&mut batch), &mut masks, &spare);
        }
        let held = batch.iter().map(CodedSegment::memory).sum();
        let meanwhile = || {
            for (segment, decoded) in done {
                let decoded = decoded.with_context(cannot)?;
                verifier.accept(&segment, &decoded).with_context(cannot)?;
                ledger.add(&decoded.ledger);
                contents.add(&segment, &decoded);
                take(&segment, &decoded)?;
                progress.bytes(decoded.ledger.total_bits() / 8);
                let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
                if spare.len() < 2 * threads {
                    spare.push(decoded.recycle());
                }
                reader.recycle(segment);
            }
            let room = limits.max_memory.saturating_sub(held);
            anyhow::Ok(match at_end {
                Ok(false) if held == 0 || room >= MEMORY_MAX => {
                    read_batch(&mut reader, threads, room.min(most))
                }
                _ => (Vec::new(), at_end),
            })
        };
        let mut decoded = Done::new();
        (batch, at_end) = rayon::in_place_scope(|scope| {
            if !batch.is_empty() {
                scope.spawn(|_| decoded = decode(batch, &mut masks, &spare));
            }
            meanwhile()
        })?;
        done = decoded;
    }
    at_end.with_context(cannot)?;
    Ok(Unpacked { ledger, contents })
}

/// Segments and what they were decoded to.
type Done = Vec<(CodedSegment, Result<Decoded, Error>)>;

/// Decodes segments in parallel. `masks` has the streams that the segments before left, and is left with those that these
/// leave; `spare` is memory to use.
fn decode(batch: Vec<CodedSegment>, masks: &mut MaskReader, spare: &Mutex<Vec<Buffers>>) -> Done {
    let buffers = || spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    // What goes on with a stream of an earlier segment gets that stream as it will be left there.
    let goes_on = batch.iter().rposition(CodedSegment::continues).unwrap_or(0);
    let mut left = masks.clone();
    let readers = batch.iter().enumerate().map(|(i, segment)| {
        let reader = left.of_runs(&segment.runs);
        if i < goes_on {
            left.pass_over(&segment.runs);
        }
        reader
    });
    let readers: Vec<MaskReader> = readers.collect();
    let decoded: Vec<_> = batch
        .into_par_iter()
        .zip(readers)
        .map(|(segment, mut masks)| {
            let decoded = segment.decode_into(&mut masks, buffers());
            (segment, decoded, masks)
        })
        .collect();
    let keep = |(segment, decoded, left)| {
        masks.absorb(left);
        (segment, decoded)
    };
    decoded.into_iter().map(keep).collect()
}

/// Reads what is decoded together: as much as keeps all threads at work and fits into `memory` bytes. What was read
/// before an error, or before the end, is returned with it: the damage that stands first in the file is the one to
/// tell of.
fn read_batch(
    reader: &mut SegmentReader<impl std::io::BufRead>,
    threads: usize,
    memory: u64,
) -> (Vec<CodedSegment>, Result<bool, ReadError>) {
    let mut batch = Vec::new();
    let mut bytes = 0;
    let mut held = 0;
    loop {
        match reader.next_segment() {
            Err(error) => return (batch, Err(error)),
            Ok(None) => return (batch, Ok(true)),
            Ok(Some(segment)) => {
                bytes += segment.len;
                held += segment.memory();
                batch.push(segment);
            }
        }
        let small = bytes < threads * BATCH_BYTES && batch.len() < BATCH_SEGMENTS;
        // The next one is not known yet.
        let full = held.saturating_add(MEMORY_MAX) > memory;
        if full || batch.len() >= threads && !small {
            return (batch, Ok(false));
        }
    }
}
