//! Packing a stream: segments are read in order, analysed in parallel, and taken in order.
//!
//! The analysis of a segment depends on what reached the end of the one before (the carry).
//! Most often there is none, so a batch of segments is analysed as if there were none; what follows a
//! segment that does leave a carry is then analysed again. The result is the one that a single thread gets.

use crate::interrupt;
use crate::progress::Progress;
use crate::session::{Segment, Session};
use anyhow::Context;
use np_core::contents::Contents;
use np_core::ledger::Ledger;
use np_core::miner::{MineError, Miner};
use np_core::pack::{Analysis, Carry, Options, Writer, analyze};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::io::Read;

/// A stretch of the input.
pub struct Piece {
    /// First byte in the input.
    pub offset: u64,
    /// At most a segment's worth of bytes; empty only if the whole input is.
    pub content: Vec<u8>,
    /// Whether the input ends with it.
    pub last: bool,
}

/// Cuts an input into segments.
pub struct Feed<R> {
    input: R,
    label: String,
    size: usize,
    /// The byte after the last piece, read to learn whether there is one.
    ahead: Option<u8>,
    offset: u64,
    done: bool,
    spare: Vec<Vec<u8>>,
}

impl<R: Read> Feed<R> {
    /// Pieces of `size` bytes; the last may be shorter.
    pub fn new(input: R, label: &str, size: usize) -> Self {
        let label = label.to_owned();
        Self { input, label, size, ahead: None, offset: 0, done: false, spare: Vec::new() }
    }

    /// The next piece; always one, then `None` after the last.
    fn next(&mut self) -> anyhow::Result<Option<Piece>> {
        if self.done {
            return Ok(None);
        }
        let mut content = self.spare.pop().unwrap_or_default();
        content.clear();
        content.extend(self.ahead.take());
        let cannot = || format!("cannot read {} at byte {}", self.label, self.offset);
        let wanted = self.size - content.len();
        self.input.by_ref().take(wanted as u64).read_to_end(&mut content).with_context(cannot)?;
        let mut ahead = Vec::new();
        if content.len() == self.size {
            self.input.by_ref().take(1).read_to_end(&mut ahead).with_context(cannot)?;
        }
        self.ahead = ahead.pop();
        self.done = self.ahead.is_none();
        let offset = self.offset;
        self.offset += content.len() as u64;
        Ok(Some(Piece { offset, content, last: self.done }))
    }
}

/// Bytes that are analysed together at least, so that small segments keep all threads at work.
const BATCH_BYTES: usize = 1 << 20;

/// Analyses each piece of `feed`, `threads` at a time, and hands it with its result to `take`, in order.
pub fn each<R: Read, A: Send>(
    feed: &mut Feed<R>,
    threads: usize,
    analyse: impl Fn(&Piece, Option<&Carry>) -> anyhow::Result<A> + Sync,
    carry_of: impl Fn(&A) -> Option<&Carry>,
    take: impl FnMut(&Piece, A) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    each_from(None, feed, threads, analyse, carry_of, take)
}

/// [`each`], with what may go on into the first piece.
fn each_from<R: Read, A: Send>(
    mut carry: Option<Carry>,
    feed: &mut Feed<R>,
    threads: usize,
    analyse: impl Fn(&Piece, Option<&Carry>) -> anyhow::Result<A> + Sync,
    carry_of: impl Fn(&A) -> Option<&Carry>,
    mut take: impl FnMut(&Piece, A) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let batch = threads.max(threads * BATCH_BYTES / feed.size).max(1);
    let mut waiting = VecDeque::new();
    loop {
        while waiting.len() < batch
            && let Some(piece) = feed.next()?
        {
            waiting.push_back(piece);
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let count = if carry.is_some() { 1 } else { waiting.len() };
        let pieces: &[Piece] = waiting.make_contiguous();
        let results: Vec<_> =
            pieces[..count].par_iter().map(|piece| analyse(piece, carry.as_ref())).collect();
        for result in results {
            let result = result?;
            carry = carry_of(&result).cloned();
            let piece = waiting.pop_front().expect("there is a result for each");
            take(&piece, result)?;
            feed.spare.push(piece.content);
            if carry.is_some() {
                // What follows was analysed as if nothing went on.
                break;
            }
        }
    }
}

/// What packing a stream came to.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// Where the packed bits are.
    pub ledger: Ledger,
    /// What was found.
    pub contents: Contents,
}

/// Packs all of `feed`; `put` gets the packed bytes in order.
pub fn pack<R: Read>(
    feed: &mut Feed<R>,
    options: &Options,
    miner: &dyn Miner,
    threads: usize,
    progress: &Progress,
    put: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Packed> {
    pack_in(None, feed, options, miner, threads, progress, put)
}

/// [`pack`]; what `session` holds is not done again, and what is done goes to it.
pub fn pack_in<R: Read>(
    session: Option<&Session>,
    feed: &mut Feed<R>,
    options: &Options,
    miner: &dyn Miner,
    threads: usize,
    progress: &Progress,
    mut put: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Packed> {
    let label = feed.label.clone();
    let cannot = |offset| format!("cannot pack {label} at byte {offset}");
    let mut writer = Writer::default();
    let mut ledger = Ledger::default();
    let mut out = Vec::new();
    let mut carry = None;
    for Segment { packed, carry: next } in session.map(Session::take_segments).unwrap_or_default() {
        let piece = feed.next()?.context("the session has more segments than the input")?;
        let booked = writer.resume(&piece.content, &packed, piece.last);
        ledger.add(&booked.context("the session cannot be gone on with; start anew with -f")?);
        put(&packed)?;
        progress.bytes(piece.content.len() as u64);
        feed.spare.push(piece.content);
        carry = next;
    }
    each_from(
        carry,
        feed,
        threads,
        |piece, carry| {
            analyze(options, &piece.content, carry, miner, progress).with_context(|| cannot(piece.offset))
        },
        Analysis::carry,
        |piece, analysis| {
            out.clear();
            let booked = writer.write(&piece.content, &analysis, piece.last, &mut out);
            ledger.add(&booked.with_context(|| cannot(piece.offset))?);
            put(&out)?;
            progress.bytes(piece.content.len() as u64);
            if let Some(session) = session {
                session.note_segment(Segment { packed: out.clone(), carry: analysis.carry().cloned() });
                if interrupt::requested() && !piece.last {
                    return Err(MineError::Stopped.into());
                }
            }
            Ok(())
        },
    )?;
    Ok(Packed { ledger, contents: writer.contents() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use np_core::block::BlockBits;
    use np_core::pack::BlockCarry;

    #[test]
    fn pieces_join_to_the_input_and_the_last_is_known() {
        for (len, sizes) in [(0, vec![0]), (1, vec![1]), (7, vec![7]), (8, vec![7, 1]), (14, vec![7, 7])] {
            let input: Vec<u8> = (0..len).collect();
            let mut feed = Feed::new(&input[..], "test", 7);
            let mut found = Vec::new();
            let mut joined = Vec::new();
            while let Some(piece) = feed.next().unwrap() {
                assert_eq!(piece.offset, joined.len() as u64);
                found.push(piece.content.len());
                joined.extend(piece.content);
                assert_eq!(piece.last, joined.len() == input.len());
            }
            assert_eq!(found, sizes);
            assert_eq!(joined, input);
        }
    }

    /// A made-up analysis in which most pieces leave a carry that depends on the one they got.
    #[test]
    fn carries_are_those_of_one_thread() {
        let carry = |at| {
            let (pitch, block_bits, seeds) = (64, BlockBits::default(), vec![1]);
            Carry::Blocks(BlockCarry { at, pitch, block_bits, seeds })
        };
        let run = |threads, size| {
            let input: Vec<u8> = (0..100u8).map(|i| i.wrapping_mul(37)).collect();
            let mut feed = Feed::new(&input[..], "test", size);
            let mut log = Vec::new();
            each(
                &mut feed,
                threads,
                |piece, before| {
                    let got = before.map_or(0, |carry| match carry {
                        Carry::Blocks(blocks) => blocks.at,
                        Carry::Stream(_) => panic!("there was none"),
                    });
                    let ends = piece.content[0].is_multiple_of(3);
                    Ok((got, (!ends).then(|| carry(got + piece.content.len()))))
                },
                |(_, carry)| carry.as_ref(),
                |piece, (got, _)| {
                    log.push((piece.offset, got, piece.last));
                    Ok(())
                },
            )
            .unwrap();
            log
        };
        for size in [1, 3, 99, 100, 101] {
            let alone = run(1, size);
            assert!(size > 50 || alone.iter().any(|(_, got, _)| *got > 0));
            for threads in [2, 3, 8, 200] {
                assert_eq!(run(threads, size), alone, "{threads} threads, pieces of {size}");
            }
        }
    }
}
