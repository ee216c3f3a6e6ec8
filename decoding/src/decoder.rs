//! The two seams of decoding, and why there are two: what is *fitted* (slowly, from
//! examples, may fail) and what *decides* (fast, on one window, cannot fail) are
//! different types, so an unfitted decoder can't be asked to decide.
//!
//! [`Fit`] is implemented by the description of a pipeline, [`Decoder`] by its runtime. The
//! networks of `models` are further implementors and nothing else here knows them.

use crate::artifact::asr::AsrError;
use crate::artifact::eog_regression::EogError;
use crate::artifact::potato::PotatoError;
use crate::front_end::learn::LearnError;
use crate::front_end::step::Demands;
use crate::pipeline::check::PipelineError;
use crate::window::{Features, Window};
use acquisition::marker::ClassIdx;
use std::ops::Range;

/// Labelled windows to fit on, in time order: what of them the plan asked for.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    /// Class of each example.
    pub labels: Vec<ClassIdx>,
    /// Features of each example.
    pub features: Vec<Features>,
    /// Where each example lies.
    pub spans: Vec<ExampleSpan>,
    /// What was asked for: the slots of the features.
    pub demands: Demands,
    /// Labels of the channels behind each slot; none where they are not known.
    pub channels: Vec<Vec<String>>,
    /// Number of classes of the configuration, idle included.
    pub n_classes: usize,
    /// Rate of the stream, whose samples the spans count; 0 where it is not known.
    pub rate_hz: f64,
}

impl Examples {
    /// Some of the examples, in the order of `chosen`, with what `labels` say of each of all.
    ///
    /// # Panics
    /// If there is no such example.
    #[must_use]
    pub fn subset(&self, chosen: &[usize], labels: &[ClassIdx]) -> Self {
        Self {
            labels: chosen.iter().map(|j| labels[*j]).collect(),
            features: chosen.iter().map(|j| self.features[*j].clone()).collect(),
            spans: chosen.iter().map(|j| self.spans[*j].clone()).collect(),
            demands: self.demands.clone(),
            channels: self.channels.clone(),
            n_classes: self.n_classes,
            rate_hz: self.rate_hz,
        }
    }
}

/// The samples that an example was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleSpan {
    /// The run it lies in, by any number of its own.
    pub run: usize,
    /// Indices of its samples.
    pub samples: Range<u64>,
}

/// Why a decoder could not be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Record more calibration, or leave the class out.
    #[error(
        "class {class} has {n_examples} examples, {n_needed} are needed: calibrate longer or leave the class out"
    )]
    TooFewExamples {
        /// Its index.
        class: usize,
        /// Examples found.
        n_examples: usize,
        /// Examples needed.
        n_needed: usize,
    },
    /// Look for flat, duplicated or disconnected channels.
    #[error("{what} is not positive definite: look for flat, duplicated or NaN channels")]
    NotPositiveDefinite {
        /// Which matrix.
        what: String,
    },
    /// Look for NaN or infinite samples in the calibration.
    #[error("{what} is not finite: look for NaN or infinite samples in the calibration")]
    NotFinite {
        /// Which value.
        what: String,
    },
    /// The optimisation did not reach its criterion: more regularisation, or less extreme features.
    #[error(
        "{what} did not converge in {n_steps} steps: regularise more, or look for extreme values in the calibration"
    )]
    NotConverged {
        /// Which optimisation.
        what: String,
        /// Steps taken.
        n_steps: usize,
    },
    /// Take longer windows, fewer channels or components, or a covariance that is shrunk.
    #[error(
        "windows of {n_samples} samples are too short, {n_needed} are needed: lengthen them, take fewer channels or components, or shrink the covariance"
    )]
    TooShort {
        /// Samples of a window.
        n_samples: usize,
        /// Samples needed.
        n_needed: usize,
    },
    /// Correct the parameter.
    #[error("{name} is {found}, allowed is {allowed}")]
    BadParameter {
        /// Its name.
        name: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// Correct the rate.
    #[error("{name} is no rate: {why}")]
    BadRate {
        /// Its name.
        name: &'static str,
        /// What it may be.
        why: &'static str,
    },
    /// The steps are no pipeline: change its description.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// Change the signal steps, or the channels.
    #[error("the signal steps can't be fitted: {why}")]
    Signal {
        /// What the plan said, and what to do.
        why: String,
    },
    /// Calibrate on more, or cleaner, signal.
    #[error("the step `asr` can't be fitted: {0}")]
    Asr(#[from] AsrError),
    /// Name other EOG channels, or calibrate on more signal.
    #[error("the step `eog_regression` can't be fitted: {0}")]
    Eog(#[from] EogError),
    /// The gate has nothing to compare with: calibrate on more and cleaner windows.
    #[error("the gate can't be fitted: {0}")]
    Gate(#[from] PotatoError),
    /// As it says.
    #[error("the network can't be trained: {why}")]
    Network {
        /// What is wrong, and what to do.
        why: String,
    },
    /// Calibrate longer, or choose with fewer splits.
    #[error(
        "none of {n_splits} inner splits has every class on both sides: calibrate longer or choose with fewer splits"
    )]
    NoInnerSplit {
        /// Splits asked for.
        n_splits: usize,
    },
    /// Calibrate longer: a posterior is fitted to examples apart from the machine's.
    #[error(
        "no examples of classes {first} and {second} lie apart from each other: calibrate longer, or on more cues"
    )]
    NoHeldOut {
        /// Index of the one class.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// Calibrate on more cues, or with fewer splits.
    #[error(
        "left-out scores need examples of every class outside of each of {n_blocks} blocks of time, with no sample in common: calibrate on more cues or take fewer splits"
    )]
    NoBlocksApart {
        /// Blocks of time that the examples were cut into.
        n_blocks: usize,
    },
    /// Score more trials, or take fewer variables out.
    #[error(
        "{n_examples} decided training trials are too few to take {n_variables} variables out: score more trials, or name fewer variables"
    )]
    TooManyVariables {
        /// Training trials that were decided.
        n_examples: usize,
        /// Variables to take out.
        n_variables: usize,
    },
    /// Label examples with classes of the configuration, or name more of these.
    #[error(
        "class {class} is none of the {n_classes} classes: label examples with classes of the configuration"
    )]
    UnknownClass {
        /// Its index.
        class: usize,
        /// Classes of the configuration.
        n_classes: usize,
    },
    /// Leave `mirror` out, pick channels that come in pairs, or write
    /// `absent = "leave_out"`.
    #[error(
        "channel {label:?} has no twin at the mirrored place of the 10-10 system: pick channels that come in pairs, leave `mirror` out, or give it absent = \"leave_out\""
    )]
    NoTwin {
        /// Its label, empty where no labels are known.
        label: String,
    },
    /// The examples were made in different ways: make them with one plan.
    #[error(
        "{part} of the examples has size {found}, {expected} was expected: make all examples with one plan"
    )]
    Shape {
        /// Which part.
        part: &'static str,
        /// Size expected.
        expected: usize,
        /// Size found.
        found: usize,
    },
}

impl From<LearnError> for FitError {
    fn from(error: LearnError) -> Self {
        match error {
            LearnError::Plan(error) => Self::Signal { why: error.to_string() },
            LearnError::Asr(error) => error.into(),
            LearnError::Eog(error) => error.into(),
        }
    }
}

/// Something that can be fitted to examples.
pub trait Fit {
    /// The fitted model.
    type Model;

    /// Fits to `examples`. Batch: allocates, may use the caller's rayon pool.
    fn fit(&self, examples: &Examples) -> Result<Self::Model, FitError>;
}

/// A fitted decoder with its scratch: turns windows into posteriors.
pub trait Decoder: Send {
    /// Number of classes, idle included.
    fn n_classes(&self) -> usize;

    /// Writes the posterior of each class into `posterior` (`n_classes` values that
    /// sum to 1; NaN where the window has not the feature, or a gate refuses it). Windows
    /// come in time order. What a decoder keeps of those before is the business of its
    /// pipeline ([`Pipeline::memory`](crate::pipeline::Pipeline::memory)): most keep
    /// nothing.
    ///
    /// Thread: decoding thread. Allocation: none after the first call, but for a network's
    /// layers, which are freed before it returns.
    fn decide(&mut self, window: &Window<'_>, posterior: &mut [f64]);
}

/// The class with the largest posterior; on a tie the lowest index. A posterior that
/// is not finite decides nothing, so idle.
pub fn decide_class(posterior: &[f64]) -> ClassIdx {
    let mut best = 0;
    for (k, p) in posterior.iter().enumerate() {
        if *p > posterior[best] {
            best = k;
        }
    }
    ClassIdx(best as u8)
}
