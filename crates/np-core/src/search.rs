//! The search of one segment: solve, extend, mine, plan.

use crate::error::Error;
use crate::format::layout::{Bias, Grid, Run};
use crate::generator::Key;
use crate::miner::{Miner, Watch};
use crate::pack::Options;
use std::sync::Arc;

/// What a level spends, all of it counted in work, none in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effort {
    /// zstd level for plain bytes.
    pub zstd_level: i32,
}

impl Effort {
    /// Level 1 to 9; others are brought into that range.
    pub fn level(level: u32) -> Self {
        let zstd_level = [3, 6, 9, 12, 16, 19, 19, 19, 19][level.clamp(1, 9) as usize - 1];
        Self { zstd_level }
    }
}

/// A stream that reaches the end of a segment and may go on in the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Carry {
    /// The generator's key.
    pub key: Arc<Key>,
    /// Stream byte at the next segment's first byte.
    pub position: u64,
    /// The residual's bias so far.
    pub bias: Bias,
}

/// Told what a search does and finds; see [`Watch`].
pub trait PackWatch: Watch {
    /// A stage began that will take `work` units (see [`crate::miner::Job::work`]).
    fn stage(&self, name: &'static str, work: u64) {
        let _ = (name, work);
    }
    /// A generator was found.
    fn found(&self, run: &Run) {
        let _ = run;
    }
}

impl PackWatch for () {}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Runs, sorted and apart.
    pub runs: Vec<Run>,
    /// The block layer, if it pays.
    pub grid: Option<Grid>,
    /// The stream that reaches the segment's end.
    pub carry: Option<Carry>,
}

/// Searches a segment.
pub fn search(
    options: &Options,
    content: &[u8],
    carry: Option<&Carry>,
    miner: &dyn Miner,
    watch: &dyn PackWatch,
) -> Result<Found, Error> {
    let _ = (options, content, carry, miner, watch);
    Ok(Found::default())
}
