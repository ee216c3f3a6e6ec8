//! What all filters fitted to samples do first: check windows, average and pool them.

use crate::classifier::check_size;
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::covariance::{CovarianceError, Estimator, oas_shrink};
use crate::riemann::spd::mirror_lower;
use crate::window::Planar;
use acquisition::marker::ClassIdx;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Checks that windows are finite and of one shape, and returns that:
/// `(n_channels, n_samples)`.
pub(super) fn check(windows: &[Planar<'_>]) -> Result<(usize, usize), FitError> {
    let shape = windows.first().map_or((0, 0), |w| (w.n_channels(), w.n_samples()));
    for (i, window) in windows.iter().enumerate() {
        check_size("a window's list of channels", shape.0, window.n_channels())?;
        check_size("a channel of a window", shape.1, window.n_samples())?;
        let finite = |c: usize| window.channel(c).iter().all(|x| x.is_finite());
        if let Some(channel) = (0..window.n_channels()).find(|c| !finite(*c)) {
            let what = format!("channel {channel} of example {i}");
            return Err(FitError::NotFinite { what });
        }
    }
    Ok(shape)
}

/// The mean of a class's windows, sample by sample.
pub(super) fn mean_response(windows: &[Planar<'_>], labels: &[ClassIdx], class: usize) -> Mat<f64> {
    let (n_channels, n_samples) = (windows[0].n_channels(), windows[0].n_samples());
    let (mut sum, mut n) = (vec![0.0; n_channels * n_samples], 0.0);
    for (window, _) in windows.iter().zip(labels).filter(|(_, l)| l.index() == class) {
        n += 1.0;
        for (c, row) in sum.chunks_exact_mut(n_samples).enumerate() {
            for (sum, x) in row.iter_mut().zip(window.channel(c)) {
                *sum += x;
            }
        }
    }
    Mat::from_fn(n_channels, n_samples, |c, t| sum[c * n_samples + t] / n)
}

/// The covariance of all windows put one after the other: the mean over all of them
/// removed, divided by the number of all samples.
pub(super) fn pooled_covariance(windows: &[Planar<'_>]) -> Mat<f64> {
    let (n_channels, n_samples) = (windows[0].n_channels(), windows[0].n_samples());
    let n = (windows.len() * n_samples) as f64;
    let sum = |c: usize| windows.iter().map(|w| w.channel(c).iter().sum::<f64>()).sum::<f64>();
    let means: Vec<f64> = (0..n_channels).map(|c| sum(c) / n).collect();
    let mut centred = vec![0.0; n_channels * n_samples];
    let mut covariance = Mat::zeros(n_channels, n_channels);
    for window in windows {
        for (c, row) in centred.chunks_exact_mut(n_samples).enumerate() {
            for (y, x) in row.iter_mut().zip(window.channel(c)) {
                *y = x - means[c];
            }
        }
        let x = MatRef::from_row_major_slice(&centred, n_channels, n_samples);
        add_gram(covariance.as_mut(), x, 1.0 / n);
    }
    mirror_lower(covariance.as_mut());
    covariance
}

/// The covariance of all windows put one after the other, by any estimator. Takes the
/// memory of all windows where shrinkage depends on the samples themselves.
pub(super) fn pooled_estimate(
    windows: &[Planar<'_>],
    estimator: Estimator,
) -> Result<Mat<f64>, CovarianceError> {
    let (n_channels, n_samples) = (windows[0].n_channels(), windows.len() * windows[0].n_samples());
    estimator.check(n_channels, n_samples)?;
    if matches!(estimator, Estimator::Scm | Estimator::Oas) {
        let mut covariance = pooled_covariance(windows);
        if estimator == Estimator::Oas {
            oas_shrink(covariance.as_mut(), n_samples);
        }
        return Ok(covariance);
    }
    let rows = (0..n_channels).flat_map(|c| windows.iter().flat_map(move |w| w.channel(c)));
    let rows: Vec<f64> = rows.copied().collect();
    let mut covariance = Mat::zeros(n_channels, n_channels);
    let samples = MatRef::from_row_major_slice(&rows, n_channels, n_samples);
    estimator.plan(n_channels, n_samples)?.covariance_into(samples, covariance.as_mut());
    Ok(covariance)
}

/// Adds `scale X X'` to the lower triangle of `out`.
pub(super) fn add_gram(out: MatMut<'_, f64>, x: MatRef<'_, f64>, scale: f64) {
    triangular::matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Add,
        x,
        BlockStructure::Rectangular,
        x.transpose(),
        BlockStructure::Rectangular,
        scale,
        Par::Seq,
    );
}

/// Removes the mean.
pub(super) fn centre(row: &mut [f64]) {
    let mean = row.iter().sum::<f64>() / row.len() as f64;
    for x in row {
        *x -= mean;
    }
}

/// `filters X` into rows of `n_samples`, one per filter.
///
/// # Panics
/// Where the window or `out` has another size than the filters.
pub(crate) fn filter_into(filters: &Matrix, window: &Planar<'_>, out: &mut [f64]) {
    let (n_filters, n_channels) = (filters.n_rows(), filters.n_cols());
    assert_eq!(window.n_channels(), n_channels, "a window of other channels");
    assert_eq!(out.len(), n_filters * window.n_samples(), "room for each filter's samples");
    let weights = MatRef::from_row_major_slice(filters.as_slice(), n_filters, n_channels);
    let out = MatMut::from_row_major_slice_mut(out, n_filters, window.n_samples());
    matmul(out, Accum::Replace, weights, window.as_mat(), 1.0, Par::Seq);
}
