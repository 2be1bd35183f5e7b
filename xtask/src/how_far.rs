//! `how-far`: through how many flipped bits the packer still saves, against the size of a block, measured and
//! drawn beside the information limit.

use anyhow::Context;
use clap::Args;
use np_core::block::BlockBits;
use np_core::pack::{self, Writer};
use np_cpu::CpuMiner;
use np_tests::inputs::{flip, numbers, records};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::PathBuf;

/// Measure how far packing works, and draw it
#[derive(Args)]
pub struct Options {
    /// Write the drawing to OUT
    #[arg(short, long, value_name = "OUT", default_value = "docs/how-far.svg")]
    output: PathBuf,
}

/// Blocks of an input, each the start of a stream of its own.
const BLOCKS: usize = 128;
/// Seeds are below `2^LOG_SEEDS`.
const LOG_SEEDS: u32 = 16;
/// The packer's level. It looks at all seeds below `2^LOG_SEEDS`; a higher one looks at more.
const LEVEL: u32 = 5;
/// Shares of flipped bits are whole steps of this many thousandths.
const STEP: u64 = 5;
/// A gain of the whole file that is not put down to a few lucky blocks.
const GAIN: i64 = 64;

/// Block sizes, in bits.
const SIZES: [u32; 9] = [128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

const WIDTH: u32 = 760;
const HEIGHT: u32 = 440;
/// Roles, which the style sheet of the drawing gives their colours.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const SEEN: RGBColor = RGBColor(3, 3, 3);
const NEAR: RGBColor = RGBColor(4, 4, 4);
const ALL: RGBColor = RGBColor(5, 5, 5);

/// Colours in the light and in the dark.
const STYLE: &str = r##"<style>
svg { background: #fff; --ink: #1c2126; --grid: #d5dae0; --seen: #1f5fbf; --near: #c2410c; --all: #57606a; }
@media (prefers-color-scheme: dark) { svg { background: #14171b; --ink: #e6e9ed; --grid: #39414a; --seen: #6ea8ff; --near: #ff9d5c; --all: #a3adb8; } }
[fill="#010101"] { fill: var(--ink); } [stroke="#010101"] { stroke: var(--ink); } [stroke="#020202"] { stroke: var(--grid); }
[fill="#030303"] { fill: var(--seen); } [stroke="#030303"] { stroke: var(--seen); }
[fill="#040404"] { fill: var(--near); } [stroke="#040404"] { stroke: var(--near); }
[fill="#050505"] { fill: var(--all); } [stroke="#050505"] { stroke: var(--all); }
</style>"##;

/// Measures, prints a table and writes the drawing.
pub fn run(options: &Options) -> anyhow::Result<()> {
    println!("| block, bits | flips packed through | limit, {LOG_SEEDS}-bit seeds | limit, 32-bit seeds |");
    println!("|---:|---:|---:|---:|");
    let mut measured = Vec::new();
    for bits in SIZES {
        let share = farthest(bits)?;
        let [near, all] = [LOG_SEEDS, 32].map(|log| 100.0 * limit(bits, f64::from(log)));
        println!("| {bits} | {:.1} % | {near:.1} % | {all:.1} % |", share / 10.0);
        measured.push((f64::from(bits).log2(), share / 10.0));
    }
    let svg = draw(&measured)?;
    std::fs::write(&options.output, svg).with_context(|| format!("cannot write {}", options.output.display()))
}

/// The largest share of flips, in thousandths, through which the packer still gains on blocks of `bits` bits.
fn farthest(bits: u32) -> anyhow::Result<f64> {
    // Gains fall with the share: halve the range of steps.
    let (mut gains, mut fails) = (0, 500 / STEP);
    anyhow::ensure!(gain(bits, 0)? >= GAIN, "blocks of {bits} bits are not even found without flips");
    while gains + 1 < fails {
        let middle = (gains + fails) / 2;
        if gain(bits, middle * STEP)? >= GAIN { gains = middle } else { fails = middle }
    }
    Ok((gains * STEP) as f64)
}

/// Bits the packer saves, by its ledger, of records with `per_mille` thousandths of their bits flipped.
fn gain(bits: u32, per_mille: u64) -> anyhow::Result<i64> {
    let mut options = pack::Options::level(LEVEL);
    (options.block_bits, options.fixed_blocks) = (BlockBits::new(bits)?, true);
    let seeds = numbers(bits.into()).take(BLOCKS).map(|n| (n % (1 << LOG_SEEDS)) as u32);
    let mut input = records(seeds, options.block_bits.bytes());
    flip(&mut input, per_mille, u64::from(bits) << 32 | per_mille);
    let analysis = pack::analyze(&options, &input, None, &CpuMiner::new(), &())?;
    let mut packed = Vec::new();
    let ledger = Writer::default().write(&input, &analysis, true, &mut packed)?;
    Ok(8 * input.len() as i64 - ledger.total_bits() as i64)
}

/// The share of flips at which `bits` bits hold no more information about a seed than it takes to name it:
/// `bits * (1 - H(p)) = log2 of the seeds`. 0 where even no flips leave too little.
fn limit(bits: u32, log_seeds: f64) -> f64 {
    let entropy = |p: f64| -p * p.log2() - (1.0 - p) * (1.0 - p).log2();
    let (mut low, mut high) = (1e-12, 0.5);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if f64::from(bits) * (1.0 - entropy(middle)) > log_seeds { low = middle } else { high = middle }
    }
    low
}

/// The drawing.
fn draw(measured: &[(f64, f64)]) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(14)
            .x_label_area_size(46)
            .y_label_area_size(60)
            .build_cartesian_2d(6.8..15.2, 0.0..52.0)?;
        let text = |size: i32, color: RGBColor, h: HPos| {
            ("sans-serif", size).into_font().color(&color).pos(Pos::new(h, VPos::Center))
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .x_labels(9)
            .y_labels(6)
            .x_label_formatter(&|x: &f64| format!("{:.0}", x.exp2()))
            .y_label_formatter(&|y: &f64| format!("{y:.0} %"))
            .label_style(text(14, INK, HPos::Center))
            .axis_desc_style(text(14, INK, HPos::Center))
            .x_desc("bits of a block that has a seed of its own")
            .y_desc("flipped bits")
            .draw()?;
        let line = |log: f64| {
            (0..=160)
                .map(move |i| 7.0 + f64::from(i) / 20.0)
                .map(move |x| (x, 100.0 * limit(x.exp2() as u32, log)))
        };
        chart.draw_series(LineSeries::new(line(32.0), ALL.stroke_width(2)))?;
        chart.draw_series(LineSeries::new(line(LOG_SEEDS.into()), NEAR.stroke_width(2)))?;
        chart.draw_series(measured.iter().map(|at| Circle::new(*at, 5, SEEN.filled())))?;
        let mut say = |at: (f64, f64), what: String, color: RGBColor| {
            chart.draw_series([Text::new(what, at, text(14, color, HPos::Left))]).map(drop)
        };
        say((10.6, 12.5), format!("limit if the seed is one of 2^{LOG_SEEDS}"), NEAR)?;
        say((10.6, 9.0), "limit if it is one of all 2^32".to_owned(), ALL)?;
        say((10.6, 5.5), "np-cli gains up to here, seeds below 2^16".to_owned(), SEEN)?;
        root.present()?;
    }
    let title = "<title>Flipped bits through which a seed still pays, against the size of a block</title>";
    let open = svg.find("<svg").and_then(|at| svg[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
    svg.insert_str(open, &format!("\n{title}\n{STYLE}"));
    Ok(svg + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_entropy() {
        // 512 (1 - H(p)) = 32 at p = 0.354, 16 at 0.396.
        assert!((limit(512, 32.0) - 0.354).abs() < 0.002 && (limit(512, 16.0) - 0.396).abs() < 0.002);
        assert!(limit(128, 128.0) < 1e-6 && limit(32768, 16.0) > 0.48);
    }

    #[test]
    fn gains_end_before_the_limit() {
        assert!(gain(256, 0).unwrap() > 20_000);
        assert!(gain(256, 100).unwrap() > GAIN);
        assert!(gain(256, 400).unwrap() < GAIN);
    }
}
