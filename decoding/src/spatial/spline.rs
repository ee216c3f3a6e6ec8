//! Splines on the sphere: bad channels from good ones, and the current source density.

use super::{ChannelMap, SpatialError, owned_labels, position_of};
use faer::linalg::solvers::{PartialPivLu, Solve};
use faer::{Mat, MatRef};
use std::f64::consts::PI;

/// Parameters of a spherical spline. The default is MNE's: stiffness 4, 50 terms,
/// regularisation 1e-5.
///
/// The basis is `g(x) = 1/4π Σ_{n=1..N} (2n+1) / (n(n+1))^m P_n(x)` with `P_n` Legendre's
/// polynomials, `x` the cosine between two electrodes and `m` the stiffness.
///
/// # Reference
/// F. Perrin, J. Pernier, O. Bertrand, J. F. Echallier (1989), Electroencephalography and
/// Clinical Neurophysiology 72(2), doi:10.1016/0013-4694(89)90180-6, with its corrigendum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SphericalSpline {
    /// `m`, at least 2; higher is smoother.
    pub stiffness: u32,
    /// `N`, at least 1.
    pub n_terms: usize,
    /// Added to the diagonal of `g` over the electrodes: how far the surface may miss
    /// them.
    pub lambda: f64,
}

impl Default for SphericalSpline {
    fn default() -> Self {
        Self { stiffness: 4, n_terms: 50, lambda: 1e-5 }
    }
}

impl SphericalSpline {
    /// Values at `to` from values at `from`: weights `(n_to, n_from)`.
    ///
    /// With `G` the basis between electrodes, `c` and `c_0` solve `(G + λI) c + c_0 1 = v`,
    /// `1ᵀc = 0`, and the value at a place is `c_0 + Σ c_i g(cos_i)`. Positions are
    /// relative to the sphere's centre, of any length: directions count alone. Weights of a
    /// row sum to one.
    ///
    /// # Errors
    /// [`SpatialError::BadPosition`] (indices of `to` follow those of `from`),
    /// [`SpatialError::Singular`], [`SpatialError::BadSpline`].
    pub fn weights(&self, from: &[[f64; 3]], to: &[[f64; 3]]) -> Result<Mat<f64>, SpatialError> {
        self.check()?;
        let n = from.len();
        if n == 0 {
            return Err(SpatialError::TooFewChannels { n_channels: 0, needed: 1 });
        }
        let (from, to) = (unit_vectors(from, 0)?, unit_vectors(to, n)?);
        let g = self.basis(self.stiffness);
        let inner = g.between(&from, &from);
        let bordered = Mat::from_fn(n + 1, n + 1, |i, j| match (i < n, j < n) {
            (true, true) => inner[(i, j)] + if i == j { self.lambda } else { 0.0 },
            (false, false) => 0.0,
            _ => 1.0,
        });
        // The bordered matrix is symmetric: its inverse is applied from either side.
        let outer = g.between(&from, &to);
        let wanted = Mat::from_fn(n + 1, to.len(), |i, k| if i < n { outer[(i, k)] } else { 1.0 });
        let solved = PartialPivLu::new(bordered.as_ref()).solve(&wanted);
        finite(solved.as_ref().subrows(0, n).transpose().to_owned())
    }

    /// The map that replaces the channels `bads`, by label, by what the others say, and
    /// passes the others on. Positions in metres in any frame, one per label, and the
    /// sphere's centre in the same frame. As MNE's `interpolate_bads` for EEG, mode
    /// `accurate`, given the origin.
    ///
    /// # Errors
    /// As [`SphericalSpline::weights`]; [`SpatialError::UnknownChannel`] for a bad channel
    /// that is not there.
    pub fn interpolation(
        &self,
        labels: &[impl AsRef<str>],
        positions_m: &[[f64; 3]],
        centre_m: [f64; 3],
        bads: &[impl AsRef<str>],
    ) -> Result<ChannelMap, SpatialError> {
        let labels = owned_labels(labels)?;
        let places = centred(&labels, positions_m, centre_m)?;
        let bads = bads
            .iter()
            .map(|bad| position_of(&labels, bad.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let goods: Vec<_> = (0..labels.len()).filter(|i| !bads.contains(i)).collect();
        let pick = |idx: &[usize]| idx.iter().map(|i| places[*i]).collect::<Vec<_>>();
        let weights = self.weights(&pick(&goods), &pick(&bads))?;
        let mut map = Mat::<f64>::identity(labels.len(), labels.len());
        for (row, bad) in bads.iter().enumerate() {
            map.row_mut(*bad).fill(0.0);
            for (col, good) in goods.iter().enumerate() {
                map[(*bad, *good)] = weights[(row, col)];
            }
        }
        ChannelMap::from_faer(&labels, &labels, map.as_ref())
    }

    /// The current source density, the negative surface Laplacian of the spline on a
    /// sphere of `radius_m`: per square metre of the input's unit. As MNE's
    /// `compute_current_source_density` on the sphere `(centre_m, radius_m)`.
    ///
    /// The sum over channels is taken out first, so any common reference cancels. All
    /// channels must be good: interpolate, or leave bad ones out.
    ///
    /// # Errors
    /// As [`SphericalSpline::weights`].
    ///
    /// # Reference
    /// J. Kayser, C. E. Tenke (2006), Clinical Neurophysiology 117(2),
    /// doi:10.1016/j.clinph.2005.08.034.
    pub fn current_source_density(
        &self,
        labels: &[impl AsRef<str>],
        positions_m: &[[f64; 3]],
        centre_m: [f64; 3],
        radius_m: f64,
    ) -> Result<ChannelMap, SpatialError> {
        self.check()?;
        if radius_m.is_nan() || radius_m <= 0.0 {
            return Err(SpatialError::BadSpline { what: "this radius" });
        }
        let labels = owned_labels(labels)?;
        let n = labels.len();
        if n < 2 {
            return Err(SpatialError::TooFewChannels { n_channels: n, needed: 2 });
        }
        let places = unit_vectors(&centred(&labels, positions_m, centre_m)?, 0)?;
        let (g, h) = (self.basis(self.stiffness), self.basis(self.stiffness - 1));
        let mut regularised = g.between(&places, &places);
        (0..n).for_each(|i| regularised[(i, i)] += self.lambda);
        let mean = 1.0 / n as f64;
        let right = Mat::from_fn(n, n + 1, |i, j| match j {
            j if j == n => 1.0,
            j => f64::from(u8::from(i == j)) - mean,
        });
        let solved = PartialPivLu::new(regularised.as_ref()).solve(&right);
        let (of_data, of_ones) = solved.as_ref().split_at_col(n);
        let total: f64 = of_ones.col(0).iter().sum();
        let constant = |j: usize| of_data.col(j).iter().sum::<f64>() / total;
        let constants: Vec<f64> = (0..n).map(constant).collect();
        let coefficients =
            Mat::from_fn(n, n, |i, j| of_data[(i, j)] - of_ones[(i, 0)] * constants[j]);
        let map = finite(
            (h.between(&places, &places) * coefficients)
                * faer::Scale((radius_m * radius_m).recip()),
        )?;
        ChannelMap::from_faer(&labels, &labels, map.as_ref())
    }

    fn check(&self) -> Result<(), SpatialError> {
        let what = match self {
            _ if self.stiffness < 2 => "stiffness below 2",
            _ if self.n_terms == 0 => "no terms",
            _ if !(self.lambda >= 0.0 && self.lambda.is_finite()) => "this regularisation",
            _ => return Ok(()),
        };
        Err(SpatialError::BadSpline { what })
    }

    /// The series with `n(n+1)` to the power of `exponent` below.
    fn basis(&self, exponent: u32) -> Basis {
        let factor = |n: usize| {
            let (n, power) = (n as f64, exponent as i32);
            (2.0 * n + 1.0) / (n.powi(power) * (n + 1.0).powi(power) * 4.0 * PI)
        };
        Basis { factors: (1..=self.n_terms).map(factor).collect() }
    }
}

/// A series of Legendre polynomials from the first on.
struct Basis {
    factors: Vec<f64>,
}

impl Basis {
    /// The series at the cosines between unit vectors, `(a.len(), b.len())`.
    fn between(&self, a: &[[f64; 3]], b: &[[f64; 3]]) -> Mat<f64> {
        let mut out = Mat::zeros(a.len(), b.len());
        let (mut x, mut before) = (vec![0.0; a.len()], vec![0.0; a.len()]);
        let (mut current, mut sum) = (x.clone(), x.clone());
        for (j, q) in b.iter().enumerate() {
            let cosine = |p: &[f64; 3]| (p[0] * q[0] + p[1] * q[1] + p[2] * q[2]).clamp(-1.0, 1.0);
            x.iter_mut().zip(a).for_each(|(x, p)| *x = cosine(p));
            before.fill(1.0);
            current.copy_from_slice(&x);
            sum.fill(0.0);
            for (k, factor) in self.factors.iter().enumerate() {
                let n = (k + 1) as f64;
                let (up, down) = ((2.0 * n + 1.0) / (n + 1.0), n / (n + 1.0));
                let terms = x.iter().zip(&mut before).zip(&mut current).zip(&mut sum);
                for (((x, before), current), sum) in terms {
                    *sum += factor * *current;
                    let next = up * x * *current - down * *before;
                    *before = std::mem::replace(current, next);
                }
            }
            out.col_mut(j).iter_mut().zip(&sum).for_each(|(y, s)| *y = *s);
        }
        out
    }
}

/// Positions relative to the centre, one per label.
fn centred(
    labels: &[String],
    positions_m: &[[f64; 3]],
    centre_m: [f64; 3],
) -> Result<Vec<[f64; 3]>, SpatialError> {
    if labels.len() != positions_m.len() {
        let (n_rows, n_outputs) = (positions_m.len(), labels.len());
        return Err(SpatialError::WrongShape { n_rows, n_cols: 3, n_outputs, n_inputs: 3 });
    }
    let relative = |p: &[f64; 3]| std::array::from_fn(|k| p[k] - centre_m[k]);
    Ok(positions_m.iter().map(relative).collect())
}

fn unit_vectors(positions: &[[f64; 3]], first: usize) -> Result<Vec<[f64; 3]>, SpatialError> {
    let unit = |(idx, p): (usize, &[f64; 3])| {
        let length = p.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length.is_finite() && length > 0.0 {
            Ok(p.map(|x| x / length))
        } else {
            Err(SpatialError::BadPosition { idx: first + idx })
        }
    };
    positions.iter().enumerate().map(unit).collect()
}

fn finite(weights: Mat<f64>) -> Result<Mat<f64>, SpatialError> {
    let all = |a: MatRef<'_, f64>| a.col_iter().all(|col| col.iter().all(|x| x.is_finite()));
    if all(weights.as_ref()) { Ok(weights) } else { Err(SpatialError::Singular) }
}
