//! Mining twice: two miners, one job, and their candidate lists compared whole.

use np_core::miner::{Candidate, Job, MineError, Miner, Watch};

/// Mines on two miners at the same time and gives the common result, or [`MineError::Disagree`] with the first difference.
pub struct BothMiner<'a> {
    left: &'a dyn Miner,
    right: &'a dyn Miner,
}

impl<'a> BothMiner<'a> {
    /// Two miners to compare.
    pub fn new(left: &'a dyn Miner, right: &'a dyn Miner) -> Self {
        Self { left, right }
    }
}

/// Passes the wish to stop on, but no progress: work done twice counts once.
struct Quiet<'a>(&'a dyn Watch);

impl Watch for Quiet<'_> {
    fn stop(&self) -> bool {
        self.0.stop()
    }
}

impl Miner for BothMiner<'_> {
    fn name(&self) -> String {
        format!("{} and {}", self.left.name(), self.right.name())
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        let (left, right) = std::thread::scope(|scope| {
            let quiet = Quiet(watch);
            let left = scope.spawn(move || self.left.mine(job, &quiet));
            let right = self.right.mine(job, watch);
            (left.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), right)
        });
        let (left, right) = (left?, right?);
        compare((&self.left.name(), &left), (&self.right.name(), &right))?;
        Ok(left)
    }
}

/// Compares two named candidate lists; the first difference is a [`MineError::Disagree`].
pub fn compare(left: (&str, &[Candidate]), right: (&str, &[Candidate])) -> Result<(), MineError> {
    let length = left.1.len().max(right.1.len());
    let Some(at) = (0..length).find(|at| left.1.get(*at) != right.1.get(*at)) else { return Ok(()) };
    let show = |list: &[Candidate]| match list.get(at) {
        Some(c) => format!("block {}, seed {}, weight {}", c.block, c.seed, c.weight),
        None => "nothing".to_owned(),
    };
    Err(MineError::Disagree {
        left: left.0.to_owned(),
        right: right.0.to_owned(),
        what: format!("candidate {at} is {} against {}", show(left.1), show(right.1)),
    })
}
