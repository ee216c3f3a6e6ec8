//! The newest samples of each channel, contiguous in memory: what traces are drawn
//! from. *Not* the decoder's window, which the decoding thread keeps for itself.

use crate::signal::{Chunk, MAX_CHANNELS};
use crate::time::SampleIndex;

/// The newest samples of each channel in fixed memory.
///
/// Each channel owns a stretch of twice the capacity. Samples are appended; when the
/// stretch is full its newer half is copied to its front. Every window is therefore
/// one slice, at the price of one copy per sample on average.
#[derive(Clone, Debug)]
pub struct History {
    n_channels: usize,
    capacity: usize,
    /// `(n_channels, 2 * capacity)`, channel after channel.
    samples: Vec<f32>,
    /// Samples in use at the front of each channel's stretch.
    len: usize,
    end: SampleIndex,
}

impl History {
    /// Room for the newest `capacity_samples` of each of `n_channels`.
    ///
    /// # Panics
    /// If either is zero or there are more than [`MAX_CHANNELS`] channels.
    pub fn new(n_channels: usize, capacity_samples: usize) -> Self {
        assert!((1..=MAX_CHANNELS).contains(&n_channels), "a history has channels");
        assert!(capacity_samples > 0, "a history has room");
        let samples = vec![f32::NAN; n_channels * 2 * capacity_samples];
        Self { n_channels, capacity: capacity_samples, samples, len: 0, end: SampleIndex(0) }
    }

    /// Appends a chunk; frames missing before it become NaN. A chunk from before the
    /// newest sample means that another stream began: what was held is forgotten.
    ///
    /// Thread: the owner's. Allocation: none.
    ///
    /// # Panics
    /// If the chunk has another number of channels.
    pub fn push(&mut self, chunk: &Chunk) {
        assert_eq!(chunk.n_channels(), self.n_channels, "history and chunk disagree on channels");
        if chunk.is_empty() {
            return;
        }
        if chunk.first() < self.end || self.len == 0 {
            self.len = 0;
            self.end = chunk.first();
        }
        self.append_missing(chunk.first());
        let frames = chunk.samples();
        let n_skipped = chunk.n_frames().saturating_sub(self.capacity);
        for part in frames[n_skipped * self.n_channels..].chunks(self.capacity * self.n_channels) {
            self.append(part);
        }
        self.end = chunk.end();
    }

    /// Fills up to `first` with NaN, at most one capacity of them.
    fn append_missing(&mut self, first: SampleIndex) {
        let n_missing = (first.0 - self.end.0).min(self.capacity as u64) as usize;
        if n_missing == 0 {
            return;
        }
        let at = self.make_room(n_missing);
        for channel in self.samples.chunks_exact_mut(2 * self.capacity) {
            channel[at..at + n_missing].fill(f32::NAN);
        }
    }

    /// Appends at most `capacity` whole frames.
    fn append(&mut self, frames: &[f32]) {
        let at = self.make_room(frames.len() / self.n_channels);
        for (c, channel) in self.samples.chunks_exact_mut(2 * self.capacity).enumerate() {
            let values = frames[c..].iter().step_by(self.n_channels);
            for (held, value) in channel[at..].iter_mut().zip(values) {
                *held = *value;
            }
        }
    }

    /// Makes room for `n` more samples of each channel; where they go.
    fn make_room(&mut self, n: usize) -> usize {
        if self.len + n > 2 * self.capacity {
            let kept = self.len.min(self.capacity);
            for channel in self.samples.chunks_exact_mut(2 * self.capacity) {
                channel.copy_within(self.len - kept..self.len, 0);
            }
            self.len = kept;
        }
        let at = self.len;
        self.len += n;
        at
    }

    /// The newest samples of a channel, at most `n_samples` of them, oldest first;
    /// missing ones are NaN. Allocation: none.
    ///
    /// # Panics
    /// If there is no such channel.
    pub fn window(&self, channel: usize, n_samples: usize) -> &[f32] {
        assert!(channel < self.n_channels, "no such channel");
        let at = channel * 2 * self.capacity;
        let n = n_samples.min(self.len()).min(self.capacity);
        &self.samples[at + self.len - n..at + self.len]
    }

    /// Samples held of each channel.
    pub fn len(&self) -> usize {
        self.len.min(self.capacity)
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Most samples held of each channel.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Index after the newest sample.
    pub fn end(&self) -> SampleIndex {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk(first: u64, n_frames: usize) -> Chunk {
        let mut chunk = Chunk::new(2, n_frames.max(1));
        chunk.restart(SampleIndex(first));
        for k in 0..n_frames as u64 {
            chunk.extend(&[(first + k) as f32, -((first + k) as f32)]);
        }
        chunk
    }

    #[test]
    fn missing_frames_are_nan() {
        let mut history = History::new(2, 8);
        history.push(&chunk(10, 3));
        history.push(&chunk(15, 1));
        let window = history.window(1, 6);
        assert_eq!(window[..3], [-10.0, -11.0, -12.0]);
        assert!(window[3].is_nan() && window[4].is_nan());
        assert_eq!((window[5], history.end()), (-15.0, SampleIndex(16)));
    }

    #[test]
    fn an_earlier_chunk_starts_over() {
        let mut history = History::new(2, 8);
        history.push(&chunk(100, 3));
        history.push(&chunk(0, 2));
        assert_eq!(history.window(0, 8), [0.0, 1.0]);
    }

    proptest! {
        /// Whatever the chunking and the gaps, the window is the newest stretch.
        #[test]
        fn the_window_is_the_newest_stretch(steps in prop::collection::vec((0_u64..30, 1_usize..30), 1..40)) {
            let mut history = History::new(2, 10);
            let mut all: Vec<Option<f32>> = Vec::new();
            let mut at = 0;
            for (i, (gap, n)) in steps.into_iter().enumerate() {
                let gap = if i == 0 { 0 } else { gap };
                all.extend((0..gap).map(|_| None));
                all.extend((0..n as u64).map(|k| Some((at + gap + k) as f32)));
                history.push(&chunk(at + gap, n));
                at += gap + n as u64;
                let expected = &all[all.len().saturating_sub(10)..];
                let window = history.window(0, 10);
                prop_assert_eq!(window.len(), expected.len());
                for (w, e) in window.iter().zip(expected) {
                    match e {
                        Some(e) => prop_assert_eq!(w, e),
                        None => prop_assert!(w.is_nan()),
                    }
                }
            }
        }
    }
}
