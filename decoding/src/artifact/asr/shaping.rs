//! The filter that shapes the spectrum before amplitudes are compared: delta and gamma,
//! where blinks and muscles are, count for more than alpha and beta.

use super::AsrError;
use acquisition::time::SampleRate;
use faer::linalg::solvers::SolveLstsq;
use faer::{Mat, MatRef};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Order of numerator and denominator.
pub(super) const ORDER: usize = 8;
/// Points of the frequency grid from 0 to half the rate.
const N_POINTS: usize = 513;
/// Values of the autocorrelation that are fitted.
const N_LAGS: usize = 4 * ORDER;

/// An infinite impulse response of order 8, fitted to the magnitude of ASR: 3 at 0 Hz,
/// 0.75 at 2 Hz, 0.33 from 3 to 13 Hz, 1 from 16 to 40 Hz and 3 from 80 Hz (or 1 Hz below
/// half the rate) on, by the modified Yule-Walker equations. As asrpy's `yulewalk`.
///
/// # Reference
/// B. Friedlander, B. Porat (1984), IEEE Transactions on Aerospace and Electronic Systems
/// 20(2), doi:10.1109/TAES.1984.310437.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shaping {
    numerator: [f64; ORDER + 1],
    denominator: [f64; ORDER + 1],
}

impl Shaping {
    /// Designs the filter for a rate above 82 Hz. Allocates.
    pub fn new(rate: SampleRate) -> Result<Self, AsrError> {
        let failed = AsrError::NoFilter { rate_hz: rate.hz() };
        let nyquist = rate.hz() / 2.0;
        if nyquist <= 41.0 {
            return Err(failed);
        }
        let edges_hz = [0.0, 2.0, 3.0, 13.0, 16.0, 40.0, (nyquist - 1.0).min(80.0), nyquist];
        let gains = [3.0, 0.75, 0.33, 0.33, 1.0, 1.0, 3.0, 3.0];
        let correlation = autocorrelation(&edges_hz.map(|f| f / nyquist), &gains);
        let denominator = stabilised(&denominator(&correlation)).ok_or(failed)?;
        let numerator = numerator(&correlation, &denominator).ok_or(failed)?;
        Ok(Self { numerator, denominator })
    }

    /// Numerator, from the newest sample on.
    pub fn numerator(&self) -> &[f64] {
        &self.numerator
    }

    /// Denominator; its first coefficient is 1.
    pub fn denominator(&self) -> &[f64] {
        &self.denominator
    }

    /// The filter of one frame into `out`, transposed direct form II. `state` holds
    /// [`ORDER`] delays of every channel, delay by delay.
    pub(super) fn process_frame(&self, state: &mut [f64], frame: &[f64], out: &mut [f64]) {
        let n = frame.len();
        let (b, a) = (&self.numerator, &self.denominator);
        for ((y, x), s) in out.iter_mut().zip(frame).zip(&state[..n]) {
            *y = b[0] * x + s;
        }
        for k in 1..=ORDER {
            let (to, from) = state[(k - 1) * n..].split_at_mut(n);
            for (i, (s, (x, y))) in to.iter_mut().zip(frame.iter().zip(&*out)).enumerate() {
                let next = if k < ORDER { from[i] } else { 0.0 };
                *s = b[k] * x + next - a[k] * y;
            }
        }
    }

    /// Whole samples `(n_channels, n_samples)`, from rest.
    pub(super) fn filtered(&self, samples: MatRef<'_, f64>) -> Mat<f64> {
        let n = samples.nrows();
        let (mut state, mut frame) = (vec![0.0; ORDER * n], vec![0.0; n]);
        let mut out = Mat::zeros(n, samples.ncols());
        let mut filtered = vec![0.0; n];
        for t in 0..samples.ncols() {
            frame.iter_mut().zip(samples.col(t).iter()).for_each(|(y, x)| *y = *x);
            self.process_frame(&mut state, &frame, &mut filtered);
            out.col_mut(t).iter_mut().zip(&filtered).for_each(|(y, x)| *y = *x);
        }
        out
    }
}

/// The first lags of the autocorrelation that the squared magnitude has, under a Hamming
/// window. The magnitude is linear between the edges, which are shares of half the rate.
fn autocorrelation(edges: &[f64], gains: &[f64]) -> [f64; N_LAGS] {
    let mut magnitude = [0.0; N_POINTS];
    magnitude[0] = gains[0];
    let mut from = 0;
    for (edge, gain) in edges[1..].iter().zip(gains.windows(2)) {
        let end = (edge * N_POINTS as f64) as usize;
        let last = end.saturating_sub(1);
        for (k, m) in magnitude.iter_mut().enumerate().take(end).skip(from) {
            let share = if last == from { 0.0 } else { (k - from) as f64 / (last - from) as f64 };
            *m = share * gain[1] + (1.0 - share) * gain[0];
        }
        from = end;
    }
    let power = magnitude.map(|m| Complex64::new(m * m, 0.0));
    let lags = inverse(&power);
    std::array::from_fn(|k| lags[k] * (0.54 + 0.46 * (PI * k as f64 / (N_LAGS - 1) as f64).cos()))
}

/// The real inverse transform of half a spectrum of [`N_POINTS`], scaled by `1/n`.
fn inverse(spectrum: &[Complex64; N_POINTS]) -> Vec<f64> {
    let n = 2 * (N_POINTS - 1);
    let mut half = *spectrum;
    (half[0].im, half[N_POINTS - 1].im) = (0.0, 0.0);
    let mut out = vec![0.0; n];
    let plan = RealFftPlanner::new().plan_fft_inverse(n);
    plan.process(&mut half, &mut out).expect("the buffers have the plan's lengths");
    for x in &mut out {
        *x /= n as f64;
    }
    out
}

/// The denominator from the lags beyond the order, by least squares.
fn denominator(lags: &[f64; N_LAGS]) -> [f64; ORDER + 1] {
    let n_rows = N_LAGS - 1 - ORDER;
    let system = Mat::from_fn(n_rows, ORDER, |i, j| lags[(ORDER + i).abs_diff(j)]);
    let right = Mat::from_fn(n_rows, 1, |i, _| -lags[ORDER + 1 + i]);
    let solved = system.col_piv_qr().solve_lstsq(&right);
    std::array::from_fn(|k| if k == 0 { 1.0 } else { solved[(k - 1, 0)] })
}

/// The polynomial with the roots outside the unit circle mirrored into it; nothing where
/// the roots are not found.
fn stabilised(polynomial: &[f64; ORDER + 1]) -> Option<[f64; ORDER + 1]> {
    let companion = Mat::from_fn(ORDER, ORDER, |i, j| match (i, j) {
        (0, j) => -polynomial[j + 1],
        (i, j) => f64::from(u8::from(i == j + 1)),
    });
    let mut product = [Complex64::ZERO; ORDER + 1];
    product[0] = Complex64::ONE;
    for (degree, root) in companion.eigenvalues().ok()?.into_iter().enumerate() {
        let inside = if root.norm() > 1.0 { root.conj().inv() } else { root };
        for k in (1..=degree + 1).rev() {
            let before = product[k - 1];
            product[k] -= inside * before;
        }
    }
    product.iter().all(|c| c.is_finite()).then(|| product.map(|c| c.re))
}

/// The numerator whose response over the denominator has the magnitude wanted and minimum
/// phase, by least squares on its impulse response.
fn numerator(lags: &[f64; N_LAGS], denominator: &[f64; ORDER + 1]) -> Option<[f64; ORDER + 1]> {
    let mut causal = *lags;
    causal[0] /= 2.0;
    let spectral = fitted(&causal, denominator);
    let mut log_power = [Complex64::ZERO; N_POINTS];
    for (k, log) in log_power.iter_mut().enumerate() {
        let z = Complex64::cis(-PI * k as f64 / (N_POINTS - 1) as f64);
        let power = 2.0 * (polynomial(&spectral, z) / polynomial(denominator, z)).re;
        *log = Complex64::new(power.ln(), 0.0);
        if !log.re.is_finite() {
            return None;
        }
    }
    // The causal half of the cepstrum, exponentiated, is the minimum-phase response.
    let mut cepstrum = inverse(&log_power);
    cepstrum[0] /= 2.0;
    cepstrum[N_POINTS - 1..].fill(0.0);
    let mut spectrum = [Complex64::ZERO; N_POINTS];
    let plan = RealFftPlanner::new().plan_fft_forward(cepstrum.len());
    plan.process(&mut cepstrum, &mut spectrum).expect("the buffers have the plan's lengths");
    let response = inverse(&spectrum.map(Complex64::exp));
    let wanted: [f64; N_LAGS] = std::array::from_fn(|k| response[k]);
    Some(fitted(&wanted, denominator))
}

/// The numerator whose impulse response over `denominator` is nearest to `wanted`.
fn fitted(wanted: &[f64; N_LAGS], denominator: &[f64; ORDER + 1]) -> [f64; ORDER + 1] {
    let mut impulse = [0.0; N_LAGS];
    for k in 0..N_LAGS {
        let fed_back = |j: usize| denominator[j] * impulse[k - j];
        let sum: f64 = (1..=k.min(ORDER)).map(fed_back).sum();
        impulse[k] = f64::from(u8::from(k == 0)) - sum;
    }
    let at = |i: usize, j: usize| if i >= j { impulse[i - j] } else { 0.0 };
    let system = Mat::from_fn(N_LAGS, ORDER + 1, at);
    let right = Mat::from_fn(N_LAGS, 1, |i, _| wanted[i]);
    let solved = system.col_piv_qr().solve_lstsq(&right);
    std::array::from_fn(|k| solved[(k, 0)])
}

/// `Σ c_k z^k`.
fn polynomial(coefficients: &[f64], z: Complex64) -> Complex64 {
    coefficients.iter().rev().fold(Complex64::ZERO, |sum, c| sum * z + *c)
}
