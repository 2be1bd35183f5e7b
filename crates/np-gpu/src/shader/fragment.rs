//! Generated WGSL: what templates cannot say for every W, unrolled into named values so that drivers keep them in registers.
//!
//! Names: `m1_3` is word 3 of the thread's mask 1, `t1q2` its quad 2 (premixed), `c2` quad 2 of a block, `w1` the weight of mask 1,
//! `w1_5` its running weight against the tile's block 5. A thread's masks are those of seeds a workgroup apart.

use crate::layout::{WORKGROUP, groups, quads};
use std::fmt::Write;

/// Seeding steps in one turn of a loop: 396 is 33 times 12.
const UNROLL: usize = 12;

macro_rules! line {
    ($out:expr, $($arg:tt)*) => {
        writeln!($out, $($arg)*).expect("a String takes every write")
    };
}

/// Seeding from `x[from]`, in the variable `name` of each of the thread's `tile` seeds, on to `x[to]`: chains side by side.
fn seed_on(out: &mut String, name: &str, tile: usize, from: usize, to: usize) {
    let turns = (to - from) / UNROLL;
    let looped = from + 1 + turns * UNROLL;
    if turns > 0 {
        line!(out, "for (var i = {}u; i < {looped}u; i += {UNROLL}u) {{", from + 1);
        for j in 0..UNROLL {
            for t in 0..tile {
                line!(out, "{name}{t} = init_step({name}{t}, i + {j}u);");
            }
        }
        line!(out, "}}");
    }
    for i in looped..=to {
        for t in 0..tile {
            line!(out, "{name}{t} = init_step({name}{t}, {i}u);");
        }
    }
}

/// The thread's seed number `t`, from the thread's first.
fn ahead(t: usize) -> usize {
    t * WORKGROUP as usize
}

/// For each seed `near` = x[0], `far` = x[397].
pub fn stream_begin(tile: usize) -> String {
    let mut out = String::new();
    for t in 0..tile {
        line!(out, "var near{t} = seed + {}u;\nvar far{t} = near{t};", ahead(t));
    }
    seed_on(&mut out, "far", tile, 0, 397);
    out
}

/// Words `k..k + size` of each mask as `m0_0..`, zero from `real` on; `near` and `far` move on. `k` is WGSL.
fn stream_words(out: &mut String, k: &str, tile: usize, size: usize, real: usize) {
    for t in 0..tile {
        line!(out, "let h{t}_0 = near{t};\nlet f{t}_0 = far{t};");
    }
    for j in 0..size {
        for t in 0..tile {
            if j < real {
                line!(out, "let h{t}_{} = init_step(h{t}_{j}, {k} + {}u);", j + 1, j + 1);
                line!(out, "let m{t}_{j} = temper(f{t}_{j} ^ twist(h{t}_{j}, h{t}_{}));", j + 1);
                line!(out, "let f{t}_{} = init_step(f{t}_{j}, {k} + {}u);", j + 1, j + 398);
            } else {
                line!(out, "let m{t}_{j} = 0u;");
            }
        }
    }
    for t in 0..tile {
        line!(out, "near{t} = h{t}_{real};\nfar{t} = f{t}_{real};");
    }
}

/// The premixed quads `t{t}q{first}..` of the group `m{t}_{from}..`.
fn premix(out: &mut String, t: usize, from: usize, size: usize, first: usize) {
    let name = |j: usize| {
        let letter = if j >= 2 && j.is_multiple_of(2) { 'p' } else { 'm' };
        format!("{letter}{t}_{}", from + j)
    };
    for j in (2..size).step_by(2) {
        line!(out, "let {} = {} ^ m{t}_{} ^ m{t}_{};", name(j), name(j - 2), from + j - 1, from + j);
    }
    for q in 0..size / 4 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| name(4 * q + i));
        line!(out, "let t{t}q{} = vec4<u32>({a}, {b}, {c}, {d});", first + q);
    }
}

/// `weigh16(...)` of mask `tile` against the block's quads, both from quad `first`.
fn weigh(tile: usize, first: usize, size: usize) -> String {
    let quads: Vec<String> = (first..first + size / 4).map(|q| format!("t{tile}q{q} ^ c{q}")).collect();
    format!("weigh{size}({})", quads.join(", "))
}

/// Quads in the groups of 16 words that need no padding: those are looped over.
pub fn whole_quads(words: usize) -> usize {
    4 * (words / 16)
}

/// For each group of the stream: all whole groups as the body of a loop over `quad`, or each of the rest in a scope of its own.
fn each_group(words: usize, whole: bool, mut body: impl FnMut(&mut String, &str, usize, usize)) -> String {
    let mut out = String::new();
    if whole {
        body(&mut out, "quad", 16, 16);
        return out;
    }
    for (first, size) in groups(words).into_iter().filter(|(first, size)| *size < 16 || first + size > words)
    {
        line!(out, "{{");
        body(&mut out, &format!("{}u", first / 4), size, size.min(words - first));
        line!(out, "}}");
    }
    out
}

/// Makes the words from where `near` and `far` stand and stores their quads.
pub fn stream_store(words: usize, tile: usize) -> String {
    looped(words, |out, quad, size, real| {
        line!(out, "let k = 4u * {quad};");
        stream_words(out, "k", tile, size, real);
        for t in 0..tile {
            premix(out, t, 0, size, 0);
            for q in 0..size / 4 {
                line!(out, "masks[({quad} + {q}u) * stride + thread + {}u] = t{t}q{q};", ahead(t));
            }
        }
    })
}

/// A loop over the whole groups, then the rest.
fn looped(words: usize, mut group: impl FnMut(&mut String, &str, usize, usize)) -> String {
    let whole = whole_quads(words);
    let mut out = String::new();
    if whole > 0 {
        line!(out, "for (var quad = 0u; quad < {whole}u; quad += 4u) {{");
        out.push_str(&each_group(words, true, &mut group));
        line!(out, "}}");
    }
    out.push_str(&each_group(words, false, &mut group));
    out
}

/// Tempers and premixes what the mask buffer holds.
pub fn temper_in_place(words: usize) -> String {
    looped(words, |out, quad, size, real| {
        for q in 0..size / 4 {
            line!(out, "let r{q} = masks[({quad} + {q}u) * stride + thread];");
        }
        for j in 0..size {
            match j < real {
                true => line!(out, "let m0_{j} = temper(r{}[{}]);", j / 4, j % 4),
                false => line!(out, "let m0_{j} = 0u;"),
            }
        }
        premix(out, 0, 0, size, 0);
        for q in 0..size / 4 {
            line!(out, "masks[({quad} + {q}u) * stride + thread] = t0q{q};");
        }
    })
}

/// Makes a group of words and weighs it against `blocks` blocks.
pub fn stream_weigh(words: usize, tile: usize, blocks: usize, whole: bool) -> String {
    each_group(words, whole, |out, quad, size, real| {
        line!(out, "let k = 4u * {quad};");
        stream_words(out, "k", tile, size, real);
        for t in 0..tile {
            premix(out, t, 0, size, 0);
        }
        for b in 0..blocks {
            line!(out, "{{");
            for q in 0..size / 4 {
                line!(out, "let c{q} = blocks[{}u + {quad} + {q}u];", b * quads(words));
            }
            for t in 0..tile {
                line!(out, "w{t}_{b} += {};", weigh(t, 0, size));
            }
            line!(out, "}}");
        }
    })
}

/// The masks' words `m0_0..`, from `seed` on, none stored but in registers: at most 32.
pub fn short_words(words: usize, tile: usize) -> String {
    let mut out = String::new();
    for t in 0..tile {
        line!(out, "let h{t}_0 = seed + {}u;", ahead(t));
    }
    for i in 1..=words {
        for t in 0..tile {
            line!(out, "let h{t}_{i} = init_step(h{t}_{}, {i}u);", i - 1);
        }
    }
    for t in 0..tile {
        line!(out, "var x{t} = h{t}_{words};");
    }
    seed_on(&mut out, "x", tile, words, 397);
    for t in 0..tile {
        line!(out, "let f{t}_0 = x{t};");
    }
    for j in 0..words {
        for t in 0..tile {
            line!(out, "let m{t}_{j} = temper(f{t}_{j} ^ twist(h{t}_{j}, h{t}_{}));", j + 1);
            if j + 1 < words {
                line!(out, "let f{t}_{} = init_step(f{t}_{j}, {}u);", j + 1, j + 398);
            }
        }
    }
    out
}

/// [`short_words`], premixed: quads `t0q0..`.
pub fn short_mask(words: usize, tile: usize) -> String {
    let mut out = short_words(words, tile);
    for t in 0..tile {
        for j in words..4 * quads(words) {
            line!(out, "let m{t}_{j} = 0u;");
        }
        for (first, size) in groups(words) {
            premix(&mut out, t, first, size, first / 4);
        }
    }
    out
}

/// Whether the join's table holds any of the words.
pub fn any_held(words: usize) -> String {
    (0..words).map(|j| format!("holds({j}u, m0_{j})")).collect::<Vec<_>>().join(" || ")
}

/// All quads of the thread's masks.
pub fn load_masks(words: usize, tile: usize) -> String {
    let mut out = String::new();
    for t in 0..tile {
        for q in 0..quads(words) {
            line!(out, "let t{t}q{q} = masks[{q}u * stride + thread + {}u];", ahead(t));
        }
    }
    out
}

/// All quads of the block at quad `at`.
pub fn load_block(words: usize) -> String {
    let mut out = String::new();
    for q in 0..quads(words) {
        line!(out, "let c{q} = blocks[at + {q}u];");
    }
    out
}

/// The weight of each of the thread's masks.
pub fn weigh_tile(words: usize, tile: usize) -> String {
    let mut out = String::new();
    for t in 0..tile {
        let parts: Vec<String> =
            groups(words).into_iter().map(|(first, size)| weigh(t, first / 4, size)).collect();
        line!(out, "let w{t} = {};", parts.join(" + "));
    }
    out
}

/// One test for all the thread's masks: hits are rare.
pub fn any_hit(tile: usize) -> String {
    (0..tile).map(|t| format!("is_hit(w{t}, limit)")).collect::<Vec<_>>().join(" | ")
}

/// Reports the hits among the thread's masks against block `b`.
pub fn report_tile(tile: usize) -> String {
    let mut out = String::new();
    for t in 0..tile {
        let ahead = ahead(t);
        line!(out, "if (is_hit(w{t}, limit) && thread + {ahead}u < params.seeds) {{");
        line!(out, "report(params.first_block + b, params.first_seed + thread + {ahead}u);\n}}");
    }
    out
}

/// Running weights, zero.
pub fn weights(tile: usize, blocks: usize) -> String {
    let mut out = String::new();
    for t in 0..tile {
        for b in 0..blocks {
            line!(out, "var w{t}_{b} = 0u;");
        }
    }
    out
}

/// Loads a group of the thread's masks and weighs it against the tile's blocks.
pub fn weigh_group(words: usize, tile: usize, blocks: usize, whole: bool) -> String {
    each_group(words, whole, |out, quad, size, _| {
        for t in 0..tile {
            for q in 0..size / 4 {
                let ahead = ahead(t);
                line!(out, "let t{t}q{q} = masks[({quad} + {q}u) * stride + thread + {ahead}u];");
            }
        }
        for b in 0..blocks {
            line!(out, "{{\nlet at = (b + {b}u) * {}u + {quad};", quads(words));
            for q in 0..size / 4 {
                line!(out, "let c{q} = blocks[at + {q}u];");
            }
            for t in 0..tile {
                line!(out, "w{t}_{b} += {};", weigh(t, 0, size));
            }
            line!(out, "}}");
        }
    })
}

/// Whether any running weight is a hit. Blocks that do not exist have limits no weight meets. `b` is WGSL for the tile's first block.
pub fn any_weight(tile: usize, blocks: usize, b: &str) -> String {
    let pairs = (0..blocks).flat_map(|i| (0..tile).map(move |t| (i, t)));
    pairs.map(|(i, t)| format!("is_hit(w{t}_{i}, limits[{b} + {i}u])")).collect::<Vec<_>>().join(" | ")
}

/// Weighs mask `t` of the thread against block `b` once more, quad by quad, into `w`: for the rare case.
pub fn weigh_again(words: usize) -> String {
    let mut out = String::new();
    let body = |out: &mut String, quad: &str, size: usize| {
        let parts: Vec<String> = (0..size / 4)
            .map(|q| format!("masks[({quad} + {q}u) * stride + seed_at] ^ blocks[at + {quad} + {q}u]"))
            .collect();
        line!(out, "w += weigh{size}({});", parts.join(", "));
    };
    if whole_quads(words) > 0 {
        line!(out, "for (var quad = 0u; quad < {}u; quad += 4u) {{", whole_quads(words));
        body(&mut out, "quad", 16);
        line!(out, "}}");
    }
    for (first, size) in groups(words).into_iter().filter(|(first, size)| *size < 16 || first + size > words)
    {
        body(&mut out, &format!("{}u", first / 4), size);
    }
    out
}

/// Reports the hits among the running weights against blocks 0 and on.
pub fn report_weights(tile: usize, blocks: usize) -> String {
    let mut out = String::new();
    for b in 0..blocks {
        for t in 0..tile {
            let ahead = ahead(t);
            line!(out, "if (is_hit(w{t}_{b}, limits[{b}]) && thread + {ahead}u < params.seeds) {{");
            line!(out, "report(params.first_block + {b}u, seed + {ahead}u);\n}}");
        }
    }
    out
}
