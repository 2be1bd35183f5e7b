//! np-cli: NoisePacker's command line. Parses, sets up, runs one verb, exits.

mod backend;
mod cli;
mod evidence;
mod exit;
mod interrupt;
mod key_text;
mod names;
mod packing;
mod progress;
mod size;
mod source;
mod summary;
mod target;
mod unpacking;
mod verb;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    interrupt::install();
    exit::code(cli.verb.run())
}
