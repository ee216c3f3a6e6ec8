//! Steps that look at the course of time in a window.

use crate::front_end::step::group::{BadParameter, Checked};
use crate::riemann::covariance::Estimator;
use crate::spatial_filter::filter_bank::BandWeights;
use crate::spatial_filter::trca::{TrcaParams, TrcaScoring};
use crate::spatial_filter::xdawn::XdawnParams;
use acquisition::marker::ClassIdx;
use serde::{Deserialize, Serialize};

/// [`crate::spatial_filter::trca::TrcaModel`]: how well a window matches each class's mean
/// response behind its task-related components, one correlation per class (with several
/// bands their weighted sum). A classifier of vectors makes a posterior of them, idle
/// included.
///
/// **It needs windows that are locked to the stimulus**: every window of a class must begin
/// at the same phase of the flicker, or at the same time after an event. Trials do
/// (`--train-on trials`); windows that slide every tenth of a second do not, unless the step
/// is a whole number of periods of every class, and elsewhere the mean responses vanish.
/// Where windows are not locked, take [`Cca`](crate::front_end::step::Cca), which needs no
/// phase.
///
/// # The examples' own scores
/// A window correlates more with a mean response that it is part of than a new one would,
/// and a classifier fitted to such scores would be too sure of itself. So the classifier is
/// fitted to scores of windows left out: the examples of each class are cut in time order
/// into `splits` blocks, and each block is scored by components fitted to the other blocks,
/// without the windows that share a sample with it. The components that then decide are
/// fitted to all examples.
///
/// # Reference
/// M. Nakanishi et al. (2018), doi 10.1109/TBME.2017.2694818.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trca {
    /// Which filters a window goes through: those of all classes (eTRCA), or the class's own.
    pub scoring: TrcaScoring,
    /// What each band of a filter bank counts.
    pub weights: BandWeights,
    /// Classes that have a response; where it is left out, all but idle, which repeats
    /// nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<u8>>,
    /// Blocks of which one is left out at a time; as many as the rarest class has examples,
    /// where it has fewer.
    pub splits: usize,
}

impl Default for Trca {
    /// Of all classes but idle, five blocks.
    fn default() -> Self {
        let TrcaParams { scoring, weights } = TrcaParams::default();
        Self { scoring, weights, classes: None, splits: 5 }
    }
}

impl Trca {
    /// The same as the parameters of its fit.
    pub(in crate::pipeline) fn params(&self) -> TrcaParams {
        TrcaParams { scoring: self.scoring, weights: self.weights }
    }
}

impl Checked for Trca {
    fn check(&self) -> Result<(), BadParameter> {
        let BandWeights { exponent, offset } = self.weights;
        if !(exponent.is_finite() && offset.is_finite()) {
            return Err(BadParameter::new("weights", "exponent and offset are finite numbers"));
        }
        if self.splits < 2 {
            return Err(BadParameter::new("splits", "two blocks are needed to leave one out"));
        }
        check_classes(self.classes.as_deref())
    }
}

/// Classes that are named, each once.
fn check_classes(classes: Option<&[u8]>) -> Result<(), BadParameter> {
    let Some(classes) = classes else { return Ok(()) };
    let is_twin = |k: usize| classes[..k].contains(&classes[k]);
    match (classes.is_empty(), (0..classes.len()).find(|k| is_twin(*k))) {
        (true, _) => Err(BadParameter::new("classes", "name at least one, or leave it out")),
        (_, Some(k)) => Err(BadParameter::new("classes", format!("{} stands twice", classes[k]))),
        _ => Ok(()),
    }
}

/// [`crate::spatial_filter::xdawn::XdawnModel`] per band: the window through filters in which
/// the classes' responses stand out, samples again.
///
/// # Reference
/// B. Rivet et al. (2009), doi 10.1109/TBME.2009.2012869.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Xdawn {
    /// Filters per class, at most one per channel.
    pub n_filters: usize,
    /// Classes that get filters; all of them where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<u8>>,
    /// How the covariances are estimated.
    pub estimator: Estimator,
}

impl Default for Xdawn {
    fn default() -> Self {
        let XdawnParams { n_filters, estimator, .. } = XdawnParams::default();
        Self { n_filters, classes: None, estimator }
    }
}

impl Xdawn {
    /// The same as the parameters of its fit.
    pub(in crate::pipeline) fn params(&self) -> XdawnParams {
        let classes = self.classes.as_ref();
        XdawnParams {
            n_filters: self.n_filters,
            classes: classes.map(|list| list.iter().copied().map(ClassIdx).collect()),
            estimator: self.estimator,
        }
    }
}

impl Checked for Xdawn {
    fn check(&self) -> Result<(), BadParameter> {
        if self.n_filters == 0 {
            return Err(BadParameter::new("n_filters", "at least one is needed"));
        }
        check_classes(self.classes.as_deref())
    }
}

/// The samples of a window one after the other, band by band and channel by channel, as one
/// vector. Resample before it: a vector of a second at 160 Hz has 160 values per channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectorise {}

impl Checked for Vectorise {}
