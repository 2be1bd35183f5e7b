// Makes the first {{WORDS}} words (at most 8) of each seed's mask and probes the table of the blocks' words with them:
// a seed is reported if at one of these places some block has the mask's word or its complement.
//#include shared/job.wgsl
//#include shared/mt19937.wgsl

// starts[place << BITS | hash] to the next entry: where that hash's keys lie in keys.
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;

fn holds(place: u32, word: u32) -> bool {
    // A word and its complement have one key: the one whose top bit is clear.
    let key = select(word, ~word, (word >> 31u) == 1u);
    let slot = (place << params.stride) | ((key * 0x9e3779b1u) >> (32u - params.stride));
    let end = starts[slot + 1u];
    for (var at = starts[slot]; at < end; at++) {
        if (keys[at] == key) {
            return true;
        }
    }
    return false;
}

@compute @workgroup_size({{WORKGROUP}})
fn join(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let thread = group_number(group, groups) * {{WORKGROUP}}u + lane;
    if (thread >= params.seeds) {
        return;
    }
    let seed = params.first_seed + thread;
{{JOIN_WORDS}}
    if ({{ANY_HELD}}) {
        report(0u, seed);
    }
}
