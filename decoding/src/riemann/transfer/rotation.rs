//! The rotation that brings one set of matrices nearest to another, pair by pair.

use crate::riemann::mean::Weights;
use crate::riemann::metric::Metric;
use crate::riemann::spd::{
    self, EigenScratch, RiemannError, check_square, congruence_into, mirror_lower,
};
use faer::linalg::solvers::Solve;
use faer::{Mat, MatMut, MatRef, Scale};
use std::borrow::Borrow;

/// An orthogonal matrix `Q`: `C` becomes `Q C Qᵀ`.
///
/// Fitted, it makes `f(Q) = Σ w_k d²(T_k, Q S_k Qᵀ)` of pairs of source and target
/// matrices, such as class means of two recentred sets, a local minimum.
///
/// # Conventions
/// pyRiemann's `TLRotate` descends along the gradient of `f` too, in the affine-invariant
/// or Euclidean metric, but judges its steps by `Σ w_k d`, and starts from eigenvectors
/// with the signs that the eigen-solver happens to give. Here steps are judged by `f`
/// and the signs are chosen: so `f` ends no higher on the same pairs, at another `Q`.
///
/// # Reference
/// As [`super`]. Start from one pair: R. Bhatia, M. Congedo (2019), Linear Algebra and its
/// Applications 563, doi:10.1016/j.laa.2018.11.009. Steps along a Cayley transform: Z. Wen,
/// W. Yin (2013), Mathematical Programming 142, doi:10.1007/s10107-012-0584-1.
#[derive(Clone, Debug)]
pub struct Rotation {
    q: Mat<f64>,
    half: Mat<f64>,
}

/// A step may cost this part of the loss: less can't be told from rounding.
const ROUNDING: f64 = 1e-14;
/// Part of the decrease promised by the gradient that a step must keep.
const SUFFICIENT: f64 = 1e-4;
/// Halvings of a step before none is left.
const MAX_HALVINGS: usize = 60;

impl Rotation {
    /// Fits to pairs: `sources[k]` is to come near `targets[k]`.
    ///
    /// Stops where the gradient `G`, a skew-symmetric matrix, has
    /// `‖G‖_F <= criterion Σ w_k ‖X_k‖_F ‖Y_k‖_F`, with `X`, `Y` what the metric's
    /// gradient is a product of (1e-8 is usual), or where no step lowers `f` any more.
    ///
    /// Batch: allocates, single-threaded; a step takes time of order `n³` per pair.
    ///
    /// # Errors
    /// No pair, not as many sources as targets or matrices of several sizes, one that is
    /// not positive definite, bad weights; [`RiemannError::NotConverged`] after
    /// `max_steps`.
    pub fn fit<M: Borrow<Mat<f64>>>(
        metric: Metric,
        (sources, targets): (&[M], &[M]),
        weights: &Weights,
        (criterion, max_steps): (f64, usize),
    ) -> Result<Self, RiemannError> {
        let pairs = Pairs::new(metric, sources, targets, weights)?;
        let mut best: Option<Descent> = None;
        for start in pairs.starts()? {
            let descent = pairs.descend(start, criterion, max_steps)?;
            if best.as_ref().is_none_or(|best| descent.loss < best.loss) {
                best = Some(descent);
            }
        }
        let best = best.ok_or(RiemannError::Empty)?;
        if !best.converged {
            return Err(RiemannError::NotConverged { n_steps: max_steps });
        }
        Self::at(best.q.as_ref())
    }

    /// Plans rotation by `q`, which is trusted to be orthogonal. Allocates.
    pub fn at(q: MatRef<'_, f64>) -> Result<Self, RiemannError> {
        check_square(q, q.nrows())?;
        Ok(Self { q: q.to_owned(), half: Mat::zeros(q.nrows(), q.nrows()) })
    }

    /// `Q`.
    pub fn q(&self) -> MatRef<'_, f64> {
        self.q.as_ref()
    }

    /// Writes what `cov` becomes into both triangles of `out`.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `cov` or `out` is of another size than `Q`.
    pub fn apply_into(&mut self, cov: MatRef<'_, f64>, out: MatMut<'_, f64>) {
        congruence_into(self.q.as_ref(), cov, &mut self.half, out);
    }
}

/// What a pair needs: in the log-Euclidean metric both matrices are logarithms.
struct Pair {
    source: Mat<f64>,
    target: Mat<f64>,
    /// `T^½` and `T^-½`.
    roots: Option<(Mat<f64>, Mat<f64>)>,
    weight: f64,
}

/// Where a descent ended.
struct Descent {
    loss: f64,
    q: Mat<f64>,
    converged: bool,
}

struct Pairs {
    metric: Metric,
    n: usize,
    each: Vec<Pair>,
    /// What a gradient is small against.
    scale: f64,
}

impl Pairs {
    fn new<M: Borrow<Mat<f64>>>(
        metric: Metric,
        sources: &[M],
        targets: &[M],
        weights: &Weights,
    ) -> Result<Self, RiemannError> {
        let n = sources.first().ok_or(RiemannError::Empty)?.borrow().nrows();
        if sources.len() != targets.len() {
            return Err(RiemannError::Empty);
        }
        let weights = weights.normalised(sources.len())?;
        let pair = |((source, target), weight): ((&M, &M), f64)| {
            let (source, target): (&Mat<f64>, &Mat<f64>) = (source.borrow(), target.borrow());
            check_square(source.as_ref(), n)?;
            check_square(target.as_ref(), n)?;
            let (log_source, log_target) = (spd::log(source.as_ref())?, spd::log(target.as_ref())?);
            Ok(match metric {
                Metric::Euclidean => {
                    Pair { source: source.clone(), target: target.clone(), roots: None, weight }
                }
                Metric::LogEuclidean => {
                    Pair { source: log_source, target: log_target, roots: None, weight }
                }
                Metric::AffineInvariant | Metric::Wasserstein => {
                    let roots = (spd::sqrt(target.as_ref())?, spd::inv_sqrt(target.as_ref())?);
                    let (source, target) = (source.clone(), target.clone());
                    Pair { source, target, roots: Some(roots), weight }
                }
            })
        };
        let pairs: Vec<Pair> =
            sources.iter().zip(targets).zip(weights).map(pair).collect::<Result<_, _>>()?;
        let size = |pair: &Pair| match metric {
            Metric::AffineInvariant => pair.weight * n as f64,
            _ => pair.weight * pair.source.norm_l2() * pair.target.norm_l2(),
        };
        let scale = match metric {
            Metric::Wasserstein => pairs.iter().map(|p| p.weight * p.target.norm_l2()).sum(),
            _ => pairs.iter().map(size).sum(),
        };
        Ok(Self { metric, n, each: pairs, scale })
    }

    /// The best rotation and the best reflection of those that solve one pair alone:
    /// eigenvectors to eigenvectors, with signs that suit all pairs.
    fn starts(&self) -> Result<Vec<Mat<f64>>, RiemannError> {
        let mut best: [Option<(f64, Mat<f64>)>; 2] = [None, None];
        for pair in &self.each {
            let from = eigenvectors(pair.source.as_ref())?;
            let to = eigenvectors(pair.target.as_ref())?;
            let mut agreement = Mat::zeros(self.n, self.n);
            for pair in &self.each {
                let (a, b) =
                    (to.transpose() * &pair.target * &to, from.transpose() * &pair.source * &from);
                agreement +=
                    Mat::from_fn(self.n, self.n, |i, j| pair.weight * a[(i, j)] * b[(i, j)]);
            }
            let mut signs = chosen_signs(agreement.as_ref())?;
            for _ in 0..2 {
                let turned = Mat::from_fn(self.n, self.n, |i, j| to[(i, j)] * signs[j]);
                let q = &turned * from.transpose();
                let (loss, _) = self.loss_and_gradient(q.as_ref())?;
                let kind = &mut best[usize::from(q.determinant() < 0.0)];
                if kind.as_ref().is_none_or(|(least, _)| loss < *least) {
                    *kind = Some((loss, q));
                }
                flip_cheapest(agreement.as_ref(), &mut signs);
            }
        }
        Ok(best.into_iter().flatten().map(|(_, q)| q).collect())
    }

    /// Descends from `q` along Cayley transforms of the gradient, with the step of
    /// Barzilai and Borwein where it lowers the loss enough.
    fn descend(
        &self,
        mut q: Mat<f64>,
        criterion: f64,
        max_steps: usize,
    ) -> Result<Descent, RiemannError> {
        let (mut loss, mut gradient) = self.loss_and_gradient(q.as_ref())?;
        let mut step = 0.25 / self.scale.max(f64::MIN_POSITIVE);
        for _ in 0..max_steps {
            let square = gradient.squared_norm_l2();
            if square.sqrt() <= criterion * self.scale {
                return Ok(Descent { loss, q, converged: true });
            }
            let mut moved = None;
            for _ in 0..MAX_HALVINGS {
                let next = cayley(gradient.as_ref(), step) * &q;
                let (next_loss, next_gradient) = self.loss_and_gradient(next.as_ref())?;
                if next_loss <= loss - SUFFICIENT * step * square + ROUNDING * loss {
                    moved = Some((next, next_loss, next_gradient));
                    break;
                }
                step *= 0.5;
            }
            // Nothing is lower along the gradient: it is all rounding.
            let Some((next, next_loss, next_gradient)) = moved else {
                return Ok(Descent { loss, q, converged: true });
            };
            let change = (&next_gradient - &gradient).squared_norm_l2();
            let slope = inner(gradient.as_ref(), (&gradient - &next_gradient).as_ref());
            step = if change > 0.0 { step * slope.abs() / change } else { step };
            (q, loss, gradient) = (next, next_loss, next_gradient);
        }
        Ok(Descent { loss, q, converged: false })
    }

    /// `f(Q)` and the skew-symmetric `G` with `f(exp(-εG) Q) = f(Q) - ε ‖G‖² + ...`.
    fn loss_and_gradient(&self, q: MatRef<'_, f64>) -> Result<(f64, Mat<f64>), RiemannError> {
        let (mut loss, mut gradient) = (0.0, Mat::zeros(self.n, self.n));
        for pair in &self.each {
            let mut turned = q * &pair.source * q.transpose();
            mirror_lower(turned.as_mut());
            let (squared, of_pair) = self.of_pair(pair, turned.as_ref())?;
            loss += pair.weight * squared;
            gradient += Scale(pair.weight) * of_pair;
        }
        Ok((loss, gradient))
    }

    /// `d²(T, R)` and its gradient, `R` being the source that was turned.
    fn of_pair(&self, pair: &Pair, r: MatRef<'_, f64>) -> Result<(f64, Mat<f64>), RiemannError> {
        let t = &pair.target;
        let Some((root, inverse)) = &pair.roots else {
            return Ok(((t - r).squared_norm_l2(), Scale(2.0) * (r * t - t * r)));
        };
        let mut eigen = EigenScratch::new(self.n);
        let mut middle = Mat::zeros(self.n, self.n);
        if self.metric == Metric::AffineInvariant {
            let whitened = inverse * r * inverse;
            eigen.apply_spd_into(whitened.as_ref(), f64::ln, middle.as_mut())?;
            let log = inverse * &middle * root;
            return Ok((middle.squared_norm_l2(), Scale(2.0) * (&log - log.transpose())));
        }
        let framed = root * r * root;
        let traces: f64 = (0..self.n).map(|i| t[(i, i)] + r[(i, i)]).sum();
        eigen.apply_spd_into(framed.as_ref(), |x| x.sqrt().recip(), middle.as_mut())?;
        let kernel = root * &middle * root;
        let roots: f64 = eigen.values(framed.as_ref())?.iter().map(|x| x.sqrt()).sum();
        Ok(((traces - 2.0 * roots).max(0.0), r * &kernel - &kernel * r))
    }
}

/// `(I + ε/2 G)⁻¹ (I - ε/2 G)`, orthogonal for a skew-symmetric `G`.
fn cayley(gradient: MatRef<'_, f64>, step: f64) -> Mat<f64> {
    let n = gradient.nrows();
    let half = Scale(0.5 * step) * gradient;
    let identity = Mat::<f64>::identity(n, n);
    (&identity + &half).partial_piv_lu().solve(&identity - &half)
}

fn inner(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    a.col_iter().zip(b.col_iter()).map(|(x, y)| x.transpose() * y).sum()
}

fn eigenvectors(a: MatRef<'_, f64>) -> Result<Mat<f64>, RiemannError> {
    let mut eigen = EigenScratch::new(a.nrows());
    let (_, vectors) = eigen.decompose(a)?;
    Ok(vectors.to_owned())
}

/// Signs `s` that make `Σ_ij s_i s_j A_ij` large: those of the leading eigenvector,
/// changed one at a time while that helps.
fn chosen_signs(agreement: MatRef<'_, f64>) -> Result<Vec<f64>, RiemannError> {
    let n = agreement.nrows();
    let vectors = eigenvectors(agreement)?;
    let mut signs: Vec<f64> = vectors.col(n - 1).iter().map(|x| 1.0_f64.copysign(*x)).collect();
    for _ in 0..n * n {
        let (k, gain) = best_flip(agreement, &signs);
        if gain <= 0.0 {
            break;
        }
        signs[k] = -signs[k];
    }
    Ok(signs)
}

/// Changes the sign that costs least: from a rotation to a reflection, or back.
fn flip_cheapest(agreement: MatRef<'_, f64>, signs: &mut [f64]) {
    let (k, _) = best_flip(agreement, signs);
    signs[k] = -signs[k];
}

/// The sign whose change adds most to the sum, and how much.
fn best_flip(agreement: MatRef<'_, f64>, signs: &[f64]) -> (usize, f64) {
    let gain = |k: usize| {
        let others = (0..signs.len()).filter(|i| *i != k);
        -4.0 * signs[k] * others.map(|i| agreement[(i, k)] * signs[i]).sum::<f64>()
    };
    let gains = (0..signs.len()).map(|k| (k, gain(k)));
    gains.fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best })
}
