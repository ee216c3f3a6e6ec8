//! From linear to minimum phase: the same magnitude, the least delay a causal filter of
//! that magnitude can have.
//!
//! Homomorphic: the logarithm of the magnitude is the even part of the cepstrum of the
//! minimum-phase response; folding its negative times onto the positive ones gives all of
//! it. Its transforms are `2^⌈log2(200 (n_taps - 1))⌉` long, so that folding aliases little.
//!
//! The delay is no longer the same at all frequencies: see
//! [`super::group_delay_samples`]. The same as `scipy.signal.minimum_phase(h)` for
//! [`Magnitude::SquareRoot`], and as `minimum_phase(h, half=False)`, which MNE's
//! `phase="minimum"` takes, for [`Magnitude::Kept`].
//!
//! # Reference
//! A. V. Oppenheim, R. W. Schafer, *Discrete-Time Signal Processing*, 3rd ed., Pearson,
//! 2009, 13.5; N. Damera-Venkata, B. L. Evans et al., *Design of optimal minimum-phase
//! digital FIR filters using discrete Hilbert transforms*, IEEE Trans. Signal Process. 48,
//! 2000, doi:10.1109/78.840001.

use super::check_taps;
use crate::filter::FilterError;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;

/// What becomes of the magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magnitude {
    /// It stays, and so does the number of taps.
    Kept,
    /// Its square root, with half the taps, rounded up: the attenuation in decibels is
    /// halved too.
    SquareRoot,
}

/// The share of the smallest magnitude that is added to all, so that its logarithm exists.
const FLOOR: f64 = 1e-7;

/// The minimum-phase response of a linear-phase one, which needs three taps or more.
#[expect(clippy::missing_panics_doc, reason = "the buffers fit the transforms")]
pub fn minimum_phase(taps: &[f64], magnitude: Magnitude) -> Result<Vec<f64>, FilterError> {
    check_taps(taps)?;
    let n_taps = taps.len();
    if n_taps < 3 || taps.iter().all(|h| *h == 0.0) {
        return Err(FilterError::BadTaps { n_taps });
    }
    let n_fft = (200 * (n_taps - 1)).next_power_of_two();
    let mut planner = RealFftPlanner::new();
    let (forward, inverse) = (planner.plan_fft_forward(n_fft), planner.plan_fft_inverse(n_fft));
    let mut spectrum = forward.make_output_vec();
    let mut signal = vec![0.0; n_fft];
    signal[..n_taps].copy_from_slice(taps);
    let same = "the buffers were made for this length";
    forward.process(&mut signal, &mut spectrum).expect(same);
    log_magnitude(&mut spectrum, magnitude);
    inverse.process(&mut spectrum, &mut signal).expect(same);
    fold(&mut signal);
    forward.process(&mut signal, &mut spectrum).expect(same);
    for bin in &mut spectrum {
        *bin = bin.exp();
    }
    // A real sequence has real sums at 0 Hz and at half the rate.
    for end in [0, n_fft / 2] {
        spectrum[end].im = 0.0;
    }
    inverse.process(&mut spectrum, &mut signal).expect(same);
    let n_out = match magnitude {
        Magnitude::Kept => n_taps,
        Magnitude::SquareRoot => n_taps.div_ceil(2),
    };
    Ok(signal[..n_out].iter().map(|h| h / n_fft as f64).collect())
}

/// The wanted magnitude's logarithm in place of the spectrum.
fn log_magnitude(spectrum: &mut [Complex64], magnitude: Magnitude) {
    let positive = spectrum.iter().map(|bin| bin.norm()).filter(|norm| *norm > 0.0);
    let floor = FLOOR * positive.fold(f64::INFINITY, f64::min);
    let power = if magnitude == Magnitude::Kept { 1.0 } else { 0.5 };
    for bin in spectrum {
        *bin = Complex64::new(power * (bin.norm() + floor).ln(), 0.0);
    }
}

/// Folds the negative times of an even cepstrum onto the positive ones, and scales what
/// the inverse transform left unscaled.
fn fold(cepstrum: &mut [f64]) {
    let n = cepstrum.len();
    for (k, value) in cepstrum.iter_mut().enumerate() {
        let weight = match k {
            0 => 1.0,
            _ if k < n / 2 => 2.0,
            _ => 0.0,
        };
        *value *= weight / n as f64;
    }
}
