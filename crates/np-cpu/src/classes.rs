//! The counting plan of sliced scoring: which mask bits each four blocks count together.
//!
//! Against four blocks a mask bit has one of eight sign patterns, not sixteen: with the sign of the
//! first block taken into the bit itself, what is left is with which of the others it agrees. Bits of
//! one pattern (a *class*) are counted once for all four blocks, and the four weights are sums and
//! differences of the eight counts.

/// Classes of four blocks.
pub(crate) const CLASSES: usize = 8;
/// Most mask bits counted in one go: their slices, with their complements, stay in a core's own caches.
pub(crate) const SPAN: usize = 512;
/// Entries are counted this many at a time.
pub(crate) const STRIDE: usize = 8;

/// A plan for the blocks of a job.
pub(crate) struct Classes {
    /// Spans of every block.
    pub spans: usize,
    /// For each (quad, span): where its entries start, and how many strides each class has.
    parts: Vec<Part>,
    /// Slices to count: `2 * bit + sign` within the span, or the slice of zeros after them.
    entries: Vec<u16>,
    /// For each (quad, row): bits that count against the row, over all spans. See [`Classes::against`].
    against: Vec<[u32; 4]>,
}

#[derive(Clone, Copy)]
struct Part {
    start: usize,
    strides: [u8; CLASSES],
}

/// Mask bits of span `span` of `spans` in a block of `bits` bits.
pub(crate) fn span_bits(bits: usize, spans: usize, span: usize) -> std::ops::Range<usize> {
    let words = bits / 32;
    words * span / spans * 32..words * (span + 1) / spans * 32
}

impl Classes {
    /// The plan for `blocks` of `words` words; a last quad that is not full repeats its last block.
    pub(crate) fn new(blocks: &[u32], words: usize) -> Self {
        let bits = 32 * words;
        let spans = bits.div_ceil(SPAN);
        let count = blocks.len() / words;
        let mut plan = Self { spans, parts: Vec::new(), entries: Vec::new(), against: Vec::new() };
        let mut classes: [Vec<u16>; CLASSES] = Default::default();
        for quad in 0..count.div_ceil(4) {
            let rows: [&[u32]; 4] = std::array::from_fn(|r| {
                let row = (4 * quad + r).min(count - 1);
                &blocks[row * words..(row + 1) * words]
            });
            let mut against = [0; 4];
            for span in 0..spans {
                let range = span_bits(bits, spans, span);
                let zero = 2 * range.len();
                for (at, bit) in range.enumerate() {
                    let sign = rows.map(|r| r[bit / 32] >> (bit % 32) & 1);
                    let class = (1..4).map(|r| (sign[r] ^ sign[0]) << (r - 1)).sum::<u32>();
                    classes[class as usize].push((2 * at) as u16 + sign[0] as u16);
                    for r in 1..4 {
                        against[r] += sign[r] ^ sign[0];
                    }
                }
                let mut part = Part { start: plan.entries.len(), strides: [0; CLASSES] };
                for (class, strides) in classes.iter_mut().zip(&mut part.strides) {
                    class.resize(class.len().next_multiple_of(STRIDE), zero as u16);
                    *strides = (class.len() / STRIDE) as u8;
                    plan.entries.append(class);
                }
                plan.parts.push(part);
            }
            plan.against.push(against);
        }
        plan
    }

    /// The classes of a quad in a span.
    #[inline(always)]
    pub(crate) fn lists(&self, quad: usize, span: usize) -> (&[u16], [u8; CLASSES]) {
        let part = self.parts[quad * self.spans + span];
        let len = part.strides.iter().map(|s| usize::from(*s)).sum::<usize>() * STRIDE;
        (&self.entries[part.start..part.start + len], part.strides)
    }

    /// For each of the four rows of a quad the bits where it differs from the first.
    pub(crate) fn against(&self, quad: usize) -> [u32; 4] {
        self.against[quad]
    }
}
