//! Every shader is valid WGSL for every block size, and shared structs lie where the host thinks they do. Needs no device.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use np_gpu::layout::{HITS_HEADER, Hit, Limit, Params};
use np_gpu::roof::Roof;
use np_gpu::shader::Kernel;
use std::mem::offset_of;

/// Every kernel for masks of `words` words.
fn kernels(words: usize) -> Vec<Kernel> {
    let mut list = vec![Kernel::mask(words), Kernel::score(words)];
    if words <= 32 {
        list.push(Kernel::Fused { words });
    } else if words <= 227 {
        list.extend([1, 2, 4, 8].map(|blocks| Kernel::FusedWide { words, blocks }));
    }
    if words <= 8 {
        list.push(Kernel::Join { words });
    }
    list
}

#[track_caller]
fn parse(kernel: Kernel) -> naga::Module {
    parse_text(&kernel.text(), kernel.name())
}

#[track_caller]
fn parse_text(text: &str, name: &str) -> naga::Module {
    let module = naga::front::wgsl::parse_str(text);
    let module = module.unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(text)));
    let checked = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
    checked.unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(text)));
    assert_eq!(module.entry_points.len(), 1);
    assert_eq!(module.entry_points[0].name, name);
    module
}

#[test]
fn every_shader_is_valid() {
    let sizes =
        (4..=70).chain([112, 127, 128, 129, 226, 227, 228, 229, 400, 623, 624, 625, 1000, 1023, 1024]);
    for words in sizes {
        for kernel in kernels(words) {
            parse(kernel);
        }
    }
    for words in 1..=8 {
        parse(Kernel::Join { words });
    }
    for roof in Roof::ALL {
        let module = parse_text(&roof.text(), roof.name());
        let words =
            ["threads", "rounds", "factor", "quads"].iter().enumerate().map(|(i, name)| (*name, 4 * i));
        assert_eq!(members(&module, "Roof"), (named(&words.collect::<Vec<_>>()), 16));
    }
}

/// Offsets of a shader struct's members, by name, and its size.
fn members(module: &naga::Module, name: &str) -> (Vec<(String, u32)>, u32) {
    let found = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name));
    let (_, ty) = found.unwrap_or_else(|| panic!("no struct {name}"));
    let naga::TypeInner::Struct { members, span } = &ty.inner else { panic!("{name} is no struct") };
    let list = members.iter().map(|m| (m.name.clone().unwrap_or_default(), m.offset)).collect();
    (list, *span)
}

fn named(list: &[(&str, usize)]) -> Vec<(String, u32)> {
    list.iter().map(|(name, offset)| ((*name).to_owned(), *offset as u32)).collect()
}

#[test]
fn structs_lie_where_the_host_thinks() {
    for kernel in kernels(16).into_iter().chain(kernels(300)).chain([Kernel::Join { words: 3 }]) {
        let module = parse(kernel);
        let (params, size) = members(&module, "Params");
        assert_eq!(size as usize, size_of::<Params>());
        let reserved = offset_of!(Params, reserved);
        let expected = named(&[
            ("first_seed", offset_of!(Params, first_seed)),
            ("seeds", offset_of!(Params, seeds)),
            ("stride", offset_of!(Params, stride)),
            ("blocks", offset_of!(Params, blocks)),
            ("first_block", offset_of!(Params, first_block)),
            ("capacity", offset_of!(Params, capacity)),
            ("reserved_0", reserved),
            ("reserved_1", reserved + 4),
        ]);
        assert_eq!(params, expected, "{kernel:?}");
        let (hit, size) = members(&module, "Hit");
        assert_eq!(size as usize, size_of::<Hit>());
        assert_eq!(hit, named(&[("block", offset_of!(Hit, block)), ("seed", offset_of!(Hit, seed))]));
        let (hits, _) = members(&module, "Hits");
        assert_eq!(hits, named(&[("count", 0), ("reserved", 4), ("list", HITS_HEADER as usize)]));
    }
    for kernel in [Kernel::score(16), Kernel::score(300), Kernel::Fused { words: 16 }] {
        let (limit, size) = members(&parse(kernel), "Limit");
        assert_eq!(size as usize, size_of::<Limit>());
        let reserved = offset_of!(Limit, reserved);
        let expected = named(&[
            ("low", offset_of!(Limit, low)),
            ("span", offset_of!(Limit, span)),
            ("reserved_0", reserved),
            ("reserved_1", reserved + 4),
        ]);
        assert_eq!(limit, expected, "{kernel:?}");
    }
}
