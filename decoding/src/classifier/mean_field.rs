//! Minimum distance to a field of means: several power means for each class, from the
//! harmonic to the arithmetic one.

use super::mdm::{in_words, nearest_is_likeliest, of_class};
use super::{check_squares, count_examples, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::distance::DistancesTo;
use crate::riemann::mean::{Weights, power_mean};
use crate::riemann::metric::Metric;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Criterion of the power means.
const CRITERION: f64 = 1e-9;
/// Most steps of one.
const MAX_STEPS: usize = 100;

/// How the distances to the means of one class become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    /// The sum of their squares.
    #[default]
    Sum,
    /// The smallest.
    Nearest,
}

/// Power means of each class.
///
/// The posterior is the softmax of `-d²`, with `d²` the squared distances to the class's
/// means, combined.
///
/// # Reference
/// M. Congedo, P. L. C. Rodrigues, C. Jutten (2019): The Riemannian minimum distance to
/// means field classifier, 8th Graz BCI Conference, doi 10.3217/978-3-85125-682-6-02.
/// As pyRiemann's `MeanField`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanFieldModel {
    /// Metric of the distances; the means are power means in any case.
    pub metric: Metric,
    /// How distances are combined.
    pub combination: Combination,
    /// Means of each class, one per exponent: `means[class][power]`.
    pub means: Vec<Vec<Matrix>>,
}

impl MeanFieldModel {
    /// The usual exponents: the harmonic, the geometric and the arithmetic mean.
    pub const POWERS: [f64; 3] = [-1.0, 0.0, 1.0];

    /// Fits the power means with exponents `powers` of each class of `covariances`.
    ///
    /// Batch: allocates, uses the caller's rayon pool.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, and what
    /// [`power_mean`] says of covariances that have none; [`FitError::Shape`] where labels
    /// and covariances do not fit each other, [`FitError::UnknownClass`],
    /// [`FitError::BadParameter`] for no exponent or one beyond -1 to 1.
    pub fn fit(
        metric: Metric,
        combination: Combination,
        powers: &[f64],
        (covariances, labels): (&[&Mat<f64>], &[ClassIdx]),
        n_classes: usize,
    ) -> Result<Self, FitError> {
        let bad = powers.iter().find(|p| !(-1.0..=1.0).contains(*p)).copied();
        if let Some(found) = bad.or(powers.is_empty().then_some(f64::NAN)) {
            let (name, allowed) = ("an exponent of a power mean", "some number from -1 to 1");
            return Err(FitError::BadParameter { name, found, allowed });
        }
        count_examples(covariances.len(), labels, n_classes)?;
        check_squares(covariances)?;
        let field_of = |class: usize| {
            let of_class = of_class(class, covariances, labels);
            let mean_of = |p: &f64| {
                let what = format!("the power mean {p} of class {class}");
                let found = power_mean(&of_class, *p, &Weights::equal(), CRITERION, MAX_STEPS);
                let found = found.map_err(|e| in_words(&what, &e))?;
                finite_matrix(found.mean.as_ref(), &what)
            };
            powers.iter().map(mean_of).collect::<Result<Vec<_>, FitError>>()
        };
        let means = (0..n_classes).map(field_of).collect::<Result<_, _>>()?;
        Ok(Self { metric, combination, means })
    }

    /// Plans decisions: factors the means and allocates the scratch.
    ///
    /// # Errors
    /// No mean, classes with different numbers of them, means of several sizes or one
    /// that is not positive definite: the model does not come from a fit.
    pub fn plan(&self) -> Result<MeanFieldRuntime, RiemannError> {
        let n_powers = self.means.first().map_or(0, Vec::len);
        if n_powers == 0 || self.means.iter().any(|field| field.len() != n_powers) {
            return Err(RiemannError::Empty);
        }
        let means: Vec<_> = self.means.iter().flatten().map(Matrix::to_faer).collect();
        let points: Vec<_> = means.iter().map(Mat::as_ref).collect();
        Ok(MeanFieldRuntime {
            distances: DistancesTo::in_metric(self.metric, &points)?,
            squared: vec![0.0; points.len()],
            combination: self.combination,
            n_powers,
        })
    }
}

/// A means-field classifier with its scratch.
#[derive(Clone, Debug)]
pub struct MeanFieldRuntime {
    distances: DistancesTo,
    squared: Vec<f64>,
    combination: Combination,
    n_powers: usize,
}

impl MeanFieldRuntime {
    /// Writes the squared distance to each class's field, given a covariance
    /// `(n_channels, n_channels)`; NaN where it is not finite or not positive definite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `covariance` or `squared` has another size than the model.
    pub fn squared_distances_into(&mut self, covariance: MatRef<'_, f64>, squared: &mut [f64]) {
        let n_classes = self.squared.len() / self.n_powers;
        assert_eq!(squared.len(), n_classes, "distances to other classes");
        self.distances.squared_into(covariance, &mut self.squared);
        for (out, field) in squared.iter_mut().zip(self.squared.chunks_exact(self.n_powers)) {
            let sum: f64 = field.iter().sum();
            *out = match self.combination {
                Combination::Nearest if !sum.is_nan() => {
                    field.iter().copied().fold(f64::INFINITY, f64::min)
                }
                _ => sum,
            };
        }
    }

    /// Writes the posterior of each class, given a covariance `(n_channels, n_channels)`;
    /// NaN where it is not finite or not positive definite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// As [`MeanFieldRuntime::squared_distances_into`].
    pub fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]) {
        self.squared_distances_into(covariance, posterior);
        nearest_is_likeliest(posterior);
    }
}
