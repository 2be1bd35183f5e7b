// What every mining kernel is told, and how it reports a hit. Layouts are those of np_gpu::layout.

struct Params {
    // Seed of thread 0.
    first_seed: u32,
    // Seeds of this dispatch.
    seeds: u32,
    // Seeds between two quads of one mask in the mask buffer.
    stride: u32,
    // Blocks of this dispatch.
    blocks: u32,
    // Number of its first block.
    first_block: u32,
    // Hits the list can hold.
    capacity: u32,
    reserved_0: u32,
    reserved_1: u32,
}

struct Hit {
    block: u32,
    seed: u32,
}

struct Hits {
    // Hits found, also those beyond the capacity.
    count: atomic<u32>,
    reserved: u32,
    list: array<Hit>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read_write> hits: Hits;

fn report(block: u32, seed: u32) {
    let at = atomicAdd(&hits.count, 1u);
    if (at < params.capacity) {
        hits.list[at] = Hit(block, seed);
    }
}

// Number of the workgroup in a 2-D dispatch: one dimension ends at 65,535.
fn group_number(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}
