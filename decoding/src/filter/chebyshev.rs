//! Chebyshev designs of the second kind (flat passband, equal ripple in the stopband) as
//! second-order sections, the same as SciPy's
//! `cheby2(order, stop_db, edges, btype, fs=rate, output="sos")`.
//!
//! The edges are where the attenuation first reaches `stop_db` decibels, *not* where the
//! passband ends: the passband is narrower than the band that is asked for. At the same
//! order the transition is steeper than Butterworth's, and the price is a stopband that
//! does not fall off further. `order` is the prototype's, as in [`super::butterworth`].
//!
//! ```text
//! |H(ω)|² = 1 / (1 + 1 / (ε² T_n(1/ω)²)),   ε = 1 / √(10^(stop_db/10) - 1)
//! zeros j / sin(π m / 2n), poles -1 / sinh(μ + j π m / 2n),   m = 1-n, 3-n, ..., n-1
//! μ = asinh(1/ε) / n,   T_n the Chebyshev polynomial
//! ```
//!
//! # Reference
//! R. W. Daniels, *Approximation Methods for Electronic Filter Design*, McGraw-Hill, 1974.

use super::roots::{Roots, check_order, design};
use super::sos::Section;
use super::{Band, FilterError};
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use std::f64::consts::PI;

/// Sections for any of the four bands; `stop_db` (above 0; 20 to 60 is usual) is reached
/// at each edge.
pub fn sections(
    order: usize,
    stop_db: f64,
    band: Band,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    check_order(order)?;
    if !(stop_db.is_finite() && stop_db > 0.0) {
        return Err(FilterError::BadAttenuation { stop_db });
    }
    band.check(rate)?;
    design(prototype(order, stop_db), band, rate)
}

/// Stops above `edge_hz`.
pub fn lowpass(
    order: usize,
    stop_db: f64,
    edge_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    sections(order, stop_db, Band::Lowpass { edge_hz }, rate)
}

/// Stops below `edge_hz`.
pub fn highpass(
    order: usize,
    stop_db: f64,
    edge_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    sections(order, stop_db, Band::Highpass { edge_hz }, rate)
}

/// Stops below `low_hz` and above `high_hz`; `order` sections.
pub fn bandpass(
    order: usize,
    stop_db: f64,
    low_hz: f64,
    high_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    sections(order, stop_db, Band::Bandpass { low_hz, high_hz }, rate)
}

/// Stops between `low_hz` and `high_hz`; `order` sections.
pub fn bandstop(
    order: usize,
    stop_db: f64,
    low_hz: f64,
    high_hz: f64,
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    sections(order, stop_db, Band::Bandstop { low_hz, high_hz }, rate)
}

/// The analogue low-pass that reaches `stop_db` at 1 rad/s.
fn prototype(order: usize, stop_db: f64) -> Roots {
    let n = order as f64;
    let inverse_ripple = (10.0_f64.powf(0.1 * stop_db) - 1.0).sqrt();
    let mu = inverse_ripple.asinh() / n;
    // Odd orders have a middle root: its zero lies at infinity, its pole is real.
    let steps = (0..order).map(|k| 2.0 * k as f64 + 1.0 - n);
    let angle = |m: f64| PI * m / (2.0 * n);
    let zero = |m: f64| Complex64::new(0.0, 1.0 / angle(m).sin());
    let pole = |m: f64| -Complex64::new(mu, angle(m)).sinh().inv();
    let zeros: Vec<_> = steps.clone().filter(|m| *m != 0.0).map(zero).collect();
    let poles: Vec<_> = steps.map(pole).collect();
    let product = |roots: &[Complex64]| roots.iter().map(|r| -r).product::<Complex64>();
    let gain = (product(&poles) / product(&zeros)).re;
    Roots { zeros, poles, gain }
}
