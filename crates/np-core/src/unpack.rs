//! Unpacking a whole packed file, one segment after the other: the plain loop over
//! [`crate::format::reader`] that small callers and tests use. The command line runs segments in parallel.

use crate::format::reader::{HEADER, Limits, ReadError, SegmentReader, Verifier};
use crate::format::segment::{Buffers, MaskReader};
use crate::ledger::Ledger;
use std::io::BufRead;

/// Decodes `input`, hands each segment's content to `put` once its digest agreed, and returns the ledger.
pub fn unpack(
    input: impl BufRead,
    limits: Limits,
    mut put: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<Ledger, ReadError> {
    let mut reader = SegmentReader::new(input, limits)?;
    let mut verifier = Verifier::default();
    let mut masks = MaskReader::default();
    let mut ledger = Ledger::default();
    ledger.book_header(HEADER.len());
    let mut buffers = Buffers::default();
    while let Some(segment) = reader.next_segment()? {
        let decoded = segment.decode_into(&mut masks, buffers)?;
        verifier.accept(&segment, &decoded)?;
        ledger.add(&decoded.ledger);
        put(segment.content(&decoded))?;
        buffers = decoded.recycle();
        reader.recycle(segment);
    }
    Ok(ledger)
}
