//! Sliding windows: where they lie, and what a decoder sees of one.

use acquisition::time::{SampleIndex, SampleRate};
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

/// Where windows lie: `window_samples` long, one every `step_samples`.
///
/// Window `k` covers the samples `k*S .. k*S + W`, so it ends at `n = W-1 + k*S` and
/// covers `(n-W, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSpec {
    /// Length `W` in samples.
    pub window_samples: usize,
    /// Step `S` in samples.
    pub step_samples: usize,
}

/// Why windows can't be laid: choose other lengths.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// A window must hold at least two samples.
    #[error(
        "a window of {secs} s holds fewer than two samples at {rate_hz} Hz: choose a longer one"
    )]
    TooShort {
        /// The length asked for.
        secs: f64,
        /// The stream's rate.
        rate_hz: f64,
    },
    /// A window this long is a typing error.
    #[error(
        "a window of {secs} s at {rate_hz} Hz is longer than any recording: choose a shorter one"
    )]
    TooLong {
        /// The length asked for.
        secs: f64,
        /// The stream's rate.
        rate_hz: f64,
    },
    /// The step must be at least one sample and at most the window.
    #[error(
        "a step of {step_secs} s is not between one sample and the window of {window_secs} s: choose one that is"
    )]
    BadStep {
        /// The step asked for.
        step_secs: f64,
        /// The window's length.
        window_secs: f64,
    },
}

/// Longest window, in samples: ten minutes at 10 kHz. More is a typing error.
const MAX_WINDOW_SAMPLES: f64 = 6e6;

impl WindowSpec {
    /// `W = round(window_secs * rate)`, `S = round(step_secs * rate)`, half to even.
    pub fn from_secs(
        window_secs: f64,
        step_secs: f64,
        rate: SampleRate,
    ) -> Result<Self, WindowError> {
        let (w, s) = (rate.samples(window_secs), rate.samples(step_secs));
        if window_secs * rate.hz() > MAX_WINDOW_SAMPLES {
            return Err(WindowError::TooLong { secs: window_secs, rate_hz: rate.hz() });
        }
        if w < 2 {
            return Err(WindowError::TooShort { secs: window_secs, rate_hz: rate.hz() });
        }
        if s < 1 || s > w {
            return Err(WindowError::BadStep { step_secs, window_secs });
        }
        Ok(Self { window_samples: w as usize, step_samples: s as usize })
    }

    /// Number of windows that end within the first `n_samples`.
    pub fn count(self, n_samples: usize) -> usize {
        match n_samples.checked_sub(self.window_samples) {
            Some(rest) => rest / self.step_samples + 1,
            None => 0,
        }
    }

    /// Index of the last sample of window `k`.
    pub fn end(self, k: usize) -> SampleIndex {
        SampleIndex((self.window_samples - 1 + k * self.step_samples) as u64)
    }
}

/// Borrowed samples, `(n_channels, n_samples)`, each channel contiguous.
#[derive(Clone, Copy, Debug)]
pub struct Planar<'a> {
    data: &'a [f64],
    n_channels: usize,
    stride: usize,
    n_samples: usize,
}

impl<'a> Planar<'a> {
    /// Channel `c` is `data[c * stride ..][.. n_samples]`.
    ///
    /// # Panics
    /// If `data` is too short for that, or there is nothing.
    pub fn new(data: &'a [f64], n_channels: usize, stride: usize, n_samples: usize) -> Self {
        assert!(n_channels > 0 && n_samples > 0 && n_samples <= stride, "a window holds samples");
        assert!(data.len() >= (n_channels - 1) * stride + n_samples, "planar data is too short");
        Self { data, n_channels, stride, n_samples }
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// The samples of channel `c`.
    pub fn channel(&self, c: usize) -> &'a [f64] {
        &self.data[c * self.stride..][..self.n_samples]
    }

    /// The same samples as a matrix view.
    pub fn as_mat(&self) -> MatRef<'a, f64> {
        let len = (self.n_channels - 1) * self.stride + self.n_samples;
        MatRef::from_row_major_slice_with_stride(
            &self.data[..len],
            self.n_channels,
            self.n_samples,
            self.stride,
        )
    }
}

/// The samples of a stretch of signal, `(n_channels, n_samples)`, each channel contiguous.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    data: Vec<f64>,
    n_channels: usize,
}

impl Samples {
    /// All zero.
    ///
    /// # Panics
    /// If there are no channels or no samples.
    pub fn zeros(n_channels: usize, n_samples: usize) -> Self {
        assert!(n_channels > 0 && n_samples > 0, "a window holds samples");
        Self { data: vec![0.0; n_channels * n_samples], n_channels }
    }

    /// Copies samples of the same shape. Allocation: none.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn copy_from(&mut self, samples: Planar<'_>) {
        let n_samples = self.data.len() / self.n_channels;
        assert_eq!(
            (samples.n_channels(), samples.n_samples()),
            (self.n_channels, n_samples),
            "samples of another shape"
        );
        for (c, channel) in self.data.chunks_exact_mut(n_samples).enumerate() {
            channel.copy_from_slice(samples.channel(c));
        }
    }

    /// The samples, channel after channel, to be written.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.data
    }

    /// The samples, borrowed.
    pub fn as_planar(&self) -> Planar<'_> {
        let n_samples = self.data.len() / self.n_channels;
        Planar::new(&self.data, self.n_channels, n_samples, n_samples)
    }
}

/// What a feature, or a step after it, makes of a window.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A symmetric matrix per band, both triangles filled.
    Matrices(Vec<Mat<f64>>),
    /// One vector, band after band.
    Vector(Vec<f64>),
    /// Filtered samples per band.
    Samples(Vec<Samples>),
}

/// A [`Value`], borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View<'a> {
    /// A matrix per band.
    Matrices(&'a [Mat<f64>]),
    /// One vector.
    Vector(&'a [f64]),
    /// Samples per band.
    Samples(&'a [Samples]),
}

/// The form and size of a [`Value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `n_bands` matrices of `n_rows x n_rows`.
    Matrices {
        /// Number of matrices.
        n_bands: usize,
        /// Rows of each.
        n_rows: usize,
    },
    /// A vector of so many values.
    Vector(usize),
    /// `n_bands` times `(n_channels, n_samples)`.
    Samples {
        /// Number of bands.
        n_bands: usize,
        /// Channels of each.
        n_channels: usize,
        /// Samples of each channel.
        n_samples: usize,
    },
}

impl Shape {
    /// A value of this shape, all zero.
    pub fn zeros(self) -> Value {
        match self {
            Self::Matrices { n_bands, n_rows } => {
                Value::Matrices(vec![Mat::zeros(n_rows, n_rows); n_bands])
            }
            Self::Vector(n) => Value::Vector(vec![0.0; n]),
            Self::Samples { n_bands, n_channels, n_samples } => {
                Value::Samples(vec![Samples::zeros(n_channels, n_samples); n_bands])
            }
        }
    }
}

impl Value {
    /// The same, borrowed.
    pub fn view(&self) -> View<'_> {
        match self {
            Self::Matrices(matrices) => View::Matrices(matrices),
            Self::Vector(vector) => View::Vector(vector),
            Self::Samples(samples) => View::Samples(samples),
        }
    }
}

impl View<'_> {
    /// A copy to keep. Allocates.
    pub fn to_value(self) -> Value {
        match self {
            Self::Matrices(matrices) => Value::Matrices(matrices.to_vec()),
            Self::Vector(vector) => Value::Vector(vector.to_vec()),
            Self::Samples(samples) => Value::Samples(samples.to_vec()),
        }
    }

    /// Its form and size.
    pub fn shape(self) -> Shape {
        match self {
            Self::Matrices(matrices) => Shape::Matrices {
                n_bands: matrices.len(),
                n_rows: matrices.first().map_or(0, Mat::nrows),
            },
            Self::Vector(vector) => Shape::Vector(vector.len()),
            Self::Samples(samples) => {
                let first = samples.first().map(Samples::as_planar);
                Shape::Samples {
                    n_bands: samples.len(),
                    n_channels: first.map_or(0, |s| s.n_channels()),
                    n_samples: first.map_or(0, |s| s.n_samples()),
                }
            }
        }
    }
}

/// The features of one window, by the slots of the plan
/// ([`Demands`](crate::front_end::step::Demands)).
#[derive(Clone, Debug, Default)]
pub struct Features {
    slots: Vec<Slot>,
}

/// A feature, and whether this window has it.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub value: Value,
    pub is_sound: bool,
}

impl Features {
    /// Features of these shapes that no window has yet.
    pub(crate) fn planned(shapes: impl IntoIterator<Item = Shape>) -> Self {
        let slot = |shape: Shape| Slot { value: shape.zeros(), is_sound: false };
        Self { slots: shapes.into_iter().map(slot).collect() }
    }

    /// All slots, to be filled.
    pub(crate) fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    /// The feature of a slot; `None` where the window has none, because every channel is
    /// constant or a value is not finite.
    ///
    /// # Panics
    /// If the plan has no such slot.
    pub fn get(&self, slot: usize) -> Option<View<'_>> {
        let slot = &self.slots[slot];
        slot.is_sound.then(|| slot.value.view())
    }
}

/// One window as a decoder sees it: borrowed, nothing after its end is reachable.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Index of its last sample.
    pub end: SampleIndex,
    /// Its features, as planned.
    pub features: &'a Features,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_at_128_hz() {
        let spec = WindowSpec::from_secs(2.0, 0.1, SampleRate::new(128.0).unwrap()).unwrap();
        assert_eq!((spec.window_samples, spec.step_samples), (256, 13));
        assert_eq!((spec.count(255), spec.count(256), spec.count(269)), (0, 1, 2));
        assert_eq!(spec.end(1), SampleIndex(268));
    }

    #[test]
    fn absurd_lengths_are_refused() {
        let rate = SampleRate::new(160.0).unwrap();
        for (w, s) in
            [(0.0, 0.1), (2.0, 0.0), (2.0, 3.0), (f64::NAN, 0.1), (1e12, 0.1), (-1.0, 0.1)]
        {
            assert!(WindowSpec::from_secs(w, s, rate).is_err(), "{w} {s}");
        }
    }
}
