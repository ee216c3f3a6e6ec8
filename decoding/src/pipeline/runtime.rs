//! Fitted pipelines as decoders: models, scratch, nothing else.

use super::Pipeline;
use super::fitted::{FittedPipeline, FittedSteps};
use super::policy::PolicyRuntime;
use crate::classifier::mdm::in_words;
use crate::classifier::softmax_in_place;
use crate::decoder::{Decoder, FitError};
use crate::front_end::FrontEnd;
use crate::riemann::RiemannError;
use crate::window::{Shape, View, Window};

/// Why a fitted pipeline can't decide: the model file is damaged or not for this
/// configuration; train again.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A part has another size than the rest of the model says.
    #[error(
        "{part} has size {found}, {expected} was expected: the model file is damaged, train again"
    )]
    Shape {
        /// Which part.
        part: &'static str,
        /// Size expected.
        expected: usize,
        /// Size found.
        found: usize,
    },
    /// A matrix is not what the geometry needs.
    #[error("{part} is not a positive definite matrix: the model file is damaged, train again")]
    Geometry {
        /// Which part.
        part: &'static str,
        /// What the geometry said.
        #[source]
        source: RiemannError,
    },
    /// A number is none that a fit gives.
    #[error("{part} holds numbers that no training gives: the model file is damaged, train again")]
    BadNumber {
        /// Which part.
        part: &'static str,
    },
    /// Build with networks, or train again.
    #[error("the network can't decide: {why}")]
    Network {
        /// What is wrong, and what to do.
        why: String,
    },
    /// The front end computes what other pipelines need: plan it for this one.
    #[error("the front end was planned for other pipelines than {name}: plan it for this one")]
    OtherPlan {
        /// The pipeline's name.
        name: String,
    },
}

impl From<ModelError> for FitError {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Shape { part, expected, found } => Self::Shape { part, expected, found },
            ModelError::Geometry { part, source } => in_words(part, &source),
            ModelError::BadNumber { part } => Self::NotFinite { what: part.to_owned() },
            ModelError::Network { why } => Self::Network { why },
            ModelError::OtherPlan { name } => Self::NotFinite { what: name },
        }
    }
}

/// A fitted transform with its scratch.
pub(super) trait Transformer: Send {
    /// Whether anything can be said of a window with this `input`; what a gate refuses
    /// is not decided. Called once before [`Transformer::apply`].
    ///
    /// Thread: decoding thread. Allocation: none.
    fn accepts(&mut self, _input: View<'_>) -> bool {
        true
    }

    /// What it makes of `input`, which has the shape that it was planned for. NaN where
    /// the input has no such thing.
    ///
    /// Thread: decoding thread. Allocation: none.
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a>;
}

/// A fitted classifier with its scratch.
pub(super) trait Judge: Send {
    /// Writes the posterior of each class.
    ///
    /// Thread: decoding thread. Allocation: none.
    fn posterior_into(&mut self, input: View<'_>, posterior: &mut [f64]);

    /// Of two classes, the decision value for the second, where it is more than what the
    /// posterior says: a posterior that was calibrated may rank otherwise.
    fn machine(&mut self, _input: View<'_>) -> Option<f64> {
        None
    }
}

/// All fitted steps of a pipeline, one after the other.
pub(super) struct Chain {
    transforms: Vec<Box<dyn Transformer>>,
    judge: Box<dyn Judge>,
}

impl Chain {
    /// Plans the steps for features of `shape`.
    pub fn plan(
        model: &FittedSteps,
        mut shape: Shape,
        n_classes: usize,
    ) -> Result<Self, ModelError> {
        let mut transforms = Vec::with_capacity(model.transforms.len());
        for fitted in &model.transforms {
            let (transform, next) = fitted.plan(shape)?;
            transforms.push(transform);
            shape = next;
        }
        Ok(Self { transforms, judge: model.classifier.plan(shape, n_classes)? })
    }

    /// Writes the posterior of each class, given a feature of the planned shape; NaN
    /// where a gate refuses the window. Gives [`Judge::machine`] of the same pass.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn posterior_into(&mut self, feature: View<'_>, posterior: &mut [f64]) -> Option<f64> {
        let mut view = feature;
        for transform in &mut self.transforms {
            if !transform.accepts(view) {
                posterior.fill(f64::NAN);
                return None;
            }
            view = transform.apply(view);
        }
        self.judge.posterior_into(view, posterior);
        self.judge.machine(view)
    }
}

/// The fitted lists of steps of a pipeline, and how their posteriors become one.
pub(super) struct Panel {
    members: Vec<Chain>,
    /// Posterior of one of several.
    vote: Vec<f64>,
    /// What idle's posterior is multiplied by; nothing is done where it is 1.
    idle_weight: f64,
}

impl Panel {
    /// Plans every list of steps, for a feature of its shape.
    pub fn plan(
        members: &[FittedSteps],
        shapes: &[Shape],
        idle_weight: Option<f64>,
        n_classes: usize,
    ) -> Result<Self, ModelError> {
        expect_size("the list of members", shapes.len(), members.len())?;
        let plan = |(member, shape): (&FittedSteps, &Shape)| Chain::plan(member, *shape, n_classes);
        let members = members.iter().zip(shapes).map(plan).collect::<Result<_, _>>()?;
        Ok(Self { members, vote: vec![0.0; n_classes], idle_weight: idle_weight.unwrap_or(1.0) })
    }

    /// Writes the posterior of each class, given the feature of each list of steps; NaN
    /// where one is missing. Where there is one list of steps that ends with a machine for two
    /// classes, gives its decision value for the second of them.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn posterior_into<'a>(
        &mut self,
        feature: impl Fn(usize) -> Option<View<'a>>,
        posterior: &mut [f64],
    ) -> Option<f64> {
        let mut machine = None;
        if let [chain] = self.members.as_mut_slice() {
            machine = decide_or_nothing(chain, feature(0), posterior);
        } else {
            posterior.fill(0.0);
            let weight = (self.members.len() as f64).recip();
            for (k, chain) in self.members.iter_mut().enumerate() {
                decide_or_nothing(chain, feature(k), &mut self.vote);
                for (sum, p) in posterior.iter_mut().zip(&self.vote) {
                    // A certain vote is not a veto: the logarithm of 0 has no end. NaN stays.
                    *sum += weight * if *p == 0.0 { f64::MIN_POSITIVE } else { *p }.ln();
                }
            }
            softmax_in_place(posterior);
        }
        weigh_idle(self.idle_weight, posterior);
        machine
    }
}

fn decide_or_nothing(
    chain: &mut Chain,
    feature: Option<View<'_>>,
    posterior: &mut [f64],
) -> Option<f64> {
    let Some(feature) = feature else {
        posterior.fill(f64::NAN);
        return None;
    };
    chain.posterior_into(feature, posterior)
}

/// Multiplies idle's posterior by `weight`, and brings the sum back to 1.
pub(super) fn weigh_idle(weight: f64, posterior: &mut [f64]) {
    let Some(idle) = posterior.first_mut().filter(|_| weight != 1.0) else { return };
    *idle *= weight;
    let sum: f64 = posterior.iter().sum();
    for p in posterior.iter_mut() {
        *p /= sum;
    }
}

/// A pipeline as a session runs it.
struct Planned {
    /// Slot of the feature of each list of steps.
    slots: Vec<usize>,
    panel: Panel,
    policy: Option<PolicyRuntime>,
    n_classes: usize,
}

impl FittedPipeline {
    /// The decoder of this model behind a front end that was planned for its pipeline,
    /// deciding among `n_classes`.
    pub fn plan(
        &self,
        front_end: &FrontEnd,
        n_classes: usize,
    ) -> Result<Box<dyn Decoder>, ModelError> {
        let other_plan = || ModelError::OtherPlan { name: self.pipeline.name.clone() };
        let slot = |member: &Pipeline| front_end.demands().slot(&member.demand());
        let slots: Option<Vec<_>> = self.pipeline.members().iter().map(slot).collect();
        let slots = slots.ok_or_else(other_plan)?;
        let shapes: Vec<_> = slots.iter().map(|slot| front_end.shape(*slot)).collect();
        let panel = Panel::plan(&self.members, &shapes, self.pipeline.idle_weight, n_classes)?;
        let times = (front_end.rate(), front_end.spec().step_samples);
        let policy = self.pipeline.decision.as_ref();
        let policy = policy.map(|policy| PolicyRuntime::plan(policy, times, n_classes));
        Ok(Box::new(Planned { slots, panel, policy: policy.transpose()?, n_classes }))
    }
}

/// The sizes must agree, because a model file comes from somebody else.
pub(super) fn expect_size(
    part: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), ModelError> {
    if expected == found { Ok(()) } else { Err(ModelError::Shape { part, expected, found }) }
}

/// The length of the vector that comes in.
pub(super) fn vector_len(shape: Shape) -> Result<usize, ModelError> {
    match shape {
        Shape::Vector(len) => Ok(len),
        Shape::Matrices { n_bands, .. } | Shape::Samples { n_bands, .. } => {
            Err(ModelError::Shape { part: "a step's input", expected: 1, found: n_bands })
        }
    }
}

/// The number of bands and the size of the matrices that come in.
pub(super) fn matrices_size(shape: Shape) -> Result<(usize, usize), ModelError> {
    match shape {
        Shape::Matrices { n_bands, n_rows } => Ok((n_bands, n_rows)),
        Shape::Vector(found) | Shape::Samples { n_bands: found, .. } => {
            Err(ModelError::Shape { part: "a step's input of matrices", expected: 1, found })
        }
    }
}

impl Decoder for Planned {
    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn decide(&mut self, window: &Window<'_>, posterior: &mut [f64]) {
        let _ = self.panel.posterior_into(|k| window.features.get(self.slots[k]), posterior);
        if let Some(policy) = &mut self.policy {
            policy.apply(window.end, posterior);
        }
    }
}
