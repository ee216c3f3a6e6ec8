//! Logistic regression with an L1 or elastic-net penalty: few features, many zeros.
//!
//! The fitted model is the same [`LogisticModel`] as that of the L2 penalty. It is
//! *not* one-vs-rest, and nothing is standardised here: the penalty is not invariant to
//! the scale of the features.

mod proximal;

use self::proximal::Problem;
use super::logistic::{LogisticModel, LogisticParams, centre};
use super::{check_features, check_positive, count_examples, dot};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use acquisition::marker::ClassIdx;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How a logistic regression with an elastic-net penalty is fitted.
///
/// `coef` and `intercept` minimise
/// `l1_ratio |coef|_1 + (1 - l1_ratio)/2 |coef|^2 - C sum_i ln posterior_i[label_i]`.
/// A ratio of 1 is the L1 penalty (lasso), a ratio of 0 the L2 penalty of
/// [`LogisticParams`].
///
/// # Conventions
/// Those of scikit-learn's `LogisticRegression(solver="saga", penalty="elasticnet")`:
/// losses are summed, the intercept is not penalised, and for two classes the penalty is
/// of the difference `w` of the two weight vectors, whose rows are then `-w/2` and
/// `w/2`. Intercepts sum to 0 over classes.
///
/// With an even number of four or more classes, a ratio of 1 leaves the common part of a
/// feature's weights free within an interval; posteriors are the same for all of it.
///
/// # Method
/// Proximal Newton steps: the losses are replaced by their quadratic model, which is
/// minimised by coordinate descent over the features that matter and, once the set of
/// non-zero weights rests, by conjugate gradients on that set; then a line search. On
/// one thread and in a fixed order: the same examples give the same bits. It runs to a
/// violation of the optimality conditions of `1e-10` of that at no weights.
///
/// # Reference
/// H. Zou, T. Hastie: Regularization and variable selection via the elastic net (2005),
/// doi 10.1111/j.1467-9868.2005.00503.x. J. Lee, Y. Sun, M. Saunders: Proximal
/// Newton-type methods for minimizing composite functions (2014), doi 10.1137/130921428.
/// J. Friedman, T. Hastie, R. Tibshirani: Regularization paths for generalized linear
/// models via coordinate descent (2010), doi 10.18637/jss.v033.i01; ours keeps the
/// curvature between classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticNetParams {
    /// Weight `C` of the losses against the penalty; larger is less regularised.
    pub c: f64,
    /// Share of the L1 penalty, 0 to 1.
    pub l1_ratio: f64,
}

impl Default for ElasticNetParams {
    /// `C = 1` and both penalties alike.
    fn default() -> Self {
        Self { c: 1.0, l1_ratio: 0.5 }
    }
}

impl ElasticNetParams {
    /// Fits to `x` (`n_examples` vectors of `n_features`) with a label each.
    ///
    /// Batch: allocates a copy of the examples; each step takes time in proportion to
    /// `n_examples * n_features * n_classes`, and tens of times the non-zero part of it.
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
        if !(0.0..=1.0).contains(&self.l1_ratio) {
            let (name, allowed) = ("l1_ratio", "from 0 to 1");
            return Err(FitError::BadParameter { name, found: self.l1_ratio, allowed });
        }
        if self.l1_ratio == 0.0 {
            return LogisticParams { c: self.c }.fit(x, labels, n_classes);
        }
        check_positive("C", self.c)?;
        count_examples(x.len(), labels, n_classes)?;
        let n_features = check_features(x)?;
        let (centred, centre) = centre(x, n_features);
        let problem = Problem::new(centred.as_ref(), labels, n_classes, self)?;
        let found = problem.minimise()?;
        let row = |k: usize| -> Vec<f64> {
            match n_classes {
                2 => found[0].iter().map(|w| (k as f64 - 0.5) * w).collect(),
                _ => found[k].clone(),
            }
        };
        let (mut data, mut intercept) = (Vec::new(), Vec::new());
        for k in 0..n_classes {
            let row = row(k);
            let (weights, offset) = row.split_at(n_features);
            intercept.push(offset[0] - dot(weights, &centre));
            data.extend_from_slice(weights);
        }
        let mean = intercept.iter().sum::<f64>() / n_classes as f64;
        for offset in &mut intercept {
            *offset -= mean;
        }
        let what = "a weight of the regression".to_owned();
        let coef = Matrix::new(n_classes, n_features, data);
        let coef = coef.map_err(|_| FitError::NotFinite { what })?;
        Ok(LogisticModel { coef, intercept })
    }
}
