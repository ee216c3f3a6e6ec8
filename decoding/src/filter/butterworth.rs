//! Butterworth designs as second-order sections, the same as SciPy's
//! `butter(order, edges, btype, fs=rate, output="sos")`, pairing and order of the
//! sections included.
//!
//! The analogue prototype has its poles on the unit circle's left half. `order` is the
//! prototype's: a band-pass or band-stop has twice as many poles. Where two poles are
//! equally near the unit circle (only a band symmetric about a quarter of the rate has
//! such), rounding decides which section comes first.
//!
//! # Reference
//! S. Butterworth, *On the theory of filter amplifiers*, Experimental Wireless 7 (1930).

use super::roots::{Roots, check_order, design};
use super::sos::Section;
use super::{Band, FilterError};
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use std::f64::consts::PI;

pub use super::roots::MAX_ORDER;

/// Sections for any of the four bands (-3 dB at each edge).
pub fn sections(order: usize, band: Band, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
    check_order(order)?;
    band.check(rate)?;
    design(prototype(order), band, rate)
}

/// Passes below `edge_hz` (-3 dB there).
pub fn lowpass(order: usize, edge_hz: f64, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
    sections(order, Band::Lowpass { edge_hz }, rate)
}

/// Passes above `edge_hz` (-3 dB there).
pub fn highpass(order: usize, edge_hz: f64, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
    sections(order, Band::Highpass { edge_hz }, rate)
}

/// Passes between `low_hz` and `high_hz` (-3 dB at both); `order` sections.
pub fn bandpass(
    order: usize,
    low_hz: f64,
    high_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    sections(order, Band::Bandpass { low_hz, high_hz }, rate)
}

/// Stops between `low_hz` and `high_hz` (-3 dB at both); `order` sections.
pub fn bandstop(
    order: usize,
    low_hz: f64,
    high_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    sections(order, Band::Bandstop { low_hz, high_hz }, rate)
}

/// The analogue low-pass with its edge at 1 rad/s.
fn prototype(order: usize) -> Roots {
    let n = order as f64;
    let angle = |k: usize| PI * (2.0 * k as f64 + 1.0 - n) / (2.0 * n);
    // `sin` and `cos` of the angle itself keep conjugates exact and the middle pole real.
    let poles = (0..order).map(|k| -Complex64::cis(angle(k))).collect();
    Roots { zeros: vec![], poles, gain: 1.0 }
}
