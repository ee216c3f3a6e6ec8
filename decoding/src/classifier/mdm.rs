//! Minimum distance to mean: the class whose Riemannian mean is nearest.

use super::{count_examples, finite_matrix, softmax_in_place};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::distance::DistancesTo;
use crate::riemann::mean::riemannian_mean;
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
/// The posterior is the softmax of the negative squared affine-invariant distances
/// `-d(C, mean_k)^2`, so the class of the smallest distance has the largest.
///
/// # Reference
/// A. Barachant, S. Bonnet, M. Congedo, C. Jutten (2012): Multiclass brain-computer
/// interface classification by Riemannian geometry, doi 10.1109/TBME.2011.2172210.
/// The posterior is pyRiemann's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MdmModel {
    /// Riemannian mean of each class, `(n_channels, n_channels)`.
    pub means: Vec<Matrix>,
}

impl MdmModel {
    /// Fits the mean of each class of `covariances`, to a criterion of 1e-8 in at most
    /// 50 steps; where they do not suffice, 1e-6 does.
    ///
    /// Batch: allocates, uses the caller's rayon pool.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, and what
    /// [`riemannian_mean`] says of covariances that have none.
    ///
    /// # Panics
    /// Where there are not as many labels as covariances or a label is no class.
    pub fn fit(
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        count_examples(covariances.len(), labels, n_classes)?;
        let mean_of = |class: usize| {
            let of_class = labels.iter().zip(covariances).filter(|(l, _)| l.index() == class);
            let of_class: Vec<_> = of_class.map(|(_, covariance)| *covariance).collect();
            let what = format!("the mean covariance of class {class}");
            let fitted = match riemannian_mean(&of_class, CRITERION, MAX_STEPS) {
                Err(RiemannError::NotConverged { .. }) => {
                    riemannian_mean(&of_class, ACCEPTED, MAX_STEPS)
                }
                fitted => fitted,
            }
            .map_err(|e| in_words(&what, &e))?;
            finite_matrix(fitted.mean.as_ref(), &what)
        };
        Ok(Self { means: (0..n_classes).map(mean_of).collect::<Result<_, _>>()? })
    }

    /// Plans decisions: factors the means and allocates the scratch.
    ///
    /// # Errors
    /// No mean, means of several sizes or one that is not positive definite: the model
    /// does not come from a fit.
    pub fn plan(&self) -> Result<MdmRuntime, RiemannError> {
        let means: Vec<_> = self.means.iter().map(Matrix::to_faer).collect();
        let points: Vec<_> = means.iter().map(Mat::as_ref).collect();
        Ok(MdmRuntime { distances: DistancesTo::new(&points)? })
    }
}

/// A minimum-distance classifier with its scratch.
#[derive(Clone, Debug)]
pub struct MdmRuntime {
    distances: DistancesTo,
}

impl MdmRuntime {
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
        for squared in posterior.iter_mut() {
            *squared = -*squared;
        }
        softmax_in_place(posterior);
    }
}

/// A geometry error as a fit error that names the matrix.
fn in_words(what: &str, error: &RiemannError) -> FitError {
    let what = what.to_owned();
    match error {
        RiemannError::NotConverged { n_steps } => {
            FitError::NotConverged { what, n_steps: *n_steps }
        }
        RiemannError::NotFinite => FitError::NotFinite { what },
        _ => FitError::NotPositiveDefinite { what },
    }
}
