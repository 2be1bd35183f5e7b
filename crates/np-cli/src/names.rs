//! Names of files: what an output is called, and how a name is shown.

use anyhow::bail;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Behind the name of a packed file.
pub const SUFFIX: &str = "np";

/// `FILE.np`.
pub fn packed(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".");
    name.push(SUFFIX);
    name.into()
}

/// `FILE.np-session` of the packed file `FILE.np`.
pub fn session(packed: &Path) -> PathBuf {
    let mut name = OsString::from(packed);
    if packed.extension().is_none_or(|suffix| suffix != SUFFIX) {
        name.push(".");
        name.push(SUFFIX);
    }
    name.push("-session");
    name.into()
}

/// `FILE.html`: a page about it.
pub fn page(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".html");
    name.into()
}

/// `FILE.np` without its `.np`.
pub fn unpacked(file: &Path) -> anyhow::Result<PathBuf> {
    match (file.extension(), file.file_stem()) {
        (Some(suffix), Some(_)) if suffix == SUFFIX => Ok(file.with_extension("")),
        _ => bail!(
            "{}: the name does not end in .{SUFFIX}, so the output has none; name it with -o, or use -c",
            file.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_stand_beside_their_packed_files() {
        for (packed, name) in
            [("a.np", "a.np-session"), ("d/a", "d/a.np-session"), ("a.tar", "a.tar.np-session")]
        {
            assert_eq!(session(Path::new(packed)), Path::new(name));
        }
    }

    #[test]
    fn names_go_there_and_back() {
        for name in ["a", "a.tar", "dir.x/a", ".hidden", "a.np"] {
            assert_eq!(unpacked(&packed(Path::new(name))).unwrap(), Path::new(name));
        }
        for name in ["a", ".np", "dir/.np", "a.NP", "np", "a.np.gz"] {
            assert!(unpacked(Path::new(name)).is_err(), "{name}");
        }
    }
}
