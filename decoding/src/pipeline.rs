//! Pipelines: which feature goes into which classifier.
//!
//! [`Pipeline`] names one and fits it ([`Fit`]); [`FittedPipeline`] is what a model file
//! holds; [`FittedPipeline::plan`] makes the [`crate::decoder::Decoder`] that decides.

pub mod runtime;

use crate::classifier::lda::LdaModel;
use crate::classifier::logistic::LogisticModel;
use crate::classifier::mdm::MdmModel;
use crate::decoder::{Examples, Fit, FitError};
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::mean::riemannian_mean;
use crate::riemann::tangent::TangentSpace;
use crate::spatial_filter::csp::CspModel;
use crate::window::Feature;
use faer::Mat;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Criterion of Riemannian means: norm of the mean tangent vector.
pub const MEAN_CRITERION: f64 = 1e-8;
/// Most steps of a Riemannian mean.
pub const MEAN_MAX_STEPS: usize = 50;

/// The reference pipelines, each exactly as the definition of our scores states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pipeline {
    /// Covariance, minimum distance to Riemannian class means (Barachant et al. 2012,
    /// doi 10.1109/TBME.2011.2172210).
    #[serde(rename = "mdm")]
    Mdm,
    /// Covariance, tangent space at the Riemannian mean, logistic regression (Barachant
    /// et al. 2013, doi 10.1016/j.neucom.2012.12.039).
    #[serde(rename = "ts+lr")]
    TsLr,
    /// Common spatial patterns, log-variance, shrinkage LDA (Blankertz et al. 2008,
    /// doi 10.1109/MSP.2008.4408441).
    #[serde(rename = "csp+lda")]
    CspLda,
    /// Log-variance per channel, shrinkage LDA.
    #[serde(rename = "logvar+lda")]
    LogvarLda,
    /// Log band power per channel and band, shrinkage LDA.
    #[serde(rename = "psd+lda")]
    PsdLda,
}

impl Pipeline {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 5] = [Self::Mdm, Self::TsLr, Self::CspLda, Self::LogvarLda, Self::PsdLda];

    /// The name on the command line, in tables and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mdm => "mdm",
            Self::TsLr => "ts+lr",
            Self::CspLda => "csp+lda",
            Self::LogvarLda => "logvar+lda",
            Self::PsdLda => "psd+lda",
        }
    }

    /// The feature it is fitted on.
    pub fn feature(self) -> Feature {
        match self {
            Self::Mdm | Self::TsLr | Self::CspLda => Feature::Covariance,
            Self::LogvarLda => Feature::LogVariance,
            Self::PsdLda => Feature::BandPower,
        }
    }
}

impl Fit for Pipeline {
    type Model = FittedPipeline;

    fn fit(&self, examples: &Examples) -> Result<FittedPipeline, FitError> {
        check_classes(examples)?;
        let (labels, n_classes) = (&examples.labels, examples.n_classes);
        let vectors = |of: fn(&crate::window::Features) -> &Vec<f64>| {
            examples.features.iter().map(|f| of(f).clone()).collect::<Vec<_>>()
        };
        Ok(match self {
            Self::Mdm => {
                let model = MdmModel::fit(&covariances(examples), labels, n_classes)?;
                FittedPipeline::Mdm { model }
            }
            Self::TsLr => fit_tangent(examples)?,
            Self::CspLda => fit_csp(examples)?,
            Self::LogvarLda => {
                let model = LdaModel::fit(&vectors(|f| &f.log_variance), labels, n_classes)?;
                FittedPipeline::LogvarLda { model }
            }
            Self::PsdLda => {
                let model = LdaModel::fit(&vectors(|f| &f.band_power), labels, n_classes)?;
                FittedPipeline::PsdLda { model }
            }
        })
    }
}

/// Every class of the configuration needs two examples, or nothing can be said of it.
fn check_classes(examples: &Examples) -> Result<(), FitError> {
    const N_NEEDED: usize = 2;
    for class in 0..examples.n_classes {
        let n_examples = examples.labels.iter().filter(|l| l.index() == class).count();
        if n_examples < N_NEEDED {
            return Err(FitError::TooFewExamples { class, n_examples, n_needed: N_NEEDED });
        }
    }
    Ok(())
}

fn covariances(examples: &Examples) -> Vec<&Mat<f64>> {
    examples.features.iter().map(|f| &f.covariance).collect()
}

/// The tangent space at the mean of all examples, and the regression on it.
fn fit_tangent(examples: &Examples) -> Result<FittedPipeline, FitError> {
    let covariances = covariances(examples);
    let mean = riemannian_mean(&covariances, MEAN_CRITERION, MEAN_MAX_STEPS)
        .map_err(|e| in_words("the mean of the training covariances", &e))?
        .mean;
    let space = tangent_space(&mean)?;
    let to_vector = |space: &mut TangentSpace, covariance: &&Mat<f64>| {
        let mut vector = vec![0.0; space.dim()];
        space.vector_into(covariance.as_ref(), &mut vector);
        vector
    };
    let vectors: Vec<_> = covariances.par_iter().map_with(space, to_vector).collect();
    let logistic = LogisticModel::fit(&vectors, &examples.labels, examples.n_classes)?;
    let point = Matrix::from_faer(mean.as_ref())
        .map_err(|_| FitError::NotFinite { what: "the mean of the training covariances".into() })?;
    Ok(FittedPipeline::TsLr { point, logistic })
}

fn tangent_space(point: &Mat<f64>) -> Result<TangentSpace, FitError> {
    TangentSpace::at(point.as_ref()).map_err(|e| in_words("the tangent space's point", &e))
}

fn fit_csp(examples: &Examples) -> Result<FittedPipeline, FitError> {
    let covariances = covariances(examples);
    let csp = CspModel::fit(&covariances, &examples.labels, examples.n_classes)?;
    let mut runtime = csp.plan();
    let to_vector = |covariance: &&Mat<f64>| {
        let mut vector = vec![0.0; csp.n_filters()];
        runtime.features_into(covariance.as_ref(), &mut vector);
        vector
    };
    let vectors: Vec<_> = covariances.iter().map(to_vector).collect();
    let lda = LdaModel::fit(&vectors, &examples.labels, examples.n_classes)?;
    Ok(FittedPipeline::CspLda { csp, lda })
}

/// A geometry error as a fit error that names the matrix.
fn in_words(what: &str, error: &RiemannError) -> FitError {
    match error {
        RiemannError::NotConverged { n_steps } => {
            FitError::NotConverged { what: what.to_owned(), n_steps: *n_steps }
        }
        RiemannError::NotFinite => FitError::NotFinite { what: what.to_owned() },
        _ => FitError::NotPositiveDefinite { what: what.to_owned() },
    }
}

/// A fitted pipeline: plain numbers that a model file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "pipeline", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the models the variants are named after")]
pub enum FittedPipeline {
    /// Class means.
    #[serde(rename = "mdm")]
    Mdm { model: MdmModel },
    /// Point of the tangent space, regression on its vectors.
    #[serde(rename = "ts+lr")]
    TsLr { point: Matrix, logistic: LogisticModel },
    /// Spatial filters, discriminant on their log-variances.
    #[serde(rename = "csp+lda")]
    CspLda { csp: CspModel, lda: LdaModel },
    /// Discriminant on log-variances.
    #[serde(rename = "logvar+lda")]
    LogvarLda { model: LdaModel },
    /// Discriminant on band powers.
    #[serde(rename = "psd+lda")]
    PsdLda { model: LdaModel },
}

impl FittedPipeline {
    /// Which pipeline it is.
    pub fn pipeline(&self) -> Pipeline {
        match self {
            Self::Mdm { .. } => Pipeline::Mdm,
            Self::TsLr { .. } => Pipeline::TsLr,
            Self::CspLda { .. } => Pipeline::CspLda,
            Self::LogvarLda { .. } => Pipeline::LogvarLda,
            Self::PsdLda { .. } => Pipeline::PsdLda,
        }
    }
}
