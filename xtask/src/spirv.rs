//! Counting instructions in SPIR-V: by class, by loop, with calls counted as the body they call. Reads what naga writes.

use anyhow::{Context, Result};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::AddAssign;

/// Instructions of one lane, by what they cost on a GPU. Vector instructions count once for each component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Integer multiplies.
    pub multiply: u64,
    /// Integer adds and subtracts.
    pub add: u64,
    /// Shifts.
    pub shift: u64,
    /// And, or, xor, not on integers.
    pub logic: u64,
    /// The same as three-input functions, which many GPUs have as one instruction: a greedy cover within each block, so at
    /// most too many.
    pub logic3: u64,
    /// Bit counts.
    pub popcount: u64,
    /// Comparisons, selects and logic on conditions.
    pub compare: u64,
    /// Words read from buffers (not from a function's own variables).
    pub load: u64,
    /// Words written to buffers.
    pub store: u64,
    /// Atomic operations.
    pub atomic: u64,
    /// Conditional branches.
    pub branch: u64,
}

impl Counts {
    /// Names and values, in the order of the tables.
    pub fn named(&self) -> [(&'static str, u64); 11] {
        [
            ("multiply", self.multiply),
            ("add", self.add),
            ("shift", self.shift),
            ("logic", self.logic),
            ("logic3", self.logic3),
            ("popcount", self.popcount),
            ("compare", self.compare),
            ("load", self.load),
            ("store", self.store),
            ("atomic", self.atomic),
            ("branch", self.branch),
        ]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.multiply += other.multiply;
        self.add += other.add;
        self.shift += other.shift;
        self.logic += other.logic;
        self.logic3 += other.logic3;
        self.popcount += other.popcount;
        self.compare += other.compare;
        self.load += other.load;
        self.store += other.store;
        self.atomic += other.atomic;
        self.branch += other.branch;
    }
}

/// A function's instructions outside all loops, and in each loop without the loops inside it, in the order of the text.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub straight: Counts,
    pub loops: Vec<Counts>,
}

/// One instruction: opcode and operands.
struct Instruction<'a> {
    opcode: u32,
    operands: &'a [u32],
}

fn instructions(words: &[u32]) -> Vec<Instruction<'_>> {
    let mut list = Vec::new();
    let mut rest = words.get(5..).unwrap_or(&[]);
    while let Some(first) = rest.first() {
        let length = ((first >> 16) as usize).clamp(1, rest.len());
        list.push(Instruction { opcode: first & 0xffff, operands: &rest[1..length] });
        rest = &rest[length..];
    }
    list
}

const TYPE_VECTOR: u32 = 23;
const TYPE_POINTER: u32 = 32;
const FUNCTION: u32 = 54;
const FUNCTION_END: u32 = 56;
const CALL: u32 = 57;
const LOAD: u32 = 61;
const STORE: u32 = 62;
const ACCESS_CHAIN: u32 = 65;
const LOOP_MERGE: u32 = 246;
const LABEL: u32 = 248;
const BRANCH_CONDITIONAL: u32 = 250;
/// Or, xor, and, not on integers.
const LOGIC: std::ops::RangeInclusive<u32> = 197..=200;
const ENTRY_POINT: u32 = 15;
/// Storage classes `Uniform` and `StorageBuffer`.
const BUFFERS: [u32; 2] = [2, 12];

/// The body of the module's only entry point.
pub fn entry_body(words: &[u32]) -> Result<Body> {
    let list = instructions(words);
    let mut vectors = HashMap::new();
    let mut buffer_pointers = HashMap::new();
    let mut functions: HashMap<u32, (usize, usize)> = HashMap::new();
    let mut open = None;
    let mut entry = None;
    for (at, instruction) in list.iter().enumerate() {
        let operands = instruction.operands;
        match instruction.opcode {
            TYPE_VECTOR => drop(vectors.insert(operands[0], operands[2])),
            TYPE_POINTER => drop(buffer_pointers.insert(operands[0], BUFFERS.contains(&operands[1]))),
            ENTRY_POINT => entry = Some(operands[1]),
            FUNCTION => open = Some((operands[1], at)),
            FUNCTION_END => {
                if let Some((id, from)) = open.take() {
                    functions.insert(id, (from, at));
                }
            }
            _ => {}
        }
    }
    let module = Module { list, vectors, buffer_pointers, functions };
    module.body(entry.context("the module has no entry point")?)
}

struct Module<'a> {
    list: Vec<Instruction<'a>>,
    /// Components of vector types.
    vectors: HashMap<u32, u32>,
    /// Pointer types, and whether they point into a buffer.
    buffer_pointers: HashMap<u32, bool>,
    functions: HashMap<u32, (usize, usize)>,
}

impl Module<'_> {
    /// Results of logic instructions that become part of the three-input function of their only user.
    fn swallowed(&self, from: usize, to: usize) -> HashSet<u32> {
        let mut uses: HashMap<u32, u32> = HashMap::new();
        for instruction in &self.list[from..to] {
            for operand in instruction.operands.iter().skip(2) {
                *uses.entry(*operand).or_default() += 1;
            }
        }
        let mut swallowed = HashSet::new();
        // Inputs of the function each logic result of the current block is.
        let mut inputs: HashMap<u32, BTreeSet<u32>> = HashMap::new();
        for instruction in &self.list[from..to] {
            if instruction.opcode == LABEL {
                inputs.clear();
            }
            if !LOGIC.contains(&instruction.opcode) {
                continue;
            }
            let mut mine: BTreeSet<u32> = instruction.operands[2..].iter().copied().collect();
            for operand in &instruction.operands[2..] {
                let Some(theirs) = inputs.get(operand).filter(|_| uses[operand] == 1) else { continue };
                let mut both = mine.clone();
                both.remove(operand);
                both.extend(theirs);
                if both.len() <= 3 {
                    mine = both;
                    swallowed.insert(*operand);
                }
            }
            inputs.insert(instruction.operands[1], mine);
        }
        swallowed
    }

    fn body(&self, function: u32) -> Result<Body> {
        let (from, to) = *self.functions.get(&function).context("a call to a function that is not there")?;
        let mut body = Body::default();
        // Loops around the current instruction: the label behind each, and its place in `body.loops`.
        let mut around: Vec<(u32, usize)> = Vec::new();
        // Instructions of the current block: the block that ends in a loop merge belongs to the loop.
        let mut block = Counts::default();
        let mut in_buffer: HashMap<u32, bool> = HashMap::new();
        let mut width_of: HashMap<u32, u64> = HashMap::new();
        let settle = |block: &mut Counts, around: &[(u32, usize)], body: &mut Body| {
            let counts = std::mem::take(block);
            match around.last() {
                None => body.straight += counts,
                Some((_, number)) => body.loops[*number] += counts,
            }
        };
        let swallowed = self.swallowed(from, to);
        for instruction in &self.list[from..to] {
            let operands = instruction.operands;
            let width = operands.first().and_then(|ty| self.vectors.get(ty)).map_or(1, |n| u64::from(*n));
            if operands.len() > 1 {
                width_of.insert(operands[1], width);
            }
            match instruction.opcode {
                LABEL => {
                    settle(&mut block, &around, &mut body);
                    while around.last().is_some_and(|(merge, _)| *merge == operands[0]) {
                        around.pop();
                    }
                }
                LOOP_MERGE => {
                    body.loops.push(Counts::default());
                    around.push((operands[0], body.loops.len() - 1));
                }
                CALL => {
                    let called = self.body(operands[2])?;
                    block += called.straight;
                    for counts in called.loops {
                        block += counts;
                    }
                }
                ACCESS_CHAIN => {
                    let buffer = self.buffer_pointers.get(&operands[0]).copied().unwrap_or(false);
                    in_buffer.insert(operands[1], buffer);
                }
                LOAD if in_buffer.get(&operands[2]).copied().unwrap_or(false) => block.load += width,
                STORE if in_buffer.get(&operands[0]).copied().unwrap_or(false) => {
                    block.store += width_of.get(&operands[1]).copied().unwrap_or(1);
                }
                132 => block.multiply += width,
                126 | 128 | 130 => block.add += width,
                194..=196 => block.shift += width,
                opcode if LOGIC.contains(&opcode) => {
                    block.logic += width;
                    if !swallowed.contains(&operands[1]) {
                        block.logic3 += width;
                    }
                }
                205 => block.popcount += width,
                164..=191 => block.compare += width,
                227..=242 => block.atomic += 1,
                BRANCH_CONDITIONAL => block.branch += 1,
                _ => {}
            }
        }
        settle(&mut block, &around, &mut body);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a ^ ((a ^ b) & ~(c ^ a))` on one loop's block, and a popcount outside: counted by hand.
    #[test]
    fn counts_what_stands_there() {
        let op = |opcode: u32, operands: &[u32]| {
            let mut words = vec![(operands.len() as u32 + 1) << 16 | opcode];
            words.extend(operands);
            words
        };
        let (int, a, b, c) = (90, 10, 11, 12);
        let module: Vec<u32> = [
            vec![0; 5],
            op(ENTRY_POINT, &[5, 1, 0]),
            op(FUNCTION, &[80, 1, 0, 81]),
            op(LABEL, &[2]),
            op(205, &[int, 13, a]),
            op(249, &[3]),
            op(LABEL, &[3]),
            op(LOOP_MERGE, &[7, 6, 0]),
            op(249, &[4]),
            op(LABEL, &[4]),
            op(198, &[int, 20, a, b]),
            op(198, &[int, 21, c, a]),
            op(200, &[int, 22, 21]),
            op(199, &[int, 23, 20, 22]),
            op(198, &[int, 24, a, 23]),
            op(128, &[int, 25, 24, 24]),
            op(249, &[6]),
            op(LABEL, &[6]),
            op(249, &[3]),
            op(LABEL, &[7]),
            op(FUNCTION_END, &[]),
        ]
        .concat();
        let body = entry_body(&module).unwrap();
        assert_eq!(body.straight, Counts { popcount: 1, ..Counts::default() });
        assert_eq!(body.loops, [Counts { logic: 5, logic3: 1, add: 1, ..Counts::default() }]);
    }
}
