//! Linear discriminant analysis with a covariance that is shrunk automatically.
//!
//! It is *not* a projection onto discriminant axes: only the classifier is here.

use super::{
    check_features, check_finite, count_examples, finite_matrix, linear_scores_into,
    softmax_in_place,
};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::covariance::ledoit_wolf;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef, Side};
use few::Few;
use serde::{Deserialize, Serialize};

mod few;
#[cfg(test)]
mod tests;

/// A fitted linear discriminant.
///
/// `s_k(x) = m_k' S^+ x - m_k' S^+ m_k / 2 + ln(prior_k)`, posterior = softmax of `s`.
///
/// With class means `m_k`, priors from the frequencies of the training labels, and
/// `S = sum_k prior_k D_k LW(Z_k) D_k`: `Z_k` are the features of class `k`
/// standardised (`ddof` 0, `D_k` the diagonal of their standard deviations, 1 where a
/// feature is constant), `LW` is the covariance of Ledoit and Wolf.
///
/// # Conventions
/// As scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")`.
/// `S^+` is the pseudo-inverse, so constant or repeated features give the solution of
/// least norm rather than a failure. For two classes scikit-learn keeps the difference
/// of the two scores only; the posterior is the same.
///
/// # Reference
/// R. Duda, P. Hart, D. Stork: Pattern Classification, 2nd ed. (2001), section 2.6.2.
/// O. Ledoit, M. Wolf: A well-conditioned estimator for large-dimensional covariance
/// matrices (2004), doi 10.1016/S0047-259X(03)00096-4. For brain signals: B. Blankertz
/// et al. (2011), doi 10.1016/j.neuroimage.2010.06.048.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdaModel {
    /// `S^+ m_k` in rows, `(n_classes, n_features)`.
    pub coef: Matrix,
    /// `ln(prior_k) - m_k' S^+ m_k / 2` of each class.
    pub intercept: Vec<f64>,
}

/// How the covariance within classes is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shrinkage {
    /// Shrunk automatically ([`LdaModel::fit`]).
    #[default]
    Auto,
    /// As it is ([`LdaModel::fit_unshrunk`]).
    None,
}

/// Standardised features with less spread than this in a direction have none there.
const SPREAD_TOLERANCE: f64 = 1e-4;

impl LdaModel {
    /// Fits to `x` with a label each, the covariance within classes not shrunk:
    /// `S = Σ_k Σ_i (x_i - m_k)(x_i - m_k)' / n_examples`.
    ///
    /// `S^+ = D^-1 R^+ D^-1` with the standard deviations `D` within classes (1 where they
    /// are 0) and `R^+` the pseudo-inverse of `D^-1 S D^-1`: directions in which standardised
    /// features have a standard deviation of at most 1e-4 are left out. As scikit-learn's
    /// `LinearDiscriminantAnalysis(solver="svd")`, its default (older versions divide by
    /// `n_examples - n_classes`).
    ///
    /// Batch: allocates; its time grows with `n_features` cubed.
    ///
    /// # Errors
    /// As [`LdaModel::fit`].
    pub fn fit_unshrunk(
        x: &[Vec<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        let counts = count_examples(x.len(), labels, n_classes)?;
        let n_features = check_features(x)?;
        let n = x.len() as f64;
        let mut means = Mat::<f64>::zeros(n_features, n_classes);
        for (example, label) in x.iter().zip(labels) {
            for (j, value) in example.iter().enumerate() {
                means[(j, label.index())] += value;
            }
        }
        for (k, count) in counts.iter().enumerate() {
            means.col_mut(k).iter_mut().for_each(|sum| *sum /= *count as f64);
        }
        let centre: Vec<f64> =
            (0..n_features).map(|j| x.iter().map(|row| row[j]).sum::<f64>() / n).collect();
        let mut within =
            Mat::from_fn(x.len(), n_features, |i, j| x[i][j] - means[(j, labels[i].index())]);
        let scale = spreads(&mut within, &means);
        let scatter = within.transpose() * &within * faer::Scale(1.0 / n);
        let apart =
            Mat::from_fn(n_features, n_classes, |j, k| (means[(j, k)] - centre[j]) / scale[j]);
        let solved = truncated(scatter.as_ref(), apart.as_ref(), SPREAD_TOLERANCE.powi(2))?;
        let coef = Mat::from_fn(n_features, n_classes, |j, k| solved[(j, k)] / scale[j]);
        let intercept_of = |k: usize| {
            let prior = counts[k] as f64 / n;
            let from_centre: f64 = (0..n_features).map(|j| centre[j] * coef[(j, k)]).sum();
            prior.ln() - 0.5 * (apart.col(k).transpose() * solved.col(k)) - from_centre
        };
        Self::of(&coef, (0..n_classes).map(intercept_of).collect())
    }

    /// Fits to `x` (`n_examples` vectors of `n_features`) with a label each.
    ///
    /// Batch: allocates; its time grows with `n_features` cubed, or with `n_features` times
    /// `n_examples` squared where there are fewer examples than half the features.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, [`FitError::NotFinite`] where
    /// a feature or the covariance is not finite, [`FitError::NotConverged`] where the
    /// covariance has no eigenvalues.
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(x: &[Vec<f64>], labels: &[ClassIdx], n_classes: usize) -> Result<Self, FitError> {
        let classes = Standardised::of(x, labels, n_classes)?;
        let solved = Few::of(&classes).and_then(|few| few.solve(classes.means.as_ref()));
        let coef = match solved {
            Some(coef) => coef,
            None => least_squares(classes.within().as_ref(), classes.means.as_ref())?,
        };
        let Standardised { counts, means, .. } = classes;
        let intercept_of = |k: usize| {
            let prior = counts[k] as f64 / x.len() as f64;
            prior.ln() - 0.5 * (means.col(k).transpose() * coef.col(k))
        };
        Self::of(&coef, (0..n_classes).map(intercept_of).collect())
    }

    /// The model of these coefficients in columns.
    fn of(coef: &Mat<f64>, intercept: Vec<f64>) -> Result<Self, FitError> {
        if !intercept.iter().all(|offset| offset.is_finite()) {
            return Err(FitError::NotFinite {
                what: "an intercept of the discriminant".to_owned(),
            });
        }
        let coef = finite_matrix(coef.transpose(), "a coefficient of the discriminant")?;
        Ok(Self { coef, intercept })
    }

    /// Writes the logarithm of each class's density times its prior, up to a constant
    /// common to all classes.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `x` has not `n_features` or `scores` not `n_classes` values.
    pub fn scores_into(&self, x: &[f64], scores: &mut [f64]) {
        linear_scores_into(&self.coef, &self.intercept, x, scores);
    }

    /// Writes the posterior of each class. Thread, allocation and panics as
    /// [`LdaModel::scores_into`].
    pub fn posterior_into(&self, x: &[f64], posterior: &mut [f64]) {
        self.scores_into(x, posterior);
        softmax_in_place(posterior);
    }
}

/// First and second moments of labelled features.
pub(crate) struct Moments {
    /// Examples of each class.
    pub(crate) counts: Vec<usize>,
    /// Class means in columns, `(n_features, n_classes)`.
    pub(crate) means: Mat<f64>,
    /// The shrunk covariance within classes.
    pub(crate) within: Mat<f64>,
}

impl Moments {
    /// Of `x` (`n_examples` vectors of `n_features`) with a label each.
    pub(crate) fn of(
        x: &[Vec<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        let classes = Standardised::of(x, labels, n_classes)?;
        let within = classes.within();
        Ok(Self { counts: classes.counts, means: classes.means, within })
    }
}

/// Labelled features, each class standardised by itself.
struct Standardised {
    counts: Vec<usize>,
    /// Class means in columns, `(n_features, n_classes)`.
    means: Mat<f64>,
    /// Of each class: its examples in rows, and the standard deviation of each feature.
    classes: Vec<(Mat<f64>, Vec<f64>)>,
}

impl Standardised {
    fn of(x: &[Vec<f64>], labels: &[ClassIdx], n_classes: usize) -> Result<Self, FitError> {
        let counts = count_examples(x.len(), labels, n_classes)?;
        let n_features = check_features(x)?;
        let mut means = Mat::zeros(n_features, n_classes);
        let class = |(k, &count): (usize, &usize)| {
            let of_class = labels.iter().zip(x).filter(|(l, _)| l.index() == k).map(|(_, x)| x);
            let mut examples = Mat::zeros(count, n_features);
            for (i, example) in of_class.enumerate() {
                for (j, value) in example.iter().enumerate() {
                    examples[(i, j)] = *value;
                }
            }
            let scale = standardise(&mut examples, &mut means, k);
            (examples, scale)
        };
        let classes = counts.iter().enumerate().map(class).collect();
        Ok(Self { counts, means, classes })
    }

    fn n_examples(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The shrunk covariance within classes.
    fn within(&self) -> Mat<f64> {
        let n_features = self.means.nrows();
        let mut within = Mat::zeros(n_features, n_features);
        for (examples, scale) in &self.classes {
            let (shrunk, _) = ledoit_wolf(examples.as_ref());
            let prior = examples.nrows() as f64 / self.n_examples() as f64;
            for j in 0..n_features {
                for i in 0..n_features {
                    within[(i, j)] += prior * (scale[i] * shrunk[(i, j)] * scale[j]);
                }
            }
        }
        within
    }
}

/// Standardises the columns of `examples`, writes their means into column `k` of
/// `means` and returns their standard deviations, 1 for a constant column.
///
/// Constant is what two-pass rounding can't tell from it: a variance of at most
/// `n eps var + (n mean eps)^2` (T. Chan, G. Golub, R. `LeVeque` 1983,
/// doi 10.1080/00031305.1983.10483115).
fn standardise(examples: &mut Mat<f64>, means: &mut Mat<f64>, k: usize) -> Vec<f64> {
    let (n, n_features) = (examples.nrows() as f64, examples.ncols());
    let standardise_column = |j: usize| {
        let column = examples.col(j);
        let mean = column.iter().sum::<f64>() / n;
        let residual = column.iter().map(|v| v - mean).sum::<f64>();
        let squares = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        let variance = (squares - residual * residual / n) / n;
        let bound = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
        let scale = if variance > bound { variance.sqrt() } else { 1.0 };
        for value in examples.col_mut(j).iter_mut() {
            *value = (*value - mean) / scale;
        }
        means[(j, k)] = mean;
        scale
    };
    (0..n_features).map(standardise_column).collect()
}

/// Divides the columns of features, centred by the class means, by their standard deviations,
/// and returns these: 1 where one is rounding.
fn spreads(centred: &mut Mat<f64>, means: &Mat<f64>) -> Vec<f64> {
    let (n, n_features) = (centred.nrows() as f64, centred.ncols());
    let spread = |j: usize| {
        let spread = (centred.col(j).iter().map(|v| v * v).sum::<f64>() / n).sqrt();
        let largest = means.row(j).iter().fold(0.0_f64, |most, mean| most.max(mean.abs()));
        let scale = if spread > n * f64::EPSILON * largest { spread } else { 1.0 };
        centred.col_mut(j).iter_mut().for_each(|v| *v /= scale);
        scale
    };
    (0..n_features).map(spread).collect()
}

/// Solution of least norm of `covariance * x = rhs`: eigenvalues at or below machine
/// precision times the largest are taken as 0.
pub(crate) fn least_squares(
    covariance: MatRef<'_, f64>,
    rhs: MatRef<'_, f64>,
) -> Result<Mat<f64>, FitError> {
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    pseudo_solved(covariance, rhs, |values| f64::EPSILON * largest(values))
}

/// The same; eigenvalues at or below `least` are taken as 0.
fn truncated(
    covariance: MatRef<'_, f64>,
    rhs: MatRef<'_, f64>,
    least: f64,
) -> Result<Mat<f64>, FitError> {
    pseudo_solved(covariance, rhs, |_| least)
}

fn pseudo_solved(
    covariance: MatRef<'_, f64>,
    rhs: MatRef<'_, f64>,
    least: impl FnOnce(&[f64]) -> f64,
) -> Result<Mat<f64>, FitError> {
    check_finite(covariance, || "the covariance of the features".to_owned())?;
    let Ok(eigen) = covariance.self_adjoint_eigen(Side::Lower) else {
        return Err(FitError::NotConverged {
            what: "the eigenvalues of the features' covariance".to_owned(),
            n_steps: covariance.nrows(),
        });
    };
    let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
    let least = least(&values);
    let mut projected = eigen.U().transpose() * rhs;
    for (i, value) in values.iter().enumerate() {
        let inverse = if value.abs() > least { value.recip() } else { 0.0 };
        for k in 0..rhs.ncols() {
            projected[(i, k)] *= inverse;
        }
    }
    Ok(eigen.U() * projected)
}
