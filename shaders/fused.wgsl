// Makes each seed's mask of {{WORDS}} words (at most 32) in registers and scores it at once: for few blocks.
//#include shared/job.wgsl
//#include shared/blocks.wgsl
//#include shared/mt19937.wgsl
//#include shared/weigh.wgsl

@compute @workgroup_size({{WORKGROUP}})
fn fused(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{WORKGROUP}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let seed = params.first_seed + thread;
{{SHORT_MASK}}
    for (var b = 0u; b < params.blocks; b++) {
        let at = b * {{QUADS}}u;
{{LOAD_BLOCK}}
{{WEIGH_TILE}}
        if (is_hit(w0, limits[b])) {
            report(params.first_block + b, seed);
        }
    }
}
