//! What must hold of what searches: miners agree, and a solver reports only what is there.

use crate::inputs::stream;
use np_core::miner::{Candidate, Job, Miner};
use np_core::scalar::ScalarMiner;
use np_core::solve::{Found, ScanOptions, scan, solve_start};

/// Every one of `miners` gives the oracle's list. Returns it; `None` for a job that all refuse.
pub fn miners_agree(job: &Job<'_>, miners: &[&dyn Miner]) -> Option<Vec<Candidate>> {
    let expected = ScalarMiner.mine(job, &());
    for miner in miners {
        let found = miner.mine(job, &());
        assert_eq!(found, expected, "{} and the oracle", miner.name());
    }
    expected.ok()
}

/// What the scan and the solver for a known start report of any bytes is true of them.
pub fn solvers_tell_the_truth(data: &[u8], options: &ScanOptions, budget: u64) {
    let whole = 0..data.len();
    let found = scan(data, std::slice::from_ref(&whole), options);
    found.iter().for_each(|found| is_true(data, found));
    assert!(found.is_sorted_by_key(|found| found.offset));
    if let Some(found) = solve_start(data, budget) {
        is_true(data, &found);
    }
}

/// A finding is what the data shows: the stream, made again, differs in as many bits as it says.
fn is_true(data: &[u8], found: &Found) {
    let (from, len) = (found.offset as usize, found.length as usize);
    assert!(len > 0 && from + len <= data.len(), "{found:?} in {} bytes", data.len());
    let mut mask = stream(&found.key, found.position, len);
    if found.complement {
        mask.iter_mut().for_each(|m| *m = !*m);
    }
    let flips: u64 = mask.iter().zip(&data[from..]).map(|(m, d)| u64::from((m ^ d).count_ones())).sum();
    assert_eq!(flips, found.flips, "bits that differ from offset {from} on, over {len} bytes");
    assert!(flips < 4 * found.length, "half of the bits differ");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{flip, noise};
    use np_core::generator::Key;

    #[test]
    fn solvers_on_streams_and_noise() {
        let options = ScanOptions { walk_back: 64, ..ScanOptions::default() };
        for (seed, per_mille) in [(1u32, 0), (2, 5), (3, 20)] {
            let mut data = noise(700, 1);
            data.extend(stream(&Key::Genrand(seed), 0, 3000));
            data.extend(noise(400, 2));
            data.extend(stream(&Key::ByArray(vec![seed, 1]), 10_001, 6000));
            flip(&mut data, per_mille, 9);
            solvers_tell_the_truth(&data, &options, 1 << 12);
            solvers_tell_the_truth(&data[700..], &options, 1 << 12);
        }
    }

    #[test]
    #[should_panic(expected = "bits that differ")]
    fn a_lie_is_noticed() {
        let data = stream(&Key::Genrand(5), 0, 1000);
        let lie =
            Found { key: Key::Genrand(5), offset: 1, position: 0, length: 900, flips: 0, complement: false };
        is_true(&data, &lie);
    }
}
