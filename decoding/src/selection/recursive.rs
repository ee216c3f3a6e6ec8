//! Recursive elimination of the features that a linear model weighs least.

use crate::classifier::logistic::LogisticParams;
use crate::decoder::FitError;
use acquisition::marker::ClassIdx;

/// Rank of each feature: 1 is kept, those left out first have the largest.
///
/// A feature's weight is the sum of squares of its coefficients over classes. Of equal
/// ones the first is left out. As scikit-learn's `RFE`.
///
/// # Reference
/// I. Guyon, J. Weston, S. Barnhill, V. Vapnik: Gene selection for cancer classification
/// using support vector machines (2002), doi 10.1023/A:1012487302797.
pub(super) fn ranks(
    x: &[Vec<f64>],
    labels: &[ClassIdx],
    n_classes: usize,
    n_kept: usize,
    n_removed: usize,
    c: f64,
) -> Result<Vec<usize>, FitError> {
    let n_features = x.first().map_or(0, Vec::len);
    let mut left: Vec<usize> = (0..n_features).collect();
    // Which round each was left out in; the last is of those that are kept.
    let (mut left_out, mut n_rounds) = (vec![usize::MAX; n_features], 0);
    while left.len() > n_kept {
        let of_left: Vec<Vec<f64>> =
            x.iter().map(|x| left.iter().map(|j| x[*j]).collect()).collect();
        let model = LogisticParams { c }.fit(&of_left, labels, n_classes)?;
        let weight = |at: usize| (0..n_classes).map(|k| model.coef.row(k)[at].powi(2)).sum::<f64>();
        let weights: Vec<f64> = (0..left.len()).map(weight).collect();
        let mut order: Vec<usize> = (0..left.len()).collect();
        order.sort_by(|a, b| weights[*a].total_cmp(&weights[*b]));
        for at in &order[..n_removed.min(left.len() - n_kept)] {
            left_out[left[*at]] = n_rounds;
        }
        left.retain(|j| left_out[*j] == usize::MAX);
        n_rounds += 1;
    }
    let rank = |round: &usize| if *round == usize::MAX { 1 } else { n_rounds - round + 1 };
    Ok(left_out.iter().map(rank).collect())
}
