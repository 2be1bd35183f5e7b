//! What a kernel needs of an instruction set: a register of 32-bit lanes and its operations.
//!
//! The algorithms in this crate are written once over [`Lanes`]; an instruction set is one thin file
//! that implements it. A value of a type that implements `Lanes` is the proof that the machine has
//! the instructions, so the operations themselves are safe to call.

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
    /// Ones of each lane.
    fn ones(self, a: Self::V) -> Self::V;
    /// Bit i is set where lane i of `a` is at most lane i of `b`; both are below 2^31.
    fn at_most(self, a: Self::V, b: Self::V) -> u32;
}
