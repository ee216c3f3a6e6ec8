//! The comb: one recursion over a delay of a whole line period stops every harmonic.
//!
//! ```text
//! y[n] = b0 x[n] + bN x[n-N] - aN y[n-N],   β = tan(π line N / (2 quality rate))
//! every harmonic, N = rate/line:        b0 = 1/(1+β), bN = -b0, aN = -(1-β)/(1+β)
//! odd harmonics,  N = rate/(2 line):    b0 = 1/(1+β), bN = +b0, aN = +(1-β)/(1+β)
//! ```
//! Each tooth is `line_hz / quality` wide at -3 dB. The same coefficients as
//! `scipy.signal.iircomb(line, quality, "notch", rate)` for every harmonic, and as
//! `iircomb(2 * line, 2 * quality, "notch", rate, pass_zero=True)` for the odd ones.
//!
//! # Reference
//! S. J. Orfanidis, *Introduction to Signal Processing*, Prentice Hall, 1996, 11.4-11.5.

use super::{FilterError, check_edge};
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// Which frequencies a comb stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teeth {
    /// 0 Hz, the line and all its harmonics: a high-pass as well.
    Every,
    /// The line and its odd harmonics; 0 Hz passes with gain 1.
    Odd,
}

/// A designed comb.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comb {
    /// `N`: the delay that both taps look back, at least 1.
    pub delay_samples: usize,
    /// Numerator `b0, bN`.
    pub b: [f64; 2],
    /// Denominator `aN`.
    pub a: f64,
}

/// Relative error of a rate that still counts as a multiple of the line's.
const RATE_TOLERANCE: f64 = 1e-12;

impl Comb {
    /// Designs a comb against `line_hz`. The rate must be a multiple of `line_hz` (of twice
    /// that for [`Teeth::Odd`]): elsewhere the teeth would miss the harmonics.
    pub fn design(
        line_hz: f64,
        quality: f64,
        teeth: Teeth,
        rate: SampleRate,
    ) -> Result<Self, FilterError> {
        check_edge(line_hz, rate)?;
        let spacing_hz = match teeth {
            Teeth::Every => line_hz,
            Teeth::Odd => 2.0 * line_hz,
        };
        let delay = (rate.hz() / spacing_hz).round();
        if delay < 1.0 || (delay * spacing_hz / rate.hz() - 1.0).abs() > RATE_TOLERANCE {
            return Err(FilterError::CombRate { spacing_hz, rate_hz: rate.hz() });
        }
        let width = TAU * line_hz / rate.hz() / quality * delay / 4.0;
        if !(quality.is_finite() && quality > 0.0 && width < PI / 2.0) {
            return Err(FilterError::BadQuality { quality });
        }
        let beta = width.tan();
        let (gain, feedback) = (1.0 / (1.0 + beta), (1.0 - beta) / (1.0 + beta));
        let sign = if teeth == Teeth::Every { -1.0 } else { 1.0 };
        Ok(Self { delay_samples: delay as usize, b: [gain, sign * gain], a: sign * feedback })
    }

    /// Group delay in samples at `freq_hz`: `Re(B'(z)/B(z) - A'(z)/A(z))` as in
    /// [`super::sos::group_delay_samples`]. NaN, or what rounding leaves of it, at a tooth.
    pub fn group_delay_samples(&self, freq_hz: f64, rate: SampleRate) -> f64 {
        let n = self.delay_samples as f64;
        let z = Complex64::cis(-TAU * freq_hz / rate.hz() * n);
        let delay = |first: f64, last: f64| (z * last * n / (first + z * last)).re;
        delay(self.b[0], self.b[1]) - delay(1.0, self.a)
    }
}

/// A comb over all channels of a stream, with its state: `delay_samples * n_channels`
/// values. Transposed direct form, channels independent.
///
/// A sample that is not finite comes back in its channel once in `delay_samples` frames,
/// until [`CombFilter::start_at`].
#[derive(Clone, Debug)]
pub struct CombFilter {
    comb: Comb,
    n_channels: usize,
    /// A ring of frames; `oldest` is the one that the next frame meets.
    state: Vec<f64>,
    oldest: usize,
}

impl CombFilter {
    /// A filter at rest.
    ///
    /// # Panics
    /// If the comb's delay is 0 samples.
    pub fn new(comb: Comb, n_channels: usize) -> Self {
        assert!(comb.delay_samples > 0, "a comb looks back");
        Self { comb, n_channels, state: vec![0.0; comb.delay_samples * n_channels], oldest: 0 }
    }

    /// The design.
    pub fn comb(&self) -> &Comb {
        &self.comb
    }

    /// Number of values in a frame.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Sets the state as if `frame` had been coming in for ever; it is not consumed.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn start_at(&mut self, frame: &[f64]) {
        assert_eq!(frame.len(), self.n_channels, "frame of another stream");
        if frame.is_empty() {
            return;
        }
        let Comb { b, a, .. } = self.comb;
        let gain = (b[0] + b[1]) / (1.0 + a);
        for state in self.state.chunks_exact_mut(self.n_channels) {
            for (s, x) in state.iter_mut().zip(frame) {
                *s = b[1] * x - a * (gain * x);
            }
        }
        self.oldest = 0;
    }

    /// Filters one frame in place.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn process_frame(&mut self, frame: &mut [f64]) {
        assert_eq!(frame.len(), self.n_channels, "frame of another stream");
        let ([b0, bn], an) = (self.comb.b, self.comb.a);
        let state = &mut self.state[self.oldest * self.n_channels..][..self.n_channels];
        for (x, s) in frame.iter_mut().zip(state) {
            let output = b0 * *x + *s;
            *s = bn * *x - an * output;
            *x = output;
        }
        self.oldest = (self.oldest + 1) % self.comb.delay_samples;
    }

    /// Filters whole frames that stand one after the other, to the bit as one by one.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `frames` is no multiple of `n_channels` values.
    pub fn process_frames(&mut self, frames: &mut [f64]) {
        if self.n_channels == 0 {
            assert!(frames.is_empty(), "frames of another stream");
            return;
        }
        assert_eq!(frames.len() % self.n_channels, 0, "a frame is cut short");
        for frame in frames.chunks_exact_mut(self.n_channels) {
            self.process_frame(frame);
        }
    }
}
