//! The table of a join: the blocks' leading words by place and hash, for the kernel to probe and the host to look up.

use np_core::block::BlockBits;

/// For each place (word number in a block) a hash table in two flat arrays, as `shaders/join.wgsl` reads them.
pub struct JoinTable {
    /// log2 of the slots of each place: 4 to 21.
    pub bits: u32,
    /// `starts[place << bits | hash]` to the next entry: where that hash's keys lie in `keys`. One entry more at the end.
    pub starts: Vec<u32>,
    /// Keys: the one of a word and its complement whose top bit is clear.
    pub keys: Vec<u32>,
    /// The block each key came from.
    owners: Vec<u32>,
}

/// What stands for a word and its complement.
fn key(word: u32) -> u32 {
    if word >> 31 == 1 { !word } else { word }
}

impl JoinTable {
    /// The words that a table of `blocks` blocks looks at in each, of the `asked`.
    pub fn places(block_bits: BlockBits, asked: u32) -> usize {
        (asked as usize).min(block_bits.words())
    }

    /// The table of the first `places` words of each block. `blocks` has fewer than 2^28 blocks.
    pub fn new(block_bits: BlockBits, blocks: &[u32], places: usize) -> Self {
        let words = block_bits.words();
        let count = blocks.len() / words;
        let bits = (count.max(1).ilog2() + 2).clamp(4, 21);
        let mut table = Self {
            bits,
            starts: vec![0; (places << bits) + 1],
            keys: vec![0; count * places],
            owners: vec![0; count * places],
        };
        let slots = || {
            (0..places).flat_map(move |place| {
                blocks
                    .chunks_exact(words)
                    .enumerate()
                    .map(move |(b, block)| (place, b as u32, key(block[place])))
            })
        };
        for (place, _, key) in slots() {
            let slot = table.slot(place, key);
            table.starts[slot + 1] += 1;
        }
        for slot in 1..table.starts.len() {
            table.starts[slot] += table.starts[slot - 1];
        }
        let mut next = table.starts.clone();
        for (place, block, key) in slots() {
            let slot = table.slot(place, key);
            let at = next[slot] as usize;
            next[slot] += 1;
            table.keys[at] = key;
            table.owners[at] = block;
        }
        table
    }

    fn slot(&self, place: usize, key: u32) -> usize {
        place << self.bits | (key.wrapping_mul(0x9e37_79b1) >> (32 - self.bits)) as usize
    }

    /// The blocks that have `word` or its complement at `place`.
    pub fn blocks(&self, place: usize, word: u32) -> impl Iterator<Item = u32> + '_ {
        let key = key(word);
        let slot = self.slot(place, key);
        let range = self.starts[slot] as usize..self.starts[slot + 1] as usize;
        range.filter(move |at| self.keys[*at] == key).map(|at| self.owners[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_word_and_complement_at_its_place_only() {
        let block_bits = BlockBits::new(128).unwrap();
        let blocks: Vec<u32> = (0..4000u32).map(|i| i.wrapping_mul(0x85eb_ca6b) ^ i << 13).collect();
        let table = JoinTable::new(block_bits, &blocks, 3);
        for (b, block) in blocks.chunks_exact(4).enumerate() {
            for place in 0..3 {
                assert!(table.blocks(place, block[place]).any(|owner| owner == b as u32));
                assert!(table.blocks(place, !block[place]).any(|owner| owner == b as u32));
                let expected = blocks.chunks_exact(4).filter(|other| other[place] == block[(place + 1) % 4]);
                assert_eq!(table.blocks(place, block[(place + 1) % 4]).count(), expected.count());
            }
        }
        assert_eq!(JoinTable::new(block_bits, &[], 3).blocks(2, 5).count(), 0);
    }
}
