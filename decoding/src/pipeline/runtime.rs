//! Fitted pipelines as decoders: models, scratch, nothing else.

use super::fitted::{FittedPipeline, FittedSteps};
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
    /// The front end computes what other pipelines need: plan it for this one.
    #[error("the front end was planned for other pipelines than {name}")]
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
    /// where a gate refuses the window.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn posterior_into(&mut self, feature: View<'_>, posterior: &mut [f64]) {
        let mut view = feature;
        for transform in &mut self.transforms {
            if !transform.accepts(view) {
                posterior.fill(f64::NAN);
                return;
            }
            view = transform.apply(view);
        }
        self.judge.posterior_into(view, posterior);
    }
}

/// A pipeline as a session runs it.
struct Planned {
    /// Slot of the feature and the steps behind it, per list of steps.
    members: Vec<(usize, Chain)>,
    n_classes: usize,
    /// Posterior of one of those that vote.
    vote: Vec<f64>,
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
        let described = self.pipeline.members();
        expect_size("the list of members", described.len(), self.members.len())?;
        let mut members = Vec::with_capacity(described.len());
        for (pipeline, fitted) in described.iter().zip(&self.members) {
            let slot = front_end.demands().slot(&pipeline.demand()).ok_or_else(other_plan)?;
            members.push((slot, Chain::plan(fitted, front_end.shape(slot), n_classes)?));
        }
        Ok(Box::new(Planned { members, n_classes, vote: vec![0.0; n_classes] }))
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
        if let [(slot, chain)] = self.members.as_mut_slice() {
            match window.features.get(*slot) {
                Some(feature) => chain.posterior_into(feature, posterior),
                None => posterior.fill(f64::NAN),
            }
            return;
        }
        posterior.fill(0.0);
        let weight = (self.members.len() as f64).recip();
        for (slot, chain) in &mut self.members {
            match window.features.get(*slot) {
                Some(feature) => chain.posterior_into(feature, &mut self.vote),
                None => self.vote.fill(f64::NAN),
            }
            for (sum, p) in posterior.iter_mut().zip(&self.vote) {
                // A certain vote is not a veto: the logarithm of 0 has no end. NaN stays.
                *sum += weight * if *p == 0.0 { f64::MIN_POSITIVE } else { *p }.ln();
            }
        }
        softmax_in_place(posterior);
    }
}
