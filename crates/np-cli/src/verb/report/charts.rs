//! Charts with axes, drawn by plotters. They are drawn in colours that stand for roles; the page's style sheet
//! gives each role its colour in the light and in the dark.

use super::chance::Chance;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Size in units of the drawing.
const SIZE: (u32, u32) = (680, 340);
/// Roles. The style sheet knows these numbers.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const SEEN: RGBColor = RGBColor(3, 3, 3);
const LAW: RGBColor = RGBColor(4, 4, 4);
const COST: RGBColor = RGBColor(5, 5, 5);

/// The drawing without the `svg` element around it, to be put in one that has a title.
fn inner(svg: &str) -> String {
    let from = svg.find("<svg").and_then(|at| svg[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
    svg[from..].trim_end().trim_end_matches("</svg>").to_owned()
}

/// The `viewBox` of the charts.
pub fn view_box() -> String {
    format!("0 0 {} {}", SIZE.0, SIZE.1)
}

fn text<'a>(anchor: Pos) -> TextStyle<'a> {
    ("sans-serif", 14).into_font().color(&INK).pos(anchor)
}

/// Blocks by the fold of their best mask: bars for what was seen, a line with dots for the law.
pub fn folds(chance: &Chance) -> anyhow::Result<String> {
    let expected: Vec<f64> = chance.law.iter().map(|p| p * chance.blocks as f64).collect();
    let shown = |fold: &usize| chance.folds[*fold] > 0 || expected[*fold] >= 0.02;
    let first = (0..expected.len()).find(shown).unwrap_or(0);
    let last = (0..expected.len()).rev().find(shown).unwrap_or(0);
    let most =
        expected.iter().copied().chain(chance.folds.iter().map(|count| *count as f64)).fold(1.0, f64::max);
    let x = first as f64 - 1.0..last as f64 + 1.0;
    let mut svg = String::new();
    let draw = |svg: &mut String| -> anyhow::Result<()> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(58)
            .build_cartesian_2d(x, 0.0..most * 1.1)?;
        axes(&mut chart, "bits that differ from the best mask (fold)", "blocks", &|x| format!("{x:.0}"))?;
        chart.draw_series((first..=last).filter(|fold| chance.folds[*fold] > 0).map(|fold| {
            let at = fold as f64;
            Rectangle::new([(at - 0.42, 0.0), (at + 0.42, chance.folds[fold] as f64)], SEEN.filled())
        }))?;
        let law = || (first..=last).map(|fold| (fold as f64, expected[fold]));
        chart.draw_series(LineSeries::new(law(), LAW.stroke_width(2)))?;
        if last - first < 80 {
            chart.draw_series(law().map(|at| Circle::new(at, 3, LAW.filled())))?;
        }
        root.present()?;
        Ok(())
    };
    draw(&mut svg)?;
    Ok(inner(&svg))
}

/// What the best of 2^x masks saves of a block, before it is paid for, beside what naming the seed costs.
pub fn savings(chance: &Chance) -> anyhow::Result<String> {
    let last = chance.savings.len() as f64 - 1.0;
    let most = chance.savings.iter().map(|(seen, law)| seen.max(*law)).fold(last, f64::max) * 1.08;
    let mut svg = String::new();
    let draw = |svg: &mut String| -> anyhow::Result<()> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..last + 0.5, 0.0..most)?;
        axes(&mut chart, "log2 of the seeds mined", "bits a block", &|x| format!("{x:.0}"))?;
        let points = |of: fn(&(f64, f64)) -> f64| {
            chance.savings.iter().map(of).enumerate().map(|(i, y)| (i as f64, y))
        };
        chart.draw_series(LineSeries::new([(0.0, 0.0), (last + 0.5, last + 0.5)], COST.stroke_width(2)))?;
        chart.draw_series(LineSeries::new(points(|s| s.1), LAW.stroke_width(2)))?;
        chart.draw_series(points(|s| s.0).map(|at| Circle::new(at, 4, SEEN.filled())))?;
        root.present()?;
        Ok(())
    };
    draw(&mut svg)?;
    Ok(inner(&svg))
}

type Plane = Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>;

fn axes(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Plane>,
    x: &str,
    y: &str,
    label: &dyn Fn(&f64) -> String,
) -> anyhow::Result<()> {
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .x_labels(12)
        .y_labels(6)
        .label_style(text(Pos::new(HPos::Center, VPos::Center)))
        .axis_desc_style(text(Pos::new(HPos::Center, VPos::Center)))
        .x_label_formatter(label)
        .y_label_formatter(label)
        .x_desc(x)
        .y_desc(y)
        .draw()?;
    Ok(())
}
