//! Normalised partial correlations of forward and backward errors, lag after lag.

use super::{Intercept, Mvar, MvarError, matrix};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, MatRef, Par, Scale, Side};
use ndarray::{ArrayView3, Axis};

/// Errors of one epoch, `(m, n_samples)`.
struct Errors {
    forward: Mat<f64>,
    backward: Mat<f64>,
}

/// What a stage adds to the model.
struct Reflection {
    forward: Mat<f64>,
    backward: Mat<f64>,
}

pub(super) fn fit(
    epochs: &ArrayView3<'_, f64>,
    order: usize,
    intercept: Intercept,
) -> Result<Mvar, MvarError> {
    let (n_epochs, m, n_samples) = epochs.dim();
    let n_observations = n_epochs * n_samples.saturating_sub(order);
    let needed = m * (order + 1) + 1;
    if n_observations < needed {
        return Err(MvarError::TooShort { n_observations, needed, order, n_channels: m });
    }
    let n_total = n_epochs * n_samples;
    let mean = |channel| epochs.index_axis(Axis(1), channel).sum() / n_total as f64;
    let means: Vec<f64> = match intercept {
        Intercept::Estimated => (0..m).map(mean).collect(),
        Intercept::Zero => vec![0.0; m],
    };
    let mut errors: Vec<Errors> = (0..n_epochs)
        .map(|epoch| {
            let x = Mat::from_fn(m, n_samples, |i, t| epochs[(epoch, i, t)] - means[i]);
            Errors { forward: x.clone(), backward: x }
        })
        .collect();
    let mut noise = Mat::zeros(m, m);
    for one in &errors {
        noise += &one.forward * one.forward.transpose();
    }
    noise *= Scale((n_total as f64).recip());
    let mut backward_noise = noise.clone();
    let (mut ahead, mut behind): (Vec<Mat<f64>>, Vec<Mat<f64>>) = (Vec::new(), Vec::new());
    for k in 1..=order {
        let stage = reflect(&errors, k, &mut noise, &mut backward_noise)?;
        for one in &mut errors {
            advance(one, k, &stage);
        }
        let lower = |a: &[Mat<f64>], b: &[Mat<f64>], by: &Mat<f64>| -> Vec<Mat<f64>> {
            a.iter().zip(b.iter().rev()).map(|(a, b)| a - by * b).collect()
        };
        let next = lower(&ahead, &behind, &stage.forward);
        behind = lower(&behind, &ahead, &stage.backward);
        ahead = next;
        ahead.push(stage.forward);
        behind.push(stage.backward);
    }
    let constant = |i: usize| -> f64 {
        let explained = |a: &Mat<f64>| (0..m).map(|j| a[(i, j)] * means[j]).sum::<f64>();
        means[i] - ahead.iter().map(explained).sum::<f64>()
    };
    Ok(Mvar {
        coefficients: matrix(&Mat::from_fn(m, m * order, |i, j| ahead[j / m][(i, j % m)]))?,
        intercept: (0..m).map(constant).collect(),
        noise: matrix(&noise)?,
        n_observations: n_total,
        n_regressors: m * order + usize::from(intercept == Intercept::Estimated),
    })
}

pub(super) fn root(products: &Mat<f64>) -> Result<Mat<f64>, MvarError> {
    Ok(products.llt(Side::Lower).map_err(|_| MvarError::Dependent)?.L().to_owned())
}

/// `lower^-1 of`.
pub(super) fn solved(lower: &Mat<f64>, mut of: Mat<f64>) -> Mat<f64> {
    solve_lower_triangular_in_place(lower.as_ref(), of.as_mut(), Par::Seq);
    of
}

/// The errors that stage `k` compares: forward ones, and backward ones a sample before.
fn compared(errors: &Errors, k: usize) -> (MatRef<'_, f64>, MatRef<'_, f64>) {
    let n = errors.forward.ncols() - k;
    (errors.forward.as_ref().subcols(k, n), errors.backward.as_ref().subcols(k - 1, n))
}

/// Partial correlations `rho` of stage `k`, and the noise that they leave. The singular
/// values of `rho` are below 1, since its sums are those of one set of samples: that is
/// what keeps the model stable.
fn reflect(
    errors: &[Errors],
    k: usize,
    noise: &mut Mat<f64>,
    backward_noise: &mut Mat<f64>,
) -> Result<Reflection, MvarError> {
    let m = noise.nrows();
    let (mut ff, mut bb, mut fb) = (Mat::zeros(m, m), Mat::zeros(m, m), Mat::zeros(m, m));
    for one in errors {
        let (f, b) = compared(one, k);
        ff += f * f.transpose();
        bb += b * b.transpose();
        fb += f * b.transpose();
    }
    // rho = L_f^-1 F_b L_b^-T.
    let half = solved(&root(&ff)?, fb);
    let rho_t = solved(&root(&bb)?, half.transpose().to_owned());
    let (forward_root, backward_root) = (root(noise)?, root(backward_noise)?);
    // K_f = S_f rho S_b^-1, so S_b^T K_f^T = (S_f rho)^T; likewise backwards.
    let divided = |by: &Mat<f64>, of: Mat<f64>| -> Mat<f64> {
        let inverse = solved(by, Mat::identity(m, m));
        of * inverse
    };
    let forward = divided(&backward_root, &forward_root * rho_t.transpose());
    let backward = divided(&forward_root, &backward_root * &rho_t);
    let left = |root: &Mat<f64>, rho: MatRef<'_, f64>| -> Mat<f64> {
        let explained = root * rho;
        root * root.transpose() - &explained * explained.transpose()
    };
    *noise = left(&forward_root, rho_t.transpose());
    *backward_noise = left(&backward_root, rho_t.as_ref());
    Ok(Reflection { forward, backward })
}

/// The errors after stage `k`.
fn advance(errors: &mut Errors, k: usize, stage: &Reflection) {
    let (f, b) = compared(errors, k);
    let forward = f - &stage.forward * b;
    let backward = b - &stage.backward * f;
    let n = forward.ncols();
    errors.forward.as_mut().subcols_mut(k, n).copy_from(&forward);
    errors.backward.as_mut().subcols_mut(k, n).copy_from(&backward);
}
