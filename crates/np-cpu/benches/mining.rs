//! `cargo bench -p np-cpu`: every kernel of this machine, beside the scalar oracle. An argument with
//! letters keeps only the kernel of that name: `cargo bench -p np-cpu -- avx512`.

use np_cpu::{Kernel, measure};
use std::time::Duration;

fn main() {
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{:9} {:>7}  {:44} {:>18}   ratio", "kernel", "threads", "what", "rate");
    for kernel in Kernel::ALL.map(Kernel::id) {
        if only.as_deref().is_some_and(|only| only != kernel) {
            continue;
        }
        let figures = measure::every_kernel(Duration::from_millis(500), threads, Some(kernel));
        for f in figures.expect("the threads start") {
            let rate = format!("{:.1} M{}/s", f.rate / 1e6, f.unit);
            println!(
                "{:9} {:>7}  {:44} {rate:>18}   {:.1} x {}",
                f.kernel,
                f.threads,
                f.what,
                f.ratio(),
                f.peer
            );
        }
    }
}
