//! Features of the course of time.

use super::group::{BadParameter, Checked};
use crate::time_domain::TimeFeature;
use serde::{Deserialize, Serialize};

/// Descriptions of each channel that need no spectrum ([`crate::time_domain`]),
/// channel-major: all measures of the first channel, then of the next. Several bands of a
/// signal stand one after the other.
///
/// `log_variance`, `mobility` and `complexity` are pure numbers up to an offset; `activity`
/// is in the unit of the samples squared, `line_length` in that of the samples. The mobility
/// is per sample, so that a model for one rate is none for another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeDomain {
    /// Which, each at most once, in this order.
    pub measures: Vec<TimeFeature>,
}

impl Default for TimeDomain {
    /// Hjorth's three, the activity as its logarithm.
    fn default() -> Self {
        let measures =
            vec![TimeFeature::LogVariance, TimeFeature::Mobility, TimeFeature::Complexity];
        Self { measures }
    }
}

impl Checked for TimeDomain {
    fn check(&self) -> Result<(), BadParameter> {
        let is_twin = |k: &usize| self.measures[..*k].contains(&self.measures[*k]);
        if self.measures.is_empty() {
            return Err(BadParameter::new("measures", "name at least one"));
        }
        match (0..self.measures.len()).find(is_twin) {
            Some(_) => Err(BadParameter::new("measures", "one of them is named twice")),
            None => Ok(()),
        }
    }
}
