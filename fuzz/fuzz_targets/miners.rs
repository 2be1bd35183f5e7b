//! Every kernel of the CPU miner gives the oracle's list of any job.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use np_core::block::BlockBits;
use np_core::generator::{Generator, Seeding, mask_words};
use np_core::miner::{Filter, Job, Miner};
use np_cpu::{CpuMiner, Kernel};
use np_tests::properties::search::miners_agree;
use std::sync::LazyLock;

#[derive(Arbitrary, Debug)]
struct AnyJob {
    words: u16,
    first: u32,
    near_end: bool,
    seeds: u8,
    blocks: Vec<AnyBlock>,
    repeat: u8,
    limit: u16,
    best: u8,
    join: Option<u8>,
}

#[derive(Arbitrary, Debug)]
enum AnyBlock {
    Fill(u32),
    Words(Vec<u32>),
    /// A seed of the range, places of flipped bits, complemented.
    Mask(u8, Vec<u16>, bool),
}

static MINERS: LazyLock<Vec<CpuMiner>> = LazyLock::new(|| {
    let one = CpuMiner::with_threads(1).expect("a thread");
    Kernel::ALL.into_iter().filter_map(|kernel| one.clone().with_kernel(kernel)).collect()
});

fuzz_target!(|case: AnyJob| {
    let words = match case.words {
        n @ 0..1000 => 4 + usize::from(n % 300),
        n => 4 + usize::from(n % 60),
    };
    let span = u64::from(case.seeds);
    let first = match case.near_end {
        true => (1 << 32) - span + u64::from(case.first % 3),
        false => u64::from(case.first),
    };
    let mut blocks = Vec::new();
    let most = 4000 / words;
    for block in
        case.blocks.iter().cycle().take(case.blocks.len() * (1 + usize::from(case.repeat % 16))).take(most)
    {
        let at = blocks.len();
        blocks.resize(at + words, 0);
        let block_words = &mut blocks[at..];
        match block {
            AnyBlock::Fill(word) => block_words.fill(*word),
            AnyBlock::Words(given) => block_words.iter_mut().zip(given).for_each(|(b, g)| *b = *g),
            AnyBlock::Mask(offset, flips, complement) => {
                mask_words((first as u32).wrapping_add((*offset).into()), block_words);
                for place in flips {
                    let bit = usize::from(*place) % (32 * words);
                    block_words[bit / 32] ^= 1 << (bit % 32);
                }
                if *complement {
                    block_words.iter_mut().for_each(|w| *w = !*w);
                }
            }
        }
    }
    let job = Job {
        generator: Generator::Mt19937,
        seeding: Seeding::Genrand,
        block_bits: BlockBits::new(32 * words as u32).expect("4 to 303 words"),
        seeds: first..first + span,
        blocks: &blocks,
        fold_limit: u32::from(case.limit) % (16 * words as u32 + 1),
        best_per_block: usize::from(case.best % 66),
        filter: case.join.map_or(Filter::All, |words| Filter::Join { words: u32::from(words % 10) }),
    };
    let miners: Vec<&dyn Miner> = MINERS.iter().map(|miner| miner as &dyn Miner).collect();
    miners_agree(&job, &miners);
});
