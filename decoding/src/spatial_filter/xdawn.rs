//! xDAWN: channel mixtures in which the response to an event stands out most from
//! everything else.
//!
//! Responses that overlap in time are not disentangled: each window is taken as one
//! response. Covariances on top of the filters are in
//! [`erp_covariance`](super::erp_covariance).

use super::generalised::{Generalised, with_positive_peak};
use super::{check_count, in_words, windows};
use crate::classifier::{count_examples, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::covariance::{Estimator, scm};
use crate::window::Planar;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How xDAWN filters are fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct XdawnParams {
    /// Filters per class, at most one per channel.
    pub n_filters: usize,
    /// Classes that get filters, in this order; all where it is absent.
    pub classes: Option<Vec<ClassIdx>>,
    /// Estimator of both covariances.
    pub estimator: Estimator,
}

impl Default for XdawnParams {
    /// Four filters of each class, on covariances that are not shrunk.
    fn default() -> Self {
        Self { n_filters: 4, classes: None, estimator: Estimator::Scm }
    }
}

/// Fitted filters of event-related responses.
///
/// For each class `c` with the mean response `P_c` they solve
/// `cov(P_c) w = l cov(X) w`, `X` all windows put one after the other, and keep the
/// largest `l`: the share of the response in all variance.
///
/// # Conventions
/// Class after class, `l` descending; filters have length 1, and their element largest
/// in magnitude is positive. As pyRiemann's `Xdawn`, but for the sign.
///
/// # Reference
/// B. Rivet, A. Souloumiac, V. Attina, G. Gibert: xDAWN algorithm to enhance evoked
/// potentials (2009), doi 10.1109/TBME.2009.2012869.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XdawnModel {
    /// Filters in rows, `(n_filters, n_channels)`.
    pub filters: Matrix,
    /// What each filter's source looks like on the channels, `(n_filters, n_channels)`:
    /// of each class, rows of the transposed inverse of all its filters.
    pub patterns: Matrix,
    /// Filtered mean response of the filter's class, `(n_filters, n_samples)`.
    pub evoked: Matrix,
}

impl XdawnParams {
    /// Fits to `windows` `(n_channels, n_samples)` with a label each.
    ///
    /// Batch: allocates; single-threaded.
    ///
    /// # Errors
    /// [`FitError::BadParameter`] without filters or for a class that is not there,
    /// [`FitError::TooFewExamples`] below two of a class, [`FitError::NotFinite`],
    /// [`FitError::TooShort`] where a window has no covariance of this kind,
    /// [`FitError::NotPositiveDefinite`] where that of all windows is singular.
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(
        &self,
        windows: &[Planar<'_>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<XdawnModel, FitError> {
        check_count("n_filters", self.n_filters)?;
        count_examples(windows.len(), labels, n_classes)?;
        let classes = chosen_classes(self.classes.as_deref(), n_classes)?;
        let (n_channels, n_samples) = windows::check(windows)?;
        let all = windows::pooled_estimate(windows, self.estimator).map_err(in_words)?;
        let n_filters = self.n_filters.min(n_channels);
        let (mut filters, mut patterns, mut evoked) = (Vec::new(), Vec::new(), Vec::new());
        for class in classes {
            let response = windows::mean_response(windows, labels, class);
            let (vectors, sources) = self.fit_class(class, &response, &all)?;
            for k in 0..n_filters {
                let (vector, source) = (vectors.col(k), sources.col(k));
                evoked.extend((vector.transpose() * &response).iter());
                filters.extend(vector.iter());
                patterns.extend(source.iter());
            }
        }
        let n_rows = filters.len() / n_channels;
        let rows = |data: &[f64], n_cols: usize, what: &str| {
            finite_matrix(MatRef::from_row_major_slice(data, n_rows, n_cols), what)
        };
        Ok(XdawnModel {
            filters: rows(&filters, n_channels, "a spatial filter")?,
            patterns: rows(&patterns, n_channels, "a spatial pattern")?,
            evoked: rows(&evoked, n_samples, "a mean response")?,
        })
    }

    /// The covariance of a mean response; it may be singular.
    fn signal(&self, response: &Mat<f64>) -> Result<Mat<f64>, FitError> {
        if self.estimator == Estimator::Scm {
            return Ok(scm(response.as_ref()));
        }
        let (n_channels, n_samples) = response.shape();
        let mut covariance = Mat::zeros(n_channels, n_channels);
        let mut runtime = self.estimator.plan(n_channels, n_samples).map_err(in_words)?;
        runtime.covariance_into(response.as_ref(), covariance.as_mut());
        Ok(covariance)
    }

    /// All filters of a class and their patterns in columns, `l` descending.
    fn fit_class(
        &self,
        class: usize,
        response: &Mat<f64>,
        all: &Mat<f64>,
    ) -> Result<(Mat<f64>, Mat<f64>), FitError> {
        let signal = self.signal(response)?;
        let solved = Generalised::solve(
            signal.as_ref(),
            all.as_ref(),
            || "the covariance of all windows".to_owned(),
            || format!("the spatial filters of class {class}"),
        )?;
        let n = all.nrows();
        let (mut vectors, mut sources) = (Mat::zeros(n, n), Mat::zeros(n, n));
        for k in 0..n {
            let column = solved.vectors.col(n - 1 - k);
            let length = column.norm_l2();
            let vector = with_positive_peak(column.iter().map(|v| v / length).collect());
            vectors.col_mut(k).iter_mut().zip(vector).for_each(|(y, x)| *y = x);
            // V'BV = I makes BV the transposed inverse of V; scaling V scales it back.
            let source = all * vectors.col(k);
            sources.col_mut(k).iter_mut().zip(source.iter()).for_each(|(y, x)| {
                *y = x * length * length;
            });
        }
        Ok((vectors, sources))
    }
}

/// The classes asked for, all of them by default.
pub(super) fn chosen_classes(
    classes: Option<&[ClassIdx]>,
    n_classes: usize,
) -> Result<Vec<usize>, FitError> {
    let Some(classes) = classes else { return Ok((0..n_classes).collect()) };
    check_count("the number of classes", classes.len())?;
    match classes.iter().find(|class| class.index() >= n_classes) {
        None => Ok(classes.iter().map(|class| class.index()).collect()),
        Some(class) => Err(FitError::BadParameter {
            name: "class",
            found: f64::from(class.0),
            allowed: "a class of the configuration",
        }),
    }
}

impl XdawnModel {
    /// Number of filters.
    pub fn n_filters(&self) -> usize {
        self.filters.n_rows()
    }

    /// Writes each filter's samples, one filter after the other,
    /// `(n_filters, n_samples)`.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `window` has other channels than the filters, or `out` not
    /// `n_filters * n_samples` values.
    pub fn filter_into(&self, window: &Planar<'_>, out: &mut [f64]) {
        windows::filter_into(&self.filters, window, out);
    }
}
