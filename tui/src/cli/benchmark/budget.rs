//! How many items are computed at once: as many as memory allows.

use std::sync::{Condvar, Mutex};

/// Memory that is shared out among those who work.
pub struct Budget {
    n_bytes: u64,
    held: Mutex<u64>,
    given_back: Condvar,
}

/// Memory that is held until this is dropped.
pub struct Held<'a> {
    budget: &'a Budget,
    n_bytes: u64,
}

impl Budget {
    /// As much as may be held together.
    pub fn new(n_bytes: u64) -> Self {
        Self { n_bytes, held: Mutex::new(0), given_back: Condvar::new() }
    }

    /// Waits until there is as much; nobody asks for more than there is at all.
    pub fn hold(&self, n_bytes: u64) -> Option<Held<'_>> {
        let is_full = |held: &mut u64| *held + n_bytes > self.n_bytes;
        let mut held = self.given_back.wait_while(self.held.lock().ok()?, is_full).ok()?;
        *held += n_bytes;
        Some(Held { budget: self, n_bytes })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Ok(mut held) = self.budget.held.lock() {
            *held -= self.n_bytes;
        }
        self.budget.given_back.notify_all();
    }
}
