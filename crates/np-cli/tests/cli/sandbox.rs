//! A folder for one test, and np-cli run in it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use tempfile::TempDir;

/// The built command line.
pub const NP_CLI: &str = env!("CARGO_BIN_EXE_np-cli");

/// A folder that goes away with the test.
pub struct Sandbox(TempDir);

/// What a run of np-cli came to.
pub struct Ran {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: String,
}

impl Sandbox {
    /// An empty folder.
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("np-cli-test-").tempdir().expect("a folder for the test"))
    }

    /// The path of `name` in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// Makes a file.
    pub fn write(&self, name: &str, content: &[u8]) -> &Self {
        std::fs::write(self.path(name), content).expect("write");
        self
    }

    /// A file's content.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Names in the folder, hidden ones too.
    pub fn names(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("read_dir");
        entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect()
    }

    /// A command that runs np-cli here.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(NP_CLI);
        command.args(args).current_dir(self.0.path());
        default_signals(&mut command);
        command
    }

    /// Starts np-cli with pipes all around.
    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("np-cli starts")
    }

    /// Runs np-cli with nothing on its standard input.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.pipe(args, b"")
    }

    /// Runs np-cli with `input` on its standard input.
    pub fn pipe(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self.spawn(args);
        let mut stdin = child.stdin.take().expect("piped");
        std::thread::scope(|scope| {
            // It may stop reading early; that is its own affair.
            scope.spawn(move || drop(stdin.write_all(input)));
            wait(child)
        })
    }

    /// Runs np-cli, which must succeed.
    pub fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        ran
    }

    /// Runs np-cli, which must fail with `code`, say `what`, and leave the folder as it was.
    pub fn fails(&self, args: &[&str], code: i32, what: &str) -> Ran {
        let before = self.names();
        let ran = self.run(args);
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(what), "{args:?} does not say {what:?} but: {}", ran.stderr);
        assert_eq!(self.names(), before, "{args:?} left something behind");
        ran
    }
}

/// Whoever runs the tests may ignore signals (nohup, a script's background job), and children inherit that.
#[cfg(unix)]
fn default_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: the closure calls nothing but signal, which is async-signal-safe, with valid signals and SIG_DFL.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        });
    }
}

#[cfg(not(unix))]
fn default_signals(_: &mut Command) {}

/// Longer than anything here takes: a child that has not ended by then is stopped, and its test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Reads all a child has to say and how it ended.
pub fn wait(mut child: Child) -> Ran {
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    let mut out = child.stdout.take();
    let mut err = child.stderr.take();
    let id = child.id().to_string();
    let (ended, wait_for_end) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| err.as_mut().map(|err| err.read_to_end(&mut stderr)));
        scope.spawn(move || {
            if wait_for_end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        });
        let _ = out.as_mut().map(|out| out.read_to_end(&mut stdout));
        let _ = child.wait();
        drop(ended);
    });
    let code = child.wait().expect("wait").code();
    Ran { code, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
}

/// Says that a test could not do what it is there for.
pub fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}
