//! A file that is being written. On Linux it has no name until it is whole, so that no kill, whenever it comes, leaves a part of
//! it behind; elsewhere, and where the file system has no such files, it is a temporary one beside its final name.

use crate::fault;
use crate::interrupt;
use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Before and behind the random middle of a temporary file's name.
pub const PARTIAL: (&str, &str) = (".np-", ".partial");

/// An open file without its final name.
pub struct Partial {
    folder: PathBuf,
    access: Access,
    held: Held,
}

enum Held {
    /// It has no name. Where it is to replace a file it gets this one first, for a moment.
    Unnamed(File, PathBuf),
    Named(NamedTempFile),
}

/// Who may look into a new file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner only.
    Private,
    /// Whoever may look into any new file.
    Usual,
}

impl Access {
    fn mode(self) -> u32 {
        if self == Self::Private { 0o600 } else { 0o666 }
    }
}

impl Partial {
    /// Makes one to be named in `folder`.
    pub fn create(folder: &Path, access: Access) -> io::Result<Self> {
        fault::point("create")?;
        match unnamed::create(folder, access.mode()) {
            None => Self::named(folder, access),
            Some(file) => {
                let random = getrandom::u64().map_err(io::Error::other)?;
                let aside = folder.join(format!("{}{random:016x}{}", PARTIAL.0, PARTIAL.1));
                Ok(Self { folder: folder.to_owned(), access, held: Held::Unnamed(file, aside) })
            }
        }
    }

    fn named(folder: &Path, access: Access) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PARTIAL.0).suffix(PARTIAL.1);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(access.mode()));
        let file =
            interrupt::create(|| builder.tempfile_in(folder).map(|file| (file.path().to_owned(), file)))?;
        Ok(Self { folder: folder.to_owned(), access, held: Held::Named(file) })
    }

    /// The file.
    pub fn file(&self) -> &File {
        match &self.held {
            Held::Unnamed(file, _) => file,
            Held::Named(file) => file.as_file(),
        }
    }

    /// The file, to be written or read.
    pub fn file_mut(&mut self) -> &mut File {
        match &mut self.held {
            Held::Unnamed(file, _) => file,
            Held::Named(file) => file.as_file_mut(),
        }
    }

    /// The name besides its final one that a kill may leave it with.
    pub fn path(&self) -> &Path {
        match &self.held {
            Held::Unnamed(_, aside) => aside,
            Held::Named(file) => file.path(),
        }
    }

    /// Lets `prepare` do to the file what is left to do, and names it `path`; only with `force` in place of another file.
    pub fn finish(
        self,
        path: &Path,
        force: bool,
        prepare: impl Fn(&File) -> io::Result<()>,
    ) -> io::Result<File> {
        prepare(self.file())?;
        match self.name(path, force) {
            Ok(file) => Ok(file),
            Err(NotNamed::Failed(error)) => Err(error),
            Err(NotNamed::NoLinks(mut file, folder, access)) => {
                // Hours of work may be in it: it is copied to one that had a name from the start.
                let mut copy = Self::named(&folder, access)?;
                file.rewind()?;
                io::copy(&mut file, copy.file_mut())?;
                prepare(copy.file())?;
                copy.name(path, force).map_err(|not| match not {
                    NotNamed::Failed(error) => error,
                    NotNamed::NoLinks(..) => unreachable!("it has a name"),
                })
            }
        }
    }

    fn name(self, path: &Path, force: bool) -> Result<File, NotNamed> {
        let aside = self.path().to_owned();
        interrupt::commit(&aside, || match self.held {
            Held::Named(file) => {
                fault::point("rename").map_err(NotNamed::Failed)?;
                let named = if force { file.persist(path) } else { file.persist_noclobber(path) };
                named.map_err(|e| NotNamed::Failed(e.error))
            }
            Held::Unnamed(file, aside) => match unnamed::link(&file, path) {
                Ok(()) => Ok(file),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && !force => Err(NotNamed::Failed(e)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    // A link does not replace a file, a rename does.
                    if unnamed::link(&file, &aside).is_err() {
                        return Err(NotNamed::NoLinks(file, self.folder, self.access));
                    }
                    match fault::point("rename").and_then(|()| fs::rename(&aside, path)) {
                        Ok(()) => Ok(file),
                        Err(error) => {
                            let _ = fs::remove_file(&aside);
                            Err(NotNamed::Failed(error))
                        }
                    }
                }
                Err(_) => Err(NotNamed::NoLinks(file, self.folder, self.access)),
            },
        })
    }
}

/// Why a file has no name.
enum NotNamed {
    Failed(io::Error),
    /// It cannot get one, but another one could, in this folder.
    NoLinks(File, PathBuf, Access),
}

/// Files without a name.
#[cfg(target_os = "linux")]
mod unnamed {
    use crate::fault;
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    /// One in `folder`, if it can be had; what is in the way of any file there is told by who makes one with a name.
    pub fn create(folder: &Path, mode: u32) -> Option<File> {
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).mode(mode).custom_flags(libc::O_TMPFILE).open(folder).ok()?;
        // It gets its name by way of this one.
        Path::new(&entry(&file)).exists().then_some(file)
    }

    /// Names it `path`, where there is nothing yet.
    pub fn link(file: &File, path: &Path) -> io::Result<()> {
        fault::point("link")?;
        Ok(linkat(CWD, entry(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }

    fn entry(file: &File) -> String {
        format!("/proc/self/fd/{}", file.as_raw_fd())
    }
}

/// Elsewhere there is no such thing.
#[cfg(not(target_os = "linux"))]
mod unnamed {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub fn create(_: &Path, _: u32) -> Option<File> {
        None
    }

    pub fn link(_: &File, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// What `finish` comes to, and what is in the folder then.
    fn finished(partial: io::Result<Partial>, folder: &Path, force: bool) -> (io::Result<File>, Vec<String>) {
        let mut partial = partial.unwrap();
        partial.file_mut().write_all(b"new").unwrap();
        let result = partial.finish(&folder.join("out"), force, |file| {
            assert_eq!(file.metadata()?.len(), 3);
            Ok(())
        });
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        (result, names)
    }

    #[test]
    fn a_file_gets_its_name_at_the_end_and_replaces_another_only_by_force() {
        let makes: [fn(&Path, Access) -> io::Result<Partial>; 2] = [Partial::create, Partial::named];
        for make in makes {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let out = || fs::read(folder.join("out")).unwrap();
            for (force, before) in [(false, None), (true, None), (true, Some("old")), (false, Some("old"))] {
                match before {
                    Some(before) => fs::write(folder.join("out"), before).unwrap(),
                    None => drop(fs::remove_file(folder.join("out"))),
                }
                let (result, names) = finished(make(folder, Access::Private), folder, force);
                assert_eq!(names, ["out"]);
                match result {
                    Ok(mut file) => {
                        assert!(force || before.is_none());
                        file.write_all(b"er").unwrap();
                        assert_eq!(out(), b"newer");
                    }
                    Err(error) => {
                        assert!(!force && before.is_some());
                        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
                        assert_eq!(out(), b"old");
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_prepared_in_vain_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let partial = Partial::create(folder.path(), Access::Usual).unwrap();
        let result = partial.finish(&folder.path().join("out"), true, |_| Err(io::Error::other("no")));
        assert_eq!(result.unwrap_err().to_string(), "no");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn who_may_look() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, b"").unwrap();
        let mode = |file: &File| file.metadata().unwrap().permissions().mode() & 0o777;
        let usual = mode(&File::open(plain).unwrap());
        let makes: [fn(&Path, Access) -> io::Result<Partial>; 2] = [Partial::create, Partial::named];
        for make in makes {
            assert_eq!(mode(make(folder.path(), Access::Private).unwrap().file()), 0o600);
            assert_eq!(mode(make(folder.path(), Access::Usual).unwrap().file()), usual);
        }
    }
}
