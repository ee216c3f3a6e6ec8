//! Fitting: one step after the other, each to what the steps before make of the training
//! examples.

use super::Pipeline;
use super::choose::choose;
use super::fitted::{FittedPipeline, FittedSteps, FittedTransform};
use super::mirror::Twins;
use super::step::{Classifier, Step, Transform};
use super::transform::After;
use crate::classifier::{check_size, count_examples};
use crate::decoder::{ExampleSpan, Examples, Fit, FitError};
use crate::window::{Planar, Samples, Value, View};
use acquisition::marker::ClassIdx;
use faer::Mat;
use rayon::prelude::*;

/// Least examples of a class: nothing can be said of one that has fewer.
pub(super) const N_NEEDED: usize = 2;

/// Whoever makes examples says for which pipelines.
const MADE_FOR: &str = "examples that were made for this pipeline";

/// Examples that one planned step transforms: planning it costs as much as some of them.
const CHUNK_EXAMPLES: usize = 64;

/// What a step is fitted to: the examples as the steps before leave them.
pub(super) struct Training<'a> {
    /// One per example, all of one shape.
    pub views: Vec<View<'a>>,
    /// The class of each.
    pub labels: Vec<ClassIdx>,
    /// Where each lies.
    pub spans: Vec<ExampleSpan>,
    /// Labels of the channels; none where they are not known.
    pub channels: &'a [String],
    /// Classes of the configuration, idle included.
    pub n_classes: usize,
    /// Rate of the stream.
    pub rate_hz: f64,
}

impl<'a> Training<'a> {
    /// The examples that have the feature which `pipeline` asks for.
    ///
    /// # Panics
    /// If the examples were made for other pipelines.
    pub fn of(pipeline: &Pipeline, examples: &'a Examples) -> Self {
        Self::of_all(std::slice::from_ref(pipeline), examples).remove(0)
    }

    /// The examples that have every feature which `pipelines` ask for, as each of them
    /// sees them: the same ones, in the same order.
    ///
    /// # Panics
    /// As [`Training::of`].
    pub fn of_all(pipelines: &[Pipeline], examples: &'a Examples) -> Vec<Self> {
        let slot = |pipeline: &Pipeline| examples.demands.slot(&pipeline.demand());
        let slots: Vec<_> = pipelines.iter().map(slot).collect::<Option<_>>().expect(MADE_FOR);
        let is_sound =
            |j: &usize| slots.iter().all(|slot| examples.features[*j].get(*slot).is_some());
        let sound: Vec<_> = (0..examples.labels.len()).filter(is_sound).collect();
        let of_slot = |slot: &usize| Self {
            views: sound.iter().filter_map(|j| examples.features[*j].get(*slot)).collect(),
            labels: sound.iter().map(|j| examples.labels[*j]).collect(),
            spans: sound.iter().map(|j| examples.spans[*j].clone()).collect(),
            channels: examples.channels.get(*slot).map_or(&[], Vec::as_slice),
            n_classes: examples.n_classes,
            rate_hz: examples.rate_hz,
        };
        slots.iter().map(of_slot).collect()
    }

    /// Some of the examples.
    pub fn subset(&self, chosen: &[usize]) -> Self {
        Self {
            views: chosen.iter().map(|j| self.views[*j]).collect(),
            labels: chosen.iter().map(|j| self.labels[*j]).collect(),
            spans: chosen.iter().map(|j| self.spans[*j].clone()).collect(),
            channels: self.channels,
            n_classes: self.n_classes,
            rate_hz: self.rate_hz,
        }
    }

    /// The same examples with other values, one each.
    fn with_values<'b>(&'b self, values: &'b [Value]) -> Training<'b> {
        Training {
            views: values.iter().map(Value::view).collect(),
            labels: self.labels.clone(),
            spans: self.spans.clone(),
            channels: self.channels,
            n_classes: self.n_classes,
            rate_hz: self.rate_hz,
        }
    }

    /// The examples, and their twins after them.
    fn beside<'b>(&'b self, twins: &'b Twins) -> Training<'b> {
        Training {
            views: self.views.iter().copied().chain(twins.values.iter().map(Value::view)).collect(),
            labels: [&self.labels[..], &twins.labels].concat(),
            spans: [&self.spans[..], &twins.spans].concat(),
            channels: self.channels,
            n_classes: self.n_classes,
            rate_hz: self.rate_hz,
        }
    }

    /// Every class of the configuration needs examples, or nothing can be said of it.
    pub fn check_classes(&self) -> Result<(), FitError> {
        count_examples(self.labels.len(), &self.labels, self.n_classes).map(drop)
    }

    /// Number of bands of matrices or samples; 1 of a vector.
    pub fn n_bands(&self) -> usize {
        match self.views.first() {
            Some(View::Matrices(matrices)) => matrices.len(),
            Some(View::Samples(samples)) => samples.len(),
            _ => 1,
        }
    }

    /// The matrix of one band of every example.
    pub fn matrices(&self, band: usize) -> Vec<&'a Mat<f64>> {
        let matrix = |view: &View<'a>| match *view {
            View::Matrices(matrices) => matrices.get(band),
            View::Vector(_) | View::Samples(_) => None,
        };
        self.views.iter().filter_map(matrix).collect()
    }

    /// The samples of one band of every example.
    pub fn samples(&self, band: usize) -> Vec<Planar<'a>> {
        let samples = |view: &View<'a>| match *view {
            View::Samples(bands) => bands.get(band).map(Samples::as_planar),
            View::Vector(_) | View::Matrices(_) => None,
        };
        self.views.iter().filter_map(samples).collect()
    }

    /// The vector of every example.
    pub fn vectors(&self) -> Vec<Vec<f64>> {
        let vector = |view: &View<'a>| match *view {
            View::Vector(vector) => Some(vector.to_vec()),
            View::Matrices(_) | View::Samples(_) => None,
        };
        self.views.iter().filter_map(vector).collect()
    }
}

impl Fit for Pipeline {
    type Model = FittedPipeline;

    fn fit(&self, examples: &Examples) -> Result<FittedPipeline, FitError> {
        self.check()?;
        check_sizes(examples)?;
        match &self.choose {
            None => self.fit_plain(examples),
            Some(choice) => choose(choice, &self.candidates()?, examples),
        }
    }
}

fn check_sizes(examples: &Examples) -> Result<(), FitError> {
    check_size("the list of labels", examples.features.len(), examples.labels.len())?;
    check_size("the list of spans", examples.features.len(), examples.spans.len())
}

impl Pipeline {
    /// Fits the lists of steps, with nothing to choose.
    pub(super) fn fit_plain(&self, examples: &Examples) -> Result<FittedPipeline, FitError> {
        let members = fit_lists(&self.members(), examples).into_iter().collect::<Result<_, _>>()?;
        Ok(FittedPipeline { pipeline: self.clone(), members, candidates: vec![] })
    }

    /// Fits the one list of steps.
    pub(super) fn fit_steps(&self, training: &Training<'_>) -> Result<FittedSteps, FitError> {
        fit_lists_to(&[self], training).remove(0)
    }

    fn transforms(&self) -> impl Iterator<Item = &Transform> {
        self.steps.iter().filter_map(|step| match step {
            Step::Transform(transform) => Some(transform),
            _ => None,
        })
    }

    fn classifier(&self) -> &Classifier {
        let last = self.steps.iter().find_map(|step| match step {
            Step::Classifier(classifier) => Some(classifier),
            _ => None,
        });
        last.expect("a checked pipeline ends with a classifier")
    }
}

/// Fits every pipeline to the same examples, to the bit as each by itself. What several
/// lists of steps begin with in common is fitted once: a tangent space, for one.
///
/// Batch: allocates, uses the caller's rayon pool.
///
/// # Errors
/// For each pipeline as [`Fit::fit`] has them; one that fails does not stop the others.
///
/// # Panics
/// If the examples were made for other pipelines.
pub fn fit_together(
    pipelines: &[Pipeline],
    examples: &Examples,
) -> Vec<Result<FittedPipeline, FitError>> {
    let is_sound = check_sizes(examples).is_ok();
    let shares =
        |pipeline: &&Pipeline| is_sound && pipeline.choose.is_none() && pipeline.check().is_ok();
    let lists: Vec<Pipeline> =
        pipelines.iter().filter(shares).flat_map(Pipeline::members).collect();
    let alone = |pipeline: &Pipeline| (!shares(&pipeline)).then(|| pipeline.fit(examples));
    let (fitted, alone) = rayon::join(
        || fit_lists(&lists, examples),
        || pipelines.par_iter().map(alone).collect::<Vec<_>>(),
    );
    let mut fitted = fitted.into_iter();
    let outcome = |(pipeline, alone): (&Pipeline, Option<_>)| {
        alone.unwrap_or_else(|| {
            let members: Vec<_> = fitted.by_ref().take(pipeline.members().len()).collect();
            let members = members.into_iter().collect::<Result<_, _>>()?;
            Ok(FittedPipeline { pipeline: pipeline.clone(), members, candidates: vec![] })
        })
    };
    pipelines.iter().zip(alone).map(outcome).collect()
}

/// Fits lists of steps, each to the examples that have its feature.
fn fit_lists(lists: &[Pipeline], examples: &Examples) -> Vec<Result<FittedSteps, FitError>> {
    let demands: Vec<_> = lists.iter().map(Pipeline::demand).collect();
    let mut fitted: Vec<_> = lists.iter().map(|_| None).collect();
    let firsts = (0..lists.len()).filter(|k| !demands[..*k].contains(&demands[*k]));
    let groups: Vec<Vec<usize>> = firsts
        .map(|first| (first..lists.len()).filter(|k| demands[*k] == demands[first]).collect())
        .collect();
    let fit = |group: &Vec<usize>| {
        let lists: Vec<_> = group.iter().map(|k| &lists[*k]).collect();
        fit_lists_to(&lists, &Training::of(lists[0], examples))
    };
    let of_groups: Vec<_> = groups.par_iter().map(fit).collect();
    for (group, of_group) in groups.into_iter().zip(of_groups) {
        for (k, result) in group.into_iter().zip(of_group) {
            fitted[k] = Some(result);
        }
    }
    fitted.into_iter().flatten().collect()
}

/// Fits lists of steps to the same training.
fn fit_lists_to(
    lists: &[&Pipeline],
    training: &Training<'_>,
) -> Vec<Result<FittedSteps, FitError>> {
    if let Err(error) = training.check_classes() {
        return lists.iter().map(|_| Err(error.clone())).collect();
    }
    let steps: Vec<Vec<&Transform>> =
        lists.iter().map(|list| list.transforms().collect()).collect();
    let rest: Vec<Rest<'_>> = lists
        .iter()
        .zip(&steps)
        .enumerate()
        .map(|(at, (list, steps))| (at, &steps[..], list.classifier()))
        .collect();
    let mut fitted = fit_rest(&rest, training, &[]);
    fitted.sort_by_key(|(at, _)| *at);
    fitted.into_iter().map(|(_, result)| result).collect()
}

/// What is left to fit of a list of steps, and which list it is.
type Rest<'a> = (usize, &'a [&'a Transform], &'a Classifier);

/// What came of lists of steps, and which they are.
type OfLists = Vec<(usize, Result<FittedSteps, FitError>)>;

/// Fits what is left of lists whose steps so far are the same ones, `done`.
fn fit_rest(lists: &[Rest<'_>], training: &Training<'_>, done: &[FittedTransform]) -> OfLists {
    let mut by_step: Vec<(&Transform, Vec<Rest<'_>>)> = Vec::new();
    let mut ended: Vec<(&Classifier, Vec<usize>)> = Vec::new();
    for &(at, steps, classifier) in lists {
        let [step, rest @ ..] = steps else {
            match ended.iter_mut().find(|(other, _)| *other == classifier) {
                Some((_, lists)) => lists.push(at),
                None => ended.push((classifier, vec![at])),
            }
            continue;
        };
        match by_step.iter_mut().find(|(other, _)| other == step) {
            Some((_, lists)) => lists.push((at, rest, classifier)),
            None => by_step.push((step, vec![(at, rest, classifier)])),
        }
    }
    let classify = |(classifier, lists): &(&Classifier, Vec<usize>)| -> OfLists {
        let fitted = classifier.fit(training);
        let fitted = fitted.map(|classifier| FittedSteps { transforms: done.to_vec(), classifier });
        lists.iter().map(|at| (*at, fitted.clone())).collect()
    };
    let go_on = |(step, lists): &(&Transform, Vec<Rest<'_>>)| {
        fit_step(step, lists, training, done).unwrap_or_else(|error| {
            lists.iter().map(|(at, ..)| (*at, Err(error.clone()))).collect()
        })
    };
    ended.par_iter().flat_map(classify).chain(by_step.par_iter().flat_map(go_on)).collect()
}

/// Fits a step, then the rest of the lists that have it to what it makes of the examples.
fn fit_step(
    step: &Transform,
    lists: &[Rest<'_>],
    training: &Training<'_>,
    done: &[FittedTransform],
) -> Result<OfLists, FitError> {
    let fitted = step.fit(training)?;
    let after = step.after(fitted.as_ref(), training)?;
    let values = match (&after, &fitted) {
        (After::Transformed, Some(fitted)) => transformed(fitted, &training.views)?,
        _ => Vec::new(),
    };
    let done: Vec<_> = done.iter().cloned().chain(fitted).collect();
    let next = match &after {
        After::Transformed => training.with_values(&values),
        After::Values(values) => training.with_values(values),
        After::Kept(kept) => training.subset(kept),
        After::Beside(twins) => training.beside(twins),
    };
    if let After::Kept(_) = after {
        next.check_classes()?;
    }
    Ok(fit_rest(lists, &next, &done))
}

/// What a fitted step makes of every example, each by itself.
pub(super) fn transformed(
    fitted: &FittedTransform,
    views: &[View<'_>],
) -> Result<Vec<Value>, FitError> {
    let chunks: Vec<Vec<Value>> = views
        .par_chunks(CHUNK_EXAMPLES)
        .map(|views| {
            let (mut runtime, _) = fitted.plan(views[0].shape()).map_err(FitError::from)?;
            Ok(views.iter().map(|view| runtime.apply(*view).to_value()).collect())
        })
        .collect::<Result<_, FitError>>()?;
    Ok(chunks.into_iter().flatten().collect())
}
