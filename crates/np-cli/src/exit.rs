//! Errors on their way out: what is printed, and which exit code follows.

use np_core::miner::MineError;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// Something failed.
pub const FAILED: u8 = 1;
/// The command line asks for something that cannot be meant.
pub const USAGE: u8 = 2;
/// Two miners gave different results.
pub const DISAGREE: u8 = 3;
/// Stopped by a signal, as shells number Ctrl-C.
pub const STOPPED: u8 = 130;

/// Says a line on stderr. A closed stderr is nobody's problem.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

/// The command line contradicts itself in a way its definition cannot tell.
#[derive(Debug)]
pub struct Usage(String);

impl Usage {
    /// As an error.
    pub fn error(text: impl Into<String>) -> anyhow::Error {
        Self(text.into()).into()
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Whoever reads our output has gone: nothing is left to say, and nobody to say it to.
#[derive(Debug)]
pub struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the standard output was closed")
    }
}

impl std::error::Error for ReaderGone {}

/// A signal asked to stop, and what was found so far is kept.
#[derive(Debug)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

/// Errors that were printed already; the worst code among them.
#[derive(Debug)]
struct Told(u8);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some files failed")
    }
}

impl std::error::Error for Told {}

/// The exit code that tells of `error`.
fn code_of(error: &anyhow::Error) -> u8 {
    let disagree = error.chain().any(|e| {
        let mine = match e.downcast_ref::<np_core::Error>() {
            Some(np_core::Error::Mine(mine)) => Some(mine),
            _ => e.downcast_ref::<MineError>(),
        };
        matches!(mine, Some(MineError::Disagree { .. }))
    });
    match error.downcast_ref::<Told>() {
        Some(Told(code)) => *code,
        None if disagree => DISAGREE,
        None if error.is::<Stopped>() => STOPPED,
        None if error.is::<Usage>() => USAGE,
        None => FAILED,
    }
}

fn print(error: &anyhow::Error) {
    let told = error.is::<Told>() || error.is::<Stopped>();
    if !told && !error.chain().any(|e| e.is::<ReaderGone>()) {
        say!("np-cli: {error:#}");
        if error.is::<Usage>() {
            say!("For more information, try 'np-cli help'.");
        }
    }
}

/// Prints what went wrong, if anything, and returns the exit code.
pub fn code(result: anyhow::Result<()>) -> ExitCode {
    let _ = std::io::stderr().flush();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print(&error);
            ExitCode::from(code_of(&error))
        }
    }
}

/// Does `work` to every item: one that fails is told of and does not keep the others from being done,
/// unless nobody is left to do it for.
pub fn each<T>(
    items: impl IntoIterator<Item = T>,
    mut work: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut worst = 0;
    for item in items {
        if let Err(error) = work(item) {
            print(&error);
            worst = worst.max(code_of(&error));
            if error.is::<Stopped>() || error.chain().any(|e| e.is::<ReaderGone>()) {
                break;
            }
        }
    }
    if worst == 0 { Ok(()) } else { Err(Told(worst).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn codes_are_found_behind_context() {
        let mine = MineError::Disagree { left: "a".into(), right: "b".into(), what: "c".into() };
        let wrapped = Err::<(), _>(np_core::Error::from(mine.clone())).context("cannot pack x").unwrap_err();
        assert_eq!(code_of(&wrapped), DISAGREE);
        assert_eq!(code_of(&mine.into()), DISAGREE);
        assert_eq!(code_of(&np_core::Error::from(MineError::Stopped).into()), FAILED);
        assert_eq!(code_of(&Usage::error("no")), USAGE);
        let all = each([1, 2, 3], |i| if i == 2 { Err(Usage::error("no")) } else { anyhow::bail!("x") });
        assert_eq!(code_of(&all.unwrap_err()), USAGE);
        assert!(each([1], |_| Ok(())).is_ok());
    }
}
