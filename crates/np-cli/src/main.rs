//! np-cli: NoisePacker's command line. Parses, sets up, runs one verb, exits.

mod audit;
mod backend;
mod cli;
mod evidence;
mod exit;
mod fault;
mod findings;
mod interrupt;
mod key_text;
mod memory;
mod names;
mod packing;
mod partial;
mod progress;
mod session;
mod size;
mod source;
mod summary;
mod target;
mod unpacking;
mod verb;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    quiet_mesa();
    fault::install();
    let cli = cli::Cli::parse();
    interrupt::install();
    exit::code(cli.verb.run())
}

/// Mesa's device selection layer looks for a display, which no miner needs, and complains on stderr where
/// there is none.
fn quiet_mesa() {
    if std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: this is the first thing `main` does; no other thread runs yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
