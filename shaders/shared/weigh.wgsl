// Ones of a premixed residual, by a carry-save tree: fewer popcounts, more three-input logic.
//
// A group of residual words a0, a1, ... is premixed: every even word but the first is replaced by the parity
// a0 ^ ... ^ a(2j) of all words up to it. XOR commutes with that, so masks and blocks are premixed once and the
// running sums of the first adder level cost nothing: x[2j-2], x[2j-1], x[2j] are an adder's carry-in, one input and sum.

// Carry of a full adder from its carry-in, one input and its sum.
fn carry(before: u32, input: u32, sum: u32) -> u32 {
    return input ^ ((before ^ input) & ~(sum ^ input));
}

fn majority(a: u32, b: u32, c: u32) -> u32 {
    return a ^ ((a ^ b) & (a ^ c));
}

fn weigh4(x: vec4<u32>) -> u32 {
    return countOneBits(x.z) + countOneBits(x.w) + 2u * countOneBits(carry(x.x, x.y, x.z));
}

fn weigh8(x: vec4<u32>, y: vec4<u32>) -> u32 {
    let c1 = carry(x.x, x.y, x.z);
    let c2 = carry(x.z, x.w, y.x);
    let c3 = carry(y.x, y.y, y.z);
    let ones = countOneBits(y.z) + countOneBits(y.w);
    return ones + 2u * countOneBits(c1 ^ c2 ^ c3) + 4u * countOneBits(majority(c1, c2, c3));
}

fn weigh16(x: vec4<u32>, y: vec4<u32>, z: vec4<u32>, w: vec4<u32>) -> u32 {
    let c1 = carry(x.x, x.y, x.z);
    let c2 = carry(x.z, x.w, y.x);
    let c3 = carry(y.x, y.y, y.z);
    let c4 = carry(y.z, y.w, z.x);
    let c5 = carry(z.x, z.y, z.z);
    let c6 = carry(z.z, z.w, w.x);
    let c7 = carry(w.x, w.y, w.z);
    let t3 = c1 ^ c2 ^ c3;
    let f1 = majority(c1, c2, c3);
    let t5 = t3 ^ c4 ^ c5;
    let f2 = majority(t3, c4, c5);
    let t7 = t5 ^ c6 ^ c7;
    let f3 = majority(t5, c6, c7);
    let ones = countOneBits(w.z) + countOneBits(w.w);
    let fours = countOneBits(f1) + countOneBits(f2) + countOneBits(f3);
    return ones + 2u * countOneBits(t7) + 4u * fours;
}
