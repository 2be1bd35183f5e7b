//! One input under the three accounts: a table by chunk, the sums, a verdict, the ledger.

use super::chunks::Accounts;
use super::{Bench, Input};
use crate::audit::paid::{self, Paid, Unpaid};
use crate::audit::proof_of_concept::{self, CHUNK_BITS, CHUNK_BYTES, Chunk};
use crate::cli::Ready;
use crate::packing::{self, Feed};
use crate::progress::Progress;
use crate::{summary, target, unpacking};
use anyhow::bail;
use np_core::format::reader::Limits;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Lines of the table, at most.
const LINES: usize = 40;

/// Packs, unpacks, compares and tells.
pub fn run(bench: &Bench, ready: &Ready) -> anyhow::Result<()> {
    let Input { label, bytes: input } = bench.input()?;
    let Ready { options, threads, miner } = ready;
    let progress = Progress::new(bench.with.talk.quiet, &label, Some(input.len() as u64));
    let start = Instant::now();
    let mut packed = Vec::new();
    let mut feed = Feed::new(&input[..], &label, options.segment_bytes);
    let result = packing::pack(&mut feed, options, &**miner, *threads, &progress, |bytes| {
        packed.extend_from_slice(bytes);
        Ok(())
    })?;
    let packing_time = start.elapsed();
    progress.finish();

    let start = Instant::now();
    let mut accounts = Accounts::new(input.len());
    let mut same = true;
    let silent = Progress::new(true, "", None);
    let found =
        unpacking::unpack(&packed[..], &label, Limits::NONE, *threads, &silent, |segment, decoded| {
            let at = segment.output_offset as usize;
            same &= input.get(at..at + segment.len) == Some(segment.content(decoded));
            accounts.add(segment, decoded);
            Ok(())
        })?;
    let unpacking_time = start.elapsed();
    if !same || found.contents.bytes != input.len() as u64 || found.ledger != result.ledger {
        bail!("{label}: what was unpacked is not what was packed; please report this");
    }

    let chunks = proof_of_concept::mine(&input);
    let paid = paid::price(&chunks, input.len());
    let level = bench.with.search.level.number();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{label}: {} bytes; np-cli -{level}, blocks of {} bits, searched by {} with {threads} threads\n",
        input.len(),
        options.block_bits.bits(),
        miner.name()
    );
    table(&mut out, &input, &chunks, &paid, &accounts);
    let books = Books {
        bits: 8 * input.len() as i64,
        chunks: &chunks,
        paid: &paid,
        packer: found.ledger.total_bits() as i64,
        explained: accounts.explained(),
        found: summary::found(&found.contents, packed.len() as u64),
        level,
    };
    books.sums(&mut out);
    books.verdict(&mut out);
    out.push_str("\nledger of np-cli, rebuilt from the packed bytes\n");
    out.push_str(&summary::ledger(&found.ledger));
    let _ = writeln!(
        out,
        "\npack {}, unpack {}; unpacked and compared, bit for bit",
        rate(input.len(), packing_time),
        rate(input.len(), unpacking_time)
    );
    target::print(out.as_bytes())
}

/// Every tenth chunk (fewer of long inputs), and the tail. Gains are bits.
fn table(out: &mut String, input: &[u8], chunks: &[Chunk], paid: &Paid, accounts: &Accounts) {
    let step = chunks.len().div_ceil(LINES).next_multiple_of(10).max(10);
    let _ = writeln!(out, "         (a) proof of concept       | (b) in full  | (c) np-cli");
    let _ = writeln!(out, "   #ID | STATUS |    DELTA | NET GAIN |     NET GAIN | STATUS     | NET GAIN");
    for (id, chunk) in chunks.iter().enumerate().step_by(step) {
        let (status, delta) = match chunk.packed {
            true => ("PACKED", format!("{:+}", chunk.offset)),
            false => ("RAW", "-".to_owned()),
        };
        let honest = f64::from(CHUNK_BITS) - paid.chunks[id];
        let (real, gain) = accounts.fared(id);
        let _ = writeln!(
            out,
            "{id:>6} | {status:<6} | {delta:>8} | {:>+8.1} | {honest:>+12.1} | {real:<10} | {gain:>+8.1}",
            chunk.gain()
        );
    }
    let (real, gain) = accounts.fared(chunks.len());
    if !input.len().is_multiple_of(CHUNK_BYTES) || gain != 0.0 {
        let _ = writeln!(
            out,
            "{:>6} | {:<6} | {:>8} | {:>8} | {:>+12.1} | {real:<10} | {gain:>+8.1}",
            "tail", "LOST", "-", "-", 0.0
        );
    }
}

/// What the three accounts come to.
struct Books<'a> {
    bits: i64,
    chunks: &'a [Chunk],
    paid: &'a Paid,
    packer: i64,
    explained: usize,
    found: String,
    level: u32,
}

impl Books<'_> {
    /// Bits the proof of concept took, and those it believed to have made of them.
    fn claim(&self) -> (i64, f64) {
        let taken = self.chunks.len() as i64 * i64::from(CHUNK_BITS);
        (taken, self.chunks.iter().map(|chunk| chunk.cost).sum())
    }

    fn sums(&self, out: &mut String) {
        let (taken, claimed) = self.claim();
        let count = self.chunks.len();
        let packed = self.chunks.iter().filter(|chunk| chunk.packed).count();
        let mut row = |name: &str, cells: [String; 3]| {
            let [a, b, c] = cells;
            let _ = writeln!(out, "{name:<16}{a:>22}{b:>16}{c:>16}");
        };
        row("\nbits           ", ["(a) proof of concept", "(b) in full", "(c) np-cli"].map(String::from));
        row("input", [taken, self.bits, self.bits].map(|bits| bits.to_string()));
        let whole = self.paid.total.round();
        row("packed", [format!("{:.0}", claimed), format!("{whole:.0}"), self.packer.to_string()]);
        let gains = [taken as f64 - claimed, self.bits as f64 - whole, (self.bits - self.packer) as f64];
        row("net gain", gains.map(|gain| format!("{gain:+.0}")));
        row("chunks packed", [packed, packed, self.explained].map(|n| format!("{n} of {count}")));
        let Unpaid { polarity, ratio, delta, tail } = self.paid.unpaid;
        let _ = writeln!(
            out,
            "\nnot counted in (a): {polarity:.0} bits for which blocks were complemented, {ratio:.0} for the ratio of ones, \
             {delta:.0} for deltas\nthat can be told apart when read, {tail:.0} for the {:.0} bytes it drops at the end",
            tail / 8.0
        );
    }

    fn verdict(&self, out: &mut String) {
        let (taken, claimed) = self.claim();
        let (claim, paid) = (taken as f64 - claimed, self.bits as f64 - self.paid.total);
        let gain = self.bits - self.packer;
        let _ = writeln!(out, "\nverdict");
        if claim > 0.0 && paid <= 0.0 {
            let _ = writeln!(
                out,
                "The proof of concept reports a gain of {claim:.0} bits, but nothing could read its file back: what a decoder\n\
                 would have to be told was not counted. Paid in full, the same plan loses {:.0} bits.",
                -paid
            );
        } else if claim <= 0.0 {
            let _ = writeln!(out, "The proof of concept finds nothing here, even by its own accounts.");
        } else {
            let _ = writeln!(
                out,
                "Tiled bytes fit this input: the proof of concept's plan saves {paid:.0} bits even when paid in full. That\n\
                 is a pattern any compressor sees, not a generator."
            );
        }
        let found = &self.found;
        let _ = match gain {
            gain if gain > 0 => {
                writeln!(out, "np-cli saves {gain} bits and can prove it by reading them back: {found}.")
            }
            gain => writeln!(
                out,
                "np-cli -{} looked for a generator and says what came of it: {found}. That is {} bits, all of them\n\
                 in the ledger. On true randomness nobody can do better on average.",
                self.level, -gain
            ),
        };
    }
}

/// `0.123 s (4.5 MB/s)`.
fn rate(bytes: usize, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(1e-9);
    format!("{seconds:.3} s ({:.1} MB/s)", bytes as f64 / 1e6 / seconds)
}
