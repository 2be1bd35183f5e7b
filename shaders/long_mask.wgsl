// Makes masks of {{WORDS}} words (more than 227) for a range of seeds, in the layout of mask.wgsl.
// Untempered outputs are kept in the mask buffer itself: from the 228th on they feed the recurrence. The state's 624
// words are never stored: the seeding runs along. A last pass tempers and premixes in place.
//#include shared/job.wgsl
//#include shared/mt19937.wgsl

@group(0) @binding(3) var<storage, read_write> masks: array<vec4<u32>>;

@compute @workgroup_size({{WORKGROUP}})
fn long_mask(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{WORKGROUP}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let seed = params.first_seed + thread;
    let stride = params.stride;
{{STREAM_BEGIN}}
    for (var k = 0u; k < 227u; k++) {
        let next = init_step(near0, k + 1u);
        masks[(k >> 2u) * stride + thread][k & 3u] = far0 ^ twist(near0, next);
        near0 = next;
        far0 = init_step(far0, k + 398u);
    }
    for (var k = 227u; k < {{SEEDED}}u; k++) {
        let next = init_step(near0, k + 1u);
        let back = k - 227u;
        masks[(k >> 2u) * stride + thread][k & 3u] = masks[(back >> 2u) * stride + thread][back & 3u] ^ twist(near0, next);
        near0 = next;
    }
    for (var k = 623u; k < {{WORDS}}u; k++) {
        // Word k of the state is seeded up to 623, from there on output k - 624.
        let next = masks[((k - 623u) >> 2u) * stride + thread][(k - 623u) & 3u];
        let back = k - 227u;
        masks[(k >> 2u) * stride + thread][k & 3u] = masks[(back >> 2u) * stride + thread][back & 3u] ^ twist(near0, next);
        near0 = next;
    }
{{TEMPER_IN_PLACE}}
}
