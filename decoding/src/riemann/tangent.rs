//! The tangent space at a point: SPD matrices as vectors.

use super::spd::{self, EigenScratch, RiemannError};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par};
use std::f64::consts::SQRT_2;

/// Maps SPD matrices `C` to `log(P^-½ C P^-½)` at a fixed point `P`, as vectors.
///
/// The vector is the upper triangle, row after row, off-diagonal elements times √2, so
/// that its Euclidean norm is the affine-invariant distance from `P` to `C`. The order
/// is pyRiemann's (`numpy.triu_indices`). Keep the point (a [`crate::matrix::Matrix`])
/// in a model file and plan anew from it: the plan is a function of its bits.
///
/// # Reference
/// A. Barachant, S. Bonnet, M. Congedo, C. Jutten (2012), IEEE Transactions on
/// Biomedical Engineering 59(4), doi:10.1109/TBME.2011.2172210.
#[derive(Clone, Debug)]
pub struct TangentSpace {
    point: Mat<f64>,
    inv_sqrt: Mat<f64>,
    half: Mat<f64>,
    whitened: Mat<f64>,
    eigen: EigenScratch,
}

impl TangentSpace {
    /// The tangent space at `point`. Allocates.
    pub fn at(point: MatRef<'_, f64>) -> Result<Self, RiemannError> {
        let n = point.nrows();
        Ok(Self {
            inv_sqrt: spd::inv_sqrt(point)?,
            point: point.to_owned(),
            half: Mat::zeros(n, n),
            whitened: Mat::zeros(n, n),
            eigen: EigenScratch::new(n),
        })
    }

    /// The point.
    pub fn point(&self) -> MatRef<'_, f64> {
        self.point.as_ref()
    }

    /// Length of a tangent vector: `n (n + 1) / 2` for matrices of `n x n`.
    pub fn dim(&self) -> usize {
        vector_dim(self.point.nrows())
    }

    /// Writes the tangent vector of `cov` (both triangles are read) into `out`. Every
    /// element is NaN where `cov` is not finite or not positive definite.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` is of another size than the point, or `out` not of length [`Self::dim`].
    pub fn vector_into(&mut self, cov: MatRef<'_, f64>, out: &mut [f64]) {
        assert_eq!(cov.shape(), self.point.shape(), "matrix of another size");
        assert_eq!(out.len(), self.dim(), "vector of another space");
        let (w, half) = (self.inv_sqrt.as_ref(), &mut self.half);
        matmul(half.as_mut(), Accum::Replace, w, cov, 1.0, Par::Seq);
        triangular::matmul(
            self.whitened.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            half.as_ref(),
            BlockStructure::Rectangular,
            w,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        match self.eigen.spd_lower_into(self.whitened.as_ref(), f64::ln, half.as_mut()) {
            Ok(()) => vector_from_symmetric(half.as_ref(), out),
            Err(_) => out.fill(f64::NAN),
        }
    }
}

/// Length of the vector of a symmetric matrix of `n x n`.
pub fn vector_dim(n: usize) -> usize {
    n * (n + 1) / 2
}

/// The upper triangle of a symmetric matrix, row after row, off-diagonal elements times
/// √2. The lower triangle is read, which is contiguous along each such row.
///
/// # Panics
/// If `out` has not `n (n + 1) / 2` values.
pub fn vector_from_symmetric(a: MatRef<'_, f64>, out: &mut [f64]) {
    let n = a.nrows();
    assert_eq!(out.len(), vector_dim(n), "vector of another space");
    let mut rest = out;
    for i in 0..n {
        let (row, next) = rest.split_at_mut(n - i);
        for (x, y) in row.iter_mut().zip(a.col(i).subrows(i, n - i).iter()) {
            *x = SQRT_2 * y;
        }
        row[0] = a[(i, i)];
        rest = next;
    }
}

/// The symmetric matrix of a vector, both triangles: the inverse of
/// [`vector_from_symmetric`]. Allocates.
pub fn symmetric_from_vector(vector: &[f64], n: usize) -> Result<Mat<f64>, RiemannError> {
    if vector.len() != vector_dim(n) {
        return Err(RiemannError::ShapeMismatch { n_rows: vector.len(), n_cols: 1, expected: n });
    }
    let mut out = Mat::zeros(n, n);
    let mut values = vector.iter();
    for i in 0..n {
        for j in i..n {
            let x = values.next().copied().unwrap_or_default();
            let x = if i == j { x } else { x / SQRT_2 };
            out[(i, j)] = x;
            out[(j, i)] = x;
        }
    }
    Ok(out)
}

/// The SPD matrix `P^½ exp(V) P^½` of a tangent vector at `point`: the inverse of
/// [`TangentSpace::vector_into`]. Allocates.
pub fn spd_from_tangent(point: MatRef<'_, f64>, vector: &[f64]) -> Result<Mat<f64>, RiemannError> {
    let root = spd::sqrt(point)?;
    let tangent = symmetric_from_vector(vector, point.nrows())?;
    Ok(&root * spd::exp(tangent.as_ref())? * &root)
}
