//! The run table of a segment (FORMAT.md, "Runs").

use super::POSITION_MAX;
use super::keys::{KeyModels, KeyTable};
use super::layout::{Bias, Run};
use crate::codec::coder::{Coder, RangeDecoder};
use crate::codec::model::{Bit, Tree, UInt};
use crate::error::Error;
use crate::generator::Key;
use crate::ledger::Heading;
use std::sync::Arc;

/// Most runs in a segment.
pub const RUNS_MAX: usize = 1 << 16;

/// How a run's stream position is told.
const CONTIGUOUS: usize = 0;
const SAME_ALIGNMENT: usize = 1;
const EXPLICIT: usize = 2;

/// Models of the run table. They start anew in each segment.
#[derive(Default)]
struct RunModels {
    count: UInt,
    gap: UInt,
    length: UInt,
    new_key: Bit,
    key_distance: UInt,
    key: KeyModels,
    position_kind: Tree<4>,
    position: UInt,
    class: Tree<64>,
    complement: Bit,
}

/// Codes the runs of a segment of `len` bytes that starts at byte `offset` of the packed file. A writer
/// passes the runs, a reader passes none and gets them. `keys` takes in what is new.
pub fn code(
    coder: &mut impl Coder,
    keys: &mut KeyTable,
    len: usize,
    offset: u64,
    given: &[Run],
) -> Result<Vec<Run>, Error> {
    let mut m = RunModels::default();
    coder.book(Heading::Runs);
    let count = m.count.code(coder, given.len() as u64);
    limit(offset, "the number of runs", count, RUNS_MAX as u64)?;
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    let blank = Run { start: 0, len: 1, key: Arc::new(Key::Genrand(0)), position: 0, bias: Bias::default() };
    for i in 0..count as usize {
        let (given, writes) = given.get(i).map_or((&blank, false), |run| (run, true));
        coder.book(Heading::Runs);
        let gap = m.gap.code(coder, given.start.wrapping_sub(at) as u64);
        limit(offset, "the start of a run", gap, (len - at) as u64)?;
        let start = at + gap as usize;
        let length = m.length.code(coder, given.len as u64 - 1);
        limit(offset, "the end of a run", length.saturating_add(1), (len - start) as u64)?;
        let length = length as usize + 1;

        coder.book(Heading::Keys);
        let known = if writes { keys.find(&given.key) } else { None };
        let index = if coder.bit(&mut m.new_key, known.is_none()) {
            let key = m.key.code(coder, &given.key, offset)?;
            keys.add(key, offset)?
        } else {
            let distance = m.key_distance.code(coder, known.map_or(0, |k| keys.len() - 1 - k) as u64);
            match keys.len().checked_sub(1).and_then(|last| last.checked_sub(usize::try_from(distance).ok()?))
            {
                Some(index) => index,
                None => {
                    return Err(Error::Damaged { offset, what: "a run names a key the file does not have" });
                }
            }
        };

        coder.book(Heading::Runs);
        let (key, contiguous) = keys.get(index).expect("the index was just made or checked");
        let key = key.clone();
        let aligned = match runs.last() {
            Some(last) if *last.key == *key => contiguous + gap,
            _ => contiguous,
        };
        let kind = match given.position {
            p if p == contiguous => CONTIGUOUS,
            p if p == aligned => SAME_ALIGNMENT,
            _ => EXPLICIT,
        };
        let position = match m.position_kind.code(coder, kind) {
            CONTIGUOUS => contiguous,
            SAME_ALIGNMENT => aligned,
            EXPLICIT => m.position.code(coder, given.position),
            _ => return Err(Error::Damaged { offset, what: "a stream position of an unknown kind" }),
        };
        limit(offset, "a stream position", position, POSITION_MAX - len as u64)?;

        coder.book(Heading::Weights);
        let class = m.class.code(coder, given.bias.class.into()) as u8;
        let complement = coder.bit(&mut m.complement, given.bias.complement);

        keys.note_run(index, position, position + length as u64);
        runs.push(Run { start, len: length, key, position, bias: Bias { class, complement } });
        at = start + length;
    }
    Ok(runs)
}

/// Reads the runs of a segment and checks that the section was long enough for them.
pub fn code_checked(
    coder: &mut RangeDecoder<'_>,
    keys: &mut KeyTable,
    len: usize,
    offset: u64,
) -> Result<Vec<Run>, Error> {
    let runs = code(coder, keys, len, offset, &[])?;
    if coder.overrun() {
        return Err(Error::Damaged { offset, what: "the run table is longer than its section" });
    }
    Ok(runs)
}

fn limit(offset: u64, what: &'static str, found: u64, limit: u64) -> Result<(), Error> {
    if found > limit { Err(Error::OutOfRange { offset, what, found, limit }) } else { Ok(()) }
}
