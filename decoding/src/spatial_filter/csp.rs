//! Common spatial patterns: channel mixtures whose variance differs most between
//! classes.
//!
//! Only the filters and their log-variances: which classifier uses them is the matter
//! of [`pipeline`](crate::pipeline). Joint diagonalisation of several classes is absent
//! on purpose: its result depends on the order of the channels.

use super::generalised::Generalised;
use crate::classifier::{check_finite, count_examples, dot, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Filters from each end of the spectrum, for two classes.
const N_FILTERS_PER_END: usize = 3;
/// Shares outside `[0, 1]` by more than this are no rounding: a covariance is indefinite.
const SHARE_TOLERANCE: f64 = 1e-9;

/// Fitted spatial filters.
///
/// For class `c` they solve `C_c w = l (C_c + C_rest) w`, where `C_c` is the arithmetic
/// mean of the class's covariances and `C_rest` that of all others; `l` is the class's
/// share of the filtered variance.
///
/// # Conventions
/// - Two classes: the first against the second, the three filters of the smallest `l`
///   and the three of the largest, `l` ascending; all, where there are at most six
///   channels.
/// - More: each class in class order against the rest, the filter of the smallest and
///   that of the largest `l`.
/// - `w' (C_c + C_rest) w = 1`, and the element largest in magnitude is positive.
///
/// # Reference
/// B. Blankertz, R. Tomioka, S. Lemm, M. Kawanabe, K.-R. Müller: Optimizing spatial
/// filters for robust EEG single-trial analysis (2008), doi 10.1109/MSP.2008.4408441.
/// One against the rest: G. Dornhege, B. Blankertz, G. Curio, K.-R. Müller (2004),
/// doi 10.1109/TBME.2004.827088.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CspModel {
    /// Filters in rows, `(n_filters, n_channels)`.
    pub filters: Matrix,
}

impl CspModel {
    /// Fits to `covariances`, `(n_channels, n_channels)` each, with a label each.
    ///
    /// Batch: allocates; single-threaded.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, [`FitError::NotFinite`],
    /// [`FitError::NotPositiveDefinite`] where a class's mean is indefinite or the sum of
    /// the means singular.
    ///
    /// # Panics
    /// Where there are not as many labels as covariances, a label is no class, or the
    /// covariances differ in shape.
    pub fn fit(
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        count_examples(covariances.len(), labels, n_classes)?;
        let n_channels = covariances.first().map_or(0, |c| c.nrows());
        let n_contrasts = if n_classes == 2 { 1 } else { n_classes };
        let mut filters = Vec::new();
        for class in 0..n_contrasts {
            let of = |own: bool| {
                let chosen = labels.iter().zip(covariances);
                mean(chosen.filter(|(l, _)| (l.index() == class) == own).map(|(_, c)| *c))
            };
            let solved = contrast(class, &of(true), &of(false))?;
            for col in chosen_columns(n_classes, n_channels) {
                filters.extend(solved.vector(col));
            }
        }
        let rows = MatRef::from_row_major_slice(&filters, filters.len() / n_channels, n_channels);
        Ok(Self { filters: finite_matrix(rows, "a spatial filter")? })
    }

    /// Number of filters, and of features.
    pub fn n_filters(&self) -> usize {
        self.filters.n_rows()
    }

    /// Plans features: allocates the scratch.
    pub fn plan(&self) -> CspRuntime {
        let projected = vec![0.0; self.filters.n_cols()];
        CspRuntime { filters: self.filters.clone(), projected }
    }
}

/// Spatial filters with their scratch.
#[derive(Clone, Debug)]
pub struct CspRuntime {
    filters: Matrix,
    projected: Vec<f64>,
}

impl CspRuntime {
    /// Writes `ln(f C f')` for each filter `f`, given a covariance
    /// `(n_channels, n_channels)`. A variance below the smallest normal number, or none
    /// at all, counts as that number.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `covariance` or `features` has another size than the model, or the columns
    /// of `covariance` are not contiguous.
    pub fn features_into(&mut self, covariance: MatRef<'_, f64>, features: &mut [f64]) {
        let n_channels = self.filters.n_cols();
        assert_eq!(covariance.shape(), (n_channels, n_channels), "covariance of another geometry");
        assert_eq!(features.len(), self.filters.n_rows(), "features of other filters");
        let covariance = covariance.try_as_col_major().expect("contiguous columns");
        for (i, feature) in features.iter_mut().enumerate() {
            let filter = self.filters.row(i);
            self.projected.fill(0.0);
            for (weight, column) in filter.iter().zip(covariance.col_iter()) {
                for (sum, value) in self.projected.iter_mut().zip(column.as_slice()) {
                    *sum += weight * value;
                }
            }
            *feature = dot(filter, &self.projected).max(f64::MIN_POSITIVE).ln();
        }
    }
}

/// Which eigenvectors become filters, eigenvalues ascending.
fn chosen_columns(n_classes: usize, n_channels: usize) -> Vec<usize> {
    if n_classes > 2 {
        return vec![0, n_channels - 1];
    }
    let from_end = n_channels.saturating_sub(N_FILTERS_PER_END);
    (0..n_channels).filter(|col| *col < N_FILTERS_PER_END || *col >= from_end).collect()
}

/// Arithmetic mean of at least one matrix.
fn mean<'a>(matrices: impl Iterator<Item = &'a Mat<f64>>) -> Mat<f64> {
    let mut n = 0.0;
    let sum = matrices.fold(Mat::new(), |mut sum: Mat<f64>, matrix| {
        n += 1.0;
        if n == 1.0 {
            return matrix.clone();
        }
        sum += matrix;
        sum
    });
    sum * faer::Scale(1.0 / n)
}

/// Generalised eigenvectors of a class's mean and the sum of both, in columns,
/// eigenvalues ascending.
fn contrast(class: usize, own: &Mat<f64>, rest: &Mat<f64>) -> Result<Generalised, FitError> {
    let composite = own + rest;
    check_finite(composite.as_ref(), || {
        format!("the mean covariance of class {class} or the rest")
    })?;
    let solved = Generalised::solve(
        own.as_ref(),
        composite.as_ref(),
        || format!("the sum of the mean covariances of class {class} and the rest"),
        || format!("the spatial filters of class {class}"),
    )?;
    let within = -SHARE_TOLERANCE..=1.0 + SHARE_TOLERANCE;
    if !solved.values.iter().all(|share| within.contains(share)) {
        let what = format!("the mean covariance of class {class} or that of the rest");
        return Err(FitError::NotPositiveDefinite { what });
    }
    Ok(solved)
}
