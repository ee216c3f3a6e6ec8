//! The tangent space at a point: SPD matrices as vectors.

mod map;

use super::metric::Metric;
use super::spd::{self, Bundle, EigenScratch, RiemannError, WIDTH};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use map::Map;
use rayon::prelude::*;
use std::borrow::Borrow;
use std::f64::consts::SQRT_2;

/// Half of the second product is not needed; of smaller matrices all of it takes less time
/// than the cutting.
const LEAST_CUT: usize = 96;

/// Maps SPD matrices `C` to the tangent space at a fixed point `P`, as vectors, and back.
///
/// The vector is the upper triangle of a symmetric matrix `X`, row after row, off-diagonal
/// elements times √2. The order is pyRiemann's (`numpy.triu_indices`), and so is `X`:
///
/// | metric | `X` of `C` | `C` of `X` |
/// |---|---|---|
/// | affine-invariant | `log(P^-½ C P^-½)` | `P^½ exp(X) P^½` |
/// | log-Euclidean | `D_{log P} exp (log C - log P)` | `exp(log P + D_P log (X))` |
/// | Wasserstein | `(C P)^½ + (P C)^½ - 2 P` | `P + X + V (T Λ T) Vᵀ` |
/// | Euclidean | `C - P` | `P + X` |
///
/// with `P = V Λ Vᵀ` and `T_ij = (Vᵀ X V)_ij / (λ_i + λ_j)`. In the affine-invariant and
/// the Euclidean metric the vector's length is the distance from `P` to `C`.
///
/// Keep the point (a [`crate::matrix::Matrix`]) in a model file and plan anew from it: the
/// plan is a function of its bits. Memory: about twelve matrices of the point's size.
///
/// # Reference
/// A. Barachant, S. Bonnet, M. Congedo, C. Jutten (2012), IEEE Transactions on
/// Biomedical Engineering 59(4), doi:10.1109/TBME.2011.2172210. Log-Euclidean:
/// V. Arsigny et al. (2007), doi:10.1137/050637996. Wasserstein: L. Malagò,
/// L. Montrucchio, G. Pistone (2018), doi:10.1007/s41884-018-0014-4.
#[derive(Clone, Debug)]
pub struct TangentSpace {
    metric: Metric,
    point: Mat<f64>,
    map: Map,
    half: Mat<f64>,
    whitened: Mat<f64>,
    eigen: EigenScratch,
    bundle: Bundle,
}

impl TangentSpace {
    /// The affine-invariant tangent space at `point`. Allocates.
    pub fn at(point: MatRef<'_, f64>) -> Result<Self, RiemannError> {
        Self::in_metric(Metric::AffineInvariant, point)
    }

    /// The tangent space of a metric at `point`. Allocates.
    ///
    /// # Errors
    /// A point that is not square, not finite or, but in the Euclidean metric, not
    /// positive definite.
    pub fn in_metric(metric: Metric, point: MatRef<'_, f64>) -> Result<Self, RiemannError> {
        let n = point.nrows();
        Ok(Self {
            metric,
            map: Map::new(metric, point)?,
            point: point.to_owned(),
            half: Mat::zeros(n, n),
            whitened: Mat::zeros(n, n),
            eigen: EigenScratch::new(n),
            bundle: Bundle::new(if Bundle::pays(n, WIDTH) { n } else { 0 }),
        })
    }

    /// The metric.
    pub fn metric(&self) -> Metric {
        self.metric
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
    /// element is NaN where `cov` is not finite or not positive definite (the Euclidean
    /// metric does not ask for the latter).
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` is of another size than the point, or `out` not of length [`Self::dim`].
    pub fn vector_into(&mut self, cov: MatRef<'_, f64>, out: &mut [f64]) {
        assert_eq!(cov.shape(), self.point.shape(), "matrix of another size");
        assert_eq!(out.len(), self.dim(), "vector of another space");
        let Self { point, map, half, whitened, eigen, .. } = self;
        match map.log_map(cov, point.as_ref(), (half, whitened, eigen)) {
            Ok(()) => vector_from_symmetric(self.half.as_ref(), out),
            Err(_) => out.fill(f64::NAN),
        }
    }

    /// Writes the tangent vectors of `covs`, one after the other: those of
    /// [`Self::vector_into`] up to rounding, for in the affine-invariant metric four
    /// matrices are reduced side by side. What decides live should take one way only.
    ///
    /// Thread: the caller's rayon pool, matrices side by side; the values do not depend on
    /// how many threads there are. Allocation: the space once more for each piece of work,
    /// none with one thread.
    ///
    /// # Panics
    /// As [`Self::vector_into`].
    pub fn vectors_into<M: Borrow<Mat<f64>> + Sync>(&mut self, covs: &[M], out: &mut [f64]) {
        let dim = self.dim();
        assert_eq!(out.len(), covs.len() * dim, "vectors of another space");
        let n_together = if self.goes_side_by_side(WIDTH) { WIDTH } else { 1 };
        let n_values = (n_together * dim).max(1);
        let n_threads = rayon::current_num_threads();
        if n_threads == 1 || covs.len() <= n_together {
            let parts = covs.chunks(n_together).zip(out.chunks_mut(n_values));
            parts.for_each(|(covs, out)| self.some_into(covs, out));
            return;
        }
        // A few pieces for each thread: a piece begins with a copy of the space.
        let least = covs.len().div_ceil(4 * n_threads * n_together);
        let space: &Self = self;
        covs.par_chunks(n_together)
            .zip(out.par_chunks_mut(n_values))
            .with_min_len(least)
            .for_each_init(|| space.clone(), |space, (covs, out)| space.some_into(covs, out));
    }

    /// Whether so many matrices are reduced side by side.
    fn goes_side_by_side(&self, n_matrices: usize) -> bool {
        self.map.whitening().is_some() && Bundle::pays(self.point.nrows(), n_matrices)
    }

    /// The tangent vectors of up to four matrices.
    fn some_into<M: Borrow<Mat<f64>>>(&mut self, covs: &[M], out: &mut [f64]) {
        if self.goes_side_by_side(covs.len()) && self.side_by_side(covs, out) {
            return;
        }
        let dim = self.dim();
        for (cov, out) in covs.iter().zip(out.chunks_exact_mut(dim)) {
            self.vector_into(cov.borrow().as_ref(), out);
        }
    }

    /// The tangent vectors of up to four matrices; `false` where one is not positive
    /// definite, or the metric knows no such way.
    fn side_by_side<M: Borrow<Mat<f64>>>(&mut self, covs: &[M], out: &mut [f64]) -> bool {
        let dim = self.dim();
        let Self { point, map, half, whitened, eigen, bundle, .. } = self;
        let Some(w) = map.whitening() else { return false };
        for (lane, cov) in covs.iter().map(Borrow::borrow).enumerate() {
            assert_eq!(cov.shape(), point.shape(), "matrix of another size");
            if w.nrows() < LEAST_CUT {
                matmul(half.as_mut(), Accum::Replace, w, cov.as_ref(), 1.0, Par::Seq);
                matmul(whitened.as_mut(), Accum::Replace, half.as_ref(), w, 1.0, Par::Seq);
            } else {
                spd::lower_congruence_into(w, cov.as_ref(), half.as_mut(), whitened.as_mut());
            }
            if bundle.set(lane, whitened.as_ref()).is_err() {
                return false;
            }
        }
        bundle.clear_from(covs.len());
        let reduced = bundle.reduce();
        reduced.is_ok()
            && out.chunks_exact_mut(dim).enumerate().all(|(lane, out)| {
                let found = eigen.reduced_spd_into((bundle, lane), f64::ln, half.as_mut());
                vector_from_symmetric(half.as_ref(), out);
                found.is_ok()
            })
    }

    /// Writes the matrix of a tangent vector into both triangles of `out`: the inverse of
    /// [`Self::vector_into`]. Every element is NaN where the vector is not finite.
    ///
    /// In the Wasserstein and the Euclidean metric a long vector leads out of the
    /// positive definite matrices.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `vector` is not of length [`Self::dim`], or `out` of another size than the
    /// point.
    pub fn spd_into(&mut self, vector: &[f64], mut out: MatMut<'_, f64>) {
        assert_eq!(out.shape(), self.point.shape(), "matrix of another size");
        assert_eq!(vector.len(), self.dim(), "vector of another space");
        symmetric_into(vector, self.half.as_mut());
        let Self { point, map, half, whitened, eigen, .. } = self;
        match map.exp_map(point.as_ref(), (half, whitened, eigen), out.as_mut()) {
            Ok(()) => {}
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
    symmetric_into(vector, out.as_mut());
    Ok(out)
}

/// As [`symmetric_from_vector`], for lengths that agree.
fn symmetric_into(vector: &[f64], mut out: MatMut<'_, f64>) {
    let mut rest = vector;
    for i in 0..out.ncols() {
        let (row, next) = rest.split_at(out.nrows() - i);
        out[(i, i)] = row[0];
        for (j, x) in row.iter().enumerate().skip(1) {
            let x = x / SQRT_2;
            out[(i + j, i)] = x;
            out[(i, i + j)] = x;
        }
        rest = next;
    }
}

/// The SPD matrix `P^½ exp(V) P^½` of a tangent vector at `point`: the inverse of
/// [`TangentSpace::vector_into`]. Allocates.
pub fn spd_from_tangent(point: MatRef<'_, f64>, vector: &[f64]) -> Result<Mat<f64>, RiemannError> {
    let root = spd::sqrt(point)?;
    let tangent = symmetric_from_vector(vector, point.nrows())?;
    Ok(&root * spd::exp(tangent.as_ref())? * &root)
}
