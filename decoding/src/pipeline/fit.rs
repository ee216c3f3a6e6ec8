//! Fitting: one step after the other, each to what the steps before make of the training
//! examples.

use super::Pipeline;
use super::adaptive::{plan_potato, recentred_by_run};
use super::choose::choose;
use super::fitted::{FittedClassifier, FittedPipeline, FittedSteps, FittedTransform};
use super::step::{Classifier, Step, Transform};
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
        check_size("the list of labels", examples.features.len(), examples.labels.len())?;
        check_size("the list of spans", examples.features.len(), examples.spans.len())?;
        match &self.choose {
            None => self.fit_plain(examples),
            Some(choice) => choose(choice, &self.candidates()?, examples),
        }
    }
}

impl Pipeline {
    /// Fits the lists of steps, with nothing to choose.
    pub(super) fn fit_plain(&self, examples: &Examples) -> Result<FittedPipeline, FitError> {
        let members = self.members();
        let fit = |member: &Self| member.fit_steps(&Training::of(member, examples));
        let members = members.par_iter().map(fit).collect::<Result<_, _>>()?;
        Ok(FittedPipeline { pipeline: self.clone(), members, candidates: vec![] })
    }

    /// Fits the one list of steps.
    pub(super) fn fit_steps(&self, training: &Training<'_>) -> Result<FittedSteps, FitError> {
        training.check_classes()?;
        let steps: Vec<_> = self.transforms().collect();
        let mut transforms = Vec::with_capacity(steps.len());
        let classifier = fit_rest(&steps, self.classifier(), training, &mut transforms)?;
        Ok(FittedSteps { transforms, classifier })
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

/// Fits the first step, then the rest to what it makes of the examples.
fn fit_rest(
    steps: &[&Transform],
    classifier: &Classifier,
    training: &Training<'_>,
    done: &mut Vec<FittedTransform>,
) -> Result<FittedClassifier, FitError> {
    let [step, rest @ ..] = steps else { return classifier.fit(training) };
    if let Transform::Thin(thin) = step {
        let kept: Vec<_> = (0..training.views.len()).step_by(thin.every.max(1)).collect();
        let next = training.subset(&kept);
        next.check_classes()?;
        return fit_rest(rest, classifier, &next, done);
    }
    if let Transform::Mirror(mirror) = step {
        let twins = mirror.twins(training)?;
        let mut both = training.subset(&(0..training.views.len()).collect::<Vec<_>>());
        both.views.extend(twins.values.iter().map(Value::view));
        both.labels.extend(&twins.labels);
        both.spans.extend(twins.spans.iter().cloned());
        return fit_rest(rest, classifier, &both, done);
    }
    let Some(fitted) = step.fit(training)? else {
        return fit_rest(rest, classifier, training, done);
    };
    if let Transform::Potato(_) = step {
        let accepted = accepted(&fitted, &training.views)?;
        done.push(fitted);
        let next = training.subset(&accepted);
        next.check_classes()?;
        return fit_rest(rest, classifier, &next, done);
    }
    let left_out = step.left_out(training)?;
    let values = match (step, left_out) {
        (_, Some(values)) => values,
        (Transform::Recenter(step), None) if step.adapt.is_some() => {
            recentred_by_run(step, training)?
        }
        _ => transformed(&fitted, &training.views)?,
    };
    done.push(fitted);
    let views = values.iter().map(Value::view).collect();
    let (labels, spans) = (training.labels.clone(), training.spans.clone());
    let (channels, n_classes) = (training.channels, training.n_classes);
    let next = Training { views, labels, spans, channels, n_classes };
    fit_rest(rest, classifier, &next, done)
}

/// Positions of the examples that a gate, as it was fitted, lets through.
fn accepted(fitted: &FittedTransform, views: &[View<'_>]) -> Result<Vec<usize>, FitError> {
    let (Some(first), FittedTransform::Potato { bands, .. }) = (views.first(), fitted) else {
        return Ok((0..views.len()).collect());
    };
    let (mut gate, _) = plan_potato(bands, None, first.shape())?;
    Ok((0..views.len()).filter(|j| gate.accepts(views[*j])).collect())
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
