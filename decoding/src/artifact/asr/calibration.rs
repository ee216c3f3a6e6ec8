//! From a calibration recording to clean samples, and from these to thresholds.

use super::{AsrError, AsrParams, DistributionParams, Shaping, fit_distribution, samples_of};
use crate::riemann::spd::{EigenScratch, RiemannError};
use acquisition::time::SampleRate;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par};
use std::f64::consts::SQRT_2;

/// Amplitudes of a clean window lie between these standard deviations.
const CLEAN_Z: [f64; 2] = [-3.5, 5.0];
/// Length of Weiszfeld's last step, in the unit of the covariances.
const MEDIAN_TOLERANCE: f64 = 1e-5;
const MEDIAN_MAX_STEPS: usize = 500;

/// See [`super::Asr::clean_samples`].
pub(super) fn clean_samples(
    params: &AsrParams,
    rate: SampleRate,
    samples: MatRef<'_, f64>,
) -> Result<Vec<bool>, AsrError> {
    let (n_channels, n_samples) = samples.shape();
    if n_channels == 0 {
        return Err(RiemannError::Empty.into());
    }
    let window = (params.window_secs * rate.hz()) as usize;
    let step = window as f64 * (1.0 - params.overlap);
    let starts = starts(n_samples, window, step)?;
    let mut z_scores = Vec::with_capacity(n_channels);
    let mut row = vec![0.0; n_samples];
    for i in 0..n_channels {
        row.iter_mut().zip(samples.row(i).iter()).for_each(|(y, x)| *y = *x);
        let amplitudes = amplitudes(&row, &starts, window);
        let clean = fit_distribution(params.into(), &amplitudes)?;
        let z = |a: f64| (a - clean.mean) / clean.std;
        z_scores.push(amplitudes.into_iter().map(z).collect::<Vec<_>>());
    }
    let max_bad = (n_channels as f64 * params.max_bad_fraction).round_ties_even() as usize;
    let max_bad = max_bad.min(n_channels.saturating_sub(1));
    let mut keep = vec![true; n_samples];
    for (k, start) in starts.iter().enumerate() {
        let mut sorted: Vec<f64> = z_scores.iter().map(|z| z[k]).collect();
        sorted.sort_by(f64::total_cmp);
        let [low, high] = CLEAN_Z;
        if sorted[n_channels - 1 - max_bad] > high || sorted[max_bad] < low {
            keep[*start..start + window].fill(false);
        }
    }
    Ok(keep)
}

/// See [`super::Asr::fit_clean`]: the covariance, and the thresholds.
pub(super) fn thresholds(
    params: &AsrParams,
    rate: SampleRate,
    shaping: &Shaping,
    samples: MatRef<'_, f64>,
) -> Result<(Mat<f64>, Mat<f64>), AsrError> {
    let (n_channels, n_samples) = samples.shape();
    if n_channels == 0 {
        return Err(RiemannError::Empty.into());
    }
    let window = samples_of(params.window_secs, rate);
    let step = (window as f64 * (1.0 - params.overlap)).round_ties_even();
    let starts = starts(n_samples, window, step)?;
    if samples.col_iter().any(|col| col.iter().any(|x| !x.is_finite())) {
        return Err(AsrError::NotFinite);
    }
    let shaped = shaping.filtered(samples);
    let blocks = block_covariances(shaped.as_ref(), params.block_samples);
    let covariance = unpacked(&geometric_median(&blocks)?, n_channels);
    let mut eigen = EigenScratch::new(n_channels);
    let (_, vectors) = eigen.decompose(covariance.as_ref())?;
    let mut thresholds = vectors.transpose().to_owned();
    let mut component = Mat::<f64>::zeros(1, n_samples);
    let mut row = vec![0.0; n_samples];
    for i in 0..n_channels {
        let direction = vectors.col(i).transpose().as_mat();
        matmul(component.as_mut(), Accum::Replace, direction, &shaped, 1.0, Par::Seq);
        row.iter_mut().zip(component.row(0).iter()).for_each(|(y, x)| *y = *x);
        let clean = fit_distribution(params.into(), &amplitudes(&row, &starts, window))?;
        let threshold = clean.mean + params.cutoff * clean.std;
        thresholds.row_mut(i).iter_mut().for_each(|t| *t *= threshold);
    }
    Ok((covariance, thresholds))
}

impl From<&AsrParams> for DistributionParams {
    fn from(params: &AsrParams) -> Self {
        let &AsrParams { min_clean_fraction, max_dropout_fraction, .. } = params;
        Self { min_clean_fraction, max_dropout_fraction }
    }
}

/// First samples of the windows.
fn starts(n_samples: usize, window: usize, step: f64) -> Result<Vec<usize>, AsrError> {
    let room = n_samples.saturating_sub(window) as f64;
    if window == 0 || room == 0.0 {
        return Err(AsrError::TooShort { n_samples });
    }
    let n_windows = (room / step.max(1.0)).ceil() as usize;
    Ok((0..n_windows).map(|k| (k as f64 * step.max(1.0)).round_ties_even() as usize).collect())
}

/// Root mean square of each window.
fn amplitudes(samples: &[f64], starts: &[usize], window: usize) -> Vec<f64> {
    let power = |start: &usize| samples[*start..start + window].iter().map(|x| x * x).sum::<f64>();
    starts.iter().map(|start| (power(start) / window as f64).sqrt()).collect()
}

/// `1/n Σ x xᵀ` of each block, the last one filled up with its last sample; packed so that
/// the Euclidean distance of two is the Frobenius distance of the matrices.
fn block_covariances(samples: MatRef<'_, f64>, block: usize) -> Vec<Vec<f64>> {
    let (n_channels, n_samples) = samples.shape();
    let mut gram = Mat::zeros(n_channels, n_channels);
    let mut frames = Mat::zeros(n_channels, block);
    let one = |first: usize| {
        for k in 0..block {
            frames.col_mut(k).copy_from(samples.col((first + k).min(n_samples - 1)));
        }
        triangular::matmul(
            gram.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            frames.as_ref(),
            BlockStructure::Rectangular,
            frames.transpose(),
            BlockStructure::Rectangular,
            (block as f64).recip(),
            Par::Seq,
        );
        packed(gram.as_ref())
    };
    (0..n_samples - 1).step_by(block).map(one).collect()
}

/// The lower triangle, column by column, off the diagonal times `√2`.
fn packed(a: MatRef<'_, f64>) -> Vec<f64> {
    let column = |j: usize| {
        let below = a.col(j).subrows(j, a.nrows() - j);
        below.iter().enumerate().map(|(k, x)| if k == 0 { *x } else { SQRT_2 * x })
    };
    (0..a.ncols()).flat_map(column).collect()
}

fn unpacked(packed: &[f64], dim: usize) -> Mat<f64> {
    let mut out = Mat::zeros(dim, dim);
    let mut rest = packed.iter();
    for j in 0..dim {
        for (i, x) in (j..dim).zip(&mut rest) {
            let value = if i == j { *x } else { x / SQRT_2 };
            (out[(i, j)], out[(j, i)]) = (value, value);
        }
    }
    out
}

/// The point with the smallest sum of distances to `points`, by Weiszfeld's steps from the
/// mean; a step that lands on a point is shortened as Vardi and Zhang say.
///
/// # Reference
/// Y. Vardi, C.-H. Zhang (2000), Proceedings of the National Academy of Sciences 97(4),
/// doi:10.1073/pnas.97.4.1423.
fn geometric_median(points: &[Vec<f64>]) -> Result<Vec<f64>, AsrError> {
    let (n_points, dim) = (points.len(), points[0].len());
    let mut centre = vec![0.0; dim];
    for point in points {
        centre.iter_mut().zip(point).for_each(|(c, x)| *c += x / n_points as f64);
    }
    for _ in 0..MEDIAN_MAX_STEPS {
        let (mut next, mut total, mut n_here) = (vec![0.0; dim], 0.0, 0_usize);
        for point in points {
            let distance = distance(point, &centre);
            if distance == 0.0 {
                n_here += 1;
                continue;
            }
            total += distance.recip();
            next.iter_mut().zip(point).for_each(|(y, x)| *y += x / distance);
        }
        if n_here == n_points {
            return Ok(centre);
        }
        for y in &mut next {
            *y /= total;
        }
        if n_here > 0 {
            let pull = distance(&next, &centre) * total;
            let stay = if pull == 0.0 { 0.0 } else { (n_here as f64 / pull).min(1.0) };
            next.iter_mut().zip(&centre).for_each(|(y, c)| *y = (1.0 - stay) * *y + stay * c);
        }
        let step = distance(&next, &centre);
        centre = next;
        if step < MEDIAN_TOLERANCE {
            return Ok(centre);
        }
    }
    Err(AsrError::NotConverged { n_blocks: n_points })
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}
