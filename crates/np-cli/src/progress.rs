//! Progress on stderr: bytes, rate, time left, what is being done and what was found.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use np_core::format::layout::Run;
use np_core::miner::Watch;
use np_core::pack::PackWatch;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What is said while a file is worked on. Silent unless stderr is a terminal.
pub struct Progress {
    bar: ProgressBar,
    /// Work done and announced since the last segments were written.
    done: AtomicU64,
    announced: AtomicU64,
    found: AtomicU64,
    shown: Mutex<(Instant, &'static str)>,
}

/// Between two changes of the message.
const TICK: Duration = Duration::from_millis(100);

impl Progress {
    /// For an input of `len` bytes, if that is known.
    pub fn new(quiet: bool, label: &str, len: Option<u64>) -> Self {
        let hidden = quiet || !std::io::stderr().is_terminal();
        let bar = match hidden {
            true => ProgressBar::hidden(),
            false => ProgressBar::with_draw_target(len, ProgressDrawTarget::stderr_with_hz(8)),
        };
        let template = match len {
            Some(_) => "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}",
            None => "{prefix} {spinner} {bytes} {bytes_per_sec} {elapsed} {msg}",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is a constant"));
        let short: String = label.chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
        bar.set_prefix(short);
        Self {
            bar,
            done: AtomicU64::new(0),
            announced: AtomicU64::new(0),
            found: AtomicU64::new(0),
            shown: Mutex::new((Instant::now(), "")),
        }
    }

    /// `bytes` more of the input are done with.
    pub fn bytes(&self, bytes: u64) {
        self.bar.inc(bytes);
        self.done.store(0, Relaxed);
        self.announced.store(0, Relaxed);
    }

    /// What remains of an input, for people.
    pub fn remains(&self, label: &str) -> String {
        let (at, len) = (self.bar.position(), self.bar.length());
        let of = len.map_or_else(String::new, |len| format!(" of {len}"));
        let (done, announced) = (self.done.load(Relaxed), self.announced.load(Relaxed));
        let search = match announced {
            0 => String::new(),
            _ => format!(
                ", and {}% of the search of what follows is done",
                done.saturating_mul(100) / announced
            ),
        };
        format!("{at}{of} bytes of {label} are packed{search}")
    }

    /// Makes room for other lines.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, stage: Option<&'static str>) {
        if self.bar.is_hidden() {
            return;
        }
        // Whoever comes while another thread shows something has nothing newer to show.
        let Ok(mut shown) = self.shown.try_lock() else { return };
        shown.1 = stage.unwrap_or(shown.1);
        if shown.0.elapsed() < TICK {
            return;
        }
        shown.0 = Instant::now();
        let done = self.done.load(Relaxed).saturating_mul(100) / self.announced.load(Relaxed).max(1);
        let found = match self.found.load(Relaxed) {
            0 => String::new(),
            1 => ", 1 run found".to_owned(),
            n => format!(", {n} runs found"),
        };
        self.bar.set_message(format!("{} {}%{found}", shown.1, done.min(100)));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Watch for Progress {
    fn advance(&self, work: u64) {
        self.done.fetch_add(work, Relaxed);
        self.show(None);
    }
}

impl PackWatch for Progress {
    fn stage(&self, name: &'static str, work: u64) {
        self.announced.fetch_add(work, Relaxed);
        self.show(Some(name));
    }

    fn found(&self, _: &Run) {
        self.found.fetch_add(1, Relaxed);
        self.show(None);
    }
}
