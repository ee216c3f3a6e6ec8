//! Means of SPD matrices: of one class, or of a whole calibration.
//!
//! Batch functions: they allocate and use the caller's rayon pool. Matrices are taken in
//! blocks of a fixed size whose sums are added in order, so that the result is the same
//! bit for bit on any number of threads.

mod power;
mod wasserstein;

pub use power::{harmonic_mean, power_mean};
pub use wasserstein::wasserstein_mean;

use super::spd::{self, Bundle, EigenScratch, RiemannError, WIDTH, check_square, mirror_lower};
use faer::{Mat, MatRef};
use rayon::prelude::*;
use std::borrow::Borrow;

/// Matrices per parallel block. Part of the result's definition: the order of addition.
const BLOCK: usize = 8;
/// The same for matrices from [`LARGE`] on, of which there are few.
const BLOCK_OF_LARGE: usize = 4;
const LARGE: usize = 128;

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
    weighted_riemannian_mean(covs, &Weights::equal(), criterion, max_steps)
}

/// As [`riemannian_mean`], `argmin_M Σ w_i d²(M, C_i)`.
pub fn weighted_riemannian_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    weights: &Weights,
    criterion: f64,
    max_steps: usize,
) -> Result<MeanResult, RiemannError> {
    let start = spd::sqrt(weighted_euclidean_mean(covs, weights)?.as_ref())?;
    let n = start.nrows();
    let mut inverse = spd::exp((-0.5 * spd::log((&start * &start).as_ref())?).as_ref())?;
    let mut root = start;
    let (mut theta, mut last): (f64, Option<Mat<f64>>) = (1.0, None);
    for n_steps in 1..=max_steps {
        let scratch = || FrameScratch::new(inverse.as_ref(), f64::ln);
        let tangent = mean_of(covs, weights, n, scratch, FrameScratch::add)?;
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
    weighted_euclidean_mean(covs, &Weights::equal())
}

/// The arithmetic mean `Σ w_i C_i`.
pub fn weighted_euclidean_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    weights: &Weights,
) -> Result<Mat<f64>, RiemannError> {
    let n = size(covs)?;
    let add = |(): &mut (), block: &Block<'_, M>, sum: &mut Mat<f64>| {
        block.iter().try_for_each(|(cov, weight)| {
            spd::check_finite(cov)?;
            *sum += faer::Scale(weight) * cov;
            Ok(())
        })
    };
    mean_of(covs, weights, n, || (), add)
}

/// The log-Euclidean mean, `exp(1/n Σ log C_i)`.
///
/// # Reference
/// V. Arsigny et al. (2007), SIAM Journal on Matrix Analysis and Applications 29(1),
/// doi:10.1137/050637996.
pub fn log_euclidean_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
) -> Result<Mat<f64>, RiemannError> {
    weighted_log_euclidean_mean(covs, &Weights::equal())
}

/// The log-Euclidean mean, `exp(Σ w_i log C_i)`.
pub fn weighted_log_euclidean_mean<M: Borrow<Mat<f64>> + Sync>(
    covs: &[M],
    weights: &Weights,
) -> Result<Mat<f64>, RiemannError> {
    let n = size(covs)?;
    let add = |eigen: &mut EigenScratch, block: &Block<'_, M>, sum: &mut Mat<f64>| {
        let mut covs = block.iter();
        covs.try_for_each(|(cov, weight)| eigen.add_spd(cov, |x| weight * x.ln(), sum.as_mut()))
    };
    let log = mean_of(covs, weights, n, || EigenScratch::new(n), add)?;
    spd::exp(log.as_ref())
}

/// The size that all matrices share.
fn size<M: Borrow<Mat<f64>>>(covs: &[M]) -> Result<usize, RiemannError> {
    let n = covs.first().ok_or(RiemannError::Empty)?.borrow().nrows();
    covs.iter().try_for_each(|cov| check_square(cov.borrow().as_ref(), n))?;
    Ok(n)
}

/// How much each matrix counts: all the same, or as given.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights(Vec<f64>);

impl Weights {
    /// All matrices count the same, however many there are.
    pub fn equal() -> Self {
        Self(Vec::new())
    }

    /// One weight per matrix, of any sum.
    ///
    /// # Errors
    /// [`RiemannError::BadWeights`] where there is none, one is negative or not finite,
    /// or all are zero.
    pub fn new(weights: &[f64]) -> Result<Self, RiemannError> {
        let sum: f64 = weights.iter().sum();
        let sound = weights.iter().all(|w| *w >= 0.0) && sum > 0.0 && sum.is_finite();
        // Of mean one: equal weights are ones then, which change no bit.
        let scale = weights.len() as f64 / sum;
        let weights = weights.iter().map(|w| w * scale).collect();
        if sound { Ok(Self(weights)) } else { Err(RiemannError::BadWeights) }
    }

    /// `Σ w_i x_i`, the weights' sum taken as 1.
    pub(super) fn average(&self, values: &[f64]) -> f64 {
        let weights = self.0.iter().copied().chain(std::iter::repeat(1.0));
        values.iter().zip(weights).map(|(x, w)| w * x).sum::<f64>() / values.len() as f64
    }

    /// One weight for each of `n` matrices, of sum one.
    pub(super) fn normalised(&self, n: usize) -> Result<Vec<f64>, RiemannError> {
        match self.0.len() {
            0 => Ok(vec![1.0 / n as f64; n]),
            len if len == n => Ok(self.0.iter().map(|w| w / n as f64).collect()),
            _ => Err(RiemannError::BadWeights),
        }
    }

    /// Those of the matrices from `first` on: nothing where all count the same.
    fn from(&self, first: usize) -> &[f64] {
        self.0.get(first..).unwrap_or_default()
    }
}

/// Some of the matrices, and what each counts.
struct Block<'a, M> {
    covs: &'a [M],
    weights: &'a [f64],
}

impl<'a, M: Borrow<Mat<f64>>> Block<'a, M> {
    fn iter(&self) -> impl Iterator<Item = (MatRef<'a, f64>, f64)> {
        let weights = self.weights.iter().copied().chain(std::iter::repeat(1.0));
        self.covs.iter().map(|cov| cov.borrow().as_ref()).zip(weights)
    }
}

/// `Σ w_i f(C_i)`, where `add` adds all `w_i f(C_i)` of a block to the lower triangle of
/// its sum, with weights of mean one.
fn mean_of<M: Borrow<Mat<f64>> + Sync, S>(
    covs: &[M],
    weights: &Weights,
    n: usize,
    scratch: impl Fn() -> S + Sync + Send,
    add: impl Fn(&mut S, &Block<'_, M>, &mut Mat<f64>) -> Result<(), RiemannError> + Sync + Send,
) -> Result<Mat<f64>, RiemannError> {
    if !weights.0.is_empty() && weights.0.len() != covs.len() {
        return Err(RiemannError::BadWeights);
    }
    let n_of_block = if n < LARGE { BLOCK } else { BLOCK_OF_LARGE };
    let block_sum = |scratch: &mut S, (k, covs): (usize, &[M])| {
        let mut sum = Mat::zeros(n, n);
        add(scratch, &Block { covs, weights: weights.from(k * n_of_block) }, &mut sum)?;
        Ok(sum)
    };
    let blocks = covs.par_chunks(n_of_block).enumerate();
    let sums: Vec<Mat<f64>> =
        blocks.map_init(scratch, block_sum).collect::<Result<_, RiemannError>>()?;
    let mut mean = sums.iter().fold(Mat::zeros(n, n), |total, sum| total + sum);
    mean *= faer::Scale(1.0 / covs.len() as f64);
    mirror_lower(mean.as_mut());
    Ok(mean)
}

/// One thread's buffers for a function of matrices in the frame of a point,
/// `f(A C Aᵀ)`.
struct FrameScratch<'a, F> {
    frame: MatRef<'a, f64>,
    f: F,
    half: Mat<f64>,
    whitened: Mat<f64>,
    bundle: Bundle,
    eigen: EigenScratch,
}

impl<'a, F: Fn(f64) -> f64> FrameScratch<'a, F> {
    fn new(frame: MatRef<'a, f64>, f: F) -> Self {
        let n = frame.nrows();
        Self {
            frame,
            f,
            half: Mat::zeros(n, n),
            whitened: Mat::zeros(n, n),
            bundle: Bundle::new(if Bundle::pays(n, WIDTH) { n } else { 0 }),
            eigen: EigenScratch::new(n),
        }
    }

    /// Adds the `w f(A C Aᵀ)` of a block to the lower triangle of `sum`.
    fn add<M: Borrow<Mat<f64>>>(
        &mut self,
        block: &Block<'_, M>,
        sum: &mut Mat<f64>,
    ) -> Result<(), RiemannError> {
        for first in (0..block.covs.len()).step_by(WIDTH) {
            let some = || block.iter().skip(first).take(WIDTH);
            let n_some = some().count();
            if !Bundle::pays(sum.nrows(), n_some) {
                some().try_for_each(|(cov, weight)| self.add_one(cov, weight, sum))?;
                continue;
            }
            for (lane, (cov, _)) in some().enumerate() {
                self.whiten(cov);
                self.bundle.set(lane, self.whitened.as_ref())?;
            }
            self.bundle.clear_from(n_some);
            self.bundle.reduce()?;
            for (lane, (_, weight)) in some().enumerate() {
                let f = |x| weight * (self.f)(x);
                self.eigen.add_reduced_spd((&self.bundle, lane), f, sum.as_mut())?;
            }
        }
        Ok(())
    }

    /// Adds `w f(A C Aᵀ)` of one matrix.
    fn add_one(
        &mut self,
        cov: MatRef<'_, f64>,
        weight: f64,
        sum: &mut Mat<f64>,
    ) -> Result<(), RiemannError> {
        self.whiten(cov);
        let f = |x| weight * (self.f)(x);
        self.eigen.add_spd(self.whitened.as_ref(), f, sum.as_mut())
    }

    /// `A C Aᵀ`, its lower triangle.
    fn whiten(&mut self, cov: MatRef<'_, f64>) {
        let (half, whitened) = (self.half.as_mut(), self.whitened.as_mut());
        spd::lower_congruence_into(self.frame, cov, half, whitened);
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
