//! Covariance matrices, how they are shrunk, and a window's covariance that slides.

mod estimator;
mod sliding;

pub use estimator::{CovarianceError, CovarianceRuntime, Estimator};
pub use sliding::SlidingCovariance;

use super::spd::mirror_lower;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// The covariance `1/n Σ_t (x_t - x̄)(x_t - x̄)ᵀ` of `samples` `(n_channels, n_samples)`:
/// mean removed per channel, divided by the number of samples. Both triangles. Allocates.
pub fn scm(samples: MatRef<'_, f64>) -> Mat<f64> {
    let (n_channels, n_samples) = samples.shape();
    let n = n_samples as f64;
    let means: Vec<f64> = (0..n_channels).map(|i| samples.row(i).iter().sum::<f64>() / n).collect();
    let centred = Mat::from_fn(n_channels, n_samples, |i, t| samples[(i, t)] - means[i]);
    let mut cov = Mat::zeros(n_channels, n_channels);
    gram_into(cov.as_mut(), centred.as_ref(), 1.0 / n);
    cov
}

/// `scale X Xᵀ` into both triangles.
fn gram_into(mut out: MatMut<'_, f64>, x: MatRef<'_, f64>, scale: f64) {
    triangular::matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        x,
        BlockStructure::Rectangular,
        x.transpose(),
        BlockStructure::Rectangular,
        scale,
        Par::Seq,
    );
    mirror_lower(out);
}

/// Oracle-approximating shrinkage, in place; returns the shrinkage `ρ`.
///
/// `C ← (1 - ρ) C + ρ μ I`, `μ = tr C / p`,
/// `ρ = min(1, (m + μ²) / ((n + 1)(m - μ²/p)))` with `m` the mean of the squared
/// elements; 1 where the denominator is 0. As scikit-learn's `oas`, which leaves out
/// the term in `2/p` of the paper.
///
/// Thread: decoding thread. Allocation: none.
///
/// # Reference
/// Y. Chen, A. Wiesel, Y. C. Eldar, A. O. Hero (2010), IEEE Transactions on Signal
/// Processing 58(10), doi:10.1109/TSP.2010.2053029.
pub fn oas_shrink(mut cov: MatMut<'_, f64>, n_samples: usize) -> f64 {
    let p = cov.nrows() as f64;
    let mu = trace(cov.as_ref()) / p;
    let mean_square = sum_of_squares(cov.as_ref()) / (p * p);
    let denominator = (n_samples as f64 + 1.0) * (mean_square - mu * mu / p);
    let rho =
        if denominator == 0.0 { 1.0 } else { ((mean_square + mu * mu) / denominator).min(1.0) };
    shrink(cov.as_mut(), rho, mu);
    rho
}

/// Ledoit-Wolf's covariance of `x` `(n_samples, n_features)`, and its shrinkage `δ`.
/// Allocates.
///
/// `C = (1 - δ) S + δ μ I` with `S` the covariance (mean removed, divided by `n`),
/// `μ = tr S / p`, `δ = min(β, d) / d`, `d = (‖S‖² - p μ²) / p` and
/// `β = (1/n Σ_t ‖z_t‖⁴ - ‖S‖²) / (p n)`, `z_t` the centred samples. As scikit-learn's
/// `ledoit_wolf`; one feature is not shrunk.
///
/// # Reference
/// O. Ledoit, M. Wolf (2004), Journal of Multivariate Analysis 88(2),
/// doi:10.1016/S0047-259X(03)00096-4.
pub fn ledoit_wolf(x: MatRef<'_, f64>) -> (Mat<f64>, f64) {
    let (n_samples, n_features) = x.shape();
    let n = n_samples as f64;
    let means: Vec<f64> = (0..n_features).map(|j| x.col(j).iter().sum::<f64>() / n).collect();
    let centred = Mat::from_fn(n_features, n_samples, |j, t| x[(t, j)] - means[j]);
    let mut cov = Mat::zeros(n_features, n_features);
    gram_into(cov.as_mut(), centred.as_ref(), 1.0 / n);
    let quartic: f64 =
        (0..n_samples).map(|t| centred.col(t).iter().map(|z| z * z).sum::<f64>().powi(2)).sum();
    let delta = ledoit_wolf_shrink(cov.as_mut(), quartic, n_samples);
    (cov, delta)
}

/// Ledoit-Wolf's shrinkage of a covariance in place, given `Σ_t ‖z_t‖⁴` of the centred
/// samples; returns the shrinkage `δ`. One channel is not shrunk.
///
/// Thread: decoding thread. Allocation: none.
pub fn ledoit_wolf_shrink(mut cov: MatMut<'_, f64>, quartic: f64, n_samples: usize) -> f64 {
    let (trace, square) = (trace(cov.as_ref()), sum_of_squares(cov.as_ref()));
    let delta = ledoit_wolf_delta(trace, square, quartic, (n_samples, cov.nrows()));
    let mu = trace / cov.nrows() as f64;
    shrink(cov.as_mut(), delta, mu);
    delta
}

/// Ledoit-Wolf's shrinkage `δ` of a covariance, given its `trace`, the sum of its `square`s
/// and `Σ_t ‖z_t‖⁴` of the centred samples. One channel is not shrunk.
///
/// Thread: decoding thread. Allocation: none.
pub fn ledoit_wolf_delta(
    trace: f64,
    square: f64,
    quartic: f64,
    (n_samples, n_channels): (usize, usize),
) -> f64 {
    if n_channels == 1 {
        return 0.0;
    }
    let (n, p) = (n_samples as f64, n_channels as f64);
    let mu = trace / p;
    let distance = (square - p * mu * mu) / p;
    let beta = ((quartic / n - square) / (p * n)).min(distance);
    if beta == 0.0 { 0.0 } else { beta / distance }
}

fn trace(a: MatRef<'_, f64>) -> f64 {
    (0..a.nrows()).map(|i| a[(i, i)]).sum()
}

fn sum_of_squares(a: MatRef<'_, f64>) -> f64 {
    a.col_iter().map(|col| col.iter().map(|x| x * x).sum::<f64>()).sum()
}

/// `(1 - rho) C + rho mu I`.
fn shrink(mut cov: MatMut<'_, f64>, rho: f64, mu: f64) {
    for j in 0..cov.ncols() {
        for x in cov.as_mut().col_mut(j).iter_mut() {
            *x *= 1.0 - rho;
        }
        cov[(j, j)] += rho * mu;
    }
}

#[cfg(test)]
mod tests;
