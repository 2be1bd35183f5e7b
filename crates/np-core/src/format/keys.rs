//! The key table: each key of a file is paid once and then named by its place (FORMAT.md, "Keys").

use crate::codec::coder::Coder;
use crate::codec::model::UInt;
use crate::error::Error;
use crate::generator::{Generator, Key, Seeding, mt19937};
use std::collections::HashMap;
use std::sync::Arc;

/// Most keys in a file.
pub const KEYS_MAX: usize = 1 << 20;
/// Most words of all keys together: 64 MiB.
pub const KEY_WORDS_MAX: usize = 1 << 24;

/// A stream is expected to be still at hand if its key was used by one of the last this many runs.
pub const STREAMS_KEPT: usize = 64;

#[derive(Clone, Debug)]
struct Entry {
    key: Arc<Key>,
    next: u64,
    /// Number of runs before the last that used it.
    used: u64,
}

/// All keys of a file so far, oldest first. It lives across segments.
#[derive(Clone, Debug, Default)]
pub struct KeyTable {
    entries: Vec<Entry>,
    places: HashMap<Arc<Key>, usize>,
    words: usize,
    runs: u64,
    skipped: u64,
}

impl KeyTable {
    /// The place of `key`, if the table has it.
    pub fn find(&self, key: &Key) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// The key at place `index`, and the stream byte after the last run that used it.
    pub fn get(&self, index: usize) -> Option<(&Arc<Key>, u64)> {
        self.entries.get(index).map(|e| (&e.key, e.next))
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True before the first key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a key at stream position 0 and returns its place. `offset`: the segment's, for errors.
    pub fn add(&mut self, key: Key, offset: u64) -> Result<usize, Error> {
        self.words += key.words().len();
        if self.entries.len() == KEYS_MAX || self.words > KEY_WORDS_MAX {
            return Err(Error::OutOfRange {
                offset,
                what: "the number of keys",
                found: self.entries.len() as u64 + 1,
                limit: KEYS_MAX as u64,
            });
        }
        let key = Arc::new(key);
        self.places.insert(key.clone(), self.entries.len());
        self.entries.push(Entry { key, next: 0, used: self.runs });
        Ok(self.entries.len() - 1)
    }

    /// Notes a run of the key at place `index`, from stream byte `position` to `end`.
    pub fn note_run(&mut self, index: usize, position: u64, end: u64) {
        let entry = &mut self.entries[index];
        let at_hand = self.runs - entry.used < STREAMS_KEPT as u64 && entry.next <= position;
        self.skipped = self.skipped.saturating_add(position - if at_hand { entry.next } else { 0 });
        self.runs += 1;
        entry.used = self.runs;
        entry.next = end;
    }

    /// Stream bytes a decoder has to generate only to skip them, for all runs so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// Models for new keys.
#[derive(Clone, Debug, Default)]
pub struct KeyModels {
    generator: UInt,
    seeding: UInt,
    genrand: UInt,
    array_length: UInt,
}

impl KeyModels {
    /// Codes a key; a reader passes any key. `offset`: the segment's, for errors.
    pub fn code(&mut self, coder: &mut impl Coder, key: &Key, offset: u64) -> Result<Key, Error> {
        let Generator::Mt19937 = Generator::from_id(self.generator.code(coder, key.generator().id()))?;
        let words = key.words();
        Ok(match Seeding::from_id(self.seeding.code(coder, key.seeding().id()))? {
            Seeding::Genrand => {
                let seed = self.genrand.code(coder, words[0].into());
                let seed = u32::try_from(seed).map_err(|_| Error::OutOfRange {
                    offset,
                    what: "a genrand seed",
                    found: seed,
                    limit: u32::MAX.into(),
                })?;
                Key::Genrand(seed)
            }
            Seeding::ByArray => {
                let length = self.array_length.code(coder, words.len() as u64);
                if !(1..=Key::MAX_ARRAY as u64).contains(&length) {
                    return Err(Error::OutOfRange {
                        offset,
                        what: "the length of a by_array key",
                        found: length,
                        limit: Key::MAX_ARRAY as u64,
                    });
                }
                let word = |i| coder.direct(words.get(i).copied().unwrap_or(0).into(), 32) as u32;
                Key::ByArray((0..length as usize).map(word).collect())
            }
            Seeding::State => {
                let mut state = Box::new([0; mt19937::N]);
                for (i, word) in state.iter_mut().enumerate() {
                    *word = coder.direct(words.get(i).copied().unwrap_or(0).into(), 32) as u32;
                }
                Key::State(state)
            }
        })
    }
}
