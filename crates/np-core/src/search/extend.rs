//! From one place where a stream fits to the runs it explains: how far it goes, through bit errors and
//! damage, with which bias where, and at which exact byte it starts and ends.

use crate::bias::{self, DENSE, FIRST_DENSE};
use crate::format::layout::{Bias, Run};
use crate::generator::Key;
use crate::price::{FINE_BIT, fine_cost, log2_fine};
use fearless_simd::{Level, Simd, dispatch};
use std::ops::Range;
use std::sync::Arc;

/// Bytes whose ones are counted together.
const CHUNK: usize = 64;
const CHUNK_BITS: i64 = 8 * CHUNK as i64;
/// The search for a stream's end stops when this much of what was gained is lost again: 2 KiB of damage
/// in an exact stream.
const DROP: i64 = 32768 * FINE_BIT as i64;
/// What a change of bias costs: another entry in the run table.
const SWITCH: i64 = 80 * FINE_BIT as i64;

/// A place where a stream fits.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// The generator's key.
    pub key: Arc<Key>,
    /// Byte of the segment.
    pub offset: usize,
    /// Stream byte there.
    pub position: u64,
    /// The mask's complement fits.
    pub complement: bool,
    /// Bits looked at from there on.
    pub bits: u64,
    /// Ones in their residual (after complementing).
    pub ones: u64,
}

/// A way to price a chunk: by a bias class, as plain bytes, or as few ones.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    one: i64,
    zero: i64,
    plain: bool,
}

/// Plain; exact (told as very few ones); sparse at four densities; every second dense class.
fn states() -> Vec<State> {
    let mut out = vec![State { one: FINE_BIT as i64, zero: FINE_BIT as i64, plain: true }];
    for k in [24, 20, 16, 12, 8] {
        // A one costs its gap: log2 of the mean gap, and 1.5 bits for not knowing it.
        let one = (k * FINE_BIT + FINE_BIT * 3 / 2) as i64;
        out.push(State { one, zero: (FINE_BIT >> k) as i64 * 3 / 2, plain: false });
    }
    out.extend(DENSE.iter().step_by(2).map(|p| State {
        one: fine_cost(*p) as i64,
        zero: (16 * FINE_BIT - log2_fine(65536 - u64::from(*p))) as i64,
        plain: false,
    }));
    out
}

impl State {
    fn cost(&self, bits: i64, ones: i64) -> i64 {
        ones * self.one + (bits - ones) * self.zero
    }
}

/// The residual of an anchor's stream, complemented if the anchor is: its ones, chunk by chunk, from `lo` on.
struct Weights<'a> {
    content: &'a [u8],
    anchor: &'a Anchor,
    lo: usize,
    ones: Vec<u16>,
    len: usize,
}

impl Weights<'_> {
    fn range(&self, chunk: usize) -> Range<usize> {
        self.lo + chunk * CHUNK..(self.lo + (chunk + 1) * CHUNK).min(self.lo + self.len)
    }

    fn bits(&self, chunk: usize) -> i64 {
        8 * self.range(chunk).len() as i64
    }

    /// Ones over `range`.
    fn ones_of(&self, range: Range<usize>) -> u64 {
        let first = (range.start - self.lo).div_ceil(CHUNK);
        let end = ((range.end - self.lo) / CHUNK).min(self.len / CHUNK);
        if first >= end {
            return ones(&self.residual(range));
        }
        let whole: u64 = self.ones[first..end].iter().map(|ones| u64::from(*ones)).sum();
        let edges = [range.start..self.range(first).start, self.range(end - 1).end..range.end];
        let edges = edges.into_iter().filter(|edge| !edge.is_empty());
        whole + edges.map(|edge| ones(&self.residual(edge))).sum::<u64>()
    }

    /// The residual over `range`.
    fn residual(&self, range: Range<usize>) -> Vec<u8> {
        let Anchor { key, offset, position, complement, .. } = self.anchor;
        let mut stream = key.stream();
        stream.skip(position + range.start as u64 - *offset as u64);
        let mut out = self.content[range].to_vec();
        stream.xor(&mut out);
        if *complement {
            out.iter_mut().for_each(|b| *b = !*b);
        }
        out
    }
}

/// The runs that `anchor`'s stream explains within `bounds`, sorted, each worth more than its entry in the
/// run table; empty if none is.
pub fn extend(content: &[u8], bounds: Range<usize>, anchor: &Anchor) -> Vec<Run> {
    if anchor.bits == 0 || !bounds.contains(&anchor.offset) {
        return Vec::new();
    }
    let back = (anchor.offset - bounds.start).min(usize::try_from(anchor.position).unwrap_or(usize::MAX));
    let lo = anchor.offset - back;
    let weights = forward(content, lo, bounds.end, anchor);
    let states = states();
    let path = cheapest_path(&weights, &states);
    let mut runs = Vec::new();
    let mut chunk = 0;
    while chunk < path.len() {
        let state = path[chunk];
        let first = chunk;
        while chunk < path.len() && path[chunk] == state {
            chunk += 1;
        }
        if !states[usize::from(state)].plain {
            runs.push(weights.range(first).start..weights.range(chunk - 1).end);
        }
    }
    let runs = trim(&weights, bounds, runs);
    price(&weights, runs)
}

/// Counts ones from `lo` to where the stream has clearly stopped fitting after the anchor.
fn forward<'a>(content: &'a [u8], lo: usize, end: usize, anchor: &'a Anchor) -> Weights<'a> {
    let (class, _) = bias::cheapest(anchor.bits, anchor.ones);
    let p = DENSE[usize::from(class.max(FIRST_DENSE) - FIRST_DENSE).min(DENSE.len() - 1)];
    let p = if class < FIRST_DENSE { DENSE[DENSE.len() - 1] } else { p };
    let one = fine_cost(p) as i64;
    let zero = (16 * FINE_BIT - log2_fine(65536 - u64::from(p))) as i64;

    let mut stream = anchor.key.stream();
    stream.skip(anchor.position - (anchor.offset - lo) as u64);
    let mut ones = Vec::new();
    let (mut sum, mut best) = (0i64, 0i64);
    let mut at = lo;
    let mut buffer = vec![0; 64 * CHUNK];
    'fill: while at < end {
        let take = buffer.len().min(end - at);
        let residual = &mut buffer[..take];
        residual.copy_from_slice(&content[at..at + take]);
        stream.xor(residual);
        let mut weights = [0; 64];
        count_chunks(residual, &mut weights);
        for (data, weight) in residual.chunks(CHUNK).zip(weights) {
            let bits = 8 * data.len() as i64;
            let weight = if anchor.complement { bits - i64::from(weight) } else { i64::from(weight) };
            ones.push(weight as u16);
            at += data.len();
            if at > anchor.offset {
                sum += bits * FINE_BIT as i64 - weight * one - (bits - weight) * zero;
                best = best.max(sum);
                if sum < best - DROP {
                    break 'fill;
                }
            }
        }
    }
    Weights { content, anchor, lo, ones, len: at - lo }
}

/// The ones of each chunk.
fn count_chunks(bytes: &[u8], weights: &mut [u16; 64]) {
    dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            let (chunks, rest) = bytes.as_chunks::<CHUNK>();
            for (weight, chunk) in weights.iter_mut().zip(chunks) {
                *weight = chunk.as_chunks().0.iter().map(|w| u64::from_le_bytes(*w).count_ones() as u16).sum();
            }
            if !rest.is_empty() {
                weights[chunks.len()] = rest.iter().map(|b| b.count_ones() as u16).sum();
            }
        },
    ));
}

/// Viterbi: for each chunk the state on the cheapest path, a change of state costing [`SWITCH`].
fn cheapest_path(weights: &Weights, states: &[State]) -> Vec<u8> {
    let count = weights.ones.len();
    let mut total = vec![0i64; states.len()];
    // For each chunk and state: true if the path came from the chunk before in the same state.
    let mut stayed = vec![false; count * states.len()];
    let mut came_from = vec![0u8; count];
    // What the last chunk was, and the totals before it, above their least.
    let mut last = None;
    let mut before = vec![0i64; states.len()];
    for chunk in 0..count {
        let (best, least) =
            total.iter().enumerate().min_by_key(|(i, t)| (**t, *i)).map(|(i, t)| (i, *t)).unwrap_or((0, 0));
        let now = (weights.bits(chunk), i64::from(weights.ones[chunk]));
        total.iter_mut().for_each(|total| *total -= least);
        let row = chunk * states.len();
        if last == Some(now) && total == before {
            // The same again, as all along an exact stream.
            came_from[chunk] = came_from[chunk - 1];
            stayed.copy_within(row - states.len()..row, row);
            continue;
        }
        before.clone_from(&total);
        last = Some(now);
        came_from[chunk] = best as u8;
        for (i, state) in states.iter().enumerate() {
            let stay = total[i] <= SWITCH;
            stayed[row + i] = stay;
            total[i] = total[i].min(SWITCH) + state.cost(now.0, now.1);
        }
    }
    let mut path = vec![0u8; count];
    let mut state = total.iter().enumerate().min_by_key(|(i, t)| (**t, *i)).map_or(0, |(i, _)| i);
    for chunk in (0..count).rev() {
        path[chunk] = state as u8;
        if !stayed[chunk * states.len() + state] {
            state = usize::from(came_from[chunk]);
        }
    }
    path
}

/// Moves each run's ends to the byte where the gain is largest, a chunk either way; where two runs touch, the end
/// of one is the start of the other.
fn trim(weights: &Weights<'_>, bounds: Range<usize>, runs: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    // Where the run before ended, if it touches this one.
    let mut joint = None;
    for (i, run) in runs.iter().enumerate() {
        let following = runs.get(i + 1);
        let next = following.filter(|next| next.start == run.end);
        let limit = next.map_or(following.map_or(bounds.end, |next| next.start), |next| next.end);
        let ceiling = limit.min(run.end + CHUNK);
        let touched = joint.take();
        let floor = touched
            .unwrap_or_else(|| out.last().map_or(weights.lo, |r| r.end).max(run.start.saturating_sub(CHUNK)));
        if floor >= run.end {
            joint = next.map(|_| floor);
            continue;
        }
        let own = prices_of(weights, run.start.max(floor)..run.end);
        let start = touched.unwrap_or_else(|| {
            // The best suffix that begins up to a chunk around the old start.
            let until = (run.start + CHUNK).min(run.end);
            let residual = weights.residual(floor..until);
            let mut sum = 0;
            let (mut best, mut place) = (0, until);
            for at in (floor..until).rev() {
                sum += gain(residual[at - floor], own);
                if sum >= best {
                    (best, place) = (sum, at);
                }
            }
            place
        });
        // The best prefix that ends up to a chunk around the old end; what it leaves is the next run's.
        let other = next.map(|next| prices_of(weights, next.clone()));
        let from = run.end.saturating_sub(CHUNK).max(start);
        let residual = weights.residual(from..ceiling);
        let mut sum = 0;
        let (mut best, mut end) = (0, from);
        for at in from..ceiling {
            let byte = residual[at - from];
            sum += gain(byte, own) - other.map_or(0, |other| gain(byte, other));
            if sum >= best {
                (best, end) = (sum, at + 1);
            }
        }
        joint = next.map(|_| end);
        if start < end {
            out.push(start..end);
        }
    }
    out
}

/// What a byte of a residual saves at these prices of a one and a zero.
fn gain(byte: u8, (one, zero): (i64, i64)) -> i64 {
    let k = i64::from(byte.count_ones());
    8 * FINE_BIT as i64 - k * one - (8 - k) * zero
}

/// [`byte_prices`] of the residual over `range`.
fn prices_of(weights: &Weights<'_>, range: Range<usize>) -> (i64, i64) {
    byte_prices(8 * range.len() as u64, weights.ones_of(range))
}

/// Prices of a one and a zero at the density found, a one never dearer than 24 bits.
fn byte_prices(bits: u64, ones: u64) -> (i64, i64) {
    let (class, _) = bias::cheapest(bits, ones);
    if class >= FIRST_DENSE {
        let p = bias::p_one(class);
        (fine_cost(p) as i64, (16 * FINE_BIT - log2_fine(65536 - u64::from(p))) as i64)
    } else {
        ((12 * FINE_BIT) as i64, 16)
    }
}

/// Chooses classes, joins neighbours, and drops what does not pay for its entry.
fn price(weights: &Weights<'_>, ranges: Vec<Range<usize>>) -> Vec<Run> {
    let anchor = weights.anchor;
    let mut runs: Vec<(Run, u64)> = Vec::new();
    for range in ranges {
        let ones = weights.ones_of(range.clone());
        let bits = 8 * range.len() as u64;
        let complement = anchor.complement ^ (2 * ones > bits);
        let (class, _) = bias::cheapest(bits, ones.min(bits - ones));
        let position = anchor.position + range.start as u64 - anchor.offset as u64;
        let bias = Bias { class, complement };
        let run = Run { start: range.start, len: range.len(), key: anchor.key.clone(), position, bias };
        match runs.last_mut() {
            Some((last, last_ones)) if last.range().end == run.start && last.bias == bias => {
                last.len += run.len;
                *last_ones += ones;
            }
            _ => runs.push((run, ones)),
        }
    }
    let gain = |(run, ones): &(Run, u64)| {
        let bits = 8 * run.len as u64;
        let residual = bias::cheapest(bits, (*ones).min(bits - ones)).1;
        (bits * FINE_BIT) as i64 - residual as i64 - SWITCH / 2
    };
    runs.retain(|run| gain(run) > 0);
    // Under noise 624 words of the data itself are a state that explains themselves, and poorly what
    // follows: a key has to earn a quarter more than it costs.
    let key = 40 * (anchor.key.words().len() as u64 * FINE_BIT) as i64;
    let pays = runs.iter().map(gain).sum::<i64>() > key;
    runs.into_iter().filter(|_| pays).map(|(run, _)| run).collect()
}

fn ones(bytes: &[u8]) -> u64 {
    bytes.iter().map(|b| u64::from(b.count_ones())).sum()
}

const _: () = assert!(CHUNK_BITS < u16::MAX as i64);

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole chunks were counted once; with the edges it is what the residual has.
    #[test]
    fn ones_of_a_range_are_those_of_its_residual() {
        let mut content = vec![0; 1000];
        Key::Genrand(2).stream().fill(&mut content);
        for complement in [false, true] {
            let key = Arc::new(Key::Genrand(1));
            let anchor = Anchor { key, offset: 70, position: 50, complement, bits: 8, ones: 4 };
            let weights = forward(&content, 20, 900, &anchor);
            assert!(weights.len > 800);
            for range in [20..84, 20..900, 21..900, 25..30, 83..85, 84..148, 84..149, 100..400, 147..1000] {
                assert_eq!(
                    weights.ones_of(range.clone()),
                    ones(&weights.residual(range.clone())),
                    "{range:?}"
                );
            }
        }
    }

    /// No path is cheaper, though chunks that are alike are gone over quickly.
    #[test]
    fn the_path_is_the_cheapest() {
        let anchor = Anchor {
            key: Arc::new(Key::Genrand(1)),
            offset: 0,
            position: 0,
            complement: false,
            bits: 1,
            ones: 0,
        };
        let states = states();
        for kinds in [[0, 256, 0, 51, 256, 0], [256, 225, 256, 228, 0, 226], [256, 1, 0, 1, 226, 256]] {
            let mut ones = Vec::new();
            for (kind, count) in kinds.into_iter().zip([3, 90, 300, 1, 70, 2]) {
                ones.extend(std::iter::repeat_n(kind, count));
            }
            let len = ones.len() * CHUNK - 7;
            let weights = Weights { content: &[], anchor: &anchor, lo: 0, ones, len };
            let cost =
                |chunk: usize, state: &State| state.cost(weights.bits(chunk), i64::from(weights.ones[chunk]));
            let mut least = vec![0; states.len()];
            for chunk in 0..weights.ones.len() {
                let best = *least.iter().min().unwrap();
                for (least, state) in least.iter_mut().zip(&states) {
                    *least = (*least).min(best + SWITCH) + cost(chunk, state);
                }
            }
            let path = cheapest_path(&weights, &states);
            let along: i64 = path.iter().enumerate().map(|(i, s)| cost(i, &states[usize::from(*s)])).sum();
            let changes = path.windows(2).filter(|pair| pair[0] != pair[1]).count() as i64;
            assert!(changes > 1);
            assert_eq!(along + changes * SWITCH, *least.iter().min().unwrap(), "{kinds:?}");
        }
    }

    /// Noise, a stream, noise: wherever in a chunk the stream ends, the run ends with it.
    #[test]
    fn a_run_ends_where_its_stream_does() {
        for len in (20_000..20_130).step_by(3) {
            let mut content = vec![0; 9_000 + 2 * len];
            Key::ByArray(vec![len as u32]).stream().fill(&mut content);
            Key::Genrand(9).stream().fill(&mut content[600..600 + len]);
            let key = Arc::new(Key::Genrand(9));
            let anchor = Anchor { key, offset: 600, position: 0, complement: false, bits: 8 * 2496, ones: 0 };
            let runs = extend(&content, 0..content.len(), &anchor);
            let [run] = &runs[..] else { panic!("{} runs", runs.len()) };
            assert_eq!(run.start, 600);
            // A byte of noise is 0, as the stream's residual is, once in 256 times.
            assert!((len..=len + 1).contains(&run.len), "{} bytes of {len}", run.len);
        }
    }
}
