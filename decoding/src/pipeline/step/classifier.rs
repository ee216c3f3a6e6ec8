//! The parameters of classifiers.

use crate::classifier::elastic_net::ElasticNetParams;
use crate::classifier::knn::Vote;
use crate::classifier::lda::Shrinkage;
use crate::classifier::logistic::LogisticParams;
use crate::classifier::mean_field::{Combination, MeanFieldModel};
use crate::classifier::svm::{Gamma, Kernel, SvmParams};
use crate::front_end::step::group::{BadParameter, Checked};
use crate::riemann::metric::Metric;
use serde::{Deserialize, Serialize};

/// [`crate::classifier::lda::LdaModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lda {
    /// Whether the covariance within classes is shrunk.
    pub shrinkage: Shrinkage,
}

/// The class of the largest score decides; nothing is fitted.
///
/// The vector has a score per class, as `cca` gives them, or one per task: idle is never
/// decided then. The posterior is the scores' shares
/// ([`shares_in_place`](crate::spatial_filter::filter_bank::shares_in_place)), which say
/// what is ahead and by how much, not with what probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Largest {}

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
    pub(in crate::pipeline) fn elastic_net(&self) -> Option<ElasticNetParams> {
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
    pub(in crate::pipeline) fn params(&self) -> SvmParams {
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

/// [`crate::classifier::knn::KnnModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knn {
    /// Metric of the distances.
    pub metric: Metric,
    /// How many neighbours vote.
    pub n_neighbours: usize,
    /// What each vote counts.
    pub vote: Vote,
}

impl Default for Knn {
    /// Five neighbours, the nearer counting for more.
    fn default() -> Self {
        Self { metric: Metric::default(), n_neighbours: 5, vote: Vote::default() }
    }
}

impl Checked for Knn {
    fn check(&self) -> Result<(), BadParameter> {
        match self.n_neighbours {
            0 => Err(BadParameter::new("n_neighbours", "at least one votes")),
            _ => Ok(()),
        }
    }
}

/// [`crate::classifier::mean_field::MeanFieldModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeanField {
    /// Metric of the distances.
    pub metric: Metric,
    /// Exponents of the power means, from -1 to 1.
    pub powers: Vec<f64>,
    /// How the distances to the means of a class become one.
    pub combination: Combination,
}

impl Default for MeanField {
    fn default() -> Self {
        let powers = MeanFieldModel::POWERS.to_vec();
        Self { metric: Metric::default(), powers, combination: Combination::default() }
    }
}

impl Checked for MeanField {
    fn check(&self) -> Result<(), BadParameter> {
        if self.powers.is_empty() || !self.powers.iter().all(|p| (-1.0..=1.0).contains(p)) {
            return Err(BadParameter::new("powers", "name exponents from -1 to 1"));
        }
        Ok(())
    }
}

impl Checked for Lda {}
impl Checked for Largest {}
impl Checked for Mdm {}
impl Checked for FgMdm {}

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
