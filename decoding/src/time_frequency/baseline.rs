//! Values against their mean in a baseline interval.

use super::TimeFrequencyError;
use std::ops::Range;

/// What becomes of a value `x`, with `m` and `s` the mean and the standard deviation
/// (divided by the number of samples) over the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaselineMode {
    /// `x - m`.
    Mean,
    /// `x / m`.
    Ratio,
    /// `log10(x / m)`; times 10 it is in decibel.
    LogRatio,
    /// `(x - m) / m`, a fraction; times 100 it is the percentage of Pfurtscheller and
    /// Lopes da Silva, negative where power goes down (desynchronisation).
    Percent,
    /// `(x - m) / s`.
    ZScore,
    /// `y = log10(x / m)` over the standard deviation of `y` in the baseline.
    ZLogRatio,
    /// `y = log10(x / m)` less the mean of `y` in the baseline.
    MeanLogRatio,
}

impl BaselineMode {
    /// Rescales `values` over time by the samples `baseline` of them. The same as
    /// `mne.baseline.rescale` with the mode of that name.
    ///
    /// A baseline without power, or without change where it is divided by, gives values
    /// that are not finite, as the formula says.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Errors
    /// [`TimeFrequencyError::BadBaseline`] where it is empty or reaches too far.
    ///
    /// # Reference
    /// G. Pfurtscheller and F. H. Lopes da Silva (1999), Clinical Neurophysiology
    /// 110(11), doi:10.1016/S1388-2457(99)00141-8.
    pub fn apply(
        self,
        values: &mut [f64],
        baseline: Range<usize>,
    ) -> Result<(), TimeFrequencyError> {
        let Range { start, end } = baseline;
        let n_samples = values.len();
        if start >= end || end > n_samples {
            return Err(TimeFrequencyError::BadBaseline { start, end, n_samples });
        }
        let m = mean(&values[start..end]);
        let mut each = |f: &dyn Fn(f64) -> f64| values.iter_mut().for_each(|x| *x = f(*x));
        match self {
            Self::Mean => each(&|x| x - m),
            Self::Ratio => each(&|x| x / m),
            Self::Percent => each(&|x| (x - m) / m),
            Self::ZScore => {
                each(&|x| x - m);
                divide_by_deviation(values, start..end);
            }
            Self::LogRatio => each(&|x| (x / m).log10()),
            Self::ZLogRatio => {
                each(&|x| (x / m).log10());
                divide_by_deviation(values, start..end);
            }
            Self::MeanLogRatio => {
                each(&|x| (x / m).log10());
                let m = mean(&values[start..end]);
                for x in values.iter_mut() {
                    *x -= m;
                }
            }
        }
        Ok(())
    }
}

fn divide_by_deviation(values: &mut [f64], baseline: Range<usize>) {
    let baseline = &values[baseline];
    let m = mean(baseline);
    let squares: f64 = baseline.iter().map(|x| (x - m) * (x - m)).sum();
    let deviation = (squares / baseline.len() as f64).sqrt();
    for x in values.iter_mut() {
        *x /= deviation;
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
