//! The output: a file that gets its name once it is whole and on the disk, or the standard output, or a pipe or
//! device that was named.

use crate::cli::{Files, is_dash};
use crate::exit::ReaderGone;
use crate::fault;
use crate::partial::{Access, Partial};
use crate::source::Source;
use anyhow::{Context, anyhow, bail};
use same_file::Handle;
use std::fs::{File, FileTimes, Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Seek, Write};
use std::path::{Path, PathBuf};

/// An open output.
pub struct Target {
    /// For messages.
    pub label: String,
    written: u64,
    makes: Makes,
    place: Place,
}

enum Place {
    Stdout(io::Stdout),
    /// A pipe or device: written as it stands.
    Special(File),
    Named {
        partial: Partial,
        path: PathBuf,
        force: bool,
    },
}

/// What a verb makes, which decides whether a terminal may get it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Makes {
    /// Packed data.
    Packed,
    /// Whatever was packed.
    Content,
    /// A page about the input: as private as that, but with times of its own.
    Page,
}

impl Target {
    /// Opens the output for `source`. `name` tells the name that follows from the input's.
    pub fn open(
        files: &Files,
        source: &Source,
        makes: Makes,
        name: impl FnOnce(&Path) -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Self> {
        let path = match (&files.output, &source.path) {
            _ if files.stdout => None,
            (Some(output), _) => Some(output.clone()).filter(|path| !is_dash(path)),
            (None, Some(input)) => Some(name(input)?),
            (None, None) => None,
        };
        match path {
            None => Self::stdout(files, source, makes),
            Some(path) => Self::named(path, files, source, makes),
        }
    }

    fn stdout(files: &Files, source: &Source, makes: Makes) -> anyhow::Result<Self> {
        let stdout = io::stdout();
        let meant = files.stdout || files.force || makes != Makes::Packed;
        if stdout.is_terminal() && !meant {
            bail!("packed data is not written to a terminal; name a file with -o, or use -c if you mean it");
        }
        if let (Ok(ours), Some(theirs)) = (Handle::stdout(), source.handle())
            && ours == theirs
            && ours.as_file().metadata().is_ok_and(|m| m.is_file())
        {
            bail!("{} is both input and output; name another output", source.label);
        }
        Ok(Self { label: "(stdout)".to_owned(), written: 0, makes, place: Place::Stdout(stdout) })
    }

    fn named(path: PathBuf, files: &Files, source: &Source, makes: Makes) -> anyhow::Result<Self> {
        let label = path.display().to_string();
        let cannot = || format!("cannot write {label}");
        match std::fs::metadata(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                // A dangling link would be overwritten as well.
                if path.symlink_metadata().is_ok() && !files.force {
                    bail!("{label} exists (a link to nothing); use -f to overwrite it");
                }
            }
            Err(e) => return Err(anyhow!(e).context(cannot())),
            Ok(found) => {
                // Only a regular file is opened to be compared: a pipe would wait for its writer.
                let same = || Handle::from_path(&path).ok().is_some_and(|h| Some(h) == source.handle());
                if found.is_file() && same() {
                    bail!("{label} is the input itself; name another output with -o");
                }
                if found.is_dir() {
                    bail!("{label} is a directory; name a file");
                }
                if !found.is_file() {
                    if files.rm {
                        bail!(
                            "{label} is not a regular file, so --rm could not read it back; leave --rm out"
                        );
                    }
                    let file = OpenOptions::new().write(true).open(&path).with_context(cannot)?;
                    return Ok(Self { label, written: 0, makes, place: Place::Special(file) });
                }
                if !files.force {
                    bail!("{label} exists; use -f to overwrite it");
                }
            }
        }
        // With no mode to carry over it is the one any new file gets. Otherwise nobody else may look before the output
        // has the input's mode.
        let access = if source.metadata().is_none() { Access::Usual } else { Access::Private };
        let partial = Partial::create(folder_of(&path), access).with_context(cannot)?;
        let place = Place::Named { partial, path, force: files.force };
        Ok(Self { label, written: 0, makes, place })
    }

    /// The name that the output gets, and the one that a kill may leave it with.
    pub fn names(&self) -> Option<(&Path, &Path)> {
        match &self.place {
            Place::Named { partial, path, .. } => Some((path, partial.path())),
            _ => None,
        }
    }

    /// True if the output gets a name of its own.
    pub fn is_named(&self) -> bool {
        matches!(self.place, Place::Named { .. })
    }

    /// True for the standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout(_))
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends `bytes`.
    pub fn put(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let result = fault::point("write").and_then(|()| match &mut self.place {
            Place::Stdout(stdout) => stdout.write_all(bytes).and_then(|()| stdout.flush()),
            Place::Special(file) => file.write_all(bytes),
            Place::Named { partial, .. } => partial.file_mut().write_all(bytes),
        });
        match result {
            Ok(()) => {
                self.written += bytes.len() as u64;
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::BrokenPipe && self.is_stdout() => Err(ReaderGone.into()),
            Err(e) => Err(anyhow!(e).context(format!(
                "cannot write {} after {} bytes{}",
                self.label,
                self.written,
                if self.is_named() { "; nothing was left behind" } else { "" }
            ))),
        }
    }

    /// The output again from its start, to be checked before it gets its name.
    pub fn read_back(&mut self) -> anyhow::Result<&mut File> {
        match &mut self.place {
            Place::Named { partial, .. } => {
                let file = partial.file_mut();
                fault::point("seek")
                    .and_then(|()| file.rewind())
                    .with_context(|| format!("cannot read back {}", self.label))?;
                Ok(file)
            }
            _ => bail!("{} cannot be read back", self.label),
        }
    }

    /// Carries over mode, owner and times, syncs to the disk, and gives the output its name.
    pub fn finish(self, like: Option<&Metadata>) -> anyhow::Result<()> {
        let Self { label, makes, place, .. } = self;
        let Place::Named { partial, path, force } = place else { return Ok(()) };
        let named = partial.finish(&path, force, |file| {
            if let Some(like) = like {
                carry_over(file, like, makes != Makes::Page)?;
            }
            fault::point("sync")?;
            file.sync_all()
        });
        named.with_context(|| format!("cannot write {label}; nothing was left behind"))?;
        // The name is safe only once its folder is. Some file systems cannot sync a folder.
        #[cfg(unix)]
        let _ = fault::point("sync folder").and_then(|()| File::open(folder_of(&path))?.sync_all());
        Ok(())
    }
}

/// The folder that `path` names a file in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Gives `file` the mode, the owner (where we may) and, if asked, the times of `like`.
fn carry_over(file: &File, like: &Metadata, times_too: bool) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
        fault::point("mode")?;
        let mut mode = like.mode() & 0o777;
        let _ = fchown(file, Some(like.uid()), None);
        if fchown(file, None, Some(like.gid())).is_err() {
            // Another group gets no more than both the old group and everybody had.
            let shared = (mode >> 3) & mode & 0o7;
            mode = mode & 0o700 | shared << 3 | shared;
        }
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    if !times_too {
        return Ok(());
    }
    fault::point("times")?;
    let mut times = FileTimes::new();
    if let Ok(modified) = like.modified() {
        times = times.set_modified(modified);
    }
    if let Ok(accessed) = like.accessed() {
        times = times.set_accessed(accessed);
    }
    file.set_times(times)
}

/// Writes text for people or programs to the standard output.
pub fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        result => result.context("cannot write to the standard output"),
    }
}
