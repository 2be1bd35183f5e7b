//! `devices`: who can mine here.

use crate::{backend, target};
use clap::Args;
use serde::Serialize;
use std::fmt::Write;

/// List what can mine on this machine
#[derive(Args, Debug)]
pub struct Devices {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct List {
    devices: Vec<backend::Device>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Devices {
    /// Prints them.
    pub fn run(self) -> anyhow::Result<()> {
        let (devices, note) = backend::devices();
        let list = List { devices, note };
        let mut text = String::new();
        if self.json {
            text = serde_json::to_string_pretty(&list)?;
            text.push('\n');
        } else {
            for device in &list.devices {
                let index = device.index.map_or("-".to_owned(), |index| index.to_string());
                let auto = if device.auto { "  (auto takes this)" } else { "" };
                let _ = writeln!(text, "{index:>3}  {}  {}, {}{auto}", device.kind, device.name, device.api);
                if let (Some(buffer), Some(workgroup), Some((least, most))) =
                    (device.max_buffer_bytes, device.workgroup_bytes, device.subgroup)
                {
                    let times = if device.timestamps { "" } else { "no " };
                    let _ = writeln!(
                        text,
                        "     buffers to {} MiB, workgroup memory {} KiB, subgroups of {least} to {most}, {times}timestamps",
                        buffer >> 20,
                        workgroup >> 10
                    );
                }
            }
            if let Some(note) = &list.note {
                let _ = writeln!(text, "     {note}");
            }
        }
        target::print(text.as_bytes())
    }
}
