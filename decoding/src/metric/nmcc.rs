//! Matthews correlation of several classes, and its normalised form.

use crate::metric::confusion::Confusion;

/// Matthews correlation coefficient of a confusion matrix, in `[-1, 1]`:
///
/// ```text
/// MCC = (c*s - sum_k p_k*t_k) / sqrt((s^2 - sum_k p_k^2) * (s^2 - sum_k t_k^2))
/// ```
///
/// with trace `c`, sum `s`, row sums `t_k` (true) and column sums `p_k` (predicted).
/// The differences are taken in integers, so that a zero denominator (one class in
/// the truth or in the predictions) is recognised exactly; it gives 0.
///
/// # Reference
/// J. Gorodkin (2004), doi:10.1016/j.compbiolchem.2004.09.006.
pub fn mcc(confusion: &Confusion) -> f64 {
    mcc_of_counts(confusion.n_classes(), confusion.as_slice())
}

/// `(MCC + 1) / 2`: 0.5 is chance at any class balance, 1 is perfect.
pub fn nmcc(confusion: &Confusion) -> f64 {
    f64::midpoint(mcc(confusion), 1.0)
}

/// [`mcc`] of `n_classes * n_classes` counts, row by row. No allocation: it is called
/// once per resample and per permutation.
pub(crate) fn mcc_of_counts(n_classes: usize, counts: &[u64]) -> f64 {
    let count = |t: usize, p: usize| i128::from(counts[t * n_classes + p]);
    let (mut total, mut trace) = (0_i128, 0_i128);
    let (mut of_pairs, mut of_true, mut of_predicted) = (0_i128, 0_i128, 0_i128);
    for k in 0..n_classes {
        let t: i128 = (0..n_classes).map(|p| count(k, p)).sum();
        let p: i128 = (0..n_classes).map(|t| count(t, k)).sum();
        total += t;
        trace += count(k, k);
        of_pairs += t * p;
        of_true += t * t;
        of_predicted += p * p;
    }
    let (of_true, of_predicted) = (total * total - of_true, total * total - of_predicted);
    if of_true == 0 || of_predicted == 0 {
        return 0.0;
    }
    let covariance = (trace * total - of_pairs) as f64;
    covariance / ((of_predicted as f64).sqrt() * (of_true as f64).sqrt())
}

/// [`nmcc`] of `n_classes * n_classes` counts, row by row. No allocation.
pub(crate) fn nmcc_of_counts(n_classes: usize, counts: &[u64]) -> f64 {
    f64::midpoint(mcc_of_counts(n_classes, counts), 1.0)
}
