// The blocks of one dispatch, premixed, and for each the weights that are hits: one chunk, broadcast to all threads.

struct Limit {
    // A weight w is a hit if w - low >= span, modulo 2^32: one comparison for both ends.
    low: u32,
    span: u32,
    reserved_0: u32,
    reserved_1: u32,
}

@group(0) @binding(1) var<uniform> blocks: array<vec4<u32>, {{CHUNK_QUADS}}>;
@group(0) @binding(2) var<uniform> limits: array<Limit, {{CHUNK_BLOCKS}}>;

fn is_hit(weight: u32, limit: Limit) -> bool {
    return weight - limit.low >= limit.span;
}
