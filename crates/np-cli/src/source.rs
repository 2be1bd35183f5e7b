//! The input: a file or the standard input, with a watch on whether it changes while it is read.

use crate::cli::{Files, is_dash};
use crate::exit::Usage;
use crate::fault;
use anyhow::{Context, bail};
use np_core::format::reader::{self, Limits};
use same_file::Handle;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, IsTerminal, Read, Seek, SeekFrom, StdinLock};
use std::path::{Path, PathBuf};

/// An open input.
pub struct Source {
    /// For messages.
    pub label: String,
    /// `None` for the standard input.
    pub path: Option<PathBuf>,
    stream: Stream,
    /// What the file system said of a regular file when it was opened.
    before: Option<Metadata>,
    read: u64,
}

enum Stream {
    Stdin(StdinLock<'static>),
    File(File),
}

/// The inputs that were named: none means the standard input, unless that is a terminal.
pub fn named(files: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    if !files.is_empty() {
        return Ok(files.to_vec());
    }
    if io::stdin().is_terminal() {
        return Err(Usage::error(
            "no FILE, and the standard input is a terminal; name a file or pipe one in",
        ));
    }
    Ok(vec![PathBuf::from("-")])
}

impl Source {
    /// Opens `path`; `-` is the standard input. Directories and devices are refused.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if is_dash(path) {
            // A redirected regular file: its length is only for the progress bar, as reading need not
            // begin at its start.
            let before = stdin_metadata().filter(Metadata::is_file);
            let stream = Stream::Stdin(io::stdin().lock());
            return Ok(Self { label: "(stdin)".to_owned(), path: None, stream, before, read: 0 });
        }
        let label = path.display().to_string();
        let stat = fault::point("stat").and_then(|()| std::fs::metadata(path));
        let found = stat.with_context(|| format!("cannot read {label}"))?;
        refuse(&label, &found)?;
        let file = fault::point("open").and_then(|()| File::open(path));
        let file = file.with_context(|| format!("cannot read {label}"))?;
        let found = fault::point("stat").and_then(|()| file.metadata());
        let found = found.with_context(|| format!("cannot read {label}"))?;
        refuse(&label, &found)?;
        let before = found.is_file().then_some(found);
        Ok(Self { label, path: Some(path.to_owned()), stream: Stream::File(file), before, read: 0 })
    }

    /// Refuses a packed file that claims more than `limits` anywhere, before anything of it is decoded. What cannot be read
    /// twice is only checked as it comes.
    pub fn survey(&self, limits: Limits) -> anyhow::Result<()> {
        // Kernel files (/proc) say 0 and need not seek.
        if self.before.as_ref().is_none_or(|before| before.len() == 0) {
            return Ok(());
        }
        let cannot = || format!("cannot read {}", self.label);
        let seek = |file: &mut File, to| fault::point("seek").and_then(|()| file.seek(to));
        let file = match &self.stream {
            Stream::File(file) => file.try_clone().map(Some),
            Stream::Stdin(_) => stdin_file(),
        };
        let Some(mut file) = file.with_context(cannot)? else { return Ok(()) };
        // The standard input need not begin at a file's start.
        let start = seek(&mut file, SeekFrom::Current(0)).with_context(cannot)?;
        let found = reader::survey(BufReader::new(&file), limits);
        seek(&mut file, SeekFrom::Start(start)).with_context(cannot)?;
        found.with_context(|| format!("cannot unpack {}", self.label))
    }

    /// Bytes, where they are known beforehand.
    pub fn len(&self) -> Option<u64> {
        self.before.as_ref().map(Metadata::len)
    }

    /// Mode and times of a named regular file, to be carried over.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.before.as_ref().filter(|_| self.path.is_some())
    }

    /// Bytes read so far.
    pub fn read_bytes(&self) -> u64 {
        self.read
    }

    /// With `--rm`: fails if removing the input would not remove the file it names.
    pub fn check_removable(&self, files: &Files) -> anyhow::Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| files.rm && !files.force) else { return Ok(()) };
        if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            bail!("{}: --rm would remove a link, not the file; use -f if you mean it", self.label);
        }
        Ok(())
    }

    /// Which file this is, however it is named.
    pub fn handle(&self) -> Option<Handle> {
        match &self.stream {
            Stream::Stdin(_) => Handle::stdin().ok(),
            Stream::File(file) => Handle::from_file(file.try_clone().ok()?).ok(),
        }
    }

    /// Once everything was read: fails if the file is not the one that was opened any more.
    pub fn check_unchanged(&self) -> anyhow::Result<()> {
        let (Some(before), Stream::File(file)) = (&self.before, &self.stream) else { return Ok(()) };
        let after = fault::point("stat").and_then(|()| file.metadata());
        let after = after.with_context(|| format!("cannot read {}", self.label))?;
        // Kernel files (/proc) say 0 and then give what they have.
        let counted = self.read == after.len() || (after.len() == 0 && before.len() == 0);
        if !counted || after.len() != before.len() || after.modified().ok() != before.modified().ok() {
            bail!(
                "{}: changed while it was read ({} bytes before, {} read, {} now); try again when nothing writes to it",
                self.label,
                before.len(),
                self.read,
                after.len()
            );
        }
        Ok(())
    }

    /// Removes the file, as `--rm` asks.
    pub fn remove(self) -> anyhow::Result<()> {
        let Some(path) = self.path else { return Ok(()) };
        let removed = fault::point("remove").and_then(|()| std::fs::remove_file(&path));
        removed.with_context(|| format!("cannot remove {}", self.label))
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        fault::point("read")?;
        let count = match &mut self.stream {
            Stream::Stdin(stdin) => stdin.read(buffer),
            Stream::File(file) => file.read(buffer),
        }?;
        self.read += count as u64;
        Ok(count)
    }
}

/// What is behind the standard input, to be read beside it.
#[cfg(unix)]
fn stdin_file() -> io::Result<Option<File>> {
    use std::os::fd::AsFd;
    Ok(Some(io::stdin().as_fd().try_clone_to_owned()?.into()))
}

#[cfg(not(unix))]
fn stdin_file() -> io::Result<Option<File>> {
    Ok(None)
}

fn stdin_metadata() -> Option<Metadata> {
    stdin_file().ok()??.metadata().ok()
}

fn refuse(label: &str, found: &Metadata) -> anyhow::Result<()> {
    if found.is_dir() {
        bail!("{label} is a directory; pack its files one by one, or a tar of it");
    }
    if found.is_file() || is_fifo(found) {
        return Ok(());
    }
    bail!("{label} is not a regular file; pipe it in if you mean it (np-cli pack < {label})")
}

#[cfg(unix)]
fn is_fifo(found: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    found.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_fifo(_: &Metadata) -> bool {
    false
}
