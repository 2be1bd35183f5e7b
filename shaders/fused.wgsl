// Makes {{TILE}} seeds' masks a thread, of {{WORDS}} words (at most 32), in registers and scores them at once: for few blocks.
//#include shared/job.wgsl
//#include shared/blocks.wgsl
//#include shared/mt19937.wgsl
//#include shared/weigh.wgsl

@compute @workgroup_size({{WORKGROUP}})
fn fused(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{TILE_SEEDS}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let seed = params.first_seed + thread;
{{SHORT_MASK}}
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
