//! Running recentering: covariances are whitened by the mean of those so far.
//!
//! After it the mean covariance is the identity, whatever the session or the subject; a
//! decoder that was trained on recentred covariances then sees what it knows. It is
//! unsupervised, and *not* a classifier.

use super::governor::Push;
use super::{Rate, Running, Step};
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::spd::{EigenScratch, congruence_into, mirror_lower};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};

/// Which mean runs along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Centre {
    /// `G <- (1 - r) G + r C`: Euclidean alignment.
    Euclidean,
    /// `G <- G^½ (G^-½ C G^-½)^r G^½`, the point at `r` of the geodesic from `G` to `C`:
    /// Riemannian alignment.
    Riemannian,
}

/// State of a running recentering, as a file holds it.
///
/// At each covariance `C`: `k <- k + 1`; the centre `G` moves towards `C` by the share
/// `r` ([`Rate`], `1/k` where cumulative); *then* `C` is aligned, `G^-½ C G^-½`. The
/// first covariance of a start from nothing is its own centre, so its alignment is the
/// identity. Started from a calibration's mean with its number of windows as `k`, it is
/// generic recentering: the session's centre grows out of the calibration's.
///
/// Under [`Rate::Governed`] a candidate is judged by the mean squared distance of the
/// latest covariances from where the centre would be (Frobenius or affine-invariant, as
/// the centre is); a covariance farther from the centre than these on average excites.
///
/// # Reference
/// Euclidean: H. He, D. Wu (2020), doi 10.1109/TBME.2019.2913914. Riemannian: P. Zanini
/// et al. (2018), doi 10.1109/TBME.2017.2742541. The online rule: M. Wimpff et al.:
/// Tailoring deep learning for real-time brain-computer interfaces (2025),
/// arXiv 2507.06779. Generic recentering: S. Kumar et al. (2024),
/// doi 10.1093/pnasnexus/pgae076.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecenterState {
    centre: Centre,
    rate: Running,
    n_seen: u64,
    mean: Matrix,
}

impl RecenterState {
    /// Starts from nothing, for covariances of `n_channels`.
    ///
    /// # Panics
    /// Where the rate is none.
    pub fn new(n_channels: usize, centre: Centre, rate: Rate) -> Self {
        let identity = Mat::<f64>::identity(n_channels, n_channels);
        let mean = Matrix::from_faer(identity.as_ref()).expect("the identity is finite");
        Self { centre, rate: Running::new(rate), n_seen: 0, mean }
    }

    /// Starts from the mean of a calibration of `n_seen` windows.
    ///
    /// # Panics
    /// Where the rate is none.
    pub fn starting_at(mean: Matrix, n_seen: u64, centre: Centre, rate: Rate) -> Self {
        Self { centre, rate: Running::new(rate), n_seen, mean }
    }

    /// Covariances seen, those of the start included.
    pub fn n_seen(&self) -> u64 {
        self.n_seen
    }

    /// The centre; the identity before the first covariance.
    pub fn mean(&self) -> &Matrix {
        &self.mean
    }

    /// Whether its rate is one: a file may hold anything.
    pub fn is_possible(&self) -> bool {
        self.rate.is_possible() && self.n_seen <= super::MAX_SEEN
    }

    /// Plans the next steps: allocates the scratch.
    ///
    /// # Errors
    /// The mean is not square or not positive definite: it does not come from here.
    pub fn plan(&self) -> Result<Recenter, RiemannError> {
        let mean = self.mean.to_faer();
        let n = mean.nrows();
        let zeros = || Mat::zeros(n, n);
        let mut runtime = Recenter {
            state: self.clone(),
            candidate: zeros(),
            roots: [zeros(), zeros()],
            candidate_roots: [zeros(), zeros()],
            whitened: zeros(),
            half: zeros(),
            power: zeros(),
            memory: (0..self.rate.memory()).map(|_| zeros()).collect(),
            n_remembered: 0,
            eigen: EigenScratch::new(n),
            mean,
        };
        let Recenter { mean, roots, half, eigen, .. } = &mut runtime;
        roots_into(mean.as_ref(), roots, half, eigen)?;
        Ok(runtime)
    }
}

/// A running recentering with its scratch.
#[derive(Clone, Debug)]
pub struct Recenter {
    /// All but the mean is current; the mean is below.
    state: RecenterState,
    mean: Mat<f64>,
    /// `G^½` and `G^-½`.
    roots: [Mat<f64>; 2],
    candidate: Mat<f64>,
    candidate_roots: [Mat<f64>; 2],
    whitened: Mat<f64>,
    half: Mat<f64>,
    power: Mat<f64>,
    /// The latest covariances, a ring.
    memory: Vec<Mat<f64>>,
    n_remembered: usize,
    eigen: EigenScratch,
}

impl Recenter {
    /// The state, to be saved. The memory of a governor is not a part of it: it fills
    /// anew.
    ///
    /// Allocates.
    ///
    /// # Panics
    /// Never: no step makes the centre infinite.
    pub fn state(&self) -> RecenterState {
        let mean = Matrix::from_faer(self.mean.as_ref()).expect("only finite centres are kept");
        RecenterState { mean, ..self.state.clone() }
    }

    /// Moves the centre towards `covariance`, then writes its alignment into `out`. All
    /// NaN, and the state as it was, where it is not positive definite. Both triangles
    /// are read and written.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where a matrix is of another size than the mean.
    pub fn update_into(&mut self, covariance: MatRef<'_, f64>, mut out: MatMut<'_, f64>) -> Step {
        assert_eq!(covariance.shape(), self.mean.as_ref().shape(), "matrix of another size");
        let is_usable = self.eigen.values(covariance).is_ok_and(|values| {
            let floor = values.len() as f64 * f64::EPSILON * values.last().copied().unwrap_or(0.0);
            values.first().is_some_and(|least| *least > floor)
        });
        let step = if is_usable { self.step(covariance) } else { None };
        let Some(rate) = step else {
            out.fill(f64::NAN);
            return Step::Refused;
        };
        self.align_into(covariance, out);
        Step::Taken(rate)
    }

    /// Writes the alignment of `covariance` by the centre as it stands.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where a matrix is of another size than the mean.
    pub fn align_into(&mut self, covariance: MatRef<'_, f64>, mut out: MatMut<'_, f64>) {
        assert_eq!(covariance.shape(), self.mean.as_ref().shape(), "matrix of another size");
        congruence_into(self.roots[1].as_ref(), covariance, &mut self.half, out.as_mut());
    }

    /// The distance of `covariance` from the centre as it stands, in the geometry of the
    /// centre; infinite where it is not positive definite and the geometry needs that.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where the matrix is of another size than the mean.
    pub fn distance(&mut self, covariance: MatRef<'_, f64>) -> f64 {
        assert_eq!(covariance.shape(), self.mean.as_ref().shape(), "matrix of another size");
        let Self { mean, roots, half, whitened, eigen, .. } = self;
        squared_distance(self.state.centre, mean, &roots[1], covariance, (half, whitened, eigen))
            .sqrt()
    }

    /// Lets the centre count as `n_seen` covariances from here on, where it counts as more:
    /// a cumulative mean then moves by `1 / (n_seen + 1)` at the next one.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn forget(&mut self, n_seen: u64) {
        self.state.n_seen = self.state.n_seen.min(n_seen.max(1));
    }

    /// Moves the centre and returns the share; none where it would be no centre.
    fn step(&mut self, covariance: MatRef<'_, f64>) -> Option<f64> {
        let k = self.state.n_seen + 1;
        let rate = match self.state.rate {
            _ if k == 1 => 1.0,
            Running::Cumulative => (k as f64).recip(),
            Running::Fixed(rate) => rate,
            Running::Governed(mut governor) => {
                let push = self.push_of(covariance);
                let rate = governor.choose(push, push, |rate| -self.spread_after(covariance, rate));
                self.state.rate = Running::Governed(governor);
                rate
            }
        };
        self.move_candidate(covariance, rate).ok()?;
        self.mean.copy_from(&self.candidate);
        std::mem::swap(&mut self.roots, &mut self.candidate_roots);
        self.state.n_seen = k.min(super::MAX_SEEN);
        if !self.memory.is_empty() {
            let at = self.n_remembered % self.memory.len();
            self.memory[at].copy_from(covariance);
            self.n_remembered += 1;
        }
        Some(rate)
    }

    /// The candidate centre at `rate` of the way to `covariance`, and its roots.
    fn move_candidate(
        &mut self,
        covariance: MatRef<'_, f64>,
        rate: f64,
    ) -> Result<(), RiemannError> {
        let Self { candidate, whitened, half, power, eigen, roots, mean, .. } = self;
        if rate >= 1.0 {
            candidate.copy_from(covariance);
        } else if self.state.centre == Centre::Euclidean {
            for j in 0..candidate.ncols() {
                let (from, to) = (mean.col(j), covariance.col(j));
                for ((g, from), to) in
                    candidate.col_mut(j).iter_mut().zip(from.iter()).zip(to.iter())
                {
                    *g = (1.0 - rate) * from + rate * to;
                }
            }
        } else {
            congruence_into(roots[1].as_ref(), covariance, half, whitened.as_mut());
            eigen.apply_spd_into(whitened.as_ref(), |x| x.powf(rate), power.as_mut())?;
            congruence_into(roots[0].as_ref(), power.as_ref(), half, candidate.as_mut());
        }
        roots_into(candidate.as_ref(), &mut self.candidate_roots, half, eigen)
    }

    /// Mean squared distance of the memory, and of `covariance`, from the candidate.
    fn spread_after(&mut self, covariance: MatRef<'_, f64>, rate: f64) -> f64 {
        if self.move_candidate(covariance, rate).is_err() {
            return f64::INFINITY;
        }
        let n = self.n_remembered.min(self.memory.len());
        let Self { candidate, candidate_roots, memory, half, whitened, eigen, .. } = self;
        let (geometry, root) = (self.state.centre, &candidate_roots[1]);
        let mut squared = |from: MatRef<'_, f64>| {
            squared_distance(geometry, candidate, root, from, (half, whitened, eigen))
        };
        let sum: f64 = memory[..n].iter().map(|m| squared(m.as_ref())).sum();
        (sum + squared(covariance)) / (n + 1) as f64
    }

    /// Excites where `covariance` is farther from the centre than the memory on average.
    fn push_of(&mut self, covariance: MatRef<'_, f64>) -> Push {
        let n = self.n_remembered.min(self.memory.len());
        let Self { mean, roots, memory, half, whitened, eigen, .. } = self;
        let (geometry, root) = (self.state.centre, &roots[1]);
        let mut squared = |from: MatRef<'_, f64>| {
            squared_distance(geometry, mean, root, from, (half, whitened, eigen))
        };
        let sum: f64 = memory[..n].iter().map(|m| squared(m.as_ref())).sum();
        if squared(covariance) * n as f64 > sum { Push::Excite } else { Push::Inhibit }
    }
}

/// `A^½` and `A^-½` from one decomposition.
fn roots_into(
    a: MatRef<'_, f64>,
    roots: &mut [Mat<f64>; 2],
    half: &mut Mat<f64>,
    eigen: &mut EigenScratch,
) -> Result<(), RiemannError> {
    let n = a.nrows();
    let (values, vectors) = eigen.decompose(a)?;
    let floor = n as f64 * f64::EPSILON * values.last().copied().unwrap_or(0.0);
    if !values.first().is_some_and(|least| *least > floor) {
        return Err(RiemannError::NotPositiveDefinite);
    }
    for (root, power) in roots.iter_mut().zip([0.25, -0.25]) {
        for (j, value) in values.iter().enumerate() {
            let scale = value.powf(power);
            for (y, x) in half.col_mut(j).iter_mut().zip(vectors.col(j).iter()) {
                *y = scale * x;
            }
        }
        let factor = half.as_ref();
        matmul(root.as_mut(), Accum::Replace, factor, factor.transpose(), 1.0, Par::Seq);
        mirror_lower(root.as_mut());
    }
    Ok(())
}

/// Of `from` from `centre`, whose inverse root is `whitener`.
fn squared_distance(
    geometry: Centre,
    centre: &Mat<f64>,
    whitener: &Mat<f64>,
    from: MatRef<'_, f64>,
    (half, whitened, eigen): (&mut Mat<f64>, &mut Mat<f64>, &mut EigenScratch),
) -> f64 {
    match geometry {
        Centre::Euclidean => squared_frobenius(centre.as_ref(), from),
        Centre::Riemannian => {
            congruence_into(whitener.as_ref(), from, half, whitened.as_mut());
            squared_log(eigen, whitened.as_ref())
        }
    }
}

fn squared_frobenius(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    let column = |j: usize| {
        let pairs = a.col(j).iter().zip(b.col(j).iter());
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
    };
    (0..a.ncols()).map(column).sum()
}

/// `|log A|^2`; infinite where there is no logarithm.
fn squared_log(eigen: &mut EigenScratch, a: MatRef<'_, f64>) -> f64 {
    match eigen.values(a) {
        Ok([least, ..]) if *least <= 0.0 => f64::INFINITY,
        Ok(values) => values.iter().map(|x| x.ln() * x.ln()).sum(),
        Err(_) => f64::INFINITY,
    }
}
