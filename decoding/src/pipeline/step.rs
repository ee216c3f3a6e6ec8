//! The steps of a pipeline that are fitted: transforms of a window's feature, and the
//! classifier at the end.

use crate::classifier::elastic_net::ElasticNetParams;
use crate::classifier::logistic::LogisticParams;
use crate::classifier::svm::{Gamma, Kernel, SvmParams};
use crate::front_end::step::group::{BadParameter, Checked, steps};
use crate::front_end::step::{Feature, SignalStep};
use crate::riemann::covariance::Estimator;
use crate::riemann::metric::Metric;
use crate::spatial_filter::erp_covariance::{ErpCovarianceParams, Prototypes};
use acquisition::marker::ClassIdx;
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
        /// Leaves of every matrix what tells the classes apart.
        Fgda = "fgda",
        /// Covariance of a window with the classes' mean responses.
        ErpCovariance = "erp_covariance",
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
        /// Minimum distance to mean, behind a geodesic filter.
        FgMdm = "fgmdm",
        /// Support-vector machines, one per pair of classes.
        Svm = "svm",
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

/// [`crate::riemann::tangent::TangentSpace`] at the mean of the training examples, one
/// per band; the vectors of the bands one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TangentSpace {
    /// Metric of the mean and of the tangent space.
    pub metric: Metric,
}

/// `M^-1/2 C M^-1/2` with the mean `M` of the training examples, per band.
///
/// # Reference
/// P. Zanini, M. Congedo, C. Jutten, S. Said, Y. Berthoumieu (2018), doi
/// 10.1109/TBME.2017.2742541.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recenter {
    /// Metric of the mean.
    pub metric: Metric,
}

/// `(x - mean) / std` per value, of the training examples (divided by their number); a
/// value that is constant there is only centred.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardise {}

/// [`crate::classifier::fgmdm::FgdaModel`] per band.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fgda {
    /// Metric of the tangent space in which the filter works.
    pub metric: Metric,
}

/// [`crate::spatial_filter::erp_covariance::ErpCovarianceModel`] per band: windows as
/// long as the training's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErpCovariance {
    /// What stands above a window.
    pub prototypes: PrototypeKind,
    /// Filters (of xDAWN) or axes (of the principal ones) per class.
    pub n_filters: usize,
    /// Classes that get prototypes; all of them where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<u8>>,
    /// How the covariance is estimated.
    pub estimator: Estimator,
    /// How xDAWN's covariances are estimated.
    pub filter_estimator: Estimator,
}

/// The kinds of [`Prototypes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrototypeKind {
    /// Mean responses, all channels.
    Means,
    /// Mean responses on their principal axes.
    Svd,
    /// xDAWN's mean responses, and the window through its filters.
    #[default]
    Xdawn,
    /// xDAWN's mean responses, and the window as it is.
    XdawnAbove,
}

impl Default for ErpCovariance {
    fn default() -> Self {
        Self {
            prototypes: PrototypeKind::default(),
            n_filters: 4,
            classes: None,
            estimator: Estimator::Oas,
            filter_estimator: Estimator::Scm,
        }
    }
}

impl ErpCovariance {
    /// The same as the parameters of its fit.
    pub(super) fn params(&self) -> ErpCovarianceParams {
        let (n_filters, estimator) = (self.n_filters, self.filter_estimator);
        ErpCovarianceParams {
            prototypes: match self.prototypes {
                PrototypeKind::Means => Prototypes::Means,
                PrototypeKind::Svd => Prototypes::Svd { n_components: n_filters },
                PrototypeKind::Xdawn => Prototypes::Xdawn { n_filters, estimator },
                PrototypeKind::XdawnAbove => Prototypes::XdawnAbove { n_filters, estimator },
            },
            classes: self.classes.as_ref().map(|list| list.iter().copied().map(ClassIdx).collect()),
            estimator: self.estimator,
        }
    }
}

/// [`crate::classifier::lda::LdaModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lda {}

/// What keeps the weights of a regression small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// The sum of their squares ([`LogisticParams`]).
    #[default]
    L2,
    /// The sum of their magnitudes: many become 0.
    L1,
    /// Both, in the ratio `l1_ratio` ([`ElasticNetParams`]).
    ElasticNet,
}

/// [`crate::classifier::logistic::LogisticModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticRegression {
    /// What keeps the weights small.
    pub penalty: Penalty,
    /// Weight of the losses against the penalty; larger is less regularised.
    pub c: f64,
    /// Share of the magnitudes in an elastic net, 0 to 1; there alone it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l1_ratio: Option<f64>,
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self { penalty: Penalty::default(), c: LogisticParams::default().c, l1_ratio: None }
    }
}

impl LogisticRegression {
    /// The parameters of the fit where a part of the penalty is of magnitudes.
    pub(super) fn elastic_net(&self) -> Option<ElasticNetParams> {
        let l1_ratio = match self.penalty {
            Penalty::L2 => return None,
            Penalty::L1 => 1.0,
            Penalty::ElasticNet => self.l1_ratio.unwrap_or(ElasticNetParams::default().l1_ratio),
        };
        Some(ElasticNetParams { c: self.c, l1_ratio })
    }
}

/// [`crate::classifier::mdm::MdmModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mdm {
    /// Metric of means and distances.
    pub metric: Metric,
}

/// [`crate::classifier::fgmdm::FgMdmModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FgMdm {
    /// Metric of the filter, of means and of distances.
    pub metric: Metric,
}

/// What takes the place of the scalar product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelKind {
    /// The scalar product itself.
    Linear,
    /// A Gaussian of the distance.
    #[default]
    Rbf,
}

/// Inverse squared width of the Gaussian: a number or a rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GammaChoice {
    /// This value.
    Value(f64),
    /// By a rule.
    Rule(GammaRule),
}

/// Rules for the width of a Gaussian kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GammaRule {
    /// `1 / (n_features v)`, `v` the variance of all training values together.
    Scale,
    /// `1 / n_features`.
    Auto,
}

/// [`crate::classifier::svm::SvmModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Svm {
    /// The kernel.
    pub kernel: KernelKind,
    /// Weight of the hinge losses against the margin; larger is less regularised.
    pub c: f64,
    /// Width of a Gaussian kernel: a number, `"scale"` (where it is left out) or
    /// `"auto"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<GammaChoice>,
}

impl Default for Svm {
    fn default() -> Self {
        Self { kernel: KernelKind::default(), c: SvmParams::default().c, gamma: None }
    }
}

impl Svm {
    /// The same as the parameters of its fit.
    pub(super) fn params(&self) -> SvmParams {
        let gamma = match self.gamma {
            Some(GammaChoice::Value(value)) => Gamma::Value(value),
            Some(GammaChoice::Rule(GammaRule::Auto)) => Gamma::Auto,
            Some(GammaChoice::Rule(GammaRule::Scale)) | None => Gamma::Scale,
        };
        let kernel = match self.kernel {
            KernelKind::Linear => Kernel::Linear,
            KernelKind::Rbf => Kernel::Rbf { gamma },
        };
        SvmParams { kernel, c: self.c, ..SvmParams::default() }
    }
}

impl Checked for Csp {}
impl Checked for TangentSpace {}
impl Checked for Recenter {}
impl Checked for Standardise {}
impl Checked for Lda {}
impl Checked for Mdm {}
impl Checked for FgMdm {}
impl Checked for Fgda {}

impl Checked for ErpCovariance {
    fn check(&self) -> Result<(), BadParameter> {
        if self.n_filters == 0 {
            return Err(BadParameter::new("n_filters", "at least one is needed"));
        }
        Ok(())
    }
}

impl Checked for LogisticRegression {
    fn check(&self) -> Result<(), BadParameter> {
        positive("c", self.c)?;
        match self.l1_ratio {
            Some(_) if self.penalty != Penalty::ElasticNet => {
                Err(BadParameter::new("l1_ratio", "it is for penalty = \"elastic_net\" alone"))
            }
            Some(ratio) if !(0.0..=1.0).contains(&ratio) => {
                Err(BadParameter::new("l1_ratio", format!("{ratio} is not between 0 and 1")))
            }
            _ => Ok(()),
        }
    }
}

impl Checked for Svm {
    fn check(&self) -> Result<(), BadParameter> {
        positive("c", self.c)?;
        match self.gamma {
            Some(_) if self.kernel == KernelKind::Linear => {
                Err(BadParameter::new("gamma", "it is for kernel = \"rbf\" alone"))
            }
            Some(GammaChoice::Value(gamma)) => positive("gamma", gamma),
            _ => Ok(()),
        }
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
