//! Which order: criteria on the same predicted samples.

use super::vieira_morf::root;
use super::{Intercept, MvarError, Triangle, check};
use ndarray::ArrayView3;
use serde::{Deserialize, Serialize};

/// By what orders are compared; the smallest is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Akaike's: `ln det C + 2 k / n`.
    Akaike,
    /// Schwarz's: `ln det C + k ln(n) / n`; the most frugal.
    Bayesian,
    /// Hannan and Quinn's: `ln det C + 2 k ln(ln(n)) / n`.
    HannanQuinn,
    /// Akaike's final prediction error: `((n + d) / (n - d))^m det C`.
    FinalPredictionError,
}

/// The criteria of one order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderScore {
    /// The order.
    pub order: usize,
    /// [`Criterion::Akaike`].
    pub akaike: f64,
    /// [`Criterion::Bayesian`].
    pub bayesian: f64,
    /// [`Criterion::HannanQuinn`].
    pub hannan_quinn: f64,
    /// [`Criterion::FinalPredictionError`].
    pub final_prediction_error: f64,
}

impl OrderScore {
    fn by(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Akaike => self.akaike,
            Criterion::Bayesian => self.bayesian,
            Criterion::HannanQuinn => self.hannan_quinn,
            Criterion::FinalPredictionError => self.final_prediction_error,
        }
    }
}

/// The orders from 1, compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderSelection {
    scores: Vec<OrderScore>,
}

impl OrderSelection {
    /// Of each order, from 1.
    pub fn scores(&self) -> &[OrderScore] {
        &self.scores
    }

    /// The order of the smallest value, the lower of equals.
    pub fn best(&self, criterion: Criterion) -> usize {
        let by = |a: &&OrderScore, b: &&OrderScore| a.by(criterion).total_cmp(&b.by(criterion));
        self.scores.iter().min_by(by).map_or(1, |score| score.order)
    }
}

/// Compares least-squares fits of the orders `1..=max_order`, all of which predict the
/// same samples (those of `max_order`), as statsmodels' `select_order`.
///
/// `n` are the predicted samples, `d` the regressors of a channel, `k = m d`. The samples
/// are factorised once for all orders. Batch code: it allocates, on one thread.
///
/// # Reference
/// H. Lütkepohl: New Introduction to Multiple Time Series Analysis (2005), 4.3.
pub fn select_order(
    epochs: &ArrayView3<'_, f64>,
    max_order: usize,
    intercept: Intercept,
) -> Result<OrderSelection, MvarError> {
    check(epochs)?;
    if max_order == 0 {
        return Err(MvarError::NoOrder);
    }
    let triangle = Triangle::new(epochs, max_order, intercept)?;
    let m = epochs.dim().1 as f64;
    let n = triangle.n_observations as f64;
    let score = |order: usize| {
        let root = root(&triangle.error_products(order))?;
        let log_det: f64 = (0..root.nrows()).map(|i| 2.0 * root[(i, i)].ln() - n.ln()).sum();
        let d = triangle.n_regressors(order) as f64;
        let k = m * d;
        Ok(OrderScore {
            order,
            akaike: log_det + 2.0 * k / n,
            bayesian: log_det + k * n.ln() / n,
            hannan_quinn: log_det + 2.0 * k * n.ln().ln() / n,
            final_prediction_error: ((n + d) / (n - d)).powf(m) * log_det.exp(),
        })
    };
    Ok(OrderSelection { scores: (1..=max_order).map(score).collect::<Result<_, _>>()? })
}
