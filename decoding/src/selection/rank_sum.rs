//! Wilcoxon's rank-sum test, which is Mann and Whitney's.

use crate::stats::distribution::normal_above;
use serde::{Deserialize, Serialize};

/// Largest smaller group for which [`RankSumP::Auto`] counts all orders.
const MAX_EXACT: usize = 8;

/// Where the p-value of a rank sum comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankSumP {
    /// All orders are counted where a group has at most eight values and no two are
    /// equal; elsewhere the normal approximation, corrected for ties and continuity. As
    /// SciPy's `mannwhitneyu`.
    #[default]
    Auto,
    /// The normal approximation without corrections, as SciPy's `ranksums`.
    Normal,
}

/// Result of a rank-sum test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankSum {
    /// Standardised rank sum of the second group, without corrections: positive where
    /// its values are larger.
    pub z: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// Compares two groups of values by their ranks; equal values share their mean rank.
///
/// `z = (R - n_2 (n + 1) / 2) / sqrt(n_1 n_2 (n + 1) / 12)`, `R` the sum of the second
/// group's ranks, `n = n_1 + n_2`. Where a group is empty or a value is NaN, `z` is 0
/// and `p` 1: nothing is known. Allocates.
///
/// # Reference
/// F. Wilcoxon (1945), doi 10.2307/3001968. H. Mann, D. Whitney (1947),
/// doi 10.1214/aoms/1177730491.
pub fn rank_sum(first: &[f64], second: &[f64], method: RankSumP) -> RankSum {
    let (n_1, n_2) = (first.len() as f64, second.len() as f64);
    let mut values: Vec<(f64, bool)> = first.iter().map(|v| (*v, false)).collect();
    values.extend(second.iter().map(|v| (*v, true)));
    if first.is_empty() || second.is_empty() || values.iter().any(|(v, _)| v.is_nan()) {
        return RankSum { z: 0.0, p: 1.0 };
    }
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = n_1 + n_2;
    let (mut sum, mut ties, mut n_before) = (0.0, 0.0, 0.0);
    // Zeros of both signs are equal, and next to each other in the total order.
    for equal in values.chunk_by(|a, b| a.0 == b.0) {
        let n_equal = equal.len() as f64;
        let n_of_second = equal.iter().filter(|(_, of_second)| *of_second).count() as f64;
        sum += n_of_second * (n_before + f64::midpoint(1.0, n_equal));
        ties += n_equal.powi(3) - n_equal;
        n_before += n_equal;
    }
    let above = sum - n_2 * (n + 1.0) / 2.0;
    let z = above / (n_1 * n_2 * (n + 1.0) / 12.0).sqrt();
    let p = match method {
        RankSumP::Normal => 2.0 * normal_above(z.abs()),
        RankSumP::Auto if ties == 0.0 && first.len().min(second.len()) <= MAX_EXACT => {
            exact(first.len(), second.len(), above.abs())
        }
        RankSumP::Auto => {
            let variance = n_1 * n_2 / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
            let z = (above.abs() - 0.5) / variance.sqrt();
            if variance > 0.0 { 2.0 * normal_above(z) } else { 1.0 }
        }
    };
    RankSum { z, p: p.min(1.0) }
}

/// Share of all orders in which the rank sum is at least `distance` from its mean.
fn exact(n_1: usize, n_2: usize, distance: f64) -> f64 {
    // Orders of i values of one group and j of the other by their statistic U: where the
    // largest is of the first, it beats all j of the other.
    let (few, many) = (n_1.min(n_2), n_1.max(n_2));
    let n_sums = few * many + 1;
    let mut counts = vec![vec![0.0; n_sums]; few + 1];
    for row in &mut counts {
        row[0] = 1.0;
    }
    for j in 1..=many {
        for i in 1..=few {
            // The row still holds its counts for j - 1: the largest is of the other.
            let (before, rows) = counts.split_at_mut(i);
            for (count, more) in rows[0][j..].iter_mut().zip(&before[i - 1]) {
                *count += more;
            }
        }
    }
    let (total, middle) = (counts[few].iter().sum::<f64>(), (few * many) as f64 / 2.0);
    let is_beyond = |(u, _): &(usize, &f64)| (*u as f64 - middle).abs() >= distance - 1e-9;
    counts[few].iter().enumerate().filter(is_beyond).map(|(_, n)| n).sum::<f64>() / total
}

/// The exact p-value whatever the groups' sizes.
#[cfg(test)]
pub(super) fn exact_p(first: &[f64], second: &[f64]) -> f64 {
    let (n_1, n_2) = (first.len() as f64, second.len() as f64);
    let z = rank_sum(first, second, RankSumP::Normal).z;
    exact(first.len(), second.len(), (z * (n_1 * n_2 * (n_1 + n_2 + 1.0) / 12.0).sqrt()).abs())
}
