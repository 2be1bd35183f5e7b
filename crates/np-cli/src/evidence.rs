//! How well a generator explains what it was found in. For display only: nothing here decides a bit.

use np_core::format::layout::Run;
use np_core::generator::{Key, Stream};
use std::sync::Arc;

/// Bits that were compared, and those that differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flips {
    /// Bits compared.
    pub bits: u64,
    /// Bits that differ.
    pub ones: u64,
}

impl Flips {
    /// Compares `data` with its mask. `complement`: the mask is complemented first.
    pub fn count(data: &[u8], stream: &mut Stream, complement: bool) -> Self {
        let mut residual = data.to_vec();
        stream.xor(&mut residual);
        let ones = residual.iter().map(|byte| u64::from(byte.count_ones())).sum();
        let bits = 8 * data.len() as u64;
        Self { bits, ones: if complement { bits - ones } else { ones } }
    }

    /// Takes in others.
    pub fn add(&mut self, other: Self) {
        self.bits += other.bits;
        self.ones += other.ones;
    }

    /// Share of the bits that differ.
    pub fn rate(self) -> f64 {
        if self.bits == 0 { 0.0 } else { self.ones as f64 / self.bits as f64 }
    }

    /// Bits these flips cost at the information limit.
    pub fn entropy(self) -> f64 {
        let p = self.rate();
        let h = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
        self.bits as f64 * (h(p) + h(1.0 - p))
    }

    /// The bits that the generator explains, less log2 of every hypothesis of its kind: `key_bits` for the
    /// keys, and the places, lengths, stream positions and numbers of flips there are. Chance reaches
    /// e bits of this with a probability below 2^-e.
    pub fn evidence(self, key_bits: u64, input_bytes: u64, position: u64) -> f64 {
        let places = 2.0 * log2(input_bytes) + 2.0 * log2(position) + log2(self.bits) + 1.0;
        self.bits as f64 - self.entropy() - key_bits as f64 - places
    }
}

fn log2(n: u64) -> f64 {
    (n as f64 + 1.0).log2()
}

/// Bits of a key.
pub fn key_bits(key: &Key) -> u64 {
    32 * key.words().len() as u64
}

/// Compares runs with their streams, in order; a stream that goes on is not begun anew.
#[derive(Default)]
pub struct Meter(Option<(Arc<Key>, Stream)>);

impl Meter {
    /// The flips of `run` in its segment's `content`.
    pub fn run(&mut self, content: &[u8], run: &Run) -> Flips {
        let mut stream = match self.0.take() {
            Some((key, stream)) if key == run.key && stream.position() <= run.position => stream,
            _ => run.key.stream(),
        };
        stream.skip(run.position - stream.position());
        let flips = Flips::count(&content[run.range()], &mut stream, run.bias.complement);
        self.0 = Some((run.key.clone(), stream));
        flips
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use np_core::format::layout::Bias;

    #[test]
    fn planted_flips_are_counted() {
        let key = Arc::new(Key::Genrand(5));
        let mut content = vec![0; 3000];
        key.stream().fill(&mut content);
        content[10] ^= 3;
        content[2500] ^= 128;
        let mut meter = Meter::default();
        let mut run = Run { start: 0, len: 1000, key, position: 0, bias: Bias::default() };
        assert_eq!(meter.run(&content, &run), Flips { bits: 8000, ones: 2 });
        run = Run { start: 2000, position: 2000, ..run };
        assert_eq!(meter.run(&content, &run), Flips { bits: 8000, ones: 1 });
        run.bias.complement = true;
        assert_eq!(meter.run(&content, &run), Flips { bits: 8000, ones: 7999 });
    }

    #[test]
    fn chance_is_no_evidence() {
        assert!(Flips { bits: 512, ones: 185 }.evidence(32, 51200, 0) < 0.0);
        assert!(Flips { bits: 8000, ones: 400 }.evidence(32, 51200, 0) > 5000.0);
    }
}
