//! Choosing among parameter values inside the calibration: an inner, chronological split
//! of the training examples scores every candidate, and the best one is fitted to all of
//! them.
//!
//! Nothing but training examples is looked at, and none that comes later in time is ever
//! fitted on to score an earlier one.

use super::check::PipelineError;
use super::fit::{N_NEEDED, Training};
use super::runtime::Chain;
use super::step::Step;
use super::text::did_you_mean;
use super::{FittedPipeline, Pipeline};
use crate::decoder::{ExampleSpan, FitError, decide_class};
use crate::metric::confusion::Confusion;
use crate::metric::nmcc::nmcc;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most combinations of values: each is fitted once per inner split.
pub const MAX_CANDIDATES: usize = 1024;

/// Most inner splits: each candidate is fitted once for each.
const MAX_SPLITS: usize = 64;

/// Which parameters are chosen, and how they are judged.
///
/// The examples are cut into `splits + 1` blocks of equal number in time order. Split `i`
/// fits to the blocks before block `i`, without the examples that share a sample with
/// it, and decides on block `i`; the confusion matrices of all splits are added up and
/// the largest nMCC wins, of equal ones the candidate listed first. A split that lacks a
/// class on either side is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// Inner splits, at least 1.
    #[serde(default = "default_splits")]
    pub splits: usize,
    /// What is varied: every combination of their values is a candidate, the last
    /// parameter's values changing fastest.
    pub parameters: Vec<Choice>,
}

/// Inner splits where none are named.
pub const SPLITS: usize = 3;

/// As serde wants it.
fn default_splits() -> usize {
    SPLITS
}

/// One parameter of one step, and the values it may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The step by its name, which stands in the pipeline once.
    pub step: String,
    /// The parameter.
    pub parameter: String,
    /// Its values.
    pub values: Vec<toml::Value>,
}

/// A candidate that was scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scored {
    /// The value of each parameter, in their order.
    pub values: Vec<toml::Value>,
    /// nMCC over the inner splits; absent where it could not be fitted.
    pub nmcc: Option<f64>,
}

/// A pipeline without a choice, and the values that make it.
pub(super) struct Candidate {
    pub pipeline: Pipeline,
    pub values: Vec<toml::Value>,
}

impl Pipeline {
    /// Every pipeline that is chosen from; itself where nothing is chosen.
    pub(super) fn candidates(&self) -> Result<Vec<Candidate>, PipelineError> {
        let plain = Self { choose: None, ..self.clone() };
        let mut candidates = vec![Candidate { pipeline: plain, values: Vec::new() }];
        let Some(choose) = &self.choose else { return Ok(candidates) };
        let error = |at: usize, why: String| PipelineError::Choose { at, why };
        if choose.splits > MAX_SPLITS {
            return Err(error(1, format!("more than {MAX_SPLITS} inner splits")));
        }
        if choose.splits == 0 || choose.parameters.is_empty() {
            return Err(error(1, "name at least one split and one parameter".to_owned()));
        }
        for (at, choice) in (1..).zip(&choose.parameters) {
            if candidates.len().saturating_mul(choice.values.len()) > MAX_CANDIDATES {
                return Err(error(at, format!("more than {MAX_CANDIDATES} combinations")));
            }
            if choice.values.is_empty() {
                return Err(error(at, "name at least one value".to_owned()));
            }
            let mut longer = Vec::new();
            for candidate in &candidates {
                for value in &choice.values {
                    let pipeline = candidate.pipeline.with(choice, value);
                    let pipeline = pipeline.map_err(|why| error(at, why))?;
                    let values = [&candidate.values[..], std::slice::from_ref(value)].concat();
                    longer.push(Candidate { pipeline, values });
                }
            }
            candidates = longer;
        }
        Ok(candidates)
    }

    /// The pipeline with one parameter changed.
    fn with(&self, choice: &Choice, value: &toml::Value) -> Result<Self, String> {
        let Choice { step: name, parameter, .. } = choice;
        let is_it = |step: &&Step| step.name() == name;
        let (n_such, at) =
            (self.steps.iter().filter(is_it).count(), self.steps.iter().position(|s| is_it(&s)));
        let Some(at) = at.filter(|_| n_such == 1) else {
            let hint = did_you_mean(name, self.steps.iter().map(Step::name));
            return Err(format!("the pipeline has {n_such} steps {name:?}{hint}"));
        };
        let learns = |step: &Step| matches!(step, Step::Signal(step) if step.learns());
        if self.steps[at..].iter().any(learns) {
            return Err(format!(
                "{name:?} can't be varied: signal steps that learn do so before anything is chosen"
            ));
        }
        let known = Step::parameters(name).unwrap_or_default();
        if !known.contains(&parameter.as_str()) {
            let hint = did_you_mean(parameter, known.iter().copied());
            return Err(format!("`{name}` has no parameter {parameter:?}{hint}"));
        }
        let changed = self.steps[at].with(parameter, value)?;
        let mut pipeline = self.clone();
        pipeline.steps[at] = changed;
        pipeline.check().map_err(|e| e.to_string())?;
        Ok(pipeline)
    }
}

impl Step {
    /// The step with one parameter changed.
    fn with(&self, parameter: &str, value: &toml::Value) -> Result<Self, String> {
        let mut table = toml::Table::try_from(self).map_err(|e| e.to_string())?;
        table.remove("step");
        table.insert(parameter.to_owned(), value.clone());
        match Self::read(self.name(), table) {
            Some(Ok(step)) => Ok(step),
            Some(Err(error)) => Err(format!("{parameter}: {}", error.message())),
            None => Err(format!("no step is called {:?}", self.name())),
        }
    }
}

/// One inner split: positions of examples.
#[derive(Clone, Debug, PartialEq, Eq)]
struct InnerSplit {
    fit: Vec<usize>,
    score: Range<usize>,
}

/// The splits of examples in time order, without those that lack a class on a side.
fn inner_splits(training: &Training<'_>, n_splits: usize) -> Vec<InnerSplit> {
    let n = training.labels.len();
    let boundary = |k: usize| k * n / (n_splits + 1);
    let split = |k: usize| {
        let score = boundary(k)..boundary(k + 1);
        let is_apart = |j: &usize| {
            !training.spans[score.clone()].iter().any(|s| s.overlaps(&training.spans[*j]))
        };
        InnerSplit { fit: (0..score.start).filter(is_apart).collect(), score }
    };
    let n_of = |class: usize, side: &mut dyn Iterator<Item = usize>| {
        side.filter(|j| training.labels[*j].index() == class).count()
    };
    let is_whole = |split: &InnerSplit| {
        (0..training.n_classes).all(|class| {
            n_of(class, &mut split.fit.iter().copied()) >= N_NEEDED
                && n_of(class, &mut split.score.clone()) > 0
        })
    };
    (1..=n_splits).map(split).filter(is_whole).collect()
}

impl ExampleSpan {
    /// Whether the two share a sample.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.run == other.run
            && self.samples.start < other.samples.end
            && other.samples.start < self.samples.end
    }
}

/// Scores every candidate and fits the best to all examples. `training` gives the
/// examples as a candidate sees them.
pub(super) fn choose<'a>(
    n_splits: usize,
    candidates: &[Candidate],
    training: impl Fn(&Pipeline) -> Training<'a> + Sync,
) -> Result<FittedPipeline, FitError> {
    let score = |candidate: &Candidate| {
        let training = training(&candidate.pipeline);
        let splits = inner_splits(&training, n_splits);
        if splits.is_empty() {
            return Err(FitError::NoInnerSplit { n_splits });
        }
        score(&candidate.pipeline, &training, &splits)
    };
    let scores: Vec<Result<f64, FitError>> = candidates.par_iter().map(score).collect();
    let mut best: Option<(usize, f64)> = None;
    for (k, score) in scores.iter().enumerate() {
        if let Ok(score) = score
            && best.is_none_or(|(_, highest)| *score > highest)
        {
            best = Some((k, *score));
        }
    }
    let Some((best, _)) = best else {
        let first = scores.into_iter().find_map(Result::err);
        return Err(first.unwrap_or(FitError::NoInnerSplit { n_splits }));
    };
    let chosen = &candidates[best].pipeline;
    let mut fitted = chosen.fit_training(&training(chosen))?;
    let pairs = candidates.iter().zip(scores);
    fitted.candidates = pairs
        .map(|(candidate, nmcc)| Scored { values: candidate.values.clone(), nmcc: nmcc.ok() })
        .collect();
    Ok(fitted)
}

/// nMCC of a candidate over the inner splits.
fn score(
    pipeline: &Pipeline,
    training: &Training<'_>,
    splits: &[InnerSplit],
) -> Result<f64, FitError> {
    let n_classes = training.n_classes;
    let mut pairs = Vec::new();
    let mut posterior = vec![0.0; n_classes];
    for split in splits {
        let fitted = pipeline.fit_training(&training.subset(&split.fit))?;
        let shape = training.views[split.score.start].shape();
        let mut chain = Chain::plan(&fitted.members[0], shape, n_classes)?;
        for j in split.score.clone() {
            chain.posterior_into(training.views[j], &mut posterior);
            // What a gate refuses is not scored, as in an evaluation.
            if posterior.iter().any(|p| p.is_nan()) {
                continue;
            }
            pairs.push((training.labels[j], decide_class(&posterior)));
        }
    }
    Ok(nmcc(&Confusion::from_pairs(n_classes, pairs)))
}

#[cfg(test)]
mod tests;
