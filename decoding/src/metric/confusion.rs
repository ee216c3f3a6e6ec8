//! The confusion matrix and the scores that are ratios of its counts.

use acquisition::marker::ClassIdx;
use serde::{Deserialize, Serialize};

/// Counts of windows: true class in rows, predicted class in columns. Written as
/// nested arrays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>", into = "Vec<Vec<u64>>")]
pub struct Confusion {
    n_classes: usize,
    counts: Vec<u64>,
}

/// The nested arrays are no square matrix: the file was not written by this software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "confusion matrix with {n_rows} rows has a row of {n_columns} columns: pass as many as rows"
)]
pub struct NotSquare {
    n_rows: usize,
    n_columns: usize,
}

impl Confusion {
    /// All zero, `(n_classes, n_classes)`.
    pub fn new(n_classes: usize) -> Self {
        Self { n_classes, counts: vec![0; n_classes * n_classes] }
    }

    /// Counts `(true, predicted)` pairs.
    ///
    /// # Panics
    /// Where a class is not below `n_classes`: the caller mixed two configurations.
    pub fn from_pairs(
        n_classes: usize,
        pairs: impl IntoIterator<Item = (ClassIdx, ClassIdx)>,
    ) -> Self {
        let mut confusion = Self::new(n_classes);
        for (truth, predicted) in pairs {
            confusion.record(truth, predicted);
        }
        confusion
    }

    /// The matrix of `counts`, row after row.
    ///
    /// # Panics
    /// If there are not `n_classes * n_classes` of them.
    pub fn from_counts(n_classes: usize, counts: &[u64]) -> Self {
        assert_eq!(counts.len(), n_classes * n_classes, "a square matrix of counts");
        Self { n_classes, counts: counts.to_vec() }
    }

    /// Counts one window. No allocation.
    ///
    /// # Panics
    /// Where a class is not below `n_classes`: the caller mixed two configurations.
    pub fn record(&mut self, truth: ClassIdx, predicted: ClassIdx) {
        let (t, p) = (truth.index(), predicted.index());
        assert!(t < self.n_classes && p < self.n_classes, "class outside the configuration");
        self.counts[t * self.n_classes + p] += 1;
    }

    /// Adds the counts of another part of the same evaluation.
    ///
    /// # Panics
    /// Where the numbers of classes differ.
    pub fn add(&mut self, other: &Self) {
        assert_eq!(self.n_classes, other.n_classes, "confusions of different configurations");
        for (a, b) in self.counts.iter_mut().zip(&other.counts) {
            *a += b;
        }
    }

    /// The task classes alone: row and column of idle are left out. Windows of a task
    /// that were decided as idle are *lost* here; scores that exclude idle therefore
    /// decide anew among the task classes (see [`crate::evaluate::score`]).
    #[must_use]
    pub fn without_idle(&self) -> Self {
        let n = self.n_classes.saturating_sub(1);
        let counts = (0..n * n).map(|i| self.count(i / n + 1, i % n + 1)).collect();
        Self { n_classes: n, counts }
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Windows of true class `truth` decided as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * self.n_classes + predicted]
    }

    /// The counts row by row, `n_classes * n_classes`.
    pub fn as_slice(&self) -> &[u64] {
        &self.counts
    }

    /// All windows counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Windows on the diagonal.
    pub fn trace(&self) -> u64 {
        (0..self.n_classes).map(|k| self.count(k, k)).sum()
    }

    /// Windows per true class.
    pub fn true_counts(&self) -> Vec<u64> {
        (0..self.n_classes).map(|t| (0..self.n_classes).map(|p| self.count(t, p)).sum()).collect()
    }

    /// Windows per predicted class.
    pub fn predicted_counts(&self) -> Vec<u64> {
        (0..self.n_classes).map(|p| (0..self.n_classes).map(|t| self.count(t, p)).sum()).collect()
    }

    /// Number of classes that are present in the truth.
    pub fn n_true_classes(&self) -> usize {
        self.true_counts().iter().filter(|n| **n > 0).count()
    }

    /// Share of windows on the diagonal; no window gives 0.
    pub fn accuracy(&self) -> f64 {
        match self.total() {
            0 => 0.0,
            total => self.trace() as f64 / total as f64,
        }
    }

    /// Mean recall over the classes that are present in the truth; none gives 0.
    pub fn balanced_accuracy(&self) -> f64 {
        let (mut sum, mut n_present) = (0.0, 0);
        for (k, n) in self.true_counts().into_iter().enumerate().filter(|(_, n)| *n > 0) {
            sum += self.count(k, k) as f64 / n as f64;
            n_present += 1;
        }
        if n_present == 0 { 0.0 } else { sum / f64::from(n_present) }
    }

    /// Cohen's kappa, unweighted:
    ///
    /// ```text
    /// kappa = (c*s - sum_k p_k*t_k) / (s^2 - sum_k p_k*t_k)
    /// ```
    ///
    /// with trace `c`, sum `s`, row sums `t_k` and column sums `p_k`, in integers. A
    /// zero denominator (agreement by chance is certain) gives 0.
    ///
    /// # Reference
    /// J. Cohen (1960), doi:10.1177/001316446002000104.
    pub fn kappa(&self) -> f64 {
        let total = i128::from(self.total());
        let by_chance: i128 = self
            .true_counts()
            .iter()
            .zip(self.predicted_counts())
            .map(|(t, p)| i128::from(*t) * i128::from(p))
            .sum();
        match total * total - by_chance {
            0 => 0.0,
            beyond => (i128::from(self.trace()) * total - by_chance) as f64 / beyond as f64,
        }
    }
}

impl TryFrom<Vec<Vec<u64>>> for Confusion {
    type Error = NotSquare;
    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, NotSquare> {
        let n_classes = rows.len();
        if let Some(row) = rows.iter().find(|row| row.len() != n_classes) {
            return Err(NotSquare { n_rows: n_classes, n_columns: row.len() });
        }
        Ok(Self { n_classes, counts: rows.concat() })
    }
}

impl From<Confusion> for Vec<Vec<u64>> {
    fn from(confusion: Confusion) -> Self {
        confusion.counts.chunks(confusion.n_classes.max(1)).map(<[u64]>::to_vec).collect()
    }
}
