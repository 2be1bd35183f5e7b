//! The GPU miner's candidate lists are the scalar miner's, whole, over block counts, block sizes, ranges and filters.

mod lent;

use lent::{any, job, noise, open, planted};
use np_core::miner::{Filter, Job, MineError, Miner};
use np_core::scalar::ScalarMiner;
use np_gpu::{Choice, GpuMiner};

/// Both lists, compared whole. Says how many candidates there were.
#[track_caller]
fn same(gpu: &GpuMiner, job: &Job<'_>) -> usize {
    let expected = ScalarMiner.mine(job, &()).unwrap();
    let found = gpu.mine(job, &()).unwrap();
    np_gpu::compare(("gpu", &found), ("scalar", &expected)).unwrap();
    assert_eq!(found, expected);
    found.len()
}

#[test]
fn every_block_size() {
    let Some(gpu) = open("every_block_size", &any()) else { return };
    let odd = [
        5, 7, 9, 12, 13, 14, 15, 29, 31, 33, 40, 46, 57, 79, 100, 226, 227, 228, 229, 454, 455, 623, 624,
        625, 700, 851, 1000,
    ];
    let powers = (2..=10).map(|p| 1usize << p);
    for words in powers.chain(odd) {
        let bits = 32 * words as u32;
        let seeds = 1_000_000..1_000_000 + if words > 227 { 130 } else { 300 };
        for count in [1, 3, 8, 9, 40] {
            let blocks = planted(words, count, seeds.clone());
            let found = same(&gpu, &job(bits, seeds.clone(), &blocks, bits / 2 - bits / 16, 4));
            assert!(
                found >= count.div_ceil(4),
                "{words} words, {count} blocks: planted seeds are among {found}"
            );
        }
    }
}

#[test]
fn block_counts_around_workgroups_and_chunks() {
    let Some(gpu) = open("block_counts_around_workgroups_and_chunks", &any()) else { return };
    let chunk = np_gpu::layout::chunk_blocks(128);
    for (words, counts) in [
        (16, vec![0, 1, 2, 31, 32, 33, 127, 128, 129, 767, 768, 1023, 1024, 1025, 2100]),
        (128, vec![0, 1, 7, 8, 9, chunk - 1, chunk, chunk + 1, 3 * chunk + 5]),
    ] {
        for count in counts {
            let blocks = planted(words, count, 0..200);
            let bits = 32 * words as u32;
            same(&gpu, &job(bits, 0..200, &blocks, bits / 2 - bits / 12, 3));
        }
    }
}

#[test]
fn seed_counts_around_workgroups_and_tiles() {
    let Some(gpu) = open("seed_counts_around_workgroups_and_tiles", &any()) else { return };
    for count in [2, 40] {
        let blocks = planted(16, count, 5..1500);
        for seeds in [0, 1, 2, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025] {
            same(&gpu, &job(512, 5..5 + seeds, &blocks, 230, 2));
        }
        let blocks = planted(4, count, 5..1500);
        for seeds in [1, 127, 128, 129, 1023, 1024, 1025] {
            same(&gpu, &job(128, 5..5 + seeds, &blocks, 50, 2));
        }
    }
}

#[test]
fn ranges_ending_at_the_last_seed_and_empty_ones() {
    let Some(gpu) = open("ranges_ending_at_the_last_seed_and_empty_ones", &any()) else { return };
    let end = 1u64 << 32;
    for words in [4, 16, 48, 300] {
        let bits = 32 * words as u32;
        for start in [end, end - 1, end - 127, end - 128, end - 300] {
            for count in [1, 50] {
                let blocks = planted(words, count, end - 300..end);
                let found = same(&gpu, &job(bits, start..end, &blocks, bits / 2, 2));
                assert_eq!(found, count * (end - start).min(2) as usize);
            }
        }
        assert_eq!(same(&gpu, &job(bits, 0..0, &noise(words, 3), bits, 1)), 0);
        #[allow(clippy::reversed_empty_ranges)]
        let backwards = 9..3;
        assert_eq!(same(&gpu, &job(bits, backwards, &noise(words, 3), bits, 1)), 0);
    }
}

#[test]
fn limits_from_nothing_to_everything_and_ties() {
    let Some(gpu) = open("limits_from_nothing_to_everything_and_ties", &any()) else { return };
    for count in [3, 70] {
        let blocks = planted(4, count, 0..2000);
        for limit in [0, 1, 40, 63, 64, 65, 128, u32::MAX] {
            for best in [1, 2, 64] {
                same(&gpu, &job(128, 0..2000, &blocks, limit, best));
            }
        }
    }
}

#[test]
fn several_batches_with_a_tightening_limit() {
    let Some(gpu) = open("several_batches_with_a_tightening_limit", &any()) else { return };
    for (words, count, seeds) in [(16, 3, 600_000), (16, 100, 40_000), (48, 2, 60_000), (300, 20, 4000)] {
        let bits = 32 * words as u32;
        let blocks = planted(words, count, 0..seeds);
        assert_eq!(same(&gpu, &job(bits, 0..seeds, &blocks, bits, 5)), 5 * count);
    }
}

/// The device holds 64 MiB of blocks at a time, and the table of a join 2^20 blocks.
#[test]
fn more_blocks_than_the_device_holds_at_a_time() {
    let Some(gpu) = open("more_blocks_than_the_device_holds_at_a_time", &any()) else { return };
    let blocks = planted(1024, 16_390, 0..3);
    assert!(same(&gpu, &job(32_768, 0..3, &blocks, 14_000, 1)) >= 16_390 / 4);
    let blocks = planted(4, (1 << 20) + 5, 0..60);
    let all = job(128, 0..60, &blocks, 128, 1);
    assert!(same(&gpu, &Job { filter: Filter::Join { words: 2 }, ..all }) >= 50_000);
}

/// Submissions are sized by time, and the time must not show.
#[test]
fn the_size_of_submissions_does_not_change_the_result() {
    for target in [1, 1_000_000, 1_000_000_000].map(std::time::Duration::from_nanos) {
        let Some(gpu) =
            open("the_size_of_submissions_does_not_change_the_result", &Choice { target, ..any() })
        else {
            return;
        };
        for (words, count, seeds) in [(16, 3, 100_000), (16, 100, 3000), (40, 20, 3000)] {
            let bits = 32 * words as u32;
            let blocks = planted(words, count, 0..seeds);
            assert_eq!(same(&gpu, &job(bits, 0..seeds, &blocks, bits, 3)), 3 * count);
        }
    }
}

#[test]
fn an_overflowing_hit_list_loses_nothing() {
    for capacity in [1, 7, 100] {
        let choice = Choice { hit_capacity: capacity, ..any() };
        let Some(gpu) = open("an_overflowing_hit_list_loses_nothing", &choice) else { return };
        for (words, count) in [(4, 3), (16, 50), (40, 3), (40, 50), (230, 4)] {
            let bits = 32 * words as u32;
            let blocks = planted(words, count, 0..40);
            same(&gpu, &job(bits, 0..40, &blocks, bits, 30));
            let join = Job { filter: Filter::Join { words: 8 }, ..job(bits, 0..40, &blocks, bits, 30) };
            assert!(same(&gpu, &join) > 0);
        }
    }
}

#[test]
fn joins() {
    let Some(gpu) = open("joins", &any()) else { return };
    for words in [4, 5, 16, 40, 300] {
        for count in [0, 1, 5, 300] {
            let blocks = planted(words, count, 900..1500);
            for looked_at in [1, 2, 3, 8] {
                for seeds in [900..1500, 900..900, 901..1029] {
                    let all = job(32 * words as u32, seeds, &blocks, 32 * words as u32, 3);
                    same(&gpu, &Job { filter: Filter::Join { words: looked_at }, ..all });
                }
            }
        }
    }
    let blocks = planted(16, 40, 0..50_000);
    let all = job(512, 0..50_000, &blocks, 20, 1);
    assert_eq!(same(&gpu, &Job { filter: Filter::Join { words: 8 }, ..all }), 10);
}

#[test]
fn bad_jobs_are_refused_and_stops_are_heeded() {
    struct Stop;
    impl np_core::miner::Watch for Stop {
        fn stop(&self) -> bool {
            true
        }
    }
    let Some(gpu) = open("bad_jobs_are_refused_and_stops_are_heeded", &any()) else { return };
    let blocks = noise(16, 2);
    let good = job(512, 0..1000, &blocks, 256, 1);
    assert!(matches!(
        gpu.mine(&Job { best_per_block: 0, ..good.clone() }, &()),
        Err(MineError::BadJob { .. })
    ));
    assert!(matches!(
        gpu.mine(&Job { seeds: 0..(1 << 32) + 1, ..good.clone() }, &()),
        Err(MineError::BadJob { .. })
    ));
    assert_eq!(gpu.mine(&good, &Stop), Err(MineError::Stopped));
}

#[test]
fn progress_adds_up_to_the_work() {
    struct Count(std::sync::atomic::AtomicU64);
    impl np_core::miner::Watch for Count {
        fn advance(&self, work: u64) {
            self.0.fetch_add(work, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let choice = Choice { hit_capacity: 50, ..any() };
    let Some(gpu) = open("progress_adds_up_to_the_work", &choice) else { return };
    for filter in [Filter::All, Filter::Join { words: 2 }] {
        for count in [0, 2, 50] {
            let blocks = planted(16, count, 0..3000);
            let job = Job { filter, ..job(512, 0..3000, &blocks, 256, 4) };
            let seen = Count(0.into());
            gpu.mine(&job, &seen).unwrap();
            assert_eq!(seen.0.into_inner(), job.work(), "{filter:?}, {count} blocks");
        }
    }
}
