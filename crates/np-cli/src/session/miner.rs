//! A miner that remembers: jobs of notable work are cut into slices of seeds, and each slice's result goes to the session.
//!
//! A job's result is the best candidates of each block by (fold, seed), whichever way its seeds are cut, so neither the
//! cuts nor a resumed run can be seen in what comes out.

use super::Session;
use super::record::Slice;
use crate::interrupt;
use np_core::miner::{Candidate, Filter, Job, MineError, Miner, Tally, Watch};
use std::time::{Duration, Instant};
use xxhash_rust::xxh64::Xxh64;

/// Jobs of less work (pairs, or seeds of a join) are done again rather than remembered: some milliseconds.
const NOTABLE: u64 = 1 << 22;
/// Work of a job's first slice. Later ones take as long as they may.
const FIRST: u64 = 1 << 22;
/// What a slice takes, about: the most that a kill loses.
const SLICE: Duration = Duration::from_millis(500);

/// Mines with another miner, and remembers.
pub struct SessionMiner<'a> {
    miner: &'a dyn Miner,
    session: &'a Session,
}

impl<'a> SessionMiner<'a> {
    /// `miner`, with what `session` remembers.
    pub fn new(miner: &'a dyn Miner, session: &'a Session) -> Self {
        Self { miner, session }
    }
}

impl Miner for SessionMiner<'_> {
    fn name(&self) -> String {
        self.miner.name()
    }

    fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
        if interrupt::requested() {
            return Err(MineError::Stopped);
        }
        if job.work() < NOTABLE || job.check().is_err() {
            return self.miner.mine(job, watch);
        }
        let digest = digest(job);
        let seeds = job.seeds.clone();
        let work_per_seed = job.work() / (seeds.end - seeds.start);
        let mut tally = Tally::new(job);
        let mut at = seeds.start;
        for slice in self.session.slices(digest) {
            if slice.seeds.start != at
                || slice.candidates.iter().any(|c| c.block as usize >= job.block_count())
            {
                break;
            }
            watch.advance(work_per_seed * (slice.seeds.end - at));
            at = slice.seeds.end.min(seeds.end);
            slice.candidates.into_iter().for_each(|candidate| tally.push(candidate));
        }
        let mut step = FIRST.div_ceil(work_per_seed);
        while at < seeds.end {
            if interrupt::requested() {
                return Err(MineError::Stopped);
            }
            let start = Instant::now();
            let seeds = at..seeds.end.min(at + step);
            let found = self.miner.mine(&Job { seeds: seeds.clone(), ..job.clone() }, watch)?;
            at = seeds.end;
            // Seeds rise, so what does not enter the tally now never will.
            let mut candidates = Vec::new();
            for candidate in found {
                let fold = job.block_bits.fold(candidate.weight);
                if tally.bound_ascending(candidate.block).is_some_and(|bound| fold <= bound) {
                    tally.push(candidate);
                    candidates.push(candidate);
                }
            }
            self.session.note_slice(Slice { job: digest, seeds, candidates });
            let took = start.elapsed();
            if took < SLICE / 2 {
                step = step.saturating_mul(2);
            } else if took > SLICE * 2 {
                step = step.div_ceil(2);
            }
        }
        Ok(tally.finish())
    }
}

/// 128 bits that tell jobs apart: everything their result depends on.
fn digest(job: &Job<'_>) -> u128 {
    let half = |seed| {
        let mut hash = Xxh64::new(seed);
        let (filter, words) = match job.filter {
            Filter::All => (0, 0),
            Filter::Join { words } => (1, words),
            // A filter that is not known here may mean anything: its text does.
            other => {
                hash.update(format!("{other:?}").as_bytes());
                (2, 0)
            }
        };
        let best = job.best_per_block as u64;
        let numbers = [
            job.generator.id(),
            job.seeding.id(),
            job.block_bits.bits().into(),
            job.seeds.start,
            job.seeds.end,
            job.fold_limit.into(),
            best,
            filter,
            words.into(),
            job.blocks.len() as u64,
        ];
        numbers.iter().for_each(|number| hash.update(&number.to_le_bytes()));
        let mut bytes = Vec::with_capacity(1 << 16);
        for words in job.blocks.chunks(1 << 14) {
            bytes.clear();
            words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
            hash.update(&bytes);
        }
        hash.digest()
    };
    u128::from(half(0)) << 64 | u128::from(half(1))
}

#[cfg(test)]
mod tests {
    use super::super::Identity;
    use super::*;
    use np_core::block::BlockBits;
    use np_core::generator::{Generator, Seeding};
    use np_tests::inputs::numbers;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// Counts the seeds it was asked for, and gives up after some.
    struct Counting {
        miner: np_cpu::CpuMiner,
        seeds: AtomicU64,
        most: u64,
    }

    impl Miner for Counting {
        fn name(&self) -> String {
            "counting".to_owned()
        }

        fn mine(&self, job: &Job<'_>, watch: &dyn Watch) -> Result<Vec<Candidate>, MineError> {
            let seeds = job.seeds.end - job.seeds.start;
            if self.seeds.fetch_add(seeds, Relaxed) + seeds > self.most {
                return Err(MineError::Stopped);
            }
            self.miner.mine(job, watch)
        }
    }

    /// A job that is stopped after some slices, and resumed, gives the list of one that was not, and mines no seed
    /// of a slice that was saved.
    #[test]
    fn a_resumed_job_gives_the_same_list() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("input");
        std::fs::write(&input, b"input").unwrap();
        let open = |resume| {
            let identity = Identity { input: input.clone(), options: "some".to_owned() };
            Session::open(folder.path().join("s.np-session"), identity, resume, false).unwrap()
        };
        // Some blocks are noise; others begin a stream, for the join to find.
        let mut blocks: Vec<u32> = numbers(4).map(|n| n as u32).take(40 * 4).collect();
        for (i, block) in blocks.chunks_exact_mut(4).step_by(2).enumerate() {
            np_core::generator::mask_words(5000 + 1_500_000 * i as u32, block);
            block[3] ^= 0xff;
        }
        for filter in [Filter::All, Filter::Join { words: 2 }] {
            let job = Job {
                generator: Generator::Mt19937,
                seeding: Seeding::Genrand,
                block_bits: BlockBits::new(128).unwrap(),
                seeds: 1000..1000 + (1 << 25),
                blocks: &blocks,
                fold_limit: 40,
                best_per_block: 3,
                filter,
            };
            let miner = np_cpu::CpuMiner::with_threads(1).unwrap();
            let expected = miner.mine(&job, &()).unwrap();
            assert!(expected.len() >= 20, "{} candidates prove little", expected.len());

            let counting = |most| Counting { miner: miner.clone(), seeds: AtomicU64::new(0), most };
            let first = counting(1 << 24);
            let session = open(false);
            assert_eq!(SessionMiner::new(&first, &session).mine(&job, &()), Err(MineError::Stopped));
            let saved: u64 = session.slices(digest(&job)).iter().map(|s| s.seeds.end - s.seeds.start).sum();
            assert_eq!(saved, 0, "slices are read back only by a run that resumes");
            assert!(session.save());
            drop(session);

            let session = open(true);
            let saved: u64 = session.slices(digest(&job)).iter().map(|s| s.seeds.end - s.seeds.start).sum();
            assert!(saved > 1 << 20, "{saved} seeds saved");
            let second = counting(u64::MAX);
            assert_eq!(SessionMiner::new(&second, &session).mine(&job, &()).unwrap(), expected, "{filter:?}");
            assert_eq!(second.seeds.load(Relaxed), (1 << 25) - saved);
            session.remove();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
