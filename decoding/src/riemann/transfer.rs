//! Transfer between two sets of SPD matrices, such as two days' covariances: to one
//! centre, to one spread, and turned so that the class means meet.
//!
//! Recentering and rescaling are fitted on one set and applied to its own and later
//! matrices; a rotation is fitted between the class means of two sets that were recentred,
//! and applied to the source's. The three in this order are Riemannian Procrustes
//! analysis. Fitting is for a calibration; each step is applied without allocating. What
//! they were fitted to can be read back and planned from again, to the same bits.
//!
//! # Reference
//! P. L. C. Rodrigues, C. Jutten, M. Congedo (2019), IEEE Transactions on Biomedical
//! Engineering 66(8), doi:10.1109/TBME.2018.2889705. Recentering: P. Zanini, M. Congedo,
//! C. Jutten, S. Said, Y. Berthoumieu (2018), IEEE Transactions on Biomedical Engineering
//! 65(5), doi:10.1109/TBME.2017.2742541.

mod rotation;

pub use rotation::Rotation;

use super::distance::DistancesTo;
use super::mean::Weights;
use super::metric::Metric;
use super::spd::{self, EigenScratch, RiemannError, congruence_into};
use faer::{Mat, MatMut, MatRef};
use std::borrow::Borrow;

#[cfg(test)]
mod tests;

/// Moves a point to the identity: `C` becomes `P^-½ C P^-½`.
///
/// At the affine-invariant mean of a set, the mean of what it becomes is the identity; at
/// another metric's mean only roughly so. As pyRiemann's `TLCenter`.
#[derive(Clone, Debug)]
pub struct Recentering {
    point: Mat<f64>,
    inv_sqrt: Mat<f64>,
    half: Mat<f64>,
}

impl Recentering {
    /// To the mean of `covs`, found to `criterion` in `max_steps` where it takes steps.
    ///
    /// Batch: allocates, uses the caller's rayon pool.
    ///
    /// # Errors
    /// As [`Metric::mean`].
    pub fn fit<M: Borrow<Mat<f64>> + Sync>(
        metric: Metric,
        covs: &[M],
        weights: &Weights,
        criterion: f64,
        max_steps: usize,
    ) -> Result<Self, RiemannError> {
        Self::at(metric.mean(covs, weights, criterion, max_steps)?.mean.as_ref())
    }

    /// Plans recentering of `point`. Allocates.
    pub fn at(point: MatRef<'_, f64>) -> Result<Self, RiemannError> {
        let n = point.nrows();
        let inv_sqrt = spd::inv_sqrt(point)?;
        Ok(Self { point: point.to_owned(), inv_sqrt, half: Mat::zeros(n, n) })
    }

    /// What becomes the identity.
    pub fn point(&self) -> MatRef<'_, f64> {
        self.point.as_ref()
    }

    /// Writes what `cov` becomes into both triangles of `out`.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` or `out` is of another size than the point.
    pub fn apply_into(&mut self, cov: MatRef<'_, f64>, out: MatMut<'_, f64>) {
        congruence_into(self.inv_sqrt.as_ref(), cov, &mut self.half, out);
    }
}

/// A mean squared distance up to this is what rounding makes of equal matrices.
const LEAST_DISPERSION: f64 = 1e-20;

/// Stretches a set around its mean: `C` becomes `P^½ (P^-½ C P^-½)^s P^½` with
/// `s = √(dispersion wanted / dispersion found)`.
///
/// The dispersion is the weighted mean of the squared affine-invariant distances to the
/// mean `P`, and that of what the set becomes is the one wanted. As pyRiemann's `TLScale`.
#[derive(Clone, Debug)]
pub struct Rescaling {
    exponent: f64,
    centre: Recentering,
    sqrt: Mat<f64>,
    inner: Mat<f64>,
    stretched: Mat<f64>,
    eigen: EigenScratch,
}

impl Rescaling {
    /// From the dispersion of `covs` around their affine-invariant mean to `dispersion`
    /// (1 is usual).
    ///
    /// Batch: allocates, uses the caller's rayon pool.
    ///
    /// # Errors
    /// As [`Metric::mean`]; [`RiemannError::NoDispersion`] where the matrices are all the
    /// same or `dispersion` is not positive.
    pub fn fit<M: Borrow<Mat<f64>> + Sync>(
        covs: &[M],
        weights: &Weights,
        dispersion: f64,
        (criterion, max_steps): (f64, usize),
    ) -> Result<Self, RiemannError> {
        let mean = Metric::AffineInvariant.mean(covs, weights, criterion, max_steps)?.mean;
        let mut distances = DistancesTo::new(&[mean.as_ref()])?;
        let squared = |cov: &M| {
            let mut squared = [0.0];
            distances.squared_into(cov.borrow().as_ref(), &mut squared);
            squared[0]
        };
        let squared: Vec<f64> = covs.iter().map(squared).collect();
        let found = weights.average(&squared);
        let exponent = (dispersion / found).sqrt();
        if !(dispersion > 0.0 && found > LEAST_DISPERSION && exponent.is_finite()) {
            return Err(RiemannError::NoDispersion);
        }
        Self::at(mean.as_ref(), exponent)
    }

    /// Plans stretching by `exponent` around `point`. Allocates.
    pub fn at(point: MatRef<'_, f64>, exponent: f64) -> Result<Self, RiemannError> {
        let n = point.nrows();
        Ok(Self {
            exponent,
            centre: Recentering::at(point)?,
            sqrt: spd::sqrt(point)?,
            inner: Mat::zeros(n, n),
            stretched: Mat::zeros(n, n),
            eigen: EigenScratch::new(n),
        })
    }

    /// What stays where it is.
    pub fn point(&self) -> MatRef<'_, f64> {
        self.centre.point()
    }

    /// `s`.
    pub fn exponent(&self) -> f64 {
        self.exponent
    }

    /// Writes what `cov` becomes into both triangles of `out`; NaN where it is not finite
    /// or not positive definite.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` or `out` is of another size than the point.
    pub fn apply_into(&mut self, cov: MatRef<'_, f64>, mut out: MatMut<'_, f64>) {
        let Self { exponent, centre, sqrt, inner, stretched, eigen } = self;
        centre.apply_into(cov, inner.as_mut());
        let power = |x: f64| x.powf(*exponent);
        match eigen.apply_spd_into(inner.as_ref(), power, stretched.as_mut()) {
            Ok(()) => congruence_into(sqrt.as_ref(), stretched.as_ref(), inner, out),
            Err(_) => out.fill(f64::NAN),
        }
    }
}
