//! Choosing among parameter values and weights of idle inside the calibration: an inner,
//! chronological split of the training examples scores every candidate, and the best one
//! is fitted to all of them.
//!
//! Nothing but training examples is looked at, and none that comes later in time is ever
//! fitted on to score an earlier one; but for signal steps that learn, which have learned
//! from the signal of the whole calibration, without labels, before anything is chosen.

use super::check::{PipelineError, check_idle_weight};
use super::fit::{N_NEEDED, Training};
use super::runtime::{Panel, weigh_idle};
use super::step::Step;
use super::text::did_you_mean;
use super::{FittedPipeline, Pipeline};
use crate::decoder::{ExampleSpan, Examples, FitError, decide_class};
use crate::metric::confusion::Confusion;
use crate::metric::nmcc::nmcc;
use acquisition::marker::ClassIdx;
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
    /// Values of the pipeline's `idle_weight`, each with every combination of the
    /// parameters. They cost no fit of their own.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub idle_weights: Vec<f64>,
    /// What is varied: every combination of their values is a candidate, the last
    /// parameter's values changing fastest.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
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
    /// The step by its name, which stands in the list of steps once. Where several lists
    /// vote, in one of them or in several, and all of these take the same value.
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
    /// The value of each parameter, in their order; behind them the weight of idle where
    /// it is chosen.
    pub values: Vec<toml::Value>,
    /// nMCC over the inner splits; absent where it could not be fitted.
    pub nmcc: Option<f64>,
}

/// A pipeline with no parameter left to choose, and the values that make it.
pub(super) struct Candidate {
    pub pipeline: Pipeline,
    pub values: Vec<toml::Value>,
}

impl Pipeline {
    /// Every pipeline that is chosen from, the weights of idle aside; itself where nothing
    /// is chosen.
    pub(super) fn candidates(&self) -> Result<Vec<Candidate>, PipelineError> {
        let plain = Self { choose: None, ..self.clone() };
        let mut candidates = vec![Candidate { pipeline: plain, values: Vec::new() }];
        let Some(choose) = &self.choose else { return Ok(candidates) };
        let error = |at: usize, why: String| PipelineError::Choose { at, why };
        if choose.splits > MAX_SPLITS {
            return Err(error(1, format!("more than {MAX_SPLITS} inner splits")));
        }
        if choose.splits == 0 || choose.parameters.is_empty() && choose.idle_weights.is_empty() {
            let why = "name at least one split, and a parameter or idle_weights";
            return Err(error(1, why.to_owned()));
        }
        if choose.idle_weights.len() > MAX_CANDIDATES {
            return Err(error(1, format!("more than {MAX_CANDIDATES} idle_weights")));
        }
        choose.idle_weights.iter().try_for_each(|weight| check_idle_weight(*weight))?;
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

    /// The pipeline with one parameter changed, in every list of steps that has the step.
    fn with(&self, choice: &Choice, value: &toml::Value) -> Result<Self, String> {
        let Choice { step: name, parameter, .. } = choice;
        let learns = |step: &Step| matches!(step, Step::Signal(step) if step.learns());
        let mut pipeline = self.clone();
        let lists = pipeline.vote.iter_mut().map(|voter| &mut voter.steps);
        let mut n_changed = 0;
        for steps in lists.chain([&mut pipeline.steps]) {
            let n_such = steps.iter().filter(|step| step.name() == name).count();
            if n_such > 1 {
                return Err(format!("a list has {n_such} steps {name:?}, which is meant is open"));
            }
            let Some(at) = steps.iter().position(|step| step.name() == name) else { continue };
            if steps[at..].iter().any(learns) {
                return Err(format!(
                    "{name:?} can't be varied: signal steps that learn do so before anything is chosen"
                ));
            }
            let known = Step::parameters(name).unwrap_or_default();
            if !known.contains(&parameter.as_str()) {
                let hint = did_you_mean(parameter, known.iter().copied());
                return Err(format!("`{name}` has no parameter {parameter:?}{hint}"));
            }
            steps[at] = steps[at].with(parameter, value)?;
            n_changed += 1;
        }
        if n_changed == 0 {
            let all = self.vote.iter().flat_map(|voter| &voter.steps).chain(&self.steps);
            let hint = did_you_mean(name, all.map(Step::name));
            return Err(format!("the pipeline has no step {name:?}{hint}"));
        }
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

/// Scores every candidate with every weight of idle, and fits the best to all examples.
pub(super) fn choose(
    choice: &Choose,
    candidates: &[Candidate],
    examples: &Examples,
) -> Result<FittedPipeline, FitError> {
    let given = candidates.first().and_then(|candidate| candidate.pipeline.idle_weight);
    let weights: Vec<Option<f64>> = match choice.idle_weights.as_slice() {
        [] => vec![given],
        weights => weights.iter().copied().map(Some).collect(),
    };
    let score = |candidate: &Candidate| score(&candidate.pipeline, choice, &weights, examples);
    let scores: Vec<Result<Vec<f64>, FitError>> = candidates.par_iter().map(score).collect();
    let mut best: Option<(usize, usize, f64)> = None;
    for (k, scores) in scores.iter().enumerate() {
        for (w, score) in scores.iter().flatten().enumerate() {
            if best.is_none_or(|(.., highest)| *score > highest) {
                best = Some((k, w, *score));
            }
        }
    }
    let Some((best, weight, _)) = best else {
        let first = scores.into_iter().find_map(Result::err);
        return Err(first.unwrap_or(FitError::NoInnerSplit { n_splits: choice.splits }));
    };
    let mut chosen = candidates[best].pipeline.clone();
    chosen.idle_weight = weights[weight];
    let mut fitted = chosen.fit_plain(examples)?;
    let is_chosen = !choice.idle_weights.is_empty();
    let chosen_weight = |weight: &Option<f64>| weight.filter(|_| is_chosen).map(Into::into);
    let scored = |(candidate, scores): (&Candidate, &Result<Vec<f64>, FitError>)| {
        let of_weight = |(w, weight): (usize, &Option<f64>)| Scored {
            values: candidate.values.iter().cloned().chain(chosen_weight(weight)).collect(),
            nmcc: scores.as_ref().ok().map(|scores| scores[w]),
        };
        weights.iter().enumerate().map(of_weight).collect::<Vec<_>>()
    };
    fitted.candidates = candidates.iter().zip(&scores).flat_map(scored).collect();
    Ok(fitted)
}

/// nMCC of a candidate over the inner splits, with each weight of idle.
fn score(
    pipeline: &Pipeline,
    choice: &Choose,
    weights: &[Option<f64>],
    examples: &Examples,
) -> Result<Vec<f64>, FitError> {
    let members = pipeline.members();
    let trainings = Training::of_all(&members, examples);
    let n_splits = choice.splits;
    trainings.iter().try_for_each(Training::check_classes)?;
    let splits = trainings.first().map_or_else(Vec::new, |first| inner_splits(first, n_splits));
    if splits.is_empty() {
        return Err(FitError::NoInnerSplit { n_splits });
    }
    let decide = |split: &InnerSplit| decide(&members, &trainings, split);
    let posteriors: Vec<Vec<Vec<f64>>> = splits.par_iter().map(decide).collect::<Result<_, _>>()?;
    let n_classes = examples.n_classes;
    let truth = splits.iter().flat_map(|split| &trainings[0].labels[split.score.clone()]);
    let score = |weight: &Option<f64>| {
        let decided = |(truth, posterior): (&ClassIdx, &Vec<f64>)| {
            let mut posterior = posterior.clone();
            weigh_idle(weight.unwrap_or(1.0), &mut posterior);
            // What a gate refuses counts as idle, so that all candidates are scored on the
            // same examples: a gate that leaves the easy ones would win.
            (*truth, decide_class(&posterior))
        };
        let pairs = truth.clone().zip(posteriors.iter().flatten()).map(decided);
        nmcc(&Confusion::from_pairs(n_classes, pairs))
    };
    Ok(weights.iter().map(score).collect())
}

/// The posteriors of the examples that a split scores, before idle is weighed.
fn decide(
    members: &[Pipeline],
    trainings: &[Training<'_>],
    split: &InnerSplit,
) -> Result<Vec<Vec<f64>>, FitError> {
    let fit = |(member, training): (&Pipeline, &Training<'_>)| {
        member.fit_steps(&training.subset(&split.fit))
    };
    let fitted: Vec<_> = members.par_iter().zip(trainings).map(fit).collect::<Result<_, _>>()?;
    let first = split.score.start;
    let shapes: Vec<_> = trainings.iter().map(|training| training.views[first].shape()).collect();
    let n_classes = trainings[0].n_classes;
    let mut panel = Panel::plan(&fitted, &shapes, None, n_classes)?;
    let posterior = |j: usize| {
        let mut posterior = vec![0.0; n_classes];
        let _ = panel.posterior_into(|k| Some(trainings[k].views[j]), &mut posterior);
        posterior
    };
    Ok(split.score.clone().map(posterior).collect())
}

#[cfg(test)]
mod tests;
