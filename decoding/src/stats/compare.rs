//! One pipeline against another: paired over subjects, over datasets, and corrected for
//! having looked at many pairs.
//!
//! One subject scores with both, so only differences count. Per dataset a one-tailed
//! permutation test ([`paired_p`]), over datasets Stouffer's method ([`stouffer`]), over
//! pairs Holm's correction ([`holm`]); the size of a difference is [`effect`], over datasets
//! [`combined_effect`]. As MOABB's meta-analysis, which draws its permutations at random
//! above 13 subjects and corrects nothing.
//!
//! # Reference
//! S. A. Stouffer et al., *The American Soldier*, vol. 1, Princeton, 1949. S. Holm (1979),
//! Scandinavian Journal of Statistics 6(2), 65-70. F. Wilcoxon (1945), doi
//! 10.2307/3001968. V. Jayaram, A. Barachant (2018), doi 10.1088/1741-2552/aadea0.

use super::distribution::{normal_above, normal_quantile_above};
use super::{Interval, mean, std};

/// Most subjects whose sign changes are all counted; of more, ranks are tested.
pub const MOST_COUNTED: usize = 20;

/// A change of signs ties with what was observed where it is as near as this, relative to
/// the sum of magnitudes: the same scores add up to the same sum in any order but for that.
const TIED: f64 = 1e-12;

/// The probability of differences whose mean is as large, if their signs were drawn: small
/// where `differences` (one per subject) lie above 0. `None` where there are none.
///
/// Up to [`MOST_COUNTED`] differences other than 0 all `2^n` changes of sign are counted, what
/// was observed among them; of more, Wilcoxon's signed ranks with the normal approximation
/// corrected for ties. All differences 0 give 1.
pub fn paired_p(differences: &[f64]) -> Option<f64> {
    if differences.is_empty() || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let others: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    Some(if others.len() <= MOST_COUNTED { counted(&others) } else { signed_ranks(&others) })
}

/// Share of all changes of sign whose sum is at least the one observed.
fn counted(differences: &[f64]) -> f64 {
    let observed: f64 = differences.iter().sum();
    let bound = observed - TIED * differences.iter().map(|d| d.abs()).sum::<f64>();
    // The sums of both halves' changes; every pair of them is one change of all.
    let (left, right) = differences.split_at(differences.len() / 2);
    let (left, mut right) = (sums(left), sums(right));
    right.sort_by(f64::total_cmp);
    let as_large = |l: &f64| right.len() - right.partition_point(|r| l + r < bound);
    let n: usize = left.iter().map(as_large).sum();
    n as f64 / (left.len() * right.len()) as f64
}

/// The sums of all changes of sign.
fn sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums = sums.iter().flat_map(|sum| [sum + value, sum - value]).collect();
    }
    sums
}

/// Wilcoxon's signed-rank test against larger differences than 0.
fn signed_ranks(differences: &[f64]) -> f64 {
    let mut sorted = differences.to_vec();
    sorted.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let n = sorted.len() as f64;
    let (mut sum, mut ties, mut rank) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
        let size = tied.len() as f64;
        let mean_rank = rank + f64::midpoint(size, 1.0);
        sum += mean_rank * tied.iter().filter(|d| **d > 0.0).count() as f64;
        ties += size.powi(3) - size;
        rank += size;
    }
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    if variance <= 0.0 {
        return 1.0;
    }
    normal_above((sum - n * (n + 1.0) / 4.0) / variance.sqrt())
}

/// The standardised mean difference of paired scores: their mean over their standard
/// deviation (ddof 1). `None` below two subjects, 0 where they do not vary about 0.
pub fn effect(differences: &[f64]) -> Option<f64> {
    let (mean, std) = (mean(differences)?, std(differences, 1)?);
    Some(if std > 0.0 { mean / std } else { 0.0 })
}

/// The 95 % interval of an [`effect`] of so many subjects: `d ± z sqrt(1/n + d²/(2n))`, `z` the
/// normal deviate above which 2.5 % lie. An approximation, too narrow for few subjects.
///
/// # Reference
/// M. Borenstein, L. V. Hedges, J. P. T. Higgins, H. R. Rothstein, *Introduction to
/// Meta-Analysis*, Wiley, 2009, chapter 4. There differences are divided by the spread within
/// conditions, and the variance has a factor `2 (1 - r)`; divided by their own spread it is 1.
pub fn effect_interval(effect: f64, n_subjects: usize) -> Interval {
    about(effect, effect_variance(effect, n_subjects))
}

/// Several `(effect, n_subjects)` as one, weighted by the roots of the subjects as
/// [`stouffer`] weights their p-values, and its 95 % interval from theirs, which know nothing
/// of each other. `None` where there are none.
pub fn combined_effect(effects: &[(f64, usize)]) -> Option<(f64, Interval)> {
    let weight: f64 = effects.iter().map(|(_, n)| (*n as f64).sqrt()).sum();
    let sum: f64 = effects.iter().map(|(effect, n)| (*n as f64).sqrt() * effect).sum();
    let variance: f64 = effects.iter().map(|(e, n)| *n as f64 * effect_variance(*e, *n)).sum();
    let mean = sum / weight;
    (weight > 0.0).then(|| (mean, about(mean, variance / weight.powi(2))))
}

fn effect_variance(effect: f64, n_subjects: usize) -> f64 {
    (1.0 + effect.powi(2) / 2.0) / n_subjects as f64
}

fn about(mean: f64, variance: f64) -> Interval {
    let half = normal_quantile_above(0.025) * variance.sqrt();
    Interval { lower: mean - half, upper: mean + half }
}

/// One p-value of several: `Σ w z / sqrt(Σ w²)` with `z` the normal deviate above which
/// `p` lies; `weights` are the square roots of the numbers of subjects. `None` where there
/// are none.
///
/// A p-value of 1 would outweigh all others: the caller holds each below the largest that its
/// dataset can give and still say something, [`most_p`]; here none passes `1 - 1e-9`.
pub fn stouffer(p_values: &[f64], weights: &[f64]) -> Option<f64> {
    if p_values.is_empty() || p_values.len() != weights.len() {
        return None;
    }
    let z = |p: f64| normal_quantile_above(p.clamp(1e-300, 1.0 - 1e-9));
    let sum: f64 = p_values.iter().zip(weights).map(|(p, w)| w * z(*p)).sum();
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    (squares > 0.0).then(|| normal_above(sum / squares.sqrt()))
}

/// Where the p-value of `n` subjects is cut before it is combined: the complement of the least
/// that they can give.
pub fn most_p(n_subjects: usize) -> f64 {
    1.0 - 0.5_f64.powi(n_subjects.min(MOST_COUNTED) as i32)
}

/// Holm's correction of p-values, in their order: the family-wise error is held whatever
/// they have to do with each other.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut least = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max((p_values.len() - rank) as f64 * p_values[at]).min(1.0);
        corrected[at] = least;
    }
    corrected
}

#[cfg(test)]
mod tests;
