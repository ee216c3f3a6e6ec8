//! Covariances of a window below the mean responses of the classes: how much of which
//! response is in the window becomes a block of a covariance matrix.
//!
//! The time course matters here, which a plain covariance does not see. What decides on
//! the matrices (minimum distance, tangent space) is the matter of
//! [`pipeline`](crate::pipeline).

use super::generalised::with_positive_peak;
use super::stacked::Stacked;
use super::xdawn::{XdawnParams, chosen_classes};
use super::{check_count, in_words, windows};
use crate::classifier::{count_examples, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::covariance::{CovarianceError, Estimator};
use crate::window::Planar;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatMut, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// What stands above a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Prototypes {
    /// The mean response of each class, all channels: `n_channels` rows a class.
    Means,
    /// The mean response of each class on its strongest principal axes (not centred).
    Svd {
        /// Axes per class, at most one per channel.
        n_components: usize,
    },
    /// xDAWN's mean responses, and the window filtered by the same filters.
    Xdawn {
        /// Filters per class.
        n_filters: usize,
        /// Estimator of the covariances that the filters are fitted to.
        estimator: Estimator,
    },
    /// xDAWN's mean responses, and the window as it is: more rows, but less depends on
    /// the filters.
    XdawnAbove {
        /// Filters per class.
        n_filters: usize,
        /// Estimator of the covariances that the filters are fitted to.
        estimator: Estimator,
    },
}

/// How covariances of event-related responses are fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErpCovarianceParams {
    /// What stands above a window.
    pub prototypes: Prototypes,
    /// Classes that get prototypes, in this order; all where it is absent.
    pub classes: Option<Vec<ClassIdx>>,
    /// Estimator of the covariance of prototypes and window.
    pub estimator: Estimator,
}

impl Default for ErpCovarianceParams {
    /// Four xDAWN filters a class on covariances that are not shrunk; the result is.
    fn default() -> Self {
        Self {
            prototypes: Prototypes::Xdawn { n_filters: 4, estimator: Estimator::Scm },
            classes: None,
            estimator: Estimator::Oas,
        }
    }
}

/// Fitted prototypes.
///
/// The covariance is that of the rows `[P; F X]` over time: `P` the prototypes, `X` the
/// window, `F` the filters or the identity. It has `n_rows` rows and columns,
/// prototypes first, class after class.
///
/// # Conventions
/// As pyRiemann's `ERPCovariances` and `XdawnCovariances`, but for the sign of rows that
/// stem from eigenvectors or singular vectors: here the element of the vector that is
/// largest in magnitude is positive. No distance between matrices depends on it.
///
/// # Reference
/// A. Barachant, M. Congedo: A plug & play P300 BCI using information geometry (2014),
/// arXiv 1409.0107. With xDAWN: A. Barachant: MEG decoding using Riemannian geometry and
/// unsupervised classification (2014).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErpCovarianceModel {
    /// Prototypes, `(n_prototypes, n_samples)`.
    pub prototypes: Matrix,
    /// Filters of the window, `(n_filters, n_channels)`, where it is filtered.
    pub filters: Option<Matrix>,
    /// Channels of a window.
    pub n_channels: usize,
    /// Estimator of the covariance.
    pub estimator: Estimator,
}

impl ErpCovarianceParams {
    /// Fits prototypes to `windows` `(n_channels, n_samples)` with a label each.
    ///
    /// Batch: allocates; single-threaded.
    ///
    /// # Errors
    /// What [`XdawnParams::fit`] says, with or without xDAWN; and
    /// [`FitError::TooShort`] where a covariance that is not shrunk would have no more
    /// samples than rows.
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(
        &self,
        windows: &[Planar<'_>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<ErpCovarianceModel, FitError> {
        count_examples(windows.len(), labels, n_classes)?;
        let classes = chosen_classes(self.classes.as_deref(), n_classes)?;
        let (n_channels, n_samples) = windows::check(windows)?;
        let mean = |class: &usize| windows::mean_response(windows, labels, *class);
        let means = || classes.iter().map(mean).collect::<Vec<_>>();
        let (prototypes, filters) = match self.prototypes {
            Prototypes::Means => (on_top_of_each_other(&means())?, None),
            Prototypes::Svd { n_components } => {
                check_count("n_components", n_components)?;
                let means = means();
                let reduced = means.iter().map(|mean| reduced(mean, n_components.min(n_channels)));
                (on_top_of_each_other(&reduced.collect::<Result<Vec<_>, _>>()?)?, None)
            }
            Prototypes::Xdawn { n_filters, estimator }
            | Prototypes::XdawnAbove { n_filters, estimator } => {
                let params = XdawnParams { n_filters, classes: self.classes.clone(), estimator };
                let xdawn = params.fit(windows, labels, n_classes)?;
                let both = matches!(self.prototypes, Prototypes::Xdawn { .. });
                (xdawn.evoked, both.then_some(xdawn.filters))
            }
        };
        let model =
            ErpCovarianceModel { prototypes, filters, n_channels, estimator: self.estimator };
        self.estimator.check(model.n_rows(), n_samples).map_err(in_words)?;
        Ok(model)
    }
}

/// The rows of all matrices in one.
fn on_top_of_each_other(parts: &[Mat<f64>]) -> Result<Matrix, FitError> {
    let n_samples = parts[0].ncols();
    let rows = parts.iter().flat_map(Mat::row_iter);
    let data: Vec<f64> = rows.flat_map(|row| row.iter().copied()).collect();
    let rows = MatRef::from_row_major_slice(&data, data.len() / n_samples, n_samples);
    finite_matrix(rows, "a mean response")
}

/// A mean response on its `n` strongest left singular vectors.
fn reduced(mean: &Mat<f64>, n: usize) -> Result<Mat<f64>, FitError> {
    let Ok(svd) = mean.thin_svd() else {
        let what = "the principal axes of a mean response".to_owned();
        return Err(FitError::NotConverged { what, n_steps: mean.nrows() });
    };
    let n = n.min(svd.U().ncols());
    let axes = svd.U().subcols(0, n).col_iter();
    let axes: Vec<_> = axes.map(|a| with_positive_peak(a.iter().copied().collect())).collect();
    Ok(Mat::from_fn(n, mean.nrows(), |k, c| axes[k][c]) * mean)
}

impl ErpCovarianceModel {
    /// Rows and columns of a covariance.
    pub fn n_rows(&self) -> usize {
        self.prototypes.n_rows() + self.filters.as_ref().map_or(self.n_channels, Matrix::n_rows)
    }

    /// Samples of a window.
    pub fn n_samples(&self) -> usize {
        self.prototypes.n_cols()
    }

    /// Plans covariances: allocates the scratch, `16 * n_rows * n_samples` bytes.
    ///
    /// # Errors
    /// Where the estimator and the sizes do not fit: the model does not come from a fit.
    pub fn plan(&self) -> Result<ErpCovarianceRuntime, CovarianceError> {
        let prototypes = self.prototypes.to_faer();
        let n_moving = self.n_rows() - prototypes.nrows();
        Ok(ErpCovarianceRuntime {
            filters: self.filters.clone(),
            n_channels: self.n_channels,
            stacked: Stacked::new(prototypes.as_ref(), n_moving, self.estimator)?,
        })
    }
}

/// Prototypes with their scratch.
#[derive(Clone, Debug)]
pub struct ErpCovarianceRuntime {
    filters: Option<Matrix>,
    n_channels: usize,
    stacked: Stacked,
}

impl ErpCovarianceRuntime {
    /// Rows and columns of a covariance.
    pub fn n_rows(&self) -> usize {
        self.stacked.n_rows()
    }

    /// Writes the covariance of prototypes and `window`, both triangles.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `window` or `out` has another size than the model.
    pub fn covariance_into(&mut self, window: &Planar<'_>, out: MatMut<'_, f64>) {
        let n_samples = self.stacked.n_samples();
        assert_eq!(window.n_channels(), self.n_channels, "a window of other channels");
        assert_eq!(window.n_samples(), n_samples, "a window of another length");
        if let Some(filters) = &self.filters {
            windows::filter_into(filters, window, self.stacked.moving());
        } else {
            let rows = self.stacked.moving().chunks_exact_mut(n_samples);
            rows.enumerate().for_each(|(c, row)| row.copy_from_slice(window.channel(c)));
        }
        self.stacked.covariance_into(out);
    }
}
