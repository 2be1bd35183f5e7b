//! Where blocks begin. Records may stand at any byte, behind headers of any length: starts are joined at every
//! byte, or at samples of them spread evenly, and what is found tells where to look further.

use crate::block::BlockBits;
use std::collections::BTreeMap;
use std::ops::Range;

/// Neighbouring bytes that a sample takes: eight records of 64 bytes.
const PIECE: usize = 512;

/// What is in one list of ranges and in the other, both sorted and apart.
pub fn common(a: &[Range<usize>], b: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for a in a {
        let first = b.partition_point(|b| b.end <= a.start);
        for b in b[first..].iter().take_while(|b| b.start < a.end) {
            out.push(a.start.max(b.start)..a.end.min(b.end));
        }
    }
    out
}

/// At most `most` of the bytes of `ranges`, which are sorted and apart: all, or pieces spread evenly over them.
pub fn sample(ranges: &[Range<usize>], most: usize) -> Vec<Range<usize>> {
    let total: usize = ranges.iter().map(Range::len).sum();
    if total <= most {
        return ranges.to_vec();
    }
    let pieces = (most / PIECE).max(1);
    let length = PIECE.min(most);
    let mut out = Vec::new();
    let mut wanted = (0..pieces).map(|i| total * i / pieces).map(|at| at..at + length).peekable();
    let mut before = 0;
    for range in ranges {
        let own = before..before + range.len();
        while let Some(piece) = wanted.peek().filter(|piece| piece.start < own.end) {
            let [start, end] =
                [piece.start.max(own.start), piece.end.min(own.end)].map(|at| at - before + range.start);
            out.push(start..end);
            if piece.end > own.end {
                break;
            }
            wanted.next();
        }
        before = own.end;
    }
    out
}

/// Where blocks may begin within `gap`, given the places where some do (sorted, a block apart or more): in
/// step with the nearest of these. If no two of them are in step with each other, they alone.
pub fn in_step(gap: &Range<usize>, known: &[usize], block_bits: BlockBits) -> Vec<usize> {
    let size = block_bits.bytes();
    let mut distances: BTreeMap<usize, usize> = BTreeMap::new();
    for pair in known.windows(2) {
        *distances.entry(pair[1] - pair[0]).or_default() += 1;
    }
    // Blocks next to each other are in step without being a block apart.
    let odd = distances.iter().filter(|(distance, count)| !distance.is_multiple_of(size) && **count > 1);
    let pitch = odd.max_by_key(|(distance, count)| (**count, std::cmp::Reverse(**distance)));
    let pitch = pitch.map_or(size, |(distance, _)| *distance);
    let steps: Vec<Option<usize>> = known
        .windows(2)
        .map(|pair| [size, pitch].into_iter().find(|step| (pair[1] - pair[0]).is_multiple_of(*step)))
        .collect();
    if steps.iter().all(Option::is_none) {
        return known.to_vec();
    }
    let mut out = Vec::new();
    for (i, &at) in known.iter().enumerate() {
        let after = steps.get(i).copied().flatten();
        let before = i.checked_sub(1).and_then(|i| steps[i]);
        let (previous, next) = (i.checked_sub(1).map(|i| known[i]), known.get(i + 1).copied());
        if before.is_none() {
            let floor = previous.map_or(gap.start, |previous| previous + size);
            let step = after.unwrap_or(size);
            out.extend((1..).map_while(|n| at.checked_sub(n * step)).take_while(|at| *at >= floor));
        }
        out.push(at);
        let step = after.or(before).unwrap_or(size);
        let ceiling = next.unwrap_or(gap.end);
        out.extend((1..).map(|n| at + n * step).take_while(|at| at + size <= ceiling));
    }
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_and_no_more_than_asked_for() {
        let ranges = [0..10_000, 20_000..20_100, 30_000..90_000];
        assert_eq!(sample(&ranges, 1 << 20), ranges);
        let some = sample(&ranges, 4096);
        assert_eq!(some.iter().map(Range::len).sum::<usize>(), 4096);
        assert_eq!(common(&some, &ranges), some);
        assert_eq!((some[0].clone(), some[1].clone()), (0..512, 8762..9274));
        assert!(some.last().unwrap().start > 80_000);
        // A piece may go over a border.
        assert_eq!(sample(&[0..300, 400..90_000], 512), [0..300, 400..612]);
    }

    #[test]
    fn common_parts_are_in_both() {
        assert_eq!(common(&[0..10, 20..30], &[5..22, 25..26, 29..40]), [5..10, 20..22, 25..26, 29..30]);
    }

    #[test]
    fn places_are_in_step_with_what_is_known() {
        let places = |gap: Range<usize>, known: &[usize]| in_step(&gap, known, BlockBits::default());
        // One phase, from the gap's first byte to its last.
        assert_eq!(places(10..500, &[100, 228]), [36, 100, 164, 228, 292, 356, 420]);
        // Records of 80 bytes, one of them unknown; the last has no room for a block.
        assert_eq!(places(0..540, &[96, 176, 336, 416]), [16, 96, 176, 256, 336, 416]);
        // Another phase: both are tried in between.
        assert_eq!(
            places(0..700, &[0, 64, 330, 394]),
            [0, 64, 128, 138, 192, 202, 256, 266, 330, 394, 458, 522, 586]
        );
        // Nothing in step tells nothing.
        assert_eq!(places(0..700, &[5, 100, 333]), [5, 100, 333]);
        assert_eq!(places(0..700, &[5]), [5]);
    }
}
