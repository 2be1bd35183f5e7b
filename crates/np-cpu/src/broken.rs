//! Lanes with a fault, so that the parity runner can be seen to find it.

use crate::lanes::Lanes;
use crate::portable::Portable;

/// [`Portable`] but for one operation, by `FAULT`, from 0 to 6.
#[derive(Clone, Copy)]
pub(crate) struct Broken<const FAULT: u8>;

type V = <Portable as Lanes>::V;

/// Clears the last lane.
fn without_last(v: V) -> V {
    let mut lanes = [0; 32];
    Portable.store(v, &mut lanes);
    lanes[Portable::COUNT - 1] = 0;
    Portable.load(&lanes)
}

impl<const FAULT: u8> Lanes for Broken<FAULT> {
    type V = V;
    const COUNT: usize = Portable::COUNT;

    fn with<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }
    fn splat(self, value: u32) -> V {
        Portable.splat(value)
    }
    fn load(self, values: &[u32]) -> V {
        Portable.load(values)
    }
    fn store(self, v: V, values: &mut [u32]) {
        Portable.store(v, values)
    }
    fn add(self, a: V, b: V) -> V {
        Portable.add(a, b)
    }
    fn sub(self, a: V, b: V) -> V {
        Portable.sub(a, b)
    }
    /// Fault 0: the last lane's masks are wrong.
    fn mul(self, a: V, b: V) -> V {
        let v = Portable.mul(a, b);
        if FAULT == 0 { without_last(v) } else { v }
    }
    /// Fault 1: complements are not folded, and not joined.
    fn min(self, a: V, b: V) -> V {
        if FAULT == 1 { a } else { Portable.min(a, b) }
    }
    fn and(self, a: V, b: V) -> V {
        Portable.and(a, b)
    }
    fn xor(self, a: V, b: V) -> V {
        Portable.xor(a, b)
    }
    /// Fault 2: the last lane's adders forget what was carried in.
    fn xor3(self, a: V, b: V, c: V) -> V {
        let c = if FAULT == 2 { without_last(c) } else { c };
        Portable.xor(Portable.xor(a, b), c)
    }
    /// Fault 3: the filter forgets sums that are high enough in the last lane.
    fn or_not(self, a: V, b: V) -> V {
        if FAULT == 3 { Portable.or_not(without_last(a), b) } else { Portable.or_not(a, b) }
    }
    fn any(self, a: V) -> bool {
        Portable.any(a)
    }
    fn shl<const BITS: u32>(self, a: V) -> V {
        Portable.shl::<BITS>(a)
    }
    fn shr<const BITS: u32>(self, a: V) -> V {
        Portable.shr::<BITS>(a)
    }
    fn shr_each(self, a: V, by: V) -> V {
        Portable.shr_each(a, by)
    }
    /// Fault 6: the last lane of a join finds nothing.
    fn gather_by_top(self, table: &[u32], at: V) -> V {
        let v = Portable.gather_by_top(table, at);
        if FAULT == 6 { without_last(v) } else { v }
    }
    fn ones(self, a: V) -> V {
        Portable.ones(a)
    }
    /// Fault 4: the last lane's hits are lost. Fault 5: a fold at the bound is not within it.
    fn at_most(self, a: V, b: V) -> u32 {
        match FAULT {
            4 => Portable.at_most(a, b) & !(1 << (Self::COUNT - 1)),
            5 => Portable.at_most(Portable.add(a, Portable.splat(1)), b),
            _ => Portable.at_most(a, b),
        }
    }
}
