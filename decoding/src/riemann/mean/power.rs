//! Power means: from the harmonic over the geometric to the arithmetic mean.

use super::{
    FrameScratch, MeanResult, Weights, mean_of, weighted_euclidean_mean, weighted_riemannian_mean,
};
use crate::riemann::spd::{self, EigenScratch, RiemannError};
use faer::Mat;
use rayon::prelude::*;
use std::borrow::Borrow;

/// The harmonic mean, `(Σ w_i C_i⁻¹)⁻¹`.
///
/// Batch: allocates, uses the caller's rayon pool.
pub fn harmonic_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    weights: &Weights,
) -> Result<Mat<f64>, RiemannError> {
    spd::power(weighted_euclidean_mean(&powers_of(covs, -1.0)?, weights)?.as_ref(), -1.0)
}

/// The power mean with exponent `p`: the `G` with `G = Σ w_i (G #_p C_i)`, `#_p` the
/// affine-invariant geodesic, for `0 < p <= 1`; the inverse of the mean of the inverses
/// with `-p` for `-1 <= p < 0`; the Riemannian mean for 0.
///
/// 1 is the arithmetic mean, -1 the harmonic one, and both are taken so. Otherwise
/// `H = Σ w_i (K C_i^{sign p} Kᵀ)^{|p|}`, `K ← H^{-φ} K` with `φ = 0.375 / |p|` until
/// `‖H - I‖_F <= criterion √n`, that last step included, and `G = (KᵀK)^{∓1}`.
///
/// Batch: allocates, uses the caller's rayon pool.
///
/// # Errors
/// [`RiemannError::BadExponent`] beyond -1 to 1, [`RiemannError::NotConverged`] after
/// `max_steps`, [`RiemannError::NotPositiveDefinite`] if any matrix is not.
///
/// # Reference
/// Y. Lim, M. Pálfia (2012), Journal of Functional Analysis 262(4),
/// doi:10.1016/j.jfa.2011.11.012. M. Congedo, A. Barachant, R. Bhatia (2017), IEEE
/// Transactions on Signal Processing 65(9), doi:10.1109/TSP.2017.2649483.
pub fn power_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    p: f64,
    weights: &Weights,
    criterion: f64,
    max_steps: usize,
) -> Result<MeanResult, RiemannError> {
    let at_once = |mean| Ok(MeanResult { mean, n_steps: 0, residual: 0.0 });
    if !(-1.0..=1.0).contains(&p) {
        return Err(RiemannError::BadExponent);
    }
    if p == 0.0 {
        return weighted_riemannian_mean(covs, weights, criterion, max_steps);
    }
    if p == 1.0 {
        return at_once(weighted_euclidean_mean(covs, weights)?);
    }
    if p == -1.0 {
        return at_once(harmonic_mean(covs, weights)?);
    }
    if p > 0.0 {
        let covs: Vec<&Mat<f64>> = covs.iter().map(Borrow::borrow).collect();
        iterate(&covs, p, weights, criterion, max_steps)
    } else {
        let inverses = powers_of(covs, -1.0)?;
        let inverses: Vec<&Mat<f64>> = inverses.iter().collect();
        let found = iterate(&inverses, -p, weights, criterion, max_steps)?;
        Ok(MeanResult { mean: spd::power(found.mean.as_ref(), -1.0)?, ..found })
    }
}

/// The power mean for `0 < p < 1`.
fn iterate(
    covs: &[&Mat<f64>],
    p: f64,
    weights: &Weights,
    criterion: f64,
    max_steps: usize,
) -> Result<MeanResult, RiemannError> {
    let phi = 0.375 / p;
    let start = weighted_euclidean_mean(&powers_of(covs, p)?, weights)?;
    // (start^(1/p))^-½.
    let mut frame = spd::power(start.as_ref(), -0.5 / p)?;
    let n = frame.nrows();
    let mut eigen = EigenScratch::new(n);
    let mut shrink = Mat::zeros(n, n);
    for n_steps in 1..=max_steps {
        let scratch = || FrameScratch::new(frame.as_ref(), |x| x.powf(p));
        let middle = mean_of(covs, weights, n, scratch, FrameScratch::add)?;
        eigen.apply_spd_into(middle.as_ref(), |x| x.powf(-phi), shrink.as_mut())?;
        let residual = (&middle - Mat::<f64>::identity(n, n)).norm_l2() / (n as f64).sqrt();
        frame = &shrink * &frame;
        if residual <= criterion {
            let inverse = frame.transpose() * &frame;
            return Ok(MeanResult { mean: spd::power(inverse.as_ref(), -1.0)?, n_steps, residual });
        }
    }
    Err(RiemannError::NotConverged { n_steps: max_steps })
}

/// `C_i^p` of all.
fn powers_of<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    p: f64,
) -> Result<Vec<Mat<f64>>, RiemannError> {
    covs.par_iter().map(|cov| spd::power(cov.borrow().as_ref(), p)).collect()
}
