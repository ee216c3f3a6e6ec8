//! Minimum distance to mean: the class whose mean is nearest, in any metric.

use super::{check_squares, count_examples, finite_matrix, softmax_in_place};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::distance::DistancesTo;
use crate::riemann::mean::Weights;
use crate::riemann::metric::Metric;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Criterion of the class means: norm of the mean tangent vector.
const CRITERION: f64 = 1e-8;
/// Most steps of a class mean.
const MAX_STEPS: usize = 50;
/// What is accepted after that many steps: it moves no posterior's sixth digit.
const ACCEPTED: f64 = 1e-6;

/// Class means of a minimum-distance classifier.
///
/// The posterior is the softmax of the negative squared distances `-d(C, mean_k)^2`, so
/// the class of the smallest distance has the largest. In the Wasserstein and the
/// Euclidean metric the distance has a unit: covariances in another one give another
/// posterior, though the same order of the classes.
///
/// # Reference
/// A. Barachant, S. Bonnet, M. Congedo, C. Jutten (2012): Multiclass brain-computer
/// interface classification by Riemannian geometry, doi 10.1109/TBME.2011.2172210.
/// The posterior is pyRiemann's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MdmModel {
    /// Metric of means and distances.
    #[serde(default)]
    pub metric: Metric,
    /// Mean of each class, `(n_channels, n_channels)`.
    pub means: Vec<Matrix>,
}

impl MdmModel {
    /// Fits the affine-invariant mean of each class of `covariances`, as
    /// [`MdmModel::fit_in`].
    pub fn fit(
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        Self::fit_in(Metric::AffineInvariant, covariances, labels, n_classes)
    }

    /// Fits the mean of each class of `covariances`, where it is found by steps to a
    /// criterion of 1e-8 in at most 50; where they do not suffice, 1e-6 does.
    ///
    /// Batch: allocates, uses the caller's rayon pool.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, and what [`Metric::mean`] says
    /// of covariances that have none; [`FitError::Shape`] where labels and covariances do
    /// not fit each other, [`FitError::UnknownClass`].
    pub fn fit_in(
        metric: Metric,
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        count_examples(covariances.len(), labels, n_classes)?;
        check_squares(covariances)?;
        let mean_of = |class: usize| {
            let of_class = of_class(class, covariances, labels);
            let what = format!("the mean covariance of class {class}");
            finite_matrix(mean_covariance(metric, &of_class, &what)?.as_ref(), &what)
        };
        let means = (0..n_classes).map(mean_of).collect::<Result<_, _>>()?;
        Ok(Self { metric, means })
    }

    /// Plans decisions: factors the means and allocates the scratch.
    ///
    /// # Errors
    /// No mean, means of several sizes or one that is not positive definite: the model
    /// does not come from a fit.
    pub fn plan(&self) -> Result<MdmRuntime, RiemannError> {
        let means: Vec<_> = self.means.iter().map(Matrix::to_faer).collect();
        let points: Vec<_> = means.iter().map(Mat::as_ref).collect();
        Ok(MdmRuntime { distances: DistancesTo::in_metric(self.metric, &points)? })
    }
}

/// A minimum-distance classifier with its scratch.
#[derive(Clone, Debug)]
pub struct MdmRuntime {
    distances: DistancesTo,
}

impl MdmRuntime {
    /// Writes the squared distance to each class mean, given a covariance
    /// `(n_channels, n_channels)`; NaN where it is not finite or not positive definite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `covariance` or `squared` has another size than the model.
    pub fn squared_distances_into(&mut self, covariance: MatRef<'_, f64>, squared: &mut [f64]) {
        self.distances.squared_into(covariance, squared);
    }

    /// Writes the posterior of each class, given a covariance `(n_channels, n_channels)`;
    /// NaN where it is not finite or not positive definite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `covariance` or `posterior` has another size than the model.
    pub fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]) {
        assert_eq!(posterior.len(), self.distances.n_points(), "posterior of other classes");
        self.distances.squared_into(covariance, posterior);
        nearest_is_likeliest(posterior);
    }
}

/// From squared distances to the softmax of their negatives.
pub(super) fn nearest_is_likeliest(squared: &mut [f64]) {
    for squared in squared.iter_mut() {
        *squared = -*squared;
    }
    softmax_in_place(squared);
}

/// The covariances of one class.
pub(super) fn of_class<'a>(
    class: usize,
    covariances: &[&'a Mat<f64>],
    labels: &[ClassIdx],
) -> Vec<&'a Mat<f64>> {
    let of_class = labels.iter().zip(covariances).filter(|(l, _)| l.index() == class);
    of_class.map(|(_, covariance)| *covariance).collect()
}

/// The mean of `covariances`, to the criterion of this classifier.
pub(super) fn mean_covariance(
    metric: Metric,
    covariances: &[&Mat<f64>],
    what: &str,
) -> Result<Mat<f64>, FitError> {
    let mean_to = |criterion| metric.mean(covariances, &Weights::equal(), criterion, MAX_STEPS);
    let found = match mean_to(CRITERION) {
        Err(RiemannError::NotConverged { .. }) => mean_to(ACCEPTED),
        found => found,
    };
    found.map(|found| found.mean).map_err(|e| in_words(what, &e))
}

/// A geometry error as a fit error that names the matrix.
pub(crate) fn in_words(what: &str, error: &RiemannError) -> FitError {
    let what = what.to_owned();
    match error {
        RiemannError::NotConverged { n_steps } => {
            FitError::NotConverged { what, n_steps: *n_steps }
        }
        RiemannError::NotFinite => FitError::NotFinite { what },
        _ => FitError::NotPositiveDefinite { what },
    }
}
