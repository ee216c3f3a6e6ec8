//! The seam to networks: what a pipeline with the step `network` is fitted and planned by.
//!
//! Networks need a library that nothing else here needs, so they are somebody else's
//! ([`Networks`], implemented in `models`), and a pipeline or a fitted one is given them
//! ([`Pipeline::with_networks`], [`FittedPipeline::with_networks`]) by whoever read it. What a
//! network learned is plain numbers ([`FittedNetwork`]) like everything else in a model file.

use super::fit::Training;
use super::fitted::{FittedClassifier, FittedPipeline};
use super::runtime::{Judge, ModelError, expect_size};
use super::step::{Classifier, Network, Step};
use super::{Pipeline, Voter};
use crate::decoder::{ExampleSpan, FitError};
use crate::window::{Planar, Samples, Shape, View};
use acquisition::marker::ClassIdx;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Windows that a network is fitted to, in time order.
pub struct NetworkExamples<'a> {
    /// Samples of each, `(n_channels, n_samples)`, all of one size.
    pub windows: Vec<Planar<'a>>,
    /// The class of each.
    pub labels: &'a [ClassIdx],
    /// Where each lies.
    pub spans: &'a [ExampleSpan],
    /// Labels of the channels; none where they are not known.
    pub channels: &'a [String],
    /// Classes of the configuration, idle included.
    pub n_classes: usize,
    /// Rate of the windows' samples.
    pub rate_hz: f64,
}

/// Whoever can fit and run networks.
pub trait Networks: Send + Sync {
    /// Why the step describes no network, or no training, if so.
    fn check(&self, step: &Network) -> Result<(), String>;

    /// Fits a network. Batch: allocates, takes from seconds to hours.
    ///
    /// # Errors
    /// In words, with what to do.
    fn fit(&self, step: &Network, examples: &NetworkExamples<'_>) -> Result<FittedNetwork, String>;

    /// What decides by a fitted network.
    ///
    /// # Errors
    /// What of it does not fit together, in words.
    fn plan(&self, fitted: &FittedNetwork) -> Result<Box<dyn NetworkRuntime>, String>;
}

/// A network that decides.
pub trait NetworkRuntime: Send {
    /// Writes the posterior of each class of a window of the size that it was fitted to.
    ///
    /// Thread: decoding thread. Allocation: what its layers give, freed before it returns.
    fn posterior_into(&mut self, window: Planar<'_>, posterior: &mut [f64]);
}

/// What a network learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedNetwork {
    /// Which network.
    pub step: Network,
    /// Channels of a window.
    pub n_channels: usize,
    /// Samples of a window.
    pub n_samples: usize,
    /// Classes, idle included.
    pub n_classes: usize,
    /// Rate of the samples.
    pub rate_hz: f64,
    /// Places of the sensors in the head frame, where the network asks for them.
    pub positions_m: Vec<[f64; 3]>,
    /// What is taken from each channel's samples.
    pub mean: Vec<f64>,
    /// What they are divided by then.
    pub scale: Vec<f64>,
    /// Weights and running statistics, by name.
    pub weights: BTreeMap<String, NetworkWeights>,
}

/// Values of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkWeights {
    /// Sizes of the axes, the last varies fastest.
    pub shape: Vec<usize>,
    /// As many values as that makes.
    pub values: Vec<f32>,
}

/// Who fits and runs a step's network; nobody until it is given somebody. It is no part of the
/// description: two descriptions are equal whoever fits them.
#[derive(Clone, Default)]
pub struct By(Option<Arc<dyn Networks>>);

impl PartialEq for By {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "networks" } else { "nobody" })
    }
}

impl Pipeline {
    /// The same pipeline, its networks fitted and run by `networks`.
    ///
    /// # Errors
    /// [`Networks::check`] of the first step that describes none.
    pub fn with_networks(mut self, networks: &Arc<dyn Networks>) -> Result<Self, String> {
        let of_voters = self.vote.iter_mut().flat_map(|Voter { steps }| steps);
        for step in self.steps.iter_mut().chain(of_voters) {
            if let Step::Classifier(Classifier::Network(step)) = step {
                networks.check(step)?;
                step.by = By(Some(Arc::clone(networks)));
            }
        }
        Ok(self)
    }
}

impl FittedPipeline {
    /// The same model, its networks run by `networks`.
    ///
    /// # Errors
    /// As [`Pipeline::with_networks`].
    pub fn with_networks(mut self, networks: &Arc<dyn Networks>) -> Result<Self, String> {
        self.pipeline = self.pipeline.with_networks(networks)?;
        for member in &mut self.members {
            if let FittedClassifier::Network(fitted) = &mut member.classifier {
                fitted.step.by = By(Some(Arc::clone(networks)));
            }
        }
        Ok(self)
    }
}

impl Network {
    /// Fits the step to the training examples alone.
    pub(super) fn fit(&self, training: &Training<'_>) -> Result<FittedNetwork, FitError> {
        let why = |why: String| FitError::Network { why };
        let networks = self.by.0.as_ref().ok_or_else(|| why(NOBODY.to_owned()))?;
        let every = (0..training.labels.len()).step_by(self.every.max(1)).collect::<Vec<_>>();
        let training = training.subset(&every);
        training.check_classes()?;
        let windows = training.samples(0);
        let n_samples = windows.first().map_or(0, Planar::n_samples);
        let span = training.spans.first().map_or(1, |span| span.samples.end - span.samples.start);
        let examples = NetworkExamples {
            rate_hz: training.rate_hz * n_samples as f64 / span.max(1) as f64,
            windows,
            labels: &training.labels,
            spans: &training.spans,
            channels: training.channels,
            n_classes: training.n_classes,
        };
        networks.fit(self, &examples).map_err(why)
    }
}

const NOBODY: &str = "this program was built without networks: build it with the feature `neural`";

impl FittedNetwork {
    /// Plans the network for windows of `shape`.
    pub(super) fn plan(
        &self,
        shape: Shape,
        n_classes: usize,
    ) -> Result<Box<dyn Judge>, ModelError> {
        let Shape::Samples { n_bands, n_channels, n_samples } = shape else {
            let part = "the network's input of samples";
            return Err(ModelError::Shape { part, expected: 1, found: 0 });
        };
        expect_size("the network's bands", 1, n_bands)?;
        expect_size("the network's channels", n_channels, self.n_channels)?;
        expect_size("the network's samples", n_samples, self.n_samples)?;
        expect_size("the network's classes", n_classes, self.n_classes)?;
        expect_size("the network's means", n_channels, self.mean.len())?;
        expect_size("the network's scales", n_channels, self.scale.len())?;
        let is_size = |scale: &f64| scale.is_finite() && *scale > 0.0;
        if !self.mean.iter().all(|mean| mean.is_finite()) || !self.scale.iter().all(is_size) {
            return Err(ModelError::BadNumber { part: "the network's scale" });
        }
        let why = |why: String| ModelError::Network { why };
        let networks = self.step.by.0.as_ref().ok_or_else(|| why(NOBODY.to_owned()))?;
        Ok(Box::new(Running { runtime: networks.plan(self).map_err(why)? }))
    }
}

/// A network among other classifiers.
struct Running {
    runtime: Box<dyn NetworkRuntime>,
}

impl Judge for Running {
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]) {
        match input {
            View::Samples([window]) => {
                self.runtime.posterior_into(Samples::as_planar(window), posterior);
            }
            _ => posterior.fill(f64::NAN),
        }
    }
}
