//! Approximate joint diagonalisation of positive definite matrices.

use crate::decoder::FitError;
use faer::Mat;

/// Criterion per pair of rows, as in pyRiemann's `ajd_pham`.
const CRITERION: f64 = 1e-6;
/// Most sweeps over all pairs.
const MAX_SWEEPS: usize = 100;

/// `V` that makes all `V C V'` as diagonal as possible, vectors in rows: it minimises
/// the sum of `ln det diag(V C V') - ln det(V C V')` by sweeps over pairs of rows,
/// starting from the identity.
///
/// # Errors
/// [`FitError::NotConverged`]; [`FitError::NotPositiveDefinite`] where a diagonal
/// element is not positive.
///
/// # Reference
/// D.-T. Pham: Joint approximate diagonalization of positive definite Hermitian matrices
/// (2001), doi 10.1137/S089547980035689X.
pub(super) fn joint_diagonaliser(matrices: &[Mat<f64>]) -> Result<Mat<f64>, FitError> {
    let n = matrices.first().map_or(0, Mat::nrows);
    let mut matrices = matrices.to_vec();
    let positive = |m: &Mat<f64>| m.diagonal().column_vector().iter().all(|x| *x > 0.0);
    if !matrices.iter().all(positive) {
        let what = "the mean covariance of a class".to_owned();
        return Err(FitError::NotPositiveDefinite { what });
    }
    let mut vectors = Mat::identity(n, n);
    for _ in 0..MAX_SWEEPS {
        let mut criterion = 0.0;
        for i in 1..n {
            for j in 0..i {
                let (rotation, gain) = pair(&matrices, i, j);
                criterion += gain;
                for matrix in &mut matrices {
                    mix_rows(matrix, (i, j), rotation);
                    mix_columns(matrix, (i, j), rotation);
                }
                mix_rows(&mut vectors, (i, j), rotation);
            }
        }
        if criterion < CRITERION * (n * n.saturating_sub(1)) as f64 || n == 1 {
            return Ok(vectors);
        }
    }
    let what = "the joint diagonalisation of the classes' covariances".to_owned();
    Err(FitError::NotConverged { what, n_steps: MAX_SWEEPS })
}

/// How two rows are mixed to make their products smaller: row `i` takes `.0` times row
/// `j`, and the other way round; and what that gains.
fn pair(matrices: &[Mat<f64>], i: usize, j: usize) -> ((f64, f64), f64) {
    let n = matrices.len() as f64;
    let mean = |f: &dyn Fn(&Mat<f64>) -> f64| matrices.iter().map(f).sum::<f64>() / n;
    let g_ij = mean(&|m| m[(i, j)] / m[(i, i)]);
    let g_ji = mean(&|m| m[(i, j)] / m[(j, j)]);
    let w_ij = mean(&|m| m[(j, j)] / m[(i, i)]);
    let w_ji = mean(&|m| m[(i, i)] / m[(j, j)]);
    let (omega, ratio) = ((w_ij * w_ji).sqrt(), (w_ji / w_ij).sqrt());
    let sum = (ratio * g_ij + g_ji) / (omega + 1.0);
    // Two rows in one proportion in all matrices can't be told apart: any mixture does.
    let difference = (ratio * g_ij - g_ji) / (omega - 1.0).max(1e-9);
    let (h_ij, h_ji) = (sum + difference, (sum - difference) / ratio);
    let gain = n * (g_ij * h_ij + g_ji * h_ji) / 2.0;
    let scale = 1.0 + (1.0 - h_ij * h_ji).sqrt();
    ((-h_ij / scale, -h_ji / scale), gain)
}

fn mix_rows(m: &mut Mat<f64>, (i, j): (usize, usize), (from_j, from_i): (f64, f64)) {
    for k in 0..m.ncols() {
        let (a, b) = (m[(i, k)], m[(j, k)]);
        m[(i, k)] = a + from_j * b;
        m[(j, k)] = b + from_i * a;
    }
}

fn mix_columns(m: &mut Mat<f64>, (i, j): (usize, usize), (from_j, from_i): (f64, f64)) {
    for k in 0..m.nrows() {
        let (a, b) = (m[(k, i)], m[(k, j)]);
        m[(k, i)] = a + from_j * b;
        m[(k, j)] = b + from_i * a;
    }
}
