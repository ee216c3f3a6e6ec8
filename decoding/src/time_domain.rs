//! Descriptions of a window that need no spectrum: Hjorth parameters, line length.
//!
//! Each is a function of one channel's samples, and [`TimeFeature::into_each`] of all
//! channels of a window.

use crate::window::Planar;
use serde::{Deserialize, Serialize};

/// Hjorth's three parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hjorth {
    /// The variance, in the unit of the samples squared.
    pub activity: f64,
    /// `√(var(x') / var(x))` per sample; times the rate it is a frequency (radians per
    /// second) near the mean one.
    pub mobility: f64,
    /// The mobility of `x'` over that of `x`: 1 for a sine, more for broader bands.
    pub complexity: f64,
}

/// Hjorth's parameters, with the differences `x'_t = x_(t+1) - x_t` and variances
/// divided by their own number of samples.
///
/// A constant channel has activity 0, and what would be divided by it is 0 too; fewer
/// than three samples are as good as constant.
///
/// Thread: decoding thread. Allocation: none.
///
/// # Reference
/// B. Hjorth (1970), Electroencephalography and Clinical Neurophysiology 29(3),
/// doi:10.1016/0013-4694(70)90143-4.
pub fn hjorth(samples: &[f64]) -> Hjorth {
    let first = || samples.windows(2).map(|x| x[1] - x[0]);
    let second = || samples.windows(3).map(|x| (x[2] - x[1]) - (x[1] - x[0]));
    let activity = variance(|| samples.iter().copied());
    let (of_first, of_second) = (variance(first), variance(second));
    // No variance is negative, and one that is NaN stays so.
    let root = |over: f64, under: f64| if under == 0.0 { 0.0 } else { (over / under).sqrt() };
    let mobility = root(of_first, activity);
    let complexity = if mobility == 0.0 { 0.0 } else { root(of_second, of_first) / mobility };
    Hjorth { activity, mobility, complexity }
}

/// `ln` of the variance (divided by the number of samples), at least that of the
/// smallest positive number.
///
/// Thread: decoding thread. Allocation: none.
pub fn log_variance(samples: &[f64]) -> f64 {
    log_power(variance(|| samples.iter().copied()))
}

/// `ln` of a power, at least that of the smallest positive number; NaN stays NaN, which
/// `f64::max` would hide.
pub(crate) fn log_power(power: f64) -> f64 {
    if power < f64::MIN_POSITIVE { f64::MIN_POSITIVE.ln() } else { power.ln() }
}

/// Mean absolute difference of neighbouring samples, `Σ |x_(t+1) - x_t| / (N - 1)`, in
/// the unit of the samples; 0 for fewer than two. The sum alone is the line length of
/// the first definition; the mean doesn't depend on the window's length.
///
/// Thread: decoding thread. Allocation: none.
///
/// # Reference
/// R. Esteller et al. (2001), Proceedings of the 23rd EMBS Conference 2,
/// doi:10.1109/IEMBS.2001.1020545.
pub fn line_length(samples: &[f64]) -> f64 {
    let sum: f64 = samples.windows(2).map(|x| (x[1] - x[0]).abs()).sum();
    sum / (samples.len().max(2) - 1) as f64
}

/// A description of one channel by one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFeature {
    /// [`log_variance`].
    LogVariance,
    /// [`Hjorth::activity`].
    Activity,
    /// [`Hjorth::mobility`].
    Mobility,
    /// [`Hjorth::complexity`].
    Complexity,
    /// [`line_length`].
    LineLength,
}

impl TimeFeature {
    /// Of one channel.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn of(self, samples: &[f64]) -> f64 {
        match self {
            Self::LogVariance => log_variance(samples),
            Self::Activity => variance(|| samples.iter().copied()),
            Self::Mobility => hjorth(samples).mobility,
            Self::Complexity => hjorth(samples).complexity,
            Self::LineLength => line_length(samples),
        }
    }

    /// Several of each channel of a window `(n_channels, n_samples)`, channel-major, into
    /// `out` (`n_channels * features.len()`); Hjorth's parameters are computed once for all
    /// of them.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn several_into(features: &[Self], samples: Planar<'_>, out: &mut [f64]) {
        assert_eq!(out.len(), samples.n_channels() * features.len(), "a value per feature");
        let is_hjorth = |f: &Self| matches!(f, Self::Activity | Self::Mobility | Self::Complexity);
        let needs_hjorth = features.iter().any(is_hjorth);
        for (c, values) in out.chunks_exact_mut(features.len().max(1)).enumerate() {
            let samples = samples.channel(c);
            let of_hjorth = needs_hjorth.then(|| hjorth(samples));
            for (value, feature) in values.iter_mut().zip(features) {
                *value = match (feature, of_hjorth) {
                    (Self::Activity, Some(hjorth)) => hjorth.activity,
                    (Self::Mobility, Some(hjorth)) => hjorth.mobility,
                    (Self::Complexity, Some(hjorth)) => hjorth.complexity,
                    (other, _) => other.of(samples),
                };
            }
        }
    }

    /// Of each channel of a window `(n_channels, n_samples)` into `out` (`n_channels`).
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `out` has not a value per channel.
    pub fn into_each(self, samples: Planar<'_>, out: &mut [f64]) {
        assert_eq!(out.len(), samples.n_channels(), "one value per channel");
        for (c, value) in out.iter_mut().enumerate() {
            *value = self.of(samples.channel(c));
        }
    }
}

/// Mean square about the mean, in two passes; 0 of nothing.
fn variance<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> f64 {
    let (n, sum) = values().fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + x));
    if n == 0.0 {
        return 0.0;
    }
    let mean = sum / n;
    values().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n
}

#[cfg(test)]
mod tests;
