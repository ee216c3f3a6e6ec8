//! Multinomial logistic regression with an L2 penalty.
//!
//! It is *not* one-vs-rest, and nothing is standardised here: the penalty is not
//! invariant to the scale of the features.

mod newton;

use self::newton::{Optimum, Penalised};
use super::{
    check_features, check_positive, count_examples, dot, finite_matrix, linear_scores_into,
    softmax_in_place,
};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use acquisition::marker::ClassIdx;
use faer::Mat;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How a logistic regression is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticParams {
    /// Weight `C` of the losses against the penalty; larger is less regularised.
    pub c: f64,
}

impl Default for LogisticParams {
    /// `C = 1`.
    fn default() -> Self {
        Self { c: 1.0 }
    }
}

/// A fitted logistic regression.
///
/// `posterior = softmax(coef x + intercept)`, where `coef` and `intercept` minimise
/// `0.5 |coef|^2 - C sum_i ln posterior_i[label_i]`: every class has its own weights,
/// the intercept is not penalised, the losses are summed (not averaged).
///
/// # Conventions
/// Those of scikit-learn's `LogisticRegression`. For two classes it penalises the
/// difference `w` of the two weight vectors, `0.5 |w|^2`, and so does this: the two
/// rows are then `-w/2` and `w/2`. Intercepts sum to 0 over classes.
///
/// # Method
/// Newton's method on the principal axes of the features (at most
/// `min(n_examples, n_features)` of them), each step by preconditioned conjugate
/// gradients, on one thread and in a fixed order: the same examples give the same bits.
///
/// # Reference
/// T. Hastie, R. Tibshirani: Efficient quadratic regularization for expression arrays
/// (2004), doi 10.1093/biostatistics/kxh010, for the reduction to principal axes.
/// C.-J. Lin, R. Weng, S. Keerthi: Trust region Newton method for logistic regression,
/// JMLR 9 (2008) 627-650; ours is guarded by a line search instead of a region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticModel {
    /// Weights, `(n_classes, n_features)`.
    pub coef: Matrix,
    /// Intercept of each class.
    pub intercept: Vec<f64>,
}

impl LogisticParams {
    /// Fits to `x` (`n_examples` vectors of `n_features`) with a label each.
    ///
    /// Batch: allocates; its time grows with the product of the smaller of `n_examples`
    /// and `n_features`, squared, and the larger.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, [`FitError::NotFinite`] where
    /// a feature, or the square of one, is not finite, [`FitError::NotConverged`].
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(
        self,
        x: &[Vec<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<LogisticModel, FitError> {
        check_positive("C", self.c)?;
        count_examples(x.len(), labels, n_classes)?;
        let n_features = check_features(x)?;
        let (centred, centre) = centre(x, n_features);
        // With two classes the rows are -w/2 and w/2, and half of |w|^2 is the sum of
        // their squares: twice the penalty of each.
        let penalty = if n_classes == 2 { 2.0 } else { 1.0 };
        let problem = Penalised::new(centred.as_ref(), labels, n_classes, self.c, penalty)?;
        let Optimum { residuals, mut intercept } = problem.minimise()?;
        // At the optimum the gradient is zero, which gives the weights of the features
        // without a division by the length of any axis.
        let coef = residuals.transpose() * &centred * faer::Scale(self.c / penalty);
        let coef = finite_matrix(coef.as_ref(), "a weight of the regression")?;
        for (k, offset) in intercept.iter_mut().enumerate() {
            *offset -= dot(coef.row(k), &centre);
        }
        let mean = intercept.iter().sum::<f64>() / n_classes as f64;
        for offset in &mut intercept {
            *offset -= mean;
        }
        Ok(LogisticModel { coef, intercept })
    }
}

impl LogisticModel {
    /// [`LogisticParams::fit`] with `C = 1`.
    pub fn fit(x: &[Vec<f64>], labels: &[ClassIdx], n_classes: usize) -> Result<Self, FitError> {
        LogisticParams::default().fit(x, labels, n_classes)
    }

    /// Writes the posterior of each class.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `x` has not `n_features` or `posterior` not `n_classes` values.
    pub fn posterior_into(&self, x: &[f64], posterior: &mut [f64]) {
        linear_scores_into(&self.coef, &self.intercept, x, posterior);
        softmax_in_place(posterior);
    }
}

/// The examples less their mean, `(n_examples, n_features)`, and that mean: the
/// intercept takes it up, and weights and intercept become nearly independent.
pub(super) fn centre(x: &[Vec<f64>], n_features: usize) -> (Mat<f64>, Vec<f64>) {
    let mut mean = vec![0.0; n_features];
    for example in x {
        for (mean, value) in mean.iter_mut().zip(example) {
            *mean += value / x.len() as f64;
        }
    }
    (Mat::from_fn(x.len(), n_features, |i, j| x[i][j] - mean[j]), mean)
}
