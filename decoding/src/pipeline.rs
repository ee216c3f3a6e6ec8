//! Pipelines: lists of typed steps with parameters, from the stream to the posterior.
//!
//! [`Pipeline`] describes one and fits it ([`Fit`](crate::decoder::Fit)); [`FittedPipeline`] is what a model
//! file holds; [`FittedPipeline::plan`] makes the [`crate::decoder::Decoder`] that decides.
//! Descriptions are data: [`text`] reads and writes them as TOML, [`built_in`] names those
//! that come with the program.
//!
//! # The order of steps
//! ```text
//! signal steps ─ one feature ─ transforms ─ one classifier
//!    frames        window       matrices / vectors     posterior
//! ```
//! Signal steps and the feature are the [`FrontEnd`](crate::front_end::FrontEnd)'s. Some
//! signal steps learn from the calibration's signal, without labels, before windows are laid
//! ([`learn`](crate::front_end::learn)). Everything after the feature is fitted to training
//! examples alone.

mod adaptive;
pub mod built_in;
pub mod check;
pub mod choose;
mod classify;
pub mod decide;
pub mod fit;
pub mod fitted;
pub mod mirror;
pub mod moabb;
pub mod network;
pub mod policy;
pub mod runtime;
pub mod step;
mod tasks;
pub mod text;
mod transform;

pub use self::fitted::FittedPipeline;

use self::choose::Choose;
use self::policy::DecisionPolicy;
use self::step::{Classifier, Step, Transform};
use crate::front_end::step::{Demand, Demands, SignalStep};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// A description: what is done, in order, with which parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// The name on the command line, in tables and in files.
    pub name: String,
    /// What the posterior of idle is multiplied by before the posteriors are brought to a
    /// sum of 1; 1 where it is left out. Below 1, tasks are decided more readily than the
    /// training's share of idle windows says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub idle_weight: Option<f64>,
    /// From the stream to the posterior; empty where several lists of steps vote.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub steps: Vec<Step>,
    /// Lists of steps that are fitted and decide each by itself, and then vote: the
    /// posterior is the normalised geometric mean of theirs. Empty where there is one list.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub vote: Vec<Voter>,
    /// How posteriors become decisions; each by itself where it is absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<DecisionPolicy>,
    /// What is chosen inside the calibration; nothing where it is absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub choose: Option<Choose>,
}

impl Default for Pipeline {
    /// No steps yet.
    fn default() -> Self {
        let (steps, vote) = (Vec::new(), Vec::new());
        Self { name: String::new(), idle_weight: None, steps, vote, decision: None, choose: None }
    }
}

/// What the decisions of a pipeline depend on. The two kinds are not compared with each
/// other: one that carries time may have learned the paradigm's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// The samples of the window, the state of the signal steps, and what was learned in
    /// training.
    Memoryless,
    /// Windows before this one, too.
    Stateful,
}

/// One of the lists of steps that vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voter {
    /// From the stream to the posterior.
    pub steps: Vec<Step>,
}

impl Pipeline {
    /// The lists of steps it is made of, each as a pipeline: those that vote, else itself.
    pub(crate) fn members(&self) -> Vec<Self> {
        if self.vote.is_empty() {
            return vec![self.clone()];
        }
        let member = |voter: &Voter| Self {
            name: self.name.clone(),
            steps: voter.steps.clone(),
            ..Self::default()
        };
        self.vote.iter().map(member).collect()
    }

    /// Replaces the signal steps of every list of steps by what `learn` makes of them.
    pub(crate) fn try_map_signal<E>(
        &mut self,
        mut learn: impl FnMut(&[SignalStep]) -> Result<Vec<SignalStep>, E>,
    ) -> Result<(), E> {
        let lists = self.vote.iter_mut().map(|voter| &mut voter.steps);
        for steps in lists.chain([&mut self.steps]) {
            let signal: Vec<_> = signal_of(steps).cloned().collect();
            let n_signal = signal.len();
            let learned = learn(&signal)?.into_iter().map(Step::Signal);
            steps.splice(..n_signal, learned);
        }
        Ok(())
    }

    /// What its decisions depend on.
    pub fn memory(&self) -> Memory {
        let adapts = |step: &Step| match step {
            Step::Transform(Transform::Recenter(step)) => step.adapt.is_some(),
            Step::Transform(Transform::Potato(step)) => step.rate.is_some(),
            Step::Classifier(Classifier::AdaptiveLda(_)) => true,
            _ => false,
        };
        let adapts = |member: &Self| member.steps.iter().any(adapts);
        if self.decision.is_some() || self.members().iter().any(adapts) {
            Memory::Stateful
        } else {
            Memory::Memoryless
        }
    }

    /// What a pipeline of one list asks of the front end: the signal steps it begins with
    /// and the feature of its windows.
    ///
    /// # Panics
    /// If it has no feature: [`Pipeline::check`] says so.
    pub(crate) fn demand(&self) -> Demand {
        let signal = signal_of(&self.steps).cloned();
        let feature = self.steps.iter().find_map(|step| match step {
            Step::Feature(feature) => Some(feature.clone()),
            _ => None,
        });
        Demand { signal: signal.collect(), feature: feature.expect("a checked pipeline") }
    }
}

/// The signal steps that a list begins with.
fn signal_of(steps: &[Step]) -> impl Iterator<Item = &SignalStep> {
    steps.iter().map_while(|step| match step {
        Step::Signal(step) => Some(step),
        _ => None,
    })
}

/// What the front end must compute for all of `pipelines`, and all that they choose from.
pub fn demands<'a>(pipelines: impl IntoIterator<Item = &'a Pipeline>) -> Demands {
    let candidates = |pipeline: &Pipeline| match pipeline.candidates() {
        Ok(candidates) => candidates.into_iter().map(|one| one.pipeline).collect(),
        // What can't be fitted either, and says so there.
        Err(_) => vec![pipeline.clone()],
    };
    let all = pipelines.into_iter().flat_map(candidates);
    all.flat_map(|pipeline| pipeline.members()).map(|member| member.demand()).collect()
}
