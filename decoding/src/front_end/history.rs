//! The newest samples of a signal.

use crate::window::Planar;

/// The newest samples, each channel contiguous: a linear buffer that is copied down when
/// it is full, so that a window is always one slice per channel.
#[derive(Debug)]
pub(crate) struct History {
    n_channels: usize,
    keep: usize,
    stride: usize,
    len: usize,
    data: Vec<f64>,
}

impl History {
    /// Keeps `keep` frames of `n_channels`.
    pub fn new(n_channels: usize, keep: usize) -> Self {
        let stride = keep * 2;
        Self { n_channels, keep, stride, len: 0, data: vec![0.0; n_channels * stride] }
    }

    /// Forgets every frame.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends a frame. Allocation: none.
    pub fn push(&mut self, frame: &[f64]) {
        if self.len == self.stride {
            let from = self.stride - self.keep;
            for channel in self.data.chunks_exact_mut(self.stride) {
                channel.copy_within(from.., 0);
            }
            self.len = self.keep;
        }
        for (channel, value) in self.data.chunks_exact_mut(self.stride).zip(frame) {
            channel[self.len] = *value;
        }
        self.len += 1;
    }

    /// The newest `n_samples` frames, of at most `keep`.
    pub fn newest(&self, n_samples: usize) -> Planar<'_> {
        let from = self.len - n_samples;
        Planar::new(&self.data[from..], self.n_channels, self.stride, n_samples)
    }
}
