//! Spatial filters that are fitted to a bank of bands, or to what the classes stand for.

use crate::front_end::step::group::{BadParameter, Checked};
use crate::spatial_filter::csp::CspRegularisation;
use crate::spatial_filter::filter_bank_csp::FilterBankCspParams;
use crate::spatial_filter::spoc::SpocParams;
use serde::{Deserialize, Serialize};

/// [`crate::spatial_filter::filter_bank_csp::FilterBankCspModel`]: spatial patterns of all
/// bands, of which those are kept, with their pairs, whose log-variances tell most about
/// the class (mutual information by Parzen windows). Logarithms of variances, band after
/// band; put `filter_bank` and `covariance` before it.
///
/// # Reference
/// K. K. Ang et al. (2012), doi 10.3389/fnins.2012.00039.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterBankCsp {
    /// Filters per band from each end of each contrast.
    pub n_per_end: usize,
    /// Filters chosen per contrast from all bands, before their pairs are added.
    pub n_selected: usize,
    /// What is done to the class means before; nothing where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regularisation: Option<CspRegularisation>,
}

impl Default for FilterBankCsp {
    fn default() -> Self {
        let FilterBankCspParams { n_per_end, n_selected, .. } = FilterBankCspParams::default();
        Self { n_per_end, n_selected, regularisation: None }
    }
}

impl FilterBankCsp {
    /// The same as the parameters of its fit.
    pub(in crate::pipeline) fn params(&self) -> FilterBankCspParams {
        let regularisation = self.regularisation.unwrap_or_default();
        let (n_per_end, n_selected) = (self.n_per_end, self.n_selected);
        FilterBankCspParams { n_per_end, n_selected, regularisation }
    }
}

impl Checked for FilterBankCsp {
    fn check(&self) -> Result<(), BadParameter> {
        match (self.n_per_end, self.n_selected) {
            (0, _) => Err(BadParameter::new("n_per_end", "at least one is fitted")),
            (_, 0) => Err(BadParameter::new("n_selected", "at least one is kept")),
            _ => Ok(()),
        }
    }
}

/// [`crate::spatial_filter::spoc::SpocModel`] per band: filters whose power follows a number
/// that is known for each class, such as the force, the pace or the load that it stands for.
/// Logarithms of variances, band after band.
///
/// # Reference
/// S. Dähne et al. (2014), doi 10.1016/j.neuroimage.2013.07.079.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoc {
    /// The number of each class, idle first; their unit and offset do not matter.
    pub targets: Vec<f64>,
    /// Filters per band, at most one per channel.
    #[serde(default = "default_n_filters")]
    pub n_filters: usize,
}

/// As serde wants it.
fn default_n_filters() -> usize {
    SpocParams::default().n_filters
}

impl Checked for Spoc {
    fn check(&self) -> Result<(), BadParameter> {
        let is_finite = self.targets.iter().all(|target| target.is_finite());
        let first = self.targets.first().copied().unwrap_or(0.0);
        if self.n_filters == 0 {
            return Err(BadParameter::new("n_filters", "at least one is needed"));
        }
        if !is_finite || self.targets.iter().all(|target| *target == first) {
            return Err(BadParameter::new(
                "targets",
                "name a finite number for each class, idle first, two of them different",
            ));
        }
        Ok(())
    }
}
