//! Symmetric eigen-decompositions with their workspace, and functions of matrices.

mod bundle;
mod congruence;
mod lanes;
mod rational_ql;
mod turn;
mod twisted;

pub(crate) use bundle::Bundle;
pub(crate) use congruence::{congruence_into, lower_congruence_into};
use faer::diag::{DiagMut, DiagRef};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::tridiag::{tridiag_in_place, tridiag_in_place_scratch};
use faer::linalg::evd::{
    ComputeEigenvectors, self_adjoint_evd_scratch, tridiagonal_self_adjoint_evd,
};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as apply_reflectors_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply_reflectors,
    upgrade_householder_factor,
};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Conj, Mat, MatMut, MatRef, Par};
pub(crate) use lanes::WIDTH;
use std::fmt;
use turn::Turn;
use twisted::Twisted;

/// Why a matrix has no place in this geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RiemannError {
    /// Shrink the matrix, or drop the variables that are constant or duplicated.
    #[error(
        "the matrix is not positive definite: shrink it, or leave out constant, duplicated or NaN channels"
    )]
    NotPositiveDefinite,
    /// Look for NaN or infinite values in what the matrix was computed from.
    #[error("the matrix is not finite: look for NaN or infinite samples")]
    NotFinite,
    /// Allow more steps or a coarser criterion; matrices far apart need more steps.
    #[error("no convergence in {n_steps} steps: allow more steps or a coarser criterion")]
    NotConverged {
        /// Steps taken.
        n_steps: usize,
    },
    /// Pass at least one matrix.
    #[error("there is no matrix to work on: pass at least one")]
    Empty,
    /// Pass one weight per matrix: finite, none negative, not all zero.
    #[error("weights must be one per matrix, finite, none negative and not all zero")]
    BadWeights,
    /// Choose an exponent between -1 and 1.
    #[error("the exponent of a power mean lies between -1 and 1")]
    BadExponent,
    /// Pass matrices that differ, and a positive dispersion to bring them to.
    #[error(
        "there is no dispersion to change, or none to reach: pass matrices that differ, and a positive dispersion"
    )]
    NoDispersion,
    /// Pass square matrices of one size.
    #[error(
        "a matrix of {n_rows} x {n_cols} where {expected} x {expected} is needed: pass square matrices of one size"
    )]
    ShapeMismatch {
        /// Its rows.
        n_rows: usize,
        /// Its columns.
        n_cols: usize,
        /// The size needed.
        expected: usize,
    },
}

/// Reflectors applied at a time, on the way back from the tridiagonal matrix, up to each
/// size: products of wider blocks are faster, but making the blocks takes more of the time.
const REFLECTOR_BLOCKS: [(usize, usize); 3] = [(128, 16), (512, 32), (usize::MAX, 64)];

/// Workspace for eigen-decompositions `A = U diag(λ) Uᵀ` of symmetric `dim x dim`
/// matrices; eigenvalues ascend.
pub struct EigenScratch {
    diagonal: Vec<f64>,
    off: Vec<f64>,
    values: Vec<f64>,
    squares: Vec<f64>,
    twisted: Twisted,
    turn: Option<Turn>,
    vectors: Mat<f64>,
    scaled: Mat<f64>,
    reflectors: Mat<f64>,
    memory: MemBuffer,
}

impl fmt::Debug for EigenScratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EigenScratch").field("dim", &self.dim()).finish_non_exhaustive()
    }
}

impl Clone for EigenScratch {
    fn clone(&self) -> Self {
        Self::new(self.dim())
    }
}

impl EigenScratch {
    /// Workspace for matrices of `dim x dim`.
    pub fn new(dim: usize) -> Self {
        // Nothing has no workspace, and asking for its size overflows.
        let size = dim.max(1);
        let need = self_adjoint_evd_scratch::<f64>(
            size,
            ComputeEigenvectors::Yes,
            Par::Seq,
            faer::Spec::default(),
        );
        let tridiagonal = tridiag_in_place_scratch::<f64>(size, Par::Seq, faer::Spec::default());
        let (n_reflectors, block) = (dim.saturating_sub(1), reflector_block(dim));
        let back = apply_reflectors_scratch::<f64>(n_reflectors, block, dim);
        Self {
            diagonal: vec![0.0; dim],
            off: vec![0.0; dim],
            twisted: Twisted::new(dim),
            turn: Turn::new(dim),
            values: vec![0.0; dim],
            squares: vec![0.0; dim],
            vectors: Mat::zeros(dim, dim),
            scaled: Mat::zeros(dim, dim),
            reflectors: Mat::zeros(block, n_reflectors),
            memory: MemBuffer::new(need.or(tridiagonal).or(back)),
        }
    }

    /// Size of the matrices.
    pub fn dim(&self) -> usize {
        self.values.len()
    }

    /// Eigenvalues alone, ascending: two thirds of the time with vectors. Reads the
    /// lower triangle of `a`.
    ///
    /// Thread: any. Allocation: none.
    pub fn values(&mut self, a: MatRef<'_, f64>) -> Result<&[f64], RiemannError> {
        check_square(a, self.dim())?;
        check_finite(a)?;
        let largest = largest_of_lower(a);
        if largest >= f64::MIN_POSITIVE {
            self.tridiagonalise(a, largest, 1);
            self.find_values()?;
            self.values.iter_mut().for_each(|x| *x *= largest);
        } else {
            self.values.fill(0.0);
        }
        Ok(&self.values)
    }

    /// The eigenvalues of the tridiagonal matrix.
    fn find_values(&mut self) -> Result<(), RiemannError> {
        self.values.copy_from_slice(&self.diagonal);
        self.squares.iter_mut().zip(&self.off).for_each(|(y, x)| *y = x * x);
        rational_ql::eigenvalues(&mut self.values, &mut self.squares)
    }

    /// A tridiagonal matrix similar to `a / largest`, by reflectors that are kept
    /// below its diagonal, in blocks of `block`.
    fn tridiagonalise(&mut self, a: MatRef<'_, f64>, largest: f64, block: usize) {
        let n = self.dim();
        let (scaled, scale) = (&mut self.scaled, largest.recip());
        for j in 0..n {
            let from = a.col(j).subrows(j, n - j);
            for (y, x) in scaled.col_mut(j).subrows_mut(j, n - j).iter_mut().zip(from.iter()) {
                *y = scale * x;
            }
        }
        if n > 1 {
            let (stack, params) = (MemStack::new(&mut self.memory), faer::Spec::default());
            let factors = self.reflectors.as_mut().subrows_mut(0, block);
            tridiag_in_place(scaled.as_mut(), factors, Par::Seq, stack, params);
        }
        for i in 0..n {
            self.diagonal[i] = scaled[(i, i)];
            self.off[i] = if i + 1 < n { scaled[(i + 1, i)] } else { 0.0 };
        }
    }

    /// Eigenvectors of the tridiagonal matrix to the values found; where they cluster,
    /// the QR iteration finds both.
    fn find_vectors(&mut self) -> Result<(), RiemannError> {
        let (diagonal, off, vectors) = (&self.diagonal, &self.off, &mut self.vectors);
        if self.twisted.vectors(diagonal, off, &self.values, vectors.as_mut()) {
            return Ok(());
        }
        tridiagonal_self_adjoint_evd(
            DiagRef::from_slice(diagonal),
            DiagRef::from_slice(off),
            DiagMut::from_slice_mut(&mut self.values),
            Some(vectors.as_mut()),
            Par::Seq,
            MemStack::new(&mut self.memory),
            faer::Spec::default(),
        )
        .map_err(|_| RiemannError::NotFinite)
    }

    /// From eigenvectors of the tridiagonal matrix to those of the matrix it came from.
    fn reflect_back(&mut self) {
        let n = self.dim();
        if n > 1 {
            apply_reflectors(
                self.scaled.as_ref().submatrix(1, 0, n - 1, n - 1),
                self.reflectors.as_ref(),
                Conj::No,
                self.vectors.as_mut().subrows_mut(1, n - 1),
                Par::Seq,
                MemStack::new(&mut self.memory),
            );
        }
    }

    /// Eigenvalues, ascending, and the eigenvectors as columns. Reads the lower triangle
    /// of `a`.
    ///
    /// Thread: any. Allocation: none.
    pub fn decompose(
        &mut self,
        a: MatRef<'_, f64>,
    ) -> Result<(&[f64], MatRef<'_, f64>), RiemannError> {
        check_square(a, self.dim())?;
        check_finite(a)?;
        let largest = largest_of_lower(a);
        if largest >= f64::MIN_POSITIVE {
            self.tridiagonalise(a, largest, self.reflectors.nrows());
            self.find_values()?;
            self.find_vectors()?;
            self.reflect_back();
            self.values.iter_mut().for_each(|x| *x *= largest);
        } else {
            self.values.fill(0.0);
            self.vectors.fill(0.0);
            self.vectors.diagonal_mut().fill(1.0);
        }
        Ok((&self.values, self.vectors.as_ref()))
    }

    /// `f(A) = U diag(f(λ)) Uᵀ` into both triangles of `out`, for any symmetric `a`.
    ///
    /// Thread: any. Allocation: none.
    pub fn apply_into(
        &mut self,
        a: MatRef<'_, f64>,
        f: impl Fn(f64) -> f64,
        out: MatMut<'_, f64>,
    ) -> Result<(), RiemannError> {
        self.decompose(a)?;
        self.rebuild_into(f, out);
        Ok(())
    }

    /// As [`EigenScratch::apply_into`], for positive definite `a` only.
    ///
    /// Thread: any. Allocation: none.
    pub fn apply_spd_into(
        &mut self,
        a: MatRef<'_, f64>,
        f: impl Fn(f64) -> f64,
        mut out: MatMut<'_, f64>,
    ) -> Result<(), RiemannError> {
        self.spd_lower_into(a, f, out.as_mut())?;
        mirror_lower(out);
        Ok(())
    }

    /// As [`EigenScratch::apply_spd_into`], into the lower triangle alone.
    pub(crate) fn spd_lower_into(
        &mut self,
        a: MatRef<'_, f64>,
        f: impl Fn(f64) -> f64,
        out: MatMut<'_, f64>,
    ) -> Result<(), RiemannError> {
        self.decompose(a)?;
        check_positive(&self.values)?;
        self.rebuild_lower(f, out, Accum::Replace);
        Ok(())
    }

    /// Adds `f(A)` of a positive definite `a` to the lower triangle of `sum`.
    pub(crate) fn add_spd(
        &mut self,
        a: MatRef<'_, f64>,
        f: impl Fn(f64) -> f64,
        sum: MatMut<'_, f64>,
    ) -> Result<(), RiemannError> {
        self.decompose(a)?;
        check_positive(&self.values)?;
        self.rebuild_lower(f, sum, Accum::Add);
        Ok(())
    }

    /// As [`EigenScratch::add_spd`], for one matrix of a bundle that is reduced.
    pub(crate) fn add_reduced_spd(
        &mut self,
        (bundle, lane): (&Bundle, usize),
        f: impl Fn(f64) -> f64,
        sum: MatMut<'_, f64>,
    ) -> Result<(), RiemannError> {
        bundle.values_into(lane, &mut self.values);
        check_positive(&self.values)?;
        self.rebuild_reduced((bundle, lane), f, sum, Accum::Add)
    }

    /// `f(A)` of one matrix of a bundle that is reduced, into the lower triangle of `out`
    /// at least: up to rounding what [`EigenScratch::spd_lower_into`] writes.
    pub(crate) fn reduced_spd_into(
        &mut self,
        (bundle, lane): (&Bundle, usize),
        f: impl Fn(f64) -> f64,
        out: MatMut<'_, f64>,
    ) -> Result<(), RiemannError> {
        bundle.values_into(lane, &mut self.values);
        check_positive(&self.values)?;
        if self.turn.is_none() {
            return self.rebuild_reduced((bundle, lane), f, out, Accum::Replace);
        }
        let scale = bundle.scale(lane);
        self.values.iter_mut().for_each(|x| *x /= scale);
        bundle.tridiagonal_into(lane, &mut self.diagonal, &mut self.off);
        self.find_vectors()?;
        self.values.iter_mut().for_each(|x| *x = f(scale * *x));
        let Some(turn) = &mut self.turn else { return Ok(()) };
        let values = self.values.iter().copied();
        let (a, b) = turn.factors(self.vectors.as_ref(), (bundle, lane), &values);
        matmul(out, Accum::Replace, a, b.transpose(), 1.0, Par::Seq);
        Ok(())
    }

    /// `f` of one matrix of a bundle that is reduced, whose eigenvalues are `values`.
    fn rebuild_reduced(
        &mut self,
        (bundle, lane): (&Bundle, usize),
        f: impl Fn(f64) -> f64,
        out: MatMut<'_, f64>,
        accum: Accum,
    ) -> Result<(), RiemannError> {
        let scale = bundle.scale(lane);
        self.values.iter_mut().for_each(|x| *x /= scale);
        bundle.tridiagonal_into(lane, &mut self.diagonal, &mut self.off);
        self.find_vectors()?;
        bundle.reflectors_into(lane, self.scaled.as_mut(), self.reflectors.as_mut());
        self.gather_factors();
        self.reflect_back();
        self.values.iter_mut().for_each(|x| *x *= scale);
        check_positive(&self.values)?;
        self.rebuild_lower(f, out, accum);
        Ok(())
    }

    /// From the reflectors' factors, in the first row, to those of blocks of them.
    fn gather_factors(&mut self) {
        let n_reflectors = self.reflectors.ncols();
        let tails = self.scaled.as_ref().submatrix(1, 0, n_reflectors, n_reflectors);
        for first in (0..n_reflectors).step_by(self.reflectors.nrows()) {
            let block = self.reflectors.nrows().min(n_reflectors - first);
            let mut factor = self.reflectors.as_mut().submatrix_mut(0, first, block, block);
            for k in 0..block {
                factor[(k, k)] = factor[(0, k)];
            }
            let tails = tails.submatrix(first, first, n_reflectors - first, block);
            upgrade_householder_factor(factor, tails, block, 1, Par::Seq);
        }
    }

    /// `U diag(f(λ)) Uᵀ` of the last decomposition, into both triangles.
    fn rebuild_into(&mut self, f: impl Fn(f64) -> f64, mut out: MatMut<'_, f64>) {
        self.rebuild_lower(f, out.as_mut(), Accum::Replace);
        mirror_lower(out);
    }

    fn rebuild_lower(&mut self, f: impl Fn(f64) -> f64, out: MatMut<'_, f64>, accum: Accum) {
        for (j, value) in self.values.iter().enumerate() {
            let scale = f(*value);
            for (y, x) in self.scaled.col_mut(j).iter_mut().zip(self.vectors.col(j).iter()) {
                *y = scale * x;
            }
        }
        triangular::matmul(
            out,
            BlockStructure::TriangularLower,
            accum,
            self.scaled.as_ref(),
            BlockStructure::Rectangular,
            self.vectors.as_ref().transpose(),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    }
}

/// Copies the lower triangle into the upper one.
pub(crate) fn mirror_lower(mut a: MatMut<'_, f64>) {
    for j in 0..a.ncols() {
        for i in j + 1..a.nrows() {
            a[(j, i)] = a[(i, j)];
        }
    }
}

/// `A^t` of an SPD matrix, both triangles.
pub(crate) fn power(a: MatRef<'_, f64>, t: f64) -> Result<Mat<f64>, RiemannError> {
    spd_function(a, |x| x.powf(t))
}

/// Reflectors applied at a time to vectors of `dim`.
fn reflector_block(dim: usize) -> usize {
    let fits = REFLECTOR_BLOCKS.iter().find(|(largest, _)| dim <= *largest);
    fits.map_or(1, |(_, block)| *block).min(dim.max(2) - 1)
}

pub(crate) fn check_square(a: MatRef<'_, f64>, expected: usize) -> Result<(), RiemannError> {
    let (n_rows, n_cols) = a.shape();
    if n_rows == expected && n_cols == expected {
        Ok(())
    } else {
        Err(RiemannError::ShapeMismatch { n_rows, n_cols, expected })
    }
}

/// The largest magnitude in the lower triangle.
fn largest_of_lower(a: MatRef<'_, f64>) -> f64 {
    let column = |j: usize| a.col(j).subrows(j, a.nrows() - j);
    (0..a.ncols()).flat_map(|j| column(j).iter()).fold(0.0, |m, x| m.max(x.abs()))
}

/// Whether the lower triangle is finite.
pub(crate) fn check_finite(a: MatRef<'_, f64>) -> Result<(), RiemannError> {
    // 0 * x is 0 for every finite x and NaN for every other: one sum tells.
    let mut probe = 0.0;
    for j in 0..a.ncols() {
        probe += a.col(j).subrows(j, a.nrows() - j).iter().map(|x| 0.0 * x).sum::<f64>();
    }
    if probe == 0.0 { Ok(()) } else { Err(RiemannError::NotFinite) }
}

/// Whether ascending eigenvalues are those of a matrix that is positive definite beyond
/// its own rounding errors: `λ_min > n ε λ_max`.
pub(crate) fn check_positive(values: &[f64]) -> Result<(), RiemannError> {
    let (Some(min), Some(max)) = (values.first(), values.last()) else { return Ok(()) };
    let floor = values.len() as f64 * f64::EPSILON * max;
    if *min > 0.0 && *min > floor { Ok(()) } else { Err(RiemannError::NotPositiveDefinite) }
}

/// `f` of the eigenvalues of an SPD matrix, in a new matrix.
fn spd_function(a: MatRef<'_, f64>, f: impl Fn(f64) -> f64) -> Result<Mat<f64>, RiemannError> {
    let mut out = Mat::zeros(a.nrows(), a.nrows());
    EigenScratch::new(a.nrows()).apply_spd_into(a, f, out.as_mut())?;
    Ok(out)
}

/// The symmetric logarithm of an SPD matrix. Allocates.
pub fn log(a: MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError> {
    spd_function(a, f64::ln)
}

/// The SPD square root of an SPD matrix. Allocates.
pub fn sqrt(a: MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError> {
    spd_function(a, f64::sqrt)
}

/// The SPD inverse square root of an SPD matrix. Allocates.
pub fn inv_sqrt(a: MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError> {
    spd_function(a, |x| x.sqrt().recip())
}

/// The exponential of a symmetric matrix: SPD. Allocates.
pub fn exp(a: MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError> {
    let mut out = Mat::zeros(a.nrows(), a.nrows());
    EigenScratch::new(a.nrows()).apply_into(a, f64::exp, out.as_mut())?;
    Ok(out)
}

#[cfg(test)]
mod tests;
