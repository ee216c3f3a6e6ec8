//! The calibration side: examples from labelled windows or trials, and fits to them.

use super::{EvaluateError, Protocol, Run, TrainOn, check_same_stream, for_each_chunk, holds};
use crate::decoder::{ExampleSpan, Examples, FitError};
use crate::evaluate::labels::{TrialSpan, thin_idle, trial_spans};
use crate::front_end::batch::span_features;
use crate::front_end::learn::{LearnError, learn};
use crate::front_end::step::{Demands, SignalStep};
use crate::front_end::{Completed, PlanError, channels};
use crate::pipeline::fit::fit_together;
use crate::pipeline::{FittedPipeline, Pipeline, demands};
use crate::window::Features;
use acquisition::marker::ClassIdx;
use acquisition::time::{SampleIndex, SampleRate};
use datasets::split::{Calibration, Part};
use rayon::prelude::*;
use std::ops::Range;

impl Protocol {
    /// The pipelines with what their signal steps learn from the calibration `parts`. One
    /// that can't learn says so and does not stop the others.
    pub fn learn(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        pipelines: &[Pipeline],
    ) -> Result<Vec<Result<Pipeline, FitError>>, EvaluateError> {
        check_same_stream(runs, parts.iter().map(Part::run_idx))?;
        let recording = |part: &Part<Calibration>| &*runs[part.run_idx()].recording;
        let signals: Vec<_> = parts.iter().map(|p| (recording(p), p.samples())).collect();
        let mut known: Vec<(Vec<SignalStep>, Vec<SignalStep>)> = Vec::new();
        let mut learn_steps = |steps: &[SignalStep]| -> Result<Vec<SignalStep>, LearnError> {
            if let Some((_, learned)) = known.iter().find(|(asked, _)| asked == steps) {
                return Ok(learned.clone());
            }
            let learned = learn(&self.front_end, steps, &signals)?;
            known.push((steps.to_vec(), learned.clone()));
            Ok(learned)
        };
        let mut outcomes = Vec::with_capacity(pipelines.len());
        for pipeline in pipelines {
            let mut learned = pipeline.clone();
            let done = learned.try_map_signal(&mut learn_steps);
            outcomes.push(done.map(|()| learned).map_err(FitError::from));
        }
        Ok(outcomes)
    }

    /// Fits every pipeline to the calibration `parts`: what its signal steps learn first,
    /// then the rest to the training examples that they give. One that can't be fitted
    /// says so and does not stop the others.
    pub fn fit(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        pipelines: &[Pipeline],
    ) -> Result<Vec<Result<FittedPipeline, FitError>>, EvaluateError> {
        let learned = self.learn(runs, parts, pipelines)?;
        self.fit_learned(runs, parts, &learned)
    }

    /// As [`Protocol::fit`], of what [`Protocol::learn`] gave.
    pub fn fit_learned(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        learned: &[Result<Pipeline, FitError>],
    ) -> Result<Vec<Result<FittedPipeline, FitError>>, EvaluateError> {
        let examples = self.examples(runs, parts, &demands(learned.iter().flatten()))?;
        Ok(fit_able(learned, &examples))
    }

    /// Features of all windows of the calibration `parts`, for fits to several labellings of
    /// them. Nothing where trials are fitted to, which lie where the labels say.
    pub(in crate::evaluate) fn pool(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        demands: &Demands,
    ) -> Result<Pool, EvaluateError> {
        let collect = |part: &Part<Calibration>| {
            let run = &runs[part.run_idx()];
            let window = self.window(run)?;
            let n_windows = window.count(run.n_indices());
            let ends =
                (0..n_windows).map(|k| window.end(k)).filter(|end| holds(part, *end, window));
            let all: Vec<_> = ends.map(|end| Labelled { end, class: ClassIdx(0) }).collect();
            self.collect_windows(run, &all, demands)
        };
        let parts = match self.train_on {
            TrainOn::Windows => parts.par_iter().map(collect).collect::<Result<_, _>>()?,
            TrainOn::Trials => Vec::new(),
        };
        Ok(Pool { demands: demands.clone(), parts })
    }

    /// As [`Protocol::fit_learned`], for runs that differ from those of the `pool` in their
    /// cues alone.
    pub(in crate::evaluate) fn fit_relabelled(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        learned: &[Result<Pipeline, FitError>],
        pool: &Pool,
    ) -> Result<Vec<Result<FittedPipeline, FitError>>, EvaluateError> {
        let Pool { demands, parts: pooled } = pool;
        let per_part = match self.train_on {
            TrainOn::Windows => {
                let chosen = self.choose_windows(runs, parts)?;
                chosen
                    .iter()
                    .zip(pooled)
                    .map(|(chosen, pooled)| relabelled(chosen, pooled))
                    .collect()
            }
            TrainOn::Trials => self.collect_trials(runs, parts, demands)?,
        };
        let examples = self.put_together(runs, parts, demands, per_part)?;
        Ok(fit_able(learned, &examples))
    }

    /// The training examples of the calibration `parts`, in time order.
    pub fn examples(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        demands: &Demands,
    ) -> Result<Examples, EvaluateError> {
        check_same_stream(runs, parts.iter().map(Part::run_idx))?;
        let per_part: Vec<_> = match self.train_on {
            TrainOn::Windows => {
                let chosen = self.choose_windows(runs, parts)?;
                let jobs: Vec<_> = parts.iter().zip(&chosen).collect();
                let collect = |(part, ends): &(&Part<Calibration>, &Vec<Labelled>)| {
                    self.collect_windows(&runs[part.run_idx()], ends, demands)
                };
                jobs.par_iter().map(collect).collect::<Result<_, _>>()?
            }
            TrainOn::Trials => self.collect_trials(runs, parts, demands)?,
        };
        self.put_together(runs, parts, demands, per_part)
    }

    /// Examples of every part as those of one calibration.
    fn put_together(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        demands: &Demands,
        per_part: Vec<Vec<Example>>,
    ) -> Result<Examples, EvaluateError> {
        let mut examples =
            Examples { demands: demands.clone(), n_classes: self.n_classes, ..Examples::default() };
        if let Some(part) = parts.first() {
            let info = &runs[part.run_idx()].recording.info;
            examples.channels = channels(&self.front_end, info, &info.brain_channels(), demands)?;
            examples.rate_hz = info.rate.hz();
        }
        for (part, found) in parts.iter().zip(per_part) {
            for example in found {
                examples.labels.push(example.class);
                examples.features.push(example.features);
                let (run, samples) = (part.run_idx(), example.samples);
                examples.spans.push(ExampleSpan { run, samples });
            }
        }
        Ok(examples)
    }

    /// The labelled windows of each part, idle thinned over all parts together.
    fn choose_windows(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
    ) -> Result<Vec<Vec<Labelled>>, PlanError> {
        let mut all = Vec::new();
        for (part_idx, part) in parts.iter().enumerate() {
            let run = &runs[part.run_idx()];
            let window = self.window(run)?;
            for (k, label) in self.window_labels(run)?.into_iter().enumerate() {
                if let Some(class) = label
                    && holds(part, window.end(k), window)
                {
                    all.push((part_idx, Labelled { end: window.end(k), class }));
                }
            }
        }
        let classes: Vec<_> = all.iter().map(|(_, labelled)| labelled.class).collect();
        let mut chosen = vec![Vec::new(); parts.len()];
        for i in thin_idle(&classes) {
            let (part_idx, labelled) = all[i];
            chosen[part_idx].push(labelled);
        }
        Ok(chosen)
    }

    /// Features of the chosen windows of one run. A window that is not sound is left out.
    fn collect_windows(
        &self,
        run: &Run,
        chosen: &[Labelled],
        demands: &Demands,
    ) -> Result<Vec<Example>, EvaluateError> {
        let mut front_end = self.front_end(run, demands)?;
        let n_samples = front_end.spec().window_samples as u64;
        let mut collected = Vec::with_capacity(chosen.len());
        let mut pending = chosen.iter().peekable();
        for_each_chunk(run, |chunk| {
            front_end.follow(chunk.first());
            for frame in chunk.samples().chunks_exact(chunk.n_channels()) {
                let end = front_end.next();
                let completed = front_end.push_frame(frame);
                while pending.next_if(|l| l.end < end).is_some() {}
                if let Some(labelled) = pending.next_if(|l| l.end == end)
                    && completed == Completed::Window
                    && let Some(window) = front_end.window()
                {
                    let samples = end.0 + 1 - n_samples..end.0 + 1;
                    let (class, features) = (labelled.class, window.features.clone());
                    collected.push(Example { class, samples, features });
                }
            }
        });
        Ok(collected)
    }

    /// Features of the trial and idle epochs of all parts, idle thinned.
    fn collect_trials(
        &self,
        runs: &[Run],
        parts: &[Part<Calibration>],
        demands: &Demands,
    ) -> Result<Vec<Vec<Example>>, EvaluateError> {
        let mut spans = Vec::new();
        for (part_idx, part) in parts.iter().enumerate() {
            let run = &runs[part.run_idx()];
            let (rate, inside) = (run.recording.info.rate, part.samples());
            for span in trial_spans(&run.cues, self.interval, rate, run.n_indices()) {
                let end = span.start.0 + span.n_samples as u64;
                if span.start.0 >= inside.start && end <= inside.end {
                    spans.push((part_idx, span));
                }
            }
        }
        let classes: Vec<_> = spans.iter().map(|(_, span)| span.class).collect();
        let mut chosen = vec![Vec::new(); parts.len()];
        for i in thin_idle(&classes) {
            let (part_idx, span) = &spans[i];
            chosen[*part_idx].push(span.clone());
        }
        let jobs: Vec<_> = parts.iter().zip(&chosen).collect();
        let collect = |(part, spans): &(&Part<Calibration>, &Vec<TrialSpan>)| {
            let recording = &runs[part.run_idx()].recording;
            let n_samples = self.task_samples(recording.info.rate)?;
            let picks = recording.info.brain_channels();
            let starts: Vec<_> = spans.iter().map(|span| span.start).collect();
            let found =
                span_features(&self.front_end, recording, &picks, demands, &starts, n_samples)?;
            let example = |(i, features): (usize, Features)| {
                let (class, start) = (spans[i].class, spans[i].start.0);
                Example { class, samples: start..start + n_samples as u64, features }
            };
            Ok(found.into_iter().map(example).collect())
        };
        jobs.par_iter().map(collect).collect()
    }

    /// Samples of one task, the same for every cue.
    fn task_samples(&self, rate: SampleRate) -> Result<usize, EvaluateError> {
        let secs = self.interval.tmax_secs - self.interval.tmin_secs;
        match usize::try_from(rate.samples(secs)) {
            Ok(n_samples) if n_samples > 0 => Ok(n_samples),
            _ => Err(EvaluateError::NoTask { secs }),
        }
    }
}

/// Fits the pipelines that there are; what is said of the others stays.
fn fit_able(
    learned: &[Result<Pipeline, FitError>],
    examples: &Examples,
) -> Vec<Result<FittedPipeline, FitError>> {
    let able: Vec<Pipeline> = learned.iter().flatten().cloned().collect();
    let mut fitted = fit_together(&able, examples).into_iter();
    let of = |pipeline: &Result<Pipeline, FitError>| match pipeline {
        Ok(_) => fitted.next().expect("as many as are able"),
        Err(error) => Err(error.clone()),
    };
    learned.iter().map(of).collect()
}

/// Every window of the calibration parts, with its features.
pub(in crate::evaluate) struct Pool {
    demands: Demands,
    /// In time order; none where trials are fitted to.
    parts: Vec<Vec<Example>>,
}

/// The chosen windows with their classes; one that is not sound is left out.
fn relabelled(chosen: &[Labelled], pooled: &[Example]) -> Vec<Example> {
    let find = |labelled: &Labelled| {
        let at = pooled.binary_search_by_key(&(labelled.end.0 + 1), |e| e.samples.end).ok()?;
        let Example { samples, features, .. } = &pooled[at];
        let (samples, features) = (samples.clone(), features.clone());
        Some(Example { class: labelled.class, samples, features })
    };
    chosen.iter().filter_map(find).collect()
}

/// A training example of one run.
struct Example {
    class: ClassIdx,
    samples: Range<u64>,
    features: Features,
}

/// A window by its last sample, and its class.
#[derive(Clone, Copy, Debug)]
struct Labelled {
    end: SampleIndex,
    class: ClassIdx,
}
