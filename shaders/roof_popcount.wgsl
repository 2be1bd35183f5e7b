// Ceiling of plain scoring: xor, popcount, add, for each word of a pair.
//#include shared/roof.wgsl

@compute @workgroup_size({{WORKGROUP}})
fn roof_popcount(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let thread = thread_number(group, groups, lane);
    if (thread >= roof.threads) {
        return;
    }
    var x = begin(thread);
    var y = begin(~thread);
    for (var i = 0u; i < roof.rounds; i++) {
{{ROUND}}
    }
    end(thread, x, y);
}
