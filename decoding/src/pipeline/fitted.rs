//! Fitted pipelines: the description, and what its steps learned, as plain numbers.

use super::Pipeline;
use super::choose::Scored;
use super::network::FittedNetwork;
use super::step::OnShift;
use crate::adaptation::lda::AdaptiveLdaState;
use crate::adaptation::recenter::RecenterState;
use crate::artifact::potato::Potato;
use crate::classifier::fgmdm::{FgMdmModel, FgdaModel};
use crate::classifier::knn::KnnModel;
use crate::classifier::lda::LdaModel;
use crate::classifier::logistic::LogisticModel;
use crate::classifier::mdm::MdmModel;
use crate::classifier::mean_field::MeanFieldModel;
use crate::classifier::svm::SvmModel;
use crate::matrix::Matrix;
use crate::riemann::metric::Metric;
use crate::selection::Selected;
use crate::spatial_filter::csp::CspModel;
use crate::spatial_filter::erp_covariance::ErpCovarianceModel;
use crate::spatial_filter::trca::TrcaModel;
use serde::{Deserialize, Serialize};

/// A fitted pipeline: what a model file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedPipeline {
    /// As it was chosen: nothing is left to choose.
    pub(super) pipeline: Pipeline,
    /// One per list of steps: several where they vote.
    pub(super) members: Vec<FittedSteps>,
    /// What was chosen from, with the scores of the inner splits; empty where nothing was.
    pub(super) candidates: Vec<Scored>,
}

/// What one list of steps learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FittedSteps {
    pub(super) transforms: Vec<FittedTransform>,
    pub(super) classifier: FittedClassifier,
}

impl FittedPipeline {
    /// Which pipeline it is.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What it was chosen from, with the scores of the inner splits; empty where nothing
    /// was chosen.
    pub fn candidates(&self) -> &[Scored] {
        &self.candidates
    }
}

/// What a [`Transform`](super::step::Transform) learned; lists are by band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fitted", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FittedTransform {
    /// Spatial filters.
    Csp { bands: Vec<CspModel> },
    /// Points of the tangent spaces.
    TangentSpace { metric: Metric, points: Vec<Matrix> },
    /// Means that are moved to the identity.
    Recenter { means: Vec<Matrix> },
    /// Means that run along.
    AdaptiveRecenter { bands: Vec<RecenterState>, on_shift: Option<OnShift> },
    /// Usual covariances.
    Potato { bands: Vec<Potato>, rate: Option<f64> },
    /// Geodesic filters.
    Fgda { bands: Vec<FgdaModel> },
    /// Prototypes.
    ErpCovariance { bands: Vec<ErpCovarianceModel> },
    /// Means, and standard deviations.
    Standardise { mean: Vec<f64>, scale: Vec<f64> },
    /// Spatial filters that leave samples.
    Xdawn { bands: Vec<Matrix> },
    /// Nothing.
    Vectorise,
    /// Task-related components and mean responses.
    Trca(TrcaModel),
    /// Positions of values.
    Select(Selected),
}

/// What a [`Classifier`](super::step::Classifier) learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fitted", rename_all = "snake_case")]
pub(super) enum FittedClassifier {
    /// Discriminant.
    Lda(LdaModel),
    /// Discriminant that follows the signal.
    AdaptiveLda(AdaptiveLdaState),
    /// Regression.
    LogisticRegression(LogisticModel),
    /// Class means.
    Mdm(MdmModel),
    /// Filter and class means.
    FgMdm(FgMdmModel),
    /// Machines.
    Svm(SvmModel),
    /// Examples.
    Knn(KnnModel),
    /// Power means.
    MeanField(MeanFieldModel),
    /// Scores, so many.
    Largest { n_scores: usize },
    /// Weights.
    Network(FittedNetwork),
}
