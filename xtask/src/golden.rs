//! `cargo xtask golden`: writes the golden files of this version anew, after a change of the format.

use np_tests::golden_files;

/// Writes them and says how many there are.
pub fn run() -> anyhow::Result<()> {
    let (files, bytes) = golden_files::write()?;
    println!("{files} files, {bytes} bytes in {}", golden_files::folder().display());
    Ok(())
}
