//! The covariance of rows that are put on top of each other: prototypes over a window,
//! or a window over its own past.

use super::Estimator;
use super::windows::centre;
use crate::riemann::covariance::oas_shrink;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Rows of samples, some of them fixed, and the covariance of all.
#[derive(Clone, Debug)]
pub(super) struct Stacked {
    /// Row after row, each with its mean removed.
    rows: Vec<f64>,
    n_rows: usize,
    n_samples: usize,
    estimator: Estimator,
    /// Covariance of the first rows, which stay as they are.
    fixed: Mat<f64>,
}

impl Stacked {
    /// `fixed` rows `(n_fixed, n_samples)` above `n_moving` more.
    pub(super) fn new(fixed: MatRef<'_, f64>, n_moving: usize, estimator: Estimator) -> Self {
        let (n_fixed, n_samples) = fixed.shape();
        let n_rows = n_fixed + n_moving;
        let mut rows = vec![0.0; n_rows * n_samples];
        for (i, row) in rows.chunks_exact_mut(n_samples).take(n_fixed).enumerate() {
            row.iter_mut().zip(fixed.row(i).iter()).for_each(|(y, x)| *y = *x);
            centre(row);
        }
        let top = MatRef::from_row_major_slice(&rows[..n_fixed * n_samples], n_fixed, n_samples);
        let fixed = top * top.transpose() * faer::Scale(1.0 / n_samples as f64);
        Self { rows, n_rows, n_samples, estimator, fixed }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(super) fn n_samples(&self) -> usize {
        self.n_samples
    }

    fn n_fixed(&self) -> usize {
        self.fixed.nrows()
    }

    /// The moving rows, one after the other, to be written whole before each covariance.
    pub(super) fn moving(&mut self) -> &mut [f64] {
        let first = self.n_fixed() * self.n_samples;
        &mut self.rows[first..]
    }

    /// Writes the covariance of all rows into both triangles of `out`, after removing
    /// the means of the moving ones.
    ///
    /// # Panics
    /// Where `out` is not `n_rows x n_rows`.
    pub(super) fn covariance_into(&mut self, mut out: MatMut<'_, f64>) {
        let (n_fixed, n_rows, n_samples) = (self.n_fixed(), self.n_rows, self.n_samples);
        assert_eq!(out.shape(), (n_rows, n_rows), "room for the covariance of all rows");
        self.moving().chunks_exact_mut(n_samples).for_each(centre);
        let (top, bottom) = self.rows.split_at(n_fixed * n_samples);
        let top = MatRef::from_row_major_slice(top, n_fixed, n_samples);
        let bottom = MatRef::from_row_major_slice(bottom, n_rows - n_fixed, n_samples);
        let scale = 1.0 / n_samples as f64;
        out.as_mut().submatrix_mut(0, 0, n_fixed, n_fixed).copy_from(&self.fixed);
        let below = out.as_mut().submatrix_mut(n_fixed, 0, n_rows - n_fixed, n_fixed);
        matmul(below, Accum::Replace, bottom, top.transpose(), scale, Par::Seq);
        triangular::matmul(
            out.as_mut().submatrix_mut(n_fixed, n_fixed, n_rows - n_fixed, n_rows - n_fixed),
            BlockStructure::TriangularLower,
            Accum::Replace,
            bottom,
            BlockStructure::Rectangular,
            bottom.transpose(),
            BlockStructure::Rectangular,
            scale,
            Par::Seq,
        );
        super::windows::mirror(out.as_mut());
        match self.estimator {
            Estimator::Scm => {}
            Estimator::Oas => {
                oas_shrink(out, n_samples);
            }
        }
    }
}
