//! Whether the errors of a model are white.

use super::vieira_morf::{root, solved};
use super::{Mvar, MvarError};
use crate::stats::distribution::chi_squared_above;
use faer::Mat;
use ndarray::{ArrayView3, Axis};
use serde::{Deserialize, Serialize};

/// Which portmanteau statistic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Portmanteau {
    /// Ljung and Box's weights `n / (n - h)`: better on short windows.
    #[default]
    LjungBox,
    /// Box and Pierce's: all lags alike.
    BoxPierce,
}

/// A portmanteau test of the errors' correlations with their own past.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whiteness {
    /// `Q = n sum_h w_h tr(C_h' C_0^-1 C_h C_0^-1)`.
    pub statistic: f64,
    /// `m² (lags - order)`.
    pub n_degrees: usize,
    /// Probability of a statistic at least as large if the errors were white: small where
    /// the order is too low.
    pub p: f64,
}

impl Mvar {
    /// Tests the errors in `epochs` up to `n_lags`, more than the order. `C_h` are their
    /// autocovariances, with their mean removed, over the number of errors; lags do not
    /// reach over an epoch's edge. On one epoch as statsmodels' `test_whiteness`. Batch
    /// code: it allocates.
    ///
    /// # Reference
    /// J. R. M. Hosking (1980), doi:10.1080/01621459.1980.10477520.
    pub fn whiteness(
        &self,
        epochs: &ArrayView3<'_, f64>,
        n_lags: usize,
        kind: Portmanteau,
    ) -> Result<Whiteness, MvarError> {
        let (m, order) = (self.n_channels(), self.order());
        if n_lags <= order {
            return Err(MvarError::TooFewLags { n_lags, order });
        }
        let errors = self.residuals(epochs)?;
        let (n_epochs, _, per_epoch) = errors.dim();
        let n = n_epochs * per_epoch;
        if per_epoch <= n_lags || n <= m {
            let needed = (n_lags + 1).max(m + 1);
            return Err(MvarError::TooShort { n_observations: n, needed, order, n_channels: m });
        }
        let mean = |channel| errors.index_axis(Axis(1), channel).sum() / n as f64;
        let means: Vec<f64> = (0..m).map(mean).collect();
        let centred: Vec<Mat<f64>> = (0..n_epochs)
            .map(|e| Mat::from_fn(m, per_epoch, |i, t| errors[(e, i, t)] - means[i]))
            .collect();
        let products = |lag: usize| {
            let mut sum = Mat::<f64>::zeros(m, m);
            for x in &centred {
                let rest = per_epoch - lag;
                sum += x.as_ref().subcols(lag, rest) * x.as_ref().subcols(0, rest).transpose();
            }
            sum
        };
        let inverse = solved(&root(&products(0))?, Mat::identity(m, m));
        let at_lag = |lag: usize| {
            // tr(C' G C G) with G = W'W is the squared norm of W C W'.
            let whitened = &inverse * products(lag) * inverse.transpose();
            let weight = match kind {
                Portmanteau::LjungBox => n as f64 / (n - lag) as f64,
                Portmanteau::BoxPierce => 1.0,
            };
            weight * whitened.squared_norm_l2()
        };
        let statistic = n as f64 * (1..=n_lags).map(at_lag).sum::<f64>();
        let n_degrees = m * m * (n_lags - order);
        Ok(Whiteness { statistic, n_degrees, p: chi_squared_above(statistic, n_degrees) })
    }
}
