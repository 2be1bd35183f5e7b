//! Memory: the system's allocator, and what is done when it has no more: the partial output is removed, the user is told, and
//! the process ends. (Rust would only abort, and leave the partial output behind.)

use crate::exit::FAILED;
use crate::{interrupt, say};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[global_allocator]
static ALLOCATOR: Telling = Telling;

struct Telling;

/// Requests from this size on are what tests can make fail.
#[cfg(debug_assertions)]
const LARGE: usize = 1 << 16;

#[cfg(debug_assertions)]
fn fails(size: usize) -> bool {
    size >= LARGE && crate::fault::hit("alloc")
}

#[cfg(not(debug_assertions))]
fn fails(_: usize) -> bool {
    false
}

impl Telling {
    fn told(memory: *mut u8, size: usize) -> *mut u8 {
        if memory.is_null() || fails(size) {
            out_of_memory(size);
        }
        memory
    }
}

// SAFETY: every call goes to the system's allocator unchanged; what it returns is only looked at.
unsafe impl GlobalAlloc for Telling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        Self::told(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        Self::told(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        Self::told(unsafe { System.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.dealloc(memory, layout) };
    }
}

/// Nothing here allocates.
#[cold]
fn out_of_memory(size: usize) -> ! {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    if !BEGUN.swap(true, SeqCst) {
        interrupt::abandon();
        say!(
            "np-cli: out of memory: {size} bytes were asked for; try fewer threads (-T1) or, to pack, smaller segments"
        );
    }
    end()
}

#[cfg(unix)]
fn end() -> ! {
    // SAFETY: it ends the process and nothing else; handlers that exit() would run might allocate.
    unsafe { libc::_exit(FAILED.into()) }
}

#[cfg(not(unix))]
fn end() -> ! {
    std::process::exit(FAILED.into())
}
