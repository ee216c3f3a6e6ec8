//! How posteriors that follow each other become decisions: smoothed, or held back until
//! they have agreed for a while, with a pause after a task.
//!
//! A pipeline without a policy decides on every window by itself. One with a policy is
//! stateful: what it decides depends on the windows before, in a live session and in a
//! score alike, because both run it here.

use super::check::PipelineError;
use super::fitted::FittedPipeline;
use super::{Pipeline, runtime};
use crate::decoder::decide_class;
use acquisition::time::{SampleIndex, SampleRate};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// Smoothing, then dwell, then a refractory time; each may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecisionPolicy {
    /// The posterior is the mean of those of all windows that ended in the last so many
    /// seconds; 0: of this window's alone.
    pub smooth_secs: f64,
    /// Windows in a row, this one included, in which a task has to be the likeliest class
    /// before it is decided; 1: at once.
    pub dwell_windows: usize,
    /// Seconds after the last window of a task that was decided in which none is.
    pub refractory_secs: f64,
}

impl Default for DecisionPolicy {
    /// Every window by itself.
    fn default() -> Self {
        Self { smooth_secs: 0.0, dwell_windows: 1, refractory_secs: 0.0 }
    }
}

/// Longest time of smoothing or pause.
const MAX_SECS: f64 = 600.0;
/// Longest dwell.
const MAX_DWELL: usize = 10_000;

impl DecisionPolicy {
    /// What `smoothed` stands for: one second.
    pub const SMOOTHED: Self = Self { smooth_secs: 1.0, dwell_windows: 1, refractory_secs: 0.0 };
    /// What `dwell` stands for: three windows, and a pause of one second.
    pub const DWELL: Self = Self { smooth_secs: 0.0, dwell_windows: 3, refractory_secs: 1.0 };

    /// As it is written on a command line: `raw` (no policy), `smoothed`, `smoothed:SECS`,
    /// `dwell`, `dwell:WINDOWS` or `dwell:WINDOWS:SECS`, the seconds of the pause.
    ///
    /// # Errors
    /// In words.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let mut words = text.split(':');
        let word = words.next().unwrap_or_default();
        let numbers: Vec<&str> = words.collect();
        let other = || {
            format!(
                "{text:?} is no decision policy: raw, smoothed[:SECS] or dwell[:WINDOWS[:SECS]]"
            )
        };
        let secs = |text: &str| text.parse::<f64>().map_err(|_| other());
        let windows = |text: &str| text.parse::<usize>().map_err(|_| other());
        let policy = match (word, numbers.as_slice()) {
            ("raw", []) => return Ok(None),
            ("smoothed", []) => Self::SMOOTHED,
            ("smoothed", [smooth]) => Self { smooth_secs: secs(smooth)?, ..Self::SMOOTHED },
            ("dwell", []) => Self::DWELL,
            ("dwell", [n]) => Self { dwell_windows: windows(n)?, ..Self::DWELL },
            ("dwell", [n, pause]) => {
                Self { dwell_windows: windows(n)?, refractory_secs: secs(pause)?, ..Self::DWELL }
            }
            _ => return Err(other()),
        };
        policy.check().map_err(|why| format!("{text:?}: {why}"))?;
        Ok(policy.unless_raw())
    }

    /// Nothing where every window decides by itself.
    pub(super) fn unless_raw(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }

    pub(super) fn check(&self) -> Result<(), PipelineError> {
        let is_time = |secs: f64| (0.0..=MAX_SECS).contains(&secs);
        if !is_time(self.smooth_secs) || !is_time(self.refractory_secs) {
            let why = format!("a time is from 0 to {MAX_SECS} s");
            return Err(PipelineError::Decision { why });
        }
        if !(1..=MAX_DWELL).contains(&self.dwell_windows) {
            let why = format!("a dwell is from 1 to {MAX_DWELL} windows");
            return Err(PipelineError::Decision { why });
        }
        Ok(())
    }

    /// What a pipeline's name gets behind it.
    fn label(&self) -> String {
        let Self { smooth_secs, dwell_windows, refractory_secs } = *self;
        let smoothed = match smooth_secs {
            0.0 => String::new(),
            secs if secs == Self::SMOOTHED.smooth_secs => "+smoothed".to_owned(),
            secs => format!("+smoothed{secs}"),
        };
        let dwell = match (dwell_windows, refractory_secs) {
            (1, 0.0) => String::new(),
            usual if usual == (Self::DWELL.dwell_windows, Self::DWELL.refractory_secs) => {
                "+dwell".to_owned()
            }
            (windows, secs) => format!("+dwell{windows}-{secs}"),
        };
        smoothed + &dwell
    }
}

impl Pipeline {
    /// The same pipeline with another policy, or none, and a name that says which.
    #[must_use]
    pub fn with_decision(&self, policy: Option<DecisionPolicy>) -> Self {
        let label = |policy: Option<DecisionPolicy>| policy.map_or_else(String::new, |p| p.label());
        let name = self.name.strip_suffix(&label(self.decision)).unwrap_or(&self.name);
        Self { name: format!("{name}{}", label(policy)), decision: policy, ..self.clone() }
    }
}

impl FittedPipeline {
    /// The same model with another policy, or none: nothing of it is learned.
    #[must_use]
    pub fn with_decision(self, policy: Option<DecisionPolicy>) -> Self {
        Self { pipeline: self.pipeline.with_decision(policy), ..self }
    }
}

/// A planned policy, and what it remembers.
pub(super) struct PolicyRuntime {
    smooth_samples: u64,
    refractory_samples: u64,
    dwell_windows: usize,
    step_samples: u64,
    /// Last samples of the windows that are averaged, oldest first.
    ends: VecDeque<SampleIndex>,
    /// Their posteriors.
    posteriors: VecDeque<f64>,
    last: Option<SampleIndex>,
    /// The task that was the likeliest of the last windows, and of how many.
    run: Option<(usize, usize)>,
    /// Whether it was decided.
    is_held: bool,
    /// The last sample of the last window with a task that was decided.
    decided: Option<SampleIndex>,
}

impl PolicyRuntime {
    /// For windows that end every `step_samples` of a stream of `rate`.
    pub(super) fn plan(
        policy: &DecisionPolicy,
        (rate, step_samples): (SampleRate, usize),
        n_classes: usize,
    ) -> Result<Self, runtime::ModelError> {
        // A model file comes from somebody else.
        let part = "the decision policy";
        policy.check().map_err(|_| runtime::ModelError::BadNumber { part })?;
        let samples = |secs: f64| rate.samples(secs).unsigned_abs();
        let smooth_samples = samples(policy.smooth_secs);
        let n_most = (smooth_samples / step_samples.max(1) as u64) as usize + 2;
        Ok(Self {
            smooth_samples,
            refractory_samples: samples(policy.refractory_secs),
            dwell_windows: policy.dwell_windows,
            step_samples: step_samples as u64,
            ends: VecDeque::with_capacity(n_most),
            posteriors: VecDeque::with_capacity(n_most * n_classes),
            last: None,
            run: None,
            is_held: false,
            decided: None,
        })
    }

    /// Makes the posterior of the window that ends at `end` what is decided from it, idle
    /// first. Where a task is held back, half of what the tasks have goes to idle, which
    /// makes it the likeliest and leaves the tasks' order as it is.
    ///
    /// A window that does not follow the last one, or has no posterior, starts anew.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub(super) fn apply(&mut self, end: SampleIndex, posterior: &mut [f64]) {
        let follows = self.last.is_some_and(|last| end.0 == last.0 + self.step_samples);
        self.last = Some(end);
        let is_sound = posterior.iter().all(|p| p.is_finite());
        if !follows || !is_sound {
            self.ends.clear();
            self.posteriors.clear();
            (self.run, self.is_held) = (None, false);
        }
        if !is_sound {
            return;
        }
        self.smooth(end, posterior);
        self.hold_back(end, posterior);
    }

    fn smooth(&mut self, end: SampleIndex, posterior: &mut [f64]) {
        if self.smooth_samples == 0 {
            return;
        }
        let n_classes = posterior.len();
        while self.ends.front().is_some_and(|first| end.0 - first.0 >= self.smooth_samples) {
            self.ends.pop_front();
            self.posteriors.drain(..n_classes);
        }
        self.ends.push_back(end);
        self.posteriors.extend(posterior.iter());
        for (class, mean) in posterior.iter_mut().enumerate() {
            let of_class = self.posteriors.iter().skip(class).step_by(n_classes);
            *mean = of_class.sum::<f64>() / self.ends.len() as f64;
        }
    }

    fn hold_back(&mut self, end: SampleIndex, posterior: &mut [f64]) {
        let class = decide_class(posterior).index();
        let goes_on = self.run.is_some_and(|(task, _)| task == class);
        self.is_held &= goes_on;
        if class == 0 {
            self.run = None;
            return;
        }
        let pauses = !self.is_held
            && self.decided.is_some_and(|last| {
                end.0.checked_sub(last.0).is_some_and(|since| since < self.refractory_samples)
            });
        let n = if pauses { 0 } else { 1 + self.run.filter(|_| goes_on).map_or(0, |(_, n)| n) };
        self.run = Some((class, n));
        self.is_held |= n >= self.dwell_windows;
        if self.is_held {
            self.decided = Some(end);
            return;
        }
        let mut moved = 0.0;
        for task in &mut posterior[1..] {
            *task *= 0.5;
            moved += *task;
        }
        posterior[0] += moved;
    }
}
