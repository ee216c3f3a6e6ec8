//! The logarithmic and exponential maps at a fixed point, metric by metric.

use crate::riemann::metric::Metric;
use crate::riemann::spd::{
    self, EigenScratch, RiemannError, check_finite, congruence_into, mirror_lower,
};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Two matrices and an eigen-decomposition to work with.
type Scratch<'a> = (&'a mut Mat<f64>, &'a mut Mat<f64>, &'a mut EigenScratch);

/// What a metric keeps of the point `P = V Λ Vᵀ`.
#[derive(Clone, Debug)]
pub(super) enum Map {
    AffineInvariant {
        inv_sqrt: Mat<f64>,
        sqrt: Mat<f64>,
    },
    LogEuclidean {
        /// `V`, and `ln λ`.
        vectors: Mat<f64>,
        logs: Vec<f64>,
        /// `(λ_i - λ_j) / (ln λ_i - ln λ_j)`: the exponential's derivative at `log P`.
        slopes: Mat<f64>,
        spare: Mat<f64>,
    },
    Wasserstein {
        inv_sqrt: Mat<f64>,
        sqrt: Mat<f64>,
        vectors: Mat<f64>,
        values: Vec<f64>,
        spare: Mat<f64>,
    },
    Euclidean,
}

impl Map {
    pub(super) fn new(metric: Metric, point: MatRef<'_, f64>) -> Result<Self, RiemannError> {
        let n = point.nrows();
        let basis = || {
            let mut eigen = EigenScratch::new(n);
            let (values, vectors) = eigen.decompose(point)?;
            spd::check_positive(values)?;
            Ok((values.to_vec(), vectors.to_owned()))
        };
        Ok(match metric {
            Metric::AffineInvariant => {
                Self::AffineInvariant { inv_sqrt: spd::inv_sqrt(point)?, sqrt: spd::sqrt(point)? }
            }
            Metric::LogEuclidean => {
                let (values, vectors) = basis()?;
                let logs: Vec<_> = values.iter().map(|x| x.ln()).collect();
                let slopes = Mat::from_fn(n, n, |i, j| slope(logs[i], logs[j]));
                Self::LogEuclidean { vectors, logs, slopes, spare: Mat::zeros(n, n) }
            }
            Metric::Wasserstein => {
                let (values, vectors) = basis()?;
                Self::Wasserstein {
                    inv_sqrt: spd::inv_sqrt(point)?,
                    sqrt: spd::sqrt(point)?,
                    vectors,
                    values,
                    spare: Mat::zeros(n, n),
                }
            }
            Metric::Euclidean => {
                spd::check_square(point, n)?;
                check_finite(point)?;
                Self::Euclidean
            }
        })
    }

    /// `W` of the logarithm `log(W C W)`, where that is what the tangent matrix is.
    pub(super) fn whitening(&self) -> Option<MatRef<'_, f64>> {
        match self {
            Self::AffineInvariant { inv_sqrt, .. } => Some(inv_sqrt.as_ref()),
            _ => None,
        }
    }

    /// The tangent matrix of `cov`, into the lower triangle of `half`.
    pub(super) fn log_map(
        &mut self,
        cov: MatRef<'_, f64>,
        point: MatRef<'_, f64>,
        (half, whitened, eigen): Scratch<'_>,
    ) -> Result<(), RiemannError> {
        match self {
            Self::AffineInvariant { inv_sqrt, .. } => {
                whiten(inv_sqrt.as_ref(), cov, half, whitened);
                eigen.spd_lower_into(whitened.as_ref(), f64::ln, half.as_mut())
            }
            Self::LogEuclidean { vectors, logs, slopes, spare } => {
                eigen.apply_spd_into(cov, f64::ln, whitened.as_mut())?;
                // In the basis of the point its logarithm is diagonal.
                congruence_into(vectors.transpose(), whitened.as_ref(), half, spare.as_mut());
                for (i, log) in logs.iter().enumerate() {
                    spare[(i, i)] -= log;
                }
                times(spare, slopes.as_ref());
                congruence_into(vectors.as_ref(), spare.as_ref(), whitened, half.as_mut());
                Ok(())
            }
            Self::Wasserstein { inv_sqrt, sqrt, spare, .. } => {
                whiten(sqrt.as_ref(), cov, half, whitened);
                eigen.apply_spd_into(whitened.as_ref(), f64::sqrt, spare.as_mut())?;
                multiply(half, inv_sqrt.as_ref(), spare.as_ref());
                multiply(whitened, half.as_ref(), sqrt.as_ref());
                for j in 0..point.ncols() {
                    for i in j..point.nrows() {
                        half[(i, j)] = whitened[(i, j)] + whitened[(j, i)] - 2.0 * point[(i, j)];
                    }
                }
                Ok(())
            }
            Self::Euclidean => {
                check_finite(cov)?;
                half.copy_from(cov);
                *half -= point;
                Ok(())
            }
        }
    }

    /// The matrix of the tangent matrix in `half` (both triangles), into both
    /// triangles of `out`.
    pub(super) fn exp_map(
        &mut self,
        point: MatRef<'_, f64>,
        (half, whitened, eigen): Scratch<'_>,
        mut out: MatMut<'_, f64>,
    ) -> Result<(), RiemannError> {
        match self {
            Self::AffineInvariant { sqrt, .. } => {
                eigen.apply_into(half.as_ref(), f64::exp, whitened.as_mut())?;
                congruence_into(sqrt.as_ref(), whitened.as_ref(), half, out);
            }
            Self::LogEuclidean { vectors, logs, slopes, spare } => {
                congruence_into(vectors.transpose(), half.as_ref(), whitened, spare.as_mut());
                for (mut x, slope) in spare.col_iter_mut().zip(slopes.col_iter()) {
                    x.as_mut().iter_mut().zip(slope.iter()).for_each(|(x, s)| *x /= s);
                }
                for (i, log) in logs.iter().enumerate() {
                    spare[(i, i)] += log;
                }
                eigen.apply_into(spare.as_ref(), f64::exp, half.as_mut())?;
                congruence_into(vectors.as_ref(), half.as_ref(), whitened, out);
            }
            Self::Wasserstein { vectors, values, spare, .. } => {
                check_finite(half.as_ref())?;
                congruence_into(vectors.transpose(), half.as_ref(), whitened, spare.as_mut());
                // `T`, then `T Λ^½`, whose square stands beside `Λ + Vᵀ X V`.
                for (j, right) in values.iter().enumerate() {
                    for (i, left) in values.iter().enumerate() {
                        whitened[(i, j)] = spare[(i, j)] / (left + right) * right.sqrt();
                    }
                    spare[(j, j)] += right;
                }
                let square = (whitened.as_ref(), whitened.transpose());
                matmul(spare.as_mut(), Accum::Add, square.0, square.1, 1.0, Par::Seq);
                congruence_into(vectors.as_ref(), spare.as_ref(), half, out);
            }
            Self::Euclidean => {
                check_finite(half.as_ref())?;
                out.copy_from(half);
                out += point;
                mirror_lower(out);
            }
        }
        Ok(())
    }
}

/// `(e^x - e^y) / (x - y)`, without the difference of what is nearly equal.
fn slope(x: f64, y: f64) -> f64 {
    let half = 0.5 * (x - y);
    let ratio = if half.abs() < 1e-4 { 1.0 + half * half / 6.0 } else { half.sinh() / half };
    (0.5 * (x + y)).exp() * ratio
}

/// `W C W` of a symmetric `W`, its lower triangle.
fn whiten(w: MatRef<'_, f64>, cov: MatRef<'_, f64>, half: &mut Mat<f64>, out: &mut Mat<f64>) {
    matmul(half.as_mut(), Accum::Replace, w, cov, 1.0, Par::Seq);
    triangular::matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        half.as_ref(),
        BlockStructure::Rectangular,
        w,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

fn multiply(out: &mut Mat<f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    matmul(out.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
}

/// Elementwise.
fn times(x: &mut Mat<f64>, by: MatRef<'_, f64>) {
    for (x, by) in x.col_iter_mut().zip(by.col_iter()) {
        x.iter_mut().zip(by.iter()).for_each(|(x, y)| *x *= y);
    }
}
