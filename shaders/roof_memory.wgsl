// Ceiling of memory: every thread reads quads, its neighbours the next ones, over more bytes than caches hold.
//#include shared/roof.wgsl

@group(0) @binding(2) var<storage, read> data: array<vec4<u32>>;

@compute @workgroup_size({{WORKGROUP}})
fn roof_memory(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
               @builtin(local_invocation_index) lane: u32) {
    let thread = thread_number(group, groups, lane);
    if (thread >= roof.threads) {
        return;
    }
    var x = begin(thread);
    for (var i = 0u; i < roof.rounds; i++) {
        for (var at = thread; at < roof.quads; at += roof.threads) {
            x ^= data[at];
        }
        x *= roof.factor;
    }
    end(thread, x, vec4<u32>(0u));
}
