//! What a kernel needs of an instruction set: a register of 32-bit lanes and its operations.
//!
//! The algorithms in this crate are written once over [`Lanes`]; an instruction set is one thin file
//! that implements it. A value of a type that implements `Lanes` is the proof that the machine has
//! the instructions, so the operations themselves are safe to call.

use crate::{masks, pairs};

/// An instruction set, seen as registers of [`Lanes::COUNT`] `u32` lanes. Arithmetic wraps.
///
/// Every operation is only fast inside [`Lanes::with`], where the compiler may use the instructions.
pub(crate) trait Lanes: Copy + Send + Sync + 'static {
    /// A register.
    type V: Copy + Send + Sync + 'static;
    /// Lanes of a register; a power of two, at most 32.
    const COUNT: usize;
    /// Whether [`Lanes::look_up`] is as quick as a shift, so that pairs of steps pay.
    const PAIRS: bool = false;

    /// Runs `work`, compiled for this instruction set. `work` and what it calls must be `inline(always)`.
    fn with<R>(self, work: impl FnOnce() -> R) -> R;

    /// The same value in every lane.
    fn splat(self, value: u32) -> Self::V;
    /// Lanes from the first [`Lanes::COUNT`] values.
    fn load(self, values: &[u32]) -> Self::V;
    /// Lanes to the first [`Lanes::COUNT`] values.
    fn store(self, v: Self::V, values: &mut [u32]);
    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// Low half of `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller of `a` and `b`, unsigned.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a & b`.
    fn and(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a ^ b`.
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a ^ b ^ c`.
    #[inline(always)]
    fn xor3(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        self.xor(self.xor(a, b), c)
    }
    /// The bits that at least two of the three have.
    #[inline(always)]
    fn maj(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        let differ = self.xor(a, b);
        self.xor(a, self.and(differ, self.xor(a, c)))
    }
    /// Sum and carry of `a + !b + c`, for each bit.
    #[inline(always)]
    fn full_sub(self, a: Self::V, b: Self::V, c: Self::V) -> (Self::V, Self::V) {
        let b = self.xor(b, self.splat(u32::MAX));
        (self.xor3(a, b, c), self.maj(a, b, c))
    }
    /// `a | !b`.
    fn or_not(self, a: Self::V, b: Self::V) -> Self::V;
    /// The bits of `a` where `mask` has ones, else those of `b`.
    #[inline(always)]
    fn select(self, mask: Self::V, a: Self::V, b: Self::V) -> Self::V {
        self.xor(b, self.and(mask, self.xor(a, b)))
    }
    /// Whether any bit of any lane is set.
    fn any(self, a: Self::V) -> bool;
    /// `a << BITS`, for each lane.
    fn shl<const BITS: u32>(self, a: Self::V) -> Self::V;
    /// `a >> BITS`, for each lane, zeros shifted in.
    fn shr<const BITS: u32>(self, a: Self::V) -> Self::V;
    /// `a` rotated left by two, for each lane.
    #[inline(always)]
    fn rol2(self, a: Self::V) -> Self::V {
        self.xor(self.shl::<2>(a), self.shr::<30>(a))
    }
    /// For each lane the entry of `table` that its low four bits name.
    #[inline(always)]
    fn look_up(self, table: &[u32; 16], at: Self::V) -> Self::V {
        let mut lanes = [0; 32];
        self.store(at, &mut lanes);
        self.load(&lanes.map(|at| table[at as usize & 15]))
    }
    /// [`masks::twists`] of the chains that go by pairs of steps.
    #[inline(always)]
    fn twists(self, x: &mut [Self::V; pairs::CHAINS], words: usize, out: &mut [Self::V]) {
        masks::twists(self, x, words, out);
    }
    /// Takes the chains `x` of the seeding through the pairs of steps of `tables`.
    #[inline(always)]
    fn pairs_of_steps(self, x: &mut [Self::V; pairs::CHAINS], tables: &[pairs::Table]) {
        pairs::steps(self, x, tables);
    }
    /// [`masks::tempers`] of the chains that go by pairs of steps.
    #[inline(always)]
    fn tempers(self, x: &mut [Self::V; pairs::CHAINS], words: usize, out: &mut [Self::V]) {
        masks::tempers(self, x, words, out);
    }
    /// `a >> by`, for each lane; `by` is below 32.
    fn shr_each(self, a: Self::V, by: Self::V) -> Self::V;
    /// For each lane the entry of `table` that its top bits name. The table has a power of two of them, from two on.
    fn gather_by_top(self, table: &[u32], at: Self::V) -> Self::V;
    /// Writes the lanes of `v` whose bits are set, in order, to the start of `out`, and returns how many. `out` has room for
    /// all, and what is behind those written is anything.
    #[inline(always)]
    fn pick(self, mut bits: u32, v: Self::V, out: &mut [u32]) -> usize {
        let mut lanes = [0; 32];
        self.store(v, &mut lanes);
        let mut count = 0;
        while bits != 0 {
            out[count] = lanes[bits.trailing_zeros() as usize];
            bits &= bits - 1;
            count += 1;
        }
        count
    }
    /// Ones of each lane.
    fn ones(self, a: Self::V) -> Self::V;
    /// Bit i is set where lane i of `a` is at most lane i of `b`; both are below 2^31.
    fn at_most(self, a: Self::V, b: Self::V) -> u32;
}

/// How far to shift a word so that its top bits name one of `entries`. Panics unless these are a power of two from two on.
#[inline(always)]
pub(crate) fn top_shift(entries: usize) -> u32 {
    assert!(entries.is_power_of_two() && entries > 1 && entries as u64 <= 1 << 31, "a table of {entries}");
    32 - entries.trailing_zeros()
}
