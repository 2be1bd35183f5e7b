//! Ctrl-C, SIGTERM and SIGHUP: stop, and leave no partial output behind. A run that can be resumed finishes its batch
//! and saves its session first; a second signal stops it at once, as the first does any other run.

use crate::exit::STOPPED;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files that must not outlive an interrupted run. Whoever makes or names such a file holds the lock, so
/// that a signal cannot come between the file and its entry.
static PARTIAL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether the run saves what it found when it is asked to stop.
static SAVES: AtomicBool = AtomicBool::new(false);
/// Whether it was asked.
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on, or no longer, the first signal only makes [`requested`] true.
pub fn saves(saves: bool) {
    SAVES.store(saves, SeqCst);
}

/// Whether a signal asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(SeqCst)
}

fn partial() -> MutexGuard<'static, Vec<PathBuf>> {
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to listen. A signal that was ignored when the process started (nohup, a script's background
/// job) stays ignored.
pub fn install() {
    let ignored = ignored::find();
    // Without a handler a signal still stops us; only a partial file would stay.
    let _ = ctrlc::set_handler(|| {
        if SAVES.load(SeqCst) && !REQUESTED.swap(true, SeqCst) {
            crate::say!("\nnp-cli: finishing the batch to save the session; once more to stop at once");
            return;
        }
        let files = partial();
        for file in files.iter() {
            let _ = std::fs::remove_file(file);
        }
        crate::say!("\nnp-cli: stopped; nothing half-written was left behind");
        // The lock is still held: no other thread can make or name a file any more.
        std::process::exit(STOPPED.into());
    });
    ignored::restore(ignored);
}

/// Removes what must not outlive the run, on the way out of a process that cannot go on. Does without, rather than wait
/// for whoever makes or names a file just now.
pub fn abandon() {
    if let Ok(files) = PARTIAL.try_lock() {
        for file in files.iter() {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Makes a partial file and remembers its path.
pub fn create<T>(make: impl FnOnce() -> io::Result<(PathBuf, T)>) -> io::Result<T> {
    let mut files = partial();
    let (path, file) = make()?;
    files.push(path);
    Ok(file)
}

/// Gives a partial file its final name by `rename`, or not; forgets it if so.
pub fn commit<T, E>(path: &Path, rename: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let mut files = partial();
    let done = rename()?;
    files.retain(|file| file != path);
    Ok(done)
}

#[cfg(unix)]
mod ignored {
    const SIGNALS: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

    /// The signals that are ignored now.
    pub fn find() -> Vec<libc::c_int> {
        let is_ignored = |signal: &libc::c_int| {
            // SAFETY: sigaction is plain data for which all zeros is valid; with a null new action the
            // call only writes the present one to `now`, which outlives it.
            unsafe {
                let mut now: libc::sigaction = std::mem::zeroed();
                libc::sigaction(*signal, std::ptr::null(), &mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
            }
        };
        SIGNALS.into_iter().filter(is_ignored).collect()
    }

    /// Ignores them again.
    pub fn restore(signals: Vec<libc::c_int>) {
        for signal in signals {
            // SAFETY: SIG_IGN installs no code of ours; the signal numbers are valid.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }
}

#[cfg(not(unix))]
mod ignored {
    /// Elsewhere there is no such thing.
    pub fn find() {}

    /// Nothing to restore.
    pub fn restore(_: ()) {}
}
