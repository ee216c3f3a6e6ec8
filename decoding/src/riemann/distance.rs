//! Distances between SPD matrices.

use super::spd::{self, Bundle, EigenScratch, RiemannError, WIDTH, check_positive, check_square};
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
        let factor = point.llt(faer::Side::Lower).map_err(|_| RiemannError::NotPositiveDefinite)?;
        let mut inverse_factor = Mat::zeros(n, n);
        faer::linalg::triangular_inverse::invert_lower_triangular(
            inverse_factor.as_mut(),
            factor.L(),
            Par::Seq,
        );
        Ok(Self {
            inverse_factor,
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
        triangular::matmul(
            self.half.as_mut(),
            BlockStructure::Rectangular,
            Accum::Replace,
            self.inverse_factor.as_ref(),
            BlockStructure::TriangularLower,
            cov,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        triangular::matmul(
            self.whitened.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            self.half.as_ref(),
            BlockStructure::Rectangular,
            self.inverse_factor.as_ref().transpose(),
            BlockStructure::TriangularUpper,
            1.0,
            Par::Seq,
        );
    }
}

/// `Σ ln² λ` of ascending eigenvalues.
fn squared_norm_of_log(values: &[f64]) -> Result<f64, RiemannError> {
    check_positive(values)?;
    Ok(values.iter().map(|x| x.ln() * x.ln()).sum())
}

/// Affine-invariant distances from one matrix to several fixed points, four at a time:
/// three take little longer than one.
#[derive(Clone, Debug)]
pub struct DistancesTo {
    points: Vec<DistanceTo>,
    bundle: Bundle,
    values: Vec<f64>,
}

impl DistancesTo {
    /// Plans distances to `points`, all of one size. Allocates.
    pub fn new(points: &[MatRef<'_, f64>]) -> Result<Self, RiemannError> {
        let dim = points.first().ok_or(RiemannError::Empty)?.nrows();
        points.iter().try_for_each(|point| check_square(*point, dim))?;
        Ok(Self {
            points: points.iter().map(|p| DistanceTo::new(*p)).collect::<Result<_, _>>()?,
            bundle: Bundle::new(dim),
            values: vec![0.0; dim],
        })
    }

    /// Number of points.
    pub fn n_points(&self) -> usize {
        self.points.len()
    }

    /// Writes the squared distance from each point to `cov`, both triangles of which are
    /// read. NaN where `cov` is not finite or not positive definite.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` is of another size than the points, or `squared` not as long as they are
    /// many.
    pub fn squared_into(&mut self, cov: MatRef<'_, f64>, squared: &mut [f64]) {
        assert_eq!(squared.len(), self.points.len(), "distances to other points");
        for (points, squared) in self.points.chunks_mut(WIDTH).zip(squared.chunks_mut(WIDTH)) {
            if let ([point], [squared]) = (&mut *points, &mut *squared) {
                *squared = point.squared(cov);
                continue;
            }
            self.bundle.clear_from(points.len());
            for (lane, (point, squared)) in points.iter_mut().zip(&mut *squared).enumerate() {
                assert_eq!(cov.shape(), point.half.shape(), "matrix of another size");
                point.whiten(cov);
                let set = self.bundle.set(lane, point.whitened.as_ref());
                *squared = if set.is_ok() { 0.0 } else { f64::NAN };
            }
            let reduced = self.bundle.reduce();
            for (lane, squared) in squared.iter_mut().enumerate().filter(|(_, d)| !d.is_nan()) {
                self.bundle.values_into(lane, &mut self.values);
                let found = reduced.and_then(|()| squared_norm_of_log(&self.values));
                *squared = found.unwrap_or(f64::NAN);
            }
        }
    }
}
