//! The discriminant of far fewer examples than features, without their covariance.
//!
//! Shrunk, the covariance within classes is a diagonal and a part of low rank,
//! `S = Δ + U'U`, with a row of `U` for each example: `S^-1` takes the inverse of a matrix
//! over examples (M. Woodbury 1950), not of one over features.

use super::Standardised;
use crate::riemann::covariance::ledoit_wolf_delta;
use faer::linalg::solvers::Solve as _;
use faer::{Mat, MatRef, Side};

/// `S`, as diagonal and rows.
pub(super) struct Few {
    /// `Δ^(-1/2)` of each feature.
    scale: Vec<f64>,
    /// `A = U Δ^(-1/2)`, `(n_examples, n_features)`.
    rows: Mat<f64>,
}

/// Where a feature's own part of the covariance is less than this share of all of it, digits
/// would be lost.
const LEAST: f64 = 1e-10;

impl Few {
    /// Nothing where it does not pay, where a feature has hardly a part of its own, or where
    /// something is not finite.
    pub(super) fn of(of: &Standardised) -> Option<Self> {
        let (n_examples, n_features) = (of.n_examples(), of.means.nrows());
        if 2 * n_examples > n_features {
            return None;
        }
        let mut rows = Mat::zeros(n_examples, n_features);
        let mut diagonal = vec![0.0; n_features];
        let mut first = 0;
        for (examples, deviations) in &of.classes {
            let count = examples.nrows();
            let prior = count as f64 / n_examples as f64;
            // Its diagonal holds each example's square length, its squares are those of the
            // features' covariance.
            let gram = examples * examples.transpose();
            let quartic: f64 = (0..count).map(|i| gram[(i, i)].powi(2)).sum();
            let trace = (0..count).map(|i| gram[(i, i)]).sum::<f64>() / count as f64;
            let square = gram.squared_norm_l2() / (count as f64).powi(2);
            let delta = ledoit_wolf_delta(trace, square, quartic, (count, n_features));
            let own = prior * delta * trace / n_features as f64;
            let weight = (prior * (1.0 - delta) / count as f64).sqrt();
            for (j, deviation) in deviations.iter().enumerate() {
                diagonal[j] += own * deviation * deviation;
                for i in 0..count {
                    rows[(first + i, j)] = weight * deviation * examples[(i, j)];
                }
            }
            first += count;
        }
        let all = diagonal.iter().copied().fold(rows.squared_norm_l2(), f64::max);
        let is_sound = |own: &f64| *own > LEAST * all;
        if !all.is_finite() || !diagonal.iter().all(is_sound) {
            return None;
        }
        let scale: Vec<f64> = diagonal.iter().map(|own| own.sqrt().recip()).collect();
        for (j, scale) in scale.iter().enumerate() {
            rows.col_mut(j).iter_mut().for_each(|v| *v *= scale);
        }
        Some(Self { scale, rows })
    }

    /// `S^-1 rhs`, with `Δ^(-1/2) (I - A' (I + A A')^-1 A) Δ^(-1/2)`.
    pub(super) fn solve(&self, rhs: MatRef<'_, f64>) -> Option<Mat<f64>> {
        let Self { scale, rows } = self;
        let mut scaled = Mat::from_fn(rhs.nrows(), rhs.ncols(), |j, k| scale[j] * rhs[(j, k)]);
        let over_examples =
            rows * rows.transpose() + Mat::<f64>::identity(rows.nrows(), rows.nrows());
        let solved = over_examples.llt(Side::Lower).ok()?.solve(rows * &scaled);
        scaled -= rows.transpose() * solved;
        for (j, scale) in scale.iter().enumerate() {
            for k in 0..scaled.ncols() {
                scaled[(j, k)] *= scale;
            }
        }
        Some(scaled)
    }
}
