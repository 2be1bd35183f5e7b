//! `man`: manual pages, from the command line's own definition.

use crate::cli::Cli;
use crate::target;
use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;
use std::path::PathBuf;

/// Print the manual, or write a page for each verb into a folder
#[derive(Args, Debug)]
pub struct Man {
    /// Where to write np-cli.1, np-cli-pack.1 and so on; without it all pages go to the standard output
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

impl Man {
    /// Writes them.
    pub fn run(self) -> anyhow::Result<()> {
        let mut all = Vec::new();
        if let Some(folder) = &self.folder {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        for (name, page) in pages()? {
            match &self.folder {
                None => all.extend(page),
                Some(folder) => {
                    let path = folder.join(format!("{name}.1"));
                    std::fs::write(&path, page)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
            }
        }
        target::print(&all)
    }
}

/// The page of np-cli and of each verb, with their names.
fn pages() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let verbs = command.get_subcommands().cloned().collect::<Vec<_>>();
    std::iter::once(command)
        .chain(verbs)
        .map(|command| {
            let mut page = Vec::new();
            let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
            Page::new(command).render(&mut page)?;
            Ok((name, page))
        })
        .collect()
}
