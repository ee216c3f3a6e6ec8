//! Scores of a subject's decisions, per run, pooled, and over subjects.

use crate::evaluate::labels::{LabelRule, TaskInterval};
use crate::metric::confusion::Confusion;
use crate::metric::event_based::{EventCounts, EventFigures, OpenCue, count_events};
use crate::metric::itr::ItrOptions;
use crate::metric::{mcc, nmcc, roc_auc};
use crate::session::event::Decision;
use crate::stats::Interval;
use crate::stats::bootstrap::CountRows;
use crate::window::WindowSpec;
use acquisition::marker::{ClassIdx, Cue};
use acquisition::time::{SampleIndex, SampleRate};
use serde::{Deserialize, Serialize};

/// Whether idle is scored as a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// Every labelled window counts, idle is class 0.
    #[default]
    Include,
    /// Only windows labelled with a task class count, and the decision is the largest
    /// posterior among the task classes (ties: lowest index). The decoder is the same.
    Exclude,
}

/// All that a score depends on besides the decisions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreOptions {
    /// Classes of the configuration, idle included.
    pub n_classes: usize,
    /// Where windows lie.
    pub window: WindowSpec,
    /// Rate of the recordings.
    pub rate: SampleRate,
    /// When, after a cue, its task is performed.
    pub interval: TaskInterval,
    /// Which class a mixed window has.
    pub label_rule: LabelRule,
    /// Whether idle is scored as a class.
    pub idle: Idle,
    /// What the information transfer rate is computed from.
    pub itr: ItrOptions,
    /// Windows of one class in a row that make an event.
    pub dwell_windows: usize,
}

/// One decided window with its truth: the row of the per-window file, from which
/// every figure can be recomputed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowRecord {
    /// Which of the subject's runs, in the order of the evaluation.
    pub run: u32,
    /// Index of the window's last sample in that run.
    pub end: SampleIndex,
    /// Its label; `None` where the label rule gives none, and then it is not scored.
    pub truth: Option<ClassIdx>,
    /// What was decided.
    pub decision: Decision,
}

/// A scored run: the decisions, and the truth they are held against.
#[derive(Clone, Debug)]
pub struct ScoredRun {
    /// The run's number, as in its records.
    pub run: u32,
    /// Index of the first scored sample: 0, but where the run's head calibrated.
    pub first_sample: SampleIndex,
    /// Class of each scored sample, from `first_sample` to the run's end.
    pub labels: Vec<ClassIdx>,
    /// The cues whose tasks begin there.
    pub cues: Vec<Cue>,
    /// Decided windows that lie wholly there, in time order.
    pub records: Vec<WindowRecord>,
}

/// The figures of one set of windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Normalised Matthews correlation: 0.5 is chance.
    pub nmcc: f64,
    /// Matthews correlation.
    pub mcc: f64,
    /// Information transfer rate, as [`ScoreOptions::itr`] says.
    pub itr_bits_per_min: f64,
    /// Mean recall over the classes present in the truth.
    pub balanced_accuracy: f64,
    /// Share of right windows.
    pub accuracy: f64,
    /// Cohen's kappa.
    pub kappa: f64,
    /// ROC-AUC, where exactly two classes are scored.
    pub auc: Option<f64>,
    /// Windows scored.
    pub n_windows: u64,
    /// True classes in rows, in the order of the configuration; idle first where included.
    pub confusion: Confusion,
    /// nMCC over the task classes alone ([`Idle::Exclude`]), whatever the options say.
    pub nmcc_idle_excluded: f64,
    /// The confusion behind it.
    pub confusion_idle_excluded: Confusion,
    /// ROC-AUC of two task classes against each other; `None` for other numbers.
    pub auc_idle_excluded: Option<f64>,
    /// 95 % interval of `nmcc` (moving-block bootstrap); `None` where the windows are
    /// too few, and for single runs.
    pub interval: Option<Interval>,
}

/// What one subject scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectScore {
    /// All runs in one confusion matrix.
    pub pooled: Score,
    /// Each run by itself, with its number.
    pub per_run: Vec<(u32, Score)>,
    /// Event-based figures of all runs.
    pub events: EventFigures,
}

impl Idle {
    /// Classes scored, of `n_classes` with idle.
    pub fn n_scored(self, n_classes: usize) -> usize {
        match self {
            Self::Include => n_classes,
            Self::Exclude => n_classes.saturating_sub(1),
        }
    }

    /// A true class as a row of the scored confusion; `None` where it is not scored.
    /// No allocation.
    pub fn row(self, truth: ClassIdx) -> Option<ClassIdx> {
        match self {
            Self::Include => Some(truth),
            Self::Exclude => truth.0.checked_sub(1).map(ClassIdx),
        }
    }

    /// A decision as a column of the scored confusion. No allocation.
    pub fn column(self, decision: &Decision) -> ClassIdx {
        match self {
            Self::Include => decision.class(),
            Self::Exclude => {
                let tasks = decision.posterior.as_slice().get(1..).unwrap_or_default();
                crate::decoder::decide_class(tasks)
            }
        }
    }

    /// The `(row, column)` a window counts in.
    fn pair(self, truth: Option<ClassIdx>, decision: &Decision) -> Option<(ClassIdx, ClassIdx)> {
        Some((self.row(truth?)?, self.column(decision)))
    }

    /// Confusion matrix of `records`.
    pub fn confusion(self, records: &[WindowRecord], n_classes: usize) -> Confusion {
        let pairs = records.iter().filter_map(|r| self.pair(r.truth, &r.decision));
        Confusion::from_pairs(self.n_scored(n_classes), pairs)
    }

    /// ROC-AUC where two classes are scored: the second one's posterior ranks, relative
    /// to the two.
    fn auc(self, records: &[WindowRecord], n_classes: usize) -> Option<f64> {
        if self.n_scored(n_classes) != 2 {
            return None;
        }
        let mut windows: Vec<_> = records
            .iter()
            .filter_map(|r| {
                let row = self.row(r.truth?)?;
                let posterior = r.decision.posterior.as_slice();
                let two = posterior.get(posterior.len().checked_sub(2)?..)?;
                let sum = two[0] + two[1];
                let share = if sum > 0.0 { two[1] / sum } else { 0.5 };
                Some((share, row == ClassIdx(1)))
            })
            .collect();
        roc_auc(&mut windows)
    }
}

impl ScoreOptions {
    /// Windows in the longest task interval: the block of the bootstrap.
    pub fn block_windows(&self) -> usize {
        self.interval.n_samples(self.rate).div_ceil(self.window.step_samples.max(1)).max(1)
    }

    /// A cue as events see it: open until half a window after its task.
    pub fn open_cue(&self, cue: &Cue) -> OpenCue {
        let task = self.interval.samples(cue, self.rate);
        OpenCue {
            class: cue.class,
            open: task.start..task.end + self.window.window_samples.div_ceil(2) as u64,
            task_start_secs: cue.onset_secs + self.interval.tmin_secs,
        }
    }

    /// Score without an interval.
    fn score(&self, records: &[WindowRecord]) -> Score {
        let confusion = self.idle.confusion(records, self.n_classes);
        let tasks = Idle::Exclude.confusion(records, self.n_classes);
        Score {
            nmcc: nmcc(&confusion),
            mcc: mcc(&confusion),
            itr_bits_per_min: self.itr.bits_per_min(&confusion, self.window, self.rate),
            balanced_accuracy: confusion.balanced_accuracy(),
            accuracy: confusion.accuracy(),
            kappa: confusion.kappa(),
            auc: self.idle.auc(records, self.n_classes),
            n_windows: confusion.total(),
            nmcc_idle_excluded: nmcc(&tasks),
            auc_idle_excluded: Idle::Exclude.auc(records, self.n_classes),
            confusion_idle_excluded: tasks,
            confusion,
            interval: None,
        }
    }

    /// Moving-block interval over runs; windows that are not scored keep their place.
    fn interval(&self, records: &[WindowRecord]) -> Option<Interval> {
        let n_scored = self.idle.n_scored(self.n_classes);
        let mut rows = CountRows::new(n_scored);
        for of_run in records.chunk_by(|a, b| a.run == b.run) {
            for record in of_run {
                let row = rows.push_row();
                if let Some((t, p)) = self.idle.pair(record.truth, &record.decision) {
                    row[t.index() * n_scored + p.index()] += 1;
                }
            }
            rows.end_run();
        }
        rows.nmcc_interval(self.block_windows())
    }
}

/// Score of one subject's `records`, pooled over runs, with its interval. Records of a
/// run are neighbours and in time order.
///
/// # Panics
/// Where a class is not below `n_classes`: records of another configuration.
pub fn score(records: &[WindowRecord], options: &ScoreOptions) -> Score {
    Score { interval: options.interval(records), ..options.score(records) }
}

/// Everything about one subject: pooled, per run, and events.
pub fn score_subject(runs: &[ScoredRun], options: &ScoreOptions) -> SubjectScore {
    let records: Vec<_> = runs.iter().flat_map(|run| run.records.iter().copied()).collect();
    let mut events = EventCounts::default();
    for run in runs {
        events.add(&run_events(run, options));
    }
    SubjectScore {
        pooled: score(&records, options),
        per_run: runs.iter().map(|run| (run.run, options.score(&run.records))).collect(),
        events: events.figures(),
    }
}

/// Events of one run. Decisions include idle whatever [`ScoreOptions::idle`] says.
fn run_events(run: &ScoredRun, options: &ScoreOptions) -> EventCounts {
    let cues: Vec<_> = run.cues.iter().map(|cue| options.open_cue(cue)).collect();
    let decisions = run.records.iter().map(|r| (r.end, r.decision.class()));
    let step = options.window.step_samples;
    let counts = count_events(decisions, step, options.dwell_windows, &cues, options.rate);
    let n_idle = run.labels.iter().filter(|label| **label == ClassIdx::IDLE).count();
    EventCounts { idle_secs: n_idle as f64 / options.rate.hz(), ..counts }
}

#[cfg(test)]
pub(crate) mod tests;
