// Scores the masks of a range of seeds against a chunk of blocks, {{WORDS}} words (more than 32) each.
// A thread holds one group of words of {{TILE}} masks at a time and the running weights of {{TILE}} x {{BLOCK_TILE}} pairs.
//#include shared/job.wgsl
//#include shared/blocks.wgsl
//#include shared/weigh.wgsl

@group(0) @binding(3) var<storage, read> masks: array<vec4<u32>>;

@compute @workgroup_size({{WORKGROUP}})
fn score_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
              @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{TILE_SEEDS}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let stride = params.stride;
    for (var b = 0u; b < params.blocks; b += {{BLOCK_TILE}}u) {
{{WEIGHTS}}
        for (var quad = 0u; quad < {{WHOLE_QUADS}}u; quad += 4u) {
{{WEIGH_GROUP}}
        }
{{WEIGH_REST}}
        // Hits are rare: then the tile's pairs are weighed once more. A loop of no turns instead of a branch, because software
        // devices run both sides of a branch.
        let pairs = select(0u, {{TILE}}u * {{BLOCK_TILE}}u, {{ANY_WEIGHT}});
        for (var pair = 0u; pair < pairs; pair++) {
            let block = b + pair / {{TILE}}u;
            let seed_at = thread + (pair % {{TILE}}u) * {{WORKGROUP}}u;
            let at = block * {{QUADS}}u;
            var w = 0u;
{{WEIGH_AGAIN}}
            if (is_hit(w, limits[block]) && seed_at < params.seeds) {
                report(params.first_block + block, params.first_seed + seed_at);
            }
        }
    }
}
