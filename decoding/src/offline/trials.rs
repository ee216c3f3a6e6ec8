//! Trials as published benchmarks cut them: the whole recording filtered forward and
//! backward, one epoch per cue, nothing idle.
//!
//! This is how MOABB prepares data, and what its scores are computed from. It is *not* what
//! a session could do: the filter sees the future. Offline scores made of these trials say
//! how a pipeline compares with published figures; pseudo-online scores say what it would
//! do live.

use super::{OfflineError, Padding, fir_signal, ringing_samples, sos_signal_padded};
use crate::decoder::{ExampleSpan, Examples};
use crate::evaluate::pseudo_online::{EvaluateError, Run, check_same_stream};
use crate::front_end::batch::{streaming_step, whole_features};
use crate::front_end::step::Demands;
use crate::front_end::{FrontEndSpec, PlanError, Response, channels};
use acquisition::marker::{ClassIdx, Cue};
use acquisition::time::SampleRate;
use datasets::folds::TrialSamples;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// How trials are cut.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialSpec {
    /// The session's band is the paradigm's here. A pipeline that names edges of its own is
    /// filtered to these, from the raw recording.
    pub front_end: FrontEndSpec,
    /// First and last sample in seconds after the cue, both included, as MNE cuts epochs:
    /// `round(tmin * rate) ..= round(tmax * rate)` from `round(cue * rate)` on.
    pub interval_secs: [f64; 2],
}

/// Why trials can't be cut.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// Change filter, interval or channels.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Repair the recording, or give a filter that can be run backwards.
    #[error(transparent)]
    Filter(#[from] OfflineError),
    /// Leave the step out, or score the pipeline pseudo-online only.
    #[error(
        "the step `{step}` is only defined from sample to sample: score pipelines that have it pseudo-online"
    )]
    Streaming {
        /// Its name.
        step: &'static str,
    },
    /// Correct the interval.
    #[error("an interval from {} to {} s after the cue holds no trial", .0[0], .0[1])]
    Interval([f64; 2]),
    /// The runs that are scored together must have the same channels and rate.
    #[error("channels or rate differ from those of the runs before: {name}")]
    Mismatch {
        /// The recording's name.
        name: String,
    },
}

/// Trials in the order of their runs and of time.
#[derive(Clone, Debug)]
pub struct Trials {
    /// Their features and classes; the first task is class 0.
    pub examples: Examples,
}

impl TrialSpec {
    /// Cuts the trials of all `runs`. One that is not wholly in its recording, or lies in a
    /// gap, is left out. `n_tasks` counts the classes without idle.
    ///
    /// Batch: allocates; memory as the features of all trials and, in double precision, one
    /// run's signal at every stage of every chain of steps.
    pub fn cut(
        &self,
        runs: &[Run],
        demands: &Demands,
        n_tasks: usize,
    ) -> Result<Trials, TrialError> {
        if let Err(EvaluateError::Mismatch { name }) = check_same_stream(runs, 0..runs.len()) {
            return Err(TrialError::Mismatch { name });
        }
        let mut examples =
            Examples { demands: demands.clone(), n_classes: n_tasks, ..Examples::default() };
        for (number, run) in runs.iter().enumerate() {
            let info = &run.recording.info;
            let picks = info.brain_channels();
            if number == 0 {
                examples.channels = channels(&self.front_end, info, &picks, demands)?;
                examples.rate_hz = info.rate.hz();
            }
            let trials = self.starts(run);
            let starts: Vec<u64> = trials.iter().map(|(start, _)| *start).collect();
            let n_samples = self.n_samples(info.rate)?;
            let asked = (&starts[..], n_samples);
            let found = whole_features(
                &self.front_end,
                &run.recording,
                &picks,
                demands,
                asked,
                without_delay,
            )?;
            for (at, features) in found {
                let (start, class) = trials[at];
                examples.labels.push(class);
                examples.features.push(features);
                let samples = start..start + n_samples as u64;
                examples.spans.push(ExampleSpan { run: number, samples });
            }
        }
        Ok(Trials { examples })
    }

    /// Whether the features that are demanded can be cut from runs like these at all.
    pub fn check(&self, runs: &[Run], demands: &Demands) -> Result<(), TrialError> {
        let Some(run) = runs.first() else { return Ok(()) };
        let info = &run.recording.info;
        let (picks, n_samples) = (info.brain_channels(), self.n_samples(info.rate)?);
        match streaming_step(&self.front_end, info, &picks, demands, n_samples)? {
            Some(step) => Err(TrialError::Streaming { step }),
            None => Ok(()),
        }
    }

    /// Samples of a trial at `rate`.
    fn n_samples(&self, rate: SampleRate) -> Result<usize, TrialError> {
        let [tmin_secs, tmax_secs] = self.interval_secs;
        let n_samples = rate.samples(tmax_secs) - rate.samples(tmin_secs) + 1;
        let n_samples = usize::try_from(n_samples).ok().filter(|n| *n > 1);
        n_samples.ok_or(TrialError::Interval(self.interval_secs))
    }

    /// First sample and task of each cue that is not before the recording, in time order.
    fn starts(&self, run: &Run) -> Vec<(u64, ClassIdx)> {
        let rate = run.recording.info.rate;
        let [tmin_secs, _] = self.interval_secs;
        let start = |cue: &Cue| {
            let class = cue.class.0.checked_sub(1).map(ClassIdx)?;
            let start = rate.samples(cue.onset_secs) + rate.samples(tmin_secs);
            Some((u64::try_from(start).ok()?, class))
        };
        let mut starts: Vec<_> = run.cues.iter().filter_map(start).collect();
        starts.sort_by_key(|(start, _)| *start);
        starts
    }
}

impl Trials {
    /// Where the trials lie.
    pub fn spans(&self) -> Vec<TrialSamples> {
        self.examples.spans.iter().map(|span| (span.run, span.samples.clone())).collect()
    }
}

/// Forward and backward over a whole signal, continued as far as MNE does.
fn without_delay(
    response: &Response<'_>,
    signal: &ArrayView2<'_, f64>,
) -> Result<Array2<f64>, TrialError> {
    match response {
        Response::Sections(sections) => {
            let n_pad = ringing_samples(sections).min(signal.ncols().saturating_sub(1));
            Ok(sos_signal_padded(sections, (Padding::Odd, n_pad), signal)?)
        }
        Response::Taps(taps) => Ok(fir_signal(taps, signal)?),
        Response::Streaming(step) => Err(TrialError::Streaming { step }),
    }
}
