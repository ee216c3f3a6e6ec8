//! Minimum distance to mean behind a geodesic filter: in the tangent space at the mean of
//! all examples only what discriminates the classes is kept.
//!
//! [`FgdaModel`] is the filter alone, from covariances to covariances; [`FgMdmModel`] the
//! classifier.

use super::lda::LdaModel;
use super::mdm::{MdmModel, MdmRuntime, in_words, mean_covariance};
use super::{check_squares, count_examples, dot, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::metric::Metric;
use crate::riemann::tangent::TangentSpace;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatMut, MatRef};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// A fitted geodesic filter: `C` becomes the matrix whose tangent vector is
/// `Qᵀ Q v(C)`, `v` the tangent vector at the point.
///
/// `Q` is an orthonormal basis of the differences of the discriminants' weights,
/// `S^+ (m_k - m_0)`, of [`LdaModel`]: one direction fewer than there are classes.
///
/// # Conventions
/// As pyRiemann's `FGDA`, whose projector is `Wᵀ (W Wᵀ)^+ W` with `W` the weights of every
/// class. At the mean of all examples these depend on each other, so both span the same;
/// there the dependence is left to the pseudo-inverse, here it is known.
///
/// # Reference
/// A. Barachant, S. Bonnet, M. Congedo, C. Jutten (2010): Riemannian geometry applied to
/// BCI classification, LVA/ICA 2010, LNCS 6365, doi 10.1007/978-3-642-15995-4_78.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FgdaModel {
    /// Metric of the tangent space and of its point.
    pub metric: Metric,
    /// Where the tangent space is: the mean of all examples, `(n_channels, n_channels)`.
    pub point: Matrix,
    /// `Q`, `(n_classes - 1, n_channels (n_channels + 1) / 2)`, fewer rows where classes
    /// have the same mean.
    pub filters: Matrix,
}

impl FgdaModel {
    /// Fits the filter to `covariances` with a label each.
    ///
    /// Batch: allocates, uses the caller's rayon pool; its time grows with the sixth power
    /// of the number of channels, its memory with the fourth.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, what
    /// [`Metric::mean`] says of covariances without a mean, and what [`LdaModel::fit`] says
    /// of their tangent vectors; [`FitError::Shape`] where labels and covariances do not
    /// fit each other, [`FitError::UnknownClass`].
    pub fn fit(
        metric: Metric,
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        count_examples(covariances.len(), labels, n_classes)?;
        check_squares(covariances)?;
        let what = "the mean of the training covariances";
        let mean = mean_covariance(metric, covariances, what)?;
        let space =
            TangentSpace::in_metric(metric, mean.as_ref()).map_err(|e| in_words(what, &e))?;
        let to_vector = |space: &mut TangentSpace, covariance: &&Mat<f64>| {
            let mut vector = vec![0.0; space.dim()];
            space.vector_into(covariance.as_ref(), &mut vector);
            vector
        };
        let vectors: Vec<_> = covariances.par_iter().map_with(space, to_vector).collect();
        let lda = LdaModel::fit(&vectors, labels, n_classes)?;
        Ok(Self {
            metric,
            point: finite_matrix(mean.as_ref(), what)?,
            filters: finite_matrix(basis(&lda.coef).as_ref(), "a geodesic filter")?,
        })
    }

    /// Plans filtering: the tangent space and its scratch.
    ///
    /// # Errors
    /// A point that is not positive definite, or filters of another size: the model does
    /// not come from a fit.
    pub fn plan(&self) -> Result<FgdaRuntime, RiemannError> {
        let space = TangentSpace::in_metric(self.metric, self.point.to_faer().as_ref())?;
        let (n_rows, n_cols) = (self.filters.n_rows(), self.filters.n_cols());
        if n_cols != space.dim() {
            return Err(RiemannError::ShapeMismatch { n_rows, n_cols, expected: space.dim() });
        }
        let vector = vec![0.0; space.dim()];
        Ok(FgdaRuntime { space, filters: self.filters.clone(), filtered: vector.clone(), vector })
    }
}

/// An orthonormal basis, in rows, of the differences of `coef`'s rows to its first: by
/// Gram and Schmidt, twice, without what is rounding alone.
fn basis(coef: &Matrix) -> Mat<f64> {
    /// A difference shorter than this part of the longest is none.
    const LEAST: f64 = 1e-12;
    let first = coef.row(0);
    let mut rows: Vec<Vec<f64>> = (1..coef.n_rows())
        .map(|k| coef.row(k).iter().zip(first).map(|(x, y)| x - y).collect())
        .collect();
    let longest = rows.iter().map(|row| dot(row, row)).fold(0.0, f64::max).sqrt();
    let mut kept: Vec<Vec<f64>> = Vec::new();
    for row in &mut rows {
        for _ in 0..2 {
            for other in &kept {
                let part = dot(row, other);
                row.iter_mut().zip(other).for_each(|(x, y)| *x -= part * y);
            }
        }
        let norm = dot(row, row).sqrt();
        if norm > LEAST * longest {
            kept.push(row.iter().map(|x| x / norm).collect());
        }
    }
    Mat::from_fn(kept.len(), coef.n_cols(), |i, j| kept[i][j])
}

/// A geodesic filter with its scratch.
#[derive(Clone, Debug)]
pub struct FgdaRuntime {
    space: TangentSpace,
    filters: Matrix,
    vector: Vec<f64>,
    filtered: Vec<f64>,
}

impl FgdaRuntime {
    /// Writes what the filter leaves of `covariance` `(n_channels, n_channels)` into both
    /// triangles of `out`; NaN where it is not finite or not positive definite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `covariance` or `out` has another size than the model.
    pub fn filter_into(&mut self, covariance: MatRef<'_, f64>, out: MatMut<'_, f64>) {
        self.space.vector_into(covariance, &mut self.vector);
        self.filtered.fill(0.0);
        for row in 0..self.filters.n_rows() {
            let filter = self.filters.row(row);
            let part = dot(filter, &self.vector);
            self.filtered.iter_mut().zip(filter).for_each(|(x, y)| *x += part * y);
        }
        self.space.spd_into(&self.filtered, out);
    }
}

/// Minimum distance to the class means of filtered covariances.
///
/// # Conventions
/// As pyRiemann's `FgMDM`; the posterior is [`MdmModel`]'s.
///
/// # Reference
/// As [`FgdaModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FgMdmModel {
    /// The filter.
    pub filter: FgdaModel,
    /// The class means behind it.
    pub mdm: MdmModel,
}

impl FgMdmModel {
    /// Fits the filter, and the class means of what it leaves.
    ///
    /// Batch: as [`FgdaModel::fit`], and so are errors.
    pub fn fit(
        metric: Metric,
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        let filter = FgdaModel::fit(metric, covariances, labels, n_classes)?;
        let runtime = filter.plan().map_err(|e| in_words("the geodesic filter's point", &e))?;
        let filtered = |runtime: &mut FgdaRuntime, covariance: &&Mat<f64>| {
            let mut out = Mat::zeros(covariance.nrows(), covariance.ncols());
            runtime.filter_into(covariance.as_ref(), out.as_mut());
            out
        };
        let filtered: Vec<_> = covariances.par_iter().map_with(runtime, filtered).collect();
        let filtered: Vec<_> = filtered.iter().collect();
        Ok(Self { filter, mdm: MdmModel::fit_in(metric, &filtered, labels, n_classes)? })
    }

    /// Plans decisions.
    ///
    /// # Errors
    /// As [`FgdaModel::plan`] and [`MdmModel::plan`].
    pub fn plan(&self) -> Result<FgMdmRuntime, RiemannError> {
        let n = self.filter.point.n_rows();
        let fits = |mean: &Matrix| (mean.n_rows(), mean.n_cols()) == (n, n);
        if let Some(mean) = self.mdm.means.iter().find(|mean| !fits(mean)) {
            let (n_rows, n_cols) = (mean.n_rows(), mean.n_cols());
            return Err(RiemannError::ShapeMismatch { n_rows, n_cols, expected: n });
        }
        let (filter, mdm) = (self.filter.plan()?, self.mdm.plan()?);
        Ok(FgMdmRuntime { filter, mdm, filtered: Mat::zeros(n, n) })
    }
}

/// A classifier of filtered covariances with its scratch.
#[derive(Clone, Debug)]
pub struct FgMdmRuntime {
    filter: FgdaRuntime,
    mdm: MdmRuntime,
    filtered: Mat<f64>,
}

impl FgMdmRuntime {
    /// Writes the posterior of each class, given a covariance `(n_channels, n_channels)`;
    /// NaN where it is not finite or not positive definite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `covariance` or `posterior` has another size than the model.
    pub fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]) {
        self.filter.filter_into(covariance, self.filtered.as_mut());
        self.mdm.posterior_into(self.filtered.as_ref(), posterior);
    }
}
