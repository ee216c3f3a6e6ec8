//! Classifiers at the end of a pipeline, each fitted, planned and run.

use super::fit::Training;
use super::fitted::FittedClassifier;
use super::runtime::{Judge, ModelError, expect_size, matrices_size, vector_len};
use super::step::Classifier;
use crate::adaptation::lda::AdaptiveLda;
use crate::classifier::fgmdm::{FgMdmModel, FgMdmRuntime, FgdaModel};
use crate::classifier::knn::{KnnModel, KnnRuntime};
use crate::classifier::lda::{LdaModel, Shrinkage};
use crate::classifier::logistic::{LogisticModel, LogisticParams};
use crate::classifier::mdm::{MdmModel, MdmRuntime};
use crate::classifier::mean_field::{MeanFieldModel, MeanFieldRuntime};
use crate::classifier::svm::{Expansion, SvmModel, SvmRuntime, pairs};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::tangent::vector_dim;
use crate::spatial_filter::filter_bank::shares_in_place;
use crate::window::{Shape, View};
use faer::MatRef;

impl Classifier {
    /// Fits the step to the training examples alone.
    pub(super) fn fit(&self, training: &Training<'_>) -> Result<FittedClassifier, FitError> {
        let (labels, n_classes) = (&training.labels, training.n_classes);
        Ok(match self {
            Self::Lda(step) => {
                let x = training.vectors();
                FittedClassifier::Lda(match step.shrinkage {
                    Shrinkage::Auto => LdaModel::fit(&x, labels, n_classes)?,
                    Shrinkage::None => LdaModel::fit_unshrunk(&x, labels, n_classes)?,
                })
            }
            Self::AdaptiveLda(step) => {
                FittedClassifier::AdaptiveLda(step.fit(&training.vectors(), labels, n_classes)?)
            }
            Self::LogisticRegression(step) => {
                let x = training.vectors();
                FittedClassifier::LogisticRegression(match step.elastic_net() {
                    None => LogisticParams { c: step.c }.fit(&x, labels, n_classes)?,
                    Some(params) => params.fit(&x, labels, n_classes)?,
                })
            }
            Self::Svm(step) => {
                let (x, spans) = (training.vectors(), &training.spans);
                FittedClassifier::Svm(step.params().fit_spans(&x, labels, spans, n_classes)?)
            }
            Self::Knn(step) => {
                let examples = (&training.matrices(0)[..], &labels[..]);
                let (metric, n, vote) = (step.metric, step.n_neighbours, step.vote);
                FittedClassifier::Knn(KnnModel::fit(metric, n, vote, examples, n_classes)?)
            }
            Self::MeanField(step) => {
                let examples = (&training.matrices(0)[..], &labels[..]);
                let (metric, how) = (step.metric, step.combination);
                let model = MeanFieldModel::fit(metric, how, &step.powers, examples, n_classes)?;
                FittedClassifier::MeanField(model)
            }
            Self::Network(step) => FittedClassifier::Network(step.fit(training)?),
            Self::Largest(_) => {
                let n_scores = training.vectors().first().map_or(0, Vec::len);
                if !is_scored(n_scores, n_classes) {
                    let (part, expected) = ("the list of scores", n_classes);
                    return Err(FitError::Shape { part, expected, found: n_scores });
                }
                FittedClassifier::Largest { n_scores }
            }
            Self::Mdm(step) => {
                let matrices = training.matrices(0);
                FittedClassifier::Mdm(MdmModel::fit_in(step.metric, &matrices, labels, n_classes)?)
            }
            Self::FgMdm(step) => {
                let matrices = training.matrices(0);
                FittedClassifier::FgMdm(FgMdmModel::fit(step.metric, &matrices, labels, n_classes)?)
            }
        })
    }
}

impl FittedClassifier {
    /// Plans the step for inputs of `shape`.
    pub(super) fn plan(
        &self,
        shape: Shape,
        n_classes: usize,
    ) -> Result<Box<dyn Judge>, ModelError> {
        Ok(match self {
            Self::Lda(model) => {
                expect_size("the discriminant's weights", vector_len(shape)?, model.coef.n_cols())?;
                expect_size("the discriminant's classes", n_classes, model.coef.n_rows())?;
                expect_size("the discriminant's intercepts", n_classes, model.intercept.len())?;
                Box::new(model.clone())
            }
            Self::AdaptiveLda(state) => {
                if !state.is_possible() {
                    return Err(ModelError::BadNumber { part: "the discriminant that adapts" });
                }
                expect_size("the discriminant's weights", vector_len(shape)?, state.mean().len())?;
                expect_size("the discriminant's classes", n_classes, state.n_classes())?;
                Box::new(state.plan())
            }
            Self::LogisticRegression(model) => {
                expect_size("the regression's weights", vector_len(shape)?, model.coef.n_cols())?;
                expect_size("the regression's classes", n_classes, model.coef.n_rows())?;
                expect_size("the regression's intercepts", n_classes, model.intercept.len())?;
                Box::new(model.clone())
            }
            Self::Network(fitted) => fitted.plan(shape, n_classes)?,
            Self::Svm(model) => Box::new(plan_svm(model, shape, n_classes)?),
            Self::Largest { n_scores } => {
                expect_size("the list of scores", vector_len(shape)?, *n_scores)?;
                if !is_scored(*n_scores, n_classes) {
                    let part = "the list of classes";
                    return Err(ModelError::Shape { part, expected: n_classes, found: *n_scores });
                }
                Box::new(Scores)
            }
            Self::Knn(model) => {
                check_knn(model, shape, n_classes)?;
                let part = "a training example";
                Box::new(model.plan().map_err(|source| ModelError::Geometry { part, source })?)
            }
            Self::MeanField(model) => {
                let n_powers = model.means.first().map_or(0, Vec::len);
                for of_class in &model.means {
                    expect_size("the power means of a class", n_powers, of_class.len())?;
                }
                let means = model.means.concat();
                check_means(&means, shape, n_classes * n_powers)?;
                let part = "a power mean";
                Box::new(model.plan().map_err(|source| ModelError::Geometry { part, source })?)
            }
            Self::Mdm(model) => {
                check_means(&model.means, shape, n_classes)?;
                let part = "a class mean";
                Box::new(model.plan().map_err(|source| ModelError::Geometry { part, source })?)
            }
            Self::FgMdm(model) => {
                check_means(&model.mdm.means, shape, n_classes)?;
                check_filter(&model.filter, shape)?;
                let part = "a class mean or the filter";
                Box::new(model.plan().map_err(|source| ModelError::Geometry { part, source })?)
            }
        })
    }
}

fn check_means(means: &[Matrix], shape: Shape, n_classes: usize) -> Result<(), ModelError> {
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the number of bands", 1, n_bands)?;
    expect_size("the list of class means", n_classes, means.len())?;
    for mean in means {
        expect_size("a class mean", n_rows, mean.n_rows())?;
        expect_size("a class mean", n_rows, mean.n_cols())?;
    }
    Ok(())
}

fn check_knn(model: &KnnModel, shape: Shape, n_classes: usize) -> Result<(), ModelError> {
    expect_size("the neighbours' classes", n_classes, model.n_classes)?;
    expect_size("the neighbours' labels", model.examples.len(), model.labels.len())?;
    if let Some(label) = model.labels.iter().find(|label| label.index() >= n_classes) {
        let (part, found) = ("a neighbour's class", label.index());
        return Err(ModelError::Shape { part, expected: n_classes, found });
    }
    // Of none no class is the nearest.
    let n_neighbours = model.n_neighbours.clamp(1, model.examples.len().max(1));
    expect_size("the list of neighbours that vote", n_neighbours, model.n_neighbours)?;
    check_means(&model.examples, shape, model.examples.len())
}

/// The sizes of a geodesic filter.
pub(super) fn check_filter(filter: &FgdaModel, shape: Shape) -> Result<(), ModelError> {
    let (_, n_rows) = matrices_size(shape)?;
    expect_size("the filter's point", n_rows, filter.point.n_rows())?;
    expect_size("the filter's point", n_rows, filter.point.n_cols())?;
    expect_size("the filter's directions", vector_dim(n_rows), filter.filters.n_cols())
}

fn plan_svm(model: &SvmModel, shape: Shape, n_classes: usize) -> Result<SvmRuntime, ModelError> {
    let n_pairs = pairs(n_classes).count();
    expect_size("the machines' classes", n_classes, model.n_classes)?;
    expect_size("the machines' weights", vector_len(shape)?, model.n_features())?;
    expect_size("the machines' intercepts", n_pairs, model.intercept.len())?;
    expect_size("the machines' sigmoids", n_pairs, model.sigmoids.len())?;
    match &model.expansion {
        Expansion::Linear { weights } => {
            expect_size("the list of machines", n_pairs, weights.n_rows())?;
        }
        Expansion::Rbf { support, coef, .. } => {
            expect_size("the list of machines", n_pairs, coef.n_rows())?;
            expect_size("the machines' coefficients", support.n_rows(), coef.n_cols())?;
        }
    }
    Ok(model.plan())
}

/// Whether there is a score for every class, or for every one but idle.
fn is_scored(n_scores: usize, n_classes: usize) -> bool {
    n_scores > 0 && (n_scores == n_classes || n_scores + 1 == n_classes)
}

/// Decides by the largest score.
struct Scores;

impl Judge for Scores {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_vector(input, posterior, |scores, posterior| {
            let n_unscored = posterior.len() - scores.len();
            let (idle, scored) = posterior.split_at_mut(n_unscored);
            idle.fill(0.0);
            scored.copy_from_slice(scores);
            shares_in_place(scored);
        });
    }
}

/// Gives the vector to `decide`; a posterior of NaN where there is none, which plans
/// rule out.
fn with_vector(input: View<'_>, posterior: &mut [f64], decide: impl FnOnce(&[f64], &mut [f64])) {
    match input {
        View::Vector(vector) => decide(vector, posterior),
        View::Matrices(_) | View::Samples(_) => posterior.fill(f64::NAN),
    }
}

impl Judge for LdaModel {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_vector(input, posterior, |x, posterior| Self::posterior_into(self, x, posterior));
    }
}

impl Judge for AdaptiveLda {
    /// By the state as it stands, which then follows the window.
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_vector(input, posterior, |x, posterior| {
            Self::posterior_into(self, x, posterior);
            // An example that is not finite leaves the state as it was.
            let _ = self.adapt(x, None);
        });
    }
}

impl Judge for LogisticModel {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_vector(input, posterior, |x, posterior| Self::posterior_into(self, x, posterior));
    }
}

impl Judge for SvmRuntime {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_vector(input, posterior, |x, posterior| Self::posterior_into(self, x, posterior));
    }

    fn machine(&mut self, input: View<'_>) -> Option<f64> {
        match input {
            View::Vector(x) => self.decisions(x).first().map(|first| -first),
            _ => None,
        }
    }
}

/// As [`with_vector`], of the one matrix.
fn with_matrix(
    input: View<'_>,
    posterior: &mut [f64],
    decide: impl FnOnce(MatRef<'_, f64>, &mut [f64]),
) {
    match input {
        View::Matrices([matrix]) => decide(matrix.as_ref(), posterior),
        _ => posterior.fill(f64::NAN),
    }
}

impl Judge for MdmRuntime {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_matrix(input, posterior, |c, posterior| Self::posterior_into(self, c, posterior));
    }
}

impl Judge for KnnRuntime {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_matrix(input, posterior, |c, posterior| Self::posterior_into(self, c, posterior));
    }
}

impl Judge for MeanFieldRuntime {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_matrix(input, posterior, |c, posterior| Self::posterior_into(self, c, posterior));
    }
}

impl Judge for FgMdmRuntime {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_matrix(input, posterior, |c, posterior| Self::posterior_into(self, c, posterior));
    }
}
