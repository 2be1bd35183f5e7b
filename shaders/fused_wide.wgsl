// Streams each seed's mask of {{WORDS}} words (33 to 227) past at most {{BLOCK_TILE}} blocks: no mask is ever stored.
//#include shared/job.wgsl
//#include shared/blocks.wgsl
//#include shared/mt19937.wgsl
//#include shared/weigh.wgsl

@compute @workgroup_size({{WORKGROUP}})
fn fused_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
              @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{TILE_SEEDS}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let seed = params.first_seed + thread;
{{STREAM_BEGIN}}
{{WEIGHTS}}
    for (var quad = 0u; quad < {{WHOLE_QUADS}}u; quad += 4u) {
{{STREAM_GROUP}}
    }
{{STREAM_REST}}
{{REPORT_TILE}}
}
