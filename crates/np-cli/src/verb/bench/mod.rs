//! `bench`: the proof of concept's benchmark with the ledger as the verdict.

mod chunks;

use crate::backend::Choice;
use crate::cli::{Search, Talk, Threads};
use crate::packing::{self, Feed};
use crate::progress::Progress;
use crate::source::Source;
use crate::{summary, target, unpacking};
use anyhow::{Context, anyhow, bail};
use chunks::{Accounts, CHUNK_BYTES};
use clap::Args;
use np_core::format::reader::Limits;
use std::fmt::Write;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Bytes of randomness: what the proof of concept took.
const RANDOM_BYTES: usize = 51_200;
/// Lines of the table, at most.
const LINES: usize = 40;

/// Pack randomness, or FILE, and show honestly what came of it
///
/// The input is cut into the proof of concept's chunks of three 512-bit blocks; each line tells how a
/// chunk fared under the real packer, whose every bit is paid for. On randomness the net gain is negative.
#[derive(Args, Debug)]
pub struct Bench {
    /// What to pack; without it, 51,200 bytes of the operating system's randomness
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub search: Search,
    #[command(flatten)]
    pub choice: Choice,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub talk: Talk,
}

impl Bench {
    /// Packs, unpacks, compares and tells.
    pub fn run(self) -> anyhow::Result<()> {
        let options = self.search.options()?;
        let threads = self.threads.set_up()?;
        let miner = self.choice.open(threads)?;
        let (label, input) = self.input()?;
        let progress = Progress::new(self.talk.quiet, &label, Some(input.len() as u64));

        let start = Instant::now();
        let mut packed = Vec::new();
        let mut feed = Feed::new(&input[..], &label, options.segment_bytes);
        let result = packing::pack(&mut feed, &options, &*miner, threads, &progress, |bytes| {
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
            unpacking::unpack(&packed[..], &label, Limits::NONE, threads, &silent, |segment, decoded| {
                let at = segment.output_offset as usize;
                same &= input.get(at..at + segment.len) == Some(segment.content(decoded));
                accounts.add(segment, decoded);
                Ok(())
            })?;
        let unpacking_time = start.elapsed();
        if !same || found.contents.bytes != input.len() as u64 || found.ledger != result.ledger {
            bail!("{label}: what was unpacked is not what was packed; please report this");
        }

        let mut out = String::new();
        let _ = writeln!(
            out,
            "{label}: {} bytes, level {}, blocks of {} bits, searched by {} with {threads} threads\n",
            input.len(),
            self.search.level.0,
            options.block_bits.bits(),
            miner.name()
        );
        let chunks = input.len() / CHUNK_BYTES;
        let step = (chunks.div_ceil(LINES)).next_multiple_of(10).max(10);
        out.push_str(&accounts.table(step));
        let (bits, packed_bits) = (8 * input.len() as i64, found.ledger.total_bits() as i64);
        let _ = writeln!(out, "\ninput      {bits:>14} bits");
        let _ = writeln!(out, "packed     {packed_bits:>14} bits");
        let _ = writeln!(out, "net gain   {:>+14} bits", bits - packed_bits);
        let _ = writeln!(out, "{}\n", summary::found(&found.contents, packed.len() as u64));
        out.push_str("ledger, rebuilt from the packed bytes\n");
        out.push_str(&summary::ledger(&found.ledger));
        let _ = writeln!(
            out,
            "\npack {}, unpack {}; unpacked and compared, bit for bit",
            rate(input.len(), packing_time),
            rate(input.len(), unpacking_time)
        );
        target::print(out.as_bytes())
    }

    fn input(&self) -> anyhow::Result<(String, Vec<u8>)> {
        let mut input = Vec::new();
        let Some(file) = &self.file else {
            input.resize(RANDOM_BYTES, 0);
            getrandom::fill(&mut input)
                .map_err(|e| anyhow!("the operating system gives no randomness: {e}"))?;
            return Ok(("randomness of the operating system".to_owned(), input));
        };
        let mut source = Source::open(file)?;
        source.read_to_end(&mut input).with_context(|| format!("cannot read {}", source.label))?;
        source.check_unchanged()?;
        Ok((source.label, input))
    }
}

/// `0.123 s (4.5 MB/s)`.
fn rate(bytes: usize, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(1e-9);
    format!("{seconds:.3} s ({:.1} MB/s)", bytes as f64 / 1e6 / seconds)
}
