//! `bench`: the proof of concept's benchmark, its accounts beside honest ones, and the statistics of chance.

mod chunks;
mod single;
mod trials;

use crate::audit::planted::{Planted, Randomness};
use crate::cli::Searching;
use crate::source::Source;
use anyhow::Context;
use clap::Args;
use std::io::Read;
use std::path::PathBuf;

/// Bytes of randomness: what the proof of concept took.
const RANDOM_BYTES: usize = 51_200;
/// The level of `--trials` unless another is given: a thousand trials take minutes on two cores. Level 6, pack's default,
/// looks at four to eight times as many seeds and takes several times as long; on randomness every level stores.
const TRIALS_LEVEL: u32 = 4;

/// Pack randomness, or FILE, and show honestly what came of it
///
/// Three accounts of the same bytes: (a) the proof of concept's own, reproduced, (b) its plan paid in full, (c) the real
/// packer's ledger. The proof of concept cuts the input into chunks of three 512-bit blocks; each line tells how a
/// chunk fared. With --trials all three are repeated on fresh randomness, beside what chance allows.
#[derive(Args, Debug)]
pub struct Bench {
    /// What to pack; without it, 51,200 bytes of the operating system's randomness
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Repeat on fresh randomness N times and show the distributions; -4 unless a level is given
    #[arg(long, value_name = "N", conflicts_with = "file", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub trials: Option<u64>,
    /// Take repeatable randomness (ChaCha12) instead of the operating system's
    #[arg(long, value_name = "S", conflicts_with = "file")]
    pub seed: Option<u64>,
    /// Hide MT19937 streams in the randomness: BYTES of the stream of SEED with a share FLIP of their bits
    /// flipped; with EVERY again each EVERY bytes, of SEED + 1 and so on
    #[arg(long, value_name = "SEED,FLIP[,BYTES[,EVERY]]", conflicts_with = "file")]
    pub planted: Option<Planted>,
    /// With --trials: print JSON
    #[arg(long, requires = "trials")]
    pub json: bool,
    #[command(flatten)]
    pub with: Searching,
}

/// What is packed.
struct Input {
    label: String,
    bytes: Vec<u8>,
}

impl Bench {
    /// Packs, unpacks, compares and tells.
    pub fn run(mut self) -> anyhow::Result<()> {
        if self.trials.is_some() {
            self.with.search.level = self.with.search.level.or(TRIALS_LEVEL);
        }
        let ready = self.with.set_up()?;
        match self.trials {
            Some(count) => trials::run(&self, &ready, count),
            None => single::run(&self, &ready),
        }
    }

    fn randomness(&self) -> Randomness {
        self.seed.map_or(Randomness::System, Randomness::Seeded)
    }

    /// What is packed, in words, unless it is a file.
    fn random_name(&self) -> String {
        let planted = self.planted.map(|planted| format!(", {}", planted.name()));
        self.randomness().name() + &planted.unwrap_or_default()
    }

    /// The input of trial number `trial`.
    fn random(&self, trial: u64) -> anyhow::Result<Vec<u8>> {
        let mut bytes = self.randomness().bytes(trial, RANDOM_BYTES)?;
        if let Some(planted) = self.planted {
            planted.plant(&mut bytes, self.randomness(), trial)?;
        }
        Ok(bytes)
    }

    fn input(&self) -> anyhow::Result<Input> {
        let Some(file) = &self.file else {
            return Ok(Input { label: self.random_name(), bytes: self.random(0)? });
        };
        let mut source = Source::open(file)?;
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).with_context(|| format!("cannot read {}", source.label))?;
        source.check_unchanged()?;
        Ok(Input { label: source.label, bytes })
    }
}
