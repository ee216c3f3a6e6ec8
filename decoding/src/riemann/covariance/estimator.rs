//! How a covariance is estimated from a window's samples: a choice, and its plan.

use super::{ledoit_wolf_shrink, oas_shrink, shrink, trace};
use crate::riemann::spd::mirror_lower;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};

/// Estimators of the covariance of `n` samples of `p` channels.
///
/// All but [`Estimator::SchaeferStrimmer`] divide by `n`, as scikit-learn does;
/// `S = 1/n Σ_t z_t z_tᵀ` with `z_t` the samples without their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Estimator {
    /// `S` itself: singular where there are not more samples than channels.
    Scm,
    /// Oracle-approximating shrinkage, see [`oas_shrink`].
    #[default]
    Oas,
    /// Ledoit and Wolf's shrinkage to the scaled identity, see [`super::ledoit_wolf`].
    LedoitWolf,
    /// Schäfer and Strimmer's shrinkage of the correlations:
    /// `C = n/(n - 1) ((1 - γ) S + γ diag S)` with
    /// `γ = Σ_{i≠j} Var(r_ij) / Σ_{i≠j} r_ij²`, bounded by 0 and 1, and 0 where nothing
    /// is correlated.
    ///
    /// `r = n/(n - 1) S_ij / (s_i s_j)` and
    /// `Var(r_ij) = n / ((n - 1)³ s_i² s_j²) (Σ_t z_i² z_j² - n S_ij²)`, `s_i² = S_ii`:
    /// so in pyRiemann, whose scaling this is; the paper has one factor `n/(n - 1)` less
    /// in `r`.
    ///
    /// # Reference
    /// J. Schäfer, K. Strimmer (2005), Statistical Applications in Genetics and Molecular
    /// Biology 4(1), doi:10.2202/1544-6115.1175.
    SchaeferStrimmer,
    /// `C = (1 - α) S + α tr(S)/p I` with `α` given: regularised, not estimated.
    Shrunk {
        /// `α`, from 0 (none) to 1 (the scaled identity).
        shrinkage: f64,
    },
}

/// Why samples have no covariance of this kind.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CovarianceError {
    /// Take longer windows.
    #[error("{n_samples} samples have no covariance: take longer windows")]
    TooFewSamples {
        /// Samples of a window.
        n_samples: usize,
    },
    /// Choose a shrinkage from 0 to 1.
    #[error("a shrinkage of {shrinkage} is not between 0 and 1: choose a share")]
    BadShrinkage {
        /// The one asked for.
        shrinkage: f64,
    },
    /// Take longer windows, fewer channels, or an estimator that shrinks.
    #[error(
        "{n_samples} samples of {n_channels} channels give a singular covariance: take longer windows or an estimator that shrinks"
    )]
    Singular {
        /// Channels.
        n_channels: usize,
        /// Samples of a window.
        n_samples: usize,
    },
}

impl Estimator {
    /// Checks that windows of this size have such a covariance.
    ///
    /// # Errors
    /// Fewer than two samples, a shrinkage beyond 0 to 1, or no shrinkage at all and not
    /// more samples than channels.
    pub fn check(self, n_channels: usize, n_samples: usize) -> Result<(), CovarianceError> {
        let shrinkage = if let Self::Shrunk { shrinkage } = self { shrinkage } else { 0.5 };
        if !(0.0..=1.0).contains(&shrinkage) {
            return Err(CovarianceError::BadShrinkage { shrinkage });
        }
        if n_samples < 2 {
            return Err(CovarianceError::TooFewSamples { n_samples });
        }
        let shrinks = !matches!(self, Self::Scm) && shrinkage > 0.0;
        if !shrinks && n_samples <= n_channels {
            return Err(CovarianceError::Singular { n_channels, n_samples });
        }
        Ok(())
    }

    /// Whether [`super::SlidingCovariance`] keeps what it needs: all but Schäfer and
    /// Strimmer's, whose sum over four factors would take as many sums again as there
    /// are pairs.
    pub fn slides(self) -> bool {
        !matches!(self, Self::SchaeferStrimmer)
    }

    /// The plan for windows of this size. Allocates: the centred samples, and for
    /// [`Estimator::SchaeferStrimmer`] a matrix of `n_channels` squared.
    ///
    /// # Errors
    /// As [`Estimator::check`].
    pub fn plan(
        self,
        n_channels: usize,
        n_samples: usize,
    ) -> Result<CovarianceRuntime, CovarianceError> {
        self.check(n_channels, n_samples)?;
        let n_fourth = if matches!(self, Self::SchaeferStrimmer) { n_channels } else { 0 };
        Ok(CovarianceRuntime {
            estimator: self,
            n_channels,
            n_samples,
            centred: vec![0.0; n_channels * n_samples],
            fourth: Mat::zeros(n_fourth, n_fourth),
        })
    }
}

/// An estimator with its scratch, for windows of one size.
#[derive(Clone, Debug)]
pub struct CovarianceRuntime {
    estimator: Estimator,
    n_channels: usize,
    n_samples: usize,
    /// Samples without their mean, channel after channel.
    centred: Vec<f64>,
    /// `Σ_t z_i² z_j²`.
    fourth: Mat<f64>,
}

impl CovarianceRuntime {
    /// Writes the covariance of `samples` `(n_channels, n_samples)` into both triangles
    /// of `out`. Not finite where a sample is not; Schäfer and Strimmer's is not finite
    /// where a channel is constant.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the samples or `out` are of another size than planned.
    pub fn covariance_into(&mut self, samples: MatRef<'_, f64>, mut out: MatMut<'_, f64>) {
        let (n_channels, n_samples) = (self.n_channels, self.n_samples);
        assert_eq!(samples.shape(), (n_channels, n_samples), "a window of another size");
        assert_eq!(out.shape(), (n_channels, n_channels), "matrix of another size");
        for (i, channel) in self.centred.chunks_exact_mut(n_samples).enumerate() {
            match samples.row(i).try_as_row_major() {
                Some(samples) => channel.copy_from_slice(samples.as_slice()),
                None => channel.iter_mut().zip(samples.row(i).iter()).for_each(|(y, x)| *y = *x),
            }
            let mean = sum(channel) / n_samples as f64;
            for x in channel {
                *x -= mean;
            }
        }
        lower_gram_into(out.as_mut(), self.columns(), 1.0 / n_samples as f64);
        mirror_lower(out.as_mut());
        match self.estimator {
            Estimator::Scm => {}
            Estimator::Oas => {
                oas_shrink(out, n_samples);
            }
            Estimator::LedoitWolf => {
                ledoit_wolf_shrink(out, self.quartic(), n_samples);
            }
            Estimator::SchaeferStrimmer => self.shrink_correlations(out),
            Estimator::Shrunk { shrinkage } => shrink_by(out, shrinkage),
        }
    }

    /// What is centred, `(n_samples, n_channels)`.
    fn columns(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.centred, self.n_samples, self.n_channels)
    }

    /// `Σ_t ‖z_t‖⁴`; the centred samples are spent.
    fn quartic(&mut self) -> f64 {
        let (squares, others) = self.centred.split_at_mut(self.n_samples);
        for x in squares.iter_mut() {
            *x *= *x;
        }
        for channel in others.chunks_exact(self.n_samples) {
            squares.iter_mut().zip(channel).for_each(|(s, x)| *s += x * x);
        }
        squares.iter().map(|s| s * s).sum()
    }

    /// Schäfer and Strimmer's shrinkage of `cov`; the centred samples are spent.
    fn shrink_correlations(&mut self, mut cov: MatMut<'_, f64>) {
        let n = self.n_samples as f64;
        for x in &mut self.centred {
            *x *= *x;
        }
        let squares =
            MatRef::from_column_major_slice(&self.centred, self.n_samples, self.n_channels);
        lower_gram_into(self.fourth.as_mut(), squares, 1.0);
        let (mut variance, mut square) = (0.0, 0.0);
        for j in 0..cov.ncols() {
            for i in j + 1..cov.nrows() {
                let product = cov[(i, i)] * cov[(j, j)];
                let squared = cov[(i, j)] * cov[(i, j)];
                square += squared / product;
                variance += (self.fourth[(i, j)] - n * squared) / product;
            }
        }
        square *= (n / (n - 1.0)).powi(2);
        variance *= n / (n - 1.0).powi(3);
        let gamma = if square == 0.0 { 0.0 } else { (variance / square).clamp(0.0, 1.0) };
        let scale = n / (n - 1.0);
        for j in 0..cov.ncols() {
            for (i, x) in cov.as_mut().col_mut(j).iter_mut().enumerate() {
                *x *= if i == j { scale } else { scale * (1.0 - gamma) };
            }
        }
    }
}

/// `(1 - α) C + α tr(C)/p I`, in place.
pub(super) fn shrink_by(cov: MatMut<'_, f64>, shrinkage: f64) {
    let mu = trace(cov.as_ref()) / cov.nrows() as f64;
    shrink(cov, shrinkage, mu);
}

/// The sum, in eight lanes that do not wait for each other.
fn sum(x: &[f64]) -> f64 {
    let (rows, rest) = x.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for row in rows {
        lanes.iter_mut().zip(row).for_each(|(lane, x)| *lane += x);
    }
    lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()
}

/// `scale ZᵀZ` into the lower triangle, `z` `(n_samples, n_channels)`.
fn lower_gram_into(out: MatMut<'_, f64>, z: MatRef<'_, f64>, scale: f64) {
    triangular::matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Replace,
        z.transpose(),
        BlockStructure::Rectangular,
        z,
        BlockStructure::Rectangular,
        scale,
        Par::Seq,
    );
}
