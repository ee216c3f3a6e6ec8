//! An allocator that counts what the current thread asks of it. A test binary installs
//! it with `#[global_allocator]`.

#![expect(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait; all calls go to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Constant and without a destructor, so that counting never allocates itself.
    static N_CALLS: Cell<u64> = const { Cell::new(0) };
    static N_BYTES: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, counting allocations, reallocations and releases of each
/// thread by itself: the test harness's threads do not disturb.
pub struct Counting;

fn count(n_bytes: i64) {
    N_CALLS.set(N_CALLS.get() + 1);
    N_BYTES.set(N_BYTES.get() + n_bytes);
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller keeps `alloc_zeroed`'s contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as i64 - layout.size() as i64);
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// How often `work` called the allocator on this thread.
pub fn n_calls(work: impl FnOnce()) -> u64 {
    let before = N_CALLS.get();
    work();
    N_CALLS.get() - before
}

/// How many bytes `work` took from the allocator on this thread and did not give back.
pub fn n_bytes_kept(work: impl FnOnce()) -> i64 {
    let before = N_BYTES.get();
    work();
    N_BYTES.get() - before
}
