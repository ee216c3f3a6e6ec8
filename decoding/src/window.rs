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
    #[error("a window of {secs} s holds fewer than two samples at {rate_hz} Hz")]
    TooShort {
        /// The length asked for.
        secs: f64,
        /// The stream's rate.
        rate_hz: f64,
    },
    /// A window this long is a typing error.
    #[error("a window of {secs} s at {rate_hz} Hz is longer than any recording")]
    TooLong {
        /// The length asked for.
        secs: f64,
        /// The stream's rate.
        rate_hz: f64,
    },
    /// The step must be at least one sample and at most the window.
    #[error("a step of {step_secs} s is not between one sample and the window of {window_secs} s")]
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

/// What can be computed of a window besides its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Covariance with oracle-approximating shrinkage.
    Covariance,
    /// Logarithm of each channel's variance.
    LogVariance,
    /// Logarithm of Welch band power per channel and band.
    BandPower,
}

/// The features of one window. A field holds the current window's value only where
/// the plan asked for it; otherwise its content has no meaning.
#[derive(Clone, Debug)]
pub struct Features {
    /// Shrunk covariance, `(n_channels, n_channels)`, both triangles filled.
    pub covariance: Mat<f64>,
    /// `ln` variance per channel, `n_channels`.
    pub log_variance: Vec<f64>,
    /// `ln` band power, channel-major: `n_channels * n_bands`.
    pub band_power: Vec<f64>,
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

/// One window as a decoder sees it: borrowed, nothing after its end is reachable.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Index of its last sample.
    pub end: SampleIndex,
    /// Filtered samples, `(n_channels, n_samples)`.
    pub samples: Planar<'a>,
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
