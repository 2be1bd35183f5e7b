// Ceiling of 32-bit multiply-add: eight chains of x * m + y, which no compiler can fold.
//#include shared/roof.wgsl

@compute @workgroup_size({{WORKGROUP}})
fn roof_multiply(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
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
