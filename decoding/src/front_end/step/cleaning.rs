//! Signal steps that learn from the calibration's signal before anything else is fitted:
//! each holds what it learned beside its parameters.

use super::group::{BadParameter, Checked};
use crate::artifact::asr::{self, AsrParams, CleanerParams};
use crate::artifact::eog_regression;
use serde::{Deserialize, Serialize};

/// Artefact subspace reconstruction ([`crate::artifact::asr`]), calibrated on the clean
/// parts of the calibration. Put a high-pass or a band-pass before it.
///
/// Everything after it is late by the lookahead and one step, less one sample: what is
/// decided at a sample depends on the signal up to so many samples before. Windows that
/// reach back to where nothing was cleaned yet are reported as unusable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asr {
    /// Standard deviations above the mean amplitude from which on a component is an
    /// artefact: 20 to 30 is careful, 5 is harsh.
    pub cutoff: f64,
    /// Samples whose covariances are summed before the geometric median is taken.
    pub block_samples: usize,
    /// Length of the windows that are compared.
    pub window_secs: f64,
    /// Share of a window that the next one overlaps, in the calibration.
    pub overlap: f64,
    /// Largest share of windows whose amplitude may be too small (a lead off).
    pub max_dropout_fraction: f64,
    /// Smallest share of windows that is clean.
    pub min_clean_fraction: f64,
    /// Largest share of channels that may be bad in a window that is calibrated on.
    pub max_bad_fraction: f64,
    /// How far beyond a sample its correction looks; half a window is best, 0 is fastest.
    pub lookahead_secs: f64,
    /// Samples from one correction to the next, between which it blends over.
    pub step_samples: usize,
    /// Largest share of dimensions that may be replaced.
    pub max_removed_fraction: f64,
    /// The calibration; a description has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<Box<asr::Asr>>,
}

impl Default for Asr {
    fn default() -> Self {
        let (fit, clean) = (AsrParams::default(), CleanerParams::default());
        Self {
            cutoff: fit.cutoff,
            block_samples: fit.block_samples,
            window_secs: fit.window_secs,
            overlap: fit.overlap,
            max_dropout_fraction: fit.max_dropout_fraction,
            min_clean_fraction: fit.min_clean_fraction,
            max_bad_fraction: fit.max_bad_fraction,
            lookahead_secs: clean.lookahead_secs,
            step_samples: clean.step_samples,
            max_removed_fraction: clean.max_removed_fraction,
            learned: None,
        }
    }
}

impl Asr {
    /// The same as the parameters of the calibration.
    pub(crate) fn params(&self) -> AsrParams {
        AsrParams {
            cutoff: self.cutoff,
            block_samples: self.block_samples,
            window_secs: self.window_secs,
            overlap: self.overlap,
            max_dropout_fraction: self.max_dropout_fraction,
            min_clean_fraction: self.min_clean_fraction,
            max_bad_fraction: self.max_bad_fraction,
        }
    }

    /// The same as the parameters of the cleaner.
    pub(crate) fn cleaner_params(&self) -> CleanerParams {
        CleanerParams {
            lookahead_secs: self.lookahead_secs,
            step_samples: self.step_samples,
            max_removed_fraction: self.max_removed_fraction,
        }
    }
}

/// Regression of EOG channels out of all others ([`crate::artifact::eog_regression`]); the
/// channels named are not decoded from afterwards. Only filters may stand before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EogRegression {
    /// The EOG channels by label: of the stream, or frontal ones of those decoded from.
    /// All channels of the kind EOG where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// The weights; a description has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<Box<eog_regression::EogRegression>>,
}

/// The parameter that holds what was learned: no description may write it.
pub(crate) const LEARNED: &str = "learned";

impl Checked for Asr {
    fn check(&self) -> Result<(), BadParameter> {
        let possible =
            self.params().check().and_then(|()| self.cleaner_params().check(self.window_secs));
        possible.map_err(|error| BadParameter::new("asr", error.to_string()))
    }
}

impl Checked for EogRegression {
    fn check(&self) -> Result<(), BadParameter> {
        match &self.channels {
            Some(channels) if channels.is_empty() => {
                Err(BadParameter::new("channels", "name at least one channel"))
            }
            _ => Ok(()),
        }
    }
}
