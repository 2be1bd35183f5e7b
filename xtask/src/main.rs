//! The project's own tasks, run as `cargo xtask TASK`, or from the built binary with no source tree beside it.

mod bench;
mod bench_peers;
mod bench_shaders;
mod corpus;
mod fuzz;
mod golden;
mod how_far;
mod shader_ops;
mod spirv;

use clap::{Parser, Subcommand};

/// NoisePacker's own tasks.
#[derive(Parser)]
struct Tasks {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure the CPU's kernels beside the scalar oracle, rand_mt and, with --peers, other programs
    Bench(bench::Options),
    /// Measure every kernel, and whole jobs, against the device's own ceilings and the CPU miner
    BenchShaders(bench_shaders::Options),
    /// Count instructions per seed and per pair in the compiled shaders (static; measures nothing)
    ShaderOps(shader_ops::Options),
    /// Build the fuzz targets and run each for a while
    Fuzz(fuzz::Options),
    /// Write the seeds that the fuzzers begin with
    Corpus,
    /// Write the golden files of this version anew
    Golden,
    /// Measure through how many flipped bits packing still gains, and draw docs/how-far.svg
    HowFar(how_far::Options),
}

fn main() -> anyhow::Result<()> {
    match Tasks::parse().task {
        Task::Bench(options) => bench::run(&options),
        Task::BenchShaders(options) => bench_shaders::run(&options),
        Task::ShaderOps(options) => shader_ops::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Corpus => corpus::run(),
        Task::Golden => golden::run(),
        Task::HowFar(options) => how_far::run(&options),
    }
}
