//! Distances from one matrix to several fixed points, in any metric.

use super::{
    factor_of, frame_into, inverse_factor_of, squared_norm_of_log, squared_wasserstein, trace,
};
use crate::riemann::metric::Metric;
use crate::riemann::spd::{
    self, Bundle, EigenScratch, RiemannError, WIDTH, check_finite, check_positive, check_square,
};
use faer::linalg::matmul::triangular::BlockStructure;
use faer::{Mat, MatRef};

/// Distances from one matrix to several fixed points, four at a time where they come from
/// eigenvalues: three take little longer than one.
///
/// Memory: one matrix per point, and some more of the same size.
#[derive(Clone, Debug)]
pub struct DistancesTo {
    points: Points,
    dim: usize,
}

/// What is kept of the points.
#[derive(Clone, Debug)]
enum Points {
    /// `L⁻¹` of each `P = L Lᵀ`.
    AffineInvariant(Frames),
    /// `Lᵀ` and the trace of each: `P^½ C P^½` and `Lᵀ C L` have the same eigenvalues.
    Wasserstein { frames: Frames, traces: Vec<f64> },
    /// `log P` of each, and room for that of the matrix.
    LogEuclidean { logs: Vec<Mat<f64>>, log: Mat<f64>, eigen: EigenScratch },
    /// The points.
    Euclidean(Vec<Mat<f64>>),
}

impl DistancesTo {
    /// Plans affine-invariant distances to `points`, all of one size. Allocates.
    pub fn new(points: &[MatRef<'_, f64>]) -> Result<Self, RiemannError> {
        Self::in_metric(Metric::AffineInvariant, points)
    }

    /// Plans distances to `points`, all of one size. Allocates.
    ///
    /// # Errors
    /// No point, points of several sizes, or one that is not finite or (but in the
    /// Euclidean metric) not positive definite.
    pub fn in_metric(metric: Metric, points: &[MatRef<'_, f64>]) -> Result<Self, RiemannError> {
        let dim = points.first().ok_or(RiemannError::Empty)?.nrows();
        points.iter().try_for_each(|point| check_square(*point, dim))?;
        let mut eigen = EigenScratch::new(dim);
        if metric != Metric::Euclidean {
            points.iter().try_for_each(|point| check_positive(eigen.values(*point)?))?;
        }
        let frames = |of: fn(MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError>, structure| {
            let all = points.iter().map(|point| of(*point)).collect::<Result<_, _>>()?;
            Ok(Frames::new(all, structure, dim))
        };
        let points = match metric {
            Metric::AffineInvariant => {
                Points::AffineInvariant(frames(inverse_factor_of, BlockStructure::TriangularLower)?)
            }
            Metric::Wasserstein => Points::Wasserstein {
                frames: frames(
                    |point| Ok(factor_of(point)?.transpose().to_owned()),
                    BlockStructure::TriangularUpper,
                )?,
                traces: points.iter().map(|point| trace(*point)).collect(),
            },
            Metric::LogEuclidean => Points::LogEuclidean {
                logs: points.iter().map(|point| spd::log(*point)).collect::<Result<_, _>>()?,
                log: Mat::zeros(dim, dim),
                eigen,
            },
            Metric::Euclidean => {
                points.iter().try_for_each(|point| check_finite(*point))?;
                Points::Euclidean(points.iter().map(MatRef::to_owned).collect())
            }
        };
        Ok(Self { points, dim })
    }

    /// Number of points.
    pub fn n_points(&self) -> usize {
        match &self.points {
            Points::AffineInvariant(frames) | Points::Wasserstein { frames, .. } => {
                frames.each.len()
            }
            Points::LogEuclidean { logs: points, .. } | Points::Euclidean(points) => points.len(),
        }
    }

    /// Writes the squared distance from each point to `cov`, both triangles of which are
    /// read. NaN where `cov` is not finite or, but in the Euclidean metric, not positive
    /// definite.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` is of another size than the points, or `squared` not as long as they are
    /// many.
    pub fn squared_into(&mut self, cov: MatRef<'_, f64>, squared: &mut [f64]) {
        assert_eq!(squared.len(), self.n_points(), "distances to other points");
        assert_eq!(cov.shape(), (self.dim, self.dim), "matrix of another size");
        match &mut self.points {
            Points::AffineInvariant(frames) => {
                frames.write(cov, squared, |_, values| squared_norm_of_log(values));
            }
            Points::Wasserstein { frames, traces } => {
                let own = trace(cov);
                frames.write(cov, squared, |k, values| {
                    check_positive(values)?;
                    Ok(squared_wasserstein(own + traces[k], values))
                });
            }
            Points::LogEuclidean { logs, log, eigen } => {
                let found = eigen.apply_spd_into(cov, f64::ln, log.as_mut());
                for (squared, point) in squared.iter_mut().zip(logs) {
                    let distance = squared_euclidean(log.as_ref(), point.as_ref());
                    *squared = if found.is_ok() { distance } else { f64::NAN };
                }
            }
            Points::Euclidean(points) => {
                for (squared, point) in squared.iter_mut().zip(points) {
                    let distance = squared_euclidean(cov, point.as_ref());
                    *squared = if distance.is_finite() { distance } else { f64::NAN };
                }
            }
        }
    }
}

fn squared_euclidean(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    let column = |j: usize| {
        a.col(j).iter().zip(b.col(j).iter()).map(|(x, y)| (x - y) * (x - y)).sum::<f64>()
    };
    (0..a.ncols()).map(column).sum()
}

/// Triangular matrices `F`, and what finds the eigenvalues of every `F C Fᵀ`.
#[derive(Clone, Debug)]
struct Frames {
    each: Vec<Mat<f64>>,
    structure: BlockStructure,
    half: Mat<f64>,
    framed: Mat<f64>,
    bundle: Bundle,
    values: Vec<f64>,
    eigen: EigenScratch,
}

impl Frames {
    fn new(each: Vec<Mat<f64>>, structure: BlockStructure, dim: usize) -> Self {
        Self {
            each,
            structure,
            half: Mat::zeros(dim, dim),
            framed: Mat::zeros(dim, dim),
            bundle: Bundle::new(dim),
            values: vec![0.0; dim],
            eigen: EigenScratch::new(dim),
        }
    }

    /// Writes `f(k, λ)` of the ascending eigenvalues of each `F_k C F_kᵀ`, NaN where there
    /// is none.
    fn write(
        &mut self,
        cov: MatRef<'_, f64>,
        out: &mut [f64],
        f: impl Fn(usize, &[f64]) -> Result<f64, RiemannError>,
    ) {
        let Self { each, structure, half, framed, bundle, values, eigen } = self;
        let groups = each.chunks(WIDTH).zip(out.chunks_mut(WIDTH));
        for (first, (frames, out)) in groups.enumerate().map(|(k, group)| (k * WIDTH, group)) {
            if let ([frame], [out]) = (frames, &mut *out) {
                frame_into((frame.as_ref(), *structure), cov, half, framed);
                let found = eigen.values(framed.as_ref()).and_then(|values| f(first, values));
                *out = found.unwrap_or(f64::NAN);
                continue;
            }
            bundle.clear_from(frames.len());
            for (lane, (frame, out)) in frames.iter().zip(&mut *out).enumerate() {
                frame_into((frame.as_ref(), *structure), cov, half, framed);
                let set = bundle.set(lane, framed.as_ref());
                *out = if set.is_ok() { 0.0 } else { f64::NAN };
            }
            let reduced = bundle.reduce();
            for (lane, out) in out.iter_mut().enumerate().filter(|(_, d)| !d.is_nan()) {
                bundle.values_into(lane, values);
                let found = reduced.and_then(|()| f(first + lane, values));
                *out = found.unwrap_or(f64::NAN);
            }
        }
    }
}
