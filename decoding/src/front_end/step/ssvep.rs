//! Responses to flicker.

use super::group::{BadParameter, Checked};
use crate::spatial_filter::cca::CcaParams;
use crate::spatial_filter::filter_bank::BandWeights;
use serde::{Deserialize, Serialize};

/// How strongly a window follows each stimulation frequency: one score per frequency, in
/// their order.
///
/// Of one band the score is the canonical correlation with sines and cosines, from 0 to 1
/// ([`CcaParams`]); of the bands of a `filter_bank` it is the weighted sum of their squares
/// ([`FilterBankCcaParams`](crate::spatial_filter::cca::FilterBankCcaParams); bands with harmonics as of
/// [`harmonic_bands_hz`](crate::spatial_filter::filter_bank::harmonic_bands_hz) are usual).
/// Nothing is fitted, and no phase is assumed: windows may slide as they like, and need not
/// be locked to the stimulus.
///
/// A frequency is no class: `logistic_regression` or `lda` after it learns which scores go
/// with which class, idle included, where the largest correlation alone would always name
/// some frequency. So more frequencies than classes may be named, and neighbours that no
/// class flickers at show what noise scores.
///
/// # Reference
/// Z. Lin et al. (2006), doi 10.1109/TBME.2006.886577; X. Chen et al. (2015), doi
/// 10.1088/1741-2560/12/4/046008.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cca {
    /// Stimulation frequencies in hertz.
    pub frequencies_hz: Vec<f64>,
    /// Harmonics of each, the fundamental counted.
    #[serde(default = "default_n_harmonics")]
    pub n_harmonics: usize,
    /// What each band of a filter bank counts.
    #[serde(default)]
    pub weights: BandWeights,
}

/// As serde wants it: the usual number.
fn default_n_harmonics() -> usize {
    3
}

impl Cca {
    /// The same as the parameters of its plan.
    pub(crate) fn params(&self) -> CcaParams {
        let frequencies_hz = self.frequencies_hz.clone();
        CcaParams { frequencies_hz, n_harmonics: self.n_harmonics }
    }
}

impl Checked for Cca {
    fn check(&self) -> Result<(), BadParameter> {
        let error = |parameter, why: &str| Err(BadParameter::new(parameter, why));
        let BandWeights { exponent, offset } = self.weights;
        let is_frequency = |hz: &f64| *hz > 0.0 && hz.is_finite();
        if self.frequencies_hz.is_empty() || !self.frequencies_hz.iter().all(is_frequency) {
            return error("frequencies_hz", "name at least one frequency, all above 0 Hz");
        }
        if self.n_harmonics == 0 {
            return error("n_harmonics", "the fundamental is the first");
        }
        if !(exponent.is_finite() && offset.is_finite()) {
            return error("weights", "exponent and offset are finite numbers");
        }
        Ok(())
    }
}
