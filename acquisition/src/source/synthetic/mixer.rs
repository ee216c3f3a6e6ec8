//! Sources onto channels: one column of gains per source.

/// Gains from sources to channels, source after source, so that adding one source to
/// a frame runs along memory.
#[derive(Debug)]
pub(super) struct Mixer {
    n_channels: usize,
    gains: Vec<f32>,
}

impl Mixer {
    /// A mixer without sources.
    pub fn new(n_channels: usize) -> Self {
        Self { n_channels, gains: Vec::new() }
    }

    /// Appends a source: its gain on each channel.
    pub fn push(&mut self, column: &[f64]) {
        assert_eq!(column.len(), self.n_channels, "one gain per channel");
        self.gains.extend(column.iter().map(|&gain| gain as f32));
    }

    /// `frame += gains[:, source_idx] * value`.
    pub fn add(&self, frame: &mut [f32], source_idx: usize, value: f64) {
        let value = value as f32;
        let first = source_idx * self.n_channels;
        let column = &self.gains[first..first + self.n_channels];
        for (sample, gain) in frame.iter_mut().zip(column) {
            *sample += gain * value;
        }
    }
}
