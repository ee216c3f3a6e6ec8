//! Vector autoregression: each sample of all channels from the samples before it.
//!
//! `x_t = c + sum_(k=1..p) A_k x_(t-k) + e_t`, `cov(e) = C`. An [`MvarSpec`] is fitted to
//! a window or to epochs, the rows of which do not reach over an epoch's edge. What was
//! fitted is an [`Mvar`]; [`select_order`] compares orders, [`Mvar::spectral_radius`] and
//! [`Mvar::whiteness`] say whether a fit can be believed. An order `p` of `m` channels has
//! `p m²` coefficients: a window wants several times `p m` samples.

mod least_squares;
mod order;
mod sliding;
mod vieira_morf;
mod whiteness;

pub use self::order::{Criterion, OrderScore, OrderSelection, select_order};
pub use self::sliding::SlidingMvar;
pub(super) use self::sliding::{Blocks, Solver};
pub use self::whiteness::{Portmanteau, Whiteness};

pub(super) use self::least_squares::Triangle;
use crate::matrix::Matrix;
use faer::Mat;
use ndarray::{Array3, ArrayView3};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a vector autoregression can't be fitted or used.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum MvarError {
    /// Give at least one channel.
    #[error("there is no channel: give at least one")]
    NoChannel,
    /// Choose an order of at least one.
    #[error("an order of 0 predicts nothing: choose at least 1")]
    NoOrder,
    /// Give a longer window or more epochs, a lower order, or fewer channels.
    #[error(
        "{n_observations} predicted samples are fewer than the {needed} that order {order} of {n_channels} channels takes: give a longer window, a lower order or fewer channels"
    )]
    TooShort {
        /// Samples whose past lies in the epochs too.
        n_observations: usize,
        /// How many it takes.
        needed: usize,
        /// The order.
        order: usize,
        /// The channels.
        n_channels: usize,
    },
    /// Leave out the channels that are constant, copies, or sums of others (as one of an
    /// average reference), or project them onto fewer components.
    #[error(
        "the channels or their pasts are not independent: leave out constant ones and sums of others"
    )]
    Dependent,
    /// Leave the epoch out, or repair it.
    #[error("epoch {epoch}, channel {channel}: a sample is not finite; leave the epoch out")]
    NotFinite {
        /// Its place.
        epoch: usize,
        /// Its place.
        channel: usize,
    },
    /// Give epochs with the model's channels.
    #[error(
        "{given} channels do not fit the model's {planned}: pass the channels that it was fitted to"
    )]
    OtherChannels {
        /// Of the model.
        planned: usize,
        /// Given.
        given: usize,
    },
    /// Give matrices of `m x p m` and `m x m` and a constant for each channel.
    #[error("coefficients, noise and constants do not fit each other: pass those of one model")]
    OtherShape,
    /// Test more lags than the model's order.
    #[error("{n_lags} lags are no more than the order {order}: test more")]
    TooFewLags {
        /// Lags asked for.
        n_lags: usize,
        /// The model's order.
        order: usize,
    },
    /// Choose a window that is a multiple of its step and holds enough samples beyond the
    /// steps that the order takes.
    #[error(
        "a window of {window_samples} samples is no multiple of its step {step_samples}: choose a step that divides it"
    )]
    UnevenWindow {
        /// Its length.
        window_samples: usize,
        /// Its step.
        step_samples: usize,
    },
    /// Name each channel once, in one of the groups.
    #[error(
        "channel {channel} is in a group twice, in both, or none of the {n_channels}: name each once"
    )]
    BadGroup {
        /// The channel.
        channel: usize,
        /// The model's channels.
        n_channels: usize,
    },
    /// Choose frequencies between 0 and half the sampling rate, at least one.
    #[error(
        "no frequency, or {freq_hz} Hz, which is not between 0 and half the rate: name some that are"
    )]
    BadFrequency {
        /// The first that isn't; NaN where there is none.
        freq_hz: f64,
    },
}

/// Whether a constant is fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intercept {
    /// One per channel (statsmodels' trend `c`).
    #[default]
    Estimated,
    /// None: samples without a mean (trend `n`, and mne-connectivity).
    Zero,
}

/// By what the coefficients are estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// The smallest sum of squared errors, by an orthogonal factorisation: no squared
    /// condition number. It may be unstable.
    #[default]
    LeastSquares,
    /// Normalised partial correlations of forward and backward errors, lag after lag
    /// (Morf, Vieira, Lee and Kailath): always stable, and better than least squares on
    /// short windows. [`Intercept::Estimated`] removes the mean over all epochs first.
    VieiraMorf,
}

/// What is to be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MvarSpec {
    /// Lags `p`.
    pub order: usize,
    /// By what.
    pub estimator: Estimator,
    /// With a constant or without.
    pub intercept: Intercept,
}

impl MvarSpec {
    /// Fits `epochs` `(n_epochs, n_channels, n_samples)`; a window is one epoch.
    ///
    /// Batch code: it allocates; least squares takes `8 n (p m + m + 1)` bytes for `n`
    /// predicted samples. One thread.
    ///
    /// # Reference
    /// H. Lütkepohl: New Introduction to Multiple Time Series Analysis (2005), 3.2.
    /// M. Morf, A. Vieira, D. Lee, T. Kailath (1978), doi:10.1109/TGE.1978.294569.
    pub fn fit(&self, epochs: &ArrayView3<'_, f64>) -> Result<Mvar, MvarError> {
        check(epochs)?;
        if self.order == 0 {
            return Err(MvarError::NoOrder);
        }
        match self.estimator {
            Estimator::LeastSquares => Triangle::new(epochs, self.order, self.intercept)?.model(),
            Estimator::VieiraMorf => vieira_morf::fit(epochs, self.order, self.intercept),
        }
    }
}

/// A fitted vector autoregression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Mvar {
    coefficients: Matrix,
    intercept: Vec<f64>,
    noise: Matrix,
    n_observations: usize,
    n_regressors: usize,
}

/// A model's numbers, wherever they lie.
#[derive(Clone, Copy, Debug)]
pub struct MvarView<'a> {
    n_channels: usize,
    coefficients: &'a [f64],
    noise: &'a [f64],
}

impl<'a> MvarView<'a> {
    /// Of `coefficients` `(m, p m)` and `noise` `(m, m)`, row after row.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn new(n_channels: usize, coefficients: &'a [f64], noise: &'a [f64]) -> Self {
        assert!(n_channels > 0 && noise.len() == n_channels * n_channels, "a square of noise");
        assert_eq!(coefficients.len() % noise.len(), 0, "whole lags");
        Self { n_channels, coefficients, noise }
    }

    /// Number of channels.
    pub fn n_channels(self) -> usize {
        self.n_channels
    }

    /// Number of lags.
    pub fn order(self) -> usize {
        self.coefficients.len() / self.noise.len()
    }

    /// How channel `to` follows channel `from`, `lag` samples before (from 1).
    pub fn coefficient(self, lag: usize, to: usize, from: usize) -> f64 {
        let m = self.n_channels;
        self.coefficients[to * m * self.order() + (lag - 1) * m + from]
    }

    /// Covariance of the errors, `(m, m)`, row after row.
    pub fn noise(self) -> &'a [f64] {
        self.noise
    }
}

impl Serialize for Mvar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Mvar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)?.whole().map_err(D::Error::custom)
    }
}

impl Mvar {
    /// A model that is known: `coefficients` `(m, p m)`, the lags side by side from lag 1,
    /// `noise` `(m, m)`.
    pub fn new(
        coefficients: Matrix,
        intercept: Vec<f64>,
        noise: Matrix,
    ) -> Result<Self, MvarError> {
        let n_regressors = coefficients.n_cols();
        Self { coefficients, intercept, noise, n_observations: 0, n_regressors }.whole()
    }

    /// The model, where its parts fit each other.
    fn whole(self) -> Result<Self, MvarError> {
        let (m, n_past) = (self.noise.n_rows(), self.coefficients.n_cols());
        let fits = m > 0
            && self.noise.n_cols() == m
            && self.coefficients.n_rows() == m
            && self.intercept.len() == m
            && n_past > 0
            && n_past.is_multiple_of(m);
        if fits { Ok(self) } else { Err(MvarError::OtherShape) }
    }

    /// Number of channels `m`.
    pub fn n_channels(&self) -> usize {
        self.noise.n_rows()
    }

    /// Number of lags `p`.
    pub fn order(&self) -> usize {
        self.coefficients.n_cols() / self.n_channels()
    }

    /// `(m, p m)`: `[A_1, A_2, ...]`, row `i` predicting channel `i`.
    pub fn coefficients(&self) -> &Matrix {
        &self.coefficients
    }

    /// The constants `c`, 0 where none was fitted.
    pub fn intercept(&self) -> &[f64] {
        &self.intercept
    }

    /// Maximum-likelihood covariance of the errors: their products over their number.
    pub fn noise(&self) -> &Matrix {
        &self.noise
    }

    /// Predicted samples behind the fit (all samples for [`Estimator::VieiraMorf`]); 0
    /// for a model that was given.
    pub fn n_observations(&self) -> usize {
        self.n_observations
    }

    /// `n / (n - p m - 1)`, by which [`Self::noise`] becomes the unbiased covariance
    /// (`n / (n - p m)` without a constant). `None` for a model that
    /// was given.
    pub fn unbiased_factor(&self) -> Option<f64> {
        let n_degrees = self.n_observations.checked_sub(self.n_regressors)?;
        (n_degrees > 0).then(|| self.n_observations as f64 / n_degrees as f64)
    }

    /// The numbers, to compute with.
    pub fn view(&self) -> MvarView<'_> {
        MvarView::new(self.n_channels(), self.coefficients.as_slice(), self.noise.as_slice())
    }

    /// Largest modulus of the companion matrix' eigenvalues: the model is stable, and its
    /// spectrum a spectrum, where it lies below 1. Batch code: it allocates.
    pub fn spectral_radius(&self) -> f64 {
        let (m, d) = (self.n_channels(), self.coefficients.n_cols());
        let companion = Mat::from_fn(d, d, |i, j| {
            if i < m { self.coefficients.row(i)[j] } else { f64::from(u8::from(i == j + m)) }
        });
        // Finite coefficients have eigenvalues; were there none, nothing would be stable.
        companion.eigenvalues().map_or(f64::INFINITY, |values| {
            values.iter().fold(0.0_f64, |radius, value| radius.max(value.norm()))
        })
    }

    /// The errors of one-step predictions, `(n_epochs, n_channels, n_samples - order)`.
    pub fn residuals(&self, epochs: &ArrayView3<'_, f64>) -> Result<Array3<f64>, MvarError> {
        check(epochs)?;
        let (n_epochs, given, n_samples) = epochs.dim();
        let (m, p) = (self.n_channels(), self.order());
        if given != m {
            return Err(MvarError::OtherChannels { planned: m, given });
        }
        let n = n_samples.saturating_sub(p);
        if n == 0 {
            return Err(MvarError::TooShort {
                n_observations: 0,
                needed: 1,
                order: p,
                n_channels: m,
            });
        }
        let mut errors = Array3::zeros((n_epochs, m, n));
        for ((epoch, to, t), error) in errors.indexed_iter_mut() {
            let row = self.coefficients.row(to).chunks_exact(m).enumerate();
            let predicted: f64 = row
                .map(|(k, row)| {
                    let past = |from: usize| epochs[(epoch, from, p + t - k - 1)];
                    row.iter().enumerate().map(|(from, a)| a * past(from)).sum::<f64>()
                })
                .sum();
            *error = epochs[(epoch, to, p + t)] - self.intercept[to] - predicted;
        }
        Ok(errors)
    }

    /// Continues `errors` `(m, n)` to samples `(m, n)`: `x_t = c + sum_k A_k x_(t-k) + e_t`
    /// with zeros before the first. Leave out the first samples, which know those zeros.
    pub fn driven_by(&self, errors: &Matrix) -> Result<Vec<Vec<f64>>, MvarError> {
        let m = self.n_channels();
        if errors.n_rows() != m {
            return Err(MvarError::OtherChannels { planned: m, given: errors.n_rows() });
        }
        let mut samples = vec![vec![0.0; errors.n_cols()]; m];
        for t in 0..errors.n_cols() {
            for to in 0..m {
                let mut value = self.intercept[to] + errors.row(to)[t];
                for (k, row) in self.coefficients.row(to).chunks_exact(m).enumerate().take(t) {
                    value += row.iter().zip(&samples).map(|(a, x)| a * x[t - k - 1]).sum::<f64>();
                }
                samples[to][t] = value;
            }
        }
        Ok(samples)
    }
}

/// Refuses epochs without channels, and samples that are not finite.
pub(super) fn check(epochs: &ArrayView3<'_, f64>) -> Result<(), MvarError> {
    if epochs.dim().1 == 0 {
        return Err(MvarError::NoChannel);
    }
    match epochs.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((epoch, channel, _), _)) => Err(MvarError::NotFinite { epoch, channel }),
        None => Ok(()),
    }
}

/// Finite by construction: a fit of independent, finite samples.
fn matrix(mat: &Mat<f64>) -> Result<Matrix, MvarError> {
    Matrix::from_faer(mat.as_ref()).map_err(|_| MvarError::Dependent)
}

#[cfg(test)]
mod tests;
