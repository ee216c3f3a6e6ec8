//! Source power comodulation: channel mixtures whose power follows a number that is
//! known for each window, such as a force, a reaction time or a rating.
//!
//! The common spatial patterns of [`csp`](super::csp) with a target in place of classes.

use super::check_count;
use super::csp::CspRuntime;
use super::generalised::Generalised;
use crate::classifier::{check_finite, check_size, check_squares, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How filters of comodulated sources are fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpocParams {
    /// Filters, at most one per channel.
    pub n_filters: usize,
}

impl Default for SpocParams {
    /// Four filters.
    fn default() -> Self {
        Self { n_filters: 4 }
    }
}

/// Fitted filters.
///
/// With the target `z` standardised (`ddof` 0) they solve `C_z w = l C w`, `C` the mean
/// of the covariances and `C_z` that of the covariances times `z`: `l` is the covariance
/// of the filtered power with the target.
///
/// # Conventions
/// `|l|` descending, `w' C w = 1`, the element largest in magnitude positive. As
/// pyRiemann's and MNE's `SPoC`, but for the sign.
///
/// # Reference
/// S. Dähne et al.: `SPoC`: a novel framework for relating the amplitude of neuronal
/// oscillations to behaviorally relevant parameters (2014),
/// doi 10.1016/j.neuroimage.2013.07.079.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpocModel {
    /// Filters in rows, `(n_filters, n_channels)`.
    pub filters: Matrix,
    /// `l` of each filter.
    pub comodulation: Vec<f64>,
}

impl SpocParams {
    /// Fits to `covariances`, `(n_channels, n_channels)` each, with a target each.
    ///
    /// Batch: allocates; single-threaded.
    ///
    /// # Errors
    /// [`FitError::BadParameter`] without filters or where all targets are one number,
    /// [`FitError::TooFewExamples`] below two, [`FitError::NotFinite`],
    /// [`FitError::NotPositiveDefinite`] where the mean covariance is singular.
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(&self, covariances: &[&Mat<f64>], targets: &[f64]) -> Result<SpocModel, FitError> {
        check_size("the list of targets", covariances.len(), targets.len())?;
        check_count("n_filters", self.n_filters)?;
        let n = covariances.len();
        if n < 2 {
            return Err(FitError::TooFewExamples { class: 0, n_examples: n, n_needed: 2 });
        }
        check_squares(covariances)?;
        let targets = standardised(targets)?;
        let n_channels = covariances[0].nrows();
        let mut mean = Mat::zeros(n_channels, n_channels);
        let mut weighted = Mat::zeros(n_channels, n_channels);
        for (covariance, target) in covariances.iter().zip(&targets) {
            mean += *covariance;
            weighted += *covariance * faer::Scale(*target);
        }
        mean *= faer::Scale(1.0 / n as f64);
        weighted *= faer::Scale(1.0 / n as f64);
        check_finite(weighted.as_ref(), || "the mean covariance".to_owned())?;
        let solved = Generalised::solve(
            weighted.as_ref(),
            mean.as_ref(),
            || "the mean covariance".to_owned(),
            || "the spatial filters".to_owned(),
        )?;
        let mut order: Vec<_> = (0..n_channels).collect();
        let strength = |col: &usize| solved.values[*col].abs();
        order.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        order.truncate(self.n_filters);
        let filters: Vec<f64> = order.iter().flat_map(|col| solved.vector(*col)).collect();
        let rows = MatRef::from_row_major_slice(&filters, order.len(), n_channels);
        Ok(SpocModel {
            filters: finite_matrix(rows, "a spatial filter")?,
            comodulation: order.iter().map(|col| solved.values[*col]).collect(),
        })
    }
}

/// Targets of mean 0 and standard deviation 1.
fn standardised(targets: &[f64]) -> Result<Vec<f64>, FitError> {
    if !targets.iter().all(|z| z.is_finite()) {
        return Err(FitError::NotFinite { what: "a target".to_owned() });
    }
    let n = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / n;
    let deviation = (targets.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n).sqrt();
    if deviation <= n * f64::EPSILON * mean.abs() {
        let (name, allowed) = ("the targets' standard deviation", "above 0");
        return Err(FitError::BadParameter { name, found: deviation, allowed });
    }
    Ok(targets.iter().map(|z| (z - mean) / deviation).collect())
}

impl SpocModel {
    /// Number of filters, and of features.
    pub fn n_filters(&self) -> usize {
        self.filters.n_rows()
    }

    /// Plans log-variances of the filters, as those of common spatial patterns.
    pub fn plan(&self) -> CspRuntime {
        CspRuntime::new(self.filters.clone())
    }
}
