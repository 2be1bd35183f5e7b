// Makes masks of {{WORDS}} words (at most 227) for a range of seeds, premixed, quad by quad: masks[quad * stride + seed].
// A thread makes {{TILE}} of them side by side. No 624-word state: the seeding runs twice, 397 words apart, and each
// output word needs only where both stand.
//#include shared/job.wgsl
//#include shared/mt19937.wgsl

@group(0) @binding(3) var<storage, read_write> masks: array<vec4<u32>>;

@compute @workgroup_size({{WORKGROUP}})
fn mask(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{TILE_SEEDS}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let seed = params.first_seed + thread;
    let stride = params.stride;
{{STREAM_BEGIN}}
{{STREAM_STORE}}
}
