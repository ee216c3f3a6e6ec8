//! The nearest covariances of the calibration, in any metric.

use super::mdm::in_words;
use super::{check_count, check_squares, count_examples, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::distance::DistancesTo;
use crate::riemann::metric::Metric;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How much a neighbour counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// By `exp(-d²)`, so that the nearer counts for more: pyRiemann's posterior.
    #[default]
    ByDistance,
    /// All the same: pyRiemann's decision, the class with most neighbours, and of several
    /// the first.
    Equal,
}

/// Calibration covariances, their labels, and how many are asked.
///
/// The posterior of a class is the share of its examples in the votes of the `k` nearest
/// (of two at the same distance the earlier example).
///
/// # Reference
/// As pyRiemann's `KNearestNeighbor`, whose posterior and decision are those of the two
/// kinds of [`Vote`]; they may name different classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnnModel {
    /// Metric of the distances.
    pub metric: Metric,
    /// How many neighbours vote.
    pub n_neighbours: usize,
    /// What each vote counts.
    pub vote: Vote,
    /// Number of classes.
    pub n_classes: usize,
    /// Covariances `(n_channels, n_channels)`.
    pub examples: Vec<Matrix>,
    /// The class of each.
    pub labels: Vec<ClassIdx>,
}

impl KnnModel {
    /// Keeps `covariances` with a label each: nothing is fitted, all are checked.
    ///
    /// Batch: allocates; the model is as large as the covariances.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, or of all below `n_neighbours`;
    /// [`FitError::NotFinite`] and [`FitError::NotPositiveDefinite`] where a covariance
    /// is not.
    /// [`FitError::Shape`] where labels and covariances do not fit each other,
    /// [`FitError::UnknownClass`], [`FitError::BadParameter`] for no neighbour.
    pub fn fit(
        metric: Metric,
        n_neighbours: usize,
        vote: Vote,
        (covariances, labels): (&[&Mat<f64>], &[ClassIdx]),
        n_classes: usize,
    ) -> Result<Self, FitError> {
        check_count("the number of neighbours", n_neighbours)?;
        let counts = count_examples(covariances.len(), labels, n_classes)?;
        check_squares(covariances)?;
        if let Some(class) = (0..n_classes).min_by_key(|class| counts[*class])
            && covariances.len() < n_neighbours
        {
            let (n_examples, n_needed) = (counts[class], n_neighbours);
            return Err(FitError::TooFewExamples { class, n_examples, n_needed });
        }
        let what = |k: usize| format!("the covariance of example {k}");
        for (k, covariance) in covariances.iter().enumerate() {
            DistancesTo::in_metric(metric, &[covariance.as_ref()])
                .map_err(|e| in_words(&what(k), &e))?;
        }
        let examples = covariances.iter().enumerate();
        let examples = examples.map(|(k, c)| finite_matrix(c.as_ref(), &what(k)));
        let examples = examples.collect::<Result<_, _>>()?;
        Ok(Self { metric, n_neighbours, vote, n_classes, examples, labels: labels.to_vec() })
    }

    /// Plans decisions: factors every example and allocates the scratch.
    ///
    /// # Errors
    /// No example, several sizes, or one that is not positive definite: the model does
    /// not come from a fit.
    ///
    /// # Panics
    /// Where the examples and their labels or classes do not agree.
    pub fn plan(&self) -> Result<KnnRuntime, RiemannError> {
        assert_eq!(self.examples.len(), self.labels.len(), "one label per example");
        assert!(self.labels.iter().all(|l| l.index() < self.n_classes), "a label is a class");
        let examples: Vec<_> = self.examples.iter().map(Matrix::to_faer).collect();
        let points: Vec<_> = examples.iter().map(Mat::as_ref).collect();
        Ok(KnnRuntime {
            distances: DistancesTo::in_metric(self.metric, &points)?,
            squared: vec![0.0; points.len()],
            order: (0..points.len()).collect(),
            n_neighbours: self.n_neighbours.min(points.len()),
            vote: self.vote,
            labels: self.labels.clone(),
            n_classes: self.n_classes,
        })
    }
}

/// A nearest-neighbour classifier with its scratch.
#[derive(Clone, Debug)]
pub struct KnnRuntime {
    distances: DistancesTo,
    squared: Vec<f64>,
    order: Vec<usize>,
    n_neighbours: usize,
    vote: Vote,
    labels: Vec<ClassIdx>,
    n_classes: usize,
}

impl KnnRuntime {
    /// Writes the posterior of each class, given a covariance `(n_channels, n_channels)`;
    /// NaN where it is not finite or not positive definite.
    ///
    /// Thread: decoding thread; its time grows with the number of examples. Allocation:
    /// none.
    ///
    /// # Panics
    /// Where `covariance` or `posterior` has another size than the model.
    pub fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]) {
        assert_eq!(posterior.len(), self.n_classes, "posterior of other classes");
        self.distances.squared_into(covariance, &mut self.squared);
        if self.squared.iter().any(|d| d.is_nan()) {
            posterior.fill(f64::NAN);
            return;
        }
        let Self { squared, order, n_neighbours, .. } = self;
        order.sort_unstable_by(|a, b| squared[*a].total_cmp(&squared[*b]).then(a.cmp(b)));
        let nearest = &order[..*n_neighbours];
        let closest = nearest.first().map_or(0.0, |k| squared[*k]);
        posterior.fill(0.0);
        for k in nearest {
            posterior[self.labels[*k].index()] += match self.vote {
                Vote::ByDistance => (closest - squared[*k]).exp(),
                Vote::Equal => 1.0,
            };
        }
        let sum: f64 = posterior.iter().sum();
        for p in posterior {
            *p /= sum;
        }
    }
}
