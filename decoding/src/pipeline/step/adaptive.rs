//! The parameters of steps that follow the signal during a session, and of the gate.

pub use crate::adaptation::lda::AdaptiveLdaParams as AdaptiveLda;

use crate::adaptation::Rate;
use crate::adaptation::recenter::Centre;
use crate::adaptation::shift::ShiftParams;
use crate::artifact::potato::PotatoParams;
use crate::front_end::step::group::{BadParameter, Checked};
use crate::riemann::metric::Metric;
use serde::{Deserialize, Serialize};

/// `M^-1/2 C M^-1/2` with the mean `M` of the training examples, per band.
///
/// Where it adapts, `M` runs along with the session from there on
/// ([`RecenterState`](crate::adaptation::recenter::RecenterState)): each window moves it
/// before it is moved itself. What comes after is then fitted to examples of which each
/// run was moved by its own mean, because that is what it will see.
///
/// # Reference
/// P. Zanini, M. Congedo, C. Jutten, S. Said, Y. Berthoumieu (2018), doi
/// 10.1109/TBME.2017.2742541.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recenter {
    /// Metric of the mean; one that adapts is affine-invariant or Euclidean.
    pub metric: Metric,
    /// How the mean runs along; where it is left out it stays as it was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapt: Option<Adapt>,
}

/// How a mean runs along with a session.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adapt {
    /// How much of it each window takes up.
    pub rate: Rate,
    /// How many windows the training's mean counts as, for a rate that counts: 0 starts
    /// from nothing. As many as there were examples where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_weight: Option<u64>,
    /// What is done about a shift; nothing where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_shift: Option<OnShift>,
}

impl Default for Adapt {
    fn default() -> Self {
        Self { rate: Rate::Cumulative, start_weight: None, on_shift: None }
    }
}

impl Recenter {
    /// The geometry of a mean that adapts, if there is one.
    pub(in crate::pipeline) fn centre(&self) -> Option<Centre> {
        match self.metric {
            Metric::AffineInvariant => Some(Centre::Riemannian),
            Metric::Euclidean => Some(Centre::Euclidean),
            Metric::LogEuclidean | Metric::Wasserstein => None,
        }
    }
}

/// Detection of a shift in the logarithm of the windows' distance from the mean
/// ([`ShiftDetector`](crate::adaptation::shift::ShiftDetector)): after one, the cumulative
/// mean counts as few windows, so that it moves fast again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnShift {
    /// Every so many windows one is looked at: neighbours overlap and say the same.
    pub every: u64,
    /// How many windows the mean counts as after a shift.
    pub n_kept: u64,
    /// Windows looked at that the usual range is learned from, 2 at least.
    pub n_reference: u64,
    /// Half of the smallest shift that matters, in standard deviations.
    pub allowance: f64,
    /// Height of the alarm, in standard deviations.
    pub threshold: f64,
}

impl Default for OnShift {
    /// Every 20th window, which at a step of a 20th of a window is the next one that
    /// shares no sample; 20 windows are kept; the detector's defaults.
    fn default() -> Self {
        let ShiftParams { n_reference, allowance, threshold } = ShiftParams::default();
        Self { every: 20, n_kept: 20, n_reference, allowance, threshold }
    }
}

impl OnShift {
    /// The same as the parameters of the detector.
    pub(in crate::pipeline) fn params(&self) -> ShiftParams {
        let Self { n_reference, allowance, threshold, .. } = *self;
        ShiftParams { n_reference, allowance, threshold }
    }

    /// Whether a detector can begin so.
    pub(in crate::pipeline) fn is_possible(&self) -> bool {
        self.every > 0 && self.n_kept > 0 && self.params().check().is_ok()
    }
}

impl Checked for Recenter {
    fn check(&self) -> Result<(), BadParameter> {
        let Some(adapt) = self.adapt else { return Ok(()) };
        if self.centre().is_none() {
            let why = "a mean that adapts is affine_invariant or euclidean";
            return Err(BadParameter::new("metric", why));
        }
        adapt.rate.check().map_err(|why| BadParameter::new("adapt", why))?;
        if adapt.rate != Rate::Cumulative && adapt.start_weight.is_some_and(|weight| weight > 0) {
            let why = "start_weight is for a rate that counts: write rate = \"cumulative\", or 0";
            return Err(BadParameter::new("adapt", why));
        }
        let Some(on_shift) = adapt.on_shift else { return Ok(()) };
        if adapt.rate != Rate::Cumulative {
            let why = "on_shift lets a cumulative mean forget: write rate = \"cumulative\"";
            return Err(BadParameter::new("adapt", why));
        }
        if !on_shift.is_possible() {
            let why = "on_shift: every and n_kept are 1 or more, n_reference 2 or more, \
                       allowance and threshold above 0";
            return Err(BadParameter::new("adapt", why));
        }
        Ok(())
    }
}

/// The Riemannian Potato ([`crate::artifact::potato`]) as a gate: a window whose covariance
/// lies unusually far from the usual, in any band, is not decided but reported as
/// unusable. Training examples that it refuses are left out of all that is fitted after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Potato {
    /// The z-score from which on a window is refused.
    pub threshold: f64,
    /// Most rounds of fitting and leaving out.
    pub max_rounds: usize,
    /// Share of its mean and spread that every window which it lets through takes up;
    /// both stay as they were trained where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

impl Default for Potato {
    fn default() -> Self {
        let PotatoParams { threshold, max_rounds } = PotatoParams::default();
        Self { threshold, max_rounds, rate: None }
    }
}

impl Potato {
    /// The same as the parameters of its fit.
    pub(in crate::pipeline) fn params(&self) -> PotatoParams {
        PotatoParams { threshold: self.threshold, max_rounds: self.max_rounds }
    }
}

impl Checked for Potato {
    fn check(&self) -> Result<(), BadParameter> {
        if !(self.threshold > 0.0 && self.threshold.is_finite()) {
            return Err(BadParameter::new("threshold", "it is above 0"));
        }
        if self.max_rounds == 0 {
            return Err(BadParameter::new("max_rounds", "at least one round is needed"));
        }
        match self.rate {
            Some(rate) if !(rate > 0.0 && rate < 1.0) => {
                Err(BadParameter::new("rate", "it is above 0 and below 1"))
            }
            _ => Ok(()),
        }
    }
}

impl Checked for AdaptiveLda {
    fn check(&self) -> Result<(), BadParameter> {
        AdaptiveLda::check(*self).map_err(|(parameter, why)| BadParameter::new(parameter, why))
    }
}
