//! Any symbols come back from the range coder, and any bytes can be read as any symbols.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use np_tests::properties::codec::{Symbol, any_bytes_are_read, symbols_come_back};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum AnySymbol {
    Fixed(u16, bool),
    Direct(u64, u8),
    Bit(u8, bool),
    Mixed(bool),
    Leaf(u8),
    UInt(u64, u8),
    Delta(i64, u8),
}

impl AnySymbol {
    fn symbol(self) -> Symbol {
        match self {
            Self::Fixed(p, bit) => Symbol::Fixed(p, bit),
            Self::Direct(value, bits) => Symbol::Direct(value, bits % 65),
            Self::Bit(model, bit) => Symbol::Bit(model, bit),
            Self::Mixed(bit) => Symbol::Mixed(bit),
            Self::Leaf(leaf) => Symbol::Leaf(leaf),
            Self::UInt(value, shift) => Symbol::UInt(value >> (shift % 64)),
            Self::Delta(value, shift) => Symbol::Delta(value >> (shift % 64)),
        }
    }
}

fuzz_target!(|case: (Vec<AnySymbol>, &[u8])| {
    let (symbols, bytes) = case;
    let symbols: Vec<Symbol> = symbols.into_iter().map(AnySymbol::symbol).collect();
    symbols_come_back(&symbols);
    any_bytes_are_read(bytes, &symbols);
});
