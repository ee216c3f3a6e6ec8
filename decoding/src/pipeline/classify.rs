//! Classifiers at the end of a pipeline, each fitted, planned and run.

use super::fit::Training;
use super::fitted::FittedClassifier;
use super::runtime::{Judge, ModelError, expect_size, matrices_size, vector_len};
use super::step::Classifier;
use crate::classifier::lda::LdaModel;
use crate::classifier::logistic::{LogisticModel, LogisticParams};
use crate::classifier::mdm::{MdmModel, MdmRuntime};
use crate::decoder::FitError;
use crate::window::{Shape, View};

impl Classifier {
    /// Fits the step to the training examples alone.
    pub(super) fn fit(&self, training: &Training<'_>) -> Result<FittedClassifier, FitError> {
        let (labels, n_classes) = (&training.labels, training.n_classes);
        Ok(match self {
            Self::Lda(_) => {
                FittedClassifier::Lda(LdaModel::fit(&training.vectors(), labels, n_classes)?)
            }
            Self::LogisticRegression(step) => {
                let params = LogisticParams { c: step.c };
                let model = params.fit(&training.vectors(), labels, n_classes)?;
                FittedClassifier::LogisticRegression(model)
            }
            Self::Mdm(_) => {
                FittedClassifier::Mdm(MdmModel::fit(&training.matrices(0), labels, n_classes)?)
            }
        })
    }
}

impl FittedClassifier {
    /// Plans the step for inputs of `shape`.
    pub(super) fn plan(&self, shape: Shape, n_classes: usize) -> Result<Box<dyn Judge>, ModelError> {
        Ok(match self {
            Self::Lda(model) => {
                expect_size("the discriminant's weights", vector_len(shape)?, model.coef.n_cols())?;
                expect_size("the discriminant's classes", n_classes, model.coef.n_rows())?;
                expect_size("the discriminant's intercepts", n_classes, model.intercept.len())?;
                Box::new(model.clone())
            }
            Self::LogisticRegression(model) => {
                expect_size("the regression's weights", vector_len(shape)?, model.coef.n_cols())?;
                expect_size("the regression's classes", n_classes, model.coef.n_rows())?;
                expect_size("the regression's intercepts", n_classes, model.intercept.len())?;
                Box::new(model.clone())
            }
            Self::Mdm(model) => Box::new(plan_mdm(model, shape, n_classes)?),
        })
    }
}

fn plan_mdm(model: &MdmModel, shape: Shape, n_classes: usize) -> Result<MdmRuntime, ModelError> {
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the number of bands", 1, n_bands)?;
    expect_size("the list of class means", n_classes, model.means.len())?;
    for mean in &model.means {
        expect_size("a class mean", n_rows, mean.n_rows())?;
        expect_size("a class mean", n_rows, mean.n_cols())?;
    }
    model.plan().map_err(|source| ModelError::Geometry { part: "a class mean", source })
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

impl Judge for LogisticModel {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        with_vector(input, posterior, |x, posterior| Self::posterior_into(self, x, posterior));
    }
}

impl Judge for MdmRuntime {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        match input {
            View::Matrices([matrix]) => Self::posterior_into(self, matrix.as_ref(), posterior),
            _ => posterior.fill(f64::NAN),
        }
    }
}
