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
use faer::{Mat, MatRef};

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

/// Counts the examples of each class and checks that there are enough, of two classes at
/// least: one has nothing to be told from.
pub(crate) fn count_examples(
    n_examples: usize,
    labels: &[ClassIdx],
    n_classes: usize,
) -> Result<Vec<usize>, FitError> {
    check_size("the list of labels", n_examples, labels.len())?;
    // The class behind the last has no examples.
    let mut counts = vec![0; n_classes.max(2)];
    for label in labels {
        let class = label.index();
        match counts[..n_classes].get_mut(class) {
            Some(count) => *count += 1,
            None => return Err(FitError::UnknownClass { class, n_classes }),
        }
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

/// Says which part of the examples has another size than the others.
pub(crate) fn check_size(
    part: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), FitError> {
    if expected == found { Ok(()) } else { Err(FitError::Shape { part, expected, found }) }
}

/// Checks that matrices are squares of one size.
pub(crate) fn check_squares(matrices: &[&Mat<f64>]) -> Result<(), FitError> {
    let n = matrices.first().map_or(0, |first| first.nrows());
    matrices.iter().try_for_each(|matrix| {
        check_size("a covariance", n, matrix.nrows())?;
        check_size("a covariance", n, matrix.ncols())
    })
}

/// Checks that a parameter is a number above 0, and finite.
pub(crate) fn check_positive(name: &'static str, found: f64) -> Result<(), FitError> {
    if found > 0.0 && found.is_finite() {
        return Ok(());
    }
    Err(FitError::BadParameter { name, found, allowed: "a positive number" })
}

/// Checks that a parameter counts something.
pub(crate) fn check_count(name: &'static str, n: usize) -> Result<(), FitError> {
    match n {
        0 => Err(FitError::BadParameter { name, found: 0.0, allowed: "at least 1" }),
        _ => Ok(()),
    }
}

/// Checks that feature vectors are finite and of one length above 0, and returns that.
pub(crate) fn check_features(x: &[Vec<f64>]) -> Result<usize, FitError> {
    let n_features = x.first().map_or(0, Vec::len);
    check_count("the number of features", n_features)?;
    for (i, row) in x.iter().enumerate() {
        check_size("a feature vector", n_features, row.len())?;
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
