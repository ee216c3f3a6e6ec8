//! Which features to keep, and what is left of a map after correction for having looked
//! at all of it.
//!
//! A selection is fitted to training examples and nothing else ([`Select::fit`]); what
//! it found is a [`Selected`], which is then applied to any example. So a selection that
//! has seen the test examples can't be written down. Maps of channel by frequency by
//! measure, for the eye rather than for a decoder, are tested by [`max_t`].

pub mod false_discovery;
pub mod max_t;
pub mod mutual_information;
pub mod rank_sum;
mod recursive;

use self::false_discovery::{Correction, corrected};
use self::mutual_information::mutual_information;
use self::rank_sum::{RankSumP, rank_sum};
use crate::classifier::{check_count, check_features, count_examples};
use crate::decoder::FitError;
use crate::stats::distribution::student_beyond;
use acquisition::marker::ClassIdx;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// By what features are ranked, and how many are kept.
///
/// Of more than two classes, the tests of two groups compare each class with the others
/// together: the score of a feature is its largest, its p-value the smallest times the
/// number of classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Select {
    /// By signed r² ([`signed_r2`]); its p-value is that of Student's two-sided test.
    SignedR2 {
        /// How many.
        keep: Keep,
    },
    /// By the rank-sum test ([`mod@rank_sum`]).
    Wilcoxon {
        /// How many.
        keep: Keep,
        /// Where p-values come from.
        p: RankSumP,
    },
    /// By mutual information with the class ([`mod@mutual_information`]).
    MutualInformation {
        /// How many features.
        n_kept: usize,
        /// Neighbours of its estimate; 3 is usual.
        n_neighbors: usize,
    },
    /// By leaving out, again and again, what a logistic regression with L2 penalty
    /// weighs least. As scikit-learn's `RFE`.
    RecursiveElimination {
        /// How many features.
        n_kept: usize,
        /// Features left out at a time.
        n_removed: usize,
        /// `C` of the regression.
        c: f64,
    },
}

/// How many features are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Keep {
    /// This many of the largest scores, all where there are fewer.
    Best(usize),
    /// All whose corrected p-value is at most `rate`; where there are none, the one of
    /// the largest score, since a decoder needs one.
    FalseDiscovery {
        /// Expected share of false ones among them.
        rate: f64,
        /// Which dependence is allowed for.
        correction: Correction,
    },
}

/// What a selection has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selected {
    /// Features kept, ascending.
    pub indices: Vec<usize>,
    /// Number of features that there were.
    pub n_features: usize,
    /// Score of every feature: larger in magnitude is better. Of the recursive
    /// elimination, the negative rank: -1 is kept.
    pub scores: Vec<f64>,
}

/// Scores of all features, and p-values where there are.
struct Scores {
    values: Vec<f64>,
    p: Vec<f64>,
}

impl Select {
    /// Fits to training examples `x` (`n_examples` vectors of `n_features`) with a label
    /// each.
    ///
    /// Batch: allocates.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, [`FitError::NotFinite`] where a
    /// feature is not finite; the recursive elimination also what the regression says.
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(
        self,
        x: &[Vec<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Selected, FitError> {
        self.check()?;
        count_examples(x.len(), labels, n_classes)?;
        let n_features = check_features(x)?;
        let column = |j: usize| -> Vec<f64> { x.iter().map(|x| x[j]).collect() };
        let (scores, keep) = match self {
            Self::SignedR2 { keep } => (
                two_group_scores(n_features, n_classes, labels, column, |first, second| {
                    let r2 = signed_r2(first, second);
                    (r2, r2_p(r2, first.len() + second.len()))
                }),
                keep,
            ),
            Self::Wilcoxon { keep, p } => (
                two_group_scores(n_features, n_classes, labels, column, |first, second| {
                    let found = rank_sum(first, second, p);
                    (found.z, found.p)
                }),
                keep,
            ),
            Self::MutualInformation { n_kept, n_neighbors } => {
                let of = |j| mutual_information(&column(j), labels, n_neighbors);
                let values = (0..n_features).map(of).collect();
                (Scores { values, p: Vec::new() }, Keep::Best(n_kept))
            }
            Self::RecursiveElimination { n_kept, n_removed, c } => {
                let ranks = recursive::ranks(x, labels, n_classes, n_kept, n_removed, c)?;
                let indices = (0..n_features).filter(|j| ranks[*j] == 1).collect();
                let scores = ranks.iter().map(|rank| -(*rank as f64)).collect();
                return Ok(Selected { indices, n_features, scores });
            }
        };
        let indices = keep.of(&scores);
        Ok(Selected { indices, n_features, scores: scores.values })
    }
}

impl Select {
    /// Says which count is none.
    fn check(self) -> Result<(), FitError> {
        match self {
            Self::SignedR2 { keep: Keep::Best(n) } | Self::Wilcoxon { keep: Keep::Best(n), .. } => {
                check_count("the number of features kept", n)
            }
            Self::MutualInformation { n_kept, n_neighbors } => {
                check_count("n_kept", n_kept)?;
                check_count("n_neighbors", n_neighbors)
            }
            Self::RecursiveElimination { n_kept, n_removed, .. } => {
                check_count("n_kept", n_kept)?;
                check_count("n_removed", n_removed)
            }
            Self::SignedR2 { .. } | Self::Wilcoxon { .. } => Ok(()),
        }
    }
}

impl Keep {
    /// The features kept, ascending.
    fn of(self, scores: &Scores) -> Vec<usize> {
        let mut order: Vec<usize> = (0..scores.values.len()).collect();
        // Of equal scores the first feature is better: the sort is stable.
        order.sort_by(|a, b| scores.values[*b].abs().total_cmp(&scores.values[*a].abs()));
        match self {
            Self::Best(n) => {
                order.truncate(n);
            }
            Self::FalseDiscovery { rate, correction } => {
                let q = corrected(&scores.p, correction);
                let best = order.first().copied();
                order.retain(|j| q[*j] <= rate);
                if order.is_empty() {
                    order.extend(best);
                }
            }
        }
        order.sort_unstable();
        order
    }
}

impl Selected {
    /// Writes the features kept of an example.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `x` has not `n_features` values or `out` not as many as are kept.
    pub fn select_into(&self, x: &[f64], out: &mut [f64]) {
        assert_eq!(x.len(), self.n_features, "features of another geometry");
        assert_eq!(out.len(), self.indices.len(), "room for other features");
        for (out, j) in out.iter_mut().zip(&self.indices) {
            *out = x[*j];
        }
    }

    /// The features kept of each example. Allocates.
    pub fn select(&self, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        x.iter().map(|x| self.indices.iter().map(|j| x[*j]).collect()).collect()
    }
}

/// Share of the variance that belonging to a group explains, with the sign of the
/// second group's mean less the first's; in -1 to 1, 0 where nothing varies.
///
/// `r² = (S_1²/n_1 + S_2²/n_2 - G) / (Q_1 + Q_2 - G)`, `G = (S_1 + S_2)² / (n_1 + n_2)`,
/// with sums `S` and sums of squares `Q`, here of values less their common mean, which
/// changes nothing but the rounding.
///
/// # Reference
/// J. Wolpaw, D. `McFarland` (2004), doi 10.1073/pnas.0403504101; as in `HappyFeat`,
/// T. Desbois et al. (2024), doi 10.1016/j.simpa.2023.100610.
pub fn signed_r2(first: &[f64], second: &[f64]) -> f64 {
    let (n_1, n_2) = (first.len() as f64, second.len() as f64);
    let values = || first.iter().chain(second);
    let mean = values().sum::<f64>() / (n_1 + n_2);
    let sum = |group: &[f64]| group.iter().map(|v| v - mean).sum::<f64>();
    let (s_1, s_2) = (sum(first), sum(second));
    let squares: f64 = values().map(|v| (v - mean).powi(2)).sum();
    let g = (s_1 + s_2).powi(2) / (n_1 + n_2);
    let (between, total) = (s_1 * s_1 / n_1 + s_2 * s_2 / n_2 - g, squares - g);
    // Values that differ by the rounding of their mean do not vary.
    let rounding = (n_1 + n_2) * (f64::EPSILON * mean).powi(2) * (n_1 + n_2);
    if total > rounding { (between / total).min(1.0).copysign(s_2 / n_2 - s_1 / n_1) } else { 0.0 }
}

/// P-value of Student's two-sided test that gives the same r².
fn r2_p(r2: f64, n: usize) -> f64 {
    let n_degrees = n - 2;
    if n_degrees == 0 {
        return 1.0;
    }
    let r2 = r2.abs();
    student_beyond((n_degrees as f64 * r2 / (1.0 - r2)).sqrt(), n_degrees)
}

/// A test of two groups on every feature: of two classes once, of more each class
/// against the others.
fn two_group_scores(
    n_features: usize,
    n_classes: usize,
    labels: &[ClassIdx],
    column: impl Fn(usize) -> Vec<f64>,
    test: impl Fn(&[f64], &[f64]) -> (f64, f64),
) -> Scores {
    let seconds = if n_classes == 2 { 1..2 } else { 0..n_classes };
    let (mut values, mut p) = (Vec::new(), Vec::new());
    for j in 0..n_features {
        let column = column(j);
        let (mut score, mut least) = (0.0_f64, 1.0_f64);
        for class in seconds.clone() {
            let group = |is_second: bool| -> Vec<f64> {
                let of = labels.iter().zip(&column);
                of.filter(|(l, _)| (l.index() == class) == is_second).map(|(_, v)| *v).collect()
            };
            let (found, found_p) = test(&group(false), &group(true));
            score = if found.abs() > score.abs() { found } else { score };
            least = least.min(found_p * seconds.len() as f64);
        }
        values.push(score);
        p.push(least);
    }
    Scores { values, p }
}
