//! Two steps of the seeding at once: a table takes in the second's xor and both additions.
//!
//! Step i is `x' = INIT * (x ^ x >> 30) + i`. The first of a pair is left at `u = x' - i`, and the second is then
//! `INIT * u + table[low two bits of u, top two bits of u]`, for these tell what the xor changes: the low bits
//! of x' are those of `u + i`, and its top bits are those of u, unless adding i carried into them.
//!
//! It did where the low 30 bits of x' are below i. Steps are bijections, so the seeds that lead there can be listed by
//! going back from each such x'; there are 156,814 of them, and their masks are made again, by the scalar oracle.

use crate::lanes::Lanes;
use crate::masks;
use np_core::generator::mask_words;
use np_core::generator::mt19937::{INIT, M, SHORT_WORDS};
use std::sync::OnceLock;

/// Chains worked on together: lanes that do pairs well have many registers. Half a batch.
pub(crate) const CHAINS: usize = 16;

/// For a pair of steps what the second adds to `INIT * u`, by u rotated left by two, mod 16. One cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Table(pub(crate) [u32; 16]);

/// The table of steps 2p + 1 and 2p + 2, for each p.
pub(crate) static TABLES: [Table; (M - 1) / 2] = {
    let mut tables = [Table([0; 16]); (M - 1) / 2];
    let mut pair = 0;
    while pair < tables.len() {
        let i = 2 * pair as u32 + 1;
        let mut entry: u32 = 0;
        while entry < 16 {
            let (low, top) = ((entry >> 2).wrapping_add(i) & 3, entry & 3);
            let changed = (low ^ top).wrapping_sub(low);
            tables[pair].0[entry as usize] = INIT.wrapping_mul(i.wrapping_add(changed)).wrapping_add(i + 1);
            entry += 1;
        }
        pair += 1;
    }
    tables
};

/// Takes the chains `x` through the pairs of steps of `tables`. Two chains go side by side, so that the units are busy.
#[inline(always)]
pub(crate) fn steps<L: Lanes>(l: L, x: &mut [L::V; CHAINS], tables: &[Table]) {
    let factor = l.splat(INIT);
    for Table(table) in tables {
        let (twos, _) = x.as_chunks_mut::<2>();
        for x in twos {
            let u = x.map(|x| masks::mix(l, x));
            let entry = u.map(|u| l.rol2(u));
            let product = u.map(|u| l.mul(u, factor));
            let added = entry.map(|entry| l.look_up(table, entry));
            *x = [l.add(product[0], added[0]), l.add(product[1], added[1])];
        }
    }
}

/// Jobs of fewer seeds do not pay for the list.
const WORTH: u64 = 1 << 23;

static EXCEPTIONS: OnceLock<Exceptions> = OnceLock::new();

/// The seeds for which some pair of steps is wrong.
#[derive(Debug)]
pub(crate) struct Exceptions {
    /// In order.
    seeds: Vec<u32>,
    /// How many are below `k << (32 - TOP)`, for each k up to `1 << TOP`: where to look, or every batch would search them all.
    below: Vec<u32>,
}

impl Exceptions {
    const TOP: u32 = 14;

    fn new(seeds: Vec<u32>) -> Self {
        let bounds = (0..=1u64 << Self::TOP).map(|k| k << (32 - Self::TOP));
        let below =
            bounds.map(|bound| seeds.partition_point(|seed| u64::from(*seed) < bound) as u32).collect();
        Self { seeds, below }
    }

    /// Those among the `seeds` seeds from `first` on, after the last of which comes the first, as distances from `first`.
    #[inline]
    fn among(&self, first: u32, seeds: usize) -> impl Iterator<Item = usize> + '_ {
        let top = (first >> (32 - Self::TOP)) as usize;
        let near = self.below[top] as usize..self.below[top + 1] as usize;
        let from = near.start + self.seeds[near].partition_point(|seed| *seed < first);
        let in_turn = self.seeds[from..].iter().chain(&self.seeds[..from]);
        in_turn.map(move |seed| seed.wrapping_sub(first) as usize).take_while(move |at| *at < seeds)
    }
}

/// Makes the list of exceptions, if lanes like these use it and `seeds` are worth it.
pub(crate) fn prepare<L: Lanes>(l: L, seeds: u64) {
    if L::PAIRS && seeds >= WORTH {
        exceptions(l);
    }
}

/// The exceptions, where they are of use and have been listed.
#[inline]
pub(crate) fn known<L: Lanes>() -> Option<&'static Exceptions> {
    if L::PAIRS { EXCEPTIONS.get() } else { None }
}

/// The exceptions.
pub(crate) fn exceptions<L: Lanes>(l: L) -> &'static Exceptions {
    EXCEPTIONS.get_or_init(|| {
        let mut x = Vec::new();
        for i in (1..M as u32).rev() {
            if i % 2 == 1 {
                x.extend((0..4).flat_map(|top| (0..i).map(move |low| top << 30 | low)));
            }
            // Plain loops: the compiler makes vectors of them.
            l.with(
                #[inline(always)]
                || x.iter_mut().for_each(|x| *x = step_back(*x, i)),
            );
        }
        x.sort_unstable();
        x.dedup();
        Exceptions::new(x)
    })
}

/// The inverse of [`INIT`] mod 2^32: Newton's iteration, each turn of which doubles the bits that are right.
const INIT_INVERSE: u32 = {
    let mut inverse: u32 = 1;
    let mut turn = 0;
    while turn < 5 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(INIT.wrapping_mul(inverse)));
        turn += 1;
    }
    assert!(INIT.wrapping_mul(inverse) == 1);
    inverse
};

/// What step `i` made `x` of.
#[inline(always)]
const fn step_back(x: u32, i: u32) -> u32 {
    let mixed = x.wrapping_sub(i).wrapping_mul(INIT_INVERSE);
    mixed ^ mixed >> 30
}

/// Makes the masks of `exceptions` again, among the masks of the seeds from `first` on.
pub(crate) fn amend<L: Lanes>(l: L, exceptions: &Exceptions, first: u32, words: usize, masks: &mut [L::V]) {
    for at in exceptions.among(first, masks.len() / words * L::COUNT) {
        let seed = first.wrapping_add(at as u32);
        let mut mask = [0; SHORT_WORDS];
        mask_words(seed, &mut mask[..words]);
        let group = &mut masks[at / L::COUNT * words..][..words];
        for (register, word) in group.iter_mut().zip(mask) {
            let mut lanes = [0; 32];
            l.store(*register, &mut lanes);
            lanes[at % L::COUNT] = word;
            *register = l.load(&lanes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Kernel, Stage};
    use crate::parity::Noise;
    use crate::portable::Portable;
    use np_core::generator::mt19937::init_step;

    /// Whether the addition of some pair's first step carries, by going forward.
    fn is_exception(seed: u32) -> bool {
        let mut x = seed;
        (1..M as u32).any(|i| {
            x = init_step(x, i);
            i % 2 == 1 && x & 0x3fff_ffff < i
        })
    }

    #[test]
    fn the_list_is_of_exceptions_and_of_all() {
        let list = &exceptions(Portable).seeds;
        assert_eq!(list.len(), 156_814);
        assert!(list.is_sorted_by(|a, b| a < b));
        assert!(list.iter().all(|seed| is_exception(*seed)));
        // Around each there are others that are not, and a range without luck.
        let near = list.iter().step_by(31).flat_map(|seed| [seed.wrapping_sub(1), seed.wrapping_add(1)]);
        for seed in near.chain(0..200_000) {
            assert_eq!(is_exception(seed), list.binary_search(&seed).is_ok(), "{seed}");
        }
    }

    /// How many of the exceptions (each `every`th) have a wrong mask, each in a batch where it has another place.
    struct Wrong {
        every: usize,
        words: usize,
        amended: bool,
    }

    impl Stage for Wrong {
        type Out = (usize, usize);
        fn run<L: Lanes>(self, l: L) -> (usize, usize) {
            let Self { every, words, amended } = self;
            let list = exceptions(l);
            let none = Exceptions::new(Vec::new());
            let groups = CHAINS;
            let (mut state, mut masks) = (Vec::new(), vec![l.splat(0); groups * words]);
            let (mut wrong, mut tried) = (0, 0);
            for (turn, seed) in list.seeds.iter().step_by(every).enumerate() {
                let at = turn % (groups * L::COUNT);
                let known = if amended { list } else { &none };
                let first = seed.wrapping_sub(at as u32);
                masks::make_with(l, Some(known), first, groups, words, &mut state, &mut masks);
                let mut expected = vec![0; words];
                mask_words(*seed, &mut expected);
                let made = masks[at / L::COUNT * words..].iter().map(|register| {
                    let mut lanes = [0; 32];
                    l.store(*register, &mut lanes);
                    lanes[at % L::COUNT]
                });
                wrong += usize::from(!made.zip(expected).all(|(made, expected)| made == expected));
                tried += 1;
            }
            (wrong, tried)
        }
    }

    #[test]
    fn masks_of_exceptions_are_right_and_would_not_be() {
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
            // All of them where it is quick.
            let every = if kernel == Kernel::Avx512 { 1 } else { 80 };
            for words in [1, 16] {
                let (wrong, tried) = kernel.run(Wrong { every, words, amended: true });
                assert_eq!(wrong, 0, "of {tried}, {words} words, {kernel:?}");
                let (wrong, tried) = kernel.run(Wrong { every, words, amended: false });
                // The exceptions of pairs that are not used, because their words are wanted, are right anyhow.
                assert!(
                    wrong * 100 > tried * 99 && wrong < tried.max(2000),
                    "{wrong} of {tried}, {words} words, {kernel:?}"
                );
            }
        }
    }

    /// Masks by pairs and by single steps are the scalar oracle's, whatever their place and number.
    struct Alike(Option<&'static Exceptions>);

    impl Stage for Alike {
        type Out = ();
        fn run<L: Lanes>(self, l: L) {
            let mut noise = Noise(8);
            for words in [1, 2, 3, 15, 16, 17, 40, 226, 227, 228, 700] {
                for groups in [1, 7, 8, 16, 17, 41] {
                    let count = (groups * L::COUNT) as u32;
                    for first in [0, noise.word(), count.wrapping_neg(), (count / 2 + 3).wrapping_neg()] {
                        let mut masks = vec![l.splat(0); groups * words];
                        masks::make_with(l, self.0, first, groups, words, &mut Vec::new(), &mut masks);
                        let mut expected = vec![0; words];
                        for at in (0..groups * L::COUNT).step_by(7) {
                            mask_words(first.wrapping_add(at as u32), &mut expected);
                            for (w, expected) in expected.iter().enumerate() {
                                let mut lanes = [0; 32];
                                l.store(masks[at / L::COUNT * words + w], &mut lanes);
                                assert_eq!(
                                    lanes[at % L::COUNT],
                                    *expected,
                                    "{words} words, {groups} groups, {first}+{at}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn both_ways_make_the_same_masks() {
        let list = exceptions(Portable);
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
            kernel.run(Alike(None));
            kernel.run(Alike(Some(list)));
        }
    }
}
