//! Linear regression on a few regressors, and how much of a figure it explains.
//!
//! Regressors are standardised, and directions in which they hardly vary together are left
//! out: the solution is the one of least norm, so that regressors may repeat each other.
//!
//! # Reference
//! The permutation test of R²: T. E. Nichols, A. P. Holmes (2002), doi 10.1002/hbm.1058.

use super::std;
use faer::{Mat, Side};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Of the largest eigenvalue of the regressors' correlations: directions below are left out.
const LEAST_EIGENVALUE: f64 = 1e-10;

/// Permutations tie with what was observed where they are as near as this.
const TIED: f64 = 1e-12;

/// Outputs as a mean and what regressors add to it.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearModel {
    centre: Vec<f64>,
    /// Per regressor, an output after the other.
    coef: Vec<Vec<f64>>,
}

impl LinearModel {
    /// Least squares of `y` (`n_examples` rows of outputs) on `x` (`n_examples` rows of
    /// regressors) with an intercept. `None` where there are not more examples than
    /// regressors and one, or where something is not finite or of another length.
    ///
    /// Batch: allocates.
    pub fn fit(x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<Self> {
        let n_outputs = y.first()?.len();
        let is_sound = |row: &Vec<f64>| row.len() == n_outputs && row.iter().all(|v| v.is_finite());
        if x.len() != y.len() || !y.iter().all(is_sound) {
            return None;
        }
        let standard = Standard::of(x)?;
        let whitening = standard.whitening()?;
        let n = y.len() as f64;
        let mean = |j: usize| y.iter().map(|row| row[j]).sum::<f64>() / n;
        let means: Vec<f64> = (0..n_outputs).map(mean).collect();
        let z = &standard.z;
        let cross = Mat::from_fn(z.ncols(), n_outputs, |i, j| {
            (0..z.nrows()).map(|row| z[(row, i)] * (y[row][j] - means[j])).sum::<f64>()
        });
        let solved = &whitening * (whitening.transpose() * cross);
        let coef = |i: usize| (0..n_outputs).map(|j| solved[(i, j)] / standard.scale[i]).collect();
        Some(Self { coef: (0..z.ncols()).map(coef).collect(), centre: standard.centre })
    }

    /// Takes out of `outputs` what the regressors `x` of the same example explain: what they
    /// add to the mean of the examples that were fitted to.
    ///
    /// # Panics
    /// Where `x` or `outputs` is shorter than what was fitted to.
    pub fn take_out(&self, x: &[f64], outputs: &mut [f64]) {
        for (k, coef) in self.coef.iter().enumerate() {
            let apart = x[k] - self.centre[k];
            for (output, b) in outputs.iter_mut().zip(coef) {
                *output -= b * apart;
            }
        }
    }
}

/// How much of a figure regressors explain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explained {
    /// The share of its variance.
    pub r_squared: f64,
    /// The probability of as large a share if the figure were dealt out at random.
    pub p: f64,
}

/// The share of the variance of `y` within `groups` that the regressors `x` (`n_examples` rows)
/// explain, with its p by `n_permutations` of `y` within the groups, `ChaCha8` of `seed`. One
/// group for all: the usual R². `None` where there are not more examples than regressors and
/// groups, where `y` does not vary within a group, or where something is not finite or of
/// another length.
///
/// Batch: allocates.
pub fn explained(
    x: &[Vec<f64>],
    y: &[f64],
    groups: &[usize],
    n_permutations: usize,
    seed: u64,
) -> Option<Explained> {
    let n_regressors = x.first()?.len();
    let is_sound = |row: &Vec<f64>| row.len() == n_regressors;
    if x.len() != y.len() || x.len() != groups.len() || !x.iter().all(is_sound) {
        return None;
    }
    let members = members(groups);
    if x.len() <= n_regressors + members.len() {
        return None;
    }
    let (mut x, mut apart) = (x.to_vec(), y.to_vec());
    for group in &members {
        let mean = |value: &dyn Fn(usize) -> f64| {
            group.iter().map(|at| value(*at)).sum::<f64>() / group.len() as f64
        };
        let mean_y = mean(&|at| y[at]);
        let mean_x: Vec<f64> = (0..n_regressors).map(|j| mean(&|at| x[at][j])).collect();
        for at in group {
            apart[*at] -= mean_y;
            x[*at].iter_mut().zip(&mean_x).for_each(|(value, mean)| *value -= mean);
        }
    }
    let all: f64 = apart.iter().map(|v| v * v).sum();
    let least: f64 = y.iter().map(|v| v * v).sum::<f64>() * 1e-24;
    if !all.is_finite() || all <= least {
        return None;
    }
    let standard = Standard::of(&x)?;
    let axes = &standard.z * &standard.whitening()?;
    let share = |apart: &[f64]| -> f64 {
        let along = |axis: usize| (0..apart.len()).map(|row| axes[(row, axis)] * apart[row]).sum();
        (0..axes.ncols()).map(along).map(|sum: f64| sum * sum).sum::<f64>() / all
    };
    let r_squared = share(&apart).min(1.0);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut n_reached = 0;
    for _ in 0..n_permutations {
        for group in &members {
            let mut values: Vec<f64> = group.iter().map(|at| apart[*at]).collect();
            values.shuffle(&mut rng);
            group.iter().zip(values).for_each(|(at, value)| apart[*at] = value);
        }
        n_reached += usize::from(share(&apart) >= r_squared - TIED);
    }
    let p = (1 + n_reached) as f64 / (1 + n_permutations) as f64;
    Some(Explained { r_squared, p })
}

/// The examples of each group.
fn members(groups: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|at| (groups[*at], *at));
    order.chunk_by(|a, b| groups[*a] == groups[*b]).map(<[usize]>::to_vec).collect()
}

/// Regressors with a mean of 0 and a standard deviation of 1; of 0 where they are constant.
struct Standard {
    centre: Vec<f64>,
    scale: Vec<f64>,
    z: Mat<f64>,
}

impl Standard {
    fn of(x: &[Vec<f64>]) -> Option<Self> {
        let n_regressors = x.first()?.len();
        let is_sound =
            |row: &Vec<f64>| row.len() == n_regressors && row.iter().all(|v| v.is_finite());
        if n_regressors == 0 || x.len() <= n_regressors + 1 || !x.iter().all(is_sound) {
            return None;
        }
        let column = |j: usize| x.iter().map(|row| row[j]).collect::<Vec<_>>();
        let centre: Vec<f64> =
            (0..n_regressors).map(|j| column(j).iter().sum::<f64>() / x.len() as f64).collect();
        // Rounding alone is no spread.
        let spread = |j: usize| {
            let spread = std(&column(j), 0).unwrap_or(0.0);
            if spread > 1e-12 * centre[j].abs() { spread } else { f64::INFINITY }
        };
        let scale: Vec<f64> = (0..n_regressors).map(spread).collect();
        let z = Mat::from_fn(x.len(), n_regressors, |i, j| (x[i][j] - centre[j]) / scale[j]);
        Some(Self { centre, scale, z })
    }

    /// In its columns, what makes the directions orthonormal in which regressors vary.
    fn whitening(&self) -> Option<Mat<f64>> {
        let products = self.z.transpose() * &self.z;
        let eigen = products.self_adjoint_eigen(Side::Lower).ok()?;
        let (values, vectors) = (eigen.S().column_vector(), eigen.U());
        let n = values.nrows();
        let largest = (0..n).map(|k| values[k]).fold(0.0, f64::max);
        let kept: Vec<usize> = (0..n).filter(|k| values[*k] > LEAST_EIGENVALUE * largest).collect();
        Some(Mat::from_fn(n, kept.len(), |i, k| vectors[(i, kept[k])] / values[kept[k]].sqrt()))
    }
}

#[cfg(test)]
mod tests;
