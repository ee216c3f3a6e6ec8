//! Augmented covariance: the covariance of a window on top of delayed copies of itself,
//! which sees the signal's dynamics and not its instantaneous mixture alone.
//!
//! It is fitted to nothing: order and lag are chosen, by validation inside the
//! calibration data or after the method's authors.

use super::stacked::Stacked;
use crate::riemann::covariance::{CovarianceError, Estimator};
use crate::window::Planar;
use faer::{Mat, MatMut};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Order and lag of an augmented covariance.
///
/// With the window `X` `(n_channels, n_samples)` it is the covariance of the
/// `order * n_channels` rows `X[p lag ..][.. n_samples - order lag]`, `p` from 0 to
/// `order - 1`, the window's beginning first. At order 1 it is the plain covariance of
/// the whole window.
///
/// # Conventions
/// As MOABB's `AugmentedDataset`, which drops `order * lag` samples where
/// `(order - 1) * lag` would do, but none at order 1.
///
/// # Reference
/// I. Carrara, T. Papadopoulo: Classification of BCI-EEG based on the augmented
/// covariance matrix (2023), doi 10.48550/arXiv.2302.04508.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentedParams {
    /// Copies of the window, the undelayed one counted.
    pub order: usize,
    /// Samples from one copy to the next.
    pub lag: usize,
    /// Estimator of the covariance.
    pub estimator: Estimator,
}

impl Default for AugmentedParams {
    /// Four copies, eight samples apart, shrunk.
    fn default() -> Self {
        Self { order: 4, lag: 8, estimator: Estimator::Oas }
    }
}

/// Why a window can't be augmented so: choose another order or lag.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum AugmentedError {
    /// Both must be at least 1.
    #[error("order {order} and lag {lag} must both be at least 1: choose larger ones")]
    Zero {
        /// The order asked for.
        order: usize,
        /// The lag asked for.
        lag: usize,
    },
    /// Lengthen the window, or lower the order or the lag.
    #[error(
        "{n_left} samples of {n_samples} are left at order {order} and lag {lag}: lengthen the window or lower the order or the lag"
    )]
    TooShort {
        /// Samples of a window.
        n_samples: usize,
        /// Samples left of it.
        n_left: usize,
        /// The order asked for.
        order: usize,
        /// The lag asked for.
        lag: usize,
    },
    /// As it says of what is left of a window, its rows counted as channels.
    #[error(transparent)]
    Covariance(#[from] CovarianceError),
}

impl AugmentedParams {
    /// Plans covariances of windows `(n_channels, n_samples)`: allocates the scratch,
    /// `16 * order * n_channels * n_samples` bytes at most.
    ///
    /// # Errors
    /// [`AugmentedError::TooShort`] where fewer than two samples are left of a window,
    /// [`AugmentedError::Covariance`] where what is left has no such covariance.
    ///
    /// # Panics
    /// Where there is no channel.
    pub fn plan(
        &self,
        n_channels: usize,
        n_samples: usize,
    ) -> Result<AugmentedRuntime, AugmentedError> {
        let Self { order, lag, estimator } = *self;
        assert!(n_channels > 0, "a window has channels");
        if order == 0 || lag == 0 {
            return Err(AugmentedError::Zero { order, lag });
        }
        let dropped = if order == 1 { 0 } else { order.saturating_mul(lag) };
        let n_left = n_samples.saturating_sub(dropped);
        let n_rows = order.saturating_mul(n_channels);
        if n_left < 2 {
            return Err(AugmentedError::TooShort { n_samples, n_left, order, lag });
        }
        let stacked = Stacked::new(Mat::zeros(0, n_left).as_ref(), n_rows, estimator)?;
        Ok(AugmentedRuntime { lag, n_channels, n_samples, stacked })
    }
}

/// An augmented covariance with its scratch.
#[derive(Clone, Debug)]
pub struct AugmentedRuntime {
    lag: usize,
    n_channels: usize,
    n_samples: usize,
    stacked: Stacked,
}

impl AugmentedRuntime {
    /// Rows and columns of a covariance: `order * n_channels`.
    pub fn n_rows(&self) -> usize {
        self.stacked.n_rows()
    }

    /// Writes the augmented covariance of `window`, both triangles.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `window` or `out` has another size than planned.
    pub fn covariance_into(&mut self, window: &Planar<'_>, out: MatMut<'_, f64>) {
        assert_eq!(window.n_channels(), self.n_channels, "a window of other channels");
        assert_eq!(window.n_samples(), self.n_samples, "a window of another length");
        let (n_left, n_channels, lag) = (self.stacked.n_samples(), self.n_channels, self.lag);
        for (i, row) in self.stacked.moving().chunks_exact_mut(n_left).enumerate() {
            let (copy, channel) = (i / n_channels, i % n_channels);
            row.copy_from_slice(&window.channel(channel)[copy * lag..][..n_left]);
        }
        self.stacked.covariance_into(out);
    }
}
