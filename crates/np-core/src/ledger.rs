//! The ledger: every bit of a packed file under one heading, rebuilt from the file itself.

use crate::price::FINE_BIT;

/// What a bit of a packed file pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Heading {
    /// Magic number, version, segment heads, lengths.
    Header,
    /// Keys of runs.
    Keys,
    /// Places, lengths and stream positions of runs.
    Runs,
    /// Which blocks are packed.
    Bitmap,
    /// Seeds of packed blocks: kind, delta, fresh.
    Seeds,
    /// Weights: bias class, polarity, count of ones.
    Weights,
    /// Residual bits.
    Residual,
    /// Bytes no generator explains, verbatim or through zstd.
    Plain,
    /// Digests.
    Checksums,
}

impl Heading {
    /// All headings, in the order people read them.
    pub const ALL: [Self; 9] = [
        Self::Header,
        Self::Keys,
        Self::Runs,
        Self::Bitmap,
        Self::Seeds,
        Self::Weights,
        Self::Residual,
        Self::Plain,
        Self::Checksums,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Keys => "run keys",
            Self::Runs => "runs",
            Self::Bitmap => "bitmap",
            Self::Seeds => "seeds",
            Self::Weights => "weights",
            Self::Residual => "residual",
            Self::Plain => "plain",
            Self::Checksums => "checksums",
        }
    }
}

/// Fine costs (1/65536 bit) by heading, while a range coded section is read.
#[derive(Clone, Debug, Default)]
pub struct Spent([u64; Heading::ALL.len()]);

impl Spent {
    /// Adds a fine cost.
    #[inline]
    pub fn add(&mut self, heading: Heading, fine: u32) {
        self.0[heading as usize] += u64::from(fine);
    }

    /// What `heading` has cost so far, in fine units.
    pub fn get(&self, heading: Heading) -> u64 {
        self.0[heading as usize]
    }
}

/// Bits by heading. The total is the packed size in bits, always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    bits: [u64; Heading::ALL.len()],
}

impl Ledger {
    /// Books whole bytes.
    pub fn book(&mut self, heading: Heading, bytes: u64) {
        self.bits[heading as usize] += 8 * bytes;
    }

    /// Books the file header.
    pub fn book_header(&mut self, bytes: usize) {
        self.book(Heading::Header, bytes as u64);
    }

    /// Books a range coded section of `bytes` bytes: its bits are shared out among the headings in
    /// proportion to what they cost; the bits lost to rounding go to the largest remainders.
    pub fn book_coded(&mut self, spent: &Spent, bytes: u64) {
        let bits = 8 * bytes;
        let total: u128 = spent.0.iter().map(|s| u128::from(*s)).sum();
        if total < u128::from(FINE_BIT / 256) {
            self.bits[Heading::Runs as usize] += bits;
            return;
        }
        let share =
            |s: u64| (u128::from(s) * u128::from(bits) / total, u128::from(s) * u128::from(bits) % total);
        let mut left = bits - spent.0.iter().map(|s| share(*s).0 as u64).sum::<u64>();
        let mut order: Vec<usize> = (0..spent.0.len()).collect();
        order.sort_by_key(|i| (std::cmp::Reverse(share(spent.0[*i]).1), *i));
        for i in order {
            let extra = u64::from(left > 0);
            left -= extra;
            self.bits[i] += share(spent.0[i]).0 as u64 + extra;
        }
        debug_assert_eq!(left, 0);
    }

    /// Adds another ledger.
    pub fn add(&mut self, other: &Self) {
        for (a, b) in self.bits.iter_mut().zip(&other.bits) {
            *a += b;
        }
    }

    /// Bits booked under `heading`.
    pub fn bits(&self, heading: Heading) -> u64 {
        self.bits[heading as usize]
    }

    /// The packed size, in bits.
    pub fn total_bits(&self) -> u64 {
        self.bits.iter().sum()
    }

    /// Headings with their bits, in reading order.
    pub fn rows(&self) -> impl Iterator<Item = (Heading, u64)> + '_ {
        Heading::ALL.into_iter().map(|h| (h, self.bits(h)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_coded_section_add_up_to_it() {
        for bytes in [0, 1, 7, 1000] {
            for costs in [[1u32, 1, 1], [0, 0, 0], [1000, 1, 77777], [5, 500_000, 3]] {
                let mut spent = Spent::default();
                spent.add(Heading::Runs, costs[0]);
                spent.add(Heading::Seeds, costs[1]);
                spent.add(Heading::Residual, costs[2]);
                let mut ledger = Ledger::default();
                ledger.book_coded(&spent, bytes);
                assert_eq!(ledger.total_bits(), 8 * bytes, "{costs:?}");
            }
        }
    }
}
