//! Descriptive statistics, resampling, and comparisons of pipelines, as the reports use
//! them. Not a statistics package.

pub mod bootstrap;
pub mod compare;
pub mod curve;
pub mod distribution;
pub mod regression;

use serde::{Deserialize, Serialize};

/// The value below which `percent` of `values` lie, linearly interpolated between
/// order statistics: at position `percent/100 * (n-1)` of the sorted values (NumPy's
/// default). `None` where there are no values.
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile_of_sorted(&sorted, percent)
}

/// [`percentile`] of values already in ascending order. No allocation.
pub fn percentile_of_sorted(sorted: &[f64], percent: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = (percent / 100.0).clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let fraction = position - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * fraction)
}

/// The 50th percentile.
pub fn median(values: &[f64]) -> Option<f64> {
    percentile(values, 50.0)
}

/// Arithmetic mean; `None` where there are no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation with `n - ddof` in the denominator (1: of a population seen
/// through a sample; 0: of these values). `None` where `n <= ddof`.
pub fn std(values: &[f64], ddof: usize) -> Option<f64> {
    let mean = mean(values)?;
    let degrees = values.len().checked_sub(ddof).filter(|d| *d > 0)?;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((squares / degrees as f64).sqrt())
}

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Where it begins; the 2.5th percentile of resampled statistics.
    pub lower: f64,
    /// Where it ends; the 97.5th percentile.
    pub upper: f64,
}

impl Interval {
    /// The 2.5th and 97.5th percentile of resampled statistics. Sorts them.
    fn of_resamples(resamples: &mut [f64]) -> Option<Self> {
        resamples.sort_by(f64::total_cmp);
        let lower = percentile_of_sorted(resamples, 2.5)?;
        Some(Self { lower, upper: percentile_of_sorted(resamples, 97.5)? })
    }

    /// Whether `value` lies inside, the ends included.
    pub fn contains(self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// One figure over subjects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of subjects.
    pub n: usize,
    /// Mean over subjects.
    pub mean: f64,
    /// Standard deviation over subjects, ddof 1; `None` for one subject.
    pub std: Option<f64>,
    /// Bootstrap over subjects ([`bootstrap::mean_interval`]); `None` for one subject.
    pub interval: Option<Interval>,
}

impl Summary {
    /// Summary of one value per subject; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            n: values.len(),
            mean: mean(values)?,
            std: std(values, 1),
            interval: bootstrap::mean_interval(values),
        })
    }
}

#[cfg(test)]
mod tests;
