//! Least squares by one orthogonal factorisation.

use super::{Intercept, Mvar, MvarError, matrix};
use faer::linalg::triangular_solve::solve_upper_triangular_in_place;
use faer::{Mat, MatRef, Par};
use ndarray::{ArrayView3, s};

/// A column is a sum of those before it where less than this share of its norm is left.
const DEPENDENT: f64 = 1e-12;

/// The triangular factor of the regression's columns `[1, lag 1, ..., lag p, now]`.
///
/// All that least squares needs of the samples is in it: the coefficients and the errors'
/// products of every order up to `p`, on the same predicted samples.
pub(in crate::connectivity) struct Triangle {
    r: Mat<f64>,
    n_channels: usize,
    order: usize,
    n_constants: usize,
    pub(in crate::connectivity) n_observations: usize,
}

impl Triangle {
    pub(in crate::connectivity) fn new(
        epochs: &ArrayView3<'_, f64>,
        order: usize,
        intercept: Intercept,
    ) -> Result<Self, MvarError> {
        let (n_epochs, n_channels, n_samples) = epochs.dim();
        let n_constants = usize::from(intercept == Intercept::Estimated);
        let per_epoch = n_samples.saturating_sub(order);
        let n_observations = n_epochs * per_epoch;
        let n_cols = n_constants + (order + 1) * n_channels;
        if n_observations < n_cols {
            let needed = n_cols;
            return Err(MvarError::TooShort { n_observations, needed, order, n_channels });
        }
        let mut columns = Mat::zeros(n_observations, n_cols);
        columns.as_mut().subcols_mut(0, n_constants).fill(1.0);
        for col in n_constants..n_cols {
            let (lag, channel) =
                ((col - n_constants) / n_channels, (col - n_constants) % n_channels);
            // The first block is lag 1, the last is the predicted sample itself.
            let lag = (lag + 1) % (order + 1);
            let column = columns.col_as_slice_mut(col);
            for (epoch, rows) in column.chunks_exact_mut(per_epoch).enumerate() {
                let past = epochs.slice(s![epoch, channel, order - lag..n_samples - lag]);
                rows.iter_mut().zip(past).for_each(|(row, x)| *row = *x);
            }
        }
        let r = columns.qr().thin_R().to_owned();
        Ok(Self { r, n_channels, order, n_constants, n_observations }).and_then(Self::independent)
    }

    fn independent(self) -> Result<Self, MvarError> {
        let norm = |col: usize| (0..=col).map(|row| self.r[(row, col)].powi(2)).sum::<f64>().sqrt();
        let sound = |col: usize| self.r[(col, col)].abs() > DEPENDENT * norm(col);
        if (0..self.r.ncols()).all(sound) { Ok(self) } else { Err(MvarError::Dependent) }
    }

    pub(in crate::connectivity) fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// The factor of some of the channels, as if there were no others.
    pub(in crate::connectivity) fn of(&self, channels: &[usize]) -> Result<Self, MvarError> {
        let n_constants = self.n_constants;
        let column = |col: usize| match col.checked_sub(n_constants) {
            None => col,
            Some(col) => {
                let (lag, place) = (col / channels.len(), col % channels.len());
                n_constants + lag * self.n_channels + channels[place]
            }
        };
        let n_cols = n_constants + (self.order + 1) * channels.len();
        // Beyond the diagonal the factor is zero, whatever is stored there.
        let entry = |row: usize, col: usize| if row <= col { self.r[(row, col)] } else { 0.0 };
        let columns = Mat::from_fn(self.r.nrows(), n_cols, |row, col| entry(row, column(col)));
        let r = columns.qr().thin_R().to_owned();
        let &Self { order, n_observations, .. } = self;
        Self { r, n_channels: channels.len(), order, n_constants, n_observations }.independent()
    }

    /// The regressors' factor as a lower triangle, row after row.
    pub(in crate::connectivity) fn regressors_lower(&self) -> Vec<f64> {
        let d = self.n_regressors(self.order);
        let entry = |i: usize, j: usize| if j <= i { self.r[(j, i)] } else { 0.0 };
        (0..d).flat_map(|i| (0..d).map(move |j| entry(i, j))).collect()
    }

    /// Regressors of `order` lags.
    pub(in crate::connectivity) fn n_regressors(&self, order: usize) -> usize {
        self.n_constants + order * self.n_channels
    }

    /// Products of the errors of `order` lags, `(m, m)`.
    pub(super) fn error_products(&self, order: usize) -> Mat<f64> {
        let (k, first) = (self.n_regressors(order), self.n_regressors(self.order));
        // Beyond the diagonal the factor is zero, whatever is stored there.
        let left = self.upper().submatrix(k, first, self.r.nrows() - k, self.n_channels).to_owned();
        left.transpose() * &left
    }

    fn upper(&self) -> MatRef<'_, f64> {
        self.r.as_ref()
    }

    /// `(n_regressors, m)`: how each channel follows from the regressors.
    pub(super) fn solution(&self) -> Mat<f64> {
        let d = self.n_regressors(self.order);
        let mut solution = self.upper().submatrix(0, d, d, self.n_channels).to_owned();
        solve_upper_triangular_in_place(
            self.upper().submatrix(0, 0, d, d),
            solution.as_mut(),
            Par::Seq,
        );
        solution
    }

    pub(in crate::connectivity) fn model(&self) -> Result<Mvar, MvarError> {
        let (m, solution) = (self.n_channels, self.solution());
        let coefficients =
            Mat::from_fn(m, m * self.order, |to, col| solution[(self.n_constants + col, to)]);
        let mut noise = self.error_products(self.order);
        noise *= faer::Scale((self.n_observations as f64).recip());
        let intercept = |to: usize| if self.n_constants == 1 { solution[(0, to)] } else { 0.0 };
        Ok(Mvar {
            coefficients: matrix(&coefficients)?,
            intercept: (0..m).map(intercept).collect(),
            noise: matrix(&noise)?,
            n_observations: self.n_observations,
            n_regressors: self.n_regressors(self.order),
        })
    }
}
