//! Finite impulse responses: the machine that runs them with carried state, and their
//! group delay. [`design`] makes linear-phase ones, [`minimum_phase`] shortens their delay.
//!
//! Direct form: `y[n] = Σ_k h[k] x[n-k]`, summed from the oldest sample to the newest. That
//! is as many multiplications a sample as there are taps; designs for a live stream have
//! some hundreds, and all channels of a frame are weighed together.

pub mod design;
pub mod history;
pub mod minimum_phase;

use self::history::History;
use super::FilterError;
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use std::f64::consts::TAU;

/// An impulse response over all channels of a stream, with its state: twice as many
/// frames as there are taps.
///
/// A sample that is not finite spoils its channel for as many frames as there are taps.
#[derive(Clone, Debug)]
pub struct FirFilter {
    /// Last tap first, as the history stands.
    reversed: Vec<f64>,
    history: History,
}

impl FirFilter {
    /// A filter at rest. Taps must be finite, and at least one.
    pub fn new(taps: &[f64], n_channels: usize) -> Result<Self, FilterError> {
        check_taps(taps)?;
        let reversed: Vec<f64> = taps.iter().rev().copied().collect();
        Ok(Self { history: History::new(reversed.len(), n_channels), reversed })
    }

    /// Number of taps.
    pub fn n_taps(&self) -> usize {
        self.reversed.len()
    }

    /// Number of values in a frame.
    pub fn n_channels(&self) -> usize {
        self.history.n_channels()
    }

    /// Sets the state to rest, as if zeros had been coming in for ever.
    ///
    /// Thread: any. Allocation: none.
    pub fn reset(&mut self) {
        self.history.reset();
    }

    /// Sets the state as if `frame` had been coming in for ever; it is not consumed.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn start_at(&mut self, frame: &[f64]) {
        self.history.fill(frame);
    }

    /// Filters one frame in place.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn process_frame(&mut self, frame: &mut [f64]) {
        self.history.push(frame);
        self.history.weigh(&self.reversed, frame);
    }

    /// Filters whole frames that stand one after the other, to the bit as one by one.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `frames` is no multiple of `n_channels` values.
    pub fn process_frames(&mut self, frames: &mut [f64]) {
        let n_channels = self.n_channels();
        if n_channels == 0 {
            assert!(frames.is_empty(), "frames of another stream");
            return;
        }
        assert_eq!(frames.len() % n_channels, 0, "a frame is cut short");
        for frame in frames.chunks_exact_mut(n_channels) {
            self.process_frame(frame);
        }
    }
}

/// Whether there are taps, all finite.
pub(super) fn check_taps(taps: &[f64]) -> Result<(), FilterError> {
    let is_sound = !taps.is_empty() && taps.iter().all(|h| h.is_finite());
    if is_sound { Ok(()) } else { Err(FilterError::BadTaps { n_taps: taps.len() }) }
}

/// Group delay of an impulse response at `freq_hz`, in samples:
/// `Re(Σ_k k h[k] z^k / Σ_k h[k] z^k)`, `z = e^(-iω)`. For linear phase it is
/// `(n_taps - 1) / 2` wherever the response is not zero; where it is, the delay has no
/// meaning and the result is NaN or what rounding leaves.
pub fn group_delay_samples(taps: &[f64], freq_hz: f64, rate: SampleRate) -> f64 {
    let omega = TAU * freq_hz / rate.hz();
    let (mut value, mut slope) = (Complex64::ZERO, Complex64::ZERO);
    for (k, h) in taps.iter().enumerate() {
        let term = h * Complex64::cis(-omega * k as f64);
        value += term;
        slope += term * k as f64;
    }
    (slope / value).re
}
