//! What a score has to beat before it is called one.
//!
//! A decoder can look right by chance, by temporal drift, or by knowing the paradigm's
//! timing. Three nulls stand against these: the *clock* (timing alone, no EEG), the
//! *shift* (the same predictions against a rotated truth) and the *label* null (the
//! decoder refitted to permuted cues; here are its permutations, the refit is the
//! caller's).

use crate::evaluate::labels::circular_window_labels;
use crate::evaluate::score::{Idle, ScoreOptions, ScoredRun, WindowRecord};
use crate::metric::confusion::Confusion;
use crate::metric::nmcc::nmcc_of_counts;
use acquisition::marker::{ClassIdx, Cue};
use acquisition::time::SampleIndex;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rotations of the shift null by default.
pub const N_SHIFTS: usize = 999;
/// Permutations of the label null by default: the smallest p is 0.05.
pub const N_PERMUTATIONS: usize = 19;
/// A null is beaten where its p is at most this.
pub const SIGNIFICANCE: f64 = 0.05;
/// Seed of both nulls.
pub const SEED: u64 = 0;

/// The class that calibration had at each time after its runs' first sample: what the
/// paradigm's timing alone predicts.
#[derive(Clone, Debug)]
pub struct Clock {
    n_classes: usize,
    /// Votes per class for windows that end at a sample.
    votes: BTreeMap<SampleIndex, Vec<u32>>,
}

impl Clock {
    /// Counts the labelled windows of all calibration runs (before thinning), each by
    /// the index of its last sample in its run.
    ///
    /// # Panics
    /// Where a class is not below `n_classes`.
    pub fn fit(
        windows: impl IntoIterator<Item = (SampleIndex, ClassIdx)>,
        n_classes: usize,
    ) -> Self {
        let mut votes = BTreeMap::new();
        for (end, class) in windows {
            votes.entry(end).or_insert_with(|| vec![0; n_classes])[class.index()] += 1;
        }
        Self { n_classes, votes }
    }

    /// The majority over calibration runs for the window that ends at `end`, as a
    /// column of the scored confusion; a tie goes to the lowest class. Where
    /// calibration had no such window it is the lowest: idle, if that is scored.
    pub fn predict(&self, end: SampleIndex, idle: Idle) -> ClassIdx {
        let first = self.n_classes - idle.n_scored(self.n_classes);
        let votes = self.votes.get(&end).and_then(|votes| votes.get(first..));
        let mut best = 0;
        for (k, n) in votes.unwrap_or_default().iter().enumerate() {
            if *n > votes.unwrap_or_default()[best] {
                best = k;
            }
        }
        ClassIdx(best as u8)
    }

    /// What the clock scores on `records`; their decisions are not looked at.
    pub fn confusion(&self, records: &[WindowRecord], idle: Idle) -> Confusion {
        let pairs =
            records.iter().filter_map(|r| Some((idle.row(r.truth?)?, self.predict(r.end, idle))));
        Confusion::from_pairs(idle.n_scored(self.n_classes), pairs)
    }
}

/// nMCC of the unchanged predictions against the true labels of *samples* rotated
/// within each run, `n_shifts` times, by offsets drawn uniformly from `[W, n-W]`; the
/// windows' labels are taken anew from the rotated samples.
///
/// `None` where a run is shorter than two windows, so that there is no such offset, or
/// where nothing was scored. Deterministic in `seed`. Batch; a few milliseconds per
/// subject, because the label of every window at every rotation is computed once, on
/// the circle.
///
/// # Panics
/// Where a class is not below `n_classes`: records of another configuration.
pub fn shift_null(
    runs: &[ScoredRun],
    options: &ScoreOptions,
    n_shifts: usize,
    seed: u64,
) -> Option<Vec<f64>> {
    let circles: Vec<_> =
        runs.iter().map(|run| Circle::new(run, options)).collect::<Option<_>>()?;
    if circles.iter().all(|circle| circle.decided.is_empty()) {
        return None;
    }
    let n_scored = options.idle.n_scored(options.n_classes);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = vec![0_u64; n_scored * n_scored];
    let nulls = (0..n_shifts).map(|_| {
        counts.fill(0);
        for circle in &circles {
            let last = circle.rows.len() - options.window.window_samples;
            let offset = rng.random_range(options.window.window_samples..=last);
            circle.count_rotated(offset, n_scored, &mut counts);
        }
        nmcc_of_counts(n_scored, &counts)
    });
    Some(nulls.collect())
}

/// A run bent into a circle.
struct Circle {
    /// Row of the window that ends at each sample; `u8::MAX` where it is not scored.
    rows: Vec<u8>,
    /// Last sample and column of each decided window.
    decided: Vec<(usize, u8)>,
}

const NOT_SCORED: u8 = u8::MAX;

impl Circle {
    fn new(run: &ScoredRun, options: &ScoreOptions) -> Option<Self> {
        let window_samples = options.window.window_samples;
        if run.labels.len() < 2 * window_samples {
            return None;
        }
        let labels = circular_window_labels(
            &run.labels,
            window_samples,
            options.n_classes,
            options.label_rule,
        );
        let row = |label: Option<ClassIdx>| {
            label.and_then(|l| options.idle.row(l)).map_or(NOT_SCORED, |l| l.0)
        };
        let place = |record: &WindowRecord| {
            let end = record.end.0.checked_sub(run.first_sample.0)? as usize;
            (end < labels.len()).then(|| (end, options.idle.column(&record.decision).0))
        };
        let decided = run.records.iter().filter_map(place).collect();
        Some(Self { rows: labels.into_iter().map(row).collect(), decided })
    }

    /// Counts all windows after the truth was moved on by `offset` samples.
    fn count_rotated(&self, offset: usize, n_scored: usize, counts: &mut [u64]) {
        for (end, column) in &self.decided {
            let unrotated = match end.checked_sub(offset) {
                Some(sample) => sample,
                None => end + self.rows.len() - offset,
            };
            let row = self.rows[unrotated];
            if row != NOT_SCORED {
                counts[usize::from(row) * n_scored + usize::from(*column)] += 1;
            }
        }
    }
}

/// The cues of each calibration run with their classes permuted among them, onsets
/// kept. Number `permutation` is the same whatever others were drawn, so that refits
/// may run in any order.
pub fn permute_cues(runs: &[Vec<Cue>], permutation: u64, seed: u64) -> Vec<Vec<Cue>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(permutation);
    let permuted = runs.iter().map(|cues| {
        let mut classes: Vec<_> = cues.iter().map(|cue| cue.class).collect();
        classes.shuffle(&mut rng);
        cues.iter().zip(classes).map(|(cue, class)| Cue { class, ..*cue }).collect()
    });
    permuted.collect()
}

/// `p = (1 + #{null >= observed}) / (1 + N)`: the share of nulls that reach the
/// observed score, itself counted among them. A null that is no number counts as
/// reached.
pub fn p_value(observed: f64, nulls: &[f64]) -> f64 {
    let n_below = nulls.iter().filter(|null| **null < observed).count();
    (1 + nulls.len() - n_below) as f64 / (1 + nulls.len()) as f64
}

/// Whether a null is as good as what was observed; one that is no number counts as that.
fn reaches(null: f64, observed: f64) -> bool {
    null >= observed || null.is_nan()
}

/// When drawing from a null ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// After all draws.
    #[default]
    Exhausted,
    /// As soon as p can't come to [`SIGNIFICANCE`] any more, whatever else is drawn.
    Hopeless,
}

impl Stop {
    /// The draws that decide, of those made so far out of `n_all`: up to the one at which
    /// drawing ends; `None` where more are needed.
    pub fn enough(self, observed: f64, drawn: &[f64], n_all: usize) -> Option<usize> {
        let most = self.most_reached(n_all);
        let reached = drawn.iter().enumerate().filter(|(_, null)| reaches(**null, observed));
        match reached.map(|(at, _)| at + 1).nth(most.saturating_sub(1)) {
            Some(n) if most > 0 => Some(n),
            _ => (drawn.len() >= n_all).then_some(n_all),
        }
    }

    /// Draws that are made side by side before it is asked again. A fixed number, so that
    /// the outcome is one.
    pub(crate) fn batch(self) -> usize {
        match self {
            Self::Exhausted => usize::MAX,
            Self::Hopeless => 4,
        }
    }

    /// Draws that reach the observed score at which it is hopeless; 0 where it never is.
    fn most_reached(self, n_all: usize) -> usize {
        match self {
            Self::Exhausted => 0,
            Self::Hopeless => ((n_all + 1) as f64 * SIGNIFICANCE * (1.0 + 1e-12)) as usize,
        }
    }

    /// The p-value of draws that ended: the share of those that reached the observed score
    /// where it ended early, never below what all draws would give, else [`p_value`].
    ///
    /// # Reference
    /// J. Besag, P. Clifford: Sequential Monte Carlo p-values (1991), doi
    /// 10.1093/biomet/78.2.301.
    pub fn p(self, observed: f64, drawn: &[f64], n_all: usize) -> f64 {
        let n_reached = drawn.iter().filter(|null| reaches(**null, observed)).count();
        let most = self.most_reached(n_all);
        if most > 0 && n_reached >= most {
            // At least what all draws would give: it is hopeless, and must look so.
            let least = (1 + n_reached) as f64 / (1 + n_all) as f64;
            least.max(n_reached as f64 / drawn.len() as f64)
        } else {
            p_value(observed, drawn)
        }
    }
}

/// What the nulls say of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The score exceeds the clock's, and p <= 0.05 for each null that was run.
    AboveChance,
    /// Not distinguishable from chance.
    NotDistinguishable,
}

/// The nulls that were run beside a score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Nulls {
    /// nMCC of the paradigm's timing.
    pub clock_nmcc: Option<f64>,
    /// Whether there is anything: rotated truth.
    pub shift_p: Option<f64>,
    /// Which class it is: permuted cues.
    pub label_p: Option<f64>,
}

impl Nulls {
    /// The verdict on `nmcc`; `None` where no permutation null was run, for the clock
    /// alone has no distribution.
    pub fn verdict(&self, nmcc: f64) -> Option<Verdict> {
        let mut p_values = self.shift_p.iter().chain(&self.label_p).peekable();
        p_values.peek()?;
        let above = p_values.all(|p| *p <= SIGNIFICANCE)
            && self.clock_nmcc.is_none_or(|clock| nmcc > clock);
        Some(if above { Verdict::AboveChance } else { Verdict::NotDistinguishable })
    }
}

#[cfg(test)]
mod tests;
