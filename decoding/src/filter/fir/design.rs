//! Linear-phase designs by the window method: the ideal response, cut off by a taper.
//!
//! All are symmetric, `h[k] = h[n-1-k]`, so that the group delay is `(n_taps - 1) / 2`
//! samples at every frequency.
//!
//! [`windowed`] is SciPy's `firwin(n_taps, edges, window=..., pass_zero=..., fs=rate)`: the
//! response is 1/2 (-6 dB) at each edge, and exactly 1 in the middle of the passband.
//!
//! [`with_transitions`] is MNE's `create_filter(..., fir_design="firwin")`: the edges are
//! the ends of the *passband*, each followed by a transition band, with -6 dB in its middle.
//! The rule for the number of taps is `factor * rate / width` of the narrowest transition,
//! rounded up to the next odd number, with `factor` 3.1 for Hann, 3.3 for Hamming and 5.0
//! for Blackman; a wider transition is given as many taps as it needs by itself. The rule
//! for widths that are not given is [`Transitions::auto`].
//!
//! # Reference
//! A. Widmann, E. Schröger, B. Maess, *Digital filter design for electrophysiological data -
//! a practical approach*, J. Neurosci. Methods 250, 2015, doi:10.1016/j.jneumeth.2014.08.002.

use crate::filter::{Band, FilterError};
use acquisition::time::SampleRate;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// Most taps of a design: some minutes of any stream that is filtered live.
pub const MAX_TAPS: usize = 1 << 20;

/// What the ideal response is cut off with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Taper {
    /// 53 dB in the stopband.
    #[default]
    Hamming,
    /// 44 dB, falling off.
    Hann,
    /// 74 dB.
    Blackman,
    /// From a rectangle (`beta` 0) to ever lower and wider; 5 is about 53 dB.
    Kaiser {
        /// Not negative.
        beta: f64,
    },
}

impl Taper {
    /// Its `n` values, symmetric.
    fn values(self, n: usize) -> Vec<f64> {
        let last = (n.max(2) - 1) as f64;
        let cosines = |terms: &[f64], k: usize| {
            let angle = TAU * k as f64 / last - PI;
            terms.iter().enumerate().map(|(i, a)| a * (i as f64 * angle).cos()).sum::<f64>()
        };
        let value = |k: usize| match self {
            Self::Hamming => cosines(&[0.54, 0.46], k),
            Self::Hann => cosines(&[0.5, 0.5], k),
            Self::Blackman => cosines(&[0.42, 0.50, 0.08], k),
            Self::Kaiser { beta } => {
                let from_middle = 2.0 * k as f64 / last - 1.0;
                bessel_i0(beta * (1.0 - from_middle * from_middle).max(0.0).sqrt())
                    / bessel_i0(beta)
            }
        };
        if n == 1 { vec![1.0] } else { (0..n).map(value).collect() }
    }

    /// Taps times transition width over the rate; Kaiser's depends on `beta`.
    fn length_factor(self) -> Option<f64> {
        match self {
            Self::Hamming => Some(3.3),
            Self::Hann => Some(3.1),
            Self::Blackman => Some(5.0),
            Self::Kaiser { .. } => None,
        }
    }
}

/// Modified Bessel function of the first kind and order 0: `Σ_k ((x/2)^k / k!)²`.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0_f64, 1.0, 1.0);
    while term > sum * f64::EPSILON / 4.0 {
        term *= (x / (2.0 * k)).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}

/// A linear-phase response of `n_taps`; see the module for the edges.
///
/// An even number of taps can't pass half the rate: high-pass and band-stop need an odd
/// one.
pub fn windowed(
    n_taps: usize,
    band: Band,
    taper: Taper,
    rate: SampleRate,
) -> Result<Vec<f64>, FilterError> {
    band.check(rate)?;
    let passes_top = matches!(band, Band::Highpass { .. } | Band::Bandstop { .. });
    let is_odd = n_taps % 2 == 1;
    if n_taps == 0 || n_taps > MAX_TAPS || (passes_top && !is_odd) {
        return Err(FilterError::BadTaps { n_taps });
    }
    if let Taper::Kaiser { beta } = taper
        && !(0.0..=500.0).contains(&beta)
    {
        return Err(FilterError::BadKaiser { beta });
    }
    let edge = |hz: f64| hz / (rate.hz() / 2.0);
    let bands = match band {
        Band::Lowpass { edge_hz } => vec![[0.0, edge(edge_hz)]],
        Band::Highpass { edge_hz } => vec![[edge(edge_hz), 1.0]],
        Band::Bandpass { low_hz, high_hz } => vec![[edge(low_hz), edge(high_hz)]],
        Band::Bandstop { low_hz, high_hz } => vec![[0.0, edge(low_hz)], [edge(high_hz), 1.0]],
    };
    Ok(passing(n_taps, &bands, taper))
}

/// The tapered response that passes `bands` (edges as shares of half the rate), scaled
/// to 1 at 0, at half the rate or in the middle of the first band, whichever it holds.
fn passing(n_taps: usize, bands: &[[f64; 2]], taper: Taper) -> Vec<f64> {
    let middle = (n_taps - 1) as f64 / 2.0;
    let low = |edge: f64, t: f64| edge * sinc(edge * t);
    let ideal = |t: f64| bands.iter().map(|[l, h]| low(*h, t) - low(*l, t)).sum::<f64>();
    let at = |k: usize| k as f64 - middle;
    let mut taps: Vec<f64> =
        taper.values(n_taps).iter().enumerate().map(|(k, w)| w * ideal(at(k))).collect();
    let unit_at = match bands[0] {
        [0.0, _] => 0.0,
        [_, 1.0] => 1.0,
        [l, h] => 0.5 * (l + h),
    };
    let gain: f64 = taps.iter().enumerate().map(|(k, h)| h * (PI * at(k) * unit_at).cos()).sum();
    for h in &mut taps {
        *h /= gain;
    }
    taps
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Widths of the transition bands at the lower and the upper edge, in hertz; what a band
/// has no edge for is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transitions {
    /// At the lower edge: below it, or above it for a band-stop.
    pub low_hz: f64,
    /// At the upper edge: above it, or below it for a band-stop.
    pub high_hz: f64,
}

impl Transitions {
    /// MNE's widths: a quarter of the edge's frequency, but at least 2 Hz, and at most what
    /// is left to 0 Hz or to half the rate.
    pub fn auto(band: Band, rate: SampleRate) -> Self {
        let low = |edge: f64| (0.25 * edge).max(2.0).min(edge);
        let high = |edge: f64| (0.25 * edge).max(2.0).min(rate.hz() / 2.0 - edge);
        let (low_hz, high_hz) = match band {
            Band::Lowpass { edge_hz } => (0.0, high(edge_hz)),
            Band::Highpass { edge_hz } => (low(edge_hz), 0.0),
            Band::Bandpass { low_hz, high_hz } | Band::Bandstop { low_hz, high_hz } => {
                (low(low_hz), high(high_hz))
            }
        };
        Self { low_hz, high_hz }
    }
}

/// A linear-phase response with its passband at `band` and these transitions; see the
/// module for the number of taps, which is odd.
pub fn with_transitions(
    band: Band,
    transitions: Transitions,
    taper: Taper,
    rate: SampleRate,
) -> Result<Vec<f64>, FilterError> {
    band.check(rate)?;
    let factor = taper.length_factor().ok_or(FilterError::NoLengthRule)?;
    let steps = steps(band, transitions);
    let nyquist_hz = rate.hz() / 2.0;
    let in_order =
        steps.iter().all(|s| s.from_hz >= 0.0 && s.from_hz < s.to_hz && s.to_hz <= nyquist_hz)
            && steps.windows(2).all(|s| s[0].to_hz <= s[1].from_hz);
    if !in_order {
        let Transitions { low_hz, high_hz } = transitions;
        return Err(FilterError::BadTransition { low_hz, high_hz });
    }
    let narrowest = match band {
        Band::Lowpass { .. } => transitions.high_hz,
        Band::Highpass { .. } => transitions.low_hz,
        _ => transitions.low_hz.min(transitions.high_hz),
    };
    let n_taps = (factor / narrowest * rate.hz()).ceil();
    if n_taps >= MAX_TAPS as f64 {
        return Err(FilterError::BadTaps { n_taps: n_taps as usize });
    }
    let n_taps = n_taps.max(1.0) as usize | 1;
    let mut taps = vec![0.0; n_taps];
    if matches!(band, Band::Highpass { .. } | Band::Bandstop { .. }) {
        taps[n_taps / 2] = 1.0;
    }
    for step in steps.iter().rev() {
        step.add_to(&mut taps, factor, taper, nyquist_hz);
    }
    Ok(taps)
}

/// A transition from one gain to the other.
struct Step {
    from_hz: f64,
    to_hz: f64,
    /// 1 where it passes below, -1 where above.
    sign: f64,
}

/// The transitions of a band, by frequency.
fn steps(band: Band, Transitions { low_hz: low, high_hz: high }: Transitions) -> Vec<Step> {
    let step = |from_hz, to_hz, sign| Step { from_hz, to_hz, sign };
    match band {
        Band::Lowpass { edge_hz } => vec![step(edge_hz, edge_hz + high, 1.0)],
        Band::Highpass { edge_hz } => vec![step(edge_hz - low, edge_hz, -1.0)],
        Band::Bandpass { low_hz, high_hz } => {
            vec![step(low_hz - low, low_hz, -1.0), step(high_hz, high_hz + high, 1.0)]
        }
        Band::Bandstop { low_hz, high_hz } => {
            vec![step(low_hz, low_hz + low, 1.0), step(high_hz - high, high_hz, -1.0)]
        }
    }
}

impl Step {
    /// Adds a low-pass with this transition, as long as it asks for, in the middle of `taps`.
    fn add_to(&self, taps: &mut [f64], factor: f64, taper: Taper, nyquist_hz: f64) {
        let half_width = (self.to_hz / nyquist_hz - self.from_hz / nyquist_hz) / 2.0;
        let wanted = (factor / half_width).round_ties_even() as usize | 1;
        let n = wanted.min(taps.len());
        let edge = f64::midpoint(self.to_hz / nyquist_hz, self.from_hz / nyquist_hz);
        let lowpass = passing(n, &[[0.0, edge]], taper);
        let offset = (taps.len() - n) / 2;
        for (h, l) in taps[offset..].iter_mut().zip(lowpass) {
            *h += self.sign * l;
        }
    }
}
