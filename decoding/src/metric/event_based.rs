//! Figures of an asynchronous interface: what a user would have noticed.
//!
//! An *event* is the `dwell`-th window of an unbroken run of one task class; that run
//! gives none again until it ends. A run is broken by a window of another class and by
//! a window that is missing. An event is a true positive where a cue of its class is
//! open and has none yet; every other event is a false positive. Of several such cues
//! the latest takes it, as in the labels.

use crate::stats;
use acquisition::marker::ClassIdx;
use acquisition::time::{SampleIndex, SampleRate};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A cue as events see it.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenCue {
    /// The task's class.
    pub class: ClassIdx,
    /// Where an event's window may end: the task interval and half a window beyond it.
    pub open: Range<u64>,
    /// Start of the task, in seconds from sample 0: latencies count from here.
    pub task_start_secs: f64,
}

/// The events of one recording, or of several pooled by [`EventCounts::add`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventCounts {
    /// Cues given.
    pub n_cues: u64,
    /// Cues with a true positive.
    pub n_hits: u64,
    /// Events that were none.
    pub n_false: u64,
    /// Seconds of idle over which false positives are counted.
    pub idle_secs: f64,
    /// Of each true positive: the window's last sample minus the start of the task.
    pub latencies_secs: Vec<f64>,
}

/// Quartiles, linearly interpolated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// 25 %.
    pub lower: f64,
    /// 50 %.
    pub median: f64,
    /// 75 %.
    pub upper: f64,
}

/// The rates behind [`EventCounts`]; `None` where there is nothing to divide by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventFigures {
    /// Cues with a true positive, of all cues.
    pub true_positive_rate: Option<f64>,
    /// False positives, wherever they fell, per minute of idle.
    pub false_positives_per_idle_min: Option<f64>,
    /// From the start of the task to the true positive.
    pub onset_latency_secs: Option<Quartiles>,
    /// Cues given.
    pub n_cues: u64,
    /// True positives.
    pub n_true_positives: u64,
    /// False positives.
    pub n_false_positives: u64,
}

/// Events of one recording's decisions, in the order of their windows' ends.
///
/// `step_samples` is what tells a missing window; `dwell_windows` of 0 counts as 1.
pub fn count_events(
    decisions: impl IntoIterator<Item = (SampleIndex, ClassIdx)>,
    step_samples: usize,
    dwell_windows: usize,
    cues: &[OpenCue],
    rate: SampleRate,
) -> EventCounts {
    let mut counts = EventCounts { n_cues: cues.len() as u64, ..EventCounts::default() };
    let mut is_hit = vec![false; cues.len()];
    let (mut previous, mut n_in_run) = (None, 0_usize);
    for (end, class) in decisions {
        let expected =
            previous.map(|(e, c): (SampleIndex, ClassIdx)| (e.0 + step_samples as u64, c));
        n_in_run = if expected == Some((end.0, class)) { n_in_run + 1 } else { 1 };
        previous = Some((end, class));
        if class == ClassIdx::IDLE || n_in_run != dwell_windows.max(1) {
            continue;
        }
        let open =
            |i: &usize| cues[*i].class == class && cues[*i].open.contains(&end.0) && !is_hit[*i];
        let latest = (0..cues.len())
            .filter(open)
            .max_by(|a, b| cues[*a].task_start_secs.total_cmp(&cues[*b].task_start_secs));
        match latest {
            Some(i) => {
                is_hit[i] = true;
                counts.n_hits += 1;
                counts.latencies_secs.push(rate.secs(end) - cues[i].task_start_secs);
            }
            None => counts.n_false += 1,
        }
    }
    counts
}

impl EventCounts {
    /// Pools another recording's events.
    pub fn add(&mut self, other: &Self) {
        self.n_cues += other.n_cues;
        self.n_hits += other.n_hits;
        self.n_false += other.n_false;
        self.idle_secs += other.idle_secs;
        self.latencies_secs.extend_from_slice(&other.latencies_secs);
    }

    /// The rates.
    pub fn figures(&self) -> EventFigures {
        let ratio = |a: u64, b: f64| (b > 0.0).then(|| a as f64 / b);
        let quantile = |q| stats::percentile(&self.latencies_secs, q);
        EventFigures {
            true_positive_rate: ratio(self.n_hits, self.n_cues as f64),
            false_positives_per_idle_min: ratio(self.n_false, self.idle_secs / 60.0),
            onset_latency_secs: quantile(25.0)
                .zip(quantile(50.0))
                .zip(quantile(75.0))
                .map(|((lower, median), upper)| Quartiles { lower, median, upper }),
            n_cues: self.n_cues,
            n_true_positives: self.n_hits,
            n_false_positives: self.n_false,
        }
    }
}
