//! The running score of a live session: a listener to its cues and decisions.
//!
//! It gives the confusion that the batch labels give for the same cues and decisions.
//! A window is *settled*, and scored, once decisions have come as far as
//! [`SETTLE_SECS`] after its end (or as was asked), so that a cue may arrive late by
//! that much; at the stream's end everything is settled. A cue that is later still
//! changes only the windows that are not settled.
//!
//! Memory is bounded: decisions wait for at most the settling time, at most
//! [`MAX_CUES`] cues are kept, and the windows behind the interval occupy at most
//! 1 MiB: when that is full, neighbours of a run are folded into one (so that each
//! finished run keeps one row of `n_classes^2` counts at least).

use crate::evaluate::labels::{Histogram, paint};
use crate::evaluate::score::ScoreOptions;
use crate::metric::confusion::Confusion;
use crate::metric::nmcc;
use crate::session::event::Decision;
use crate::stats::Interval;
use crate::stats::bootstrap::CountRows;
use acquisition::marker::{ClassIdx, Cue};
use serde::Serialize;
use std::collections::VecDeque;

/// How late a cue may arrive by default.
pub const SETTLE_SECS: f64 = 0.5;
/// Cues kept at most; of more, the one with the earliest onset is dropped and counted.
pub const MAX_CUES: usize = 1024;
/// Counts kept for the interval at most.
const MAX_CELLS: usize = 1 << 18;

/// What is shown of a running session. Scores are `None` until windows of two true
/// classes were scored, for no figure of one class means anything.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreSummary {
    /// Normalised Matthews correlation.
    pub nmcc: Option<f64>,
    /// Information transfer rate in bits/min.
    pub itr_bits_per_min: Option<f64>,
    /// Mean recall over the classes seen.
    pub balanced_accuracy: Option<f64>,
    /// 95 % interval of `nmcc` (moving-block bootstrap); `None` also below five blocks.
    pub interval: Option<Interval>,
    /// 95 % interval of `itr_bits_per_min`, from the same resamples.
    pub itr_interval: Option<Interval>,
    /// Settled windows, true classes in rows.
    pub confusion: Confusion,
    /// Windows scored.
    pub n_windows: u64,
    /// Classes present in the truth so far.
    pub n_true_classes: usize,
    /// Windows decided but not settled.
    pub n_pending: usize,
    /// Cues lost because [`MAX_CUES`] were waiting; windows under them are mislabelled.
    pub n_dropped_cues: u64,
    /// Decisions that did not come after the one before, and were not scored.
    pub n_out_of_order: u64,
}

/// The state of a running score.
#[derive(Debug)]
pub struct RunningScore {
    options: ScoreOptions,
    settle_samples: u64,
    /// By onset; of equal onsets in order of arrival.
    cues: VecDeque<Cue>,
    pending: VecDeque<Decision>,
    /// End of the latest decision of the run.
    decided_to: Option<u64>,
    scorer: Scorer,
    n_dropped_cues: u64,
    n_out_of_order: u64,
}

impl RunningScore {
    /// No decisions yet; `settle_secs` is how late a cue may arrive.
    pub fn new(options: ScoreOptions, settle_secs: f64) -> Self {
        let settle_samples = options.rate.samples(settle_secs).max(0) as u64;
        Self {
            options,
            settle_samples,
            cues: VecDeque::with_capacity(MAX_CUES),
            pending: VecDeque::new(),
            decided_to: None,
            scorer: Scorer::new(&options),
            n_dropped_cues: 0,
            n_out_of_order: 0,
        }
    }

    /// Takes a cue, in any order of onsets.
    ///
    /// Thread: the listener's. Allocation: none.
    pub fn push_cue(&mut self, cue: Cue) {
        if cue.class.index() >= self.options.n_classes || !cue.onset_secs.is_finite() {
            return;
        }
        if self.cues.len() == MAX_CUES {
            self.cues.pop_front();
            self.n_dropped_cues += 1;
        }
        let place = self.cues.partition_point(|c| c.onset_secs <= cue.onset_secs);
        self.cues.insert(place, cue);
    }

    /// Takes a decision and scores the windows that it settles. Samples lost before it
    /// need no notice: only windows that were decided are scored.
    ///
    /// Thread: the listener's, never the decoding thread. Allocation: grows now and then.
    pub fn push_decision(&mut self, decision: Decision) {
        let end = decision.end.0;
        if self.decided_to.is_some_and(|last| end <= last) {
            self.n_out_of_order += 1;
            return;
        }
        self.decided_to = Some(end);
        self.pending.push_back(decision);
        while let Some(first) = self.pending.front()
            && end - first.end.0 >= self.settle_samples
        {
            self.settle_first();
        }
        self.forget_cues();
    }

    /// The stream or recording ended: settles every window and forgets the cues. A next
    /// run may follow, counted from its own sample 0 and pooled with this one.
    pub fn finish(&mut self) {
        while !self.pending.is_empty() {
            self.settle_first();
        }
        self.cues.clear();
        self.decided_to = None;
        self.scorer.end_run();
    }

    /// The scores so far. The interval is computed anew when a block of windows has
    /// been added since the last time (some ms) and after the end, else remembered.
    ///
    /// Thread: the listener's, never the decoding thread.
    pub fn summary(&mut self) -> ScoreSummary {
        let confusion = self.scorer.confusion.clone();
        let n_true_classes = confusion.n_true_classes();
        let [interval, itr_interval] = self.scorer.intervals(&self.options);
        let defined = |value: f64| (n_true_classes >= 2).then_some(value);
        let ScoreOptions { itr, window, rate, .. } = self.options;
        ScoreSummary {
            nmcc: defined(nmcc(&confusion)),
            itr_bits_per_min: defined(itr.bits_per_min(&confusion, window, rate)),
            balanced_accuracy: defined(confusion.balanced_accuracy()),
            interval: interval.filter(|_| n_true_classes >= 2),
            itr_interval: itr_interval.filter(|_| n_true_classes >= 2),
            n_windows: confusion.total(),
            n_true_classes,
            confusion,
            n_pending: self.pending.len(),
            n_dropped_cues: self.n_dropped_cues,
            n_out_of_order: self.n_out_of_order,
        }
    }

    fn settle_first(&mut self) {
        let Some(decision) = self.pending.pop_front() else { return };
        self.scorer.score(&decision, &self.cues, &self.options);
    }

    /// Drops the cues whose task ends before every window that may still come.
    fn forget_cues(&mut self) {
        let Some(oldest) = self.pending.front().map(|d| d.end.0).or(self.decided_to) else {
            return;
        };
        let from = (oldest + 1).saturating_sub(self.options.window.window_samples as u64);
        let ScoreOptions { interval, rate, .. } = self.options;
        self.cues.retain(|cue| interval.samples(cue, rate).end > from);
    }
}

/// The settled part.
#[derive(Debug)]
struct Scorer {
    confusion: Confusion,
    histogram: Histogram,
    /// Labels of the samples of the window at hand.
    labels: Vec<ClassIdx>,
    rows: CountRows,
    windows_per_row: usize,
    n_in_last_row: usize,
    /// Of nMCC and of ITR.
    intervals: [Option<Interval>; 2],
    /// Settled windows, and how many of them the remembered interval has seen.
    n_settled: u64,
    n_settled_at_interval: u64,
}

impl Scorer {
    fn new(options: &ScoreOptions) -> Self {
        let n_scored = options.idle.n_scored(options.n_classes);
        Self {
            confusion: Confusion::new(n_scored),
            histogram: Histogram::new(options.n_classes),
            labels: vec![ClassIdx::IDLE; options.window.window_samples],
            rows: CountRows::new(n_scored),
            windows_per_row: 1,
            n_in_last_row: 0,
            intervals: [None; 2],
            n_settled: 0,
            n_settled_at_interval: 0,
        }
    }

    fn score(&mut self, decision: &Decision, cues: &VecDeque<Cue>, options: &ScoreOptions) {
        let first = (decision.end.0 + 1).saturating_sub(self.labels.len() as u64);
        self.labels.fill(ClassIdx::IDLE);
        for cue in cues {
            paint(&mut self.labels, first, &options.interval.samples(cue, options.rate), cue.class);
        }
        let truth = self.histogram.label_of(&self.labels, options.label_rule);
        let row = truth.and_then(|truth| options.idle.row(truth));
        let cell = row.map(|row| {
            let column = options.idle.column(decision);
            self.confusion.record(row, column);
            row.index() * self.confusion.n_classes() + column.index()
        });
        self.push(cell);
    }

    /// A window that is not scored keeps its place in its block.
    fn push(&mut self, cell: Option<usize>) {
        self.n_settled += 1;
        if self.n_in_last_row == self.windows_per_row || self.n_in_last_row == 0 {
            self.make_room();
            self.rows.push_row();
            self.n_in_last_row = 0;
        }
        self.n_in_last_row += 1;
        if let Some((cell, row)) = cell.zip(self.rows.last_row()) {
            row[cell] += 1;
        }
    }

    fn make_room(&mut self) {
        let n_cells = self.confusion.as_slice().len();
        if (self.rows.n_rows() + 1) * n_cells > MAX_CELLS {
            self.rows.fold_pairs();
            self.windows_per_row *= 2;
        }
    }

    fn end_run(&mut self) {
        self.rows.end_run();
        self.n_in_last_row = 0;
        // What is shown at the end is final, so the interval is of all windows.
        self.n_settled_at_interval = 0;
    }

    /// Of nMCC and of ITR.
    fn intervals(&mut self, options: &ScoreOptions) -> [Option<Interval>; 2] {
        let block_windows = options.block_windows();
        let n_new = self.n_settled - self.n_settled_at_interval;
        if n_new >= block_windows as u64 {
            let block_rows = block_windows.div_ceil(self.windows_per_row);
            let n_classes = self.confusion.n_classes();
            let itr = |counts: &[u64]| {
                let confusion = Confusion::from_counts(n_classes, counts);
                options.itr.bits_per_min(&confusion, options.window, options.rate)
            };
            self.intervals =
                [self.rows.nmcc_interval(block_rows), self.rows.interval_of(block_rows, itr)];
            self.n_settled_at_interval = self.n_settled;
        }
        self.intervals
    }
}

#[cfg(test)]
mod tests;
