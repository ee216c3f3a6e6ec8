//! The steps of a pipeline that are fitted: transforms of a window's feature, and the
//! classifier at the end.

use crate::classifier::logistic::LogisticParams;
use crate::front_end::step::group::{BadParameter, Checked, steps};
use crate::front_end::step::{Feature, SignalStep};
use serde::{Deserialize, Serialize};

steps! {
    /// A step that is fitted to training examples and turns one feature into another.
    Transform {
        /// Common spatial patterns per band, and the log-variance of each.
        Csp = "csp",
        /// Matrices as vectors, in the tangent space at the mean of the training's.
        TangentSpace = "tangent_space",
        /// Moves the mean of the training's matrices to the identity.
        Recenter = "recenter",
        /// Every value less its mean, over its standard deviation.
        Standardise = "standardise",
    }
}

steps! {
    /// The step that is fitted to examples and decides.
    Classifier {
        /// Linear discriminant analysis with automatic shrinkage.
        Lda = "lda",
        /// Multinomial logistic regression.
        LogisticRegression = "logistic_regression",
        /// Minimum distance to mean.
        Mdm = "mdm",
    }
}

/// Any step of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// From frames to frames.
    Signal(SignalStep),
    /// From a window to a feature.
    Feature(Feature),
    /// From a feature to a feature.
    Transform(Transform),
    /// From a feature to a posterior.
    Classifier(Classifier),
}

/// [`crate::spatial_filter::csp::CspModel`]: the filters of the classes, and `ln` of the
/// variance behind each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csp {}

/// [`crate::riemann::tangent::TangentSpace`] at the Riemannian mean of the training
/// examples, one per band; the vectors of the bands one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TangentSpace {}

/// `M^-1/2 C M^-1/2` with the Riemannian mean `M` of the training examples, per band.
///
/// # Reference
/// P. Zanini, M. Congedo, C. Jutten, S. Said, Y. Berthoumieu (2018), doi
/// 10.1109/TBME.2017.2742541.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recenter {}

/// `(x - mean) / std` per value, of the training examples (divided by their number); a
/// value that is constant there is only centred.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardise {}

/// [`crate::classifier::lda::LdaModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lda {}

/// [`crate::classifier::logistic::LogisticModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticRegression {
    /// Weight of the losses against the penalty; larger is less regularised.
    pub c: f64,
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self { c: LogisticParams::default().c }
    }
}

/// [`crate::classifier::mdm::MdmModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mdm {}

impl Checked for Csp {}
impl Checked for TangentSpace {}
impl Checked for Recenter {}
impl Checked for Standardise {}
impl Checked for Lda {}
impl Checked for Mdm {}

impl Checked for LogisticRegression {
    fn check(&self) -> Result<(), BadParameter> {
        positive("c", self.c)
    }
}

/// A number above 0, and finite.
fn positive(parameter: &'static str, value: f64) -> Result<(), BadParameter> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(BadParameter::new(parameter, format!("{value} is not a positive number")))
}

impl Step {
    /// The step's name in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Signal(step) => step.name(),
            Self::Feature(step) => step.name(),
            Self::Transform(step) => step.name(),
            Self::Classifier(step) => step.name(),
        }
    }

    /// The names of all steps there are.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let groups = [SignalStep::NAMES, Feature::NAMES, Transform::NAMES, Classifier::NAMES];
        groups.into_iter().flatten().copied()
    }

    /// The parameters of the step of this name, if there is such a step.
    pub fn parameters(name: &str) -> Option<&'static [&'static str]> {
        SignalStep::parameters(name)
            .or_else(|| Feature::parameters(name))
            .or_else(|| Transform::parameters(name))
            .or_else(|| Classifier::parameters(name))
    }

    /// The step of this name with these parameters, the others at their defaults; `None`
    /// where there is no such step.
    pub fn read(name: &str, parameters: toml::Table) -> Option<Result<Self, toml::de::Error>> {
        if SignalStep::NAMES.contains(&name) {
            return SignalStep::read(name, parameters).map(|step| step.map(Self::Signal));
        }
        if Feature::NAMES.contains(&name) {
            return Feature::read(name, parameters).map(|step| step.map(Self::Feature));
        }
        if Transform::NAMES.contains(&name) {
            return Transform::read(name, parameters).map(|step| step.map(Self::Transform));
        }
        Classifier::read(name, parameters).map(|step| step.map(Self::Classifier))
    }

    /// The first parameter whose value can't be used.
    pub fn check(&self) -> Result<(), BadParameter> {
        match self {
            Self::Signal(step) => step.check(),
            Self::Feature(step) => step.check(),
            Self::Transform(step) => step.check(),
            Self::Classifier(step) => step.check(),
        }
    }
}
