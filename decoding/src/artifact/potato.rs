//! The Riemannian Potato: is a window's covariance as far from the usual as usual?
//!
//! Windows whose covariance lies unusually far from the mean of clean ones are artefacts.
//! It judges, and changes no sample. What to do with a refused window is the caller's
//! choice.

use super::special::normal_tail;
use crate::matrix::{Matrix, MatrixError};
use crate::riemann::distance::DistanceTo;
use crate::riemann::mean::riemannian_mean;
use crate::riemann::spd::{EigenScratch, RiemannError, check_positive, congruence_into};
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};
use std::mem::swap;

/// Step length at which the mean has converged, and most steps to there.
const MEAN_CRITERION: f64 = 1e-9;
const MEAN_MAX_STEPS: usize = 100;

/// How a potato is fitted; the default is pyRiemann's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PotatoParams {
    /// The z-score from which on a window is an artefact.
    pub threshold: f64,
    /// Most rounds of fitting and leaving out.
    pub max_rounds: usize,
}

impl Default for PotatoParams {
    fn default() -> Self {
        Self { threshold: 3.0, max_rounds: 100 }
    }
}

/// Why a potato can't be fitted, used or updated.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PotatoError {
    /// Choose a positive threshold and at least one round.
    #[error(
        "a threshold of {threshold} in {max_rounds} rounds is not possible: choose a positive threshold and a round at least"
    )]
    BadParams {
        /// The threshold asked for.
        threshold: f64,
        /// Rounds asked for.
        max_rounds: usize,
    },
    /// Choose a higher threshold, or calibrate on more and cleaner windows.
    #[error("every window was left out as an artefact: choose a higher threshold")]
    NothingLeft,
    /// Calibrate on at least two windows that differ.
    #[error(
        "all windows are equally far from their mean: there is no spread to compare with, calibrate on windows that differ"
    )]
    NoSpread,
    /// Choose a rate above 0 and below 1; 0.1 or less is usual.
    #[error(
        "an update rate of {rate} is not between 0 and 1: choose a share, 0.1 or less is usual"
    )]
    BadRate {
        /// The rate asked for.
        rate: f64,
    },
    /// Shrink the covariances, or leave out constant channels.
    #[error(transparent)]
    Covariance(#[from] RiemannError),
    /// The model was damaged: fit it again.
    #[error(transparent)]
    Model(#[from] MatrixError),
}

/// A fitted potato: the mean of clean covariances, and how far from it they usually lie.
///
/// With `δ` the affine-invariant distance to the mean, `z = (ln δ - m) / s`, where `m` and
/// `s` (ddof 0) are mean and standard deviation of `ln δ` over the clean windows.
///
/// # Reference
/// A. Barachant, A. Andreev, M. Congedo (2013), TOBI Workshop IV, hal-00781701; Q.
/// Barthélemy, L. Mayaud, D. Ojeda, M. Congedo (2019), IEEE Transactions on Neural Systems
/// and Rehabilitation Engineering 27(2), doi:10.1109/TNSRE.2019.2893113.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Potato {
    mean: Matrix,
    log_mean: f64,
    log_std: f64,
    threshold: f64,
}

impl Potato {
    /// Fits mean and spread to the covariances of a calibration, leaves out those with
    /// `z >= threshold`, and repeats until the same are left. Allocates, and uses the
    /// caller's rayon pool for the mean, without an effect on the result.
    pub fn fit(params: PotatoParams, covs: &[Mat<f64>]) -> Result<Self, PotatoError> {
        let PotatoParams { threshold, max_rounds } = params;
        if threshold.is_nan() || threshold <= 0.0 || max_rounds == 0 {
            return Err(PotatoError::BadParams { threshold, max_rounds });
        }
        let mut kept: Vec<&Mat<f64>> = covs.iter().collect();
        let mut rounds = 1;
        loop {
            let mean = riemannian_mean(&kept, MEAN_CRITERION, MEAN_MAX_STEPS)?.mean;
            let mut distance = DistanceTo::new(mean.as_ref())?;
            let logs: Vec<f64> =
                kept.iter().map(|cov| 0.5 * distance.squared(cov.as_ref()).ln()).collect();
            let (log_mean, log_std) = mean_and_std(&logs);
            if !(log_std > 0.0 && log_std.is_finite()) {
                return Err(PotatoError::NoSpread);
            }
            let clean = |log: &f64| (log - log_mean) / log_std < threshold;
            let n_clean = logs.iter().filter(|log| clean(log)).count();
            if n_clean == 0 {
                return Err(PotatoError::NothingLeft);
            }
            if n_clean == kept.len() || rounds == max_rounds {
                let mean = Matrix::from_faer(mean.as_ref())?;
                return Ok(Self { mean, log_mean, log_std, threshold });
            }
            let mut is_clean = logs.iter().map(clean);
            kept.retain(|_| is_clean.next() == Some(true));
            rounds += 1;
        }
    }

    /// The mean covariance of the clean windows.
    pub fn mean(&self) -> &Matrix {
        &self.mean
    }

    /// Plans the gate. Allocates.
    ///
    /// # Errors
    /// Threshold or spread are not positive, or the mean is not positive definite: it does
    /// not come from a fit.
    pub fn gate(&self) -> Result<PotatoGate, PotatoError> {
        let Self { threshold, log_mean, log_std, .. } = *self;
        if threshold.is_nan() || threshold <= 0.0 {
            return Err(PotatoError::BadParams { threshold, max_rounds: 1 });
        }
        if !(log_std > 0.0 && log_std.is_finite() && log_mean.is_finite()) {
            return Err(PotatoError::NoSpread);
        }
        let n = self.mean.n_rows();
        let mut gate = PotatoGate {
            model: self.clone(),
            root: Mat::zeros(n, n),
            inverse_root: Mat::zeros(n, n),
            half: Mat::zeros(n, n),
            whitened: Mat::zeros(n, n),
            power: Mat::zeros(n, n),
            mean: self.mean.to_faer(),
            eigen: EigenScratch::new(n),
        };
        gate.take_roots()?;
        Ok(gate)
    }
}

/// What a window's covariance says of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `z` is below the threshold.
    Clean,
    /// It is not, or the covariance is not finite or not positive definite.
    Artefact,
}

/// The verdict on one window, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Standard deviations of the log distance above the usual; infinite for a covariance
    /// that is not finite or not positive definite.
    pub z_score: f64,
    /// Probability of a clean window to lie farther out, `1 - Φ(z)`.
    pub posterior: f64,
    /// Whether it may be used.
    pub verdict: Verdict,
}

/// A potato at work: judges one covariance after the other, and learns where it is told to.
///
/// Memory: six matrices of `n_channels²`, and the eigen-decomposition's workspace.
#[derive(Clone, Debug)]
pub struct PotatoGate {
    model: Potato,
    mean: Mat<f64>,
    root: Mat<f64>,
    inverse_root: Mat<f64>,
    half: Mat<f64>,
    whitened: Mat<f64>,
    power: Mat<f64>,
    eigen: EigenScratch,
}

impl PotatoGate {
    /// Judges a window by its covariance, both triangles of which are read.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `cov` is of another size than the calibration's.
    pub fn judge(&mut self, cov: MatRef<'_, f64>) -> Quality {
        let distance = self.distance(cov).unwrap_or(f64::NAN);
        let z = (distance.ln() - self.model.log_mean) / self.model.log_std;
        let z_score = if z.is_nan() { f64::INFINITY } else { z };
        let clean = z_score < self.model.threshold;
        let verdict = if clean { Verdict::Clean } else { Verdict::Artefact };
        Quality { z_score, posterior: normal_tail(z_score), verdict }
    }

    /// Moves the mean along the geodesic to `cov` by `rate`, and mean and spread of the log
    /// distance with it, as pyRiemann's `partial_fit` with one matrix. Call it for windows
    /// that were judged clean. On an error nothing changes.
    ///
    /// `M ← M^½ (M^-½ C M^-½)^α M^½`; then, with `d = ln δ(M, C)`,
    /// `m ← (1-α) m + α d`, `s² ← (1-α) s² + α (d - m)²`.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `cov` is of another size than the calibration's.
    pub fn update(&mut self, cov: MatRef<'_, f64>, rate: f64) -> Result<(), PotatoError> {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(PotatoError::BadRate { rate });
        }
        // Along a geodesic the distance to its end falls in proportion.
        let log = ((1.0 - rate) * self.distance(cov)?).ln();
        let power = self.power.as_mut();
        self.eigen.apply_spd_into(self.whitened.as_ref(), |x| x.powf(rate), power)?;
        if !log.is_finite() {
            return Err(PotatoError::NoSpread);
        }
        // The next mean and its roots stand aside until all of them are there.
        let next = self.whitened.as_mut();
        congruence_into(self.root.as_ref(), self.power.as_ref(), &mut self.half, next);
        let next = self.whitened.as_ref();
        self.eigen.apply_spd_into(next, f64::sqrt, self.power.as_mut())?;
        self.eigen.apply_spd_into(next, |x| x.sqrt().recip(), self.half.as_mut())?;
        swap(&mut self.mean, &mut self.whitened);
        swap(&mut self.root, &mut self.power);
        swap(&mut self.inverse_root, &mut self.half);
        let model = &mut self.model;
        model.log_mean = (1.0 - rate) * model.log_mean + rate * log;
        let variance = (1.0 - rate) * model.log_std.powi(2) + rate * (log - model.log_mean).powi(2);
        model.log_std = variance.sqrt();
        Ok(())
    }

    /// The potato as it stands after its updates. Allocates.
    pub fn potato(&self) -> Result<Potato, PotatoError> {
        Ok(Potato { mean: Matrix::from_faer(self.mean.as_ref())?, ..self.model.clone() })
    }

    /// The affine-invariant distance from the mean to `cov`.
    fn distance(&mut self, cov: MatRef<'_, f64>) -> Result<f64, RiemannError> {
        assert_eq!(cov.shape(), self.mean.shape(), "matrix of another size");
        let whitened = self.whitened.as_mut();
        congruence_into(self.inverse_root.as_ref(), cov, &mut self.half, whitened);
        let values = self.eigen.values(self.whitened.as_ref())?;
        check_positive(values)?;
        Ok(values.iter().map(|x| x.ln() * x.ln()).sum::<f64>().sqrt())
    }

    fn take_roots(&mut self) -> Result<(), RiemannError> {
        let mean = self.mean.as_ref();
        self.eigen.apply_spd_into(mean, f64::sqrt, self.root.as_mut())?;
        self.eigen.apply_spd_into(mean, |x| x.sqrt().recip(), self.inverse_root.as_mut())
    }
}

/// Mean and standard deviation, ddof 0.
fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests;
