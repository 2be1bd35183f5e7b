//! `cargo xtask corpus`: what the fuzzers begin with: packed files for those that read them, and bytes of several
//! lengths and kinds for those that make something of their bytes.

use anyhow::Context;
use np_tests::inputs::{noise, numbers, text};
use np_tests::{craft, golden_files};
use std::path::Path;

/// Writes the seeds of every target to fuzz/corpus/; what is there already stays.
pub fn run() -> anyhow::Result<()> {
    let mut count = 0;
    for target in super::fuzz::targets()? {
        let folder = super::fuzz::folder().join("corpus").join(&target);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for (name, bytes) in seeds(&target) {
            std::fs::write(folder.join(format!("seed_{name}")), bytes)?;
            count += 1;
        }
    }
    println!("{count} seeds in {}", super::fuzz::folder().join("corpus").display());
    Ok(())
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    if target == "decode" {
        let golden = ["good", "bad", "bombs"].into_iter().flat_map(|kind| {
            golden_files::list(kind)
                .into_iter()
                .map(move |line| (format!("{kind}_{}", line[0]), golden_files::read(kind, &line[0])))
        });
        // Larger ones slow a fuzzer down.
        let mut seeds: Vec<_> = golden.filter(|(_, bytes)| bytes.len() <= 4096).collect();
        seeds.push(("crafted".to_owned(), craft::file(&craft::small())));
        return seeds;
    }
    let mut seeds = Vec::new();
    for len in [32, 100, 300, 1000, 3000] {
        // Rare bytes among zeros make few, long things; noise makes many, short ones.
        let rare = numbers(len as u64).map(|n| if n % 5 == 0 { (n >> 8) as u8 } else { 0 });
        let low = numbers(len as u64 + 1).map(|n| (n % 4) as u8);
        seeds.push((format!("noise_{len}"), noise(len, 1)));
        seeds.push((format!("rare_{len}"), rare.take(len).collect()));
        seeds.push((format!("low_{len}"), low.take(len).collect()));
        seeds.push((format!("text_{len}"), text(len)));
    }
    seeds
}

/// The corpus of `target`, made first where there is none.
pub fn ready(folder: &Path) -> anyhow::Result<()> {
    if folder.is_dir() { Ok(()) } else { run() }
}
