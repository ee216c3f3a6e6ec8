//! Means of SPD matrices: of one class, or of a whole calibration.
//!
//! Batch functions: they allocate and use the caller's rayon pool. Matrices are taken in
//! blocks of a fixed size whose sums are added in order, so that the result is the same
//! bit for bit on any number of threads.

use super::spd::{self, Bundle, EigenScratch, RiemannError, WIDTH, check_square, mirror_lower};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;
use std::borrow::Borrow;

/// Matrices per parallel block. Part of the result's definition: the order of addition.
const BLOCK: usize = 8;

/// Longest and shortest step along the mean tangent vector.
const STEPS: [f64; 2] = [0.25, 1.5];

/// A mean, and how it was reached.
#[derive(Clone, Debug)]
pub struct MeanResult {
    /// The mean, both triangles.
    pub mean: Mat<f64>,
    /// Steps taken.
    pub n_steps: usize,
    /// Frobenius norm of the mean tangent vector before the last step.
    pub residual: f64,
}

/// The affine-invariant mean, `argmin_M Σ d²(M, C_i)`: where the mean tangent vector
/// `J = 1/n Σ log(A⁻¹ C_i A⁻ᵀ)`, `M = A Aᵀ`, vanishes.
///
/// From the arithmetic mean, `A ← A exp(θ J / 2)` until `‖J‖_F <= criterion` (1e-8 is
/// usual), that last step included. In this frame the tangent vectors of successive
/// points are already transported to each other, so `θ` can be Barzilai and Borwein's
/// `θ ‖J‖² / ⟨J, J - J'⟩`: it comes to the same point as pyRiemann's fixed schedule in
/// fewer steps.
///
/// # Errors
/// [`RiemannError::NotConverged`] after `max_steps`; [`RiemannError::NotPositiveDefinite`]
/// if any matrix is not.
///
/// # Reference
/// M. Moakher (2005), SIAM Journal on Matrix Analysis and Applications 26(3),
/// doi:10.1137/S0895479803436937. Step rule: B. Iannazzo, M. Porcelli (2018), IMA
/// Journal of Numerical Analysis 38(1), doi:10.1093/imanum/drx015.
pub fn riemannian_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    criterion: f64,
    max_steps: usize,
) -> Result<MeanResult, RiemannError> {
    let start = spd::sqrt(euclidean_mean(covs)?.as_ref())?;
    let n = start.nrows();
    let mut inverse = spd::exp((-0.5 * spd::log((&start * &start).as_ref())?).as_ref())?;
    let mut root = start;
    let (mut theta, mut last): (f64, Option<Mat<f64>>) = (1.0, None);
    for n_steps in 1..=max_steps {
        let tangent = mean_of(covs, n, || LogScratch::new(inverse.as_ref()), LogScratch::add)?;
        let residual = tangent.norm_l2();
        theta = last.map_or(1.0, |last| next_step(theta, last.as_ref(), tangent.as_ref()));
        let mut eigen = EigenScratch::new(n);
        let (mut forth, mut back) = (Mat::zeros(n, n), Mat::zeros(n, n));
        eigen.apply_into(tangent.as_ref(), |x| (0.5 * theta * x).exp(), forth.as_mut())?;
        eigen.apply_into(tangent.as_ref(), |x| (-0.5 * theta * x).exp(), back.as_mut())?;
        root = &root * &forth;
        inverse = &back * &inverse;
        if residual <= criterion {
            return Ok(MeanResult { mean: gram(root.as_ref()), n_steps, residual });
        }
        last = Some(tangent);
    }
    Err(RiemannError::NotConverged { n_steps: max_steps })
}

/// The arithmetic mean.
pub fn euclidean_mean<M: Borrow<Mat<f64>> + Sync>(covs: &[M]) -> Result<Mat<f64>, RiemannError> {
    let n = size(covs)?;
    mean_of(
        covs,
        n,
        || (),
        |(), block: &[M], sum| {
            block.iter().map(Borrow::borrow).try_for_each(|cov| {
                spd::check_finite(cov.as_ref())?;
                *sum += cov;
                Ok(())
            })
        },
    )
}

/// The log-Euclidean mean, `exp(1/n Σ log C_i)`.
///
/// # Reference
/// V. Arsigny et al. (2007), SIAM Journal on Matrix Analysis and Applications 29(1),
/// doi:10.1137/050637996.
pub fn log_euclidean_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
) -> Result<Mat<f64>, RiemannError> {
    let n = size(covs)?;
    let log = mean_of(
        covs,
        n,
        || EigenScratch::new(n),
        |eigen: &mut EigenScratch, block: &[M], sum| {
            let mut covs = block.iter().map(|cov| cov.borrow().as_ref());
            covs.try_for_each(|cov| eigen.add_spd(cov, f64::ln, sum.as_mut()))
        },
    )?;
    spd::exp(log.as_ref())
}

/// The size that all matrices share.
fn size<M: Borrow<Mat<f64>>>(covs: &[M]) -> Result<usize, RiemannError> {
    let n = covs.first().ok_or(RiemannError::Empty)?.borrow().nrows();
    covs.iter().try_for_each(|cov| check_square(cov.borrow().as_ref(), n))?;
    Ok(n)
}

/// `1/n Σ f(C_i)`, where `add` adds all `f(C_i)` of a block to the lower triangle of its
/// sum.
fn mean_of<M: Borrow<Mat<f64>> + Sync, S>(
    covs: &[M],
    n: usize,
    scratch: impl Fn() -> S + Sync + Send,
    add: impl Fn(&mut S, &[M], &mut Mat<f64>) -> Result<(), RiemannError> + Sync + Send,
) -> Result<Mat<f64>, RiemannError> {
    let block_sum = |scratch: &mut S, block: &[M]| {
        let mut sum = Mat::zeros(n, n);
        add(scratch, block, &mut sum)?;
        Ok(sum)
    };
    let sums: Vec<Mat<f64>> =
        covs.par_chunks(BLOCK).map_init(scratch, block_sum).collect::<Result<_, RiemannError>>()?;
    let mut mean = sums.iter().fold(Mat::zeros(n, n), |total, sum| total + sum);
    mean *= faer::Scale(1.0 / covs.len() as f64);
    mirror_lower(mean.as_mut());
    Ok(mean)
}

/// One thread's buffers for logarithms in the frame of a point.
struct LogScratch<'a> {
    inverse: MatRef<'a, f64>,
    half: Mat<f64>,
    whitened: Mat<f64>,
    bundle: Bundle,
    eigen: EigenScratch,
}

impl<'a> LogScratch<'a> {
    fn new(inverse: MatRef<'a, f64>) -> Self {
        let n = inverse.nrows();
        Self {
            inverse,
            half: Mat::zeros(n, n),
            whitened: Mat::zeros(n, n),
            bundle: Bundle::new(n),
            eigen: EigenScratch::new(n),
        }
    }

    /// Adds the `log(A⁻¹ C A⁻ᵀ)` of a block to the lower triangle of `sum`.
    fn add<M: Borrow<Mat<f64>>>(
        &mut self,
        block: &[M],
        sum: &mut Mat<f64>,
    ) -> Result<(), RiemannError> {
        for covs in block.chunks(WIDTH) {
            for (lane, cov) in covs.iter().enumerate() {
                self.whiten(cov.borrow().as_ref());
                self.bundle.set(lane, self.whitened.as_ref())?;
            }
            self.bundle.clear_from(covs.len());
            self.bundle.reduce()?;
            for lane in 0..covs.len() {
                self.eigen.add_reduced_spd((&self.bundle, lane), f64::ln, sum.as_mut())?;
            }
        }
        Ok(())
    }

    /// `A⁻¹ C A⁻ᵀ`, its lower triangle.
    fn whiten(&mut self, cov: MatRef<'_, f64>) {
        matmul(self.half.as_mut(), Accum::Replace, self.inverse, cov, 1.0, Par::Seq);
        triangular::matmul(
            self.whitened.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            self.half.as_ref(),
            BlockStructure::Rectangular,
            self.inverse.transpose(),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    }
}

/// Barzilai and Borwein's step from the last two mean tangent vectors.
fn next_step(theta: f64, last: MatRef<'_, f64>, now: MatRef<'_, f64>) -> f64 {
    let (mut length, mut product) = (0.0, 0.0);
    for j in 0..last.ncols() {
        for (x, y) in last.col(j).iter().zip(now.col(j).iter()) {
            length += x * x;
            product += x * (x - y);
        }
    }
    let step = theta * length / product;
    // A curvature that is not positive tells nothing: take the plain step.
    if product > 0.0 { step.clamp(STEPS[0], STEPS[1]) } else { 1.0 }
}

/// `A Aᵀ`, symmetric to the bit.
fn gram(root: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = root * root.transpose();
    mirror_lower(out.as_mut());
    out
}
