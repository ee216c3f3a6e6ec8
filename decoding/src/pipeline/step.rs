//! The steps of a pipeline that are fitted: transforms of a window's feature, and the
//! classifier at the end.

mod adaptive;
mod classifier;
mod network;
mod responses;
mod spatial;

pub use self::adaptive::{Adapt, AdaptiveLda, OnShift, Potato, Recenter};
pub use self::classifier::{
    FgMdm, GammaChoice, GammaRule, KernelKind, Knn, Largest, Lda, LogisticRegression, Mdm,
    MeanField, Penalty, Svm,
};
pub use self::network::Network;
pub use self::responses::{Trca, Vectorise, Xdawn};
pub use self::spatial::{FilterBankCsp, Spoc};

use crate::front_end::step::group::{BadParameter, Checked, steps};
use crate::front_end::step::{Absent, Feature, SignalStep};
use crate::riemann::covariance::Estimator;
use crate::riemann::metric::Metric;
use crate::selection::false_discovery::Correction;
use crate::selection::rank_sum::RankSumP;
use crate::selection::{self, Keep};
use crate::spatial_filter::csp::{CspFilters, CspParams, CspRegularisation};
use crate::spatial_filter::erp_covariance::{ErpCovarianceParams, Prototypes};
use acquisition::marker::ClassIdx;
use serde::{Deserialize, Serialize};

steps! {
    /// A step that is fitted to training examples and turns one feature into another.
    Transform {
        /// Fewer training examples.
        Thin = "thin",
        /// The mirrored twins of the training examples beside them.
        Mirror = "mirror",
        /// Common spatial patterns per band, and the log-variance of each.
        Csp = "csp",
        /// Common spatial patterns of a bank of bands, those that tell most.
        FilterBankCsp = "fbcsp",
        /// Spatial filters whose power follows a number of the class.
        Spoc = "spoc",
        /// Matrices as vectors, in the tangent space at the mean of the training's.
        TangentSpace = "tangent_space",
        /// Moves the mean of the training's matrices, or the running one, to the identity.
        Recenter = "recenter",
        /// Lets through windows as they usually are.
        Potato = "potato",
        /// Every value less its mean, over its standard deviation.
        Standardise = "standardise",
        /// Keeps the values that tell most about the class.
        Select = "select",
        /// Leaves of every matrix what tells the classes apart.
        Fgda = "fgda",
        /// Samples through filters in which the classes' responses stand out.
        Xdawn = "xdawn",
        /// Samples as one vector.
        Vectorise = "vectorise",
        /// How well a window, locked to the stimulus, matches each class's mean response.
        Trca = "trca",
        /// Covariance of a window with the classes' mean responses.
        ErpCovariance = "erp_covariance",
    }
}

steps! {
    /// The step that is fitted to examples and decides.
    Classifier {
        /// Linear discriminant analysis with automatic shrinkage.
        Lda = "lda",
        /// The same, which follows the signal.
        AdaptiveLda = "adaptive_lda",
        /// Multinomial logistic regression.
        LogisticRegression = "logistic_regression",
        /// Minimum distance to mean.
        Mdm = "mdm",
        /// Minimum distance to mean, behind a geodesic filter.
        FgMdm = "fgmdm",
        /// The nearest training examples vote.
        Knn = "knn",
        /// Minimum distance to a field of power means.
        MeanField = "mean_field",
        /// Support-vector machines, one per pair of classes.
        Svm = "svm",
        /// The class of the largest of some scores.
        Largest = "largest",
        /// A network on the samples.
        Network = "network",
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

/// Every so many-th training example, in time order, and in a session nothing.
///
/// Windows that overlap by most of their length say little that the one before did not,
/// while some fits grow with the cube of their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thin {
    /// From one example that is kept to the next; 1 keeps all.
    pub every: usize,
}

impl Default for Thin {
    /// Every third: steps of 0.3 s where windows end every 0.1 s.
    fn default() -> Self {
        Self { every: 3 }
    }
}

/// Beside every training example its twin with the channels of the left and the right
/// side of the head exchanged, and the class with them. It stands right after a feature of
/// matrices, and in a session it does nothing.
///
/// For classes that are the two sides of the same thing (left and right hand), whose
/// patterns are about one another's mirror image. The midline is its own twin. Of a class
/// whose partner the session does not have there are no twins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mirror {
    /// Pairs of classes that are exchanged; every other class, idle too, keeps its own.
    pub classes: Vec<[u8; 2]>,
    /// What is done where a channel has no twin at the mirrored place of the 10-10 system:
    /// refuse to fit, or fit without twins.
    pub absent: Absent,
}

impl Default for Mirror {
    /// The first two tasks.
    fn default() -> Self {
        Self { classes: vec![[1, 2]], absent: Absent::default() }
    }
}

/// [`crate::spatial_filter::csp::CspModel`]: the filters of the classes, and `ln` of the
/// variance behind each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Csp {
    /// Which filters; where it is left out six in all ([`CspParams::usual`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<CspFilters>,
    /// What is done to the class means before; nothing where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regularisation: Option<CspRegularisation>,
}

impl Csp {
    /// The same as the parameters of its fit.
    pub(super) fn params(&self, n_classes: usize) -> CspParams {
        let usual = CspParams::usual(n_classes);
        CspParams {
            filters: self.filters.unwrap_or(usual.filters),
            regularisation: self.regularisation.unwrap_or(usual.regularisation),
        }
    }
}

/// What features are ranked by ([`crate::selection::Select`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Signed r².
    #[default]
    SignedR2,
    /// The rank-sum test.
    Wilcoxon,
    /// Mutual information with the class, of three neighbours.
    MutualInformation,
    /// What is left when the least weight of a regression is left out again and again.
    RecursiveElimination,
}

/// The values that tell most about the class, by the training examples alone
/// ([`crate::selection::Selected`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Select {
    /// By what they are ranked.
    pub by: Criterion,
    /// How many are kept; all where there are fewer. Not beside `false_discovery_rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    /// Keep what the tests of r² or ranks find at this rate of false ones (Benjamini and
    /// Hochberg), instead of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_discovery_rate: Option<f64>,
}

impl Default for Select {
    /// Twenty by signed r².
    fn default() -> Self {
        Self { by: Criterion::default(), k: None, false_discovery_rate: None }
    }
}

impl Select {
    /// How many are kept where nothing is said.
    const K: usize = 20;

    /// The same as the parameters of its fit, of `n_features`.
    pub(super) fn params(&self, n_features: usize) -> selection::Select {
        let n_kept = self.k.unwrap_or(Self::K).min(n_features);
        let correction = Correction::BenjaminiHochberg;
        let keep = match self.false_discovery_rate {
            Some(rate) => Keep::FalseDiscovery { rate, correction },
            None => Keep::Best(n_kept),
        };
        match self.by {
            Criterion::SignedR2 => selection::Select::SignedR2 { keep },
            Criterion::Wilcoxon => selection::Select::Wilcoxon { keep, p: RankSumP::Auto },
            Criterion::MutualInformation => {
                selection::Select::MutualInformation { n_kept, n_neighbors: 3 }
            }
            Criterion::RecursiveElimination => {
                selection::Select::RecursiveElimination { n_kept, n_removed: 1, c: 1.0 }
            }
        }
    }
}

/// [`crate::riemann::tangent::TangentSpace`] at the mean of the training examples, one
/// per band; the vectors of the bands one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TangentSpace {
    /// Metric of the mean and of the tangent space.
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

impl Checked for Csp {}

impl Checked for Thin {
    fn check(&self) -> Result<(), BadParameter> {
        if self.every == 0 {
            return Err(BadParameter::new("every", "at least every 1st is kept"));
        }
        Ok(())
    }
}

impl Checked for Mirror {
    fn check(&self) -> Result<(), BadParameter> {
        let mut named: Vec<u8> = self.classes.concat();
        named.sort_unstable();
        match named.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(BadParameter::new("classes", format!("class {} is named twice", pair[0])))
            }
            None => Ok(()),
        }
    }
}

impl Checked for Select {
    fn check(&self) -> Result<(), BadParameter> {
        let has_p = matches!(self.by, Criterion::SignedR2 | Criterion::Wilcoxon);
        let error = |parameter, why: &str| Err(BadParameter::new(parameter, why));
        match (self.k, self.false_discovery_rate) {
            (Some(_), Some(_)) => error("k", "write k or false_discovery_rate, not both"),
            (Some(0), _) => error("k", "at least one is kept"),
            (_, Some(_)) if !has_p => {
                error("false_discovery_rate", "it is for signed_r2 and wilcoxon alone")
            }
            (_, Some(rate)) if !(rate > 0.0 && rate < 1.0) => {
                error("false_discovery_rate", "it is between 0 and 1")
            }
            _ => Ok(()),
        }
    }
}

impl Checked for TangentSpace {}
impl Checked for Standardise {}
impl Checked for Fgda {}

impl Checked for ErpCovariance {
    fn check(&self) -> Result<(), BadParameter> {
        if self.n_filters == 0 {
            return Err(BadParameter::new("n_filters", "at least one is needed"));
        }
        Ok(())
    }
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
