//! Faults on purpose: in builds with debug assertions, `NP_FAULT=KIND:N` makes the N-th operation of a kind fail (the first
//! is 0), so that tests can fail every one in turn. Release builds have no such thing.

use std::io;
#[cfg(debug_assertions)]
use std::sync::OnceLock;

/// Fails if this is the operation to fail. Stands before every operation on files.
#[cfg(debug_assertions)]
pub fn point(kind: &str) -> io::Result<()> {
    match hit(kind) {
        true => Err(io::Error::other("a fault put in by a test")),
        false => Ok(()),
    }
}

/// Nothing fails on purpose.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_: &str) -> io::Result<()> {
    Ok(())
}

/// The kind that is to fail, and which of its operations.
#[cfg(debug_assertions)]
static PLAN: OnceLock<Option<(String, u64)>> = OnceLock::new();

/// Learns what is planned; nothing fails before.
pub fn install() {
    #[cfg(debug_assertions)]
    PLAN.get_or_init(|| {
        let plan = std::env::var("NP_FAULT").ok()?;
        let (kind, number) = plan.split_once(':')?;
        Some((kind.to_owned(), number.parse().ok()?))
    });
}

#[cfg(debug_assertions)]
fn plan() -> Option<&'static (String, u64)> {
    PLAN.get()?.as_ref()
}

/// Counts an operation, and tells whether it is the one.
#[cfg(debug_assertions)]
pub fn hit(kind: &str) -> bool {
    use std::sync::atomic::{AtomicU64, Ordering};
    static SEEN: AtomicU64 = AtomicU64::new(0);
    let Some((planned, number)) = plan() else { return false };
    let hit = planned == kind && SEEN.fetch_add(1, Ordering::Relaxed) == *number;
    if hit {
        crate::say!("np-cli: fault {kind} {number} put in");
    }
    hit
}

/// The submission before which a GPU is lost, or the mining job that fails, if that is what is planned.
#[cfg(debug_assertions)]
pub fn planned(kind: &str) -> Option<u64> {
    plan().filter(|(planned, _)| planned == kind).map(|(_, number)| *number)
}

/// Nothing is planned.
#[cfg(not(debug_assertions))]
pub fn planned(_: &str) -> Option<u64> {
    None
}
