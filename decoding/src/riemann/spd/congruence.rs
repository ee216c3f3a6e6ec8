//! Products of three matrices whose result is symmetric: half of the last one is enough.

use super::mirror_lower;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Half of a smaller product takes more time to cut out than the other half takes.
const LEAST_CUT: usize = 96;

/// `A C Aᵀ` of a symmetric `C`, the lower triangle at least; `half` is scratch of the same
/// shape.
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
    if a.nrows() < LEAST_CUT {
        matmul(out, Accum::Replace, half.as_ref(), a.transpose(), 1.0, Par::Seq);
        return;
    }
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

/// `A C Aᵀ` of a symmetric `C`, both triangles; `half` is scratch of the same shape.
///
/// # Panics
/// If sizes do not agree.
pub(crate) fn congruence_into(
    a: MatRef<'_, f64>,
    c: MatRef<'_, f64>,
    half: &mut Mat<f64>,
    mut out: MatMut<'_, f64>,
) {
    matmul(half.as_mut(), Accum::Replace, a, c, 1.0, Par::Seq);
    triangular::matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        half.as_ref(),
        BlockStructure::Rectangular,
        a.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    mirror_lower(out);
}
