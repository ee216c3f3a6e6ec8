//! Granger causality: by how much the past of one channel betters the prediction of
//! another.
//!
//! `F_(j -> i) = ln(var_i without j / var_i with j)`, least-squares regressions of one
//! order on the same samples. It is 0 where `j`'s past says nothing more about `i`, and
//! does not depend on the channels' units. [`Scope`] says what else is in both
//! regressions. [`Degrees`] turns a value into the statistic and the probability of a
//! test. [`SpectralGranger`] and [`GroupGranger`] resolve it over frequencies, from a
//! model.
//!
//! Causality is a word of the method's: a source that no channel sees makes two others
//! cause each other, and filters and volume conduction shift what is found.
//!
//! Values are ordered `(to, from)`: entry `i, j` is what channel `i` gets from channel `j`.

mod dense;
mod explained;
mod group;
mod hidden;
mod sliding;
mod spectral;

pub use self::group::GroupGranger;
pub use self::sliding::SlidingGranger;
pub use self::spectral::{GrangerSpectra, SpectralGranger};

use self::explained::Explained;
use super::mvar::{Intercept, MvarError, Triangle, check};
use crate::stats::distribution::{chi_squared_above, fisher_above};
use ndarray::ArrayView3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Whose past is in both regressions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All channels': what is left is direct, as far as channels go (Geweke 1984).
    #[default]
    Conditional,
    /// That of the two channels alone: what comes over a third counts too.
    Pairwise,
}

/// What a value is tested by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrangerTest {
    /// `(n - d) / p (exp F - 1)` of Fisher's distribution with `p` and `n - d` degrees of
    /// freedom.
    #[default]
    Fisher,
    /// `n (exp F - 1)` of the chi-squared distribution with `p` degrees.
    ChiSquared,
    /// `n F` of the chi-squared distribution with `p` degrees: the likelihood ratio.
    LikelihoodRatio,
}

/// What a test needs beside the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degrees {
    /// Predicted samples `n`.
    pub n_observations: usize,
    /// Regressors `d` of the regression with the source.
    pub n_regressors: usize,
    /// Lags `p` of the source.
    pub order: usize,
}

impl Degrees {
    /// The statistic of a value. statsmodels' `grangercausalitytests` has all three.
    pub fn statistic(self, test: GrangerTest, value: f64) -> f64 {
        let n = self.n_observations as f64;
        match test {
            GrangerTest::Fisher => self.n_left() as f64 / self.order as f64 * value.exp_m1(),
            GrangerTest::ChiSquared => n * value.exp_m1(),
            GrangerTest::LikelihoodRatio => n * value,
        }
    }

    /// Probability of a value at least as large where the source adds nothing: 1 for 0.
    pub fn p(self, test: GrangerTest, value: f64) -> f64 {
        let statistic = self.statistic(test, value);
        match test {
            GrangerTest::Fisher => fisher_above(statistic, (self.order, self.n_left())),
            _ => chi_squared_above(statistic, self.order),
        }
    }

    fn n_left(self) -> usize {
        self.n_observations.saturating_sub(self.n_regressors)
    }
}

/// What is to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrangerSpec {
    /// Lags `p`.
    pub order: usize,
    /// With a constant or without.
    pub intercept: Intercept,
    /// Whose past is in both regressions.
    pub scope: Scope,
}

/// Values of all pairs of channels.
#[derive(Clone, Debug, PartialEq)]
pub struct GrangerMap {
    n_channels: usize,
    values: Vec<f64>,
    degrees: Degrees,
}

impl GrangerMap {
    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// `(to, from)`, 0 where both are one channel.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// What the tests need.
    pub fn degrees(&self) -> Degrees {
        self.degrees
    }

    /// A probability for each value, `(to, from)`, 1 where both are one channel. They are
    /// not corrected for their number.
    pub fn p(&self, test: GrangerTest) -> Vec<f64> {
        self.values.iter().map(|value| self.degrees.p(test, *value)).collect()
    }
}

impl GrangerSpec {
    /// Regresses `epochs` `(n_epochs, n_channels, n_samples)`; a window is one epoch. No
    /// regression reaches over an epoch's edge.
    ///
    /// The samples are factorised once. The regression without a source is not done: what
    /// the source explains is `b' M^-1 b` of its coefficients `b` and their covariance
    /// `M`. [`Scope::Pairwise`] factorises the triangle's columns of each pair, on rayon's
    /// current pool. Batch code: it allocates.
    ///
    /// # Reference
    /// C. W. J. Granger (1969), doi:10.2307/1912791.
    /// J. Geweke (1982), doi:10.1080/01621459.1982.10477803.
    /// J. Geweke (1984), doi:10.1080/01621459.1984.10477110.
    pub fn run(&self, epochs: &ArrayView3<'_, f64>) -> Result<GrangerMap, MvarError> {
        let triangle = self.triangle(epochs)?;
        let m = triangle.n_channels();
        let mut values = vec![0.0; m * m];
        let degrees = match self.scope {
            Scope::Conditional => {
                Explained::new(m, self.order).of_triangle(&triangle, &mut values)?;
                self.degrees(&triangle)
            }
            Scope::Pairwise => {
                let found: Vec<_> = pairs(m)
                    .into_par_iter()
                    .map(|pair| {
                        let (triangle, mut of_pair) = (triangle.of(&pair)?, [0.0; 4]);
                        Explained::new(2, self.order).of_triangle(&triangle, &mut of_pair)?;
                        Ok((pair, of_pair, self.degrees(&triangle)))
                    })
                    .collect::<Result<_, MvarError>>()?;
                for ([i, j], [_, from_j, from_i, _], _) in &found {
                    values[i * m + j] = *from_j;
                    values[j * m + i] = *from_i;
                }
                found.first().map_or_else(|| self.degrees(&triangle), |(_, _, degrees)| *degrees)
            }
        };
        Ok(GrangerMap { n_channels: m, values, degrees })
    }

    /// The factor of all regressions' columns, with samples to spare for the tests.
    fn triangle(&self, epochs: &ArrayView3<'_, f64>) -> Result<Triangle, MvarError> {
        check(epochs)?;
        if self.order == 0 {
            return Err(MvarError::NoOrder);
        }
        Triangle::new(epochs, self.order, self.intercept)
    }

    fn degrees(&self, triangle: &Triangle) -> Degrees {
        Degrees {
            n_observations: triangle.n_observations,
            n_regressors: triangle.n_regressors(self.order),
            order: self.order,
        }
    }
}

/// All `[i, j]` with `j < i`.
fn pairs(n_channels: usize) -> Vec<[usize; 2]> {
    (1..n_channels).flat_map(|i| (0..i).map(move |j| [i, j])).collect()
}

#[cfg(test)]
mod tests;
