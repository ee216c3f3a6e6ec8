//! An allocator that counts what the current thread asks of it. A test binary installs
//! it with `#[global_allocator]`.

#![expect(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait; all calls go to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Constant and without a destructor, so that counting never allocates itself.
    static N_CALLS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting allocations, reallocations and releases of each
/// thread by itself: the test harness's threads do not disturb.
pub struct Counting;

fn count() {
    N_CALLS.set(N_CALLS.get() + 1);
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps `alloc_zeroed`'s contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count();
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
