// What the roofline kernels share: eight independent chains a thread, and a result that nobody can leave out.

struct Roof {
    threads: u32,
    rounds: u32,
    // An odd number compilers do not know.
    factor: u32,
    // For memory: quads a round of all threads reads.
    quads: u32,
}

@group(0) @binding(0) var<uniform> roof: Roof;
@group(0) @binding(1) var<storage, read_write> results: array<u32>;

fn thread_number(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
    return (group.y * groups.x + group.x) * {{WORKGROUP}}u + lane;
}

fn begin(thread: u32) -> vec4<u32> {
    return (vec4<u32>(1u, 2u, 3u, 4u) + vec4<u32>(thread)) * 0x9e3779b1u;
}

fn end(thread: u32, x: vec4<u32>, y: vec4<u32>) {
    let z = x ^ y;
    results[thread] = z.x ^ z.y ^ z.z ^ z.w;
}
