//! Splits of runs into a part that calibrates and a part that is scored: always
//! chronological, never shuffled, and impossible to build overlapping.
//!
//! A [`Split`] says *which samples*; windows and labels are `decoding`'s. Its two
//! sides have different types, [`Part<Calibration>`] and [`Part<Scored>`], which only a
//! checked split hands out: code that fits takes the former and can't be given the
//! latter.

use std::marker::PhantomData;
use std::ops::Range;

/// Numerator and denominator of the share of a single run's cues that calibrates.
const CALIBRATION_SHARE: (usize, usize) = (7, 10);

/// One run as far as splitting goes. Runs are listed in the order in which they
/// were recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSpan {
    /// The subject's number.
    pub subject: u32,
    /// The session's number within the subject.
    pub session: u32,
    /// Sample indices the run has, `0..n_samples`.
    pub n_samples: u64,
    /// Sample indices of the cues' onsets, in order.
    pub cue_onsets: Vec<u64>,
}

/// Why a split can't be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// One side would have nothing: list more runs, or let fewer calibrate.
    #[error("nothing is left {0}")]
    Empty(&'static str),
    /// A part is not inside its run: an error of the program that built it.
    #[error("run {run_idx} has no samples {first}..{end}")]
    OutOfRun {
        /// Index of the run.
        run_idx: usize,
        /// First sample asked for.
        first: u64,
        /// The sample after the last.
        end: u64,
    },
    /// Two parts share samples: an error of the program that built them.
    #[error("two parts share samples of run {run_idx}")]
    Overlap {
        /// Index of the run.
        run_idx: usize,
    },
    /// A session would be scored on samples from before its calibration's end: an
    /// error of the program that built it.
    #[error("run {run_idx} is scored before the calibration of its session ends")]
    NotChronological {
        /// Index of the scored run.
        run_idx: usize,
    },
    /// Runs of several sessions were listed where one is meant: split each by itself.
    #[error("runs of more than one session can't be split within a session")]
    SeveralSessions,
    /// The run has too few cues to be cut after 70 % of them: use a longer run, or two.
    #[error("a single run with {n_cues} cues is too short to calibrate and be scored")]
    TooFewCues {
        /// Cues it has.
        n_cues: usize,
    },
}

/// Samples that may be used for fitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calibration {}

/// Samples that are decided and scored, and are never fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scored {}

/// A range of samples of one run, on one side of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<Side> {
    run_idx: usize,
    samples: Range<u64>,
    side: PhantomData<Side>,
}

impl<Side> Part<Side> {
    /// Index of the run in the list that was split.
    pub fn run_idx(&self) -> usize {
        self.run_idx
    }

    /// Its sample indices.
    pub fn samples(&self) -> Range<u64> {
        self.samples.clone()
    }

    /// Whether a window of `window_samples` whose last sample is `last` lies wholly
    /// inside. Windows that straddle a part's border belong to no side.
    pub fn contains_window(&self, last: u64, window_samples: u64) -> bool {
        last < self.samples.end
            && (last + 1).checked_sub(window_samples).is_some_and(|n| n >= self.samples.start)
    }
}

/// What calibrates and what is scored. Once built, no sample is on both sides, and
/// within each session all calibration comes before all that is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    calibration: Vec<Part<Calibration>>,
    scored: Vec<Part<Scored>>,
}

impl Split {
    /// A split of `runs` into `(run index, sample indices)` on each side, checked.
    pub fn new(
        runs: &[RunSpan],
        calibration: Vec<(usize, Range<u64>)>,
        scored: Vec<(usize, Range<u64>)>,
    ) -> Result<Self, SplitError> {
        let split = Self { calibration: parts(calibration), scored: parts(scored) };
        if split.calibration.is_empty() {
            return Err(SplitError::Empty("to calibrate with"));
        }
        if split.scored.is_empty() {
            return Err(SplitError::Empty("to score"));
        }
        split.check_ranges(runs)?;
        split.check_overlap()?;
        split.check_order(runs)?;
        Ok(split)
    }

    /// The first `n_calibration_runs` of one session calibrate, the later ones are
    /// scored. A session of a single run is cut at the onset of its cue number
    /// `ceil(0.7 * n_cues)`, counted from 0.
    pub fn within_session(runs: &[RunSpan], n_calibration_runs: usize) -> Result<Self, SplitError> {
        let indices: Vec<usize> = (0..runs.len()).collect();
        let (calibration, scored) = within(runs, &indices, n_calibration_runs)?;
        Self::new(runs, calibration, scored)
    }

    /// [`Split::within_session`] of one session among runs of several. The others take no
    /// part.
    pub fn within_session_of(
        runs: &[RunSpan],
        subject: u32,
        session: u32,
        n_calibration_runs: usize,
    ) -> Result<Self, SplitError> {
        let is_in = |&i: &usize| runs[i].subject == subject && runs[i].session == session;
        let indices: Vec<usize> = (0..runs.len()).filter(is_in).collect();
        let (calibration, scored) = within(runs, &indices, n_calibration_runs)?;
        Self::new(runs, calibration, scored)
    }

    /// All other sessions of the subject calibrate, `session` is scored whole. Runs of
    /// other subjects take no part.
    pub fn cross_session(runs: &[RunSpan], subject: u32, session: u32) -> Result<Self, SplitError> {
        let of = |keep: &dyn Fn(&RunSpan) -> bool| {
            let is_kept = |(_, run): &(usize, &RunSpan)| run.subject == subject && keep(run);
            runs.iter().enumerate().filter(is_kept).map(|(i, run)| whole(i, run)).collect()
        };
        Self::new(runs, of(&|run| run.session != session), of(&|run| run.session == session))
    }

    /// All runs of the other subjects calibrate; of `subject` the runs are scored that
    /// [`Split::within_session`] scores in each session, so that the scores compare.
    pub fn cross_subject(
        runs: &[RunSpan],
        subject: u32,
        n_calibration_runs: usize,
    ) -> Result<Self, SplitError> {
        let others = runs.iter().enumerate().filter(|(_, run)| run.subject != subject);
        let calibration = others.map(|(i, run)| whole(i, run)).collect();
        let mut sessions: Vec<u32> =
            runs.iter().filter(|run| run.subject == subject).map(|run| run.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let mut scored = Vec::new();
        for session in sessions {
            let is_in = |&i: &usize| runs[i].subject == subject && runs[i].session == session;
            let indices: Vec<usize> = (0..runs.len()).filter(is_in).collect();
            scored.extend(within(runs, &indices, n_calibration_runs)?.1);
        }
        Self::new(runs, calibration, scored)
    }

    /// What may be fitted to, in the order of the runs.
    pub fn calibration(&self) -> &[Part<Calibration>] {
        &self.calibration
    }

    /// What is scored, in the order of the runs.
    pub fn scored(&self) -> &[Part<Scored>] {
        &self.scored
    }

    fn check_ranges(&self, runs: &[RunSpan]) -> Result<(), SplitError> {
        for (run_idx, samples) in self.ranges() {
            let inside = runs.get(run_idx).is_some_and(|run| samples.end <= run.n_samples);
            if !inside || samples.is_empty() {
                let (first, end) = (samples.start, samples.end);
                return Err(SplitError::OutOfRun { run_idx, first, end });
            }
        }
        Ok(())
    }

    fn check_overlap(&self) -> Result<(), SplitError> {
        let mut ranges: Vec<_> = self.ranges().map(|(run, r)| (run, r.start, r.end)).collect();
        ranges.sort_unstable();
        let shared = ranges.windows(2).find(|two| two[0].0 == two[1].0 && two[1].1 < two[0].2);
        shared.map_or(Ok(()), |two| Err(SplitError::Overlap { run_idx: two[0].0 }))
    }

    fn check_order(&self, runs: &[RunSpan]) -> Result<(), SplitError> {
        let session = |run_idx: usize| (runs[run_idx].subject, runs[run_idx].session);
        for scored in &self.scored {
            let at = (scored.run_idx, scored.samples.start);
            let is_later = |part: &&Part<Calibration>| {
                session(part.run_idx) == session(scored.run_idx)
                    && (part.run_idx, part.samples.start) > at
            };
            if self.calibration.iter().any(|part| is_later(&part)) {
                return Err(SplitError::NotChronological { run_idx: scored.run_idx });
            }
        }
        Ok(())
    }

    /// The parts of both sides.
    fn ranges(&self) -> impl Iterator<Item = (usize, Range<u64>)> {
        let calibration = self.calibration.iter().map(|p| (p.run_idx, p.samples.clone()));
        calibration.chain(self.scored.iter().map(|p| (p.run_idx, p.samples.clone())))
    }
}

/// Every run calibrates, wholly: for a model that will decide on what is recorded
/// later, so that there is nothing yet to keep apart.
pub fn calibrate_wholly(runs: &[RunSpan]) -> Vec<Part<Calibration>> {
    parts(runs.iter().enumerate().map(|(i, run)| whole(i, run)).collect())
}

/// Run indices and sample ranges.
type Ranges = Vec<(usize, Range<u64>)>;

/// The parts of one side, in the order of the runs.
fn parts<Side>(mut ranges: Ranges) -> Vec<Part<Side>> {
    ranges.sort_by_key(|(run_idx, samples)| (*run_idx, samples.start));
    let part = |(run_idx, samples)| Part { run_idx, samples, side: PhantomData };
    ranges.into_iter().map(part).collect()
}

fn whole(run_idx: usize, run: &RunSpan) -> (usize, Range<u64>) {
    (run_idx, 0..run.n_samples)
}

/// Both sides of the session whose runs are `indices`.
fn within(
    runs: &[RunSpan],
    indices: &[usize],
    n_calibration_runs: usize,
) -> Result<(Ranges, Ranges), SplitError> {
    let session = |&i: &usize| (runs[i].subject, runs[i].session);
    if indices.windows(2).any(|two| session(&two[0]) != session(&two[1])) {
        return Err(SplitError::SeveralSessions);
    }
    if let [only] = *indices {
        let run = &runs[only];
        let cut = cut_of_single_run(&run.cue_onsets)?;
        return Ok((vec![(only, 0..cut)], vec![(only, cut..run.n_samples)]));
    }
    let (first, later) = indices.split_at(n_calibration_runs.min(indices.len()));
    let all = |indices: &[usize]| indices.iter().map(|&i| whole(i, &runs[i])).collect();
    Ok((all(first), all(later)))
}

/// The onset of cue number `ceil(0.7 * n_cues)`, counted from 0.
fn cut_of_single_run(cue_onsets: &[u64]) -> Result<u64, SplitError> {
    let (numerator, denominator) = CALIBRATION_SHARE;
    let n_cues = cue_onsets.len();
    let first_scored = (n_cues * numerator).div_ceil(denominator);
    cue_onsets.get(first_scored).copied().ok_or(SplitError::TooFewCues { n_cues })
}

#[cfg(test)]
mod tests;
