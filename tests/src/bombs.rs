//! Files of little size that ask for a lot: length, stream offset, skips, streams begun anew, keys, memory, segments.

use crate::apart::{Part, RunFields, run_table, together};
use np_core::format::SEGMENT_MAX;
use np_core::format::digest::{self, Chain, segment_hash};
use np_core::format::reader::HEADER;
use np_core::generator::Key;

/// A file that asks for more than its size lets expect.
pub struct Bomb {
    /// File name, without `.np`.
    pub name: &'static str,
    /// The packed file.
    pub packed: Vec<u8>,
    /// What it claims, for people.
    pub claims: &'static str,
    /// The name of its error with default limits (see [`crate::golden::name`]).
    pub error: &'static str,
}

/// A file of these segments, the last one marked; digests are those of the contents, which `content` makes.
fn chained(parts: &[Part], mut content: impl FnMut(&Part) -> Vec<u8>) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let mut chain = Chain::new(&HEADER);
    let mut before: Option<(Vec<u8>, u64)> = None;
    for (i, part) in parts.iter().enumerate() {
        let mut part = part.clone();
        part.head |= if i + 1 == parts.len() { 4 } else { 0 };
        let mut stored = together(std::slice::from_ref(&part)).split_off(HEADER.len());
        stored.truncate(stored.len() - digest::BYTES);
        let own = match &before {
            Some((same, own)) if *same == stored => *own,
            _ => segment_hash(&stored, Some(&content(&part))),
        };
        out.extend(&stored);
        out.extend(&chain.accept(own).to_le_bytes()[..digest::BYTES]);
        before = Some((stored, own));
    }
    out
}

/// Zero digests: what is refused is refused before it comes to them.
fn unchained(parts: &[Part]) -> Vec<u8> {
    chained(parts, |_| Vec::new())
}

/// A segment that consists of these runs.
fn runs(len: u64, count: u64, runs: impl IntoIterator<Item = RunFields>) -> Part {
    Part::mixed(len, run_table(count, runs), Vec::new(), Vec::new())
}

const RUNS: u64 = 1 << 16;

/// All of them.
pub fn bombs() -> Vec<Bomb> {
    let filled = |part: &Part| vec![part.sections[0][0]; part.len as usize];
    let zeros = vec![Part::fill(SEGMENT_MAX as u64, 0); 2049];
    let key = |position| RunFields { key: Ok(Key::Genrand(1)), kind: 2, position, ..RunFields::default() };
    let far = runs(1, 1, [key(1 << 43)]);
    // Two places of one key take turns, each where the stream of both has just passed.
    let turns = (0..198).map(|i| RunFields { key: Err(1 - i % 2), ..RunFields::default() });
    let equal = runs(200, 200, [key(1 << 33), key(1 << 33)].into_iter().chain(turns));
    let again = |first: Option<RunFields>| {
        let rest = RUNS - u64::from(first.is_some());
        let more = (0..rest).map(|_| RunFields { kind: 2, ..RunFields::default() });
        runs(RUNS, RUNS, first.into_iter().chain(more))
    };
    let restarts: Vec<Part> = (0..17).map(|i| again((i == 0).then(|| key(0)))).collect();
    let new_keys = || (0..RUNS).map(|_| RunFields { key: Ok(Key::Genrand(1)), ..RunFields::default() });
    let keys: Vec<Part> = (0..17).map(|_| runs(RUNS, RUNS, new_keys())).collect();
    let many = runs(1, u64::from(u32::MAX), []);
    let absent = [&HEADER[..], &[6, 0x80, 0x80, 0x80, 0x10, 0], &[0x80, 0x80, 0x80, 0x10].repeat(3)].concat();
    let bomb = |name, packed, claims, error| Bomb { name, packed, claims, error };
    vec![
        bomb("length", chained(&zeros, filled), "64 GiB of output and 32 MiB", "OverLimit: --max-output"),
        bomb("position", unchained(&[far]), "8 TiB of stream before one byte", "OverLimit: --max-skip"),
        bomb("skips", unchained(&[equal]), "8 GiB of stream skipped 100 times", "OverLimit: --max-skip"),
        bomb("restarts", unchained(&restarts), "a stream begun 1,114,112 times", "OverLimit: --max-skip"),
        bomb("keys", unchained(&keys), "1,114,112 keys", "OutOfRange: the number of keys"),
        bomb("runs", unchained(&[many]), "2^32 - 1 runs", "OutOfRange: the number of runs"),
        bomb("absent", absent, "96 MiB of sections that are not there", "Truncated: a segment's sections"),
    ]
}

/// As many segments as possible: nothing to refuse, but work that must not grow faster than the file.
pub fn tiny_segments(count: usize) -> Vec<u8> {
    let one = RunFields { key: Ok(Key::Genrand(0)), ..RunFields::default() };
    let again = runs(1, 1, [RunFields::default()]);
    let parts: Vec<Part> =
        (0..count).map(|i| if i == 0 { runs(1, 1, [one.clone()]) } else { again.clone() }).collect();
    let mut stream = Key::Genrand(0).stream();
    let mut out = HEADER.to_vec();
    let mut chain = Chain::new(&HEADER);
    for (i, mut part) in parts.into_iter().enumerate() {
        part.head |= if i + 1 == count { 4 } else { 0 };
        let mut stored = together(std::slice::from_ref(&part)).split_off(HEADER.len());
        stored.truncate(stored.len() - digest::BYTES);
        let mut byte = [0];
        stream.fill(&mut byte);
        let own = segment_hash(&stored, Some(&byte));
        out.extend(stored);
        out.extend(&chain.accept(own).to_le_bytes()[..digest::BYTES]);
    }
    out
}
