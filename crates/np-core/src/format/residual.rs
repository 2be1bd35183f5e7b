//! Residual bits: sparse ones by their gaps, few dense ones in the range coder, many by rANS
//! (FORMAT.md, "Residuals").

use crate::bias::{EXACT, FIRST_DENSE, SPARSE, p_one};
use crate::codec::coder::{Coder, RangeDecoder};
use crate::codec::model::UInt;
use crate::error::Error;
use crate::ledger::Heading;

/// From this many dense residual bytes on in a segment, they go through rANS.
pub const RANS_FROM: usize = 8192;

/// Models of sparse residuals; they start anew in each segment.
#[derive(Default)]
pub struct SparseModels {
    weight: UInt,
    gap: UInt,
}

/// Writes a sparse residual.
pub fn write_sparse(coder: &mut impl Coder, models: &mut SparseModels, residual: &[u8]) {
    let ones = ones(residual);
    coder.book(Heading::Weights);
    models.weight.code(coder, residual.iter().map(|b| u64::from(b.count_ones())).sum());
    coder.book(Heading::Residual);
    let mut at = 0;
    for one in ones {
        models.gap.code(coder, one - at);
        at = one + 1;
    }
}

/// Reads a sparse residual and XORs it onto `out`. `offset`: the segment's, for errors.
pub fn xor_sparse(
    coder: &mut RangeDecoder<'_>,
    models: &mut SparseModels,
    out: &mut [u8],
    offset: u64,
) -> Result<(), Error> {
    let bits = 8 * out.len() as u64;
    coder.book(Heading::Weights);
    let weight = models.weight.code(coder, 0);
    if weight > bits {
        return Err(Error::OutOfRange {
            offset,
            what: "the weight of a residual",
            found: weight,
            limit: bits,
        });
    }
    coder.book(Heading::Residual);
    let mut at = 0u64;
    for _ in 0..weight {
        let one = at.saturating_add(models.gap.code(coder, 0));
        if one >= bits || coder.overrun() {
            return Err(Error::Damaged {
                offset,
                what: "a sparse residual is longer than what it belongs to",
            });
        }
        out[(one / 8) as usize] ^= 1 << (one % 8);
        at = one + 1;
    }
    Ok(())
}

/// Codes dense residual bytes in the range coder, each bit at its class's probability, and returns them.
pub fn code_dense(coder: &mut impl Coder, class: u8, byte: u8) -> u8 {
    // p is the probability of a zero.
    let p = (65536 - u32::from(p_one(class))) as u16;
    (0..8).fold(0, |out, i| out | u8::from(coder.fixed(p, byte >> i & 1 != 0)) << i)
}

/// True for classes that rANS or [`code_dense`] code.
pub const fn is_dense(class: u8) -> bool {
    class >= FIRST_DENSE
}

/// True for the class that codes gaps.
pub const fn is_sparse(class: u8) -> bool {
    class == SPARSE
}

/// True for the class without ones.
pub const fn is_exact(class: u8) -> bool {
    class == EXACT
}

/// Bit positions of the ones, lowest bit of a byte first.
fn ones(residual: &[u8]) -> impl Iterator<Item = u64> + '_ {
    residual.iter().enumerate().filter(|(_, b)| **b != 0).flat_map(|(i, byte)| {
        (0..8u64).filter(move |bit| byte >> bit & 1 != 0).map(move |bit| 8 * i as u64 + bit)
    })
}
