//! The map: the file as rows of cells, coloured by what explains them; and the same as a table.

use super::cells::{Cell, Cells, Kind};
use super::page::thousands;
use crate::findings::Findings;
use maud::{Markup, html};
use std::ops::Range;

/// Cells of a row.
const ROW: usize = 64;
/// Cells of the overview.
const OVERVIEW: usize = 2048;
/// Units of the drawing: a cell, the height of a row, and the room for its first byte's number.
const CELL: usize = 10;
const HEIGHT: usize = 14;
const LABEL: usize = 86;
/// Rows of the table.
const TABLE: usize = 100;

/// Cells that look alike.
struct Stretch {
    cells: Range<usize>,
    kind: Kind,
    level: usize,
    /// Its run, or its packed block where there are few.
    found: Option<usize>,
    whole: Cell,
}

/// The map of a file, with closer ones of its rows where cells are wider than blocks.
pub fn map(cells: &Cells, findings: &Findings) -> Markup {
    let coarse = cells.coarser(OVERVIEW);
    let closer = (coarse.cell_bytes() / cells.cell_bytes()) as usize;
    html! {
        div.zoom {
            @for (i, scale) in [1, 2, 4, 8].into_iter().enumerate() {
                input type="radio" name="zoom" id=(format!("zoom{scale}"))
                    aria-label=(format!("Map enlarged {scale} times")) checked=[(i == 0).then_some("checked")];
                label for=(format!("zoom{scale}")) { (scale) "×" }
            }
            div.scroll tabindex="0" role="region" aria-label="Map of the file; scroll when it is enlarged" {
                (drawing(&coarse, 0..coarse.cells().len(), findings, "Map of the file"))
            }
        }
        p.note {
            "Each cell is " (thousands(coarse.cell_bytes())) " bytes, each row "
            (thousands(coarse.cell_bytes() * ROW as u64)) "; rows begin with the byte at their left. Point at a cell to read what it is."
        }
        @if closer > 1 {
            details {
                summary { "Closer: each row in cells of " (thousands(cells.cell_bytes())) " bytes" }
                @for (number, row) in coarse.cells().chunks(ROW).enumerate() {
                    @let from = number * ROW * closer;
                    @let to = (from + row.len() * closer).min(cells.cells().len());
                    @let (start, end) = (from as u64 * cells.cell_bytes(), to as u64 * cells.cell_bytes());
                    details {
                        summary { "from byte " (thousands(start)) " to " (thousands(end - 1)) }
                        div.scroll tabindex="0" role="region" aria-label=(format!("Map from byte {start}")) {
                            (drawing(cells, from..to, findings, &format!("Map from byte {start}")))
                        }
                    }
                }
            }
        }
        details {
            summary { "The map as a table" }
            (table(&coarse, findings))
        }
    }
}

/// What the colours mean.
pub fn legend(cells: &Cells) -> Markup {
    html! {
        ul.legend {
            @for kind in Kind::ALL {
                li { span class=(format!("swatch {}", kind.class())) {} (kind.name()) ", " (thousands(cells.total(kind))) " bytes" }
            }
            li {
                @for level in 0..5 { span class=(format!("swatch run f{level}")) {} }
                "flipped bits of a run or seed: none, to 2 %, to 8 %, to 25 %, more"
            }
        }
    }
}

fn drawing(cells: &Cells, which: Range<usize>, findings: &Findings, title: &str) -> Markup {
    let rows = which.len().div_ceil(ROW);
    let (width, height) = (LABEL + ROW * CELL, rows * HEIGHT);
    let lines: String = (1..ROW).map(|i| format!("M{} 0V{height}", LABEL + i * CELL)).collect();
    let few = cells.cells().len() <= OVERVIEW * 2;
    html! {
        svg.map role="img" viewBox=(format!("0 0 {width} {height}")) xmlns="http://www.w3.org/2000/svg" aria-label=(format!("{title}. {}", in_words(cells, &which))) {
            @for row in 0..rows {
                @let from = which.start + row * ROW;
                @let to = (from + ROW).min(which.end);
                @let y = row * HEIGHT;
                text x=(LABEL - 8) y=(y + 10) text-anchor="end" { (thousands(from as u64 * cells.cell_bytes())) }
                @for stretch in stretches(cells, from..to, findings, few) {
                    rect x=(LABEL + (stretch.cells.start - from) * CELL) y=(y) width=(stretch.cells.len() * CELL) height=(HEIGHT - 2)
                        class=(format!("{} f{}", stretch.kind.class(), stretch.level)) {
                        title { (describe(cells, &stretch, findings)) }
                    }
                }
            }
            path.lines d=(lines) {}
        }
    }
}

/// `which` in maximal stretches that look alike. `few`: packed blocks each by itself.
fn stretches(cells: &Cells, which: Range<usize>, findings: &Findings, few: bool) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    for i in which {
        let cell = cells.cells()[i];
        let (kind, level) = (cell.kind(), cell.flip_level());
        let bytes = i as u64 * cells.cell_bytes()..(i as u64 + 1) * cells.cell_bytes();
        let found = match kind {
            Kind::Run => {
                let first = findings.runs.partition_point(|run| run.offset + run.length <= bytes.start);
                findings.runs.get(first).filter(|run| run.offset < bytes.end).map(|_| first)
            }
            Kind::Seed if few => {
                let first =
                    findings.blocks.partition_point(|block| block.offset + block.length <= bytes.start);
                findings.blocks.get(first).filter(|block| block.offset < bytes.end).map(|_| first)
            }
            _ => None,
        };
        match out.last_mut() {
            Some(last) if (last.kind, last.level, last.found) == (kind, level, found) => {
                last.cells.end = i + 1;
                last.whole.add(&cell);
            }
            _ => out.push(Stretch { cells: i..i + 1, kind, level, found, whole: cell }),
        }
    }
    out
}

fn describe(cells: &Cells, stretch: &Stretch, findings: &Findings) -> String {
    let start = stretch.cells.start as u64 * cells.cell_bytes();
    let end = start + stretch.whole.len();
    let mut text = format!("bytes {} to {}: ", thousands(start), thousands(end.max(start + 1) - 1));
    let parts: Vec<String> = Kind::ALL
        .into_iter()
        .filter(|kind| stretch.whole.of(*kind) > 0)
        .map(|kind| match stretch.whole.of(kind) == stretch.whole.len() {
            true => kind.name().to_owned(),
            false => format!("{} bytes {}", thousands(stretch.whole.of(kind)), kind.name()),
        })
        .collect();
    text += &parts.join(", ");
    match (stretch.kind, stretch.found) {
        (Kind::Run, Some(i)) => text += &format!("; key {}", findings.runs[i].text.short()),
        (Kind::Seed, Some(i)) => text += &format!("; seed {}", findings.blocks[i].seed),
        _ => {}
    }
    if let Some(rate) = stretch.whole.flip_rate() {
        text += &format!("; {:.2} % of the bits flipped", 100.0 * rate);
    }
    text
}

fn in_words(cells: &Cells, which: &Range<usize>) -> String {
    let total = |kind| cells.cells()[which.clone()].iter().map(|cell| cell.of(kind)).sum::<u64>();
    let parts = Kind::ALL.map(|kind| format!("{} {} bytes", kind.name(), thousands(total(kind))));
    parts.join(", ")
}

fn table(cells: &Cells, findings: &Findings) -> Markup {
    let all = stretches(cells, 0..cells.cells().len(), findings, false);
    html! {
        table {
            caption { "Stretches of the file that look alike" }
            thead { tr { th scope="col" { "from byte" } th scope="col" { "bytes" } th.words scope="col" { "what" } th scope="col" { "flipped" } } }
            tbody {
                @for stretch in all.iter().take(TABLE) {
                    tr {
                        td { (thousands(stretch.cells.start as u64 * cells.cell_bytes())) }
                        td { (thousands(stretch.whole.len())) }
                        td.words { (stretch.kind.name()) }
                        td { @if let Some(rate) = stretch.whole.flip_rate() { (format!("{:.2} %", 100.0 * rate)) } }
                    }
                }
            }
        }
        @if all.len() > TABLE {
            p.note { (all.len() - TABLE) " more stretches are on the map." }
        }
    }
}
