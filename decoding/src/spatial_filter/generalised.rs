//! Symmetric pairs of matrices brought to diagonal form at once: what most spatial
//! filters come down to.

use crate::decoder::FitError;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Mat, MatRef, Par, Side};

/// Solutions of `A v = l B v` with `V' B V = I`, `l` ascending.
pub(super) struct Generalised {
    /// The values `l`.
    pub(super) values: Vec<f64>,
    /// The vectors `v` in columns, their signs as the solver left them.
    pub(super) vectors: Mat<f64>,
}

impl Generalised {
    /// Solves for a symmetric `a` and a positive definite `b`, both finite: with
    /// `B = L L'` the vectors are `L^-T u` of the eigenvectors `u` of `L^-1 A L^-T`.
    /// `what_b` names `b`, `what` the vectors, in an error.
    pub(super) fn solve(
        a: MatRef<'_, f64>,
        b: MatRef<'_, f64>,
        what_b: impl Fn() -> String,
        what: impl Fn() -> String,
    ) -> Result<Self, FitError> {
        let factor = match b.llt(Side::Lower) {
            Ok(factor) if has_full_rank(factor.L(), b) => factor,
            _ => return Err(FitError::NotPositiveDefinite { what: what_b() }),
        };
        let mut half = a.to_owned();
        solve_lower_triangular_in_place(factor.L(), half.as_mut(), Par::Seq);
        let mut whitened = half.transpose().to_owned();
        solve_lower_triangular_in_place(factor.L(), whitened.as_mut(), Par::Seq);
        let Ok(eigen) = whitened.self_adjoint_eigen(Side::Lower) else {
            return Err(FitError::NotConverged { what: what(), n_steps: whitened.nrows() });
        };
        let mut vectors = eigen.U().to_owned();
        solve_upper_triangular_in_place(factor.L().transpose(), vectors.as_mut(), Par::Seq);
        Ok(Self { values: eigen.S().column_vector().iter().copied().collect(), vectors })
    }

    /// One vector, its element largest in magnitude positive.
    pub(super) fn vector(&self, col: usize) -> Vec<f64> {
        with_positive_peak(self.vectors.col(col).iter().copied().collect())
    }
}

/// Whether each row of `B = L Lᵀ` keeps a part of its variance that the rows before do not
/// explain, and that is more than rounding: of copies the factor may still exist.
fn has_full_rank(factor: MatRef<'_, f64>, b: MatRef<'_, f64>) -> bool {
    let rounding = 10.0 * b.nrows() as f64 * f64::EPSILON;
    (0..b.nrows()).all(|i| factor[(i, i)].powi(2) > rounding * b[(i, i)])
}

/// The vector or its negative, whichever has the element largest in magnitude positive.
pub(super) fn with_positive_peak(mut vector: Vec<f64>) -> Vec<f64> {
    let peak = vector.iter().fold(0.0_f64, |peak, v| if v.abs() > peak.abs() { *v } else { peak });
    if peak < 0.0 {
        for value in &mut vector {
            *value = -*value;
        }
    }
    vector
}
