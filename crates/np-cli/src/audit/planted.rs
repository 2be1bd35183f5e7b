//! Randomness, from the operating system or repeatable, and the positive control: a generator planted in it.

use anyhow::anyhow;
use np_core::generator::Key;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::str::FromStr;

/// Where randomness comes from. Neither has anything to do with the generators the packer knows.
#[derive(Clone, Copy, Debug)]
pub enum Randomness {
    /// The operating system.
    System,
    /// ChaCha12, from a seed: repeatable.
    Seeded(u64),
}

impl Randomness {
    /// `bytes` random bytes of trial number `trial`.
    pub fn bytes(self, trial: u64, bytes: usize) -> anyhow::Result<Vec<u8>> {
        let mut out = vec![0; bytes];
        match self {
            Self::System => getrandom::fill(&mut out)
                .map_err(|e| anyhow!("the operating system gives no randomness: {e}"))?,
            Self::Seeded(seed) => {
                let mut rng = ChaCha12Rng::seed_from_u64(seed);
                rng.set_stream(trial);
                rng.fill_bytes(&mut out);
            }
        }
        Ok(out)
    }

    /// For people.
    pub fn name(self) -> String {
        match self {
            Self::System => "randomness of the operating system".to_owned(),
            Self::Seeded(seed) => format!("ChaCha12 randomness, seed {seed}"),
        }
    }
}

/// MT19937 streams hidden in randomness: at byte 0 and then every `every` bytes, `bytes` bytes of the stream of
/// the seeds `seed`, `seed + 1`, ..., with a share of their bits flipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planted {
    seed: u32,
    flip: f64,
    bytes: Option<usize>,
    every: Option<usize>,
}

impl FromStr for Planted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if !(2..=4).contains(&parts.len()) {
            return Err("it is SEED,FLIP[,BYTES[,EVERY]], say 42,0.1 or 1000,0.05,64,640".to_owned());
        }
        let seed = parts[0].parse().map_err(|_| format!("{:?} is no seed from 0 to 2^32 - 1", parts[0]))?;
        let flip: f64 =
            parts[1].parse().map_err(|_| format!("{:?} is no share of flipped bits", parts[1]))?;
        if !(0.0..=1.0).contains(&flip) {
            return Err(format!("a share of flipped bits is between 0 and 1, not {flip}"));
        }
        let size = |i: usize| match parts.get(i) {
            None => Ok(None),
            Some(text) => match crate::size::parse(text)? {
                0 => Err("a stream has at least one byte".to_owned()),
                size => Ok(Some(usize::try_from(size).map_err(|e| e.to_string())?)),
            },
        };
        let (bytes, every) = (size(2)?, size(3)?);
        if let (Some(bytes), Some(every)) = (bytes, every)
            && every < bytes
        {
            return Err(format!("streams of {bytes} bytes every {every} bytes would overlap"));
        }
        Ok(Self { seed, flip, bytes, every })
    }
}

impl Planted {
    /// Hides the streams in `input`, the randomness of trial number `trial`; the flips are random too.
    pub fn plant(self, input: &mut [u8], randomness: Randomness, trial: u64) -> anyhow::Result<()> {
        let len = input.len();
        let bytes = self.bytes.unwrap_or(len).max(1);
        let every = self.every.unwrap_or(len).max(1);
        // Four bytes decide a bit, and none of them is one of the input's own.
        let odds = (self.flip * 2f64.powi(32)) as u64;
        for (place, seed) in input.chunks_mut(every).zip(0u32..) {
            let covered = place.len().min(bytes);
            let place = &mut place[..covered];
            Key::Genrand(self.seed.wrapping_add(seed)).stream().fill(place);
            if odds == 0 {
                continue;
            }
            let number = trial << 32 | 1 << 31 | u64::from(seed);
            let dice = randomness.bytes(number, 32 * place.len())?;
            for (bit, dice) in dice.chunks_exact(4).enumerate() {
                let dice = u32::from_le_bytes([dice[0], dice[1], dice[2], dice[3]]);
                place[bit / 8] ^= u8::from(u64::from(dice) < odds) << (bit % 8);
            }
        }
        Ok(())
    }

    /// For people.
    pub fn name(self) -> String {
        let streams = match (self.bytes, self.every) {
            (bytes, Some(every)) => {
                let bytes = bytes.unwrap_or(every);
                format!("streams of {bytes} bytes every {every} bytes, seeds from {} on", self.seed)
            }
            (Some(bytes), None) => format!("a stream of {bytes} bytes, seed {}", self.seed),
            (None, None) => format!("one stream, seed {}", self.seed),
        };
        format!("planted: {streams}, {} % of its bits flipped", 100.0 * self.flip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_randomness_is_repeatable_and_differs_by_trial() {
        let bytes = |seed, trial| Randomness::Seeded(seed).bytes(trial, 100).unwrap();
        assert_eq!(bytes(1, 2), bytes(1, 2));
        assert_ne!(bytes(1, 2), bytes(1, 3));
        assert_ne!(bytes(1, 2), bytes(2, 2));
        assert_ne!(Randomness::System.bytes(0, 100).unwrap(), Randomness::System.bytes(0, 100).unwrap());
    }

    #[test]
    fn what_is_planted_is_where_it_was_asked_for() {
        let randomness = Randomness::Seeded(5);
        let before = randomness.bytes(0, 1000).unwrap();
        let mut input = before.clone();
        "7,0,64,200".parse::<Planted>().unwrap().plant(&mut input, randomness, 0).unwrap();
        for (i, place) in input.chunks(200).enumerate() {
            let mut stream = [0; 64];
            Key::Genrand(7 + i as u32).stream().fill(&mut stream);
            assert_eq!(place[..64], stream);
            assert_eq!(place[64..], before[200 * i + 64..200 * (i + 1)]);
        }
    }

    #[test]
    fn as_many_bits_are_flipped_as_asked() {
        for (text, low, high) in [("9,0.1", 39_000, 41_000), ("9,1", 400_000, 400_000), ("9,0", 0, 0)] {
            let planted: Planted = text.parse().unwrap();
            let mut input = vec![0; 50_000];
            planted.plant(&mut input, Randomness::Seeded(1), 0).unwrap();
            Key::Genrand(9).stream().xor(&mut input);
            let flips: u32 = input.iter().map(|byte| byte.count_ones()).sum();
            assert!((low..=high).contains(&flips), "{text}: {flips}");
        }
    }

    #[test]
    fn what_cannot_be_planted_is_refused() {
        for text in
            ["", "1", "x,0.1", "1,2", "1,-0.1", "1,0.1,0", "1,0.1,64,32", "1,0.1,2,3,4", "4294967296,0"]
        {
            assert!(text.parse::<Planted>().is_err(), "{text:?}");
        }
        let planted: Planted = "1000, 0.05, 64, 1K".parse().unwrap();
        assert_eq!(
            planted.name(),
            "planted: streams of 64 bytes every 1024 bytes, seeds from 1000 on, 5 % of its bits flipped"
        );
    }
}
