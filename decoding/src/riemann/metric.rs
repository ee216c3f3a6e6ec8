//! The geometries of SPD matrices, by name: distance, mean, geodesic.
//!
//! What is planned once and run often takes a [`Metric`] too:
//! [`DistancesTo::in_metric`](super::distance::DistancesTo::in_metric) and
//! [`TangentSpace::in_metric`](super::tangent::TangentSpace::in_metric).

use super::distance;
use super::mean::{
    MeanResult, Weights, wasserstein_mean, weighted_euclidean_mean, weighted_log_euclidean_mean,
    weighted_riemannian_mean,
};
use super::spd::{self, RiemannError, check_finite, check_square, mirror_lower};
use faer::{Mat, MatRef, Scale};
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// A geometry of SPD matrices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// `‖log(A^-½ B A^-½)‖_F`: the same for any invertible mixing of the variables.
    #[default]
    AffineInvariant,
    /// `‖log A - log B‖_F`: a mean in closed form; the same for any rotation and scale.
    LogEuclidean,
    /// Bures and Wasserstein's, `(tr A + tr B - 2 tr (A^½ B A^½)^½)^½`: the optimal
    /// transport between centred Gaussians; in the unit of the samples.
    Wasserstein,
    /// `‖A - B‖_F`: that of matrices as vectors.
    Euclidean,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::AffineInvariant, Self::LogEuclidean, Self::Wasserstein, Self::Euclidean];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::AffineInvariant => "affine_invariant",
            Self::LogEuclidean => "log_euclidean",
            Self::Wasserstein => "wasserstein",
            Self::Euclidean => "euclidean",
        }
    }

    /// The distance between two matrices. Allocates.
    pub fn distance(self, a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Result<f64, RiemannError> {
        match self {
            Self::AffineInvariant => distance::affine_invariant(a, b),
            Self::LogEuclidean => distance::log_euclidean(a, b),
            Self::Wasserstein => distance::wasserstein(a, b),
            Self::Euclidean => distance::euclidean(a, b),
        }
    }

    /// The mean `argmin_M Σ w_i d²(M, C_i)`. The log-Euclidean and the Euclidean one are
    /// found at once; criterion and steps are those of
    /// [`super::mean::riemannian_mean`] and [`wasserstein_mean`].
    ///
    /// Batch: allocates, uses the caller's rayon pool.
    ///
    /// # Errors
    /// No convergence in `max_steps`, no matrix, matrices of several sizes, one that is
    /// not finite or (but for the Euclidean metric) not positive definite, bad weights.
    pub fn mean<M: Borrow<Mat<f64>> + Sync>(
        self,
        covs: &[M],
        weights: &Weights,
        criterion: f64,
        max_steps: usize,
    ) -> Result<MeanResult, RiemannError> {
        let at_once = |mean| MeanResult { mean, n_steps: 0, residual: 0.0 };
        match self {
            Self::AffineInvariant => weighted_riemannian_mean(covs, weights, criterion, max_steps),
            Self::LogEuclidean => weighted_log_euclidean_mean(covs, weights).map(at_once),
            Self::Wasserstein => wasserstein_mean(covs, weights, criterion, max_steps),
            Self::Euclidean => weighted_euclidean_mean(covs, weights).map(at_once),
        }
    }

    /// The point at `t` of the geodesic from `a` (`t = 0`) to `b` (`t = 1`). Allocates.
    ///
    /// Affine-invariant `A^½ (A^-½ B A^-½)^t A^½`; log-Euclidean
    /// `exp((1-t) log A + t log B)`; Wasserstein
    /// `(1-t)² A + t² B + t (1-t) ((A B)^½ + (B A)^½)`; Euclidean `(1-t) A + t B`.
    ///
    /// # Reference
    /// L. Malagò, L. Montrucchio, G. Pistone (2018), Information Geometry 1,
    /// doi:10.1007/s41884-018-0014-4, for the Wasserstein metric.
    pub fn geodesic(
        self,
        a: MatRef<'_, f64>,
        b: MatRef<'_, f64>,
        t: f64,
    ) -> Result<Mat<f64>, RiemannError> {
        check_square(a, a.nrows())?;
        check_square(b, a.nrows())?;
        let mut out = match self {
            Self::AffineInvariant => {
                let (root, inverse) = (spd::sqrt(a)?, spd::inv_sqrt(a)?);
                let middle = spd::power((&inverse * b * &inverse).as_ref(), t)?;
                &root * middle * &root
            }
            Self::LogEuclidean => {
                let log = Scale(1.0 - t) * spd::log(a)? + Scale(t) * spd::log(b)?;
                spd::exp(log.as_ref())?
            }
            Self::Wasserstein => {
                let (root, inverse) = (spd::sqrt(a)?, spd::inv_sqrt(a)?);
                let middle = spd::sqrt((&root * b * &root).as_ref())?;
                let product = &root * middle * &inverse;
                let cross = &product + product.transpose();
                Scale((1.0 - t) * (1.0 - t)) * a + Scale(t * t) * b + Scale(t * (1.0 - t)) * cross
            }
            Self::Euclidean => {
                check_finite(a)?;
                check_finite(b)?;
                Scale(1.0 - t) * a + Scale(t) * b
            }
        };
        mirror_lower(out.as_mut());
        Ok(out)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
