//! The golden files as they lie in tests/golden/: a folder and a list (tab-separated) for each kind.

use crate::{bombs, golden};
use np_core::format::digest::segment_hash;
use std::io;
use std::path::PathBuf;

/// tests/golden.
pub fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden"].iter().collect()
}

/// The lines of a kind's list: a file's name, without `.np`, and what is said of it.
pub fn list(kind: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder().join(format!("{kind}.tsv"))).expect("a list of golden files");
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A file's bytes.
pub fn read(kind: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder().join(kind).join(format!("{name}.np"))).expect("a golden file")
}

/// Writes all files and lists of this version anew; returns the number of files and of bytes.
pub fn write() -> io::Result<(usize, usize)> {
    let good = golden::good().into_iter().map(|good| {
        let digest = format!("{:016x}", segment_hash(&good.content, None));
        (good.name, good.packed, vec![good.content.len().to_string(), digest])
    });
    let bad = golden::bad().into_iter().map(|bad| (bad.name, bad.packed, vec![bad.error.to_owned()]));
    let bombs = bombs::bombs().into_iter();
    let bombs =
        bombs.map(|bomb| (bomb.name, bomb.packed, vec![bomb.error.to_owned(), bomb.claims.to_owned()]));
    let kinds = [("good", good.collect::<Vec<_>>()), ("bad", bad.collect()), ("bombs", bombs.collect())];
    let (mut count, mut bytes) = (0, 0);
    for (kind, files) in kinds {
        let at = folder().join(kind);
        if at.exists() {
            std::fs::remove_dir_all(&at)?;
        }
        std::fs::create_dir_all(&at)?;
        let mut list = String::new();
        for (name, packed, said) in files {
            std::fs::write(at.join(format!("{name}.np")), &packed)?;
            list.push_str(&format!("{name}\t{}\n", said.join("\t")));
            count += 1;
            bytes += packed.len();
        }
        std::fs::write(folder().join(format!("{kind}.tsv")), list)?;
    }
    Ok((count, bytes))
}
