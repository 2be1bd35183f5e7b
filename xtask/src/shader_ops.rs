//! `shader-ops`: instructions per seed and per pair, counted in the SPIR-V that wgpu hands to the driver. It measures nothing.

use crate::spirv::{Body, Counts, entry_body};
use anyhow::{Result, anyhow};
use clap::Args;
use naga::back::spv;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use np_gpu::layout::quads;
use np_gpu::shader::Kernel;
use serde_json::{Value, json};

#[derive(Args)]
pub struct Options {
    /// Words of a mask
    #[arg(long, value_name = "W", default_value_t = 16, value_parser = clap::value_parser!(u32).range(4..=227))]
    words: u32,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// The SPIR-V of a kernel, compiled as wgpu does with run-time checks off.
fn compile(kernel: Kernel) -> Result<Vec<u32>> {
    let text = kernel.text();
    let module = naga::front::wgsl::parse_str(&text).map_err(|error| anyhow!(error.emit_to_string(&text)))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module);
    let info = info.map_err(|error| anyhow!(error.emit_to_string(&text)))?;
    let mut options = spv::Options {
        bounds_check_policies: naga::proc::BoundsCheckPolicies::default(),
        ..Default::default()
    };
    options.force_loop_bounding = false;
    options.flags = spv::WriterFlags::empty();
    Ok(spv::write_vec(&module, &info, &options, None)?)
}

/// `counts` times `times`.
fn scaled(counts: &Counts, times: f64) -> Vec<(&'static str, f64)> {
    counts.named().into_iter().map(|(name, count)| (name, count as f64 * times)).collect()
}

fn sum(parts: Vec<Vec<(&'static str, f64)>>) -> Vec<(&'static str, f64)> {
    let mut total: Vec<(&'static str, f64)> = Counts::default().named().map(|(name, _)| (name, 0.0)).to_vec();
    for part in parts {
        for (slot, (_, count)) in total.iter_mut().zip(part) {
            slot.1 += count;
        }
    }
    total
}

/// Turns of the seeding loop of a kernel: it goes 12 steps a turn.
fn seeding_turns(kernel: Kernel) -> f64 {
    let steps = match kernel {
        Kernel::Fused { words } => 397 - words,
        _ => 397,
    };
    (steps / 12) as f64
}

/// Turns of a loop over the span of 16 blocks, for each pair of a thread's masks: the rare second weighing is left out.
const SPAN: f64 = 16.0;

/// What a kernel does for each seed, and for each pair where it scores: instructions outside loops, and each loop times its turns.
/// Loops come in the order of the text (`shaders/*.wgsl`); the last one, hits weighed again, is left out.
fn per_unit(kernel: Kernel, body: &Body) -> Vec<(&'static str, Vec<(&'static str, f64)>)> {
    let tile = kernel.tile() as f64;
    let whole_groups = (kernel.words() / 16) as f64;
    let each =
        |parts: &[(&Counts, f64)]| sum(parts.iter().map(|(counts, times)| scaled(counts, *times)).collect());
    let (straight, loops) = (&body.straight, &body.loops);
    let seeding = seeding_turns(kernel) / tile;
    match kernel {
        Kernel::Mask { .. } => {
            let mut parts = vec![(straight, 1.0 / tile), (&loops[0], seeding)];
            parts.extend(loops.get(1).map(|counts| (counts, whole_groups / tile)));
            vec![("seed", each(&parts))]
        }
        Kernel::Fused { .. } => vec![
            ("seed", each(&[(straight, 1.0 / tile), (&loops[0], seeding)])),
            ("pair", each(&[(&loops[1], 1.0 / (SPAN * tile)), (&loops[2], 1.0 / tile)])),
        ],
        Kernel::FusedWide { .. } => {
            let mut parts = vec![(straight, 1.0 / tile), (&loops[0], seeding)];
            parts.extend(loops.get(1).map(|counts| (counts, whole_groups / tile)));
            vec![("seed with its pair", each(&parts))]
        }
        Kernel::Score { .. } => vec![
            ("seed", each(&[(straight, 1.0 / tile)])),
            ("pair", each(&[(&loops[0], 1.0 / (SPAN * tile)), (&loops[1], 1.0 / tile)])),
        ],
        Kernel::ScoreWide { .. } => {
            let pairs = 8.0 * tile;
            vec![("pair", each(&[(&loops[0], 1.0 / pairs), (&loops[1], whole_groups / pairs)]))]
        }
        _ => Vec::new(),
    }
}

pub fn run(options: &Options) -> Result<()> {
    let words = options.words as usize;
    let mut kernels = vec![Kernel::mask(words), Kernel::score(words)];
    match words {
        ..=32 => kernels.push(Kernel::Fused { words }),
        _ => kernels.push(Kernel::FusedWide { words, blocks: 1 }),
    }
    let mut rows = Vec::new();
    for kernel in kernels {
        let body = entry_body(&compile(kernel)?)?;
        for (unit, counts) in per_unit(kernel, &body) {
            rows.push((kernel.name(), unit, counts));
        }
    }
    if options.json {
        let row = |(kernel, unit, counts): &(&str, &str, Vec<(&str, f64)>)| -> Value {
            let counts: serde_json::Map<String, Value> =
                counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
            json!({ "kernel": kernel, "per": unit, "counts": counts })
        };
        let rows: Vec<Value> = rows.iter().map(row).collect();
        println!("{:#}", json!({ "static": true, "words": words, "kernels": rows }));
        return Ok(());
    }
    println!(
        "Static counts of SPIR-V instructions a lane, W = {words} ({} quads). Nothing here was measured.\n",
        quads(words)
    );
    let names = Counts::default().named().map(|(name, _)| name);
    println!("| kernel | per | {} |\n|---|---|{}", names.join(" | "), "---:|".repeat(names.len()));
    for (kernel, unit, counts) in rows {
        let counts: Vec<String> = counts.iter().map(|(_, count)| format!("{count:.1}")).collect();
        println!("| {kernel} | {unit} | {} |", counts.join(" | "));
    }
    Ok(())
}
