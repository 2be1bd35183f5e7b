// MT19937 word by word: one seeding step, the twist, the temper; as in np_core::generator::mt19937.

fn init_step(previous: u32, i: u32) -> u32 {
    return 1812433253u * (previous ^ (previous >> 30u)) + i;
}

fn twist(a: u32, b: u32) -> u32 {
    let y = (a & 0x80000000u) | (b & 0x7fffffffu);
    return (y >> 1u) ^ ((0u - (y & 1u)) & 0x9908b0dfu);
}

fn temper(word: u32) -> u32 {
    var y = word;
    y ^= y >> 11u;
    y ^= (y << 7u) & 0x9d2c5680u;
    y ^= (y << 15u) & 0xefc60000u;
    return y ^ (y >> 18u);
}
