//! The amplitude of clean EEG among windows that are not all clean.

use super::super::special::{gamma, inverse_lower_gamma};
use super::AsrError;

/// Quantiles of the clean distribution between which it is fitted.
const QUANTILES: [f64; 2] = [0.022, 0.6];
/// Steps of the search for the lower end and the width, as shares of the windows.
const STEP: f64 = 0.01;
/// Shapes that are tried: the exponents of a generalised normal distribution.
const SHAPES: [f64; 12] = [1.7, 1.85, 2.0, 2.15, 2.3, 2.45, 2.6, 2.75, 2.9, 3.05, 3.2, 3.35];
/// Fewest windows: fewer have no histogram.
const MIN_WINDOWS: usize = 20;

/// What is known of the windows before the fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistributionParams {
    /// Smallest share of windows that is clean; 0.25 is usual.
    pub min_clean_fraction: f64,
    /// Largest share of windows whose amplitude is too small; 0.1 is usual.
    pub max_dropout_fraction: f64,
}

impl DistributionParams {
    /// Says which share leaves no window to fit.
    pub(super) fn check(self) -> Result<(), AsrError> {
        let Self { min_clean_fraction: clean, max_dropout_fraction: dropout } = self;
        let bad = |name, value, range| Err(AsrError::BadParam { name, value, range });
        if !(0.0..=0.3).contains(&dropout) {
            return bad("a dropout fraction", dropout, "0 to 0.3");
        }
        if !(0.05..1.0).contains(&clean) {
            return bad("a clean fraction", clean, "0.05 or more, below 1");
        }
        Ok(())
    }
}

/// Amplitudes of clean windows, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanDistribution {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// Scale `α` of the density.
    pub scale: f64,
    /// Exponent `β` of the density.
    pub shape: f64,
}

/// Fits the clean part of `amplitudes`: a generalised normal density
/// `exp(-|x - μ|^β / α^β)`, truncated to its quantiles 0.022 to 0.6, is compared with
/// histograms of the sorted values over every lower end and width that the shares allow;
/// the one with the smallest divergence wins. As asrpy's `fit_eeg_distribution`.
///
/// The histogram of `m` values has `round(3 log2(1 + m/2))` bins, and its largest value lies
/// in the last. asrpy leaves it out where rounding puts it beyond the last edge, so that a
/// relative change of 1e-15 may move its result by several per cent.
///
/// # Errors
/// [`AsrError::TooShort`] for fewer than 20 values, [`AsrError::Flat`] where the
/// values do not differ, [`AsrError::NotFinite`], [`AsrError::BadParam`].
///
/// # Reference
/// See [`super::super::asr`].
pub fn fit_distribution(
    params: DistributionParams,
    amplitudes: &[f64],
) -> Result<CleanDistribution, AsrError> {
    params.check()?;
    let n = amplitudes.len();
    if n < MIN_WINDOWS {
        return Err(AsrError::TooShort { n_samples: n });
    }
    if amplitudes.iter().any(|x| !x.is_finite()) {
        return Err(AsrError::NotFinite);
    }
    let mut sorted = amplitudes.to_vec();
    sorted.sort_by(f64::total_cmp);
    let shapes: Vec<Shape> = SHAPES.iter().map(|beta| Shape::new(*beta)).collect();
    let starts = starts(n, params.max_dropout_fraction);
    let mut best = Best { divergence: f64::INFINITY, range: [0.0; 2], shape: &shapes[0] };
    for width in widths(n, params.min_clean_fraction) {
        let n_bins = bins(width);
        let logs: Vec<_> =
            starts.iter().map(|s| log_histogram(&sorted[*s..*s + width], n_bins)).collect();
        for shape in &shapes {
            let density = shape.density(n_bins);
            let own: f64 = density.iter().map(|p| p * p.ln()).sum();
            for (start, logs) in starts.iter().zip(&logs) {
                let cross: f64 = density.iter().zip(logs).map(|(p, log)| p * log).sum();
                let divergence = own - cross + (width as f64).ln();
                if divergence < best.divergence {
                    let range = [sorted[*start], sorted[*start + width - 1]];
                    best = Best { divergence, range, shape };
                }
            }
        }
    }
    best.distribution()
}

/// The best fit so far.
struct Best<'a> {
    divergence: f64,
    range: [f64; 2],
    shape: &'a Shape,
}

impl Best<'_> {
    fn distribution(&self) -> Result<CleanDistribution, AsrError> {
        let ([low, high], beta) = (self.range, self.shape.beta);
        let [from, to] = self.shape.bounds;
        let scale = (high - low) / (to - from);
        let std = (scale * scale * gamma(3.0 / beta) / gamma(1.0 / beta)).sqrt();
        if scale > 0.0 && std.is_finite() {
            Ok(CleanDistribution { mean: low - from * scale, std, scale, shape: beta })
        } else {
            Err(AsrError::Flat)
        }
    }
}

/// A generalised normal density with `α = 1`, and where its quantiles lie.
struct Shape {
    beta: f64,
    bounds: [f64; 2],
    factor: f64,
}

impl Shape {
    fn new(beta: f64) -> Self {
        let bounds = QUANTILES.map(|q| {
            let x = inverse_lower_gamma(beta.recip(), (2.0 * q - 1.0).abs());
            (q - 0.5_f64).signum() * x.powf(beta.recip())
        });
        Self { beta, bounds, factor: beta / (2.0 * gamma(beta.recip())) }
    }

    /// Its values at the middles of `n_bins` bins, their sum brought to 1.
    fn density(&self, n_bins: usize) -> Vec<f64> {
        let [from, to] = self.bounds;
        let at = |k: usize| {
            let x = from + (k as f64 + 0.5) / n_bins as f64 * (to - from);
            (-x.abs().powf(self.beta)).exp() * self.factor
        };
        let mut density: Vec<f64> = (0..n_bins).map(at).collect();
        let total: f64 = density.iter().sum();
        for p in &mut density {
            *p /= total;
        }
        density
    }
}

/// Lower ends, as indices into the sorted values.
fn starts(n: usize, max_dropout_fraction: f64) -> Vec<usize> {
    let n_steps = (max_dropout_fraction / STEP + 1e-7).floor() as usize;
    let at = |k: usize| (n as f64 * (QUANTILES[0] + k as f64 * STEP)).round_ties_even() as usize;
    (0..=n_steps).map(at).collect()
}

/// Numbers of values that are fitted, from the widest down.
fn widths(n: usize, min_clean_fraction: f64) -> impl Iterator<Item = usize> {
    let widest = QUANTILES[1] - QUANTILES[0];
    let narrowest = min_clean_fraction * widest;
    (0..)
        .map(move |k| widest - f64::from(k) * STEP)
        .take_while(move |width| *width > narrowest)
        .map(move |width| (n as f64 * width).round_ties_even() as usize)
        .filter(|width| *width >= 2)
}

fn bins(width: usize) -> usize {
    (3.0 * (1.0 + width as f64 / 2.0).log2()).round_ties_even() as usize
}

/// Logarithms of the counts, each with 0.01 added, of sorted values over their own range.
fn log_histogram(sorted: &[f64], n_bins: usize) -> Vec<f64> {
    let low = sorted[0];
    let per_unit = n_bins as f64 / (sorted[sorted.len() - 1] - low);
    let mut counts = vec![0_u32; n_bins];
    for x in sorted {
        // Equal values give NaN, which counts as the first bin: the fit has no scale then.
        let bin = ((x - low) * per_unit) as usize;
        counts[bin.min(n_bins - 1)] += 1;
    }
    counts.iter().map(|count| (f64::from(*count) + 0.01).ln()).collect()
}
