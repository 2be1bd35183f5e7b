//! `report`: the page is well-formed, complete, alone, and its numbers are the ledger's.

use crate::sandbox::Sandbox;
use np_core::generator::Key;
use np_tests::inputs::{flip, mixed_tar, noise, records, stream, text};
use roxmltree::{Document, Node, ParsingOptions};

/// The page as XML: HTML's elements without an end get one, as every HTML parser takes them.
fn as_xml(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at..end];
        let void = ["<meta", "<link", "<input"].iter().any(|name| tag.starts_with(name));
        out.push_str(&rest[..end]);
        out.push_str(if void { "/>" } else { ">" });
        rest = &rest[end + 1..];
    }
    out + rest
}

fn parse(xml: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(xml, options).unwrap_or_else(|e| panic!("{e}"))
}

fn text_of(node: Node<'_, '_>) -> String {
    node.descendants().filter(|n| n.is_text()).filter_map(|n| n.text()).collect()
}

fn number(text: &str) -> u64 {
    text.replace(',', "").trim().parse().unwrap_or_else(|_| panic!("{text:?}"))
}

fn all<'a>(doc: &'a Document<'_>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    doc.descendants().filter(move |n| n.tag_name().name() == name)
}

/// What every page must be. Returns the ledger's total, in bits.
fn check(html: &str, content_bytes: u64) -> u64 {
    let xml = as_xml(html);
    let doc = parse(&xml);
    // Alone: no script, nothing fetched.
    assert_eq!(all(&doc, "script").count(), 0);
    for node in doc.descendants() {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "src", "{name}={value}");
            assert!(name != "href" || value == "data:,", "{value}");
        }
    }
    assert!(!all(&doc, "style").any(|style| text_of(style).contains("url(")));
    // Ids are unique; whatever is labelled by one has it.
    let ids: Vec<_> = doc.descendants().filter_map(|n| n.attribute("id")).collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    for label in doc.descendants().filter_map(|n| n.attribute("aria-labelledby")) {
        assert!(unique.contains(&label), "{label}");
    }
    // Pictures are told in words, tables have captions, and there is one first heading.
    for svg in all(&doc, "svg") {
        assert_eq!(svg.attribute("role"), Some("img"));
        assert!(svg.attribute("aria-label").or(svg.attribute("aria-labelledby")).is_some());
    }
    for table in all(&doc, "table") {
        assert_eq!(table.children().find(Node::is_element).unwrap().tag_name().name(), "caption");
    }
    assert_eq!(all(&doc, "h1").count(), 1);
    // The ledger.
    let ledger = all(&doc, "table").find(|t| t.attribute("class") == Some("ledger")).expect("a ledger");
    let body = ledger.children().find(|n| n.tag_name().name() == "tbody").unwrap();
    let rows: Vec<u64> = body
        .children()
        .filter(Node::is_element)
        .map(|row| number(&text_of(row.children().filter(Node::is_element).nth(1).unwrap())))
        .collect();
    let total = doc.descendants().find(|n| n.attribute("id") == Some("ledger-total")).unwrap();
    let total = number(&text_of(total));
    assert_eq!((rows.len(), rows.iter().sum::<u64>()), (9, total));
    // Its bar is as long as it.
    let bar = all(&doc, "svg").find(|svg| svg.attribute("class") == Some("bar")).unwrap();
    let width = |rect: Node<'_, '_>| rect.attribute("width").unwrap().parse::<f64>().unwrap();
    let widths: f64 = bar.children().filter(|n| n.tag_name().name() == "rect").map(width).sum();
    assert!((widths - 1000.0).abs() < 0.01, "{widths}");
    // The map covers the file.
    if content_bytes > 0 {
        let map = all(&doc, "svg").find(|svg| svg.attribute("class") == Some("map")).unwrap();
        let mut next = 0;
        for title in map.descendants().filter(|n| n.tag_name().name() == "title") {
            let text = text_of(title);
            let words: Vec<&str> = text.split_whitespace().collect();
            assert_eq!(number(words[1]), next, "{text}");
            next = number(words[3].trim_end_matches(':')) + 1;
        }
        assert_eq!(next, content_bytes);
    }
    total
}

fn page(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(name)).unwrap()
}

#[test]
fn pages_of_inputs_and_of_their_packed_files_have_one_ledger() {
    let mut noisy = records((0..200).map(|i| 3000 + 5 * i), 64);
    flip(&mut noisy, 50, 3);
    let inputs = [
        ("random", noise(51_200, 1)),
        ("tar", mixed_tar()),
        ("records", noisy),
        ("text", text(9000)),
        ("none", vec![]),
    ];
    for (name, input) in inputs {
        let sandbox = Sandbox::new();
        sandbox.write(name, &input);
        sandbox.ok(&["pack", "-3", name]);
        sandbox.ok(&["report", "-3", name]);
        sandbox.ok(&["report", "-3", &format!("{name}.np"), "-o", "packed.html"]);
        let size = sandbox.read(&format!("{name}.np")).len() as u64;
        for file in [&format!("{name}.html"), "packed.html"] {
            assert_eq!(check(&page(&sandbox, file), input.len() as u64), 8 * size, "{name}");
        }
    }
}

#[test]
fn a_page_tells_what_was_found_and_how_it_was_made() {
    let sandbox = Sandbox::new();
    let mut input = stream(&Key::Genrand(77), 0, 20_000);
    flip(&mut input, 30, 1);
    input.extend(noise(10_000, 7));
    sandbox.write("in put", &input);
    sandbox.ok(&["report", "-2", "in put", "-o", "out.html"]);
    let html = page(&sandbox, "out.html");
    for part in [
        "77 (0x0000004d)",
        "mt19937 genrand",
        "np-cli report -2 'in put' -o out.html",
        "degrees of freedom",
        "log2 of the seeds mined",
        "packed at level 2, read back",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(html.contains(part), "no {part:?}");
    }
    // Nothing of chance or time in it: the same command makes the same page.
    sandbox.ok(&["report", "-f", "-2", "in put", "-o", "out.html"]);
    assert_eq!(page(&sandbox, "out.html").replace("-f ", ""), html);
}

#[test]
fn files_are_closer_than_their_overview() {
    let sandbox = Sandbox::new();
    let mut input = noise(150_000, 2);
    input.extend(text(50_000));
    input.extend(stream(&Key::Genrand(5), 0, 120_001));
    sandbox.write("in", &input);
    sandbox.ok(&["report", "-1", "in"]);
    let html = page(&sandbox, "in.html");
    check(&html, input.len() as u64);
    assert!(html.contains("Closer: each row in cells of 64 bytes"));
    // Only close up does a cell begin where the stream does.
    assert!(html.contains("<title>bytes 200,000 to "));
    assert!(html.contains("key 5 (0x00000005); 0.00 % of the bits flipped"));
}

#[test]
fn names_cannot_break_the_page() {
    let sandbox = Sandbox::new();
    let name = "<b>&\"'x";
    sandbox.write(name, b"abc");
    sandbox.ok(&["report", "-1", name, "-o", "out.html"]);
    let html = page(&sandbox, "out.html");
    check(&html, 3);
    let xml = as_xml(&html);
    assert_eq!(text_of(all(&parse(&xml), "h1").next().unwrap()), name);
}

#[test]
fn pages_are_written_as_other_outputs_are() {
    let sandbox = Sandbox::new();
    sandbox.write("in", b"hello").write("there.html", b"kept");
    sandbox.fails(&["report", "-1", "in", "-o", "there.html"], 1, "use -f");
    assert_eq!(sandbox.read("there.html"), b"kept");
    sandbox.fails(&["report", "-1", "in", "-o", "in"], 1, "the input itself");
    sandbox.fails(&["report", "-1", "nothing"], 1, "cannot read");
    sandbox.fails(&["report", "-1"], 2, "FILE");
    sandbox.ok(&["report", "-1", "in", "-f", "-o", "there.html"]);
    check(&page(&sandbox, "there.html"), 5);
    let out = sandbox.pipe(&["report", "-1", "-"], b"hello");
    assert_eq!(out.code, Some(0));
    check(&String::from_utf8(out.stdout).unwrap(), 5);
    // A packed file that is damaged, or of another version, is an error and no page.
    sandbox.ok(&["pack", "-1", "in"]);
    let mut packed = sandbox.read("in.np");
    let last = packed.len() - 1;
    packed[last] ^= 1;
    sandbox.write("bad.np", &packed).write("new.np", &[0x4e, 0x50, 0xf7, 9, 4, 0]);
    sandbox.fails(&["report", "bad.np"], 1, "cannot unpack bad.np");
    sandbox.fails(&["report", "new.np"], 1, "version 9");
}
