//! The binary range coder (FORMAT.md, "Range coder"): one trait for writing, reading and pricing, so
//! that encoder and decoder walk the same code and cannot drift apart.
//!
//! Source: G. N. N. Martin, "Range encoding", 1979, in the carry-propagating form of LZMA.

use super::model::Bit;
use crate::ledger::{Heading, Spent};
use crate::price::{FINE_BIT, fine_cost};

/// Either direction. Writers code the value they are given and return it; readers ignore it and
/// return the value found.
pub trait Coder {
    /// A bit whose probability of being 0 is `p / 65536`, `1 <= p <= 65535`.
    fn fixed(&mut self, p: u16, bit: bool) -> bool;

    /// Books what follows under `heading`.
    fn book(&mut self, heading: Heading);

    /// An adaptively modelled bit.
    #[inline(always)]
    fn bit(&mut self, model: &mut Bit, bit: bool) -> bool {
        let bit = self.fixed(model.p(), bit);
        model.learn(bit);
        bit
    }

    /// `bits` equiprobable bits at once; `bits <= 16`, `value < 2^bits`.
    fn even(&mut self, value: u32, bits: u32) -> u32;

    /// `bits` equiprobable bits, highest first, sixteen at a time; `bits <= 64`.
    fn direct(&mut self, value: u64, bits: u32) -> u64 {
        let mut out = 0;
        let mut left = bits;
        while left > 0 {
            let now = left.min(16);
            left -= now;
            out = out << now | u64::from(self.even((value >> left) as u32 & ((1 << now) - 1), now));
        }
        out
    }
}

const TOP: u32 = 1 << 24;

/// Most trailing zero bytes an encoder leaves out; a decoder that needs more is reading damaged data.
const TRIMMED: usize = 5;

/// Writes.
#[derive(Debug)]
pub struct RangeEncoder {
    low: u64,
    range: u32,
    cache: u8,
    /// 0xff bytes held back behind `cache` until it is known whether a carry reaches them.
    pending: u64,
    started: bool,
    out: Vec<u8>,
}

impl Default for RangeEncoder {
    fn default() -> Self {
        Self { low: 0, range: u32::MAX, cache: 0, pending: 0, started: false, out: Vec::new() }
    }
}

impl RangeEncoder {
    #[inline]
    fn normalise(&mut self) {
        while self.range < TOP {
            self.range <<= 8;
            self.shift_low();
        }
    }

    fn shift_low(&mut self) {
        if self.low < 0xff00_0000 || self.low > 0xffff_ffff {
            let carry = (self.low >> 32) as u8;
            if self.started {
                self.out.push(self.cache.wrapping_add(carry));
            }
            self.out.extend(std::iter::repeat_n(0xffu8.wrapping_add(carry), self.pending as usize));
            self.pending = 0;
            self.started = true;
            self.cache = (self.low >> 24) as u8;
        } else {
            self.pending += 1;
        }
        self.low = (self.low & 0x00ff_ffff) << 8;
    }

    /// The coded bytes. The last value is chosen so that as many trailing bytes as possible are zero,
    /// and up to `TRIMMED` of those are left out: the decoder reads zeros past the end.
    pub fn finish(mut self) -> Vec<u8> {
        let high = self.low + u64::from(self.range) - 1;
        for keep in 0..=32u32 {
            let mask = (1u64 << (32 - keep)) - 1;
            let value = (self.low + mask) & !mask;
            if value <= high {
                self.low = value;
                break;
            }
        }
        for _ in 0..5 {
            self.shift_low();
        }
        let zeros = self.out.iter().rev().take(TRIMMED).take_while(|b| **b == 0).count();
        self.out.truncate(self.out.len() - zeros);
        self.out
    }
}

impl Coder for RangeEncoder {
    #[inline]
    fn fixed(&mut self, p: u16, bit: bool) -> bool {
        let bound = (self.range >> 16) * u32::from(p);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        self.normalise();
        bit
    }

    #[inline]
    fn even(&mut self, value: u32, bits: u32) -> u32 {
        self.range >>= bits;
        self.low += u64::from(value * self.range);
        self.normalise();
        value
    }

    fn book(&mut self, _: Heading) {}
}

/// Reads, and books what each heading costs.
#[derive(Clone, Debug)]
pub struct RangeDecoder<'a> {
    input: &'a [u8],
    at: usize,
    range: u32,
    code: u32,
    heading: Heading,
    spent: Spent,
}

/// Where a [`RangeDecoder`] stands, without its input: to go on later with the same bytes.
#[derive(Clone, Debug)]
pub struct Paused {
    at: usize,
    range: u32,
    code: u32,
    heading: Heading,
    spent: Spent,
}

impl<'a> RangeDecoder<'a> {
    /// Starts reading `input`.
    pub fn new(input: &'a [u8]) -> Self {
        let mut this =
            Self { input, at: 0, range: u32::MAX, code: 0, heading: Heading::Runs, spent: Spent::default() };
        for _ in 0..4 {
            this.code = this.code << 8 | u32::from(this.next());
        }
        this
    }

    /// Goes on reading `input` from where another decoder of it paused.
    pub fn resume(input: &'a [u8], paused: Paused) -> Self {
        let Paused { at, range, code, heading, spent } = paused;
        Self { input, at, range, code, heading, spent }
    }

    /// Remembers the place.
    pub fn pause(self) -> Paused {
        let Self { input: _, at, range, code, heading, spent } = self;
        Paused { at, range, code, heading, spent }
    }

    #[inline]
    fn normalise(&mut self) {
        while self.range < TOP {
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(self.next());
        }
    }

    #[inline]
    fn next(&mut self) -> u8 {
        let byte = self.input.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// True once more was read than an encoder can have meant: the data is damaged.
    pub fn overrun(&self) -> bool {
        self.at > self.input.len() + TRIMMED
    }

    /// What each heading has cost so far.
    pub fn spent(&self) -> &Spent {
        &self.spent
    }
}

impl Coder for RangeDecoder<'_> {
    #[inline]
    fn fixed(&mut self, p: u16, _: bool) -> bool {
        let bound = (self.range >> 16) * u32::from(p);
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        self.normalise();
        self.spent.add(self.heading, cost(p, bit));
        bit
    }

    #[inline]
    fn even(&mut self, _: u32, bits: u32) -> u32 {
        self.range >>= bits;
        // What division leaves over at the top of the range belongs to no value; damaged data may point there.
        let value = (self.code / self.range).min((1 << bits) - 1);
        self.code -= value * self.range;
        self.normalise();
        self.spent.add(self.heading, bits * FINE_BIT as u32);
        value
    }

    fn book(&mut self, heading: Heading) {
        self.heading = heading;
    }
}

/// Adds up what coding would cost, in fine units (1/65536 bit), and writes nothing.
#[derive(Clone, Debug, Default)]
pub struct Pricer {
    /// The total so far.
    pub fine: u64,
}

impl Coder for Pricer {
    fn fixed(&mut self, p: u16, bit: bool) -> bool {
        self.fine += u64::from(cost(p, bit));
        bit
    }

    fn even(&mut self, value: u32, bits: u32) -> u32 {
        self.fine += u64::from(bits) * FINE_BIT;
        value
    }

    fn book(&mut self, _: Heading) {}
}

/// Fine cost of coding `bit` where 0 has probability `p / 65536`.
#[inline]
pub fn cost(p: u16, bit: bool) -> u32 {
    let q = if bit { 65536 - u32::from(p) } else { u32::from(p) };
    COST[(q >> 4) as usize]
}

/// `COST[q >> 4]`: fine cost of probability `q / 65536`, at the middle of each sixteen.
static COST: [u32; 4096] = {
    let mut table = [0; 4096];
    let mut i = 0;
    while i < 4096 {
        table[i] = fine_cost((i * 16 + 8) as u16) as u32;
        i += 1;
    }
    table
};

const _: () = assert!(FINE_BIT * 17 < u32::MAX as u64);

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *state >> 33
    }

    fn sequence(len: usize, skew: u64, seed: u64) -> Vec<(u16, bool)> {
        let mut s = seed;
        (0..len)
            .map(|_| {
                let p = (noise(&mut s) % 65535 + 1) as u16;
                (p, noise(&mut s) % 100 < skew)
            })
            .collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let long = if cfg!(miri) { 300 } else { 5000 };
        for (len, skew) in [(0, 0), (1, 0), (1, 100), (7, 50), (long, 1), (long, 50), (long, 99), (long, 100)]
        {
            let bits = sequence(len, skew, len as u64 + skew);
            let mut encoder = RangeEncoder::default();
            for (p, bit) in &bits {
                encoder.fixed(*p, *bit);
            }
            let coded = encoder.finish();
            let mut decoder = RangeDecoder::new(&coded);
            for (i, (p, bit)) in bits.iter().enumerate() {
                assert_eq!(decoder.fixed(*p, false), *bit, "bit {i} of {len}, skew {skew}");
            }
            assert!(!decoder.overrun());
        }
    }

    #[test]
    fn even_values_of_every_width_come_back_between_others() {
        let mut s = 9;
        let count = if cfg!(miri) { 500 } else { 20_000 };
        let values: Vec<(u64, u32, u16)> = (0..count)
            .map(|i| {
                let bits = i % 65;
                let value = noise(&mut s) << 33 ^ noise(&mut s) << 11 ^ noise(&mut s);
                let value = if i % 7 == 0 { u64::MAX } else { value };
                (value & (1u128 << bits).wrapping_sub(1) as u64, bits, (noise(&mut s) % 65535 + 1) as u16)
            })
            .collect();
        let (mut encoder, mut pricer) = (RangeEncoder::default(), Pricer::default());
        for (value, bits, p) in &values {
            encoder.direct(*value, *bits);
            encoder.fixed(*p, value & 1 != 0);
            pricer.direct(*value, *bits);
            pricer.fixed(*p, value & 1 != 0);
        }
        let coded = encoder.finish();
        let priced = pricer.fine / FINE_BIT / 8;
        assert!(coded.len() as u64 <= priced + priced / 500, "{} coded, {priced} priced", coded.len());
        let mut decoder = RangeDecoder::new(&coded);
        for (value, bits, p) in &values {
            assert_eq!(decoder.direct(0, *bits), *value, "{bits} bits");
            assert_eq!(decoder.fixed(*p, false), value & 1 != 0);
        }
        assert!(!decoder.overrun());
        assert_eq!(pricer.fine, decoder.spent().get(Heading::Runs));
    }

    #[test]
    fn carries_run_through_held_back_bytes() {
        // A long row of improbable ones at p = 65535/65536 keeps low just under a carry.
        let bits: Vec<(u16, bool)> =
            (0..if cfg!(miri) { 400 } else { 4000 }).map(|i| (65535, i % 3 != 1)).collect();
        let mut encoder = RangeEncoder::default();
        for (p, bit) in &bits {
            encoder.fixed(*p, *bit);
        }
        let coded = encoder.finish();
        let mut decoder = RangeDecoder::new(&coded);
        assert!(bits.iter().all(|(p, bit)| decoder.fixed(*p, false) == *bit));
    }

    #[test]
    fn size_is_what_the_pricer_says_and_the_end_is_trimmed() {
        let mut encoder = RangeEncoder::default();
        let mut pricer = Pricer::default();
        let mut s = 5;
        for _ in 0..if cfg!(miri) { 2000 } else { 20_000 } {
            let bit = noise(&mut s).is_multiple_of(10);
            encoder.fixed(58982, bit);
            pricer.fixed(58982, bit);
        }
        let coded = encoder.finish().len() as u64;
        let priced = pricer.fine / FINE_BIT / 8;
        assert!(coded.abs_diff(priced) < 8, "{coded} coded, {priced} priced");
        let mut zeros = RangeEncoder::default();
        (0..100).for_each(|_| {
            zeros.direct(0, 64);
        });
        let coded = zeros.finish();
        let mut decoder = RangeDecoder::new(&coded);
        assert!((0..100).all(|_| decoder.direct(0, 64) == 0) && !decoder.overrun());
        let mut sure = RangeEncoder::default();
        (0..100).for_each(|_| {
            sure.fixed(65000, false);
        });
        assert!(sure.finish().len() <= 1);
    }

    #[test]
    fn reading_past_the_end_is_noticed() {
        let mut decoder = RangeDecoder::new(&[1, 2, 3]);
        (0..200).for_each(|_| {
            decoder.fixed(0x8000, false);
        });
        assert!(decoder.overrun());
    }
}
