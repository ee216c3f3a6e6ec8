//! Classifiers: from a window's features to a posterior over the classes.
//!
//! Each is two or three types: what is fitted ([`lda::LdaModel`],
//! [`logistic::LogisticModel`], [`svm::SvmModel`], [`mdm::MdmModel`]: plain numbers that
//! a model file holds) and, where deciding needs scratch, a runtime planned from it. They are *not*
//! [`Decoder`](crate::decoder::Decoder)s: which feature goes into which classifier is
//! the matter of [`pipeline`](crate::pipeline).
//!
//! Every classifier writes one value per class of the configuration, in class order,
//! so every class needs examples.

pub mod elastic_net;
pub mod fgmdm;
pub mod knn;
pub mod lda;
pub mod logistic;
pub mod mdm;
pub mod mean_field;
pub mod svm;

use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::spd;
use acquisition::marker::ClassIdx;
use faer::MatRef;

#[cfg(test)]
pub(crate) mod tests;

/// Least examples of each class: one has no spread.
const N_EXAMPLES_NEEDED: usize = 2;

/// Replaces scores by probabilities, `p_k = exp(s_k) / sum_j exp(s_j)`.
///
/// The largest score is subtracted first, so nothing overflows, and a score far below
/// it gives 0. Where a score is NaN or positive infinity, so are all probabilities NaN.
///
/// Thread: any. Allocation: none.
pub fn softmax_in_place(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}

/// Writes a linear score per class, `s_k = coef_k . x + intercept_k`.
///
/// # Panics
/// Where the shapes do not agree.
fn linear_scores_into(coef: &Matrix, intercept: &[f64], x: &[f64], scores: &mut [f64]) {
    assert_eq!(x.len(), coef.n_cols(), "features of another geometry");
    assert_eq!(scores.len(), coef.n_rows(), "scores of other classes");
    assert_eq!(intercept.len(), coef.n_rows(), "intercepts of other classes");
    for (k, (score, offset)) in scores.iter_mut().zip(intercept).enumerate() {
        *score = dot(coef.row(k), x) + offset;
    }
}

/// Scalar product, summed in eight lanes: the order is fixed by the length alone.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    debug_assert_eq!(a.len(), b.len());
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

/// Counts the examples of each class and checks that there are enough.
///
/// # Panics
/// Where there are not as many labels as examples or a label is no class.
pub(crate) fn count_examples(
    n_examples: usize,
    labels: &[ClassIdx],
    n_classes: usize,
) -> Result<Vec<usize>, FitError> {
    assert_eq!(n_examples, labels.len(), "one label per example");
    let mut counts = vec![0; n_classes];
    for label in labels {
        counts[label.index()] += 1;
    }
    match counts.iter().position(|n| *n < N_EXAMPLES_NEEDED) {
        None => Ok(counts),
        Some(class) => Err(FitError::TooFewExamples {
            class,
            n_examples: counts[class],
            n_needed: N_EXAMPLES_NEEDED,
        }),
    }
}

/// Checks that feature vectors are finite and returns their length.
///
/// # Panics
/// Where they differ in length.
pub(crate) fn check_features(x: &[Vec<f64>]) -> Result<usize, FitError> {
    let n_features = x.first().map_or(0, Vec::len);
    for (i, row) in x.iter().enumerate() {
        assert_eq!(row.len(), n_features, "examples of one geometry");
        if !row.iter().all(|v| v.is_finite()) {
            return Err(FitError::NotFinite { what: format!("a feature of example {i}") });
        }
    }
    Ok(n_features)
}

/// Says of a matrix that is not finite `what` it is.
pub(crate) fn check_finite(
    mat: MatRef<'_, f64>,
    what: impl Fn() -> String,
) -> Result<(), FitError> {
    spd::check_finite(mat).map_err(|_| FitError::NotFinite { what: what() })
}

/// Copies a result into the form of a model file, or says that it is not finite.
pub(crate) fn finite_matrix(mat: MatRef<'_, f64>, what: &str) -> Result<Matrix, FitError> {
    Matrix::from_faer(mat).map_err(|_| FitError::NotFinite { what: what.to_owned() })
}
