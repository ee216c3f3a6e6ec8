//! Distances between SPD matrices.

mod several;

pub use several::DistancesTo;

use super::spd::{self, EigenScratch, RiemannError, check_positive, check_square};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par};

/// `‖log(A^-½ B A^-½)‖_F`, the affine-invariant distance. Allocates.
///
/// # Reference
/// X. Pennec, P. Fillard, N. Ayache (2006), International Journal of Computer Vision
/// 66, doi:10.1007/s11263-005-3222-z.
pub fn affine_invariant(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Result<f64, RiemannError> {
    DistanceTo::new(a)?.try_squared(b).map(f64::sqrt)
}

/// `‖log A - log B‖_F`. Allocates.
///
/// # Reference
/// V. Arsigny et al. (2007), SIAM Journal on Matrix Analysis and Applications 29(1),
/// doi:10.1137/050637996.
pub fn log_euclidean(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Result<f64, RiemannError> {
    check_square(b, a.nrows())?;
    Ok((spd::log(a)? - spd::log(b)?).norm_l2())
}

/// `‖A - B‖_F`.
pub fn euclidean(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Result<f64, RiemannError> {
    check_square(a, a.nrows())?;
    check_square(b, a.nrows())?;
    Ok((a - b).norm_l2())
}

/// `(tr A + tr B - 2 tr (A^½ B A^½)^½)^½`, the Wasserstein (Bures) distance. Allocates.
///
/// # Reference
/// R. Bhatia, T. Jain, Y. Lim (2019), Expositiones Mathematicae 37(2),
/// doi:10.1016/j.exmath.2018.01.002.
pub fn wasserstein(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Result<f64, RiemannError> {
    check_square(b, a.nrows())?;
    let mut eigen = EigenScratch::new(a.nrows());
    check_positive(eigen.values(a)?)?;
    let factor = factor_of(a)?;
    let mut half = Mat::zeros(a.nrows(), a.nrows());
    let mut framed = half.clone();
    let frame = (factor.transpose(), BlockStructure::TriangularUpper);
    frame_into(frame, b, &mut half, &mut framed);
    let values = eigen.values(framed.as_ref())?;
    check_positive(values)?;
    Ok(squared_wasserstein(trace(a) + trace(b), values).sqrt())
}

/// Affine-invariant distance to one fixed point, many times over.
///
/// With `P = L Lᵀ` the eigenvalues `λ` of `L⁻¹ C L⁻ᵀ` are those of `P^-½ C P^-½`, so
/// `d² = Σ ln² λ`: the inverse factor is computed once, and no eigenvectors ever.
#[derive(Clone, Debug)]
pub struct DistanceTo {
    inverse_factor: Mat<f64>,
    half: Mat<f64>,
    whitened: Mat<f64>,
    eigen: EigenScratch,
}

impl DistanceTo {
    /// Plans distances to `point`. Allocates.
    pub fn new(point: MatRef<'_, f64>) -> Result<Self, RiemannError> {
        let n = point.nrows();
        check_positive(EigenScratch::new(n).values(point)?)?;
        Ok(Self {
            inverse_factor: inverse_factor_of(point)?,
            half: Mat::zeros(n, n),
            whitened: Mat::zeros(n, n),
            eigen: EigenScratch::new(n),
        })
    }

    /// Size of the matrices.
    pub fn dim(&self) -> usize {
        self.eigen.dim()
    }

    /// Squared distance from the point to `cov`, both triangles of which are read. NaN
    /// where `cov` is not finite or not positive definite.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` is of another size than the point.
    pub fn squared(&mut self, cov: MatRef<'_, f64>) -> f64 {
        assert_eq!(cov.shape(), self.half.shape(), "matrix of another size");
        self.try_squared(cov).unwrap_or(f64::NAN)
    }

    fn try_squared(&mut self, cov: MatRef<'_, f64>) -> Result<f64, RiemannError> {
        check_square(cov, self.dim())?;
        self.whiten(cov);
        squared_norm_of_log(self.eigen.values(self.whitened.as_ref())?)
    }

    /// `L⁻¹ C L⁻ᵀ`, its lower triangle.
    fn whiten(&mut self, cov: MatRef<'_, f64>) {
        let frame = (self.inverse_factor.as_ref(), BlockStructure::TriangularLower);
        frame_into(frame, cov, &mut self.half, &mut self.whitened);
    }
}

/// Cholesky's factor `L` of `P = L Lᵀ`.
fn factor_of(point: MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError> {
    let factor = point.llt(faer::Side::Lower).map_err(|_| RiemannError::NotPositiveDefinite)?;
    Ok(factor.L().to_owned())
}

/// `L⁻¹` of `P = L Lᵀ`.
fn inverse_factor_of(point: MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError> {
    let factor = point.llt(faer::Side::Lower).map_err(|_| RiemannError::NotPositiveDefinite)?;
    let mut inverse = Mat::zeros(point.nrows(), point.nrows());
    faer::linalg::triangular_inverse::invert_lower_triangular(
        inverse.as_mut(),
        factor.L(),
        Par::Seq,
    );
    Ok(inverse)
}

/// `F C Fᵀ` of a triangular `F`, its lower triangle.
fn frame_into(
    (frame, structure): (MatRef<'_, f64>, BlockStructure),
    cov: MatRef<'_, f64>,
    half: &mut Mat<f64>,
    out: &mut Mat<f64>,
) {
    let transposed = match structure {
        BlockStructure::TriangularLower => BlockStructure::TriangularUpper,
        _ => BlockStructure::TriangularLower,
    };
    triangular::matmul(
        half.as_mut(),
        BlockStructure::Rectangular,
        Accum::Replace,
        frame,
        structure,
        cov,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    triangular::matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        half.as_ref(),
        BlockStructure::Rectangular,
        frame.transpose(),
        transposed,
        1.0,
        Par::Seq,
    );
}

fn trace(a: MatRef<'_, f64>) -> f64 {
    (0..a.nrows()).map(|i| a[(i, i)]).sum()
}

/// `tr A + tr B - 2 Σ √λ`, never below 0.
fn squared_wasserstein(traces: f64, values: &[f64]) -> f64 {
    (traces - 2.0 * values.iter().map(|x| x.sqrt()).sum::<f64>()).max(0.0)
}

/// `Σ ln² λ` of ascending eigenvalues.
fn squared_norm_of_log(values: &[f64]) -> Result<f64, RiemannError> {
    check_positive(values)?;
    Ok(values.iter().map(|x| x.ln() * x.ln()).sum())
}
