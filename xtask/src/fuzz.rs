//! `cargo xtask fuzz`: builds the fuzz targets as cargo-fuzz does (coverage counters, address sanitizer) and runs each
//! for a while. It needs no more than cargo: a nightly toolchain if there is one, else the compiler at hand with
//! its unstable options opened.

use anyhow::{Context, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What to run.
#[derive(Args)]
pub struct Options {
    /// Targets; all of them if none is named
    targets: Vec<String>,
    /// Seconds for each target; 0: the corpus alone, once
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Longest input, in bytes
    #[arg(long, default_value_t = 4096)]
    max_len: u32,
    /// Build for a quick start, not for speed: for short runs
    #[arg(long)]
    quick: bool,
}

/// What cargo-fuzz passes to the compiler.
const FLAGS: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
    "-Zsanitizer=address",
    "-Cforce-frame-pointers",
];

/// The folder of the fuzz workspace.
pub fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "fuzz"].iter().collect()
}

/// All targets, by the names of their files.
pub fn targets() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder().join("fuzz_targets"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).context("the name of a target")?;
        names.push(name.to_owned());
    }
    names.sort();
    Ok(names)
}

/// Builds, runs, and prints a line for each target; fails if one finds something.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let all = targets()?;
    for name in &options.targets {
        if !all.contains(name) {
            bail!("there is no target {name}; there are {}", all.join(", "));
        }
    }
    let chosen = if options.targets.is_empty() { &all } else { &options.targets };
    let start = Instant::now();
    let binaries = build(chosen, options.quick)?;
    println!("built in {:.0} s", start.elapsed().as_secs_f64());
    println!("| target | executions | seconds | findings |\n|---|---:|---:|---|");
    let mut found = Vec::new();
    for target in chosen {
        let corpus = folder().join("corpus").join(target);
        super::corpus::ready(&corpus)?;
        let artifacts = folder().join("artifacts").join(target);
        std::fs::create_dir_all(&artifacts)?;
        let start = Instant::now();
        let output = Command::new(binaries.join(target))
            .arg(&corpus)
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(if options.seconds > 0 {
                format!("-max_total_time={}", options.seconds)
            } else {
                "-runs=0".to_owned()
            })
            .arg(format!("-max_len={}", options.max_len))
            .args(["-timeout=60", "-print_final_stats=1"])
            .output()
            .with_context(|| format!("cannot run {target}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let executions = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let verdict = if output.status.success() { "none" } else { "FAILED" };
        let seconds = start.elapsed().as_secs_f64();
        println!("| {target} | {} | {seconds:.1} | {verdict} |", executions.unwrap_or("?").trim());
        if !output.status.success() {
            eprintln!("{said}");
            found.push(target.clone());
        }
        // Nothing was tried: the property was not looked at.
        if options.seconds > 0 && start.elapsed() < Duration::from_millis(500) {
            bail!("{target} ended at once: {said}");
        }
    }
    if found.is_empty() { Ok(()) } else { bail!("{} failed; inputs are in fuzz/artifacts", found.join(", ")) }
}

/// Builds the targets and returns the folder they are in.
fn build(targets: &[String], quick: bool) -> anyhow::Result<PathBuf> {
    let host = host()?;
    let nightly =
        Command::new("cargo").args(["+nightly", "--version"]).env_remove("RUSTUP_TOOLCHAIN").output();
    let nightly = nightly.is_ok_and(|output| output.status.success());
    let mut cargo = Command::new("cargo");
    cargo.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").current_dir(folder());
    if nightly {
        cargo.arg("+nightly");
    } else {
        cargo.env("RUSTC_BOOTSTRAP", "1");
    }
    // With a target named, build scripts and macros go without the flags.
    cargo
        .args(["build", "--quiet", "--release", "--locked", "--target", &host])
        .env("RUSTFLAGS", FLAGS.join(" "));
    if quick {
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    }
    for target in targets {
        cargo.args(["--bin", target]);
    }
    let status = cargo.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("the fuzz targets do not build");
    }
    Ok(target_folder().join(host).join("release"))
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| folder().join("target"), |at| Path::new(&at).to_owned())
}

fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not tell its host")?.to_owned())
}
