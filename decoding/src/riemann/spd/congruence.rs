//! Products of three matrices whose result is symmetric: half of the last one is enough.

use super::mirror_lower;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// `A C Aᵀ` of a symmetric `C`, the lower triangle; `half` is scratch of the same shape.
///
/// # Panics
/// If sizes do not agree.
pub(crate) fn lower_congruence_into(
    a: MatRef<'_, f64>,
    c: MatRef<'_, f64>,
    mut half: MatMut<'_, f64>,
    out: MatMut<'_, f64>,
) {
    matmul(half.as_mut(), Accum::Replace, a, c, 1.0, Par::Seq);
    triangular::matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Replace,
        half.as_ref(),
        BlockStructure::Rectangular,
        a.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// The same, both triangles.
///
/// # Panics
/// If sizes do not agree.
pub(crate) fn congruence_into(
    a: MatRef<'_, f64>,
    c: MatRef<'_, f64>,
    half: &mut Mat<f64>,
    mut out: MatMut<'_, f64>,
) {
    lower_congruence_into(a, c, half.as_mut(), out.as_mut());
    mirror_lower(out);
}
