//! Artefact subspace reconstruction (ASR): directions over the channels whose power is
//! far above the calibration's are replaced by what the other directions say of them.
//!
//! [`Asr::fit`] learns from a minute or more of mostly clean, high-passed signal (0.5 or
//! 1 Hz) which windows are clean, the covariance of their samples and how large each of its
//! components usually is. [`Asr::cleaner`] plans the live path ([`AsrCleaner`]), which is
//! late by its lookahead.
//!
//! # Reference
//! T. R. Mullen, C. A. E. Kothe et al. (2015), IEEE Transactions on Biomedical Engineering
//! 62(11), doi:10.1109/TBME.2015.2481482. C.-Y. Chang, S.-H. Hsu, L. Pion-Tonachini, T.-P.
//! Jung (2020), the same 67(4), doi:10.1109/TBME.2019.2930186, on the choice of the cutoff.

mod calibration;
mod cleaner;
mod distribution;
mod shaping;

pub use cleaner::AsrCleaner;
pub use distribution::{CleanDistribution, DistributionParams, fit_distribution};
pub use shaping::Shaping;

use crate::matrix::{Matrix, MatrixError};
use crate::riemann::RiemannError;
use acquisition::time::SampleRate;
use faer::MatRef;
use serde::{Deserialize, Serialize};

/// Longest window: what varies more slowly is no burst.
const MAX_WINDOW_SECS: f64 = 60.0;

/// How ASR is calibrated; the default is asrpy's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AsrParams {
    /// Standard deviations above the mean amplitude from which on a component is an
    /// artefact: 20 to 30 is careful, 5 is harsh.
    pub cutoff: f64,
    /// Samples whose covariances are summed before the geometric median is taken.
    pub block_samples: usize,
    /// Length of the windows that are compared.
    pub window_secs: f64,
    /// Share of a window that the next one overlaps.
    pub overlap: f64,
    /// Largest share of windows whose amplitude may be too small (a lead off).
    pub max_dropout_fraction: f64,
    /// Smallest share of windows that is clean.
    pub min_clean_fraction: f64,
    /// Largest share of channels that may be bad in a window that is kept.
    pub max_bad_fraction: f64,
}

impl Default for AsrParams {
    fn default() -> Self {
        Self {
            cutoff: 20.0,
            block_samples: 100,
            window_secs: 0.5,
            overlap: 0.66,
            max_dropout_fraction: 0.1,
            min_clean_fraction: 0.25,
            max_bad_fraction: 0.1,
        }
    }
}

/// How ASR cleans; the default is asrpy's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanerParams {
    /// How far beyond a sample its correction looks; half a window is best.
    pub lookahead_secs: f64,
    /// Samples from one correction to the next, between which it blends over.
    pub step_samples: usize,
    /// Largest share of dimensions that may be replaced.
    pub max_removed_fraction: f64,
}

impl Default for CleanerParams {
    fn default() -> Self {
        Self { lookahead_secs: 0.25, step_samples: 32, max_removed_fraction: 0.66 }
    }
}

/// Why ASR can't be calibrated or planned.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum AsrError {
    /// Choose a value in the range that the message names.
    #[error("{name} of {value} is not possible: choose {range}")]
    BadParam {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is possible.
        range: &'static str,
    },
    /// Calibrate on more signal: a minute is usual.
    #[error("{n_samples} clean samples are too few to calibrate on: record a minute or more")]
    TooShort {
        /// Samples that are there.
        n_samples: usize,
    },
    /// Leave out samples that are not finite before calibrating.
    #[error("the calibration holds values that are not finite: cut these samples out")]
    NotFinite,
    /// Leave constant channels out, and channels that are copies of each other.
    #[error(
        "a channel or component has the same amplitude throughout: leave out flat channels and copies of others"
    )]
    Flat,
    /// The rate is too low for the filter that shapes the spectrum: record faster.
    #[error("no stable filter shapes the spectrum at {rate_hz} Hz: record faster, or resample")]
    NoFilter {
        /// The sampling rate.
        rate_hz: f64,
    },
    /// Calibrate on cleaner signal; the blocks differ too much for a median.
    #[error(
        "the geometric median of {n_blocks} covariances did not converge: calibrate on cleaner signal"
    )]
    NotConverged {
        /// Blocks of the calibration.
        n_blocks: usize,
    },
    /// The model was damaged: calibrate again.
    #[error("covariance and thresholds are not both of {n_channels} channels: calibrate again")]
    OtherShape {
        /// Rows of the covariance.
        n_channels: usize,
    },
    /// Look at the covariance of the calibration.
    #[error(transparent)]
    Covariance(#[from] RiemannError),
    /// The model was damaged: calibrate again.
    #[error(transparent)]
    Model(#[from] MatrixError),
}

/// A calibration: the covariance of clean samples, and the thresholds of its components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asr {
    rate: SampleRate,
    window_secs: f64,
    shaping: Shaping,
    covariance: Matrix,
    thresholds: Matrix,
}

impl Asr {
    /// Calibrates on the clean windows of `samples` `(n_channels, n_samples)`, in
    /// microvolts, as asrpy's `ASR.fit`. Allocates: about half as many numbers as
    /// `n_channels² n_samples / block_samples`.
    pub fn fit(
        params: AsrParams,
        rate: SampleRate,
        samples: MatRef<'_, f64>,
    ) -> Result<Self, AsrError> {
        let keep = Self::clean_samples(params, rate, samples)?;
        let kept: Vec<usize> = (0..keep.len()).filter(|t| keep[*t]).collect();
        let clean = faer::Mat::from_fn(samples.nrows(), kept.len(), |i, k| samples[(i, kept[k])]);
        Self::fit_clean(params, rate, clean.as_ref())
    }

    /// Which samples lie in no window that is bad, as asrpy's `clean_windows`: a window is
    /// bad where more channels than `max_bad_fraction` have an amplitude more than 5
    /// standard deviations above or 3.5 below that of clean signal
    /// ([`fit_distribution`]). Allocates.
    pub fn clean_samples(
        params: AsrParams,
        rate: SampleRate,
        samples: MatRef<'_, f64>,
    ) -> Result<Vec<bool>, AsrError> {
        params.check()?;
        calibration::clean_samples(&params, rate, samples)
    }

    /// Calibrates on all of `samples`, which are clean, as asrpy's `asr_calibrate`.
    ///
    /// With `x` the samples through [`Shaping`], `U` is the geometric median of the blocks'
    /// covariances `1/n Σ x xᵀ` (Weiszfeld's steps until one is shorter than 1e-5 µV²) and
    /// `V` its eigenvectors. The root mean square of component `i` over windows has the
    /// mean `μ_i` and the standard deviation `σ_i` on clean signal
    /// ([`fit_distribution`]): the thresholds are `T = diag(μ + cutoff σ) Vᵀ`.
    /// Allocates.
    pub fn fit_clean(
        params: AsrParams,
        rate: SampleRate,
        samples: MatRef<'_, f64>,
    ) -> Result<Self, AsrError> {
        params.check()?;
        let shaping = Shaping::new(rate)?;
        let (covariance, thresholds) = calibration::thresholds(&params, rate, &shaping, samples)?;
        Ok(Self {
            rate,
            window_secs: params.window_secs,
            shaping,
            covariance: Matrix::from_faer(covariance.as_ref())?,
            thresholds: Matrix::from_faer(thresholds.as_ref())?,
        })
    }

    /// The covariance `U` of clean samples; its root is asrpy's mixing matrix.
    pub fn covariance(&self) -> &Matrix {
        &self.covariance
    }

    /// The threshold matrix `T`, one component a row.
    pub fn thresholds(&self) -> &Matrix {
        &self.thresholds
    }

    /// Number of channels it was calibrated on.
    pub fn n_channels(&self) -> usize {
        self.covariance.n_rows()
    }

    /// The rate it was calibrated at.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Whether its parts agree: a file may hold anything.
    fn check(&self) -> Result<(), AsrError> {
        let n = self.n_channels();
        let parts = [&self.covariance, &self.thresholds];
        if n == 0 || parts.iter().any(|part| (part.n_rows(), part.n_cols()) != (n, n)) {
            return Err(AsrError::OtherShape { n_channels: n });
        }
        let window_secs = self.window_secs;
        if !(window_secs > 0.0 && window_secs <= MAX_WINDOW_SECS) {
            let range = "above 0, at most a minute";
            return Err(AsrError::BadParam { name: "a window", value: window_secs, range });
        }
        Ok(())
    }

    /// Plans the live path. Allocates.
    pub fn cleaner(&self, params: CleanerParams) -> Result<AsrCleaner, AsrError> {
        AsrCleaner::new(self, params)
    }
}

impl CleanerParams {
    /// Whether a cleaner can work so on windows of `window_secs`; how many samples a step
    /// may have depends on the rate, too.
    pub(crate) fn check(&self, window_secs: f64) -> Result<(), AsrError> {
        let Self { lookahead_secs, step_samples, max_removed_fraction } = *self;
        let bad = |name, value, range| Err(AsrError::BadParam { name, value, range });
        if !(0.0..=window_secs).contains(&lookahead_secs) {
            return bad("a lookahead", lookahead_secs, "0 s to one window");
        }
        if step_samples == 0 {
            return bad("a step", 0.0, "1 sample to one window");
        }
        if !(max_removed_fraction > 0.0 && max_removed_fraction < 1.0) {
            return bad("a removed fraction", max_removed_fraction, "more than 0, less than 1");
        }
        Ok(())
    }
}

impl AsrParams {
    pub(crate) fn check(&self) -> Result<(), AsrError> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let share = |x: f64| (0.0..1.0).contains(&x);
        let above_0 = "a positive number";
        let cases = [
            ("a cutoff", self.cutoff, positive(self.cutoff), above_0),
            ("a block", self.block_samples as f64, self.block_samples > 0, above_0),
            ("a window", self.window_secs, positive(self.window_secs), above_0),
            ("an overlap", self.overlap, share(self.overlap), "0 or more, below 1"),
            (
                "a fraction of bad channels",
                self.max_bad_fraction,
                share(self.max_bad_fraction),
                "0 or more, below 1",
            ),
        ];
        match cases.into_iter().find(|(.., possible, _)| !possible) {
            Some((name, value, _, range)) => Err(AsrError::BadParam { name, value, range }),
            None => DistributionParams::from(self).check(),
        }
    }
}

/// Seconds as a number of samples, half to even.
fn samples_of(secs: f64, rate: SampleRate) -> usize {
    (secs * rate.hz()).round_ties_even() as usize
}

#[cfg(test)]
mod tests;
