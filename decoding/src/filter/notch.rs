//! Narrow band-stops against line noise: at one frequency, or at its harmonics too.
//!
//! [`harmonics`] is a cascade of notches, for any rate, and leaves 0 Hz alone; the comb of
//! [`super::comb`] costs one multiplication for all harmonics, and asks for a rate that is
//! a multiple of the line's.

use super::sos::Section;
use super::{FilterError, check_edge};
use acquisition::time::SampleRate;
use std::f64::consts::{PI, TAU};

/// A second-order notch at `freq_hz`, its width at -3 dB `freq_hz / quality`.
///
/// `H(z) = g (1 - 2 cos(ω)/z + 1/z²) / (1 - 2 g cos(ω)/z + (2g - 1)/z²)` with
/// `ω = 2π freq/rate` and `g = 1 / (1 + tan(ω / (2 quality)))`. Unit gain at 0 Hz and at
/// half the rate; the same coefficients as `scipy.signal.iirnotch`.
///
/// # Reference
/// S. J. Orfanidis, *Introduction to Signal Processing*, Prentice Hall, 1996, 11.3.
pub fn iirnotch(freq_hz: f64, quality: f64, rate: SampleRate) -> Result<Section, FilterError> {
    check_edge(freq_hz, rate)?;
    let omega = TAU * freq_hz / rate.hz();
    let width = omega / quality;
    // From a width of π on the tangent turns negative: there is no such filter.
    if !(quality.is_finite() && quality > 0.0 && width < PI) {
        return Err(FilterError::BadQuality { quality });
    }
    let gain = 1.0 / (1.0 + (width / 2.0).tan());
    let middle = -2.0 * gain * omega.cos();
    Ok(Section { b: [gain, middle, gain], a: [middle, 2.0 * gain - 1.0] })
}

/// Notches at `line_hz` and its harmonics, `n_harmonics` in all; those at or above half
/// the rate are left out, because no sampled signal has them. Each is as wide as the
/// first, `line_hz / quality` at -3 dB: number `k` is
/// `iirnotch(k * line_hz, k * quality)`.
pub fn harmonics(
    line_hz: f64,
    n_harmonics: usize,
    quality: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    if n_harmonics == 0 {
        return Err(FilterError::NoHarmonic);
    }
    check_edge(line_hz, rate)?;
    let numbers = (1..=n_harmonics).map(|k| k as f64);
    let below = numbers.take_while(|k| k * line_hz < rate.hz() / 2.0);
    below.map(|k| iirnotch(k * line_hz, k * quality, rate)).collect()
}
