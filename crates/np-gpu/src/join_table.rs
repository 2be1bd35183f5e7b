//! The table of a join: the blocks' leading words by place and hash, for the kernel to probe and the host to look up.

use np_core::block::BlockBits;

/// For each place (word number in a block) a hash table in two flat arrays, as `shaders/join.wgsl` reads them.
///
/// A slot has each key once, however many blocks share it: a run of equal blocks must not make the kernel's probe long. So a slot
/// has at most 2^15 keys, for there are `2^(32 - bits)` whose hash it is, and no more than there are blocks.
pub struct JoinTable {
    /// log2 of the slots of each place: 4 to 21.
    pub bits: u32,
    /// `starts[place << bits | hash]` to the next entry: where that hash's keys lie in `keys`. One entry more at the end.
    pub starts: Vec<u32>,
    /// Keys: the one of a word and its complement whose top bit is clear.
    pub keys: Vec<u32>,
    /// `owner_starts[i]` to the next entry: where the blocks that have `keys[i]` lie in `owners`. One entry more at the end.
    owner_starts: Vec<u32>,
    /// Blocks, in rising order for each key.
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
            keys: Vec::new(),
            owner_starts: Vec::new(),
            owners: Vec::with_capacity(count * places),
        };
        let mut entries: Vec<(u32, u32, u32)> = Vec::with_capacity(count);
        for place in 0..places {
            entries.clear();
            entries.extend(blocks.chunks_exact(words).enumerate().map(|(b, block)| {
                let key = key(block[place]);
                (table.slot(place, key) as u32, key, b as u32)
            }));
            entries.sort_unstable();
            let mut last = None;
            for &(slot, key, block) in &entries {
                if last != Some(key) {
                    table.starts[slot as usize + 1] += 1;
                    table.keys.push(key);
                    table.owner_starts.push(table.owners.len() as u32);
                    last = Some(key);
                }
                table.owners.push(block);
            }
        }
        table.owner_starts.push(table.owners.len() as u32);
        for slot in 1..table.starts.len() {
            table.starts[slot] += table.starts[slot - 1];
        }
        // A storage binding has at least one word, also where there are no blocks.
        if table.keys.is_empty() {
            table.keys.push(0);
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
        let keys = self.starts[slot] as usize..self.starts[slot + 1] as usize;
        let found = keys.into_iter().find(|at| self.keys[*at] == key);
        let owners =
            found.map_or(0..0, |at| self.owner_starts[at] as usize..self.owner_starts[at + 1] as usize);
        self.owners[owners].iter().copied()
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

    #[test]
    fn equal_blocks_share_one_key() {
        let block_bits = BlockBits::new(128).unwrap();
        let mut blocks = vec![0; 4 * 100_000];
        blocks[4 * 7] = 0x8000_0001;
        let table = JoinTable::new(block_bits, &blocks, 2);
        assert_eq!(table.keys.len(), 3);
        assert_eq!(table.blocks(0, u32::MAX).count(), 99_999);
        assert_eq!(table.blocks(0, 0x7fff_fffe).collect::<Vec<_>>(), [7]);
        assert_eq!(table.blocks(1, 0).count(), 100_000);
    }
}
