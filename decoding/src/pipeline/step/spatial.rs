//! Spatial filters of a bank of bands.

use crate::front_end::step::group::{BadParameter, Checked};
use crate::spatial_filter::csp::CspRegularisation;
use crate::spatial_filter::filter_bank_csp::FilterBankCspParams;
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
