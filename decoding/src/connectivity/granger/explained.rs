//! What a channel's past explains of the others, from one regression.

use crate::classifier::dot;
use crate::connectivity::mvar::{MvarError, MvarView, Triangle};

/// Buffers for the channels and lags of one regression.
///
/// `L` is the lower triangular factor of the regressors' products. Coefficients `b` of one
/// source in one channel explain `b' M^-1 b` of its squared errors, `M` their block of
/// `(L L')^-1 = W' W`, `W = L^-1`. The source's columns of `W` are orthogonalised, `Q T`,
/// so that `M = T' T` is never formed: what is explained is `|T^-T b|²`.
#[derive(Clone, Debug)]
pub(super) struct Explained {
    n_channels: usize,
    order: usize,
    /// The source's columns of `W`, one after the other, `(order, n_regressors)`.
    columns: Vec<f64>,
    /// `T`, `(order, order)`.
    upper: Vec<f64>,
    /// `T^-T b`.
    projected: Vec<f64>,
}

impl Explained {
    pub(super) fn new(n_channels: usize, order: usize) -> Self {
        Self {
            n_channels,
            order,
            // A constant is at most one regressor more.
            columns: vec![0.0; order * (n_channels * order + 1)],
            upper: vec![0.0; order * order],
            projected: vec![0.0; order],
        }
    }

    pub(super) fn of_triangle(
        &mut self,
        triangle: &Triangle,
        values: &mut [f64],
    ) -> Result<(), MvarError> {
        let d = triangle.n_regressors(self.order);
        let lower = triangle.regressors_lower();
        let model = triangle.model()?;
        self.values_into(&lower, (d, d), (model.view(), triangle.n_observations), values);
        Ok(())
    }

    /// `F` of all pairs, `(to, from)`, by `lower` `(n_regressors, n_regressors)` in rows of
    /// `stride`, constants first.
    ///
    /// Allocation: none.
    pub(super) fn values_into(
        &mut self,
        lower: &[f64],
        (d, stride): (usize, usize),
        (model, n_observations): (MvarView<'_>, usize),
        values: &mut [f64],
    ) {
        let (m, p) = (self.n_channels, self.order);
        let n_constants = d - m * p;
        for from in 0..m {
            for lag in 0..p {
                let column = &mut self.columns[lag * d..][..d];
                inverse_column(lower, stride, n_constants + lag * m + from, column);
            }
            self.orthogonalise(d);
            for to in 0..m {
                let left = model.noise()[to * m + to] * n_observations as f64;
                let explained = self.squared(|lag| model.coefficient(lag + 1, to, from));
                values[to * m + from] = if to == from { 0.0 } else { (explained / left).ln_1p() };
            }
        }
    }

    /// Modified Gram and Schmidt's.
    fn orthogonalise(&mut self, d: usize) {
        let p = self.order;
        for lag in 0..p {
            let (before, rest) = self.columns.split_at_mut(lag * d);
            let column = &mut rest[..d];
            for (k, other) in before.chunks_exact(d).enumerate() {
                let by = dot(other, column);
                self.upper[k * p + lag] = by;
                column.iter_mut().zip(other).for_each(|(x, q)| *x -= by * q);
            }
            let norm = dot(column, column).sqrt();
            self.upper[lag * p + lag] = norm;
            for x in column.iter_mut() {
                *x /= norm;
            }
        }
    }

    fn squared(&mut self, coefficient: impl Fn(usize) -> f64) -> f64 {
        let p = self.order;
        for lag in 0..p {
            let known: f64 = (0..lag).map(|k| self.upper[k * p + lag] * self.projected[k]).sum();
            self.projected[lag] = (coefficient(lag) - known) / self.upper[lag * p + lag];
        }
        dot(&self.projected, &self.projected)
    }
}

/// Column `col` of the inverse of a lower triangular matrix.
fn inverse_column(lower: &[f64], stride: usize, col: usize, out: &mut [f64]) {
    out.fill(0.0);
    out[col] = lower[col * stride + col].recip();
    for row in col + 1..out.len() {
        let (before, rest) = out.split_at_mut(row);
        let factors = &lower[row * stride..][..=row];
        rest[0] = -dot(&factors[col..row], &before[col..]) / factors[row];
    }
}
