//! Labels: the class of every sample and of every window, from cues.
//!
//! Every sample of a continuous recording has a class; outside all task intervals it
//! is idle. Nothing is cut out.

use crate::window::WindowSpec;
use acquisition::marker::{ClassIdx, Cue};
use acquisition::time::{SampleIndex, SampleRate};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// When, after a cue, its task is performed: `[tmin, tmax)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskInterval {
    /// Start in seconds after the cue.
    pub tmin_secs: f64,
    /// End in seconds after the cue.
    pub tmax_secs: f64,
}

impl TaskInterval {
    /// Samples of a cue's task: `round((cue + tmin) * rate) .. round((cue + tmax) * rate)`,
    /// half to even. What lies before sample 0 is cut; an onset that is no number and an
    /// interval that ends before it begins hold no sample.
    pub fn samples(self, cue: &Cue, rate: SampleRate) -> Range<u64> {
        let at = |secs: f64| rate.samples(cue.onset_secs + secs).max(0) as u64;
        if !cue.onset_secs.is_finite() {
            return 0..0;
        }
        let start = at(self.tmin_secs);
        start..at(self.tmax_secs).max(start)
    }

    /// Its length in samples, `round((tmax - tmin) * rate)`.
    pub fn n_samples(self, rate: SampleRate) -> usize {
        rate.samples(self.tmax_secs - self.tmin_secs).max(0) as usize
    }
}

/// Which class a window of several classes has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelRule {
    /// The class of most of its samples; on a tie that of its last sample if it is
    /// among the tied, else the highest.
    #[default]
    Majority,
    /// The class of its last sample.
    EndSample,
    /// The class of all its samples; a mixed window has none: it is decided, not scored.
    FullOverlap,
}

/// Class of each of `n_samples` samples. Where intervals overlap, the cue with the
/// later onset wins (of equal onsets the later in `cues`).
pub fn sample_labels(
    cues: &[Cue],
    interval: TaskInterval,
    rate: SampleRate,
    n_samples: usize,
) -> Vec<ClassIdx> {
    let mut labels = vec![ClassIdx::IDLE; n_samples];
    for cue in in_time_order(cues) {
        paint(&mut labels, 0, &interval.samples(&cue, rate), cue.class);
    }
    labels
}

/// `cues` by onset; equal onsets stay in their order.
pub(crate) fn in_time_order(cues: &[Cue]) -> Vec<Cue> {
    let mut cues = cues.to_vec();
    cues.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
    cues
}

/// Gives the samples of `task` their class in `labels`, which begin at sample `first`.
pub(crate) fn paint(labels: &mut [ClassIdx], first: u64, task: &Range<u64>, class: ClassIdx) {
    let position = |sample: u64| sample.saturating_sub(first).min(labels.len() as u64) as usize;
    let span = position(task.start)..position(task.end);
    labels[span].fill(class);
}

/// Label of each window `(n-W, n]`, `n = W-1, W-1+S, ...`, of a recording; `None` only
/// under [`LabelRule::FullOverlap`]. Time is linear in the samples at any `W`.
///
/// # Panics
/// Where a label is not below `n_classes`: the caller mixed two configurations.
pub fn window_labels(
    labels: &[ClassIdx],
    spec: WindowSpec,
    n_classes: usize,
    rule: LabelRule,
) -> Vec<Option<ClassIdx>> {
    let mut histogram = Histogram::new(n_classes);
    let mut out = Vec::with_capacity(spec.count(labels.len()));
    for (n, label) in labels.iter().enumerate() {
        histogram.counts[label.index()] += 1;
        if let Some(left) = n.checked_sub(spec.window_samples) {
            histogram.counts[labels[left].index()] -= 1;
        }
        let since_first = (n + 1).checked_sub(spec.window_samples);
        if since_first.is_some_and(|k| k % spec.step_samples == 0) {
            out.push(histogram.label(*label, rule));
        }
    }
    out
}

/// Number of samples of each class in one window.
#[derive(Debug)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
}

impl Histogram {
    pub(crate) fn new(n_classes: usize) -> Self {
        Self { counts: vec![0; n_classes] }
    }

    /// Counts the samples of one window anew and gives its label.
    pub(crate) fn label_of(&mut self, window: &[ClassIdx], rule: LabelRule) -> Option<ClassIdx> {
        self.counts.fill(0);
        for label in window {
            self.counts[label.index()] += 1;
        }
        self.label(*window.last()?, rule)
    }

    /// The window's label, given that of its last sample.
    fn label(&self, last: ClassIdx, rule: LabelRule) -> Option<ClassIdx> {
        let most = *self.counts.iter().max()?;
        match rule {
            LabelRule::EndSample => Some(last),
            LabelRule::Majority if self.counts[last.index()] == most => Some(last),
            LabelRule::Majority => {
                self.counts.iter().rposition(|n| *n == most).map(|k| ClassIdx(k as u8))
            }
            LabelRule::FullOverlap => {
                (self.counts.iter().filter(|n| **n > 0).count() == 1).then_some(last)
            }
        }
    }
}

/// Window labels of the recording bent into a circle: element `n` is the label of the
/// window that ends at sample `n` and may begin at the recording's end. Rotating the
/// samples rotates this sequence, which makes every rotation a look-up.
pub(crate) fn circular_window_labels(
    labels: &[ClassIdx],
    window_samples: usize,
    n_classes: usize,
    rule: LabelRule,
) -> Vec<Option<ClassIdx>> {
    let lead = window_samples.saturating_sub(1).min(labels.len());
    let unrolled = [&labels[labels.len() - lead..], labels].concat();
    window_labels(&unrolled, WindowSpec { window_samples, step_samples: 1 }, n_classes, rule)
}

/// Which training examples to keep, in time order: all of the tasks', and of idle at
/// most as many as the largest task class has (`m`), taken evenly as
/// `floor(i * n_idle / m)`, `i = 0..m`. No random draw is involved.
pub fn thin_idle(labels: &[ClassIdx]) -> Vec<usize> {
    let mut n_per_class = [0_usize; 256];
    for label in labels {
        n_per_class[label.index()] += 1;
    }
    let n_idle = n_per_class[ClassIdx::IDLE.index()];
    let largest = n_per_class[1..].iter().copied().max().unwrap_or(0);
    let mut kept = Vec::with_capacity(labels.len());
    let (mut idle_idx, mut n_kept) = (0, 0);
    for (i, label) in labels.iter().enumerate() {
        if *label != ClassIdx::IDLE {
            kept.push(i);
            continue;
        }
        if n_idle <= largest || (n_kept < largest && idle_idx == n_kept * n_idle / largest) {
            kept.push(i);
            n_kept += 1;
        }
        idle_idx += 1;
    }
    kept
}

/// One training epoch: samples of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialSpan {
    /// Index of its first sample.
    pub start: SampleIndex,
    /// Number of samples.
    pub n_samples: usize,
    /// Its class.
    pub class: ClassIdx,
}

impl TrialSpan {
    /// A cue at its first sample, so that epochs can be cut there.
    pub fn as_cue(&self, rate: SampleRate) -> Cue {
        Cue { onset_secs: rate.secs(self.start), class: self.class }
    }
}

/// The epochs of a recording for training on trials, in order of their first samples:
/// one per cue over its task interval, and of idle all pieces of
/// [`TaskInterval::n_samples`], laid end to end from the start of each idle stretch.
/// Epochs that the recording cuts short are left out. Thin the idle ones with
/// [`thin_idle`] after those of all calibration runs were put together.
pub fn trial_spans(
    cues: &[Cue],
    interval: TaskInterval,
    rate: SampleRate,
    n_samples: usize,
) -> Vec<TrialSpan> {
    let mut spans: Vec<TrialSpan> = in_time_order(cues)
        .iter()
        .map(|cue| (interval.samples(cue, rate), cue))
        .filter(|(task, cue)| {
            let starts_inside = rate.samples(cue.onset_secs + interval.tmin_secs) >= 0;
            starts_inside && !task.is_empty() && task.end <= n_samples as u64
        })
        .map(|(task, cue)| TrialSpan {
            start: SampleIndex(task.start),
            n_samples: (task.end - task.start) as usize,
            class: cue.class,
        })
        .collect();
    let labels = sample_labels(cues, interval, rate, n_samples);
    let piece = interval.n_samples(rate).max(1);
    let mut start = 0;
    for stretch in labels.chunk_by(|a, b| a == b) {
        if stretch[0] == ClassIdx::IDLE {
            spans.extend((0..stretch.len() / piece).map(|i| TrialSpan {
                start: SampleIndex((start + i * piece) as u64),
                n_samples: piece,
                class: ClassIdx::IDLE,
            }));
        }
        start += stretch.len();
    }
    spans.sort_by_key(|span| span.start);
    spans
}

#[cfg(test)]
mod tests;
