//! The key table: each key of a file is paid once and then named by its place (FORMAT.md, "Keys").

use crate::codec::coder::Coder;
use crate::codec::model::UInt;
use crate::error::Error;
use crate::generator::{Generator, Key, Seeding, mt19937};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Most keys in a file.
pub const KEYS_MAX: usize = 1 << 20;
/// A key that the table has already counts as so many: packers name its place, and no more than a bit or so is paid for each.
pub const EQUAL_COUNTS: usize = 1 << 10;
/// Most words of all keys together: 64 MiB.
pub const KEY_WORDS_MAX: usize = 1 << 24;

/// What a file with more is told to have too much of.
pub(super) const TOO_MANY: &str = "the number of keys";

/// Bytes of memory that a key takes besides its words: the entry, the shared key, and its place in the hash table.
const KEY_MEMORY: u64 = 160;

/// A stream that is left and begun anew counts as so many skipped bytes: at most 2^20 times in a file, by default.
pub const START_COST: u64 = 1 << 16;

/// A stream that is begun anew for fewer bytes counts as often as its run goes into so many: it does not pay, and a million
/// such runs need no more than 17 KB.
pub const START_PAYS: u64 = 32;

/// A stream is expected to be still at hand if its key was used by one of the last this many runs.
pub const STREAMS_KEPT: usize = 64;

#[derive(Clone, Debug)]
struct Place {
    key: Arc<Key>,
    /// Stream byte after the last run that used this place.
    next: u64,
    /// The first place of an equal key: a decoder has one stream for all of them.
    first: usize,
    /// At the first place: where that stream was left, and after how many runs.
    left: (u64, u64),
}

/// All keys of a file so far, oldest first. It lives across segments.
#[derive(Clone, Debug, Default)]
pub struct KeyTable {
    entries: Vec<Place>,
    places: HashMap<Arc<Key>, usize>,
    words: usize,
    /// Places of keys that the table had already.
    equal: usize,
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
        let place = self.entries.len();
        let (key, first) = match self.places.entry(Arc::new(key)) {
            Entry::Vacant(new) => (new.insert_entry(place).key().clone(), place),
            Entry::Occupied(mut equal) => {
                self.equal += 1;
                let last = equal.insert(place);
                (equal.key().clone(), self.entries[last].first)
            }
        };
        let count = place + 1 + self.equal * (EQUAL_COUNTS - 1);
        if count > KEYS_MAX || self.words > KEY_WORDS_MAX {
            let (found, limit) = (count as u64, KEYS_MAX as u64);
            return Err(Error::OutOfRange { offset, what: TOO_MANY, found, limit });
        }
        self.entries.push(Place { key, next: 0, first, left: (0, self.runs) });
        Ok(place)
    }

    /// Notes a run of the key at place `index`, from stream byte `position` to `end`.
    pub fn note_run(&mut self, index: usize, position: u64, end: u64) {
        self.entries[index].next = end;
        let first = self.entries[index].first;
        let stream = &mut self.entries[first];
        let (left, run) = stream.left;
        let at_hand = self.runs - run < STREAMS_KEPT as u64 && left <= position;
        let skipped = if at_hand { position - left } else { position + start_cost(end - position) };
        self.skipped = self.skipped.saturating_add(skipped);
        self.runs += 1;
        stream.left = (end, self.runs);
    }

    /// Bytes of memory that the table takes, at most.
    pub fn memory(&self) -> u64 {
        self.entries.len() as u64 * KEY_MEMORY + 4 * self.words as u64
    }

    /// Stream bytes a decoder has to generate only to skip them, for all runs so far; [`START_COST`] for each stream
    /// begun anew.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// What a stream that is begun anew for a run of `len` bytes counts as, in skipped bytes.
fn start_cost(len: u64) -> u64 {
    START_COST * (START_PAYS / len).max(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_what_one_stream_for_each_key_skips() {
        let mut keys = KeyTable::default();
        let far = 1 << 40;
        let one = keys.add(Key::Genrand(5), 0).unwrap();
        let equal = keys.add(Key::Genrand(5), 0).unwrap();
        let mut expected = 0;
        let mut run = |index, position, cost| {
            keys.note_run(index, position, position + 1);
            expected += cost;
            assert_eq!(keys.skipped(), expected, "place {index} at {position}");
            assert_eq!(keys.get(index).unwrap().1, position + 1);
        };
        run(one, far, far);
        run(one, far + 1, 0);
        run(one, far + 11, 9);
        // The stream has passed by: an equal key at another place does not have one of its own.
        run(equal, far, far + 32 * START_COST);
        run(equal, far + 1, 0);
        run(one, far + 12, 10);
        run(equal, far + 2, far + 2 + 32 * START_COST);
    }

    #[test]
    fn streams_not_used_for_long_begin_anew() {
        let mut keys = KeyTable::default();
        let one = keys.add(Key::Genrand(5), 0).unwrap();
        let other = keys.add(Key::Genrand(6), 0).unwrap();
        keys.note_run(one, 0, 10);
        (0..STREAMS_KEPT as u64).for_each(|i| keys.note_run(other, i, i + 1));
        assert_eq!(keys.skipped(), 0);
        keys.note_run(one, 10, 42);
        assert_eq!(keys.skipped(), 10 + START_COST);
    }

    #[test]
    fn the_shorter_the_run_the_more_it_counts_to_begin_anew() {
        for (len, times) in [(1, 32), (2, 16), (5, 6), (16, 2), (17, 1), (32, 1), (33, 1), (1 << 25, 1)] {
            let mut keys = KeyTable::default();
            let one = keys.add(Key::Genrand(5), 0).unwrap();
            keys.note_run(one, 0, 100);
            keys.note_run(one, 0, len);
            assert_eq!(keys.skipped(), times * START_COST, "a run of {len} bytes");
        }
    }

    #[test]
    fn keys_that_are_there_already_are_soon_too_many() {
        let add = |keys: &mut KeyTable, seed| keys.add(Key::Genrand(seed), 7);
        let mut keys = KeyTable::default();
        for _ in 0..KEYS_MAX / EQUAL_COUNTS {
            add(&mut keys, 1).unwrap();
        }
        let Err(Error::OutOfRange { offset: 7, what: TOO_MANY, found, limit }) = add(&mut keys, 1) else {
            panic!("they are too many")
        };
        assert!(found > limit && limit == KEYS_MAX as u64);
        // Others are told apart from them.
        let mut keys = KeyTable::default();
        for seed in 0..1000 {
            assert_eq!(add(&mut keys, seed).unwrap(), seed as usize);
        }
        for seed in 0..100 {
            add(&mut keys, seed * 10).unwrap();
        }
        assert_eq!(keys.find(&Key::Genrand(990)), Some(1099));
        assert_eq!(keys.find(&Key::Genrand(991)), Some(991));
    }
}
