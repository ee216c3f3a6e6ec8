//! A cleaner that is late and lets out frames in pieces, as a stage that gives one frame
//! for each that comes in.

use crate::artifact::asr::AsrCleaner;
use std::collections::VecDeque;

/// The cleaner, and what it let out that nobody has taken yet.
#[derive(Debug)]
pub(super) struct LateCleaner {
    cleaner: AsrCleaner,
    ready: VecDeque<f64>,
    n_seen: usize,
}

impl LateCleaner {
    /// Around a cleaner that has seen nothing.
    pub fn new(cleaner: AsrCleaner) -> Self {
        let n_frames = 2 * (cleaner.delay_samples() + 1);
        let ready = VecDeque::with_capacity(n_frames * cleaner.n_channels());
        Self { cleaner, ready, n_seen: 0 }
    }

    /// Frames from one that comes in to the same one, cleaned.
    pub fn delay_samples(&self) -> usize {
        self.cleaner.delay_samples()
    }

    /// Forgets every frame.
    pub fn restart(&mut self) {
        self.cleaner.restart();
        self.ready.clear();
        self.n_seen = 0;
    }

    /// Takes a frame and gives that of `delay_samples` ago; the frame itself while there is
    /// none, so that what comes after has something of its size to start with.
    ///
    /// Thread: decoding thread. Allocation: none after the first correction.
    pub fn process_frame(&mut self, frame: &[f64], out: &mut [f64]) {
        self.ready.extend(self.cleaner.push_frame(frame));
        self.n_seen += 1;
        if self.n_seen <= self.cleaner.delay_samples() {
            out.copy_from_slice(frame);
            return;
        }
        for (value, ready) in out.iter_mut().zip(self.ready.drain(..frame.len())) {
            *value = ready;
        }
    }
}
