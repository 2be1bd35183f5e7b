//! The page: headings, tables and drawings around what was gathered.

use super::chance::Chance;
use super::gather::Gathered;
use super::{charts, map};
use crate::audit::tests_of_chance::p_text;
use crate::cli::Ready;
use crate::summary::{self, percent};
use crate::unpacking::Unpacked;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use np_core::format::VERSION;

const STYLE: &str = include_str!("style.css");
/// Rows of the tables of runs and blocks.
const ROWS: usize = 200;

/// All there is to say.
pub struct Page<'a> {
    pub label: &'a str,
    /// The file is a packed one.
    pub packed: bool,
    pub found: &'a Unpacked,
    pub gathered: &'a Gathered,
    pub chance: Option<&'a Chance>,
    pub level: u32,
    pub ready: &'a Ready,
    pub command: &'a str,
}

impl Page<'_> {
    fn content_bits(&self) -> u64 {
        8 * self.found.contents.bytes
    }

    fn packed_bits(&self) -> u64 {
        self.found.ledger.total_bits()
    }

    /// The page.
    pub fn render(&self) -> anyhow::Result<String> {
        let chance = self.chance.map(|chance| self.chance(chance)).transpose()?;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                    link rel="icon" href="data:,";
                    title { (self.label) " – NoisePacker report" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        p.kicker { "NoisePacker report" }
                        h1 { (self.label) }
                        p.verdict { (self.verdict()) }
                    }
                    main {
                        (self.sizes())
                        (self.ledger())
                        section aria-labelledby="map" {
                            h2 #map { "What explains which bytes" }
                            (map::legend(&self.gathered.cells))
                            @if self.found.contents.bytes > 0 { (map::map(&self.gathered.cells, &self.gathered.findings)) }
                            @else { p { "The file is empty." } }
                        }
                        @if let Some(chance) = chance { (chance) }
                        @else {
                            section aria-labelledby="chance" {
                                h2 #chance { "Against chance" }
                                p { "No block is left that looks like noise and that no run explains: there is nothing to hold against chance." }
                            }
                        }
                        (self.runs())
                        (self.made())
                    }
                }
            }
        };
        Ok(page.into_string() + "\n")
    }

    fn verdict(&self) -> String {
        let (before, after) = (self.content_bits() as i128, self.packed_bits() as i128);
        let found = summary::found(&self.found.contents, self.packed_bits() / 8);
        match before - after {
            gain if gain > 0 => format!("{} bits saved: {found}.", thousands(gain as u64)),
            loss => format!(
                "{} bits added: {found}. On true randomness nobody can do better on average; every added bit is in the ledger.",
                thousands(-loss as u64)
            ),
        }
    }

    fn sizes(&self) -> Markup {
        let (before, after) = (self.content_bits(), self.packed_bits());
        let most = before.max(after).max(1) as f64;
        let bar = |name: &str, bits: u64, class: &str| {
            html! {
                div.size {
                    span.name { (name) }
                    svg.track role="img" viewBox="0 0 1000 10" preserveAspectRatio="none" xmlns="http://www.w3.org/2000/svg"
                        aria-label=(format!("{name}: {} bits", thousands(bits))) {
                        rect.(class) x="0" y="0" height="10" width=(format!("{:.3}", 1000.0 * bits as f64 / most)) {}
                    }
                    span.value { (thousands(bits / 8)) " bytes" }
                }
            }
        };
        html! {
            section aria-labelledby="sizes" {
                h2 #sizes { "Before and after" }
                (bar("input", before, "noise"))
                (bar("packed", after, "run"))
                p.note {
                    (thousands(before)) " bits became " (thousands(after)) ": "
                    (format!("{:.3} %", percent(after, before))) "."
                }
            }
        }
    }

    fn ledger(&self) -> Markup {
        let ledger = &self.found.ledger;
        let total = self.packed_bits();
        let mut at = 0.0;
        let parts: Vec<_> = ledger
            .rows()
            .zip(0..)
            .map(|((heading, bits), i): (_, u32)| {
                let width = 1000.0 * bits as f64 / total.max(1) as f64;
                let from = at;
                at += width;
                (heading, bits, i, from, width)
            })
            .collect();
        html! {
            section aria-labelledby="ledger" {
                h2 #ledger { "Where every bit of the packed file went" }
                svg.bar role="img" viewBox="0 0 1000 40" preserveAspectRatio="none" xmlns="http://www.w3.org/2000/svg"
                    aria-label="The ledger as a bar; the table below has its numbers" {
                    @for (heading, bits, i, from, width) in &parts {
                        @if *bits > 0 {
                            rect class=(format!("h{i}")) x=(format!("{from:.3}")) y="0" width=(format!("{width:.3}")) height="40" {
                                title { (heading.name()) ": " (thousands(*bits)) " bits, " (format!("{:.2} %", percent(*bits, total))) }
                            }
                        }
                    }
                }
                table.ledger {
                    caption {
                        "The ledger: " (thousands(total / 8)) " bytes, "
                        @if self.packed { "the file's size" } @else { "the packed size" }
                    }
                    thead { tr { th scope="col" { "heading" } th scope="col" { "bits" } th scope="col" { "share" } } }
                    tbody {
                        @for (heading, bits, i, _, _) in &parts {
                            tr class=[(*bits == 0).then_some("nothing")] {
                                th scope="row" { span class=(format!("swatch h{i}")) {} (heading.name()) }
                                td { (thousands(*bits)) }
                                td { (format!("{:.2} %", percent(*bits, total))) }
                            }
                        }
                    }
                    tfoot {
                        tr {
                            th scope="row" { "total" }
                            td #ledger-total { (thousands(total)) }
                            td { "100.00 %" }
                        }
                    }
                }
            }
        }
    }

    fn chance(&self, chance: &Chance) -> anyhow::Result<Markup> {
        let seeds = thousands(1 << chance.log_seeds);
        let fit = if chance.fit.freedom == 0 {
            "There are too few blocks for a test.".to_owned()
        } else {
            let verdict = match chance.fit.p {
                p if p < 1e-6 => {
                    "Chance does not make such folds: some of these blocks are masks of seeds tried here."
                }
                p if p < 0.01 => "That is unusual for chance, but one test in a hundred is.",
                _ => "That is what chance makes of blocks that have nothing to do with the masks.",
            };
            format!(
                "Chi-squared {:.1} with {} degrees of freedom, {} (one test, nothing to correct). {verdict}",
                chance.fit.statistic,
                chance.fit.freedom,
                match p_text(chance.fit.p) {
                    tiny if tiny.starts_with('<') => format!("p {tiny}"),
                    p => format!("p = {p}"),
                }
            )
        };
        let last = chance.savings.len() - 1;
        let (seen, law) = chance.savings[last];
        let figure = |id: &str, title: &str, inner: String, caption: Markup| {
            html! {
                figure {
                    div.scroll tabindex="0" role="region" aria-label=(title) {
                        svg.chart role="img" viewBox=(charts::view_box()) xmlns="http://www.w3.org/2000/svg" aria-labelledby=(format!("{id}-title")) {
                            title id=(format!("{id}-title")) { (title) }
                            (PreEscaped(inner))
                        }
                    }
                    figcaption { (caption) }
                }
            }
        };
        Ok(html! {
            section aria-labelledby="chance" {
                h2 #chance { "Against chance" }
                p {
                    "The masks of the first seeds against "
                    @if (chance.blocks as u64) < chance.of { (thousands(chance.blocks as u64)) " of the " }
                    (thousands(chance.of)) " blocks of " (chance.block_bits) " bits that look like noise and that no run explains."
                }
                (figure(
                    "folds",
                    &format!("Folds of the best of {seeds} masks: blocks seen, and the law"),
                    charts::folds(chance)?,
                    html! {
                        ul.legend {
                            li { span.swatch.seen {} "blocks seen" }
                            li { span.swatch.law {} "the law: 1 − (1 − p)" sup { "S" } ", S = " (seeds) }
                        }
                        p.note { (fit) }
                    },
                ))
                (figure(
                    "savings",
                    "Bits the best mask saves of a block, against the number of seeds mined",
                    charts::savings(chance)?,
                    html! {
                        ul.legend {
                            li { span.swatch.seen {} "seen, before anything is paid for" }
                            li { span.swatch.law {} "the law for noise" }
                            li { span.swatch.cost {} "what naming the seed costs: log2 S" }
                        }
                        p.note {
                            "Twice the seeds save one bit more, and naming the seed costs one bit more. With 2" sup { (last) }
                            " seeds the best mask saves " (format!("{seen:.1}")) " bits of a block here (" (format!("{law:.1}"))
                            " of pure noise); " (last) " of them go into the seed, and the fold itself, the flag and the format have still to be paid for."
                        }
                    },
                ))
            }
        })
    }

    fn runs(&self) -> Markup {
        let findings = &self.gathered.findings;
        let heads =
            |names: &[&str]| html! { thead { tr { @for name in names { th scope="col" { (name) } } } } };
        html! {
            section aria-labelledby="found" {
                h2 #found { "What was found" }
                @if findings.runs.is_empty() && findings.blocks.is_empty() {
                    p { "No generator." }
                } @else {
                    p.note {
                        "Evidence is the bits that the generator explains, less log2 of every key, place, length and number of flips that "
                        "could have been found instead. Chance reaches e bits of it with a probability below 2" sup { "−e" } "."
                    }
                }
                @if !findings.runs.is_empty() {
                    div.scroll tabindex="0" role="region" aria-label="Runs" {
                        table {
                            caption { (summary::count(findings.runs.len() as u64, "run")) }
                            (heads(&["from byte", "bytes", "generator", "key", "stream byte", "flipped", "evidence, bits"]))
                            tbody {
                                @for run in findings.runs.iter().take(ROWS) {
                                    tr {
                                        td { (thousands(run.offset)) }
                                        td { (thousands(run.length)) }
                                        td.words { (run.text.generator) " " (run.text.seeding) }
                                        td.words { code { (run.text.short()) } }
                                        td { (thousands(run.stream_position)) }
                                        td { (flipped(run.flip_rate, run.complement)) }
                                        td { (format!("{:.1}", run.evidence_bits)) }
                                    }
                                }
                            }
                        }
                    }
                    (more(findings.runs.len()))
                }
                @if !findings.blocks.is_empty() {
                    details open=[(findings.blocks.len() <= 20).then_some("open")] {
                        summary {
                            (summary::count(self.gathered.packed_blocks, "packed block")) " of " (thousands(self.gathered.grid_blocks)) ", each with its seed"
                        }
                        div.scroll tabindex="0" role="region" aria-label="Packed blocks" {
                            table {
                                caption { "Packed blocks" }
                                (heads(&["from byte", "bytes", "seed", "stream byte", "flipped", "evidence, bits"]))
                                tbody {
                                    @for block in findings.blocks.iter().take(ROWS) {
                                        tr {
                                            td { (thousands(block.offset)) }
                                            td { (thousands(block.length)) }
                                            td.words { code { (block.seed) " (" (block.seed_hex) ")" } }
                                            td { (thousands(block.stream_position.into())) }
                                            td { (flipped(block.flip_rate, block.complement)) }
                                            td { (format!("{:.1}", block.evidence_bits)) }
                                        }
                                    }
                                }
                            }
                        }
                        (more(findings.blocks.len()))
                    }
                }
            }
        }
    }

    fn made(&self) -> Markup {
        let Ready { options, threads, miner } = self.ready;
        let rows = [
            ("command", self.command.to_owned()),
            ("np-cli", format!("{}, packed format {VERSION}", env!("CARGO_PKG_VERSION"))),
            ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
            (
                "searched by",
                format!("{}; {} for the rest", miner.name(), summary::count(*threads as u64, "thread")),
            ),
            (
                "the file",
                match self.packed {
                    true => "a packed file, read and checked: every digest agreed".to_owned(),
                    false => format!("packed at level {}, read back and compared for this page", self.level),
                },
            ),
            ("blocks", format!("{} bits", options.block_bits.bits())),
        ];
        html! {
            section aria-labelledby="made" {
                h2 #made { "How this page was made" }
                dl {
                    @for (name, value) in &rows {
                        dt { (name) }
                        dd { @if *name == "command" { code { (value) } } @else { (value) } }
                    }
                }
            }
        }
    }
}

fn flipped(rate: f64, complement: bool) -> String {
    let sign = if complement { ", complemented" } else { "" };
    if rate == 0.0 { format!("none{sign}") } else { format!("{:.2} %{sign}", 100.0 * rate) }
}

fn more(count: usize) -> Markup {
    html! {
        @if count > ROWS {
            p.note { (thousands((count - ROWS) as u64)) " more; " code { "np-cli info -v" } " and " code { "np-cli mine --json" } " list all." }
        }
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(n), text);
        }
    }
}
