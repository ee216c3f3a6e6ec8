//! The mean in the Bures-Wasserstein geometry.

use super::{FrameScratch, MeanResult, Weights, mean_of, weighted_euclidean_mean};
use crate::riemann::spd::{EigenScratch, RiemannError, mirror_lower};
use faer::{Mat, Scale};
use std::borrow::Borrow;

/// The Wasserstein mean, `argmin_M Σ w_i d²(M, C_i)` with
/// `d² = tr(M + C - 2 (M^½ C M^½)^½)`: where `S = Σ w_i (M^½ C_i M^½)^½` is `M`.
///
/// From the arithmetic mean, `M ← M^-½ S² M^-½` until the step `J` in the tangent space
/// at `M`, `J = M^-½ S M^½ + M^½ S M^-½ - 2 M`, has `‖J‖_F <= criterion ‖M‖_F`, that
/// last step included. pyRiemann's criterion is `‖J‖_F <= tol`, in the square of the
/// samples' unit: ours changes nothing when the unit does.
///
/// Batch: allocates, uses the caller's rayon pool.
///
/// # Errors
/// [`RiemannError::NotConverged`] after `max_steps`; [`RiemannError::NotPositiveDefinite`]
/// if any matrix is not.
///
/// # Reference
/// P. C. Álvarez-Esteban, E. del Barrio, J. A. Cuesta-Albertos, C. Matrán (2016), Journal
/// of Mathematical Analysis and Applications 441(2), doi:10.1016/j.jmaa.2016.04.045.
pub fn wasserstein_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    weights: &Weights,
    criterion: f64,
    max_steps: usize,
) -> Result<MeanResult, RiemannError> {
    let mut mean = weighted_euclidean_mean(covs, weights)?;
    let n = mean.nrows();
    let mut eigen = EigenScratch::new(n);
    let (mut root, mut inverse) = (Mat::zeros(n, n), Mat::zeros(n, n));
    for n_steps in 1..=max_steps {
        eigen.apply_spd_into(mean.as_ref(), f64::sqrt, root.as_mut())?;
        eigen.apply_spd_into(mean.as_ref(), |x| x.sqrt().recip(), inverse.as_mut())?;
        let scratch = || FrameScratch::new(root.as_ref(), f64::sqrt);
        let middle = mean_of(covs, weights, n, scratch, FrameScratch::add)?;
        let half = &inverse * &middle;
        let one_side = &half * &root;
        let step = &one_side + one_side.transpose() - Scale(2.0) * &mean;
        let residual = step.norm_l2() / mean.norm_l2();
        mean = &half * half.transpose();
        mirror_lower(mean.as_mut());
        if residual <= criterion {
            return Ok(MeanResult { mean, n_steps, residual });
        }
    }
    Err(RiemannError::NotConverged { n_steps: max_steps })
}
