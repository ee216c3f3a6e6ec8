//! The covariance of rows that are put on top of each other: prototypes over a window,
//! or a window over its own past.

use crate::riemann::covariance::{CovarianceError, CovarianceRuntime, Estimator};
use faer::{MatMut, MatRef};

/// Rows of samples, the first of them fixed, and the covariance of all.
#[derive(Clone, Debug)]
pub(super) struct Stacked {
    /// Row after row.
    rows: Vec<f64>,
    n_fixed: usize,
    n_samples: usize,
    covariance: CovarianceRuntime,
}

impl Stacked {
    /// `fixed` rows `(n_fixed, n_samples)` above `n_moving` more.
    pub(super) fn new(
        fixed: MatRef<'_, f64>,
        n_moving: usize,
        estimator: Estimator,
    ) -> Result<Self, CovarianceError> {
        let (n_fixed, n_samples) = fixed.shape();
        let n_rows = n_fixed + n_moving;
        let covariance = estimator.plan(n_rows, n_samples)?;
        let mut rows: Vec<f64> = fixed.row_iter().flat_map(|row| row.iter().copied()).collect();
        rows.resize(n_rows * n_samples, 0.0);
        Ok(Self { rows, n_fixed, n_samples, covariance })
    }

    pub(super) fn n_rows(&self) -> usize {
        self.rows.len() / self.n_samples
    }

    pub(super) fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// The moving rows, one after the other.
    pub(super) fn moving(&mut self) -> &mut [f64] {
        &mut self.rows[self.n_fixed * self.n_samples..]
    }

    /// Writes the covariance of all rows into both triangles of `out`.
    ///
    /// # Panics
    /// Where `out` is not `n_rows x n_rows`.
    pub(super) fn covariance_into(&mut self, out: MatMut<'_, f64>) {
        let rows = MatRef::from_row_major_slice(&self.rows, self.n_rows(), self.n_samples);
        self.covariance.covariance_into(rows, out);
    }
}
