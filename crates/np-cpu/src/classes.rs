//! The counting plan of sliced scoring: which mask bits each four blocks count together.
//!
//! Against four blocks a mask bit has one of eight sign patterns, not sixteen: with the sign of the
//! first block taken into the bit itself, what is left is with which of the others it agrees. Bits of
//! one pattern (a *class*) are counted once for all four blocks, and the four weights are sums and
//! differences of the eight counts.
//!
//! Classes are counted in whole strides. One that is a few bits longer may leave them out, as long as the
//! bits left out of a quad stay within a budget: its weights are then known but for that many.

/// Classes of four blocks.
pub(crate) const CLASSES: usize = 8;
/// Most mask bits counted in one go: their slices, with their complements, stay in a core's own caches.
pub(crate) const SPAN: usize = 512;
/// Entries are counted this many at a time.
pub(crate) const STRIDE: usize = 16;
/// Most strides of a class whose count fits in seven bits.
pub(crate) const SMALL: u8 = 7;

/// Slices of a span: each bit and its complement, then one of zeros.
pub(crate) const SLOTS: usize = 2 * SPAN + 1;

/// Which slice to count: below [`SLOTS`], always.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Slot(
    /// Eight times the index: a machine's addressing can scale by eight, not by the size of a slice.
    u16,
);

impl Slot {
    /// A slot with nothing to count.
    const ZERO: Self = Self(16 * SPAN as u16);

    /// Bit `at` of the span or, with `sign` 1, its complement.
    fn bit(at: usize, sign: u32) -> Self {
        assert!(at < SPAN && sign < 2, "no such slot");
        Self(8 * (2 * at as u16 + sign as u16))
    }

    /// The slice in this slot.
    #[inline(always)]
    pub(crate) fn of<V: Copy>(&self, slices: &[V; SLOTS]) -> V {
        let step = const {
            assert!(size_of::<V>().is_multiple_of(8), "a slice is whole words");
            size_of::<V>() / 8
        };
        // SAFETY: a reference can be read. Volatile, or the compiler loads several slots as a vector and
        // then takes it apart at great cost.
        let at = unsafe { std::ptr::read_volatile(&self.0) };
        // SAFETY: both constructors make eight times an index below `SLOTS`, so this is a slice of the array.
        unsafe { *slices.as_ptr().byte_add(usize::from(at) * step) }
    }
}

/// A plan for the blocks of a job.
pub(crate) struct Classes {
    /// Spans of every block.
    pub spans: usize,
    /// For each (quad, span): where its entries start, and how many strides each class has.
    parts: Vec<Part>,
    /// What to count, class after class, each padded to whole strides.
    entries: Vec<Slot>,
    quads: Vec<Quad>,
}

#[derive(Clone, Copy)]
struct Part {
    start: usize,
    strides: [u8; CLASSES],
}

/// What the four rows of a quad have in common.
#[derive(Clone, Copy)]
pub(crate) struct Quad {
    /// For each row the counted bits where it differs from the first row, over all spans.
    pub differ: [u32; 4],
    /// Bits left out, over all spans.
    pub lost: u32,
    /// Whether no class has more than [`SMALL`] strides.
    pub small: bool,
}

/// Mask bits of span `span` of `spans` in a block of `words` words.
pub(crate) fn span_bits(words: usize, spans: usize, span: usize) -> std::ops::Range<usize> {
    words * span / spans * 32..words * (span + 1) / spans * 32
}

/// Spans of a block of `words` words.
pub(crate) fn spans(words: usize) -> usize {
    words.div_ceil(SPAN / 32)
}

/// Cuts classes down to whole strides, those with the least over first, for at most `budget` bits in all.
fn shorten(classes: &mut [Vec<Slot>; CLASSES], budget: usize) -> u32 {
    let mut over: [(usize, usize); CLASSES] = std::array::from_fn(|c| (classes[c].len() % STRIDE, c));
    over.sort_unstable();
    let mut lost = 0;
    for (bits, class) in over {
        if lost + bits <= budget {
            lost += bits;
            let kept = classes[class].len() - bits;
            classes[class].truncate(kept);
        }
    }
    lost as u32
}

impl Classes {
    /// The plan for `blocks` of `words` words; a last quad that is not full repeats its last block.
    /// At most `budget` bits of a block are left out.
    pub(crate) fn new(blocks: &[u32], words: usize, budget: u32) -> Self {
        let spans = spans(words);
        let count = blocks.len() / words;
        let mut plan = Self { spans, parts: Vec::new(), entries: Vec::new(), quads: Vec::new() };
        let mut classes: [Vec<Slot>; CLASSES] = Default::default();
        for quad in 0..count.div_ceil(4) {
            let rows: [&[u32]; 4] = std::array::from_fn(|r| {
                let row = (4 * quad + r).min(count - 1);
                &blocks[row * words..(row + 1) * words]
            });
            let mut common = Quad { differ: [0; 4], lost: 0, small: true };
            for span in 0..spans {
                for (at, bit) in span_bits(words, spans, span).enumerate() {
                    let sign = rows.map(|r| r[bit / 32] >> (bit % 32) & 1);
                    let class = (1..4).map(|r| (sign[r] ^ sign[0]) << (r - 1)).sum::<u32>();
                    classes[class as usize].push(Slot::bit(at, sign[0]));
                }
                common.lost += shorten(&mut classes, budget as usize / spans);
                let mut part = Part { start: plan.entries.len(), strides: [0; CLASSES] };
                for (c, (class, strides)) in classes.iter_mut().zip(&mut part.strides).enumerate() {
                    for (r, differ) in common.differ.iter_mut().enumerate().skip(1) {
                        *differ += if c >> (r - 1) & 1 == 1 { class.len() as u32 } else { 0 };
                    }
                    class.resize(class.len().next_multiple_of(STRIDE), Slot::ZERO);
                    *strides = (class.len() / STRIDE) as u8;
                    common.small &= *strides <= SMALL;
                    plan.entries.append(class);
                }
                plan.parts.push(part);
            }
            plan.quads.push(common);
        }
        plan
    }

    /// The classes of a quad in a span, one after another, and the strides of each.
    #[inline(always)]
    pub(crate) fn lists(&self, quad: usize, span: usize) -> (&[Slot], [u8; CLASSES]) {
        let part = self.parts[quad * self.spans + span];
        (&self.entries[part.start..], part.strides)
    }

    /// What the rows of a quad have in common.
    #[inline(always)]
    pub(crate) fn quad(&self, quad: usize) -> Quad {
        self.quads[quad]
    }
}
