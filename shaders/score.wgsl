// Scores the masks of a range of seeds against a chunk of blocks, {{WORDS}} words (at most 32) each.
// A thread holds {{TILE}} masks in registers and walks the blocks, which all threads read at the same address.
//#include shared/job.wgsl
//#include shared/blocks.wgsl
//#include shared/weigh.wgsl

@group(0) @binding(3) var<storage, read> masks: array<vec4<u32>>;

@compute @workgroup_size({{WORKGROUP}})
fn score(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{TILE_SEEDS}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let stride = params.stride;
{{LOAD_MASKS}}
    for (var first = 0u; first < params.blocks; first += {{SPAN}}u) {
        let last = min(first + {{SPAN}}u, params.blocks);
        var any = false;
        for (var b = first; b < last; b++) {
            let at = b * {{QUADS}}u;
            let limit = limits[b];
{{LOAD_BLOCK}}
{{WEIGH_TILE}}
            any = any | {{ANY_HIT}};
        }
        // Hits are rare: then the span is weighed once more. A loop of no turns instead of a branch, because software devices
        // run both sides of a branch.
        let again = select(first, last, any);
        for (var b = first; b < again; b++) {
            let at = b * {{QUADS}}u;
            let limit = limits[b];
{{LOAD_BLOCK}}
{{WEIGH_TILE}}
{{REPORT_TILE}}
        }
    }
}
