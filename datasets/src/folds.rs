//! Shuffled, stratified folds of labelled trials: scikit-learn's, to the trial, so that an
//! offline score can be held against one that was computed with it.
//!
//! Folds are drawn at random over time, and so they are *not* for anything that stands in
//! for a live session: a drifting signal is seen from both sides. [`Split`](crate::split)
//! is for that. A [`Fold`] can't be built with a trial on both sides, and only where
//! [`Overlap::AsPublished`] is asked for with trials that share samples.

use acquisition::marker::ClassIdx;
use rand_mt::Mt;
use std::ops::Range;

/// Why folds can't be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Ask for two folds or more.
    #[error("{n_folds} folds: at least 2 are needed, to train on one and score the other")]
    TooFewFolds {
        /// Folds asked for.
        n_folds: usize,
    },
    /// Take fewer folds, or a recording with more trials.
    #[error("no class has as many trials as there are folds, {n_folds}: take fewer folds")]
    TooFewTrials {
        /// Folds asked for.
        n_folds: usize,
    },
    /// Every trial lies somewhere: pass a span for each.
    #[error("{n_labels} trials have {n_spans} spans")]
    Lengths {
        /// Labels passed.
        n_labels: usize,
        /// Spans passed.
        n_spans: usize,
    },
    /// A trial would be fitted to and scored: an error of the program that built the fold.
    #[error("trial {trial} is on both sides of a fold")]
    BothSides {
        /// Its number.
        trial: usize,
    },
    /// There is no such trial: an error of the program that built the fold.
    #[error("there is no trial {trial} of {n_trials}")]
    NoTrial {
        /// Its number.
        trial: usize,
        /// Trials there are.
        n_trials: usize,
    },
    /// One side would have nothing.
    #[error("nothing is left {0}")]
    Empty(&'static str),
    /// Shorten the trials, or say that overlapping ones are meant, as in the published
    /// score that this is to be compared with.
    #[error(
        "trial {trained} and trial {scored} share samples but not the side of a fold: shorten the interval, or say overlap = \"as_published\""
    )]
    Shared {
        /// The one that is fitted to.
        trained: usize,
        /// The one that is scored.
        scored: usize,
    },
}

/// Where a trial lies: its run, by any number of its own, and the samples there.
pub type TrialSamples = (usize, Range<u64>);

/// Whether trials on the two sides of a fold may share samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// No: what was fitted to would be scored.
    #[default]
    Refused,
    /// Yes, as in published scores of responses to events in quick succession. Such a score
    /// is too high by what neighbouring trials have in common.
    AsPublished,
}

/// Trials that are fitted to, and trials that are scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    train: Vec<usize>,
    test: Vec<usize>,
}

impl Fold {
    /// A fold of trials that lie at `spans`, checked.
    pub fn new(
        spans: &[TrialSamples],
        train: Vec<usize>,
        test: Vec<usize>,
        overlap: Overlap,
    ) -> Result<Self, FoldError> {
        let n_trials = spans.len();
        if let Some(&trial) = train.iter().chain(&test).find(|trial| **trial >= n_trials) {
            return Err(FoldError::NoTrial { trial, n_trials });
        }
        if train.is_empty() || test.is_empty() {
            let side = if train.is_empty() { "to fit to" } else { "to score" };
            return Err(FoldError::Empty(side));
        }
        let mut is_scored = vec![false; n_trials];
        for trial in &test {
            is_scored[*trial] = true;
        }
        if let Some(&trial) = train.iter().find(|trial| is_scored[**trial]) {
            return Err(FoldError::BothSides { trial });
        }
        if overlap == Overlap::Refused {
            check_apart(spans, &train, &test)?;
        }
        Ok(Self { train, test })
    }

    /// The numbers of the trials that may be fitted to, ascending.
    pub fn train(&self) -> &[usize] {
        &self.train
    }

    /// The numbers of the trials that are scored, ascending.
    pub fn test(&self) -> &[usize] {
        &self.test
    }
}

fn check_apart(spans: &[TrialSamples], train: &[usize], test: &[usize]) -> Result<(), FoldError> {
    let mut all: Vec<(usize, u64, u64, bool, usize)> = Vec::new();
    for (side, trials) in [(false, train), (true, test)] {
        let place = |&trial: &usize| {
            let (run, samples) = &spans[trial];
            (*run, samples.start, samples.end, side, trial)
        };
        all.extend(trials.iter().map(place).filter(|(_, start, end, ..)| start < end));
    }
    all.sort_unstable();
    // Of those that began before, the one on each side that lasts longest.
    let mut open: [Option<(usize, u64, usize)>; 2] = [None, None];
    for (run, start, end, side, trial) in all {
        let other = open[usize::from(!side)];
        if let Some((_, _, before)) = other.filter(|(of_run, to, _)| *of_run == run && *to > start)
        {
            let (trained, scored) = if side { (before, trial) } else { (trial, before) };
            return Err(FoldError::Shared { trained, scored });
        }
        let own = &mut open[usize::from(side)];
        if own.is_none_or(|(of_run, to, _)| of_run != run || to < end) {
            *own = Some((run, end, trial));
        }
    }
    Ok(())
}

/// Folds of trials, each scored once, with about the same share of every class in each:
/// `StratifiedKFold(n_folds, shuffle=True, random_state=seed)` of scikit-learn.
///
/// The trials of each class, in the order of the classes' first trials, are dealt to the
/// folds by a Mersenne Twister (MT19937), as NumPy's `RandomState.shuffle` does it.
pub fn stratified(
    labels: &[ClassIdx],
    spans: &[TrialSamples],
    n_folds: usize,
    seed: u32,
    overlap: Overlap,
) -> Result<Vec<Fold>, FoldError> {
    let (n_labels, n_spans) = (labels.len(), spans.len());
    if n_labels != n_spans {
        return Err(FoldError::Lengths { n_labels, n_spans });
    }
    if n_folds < 2 {
        return Err(FoldError::TooFewFolds { n_folds });
    }
    let fold_of = deal(labels, n_folds, seed)?;
    let of_fold = |fold: usize| {
        let is_in = |trial: &usize| fold_of[*trial] == fold;
        let (test, train) = (0..n_labels).partition(is_in);
        Fold::new(spans, train, test, overlap)
    };
    (0..n_folds).map(of_fold).collect()
}

/// The fold in which each trial is scored.
fn deal(labels: &[ClassIdx], n_folds: usize, seed: u32) -> Result<Vec<usize>, FoldError> {
    let mut classes: Vec<ClassIdx> = Vec::new();
    for label in labels {
        if !classes.contains(label) {
            classes.push(*label);
        }
    }
    let class_of =
        |label: &ClassIdx| classes.iter().position(|class| class == label).unwrap_or_default();
    let encoded: Vec<usize> = labels.iter().map(class_of).collect();
    let count = |class: usize| encoded.iter().filter(|k| **k == class).count();
    if (0..classes.len()).all(|class| count(class) < n_folds) {
        return Err(FoldError::TooFewTrials { n_folds });
    }
    // How many of each class a fold gets: every n-th of the trials sorted by class.
    let mut sorted = encoded.clone();
    sorted.sort_unstable();
    let mut random = Mt::new(seed);
    let mut fold_of = vec![0; labels.len()];
    for class in 0..classes.len() {
        let mut dealt = Vec::new();
        for fold in 0..n_folds {
            let nth = sorted.iter().skip(fold).step_by(n_folds);
            dealt.extend(nth.filter(|k| **k == class).map(|_| fold));
        }
        shuffle(&mut dealt, &mut random);
        let of_class = (0..labels.len()).filter(|trial| encoded[*trial] == class);
        for (trial, fold) in of_class.zip(dealt) {
            fold_of[trial] = fold;
        }
    }
    Ok(fold_of)
}

/// From the last element down, each changes places with one at or before it.
fn shuffle(values: &mut [usize], random: &mut Mt) {
    for i in (1..values.len()).rev() {
        values.swap(i, below(i as u32, random));
    }
}

/// A number from 0 to `most`: the low bits of a draw, drawn again where they are too many.
fn below(most: u32, random: &mut Mt) -> usize {
    let mask = u32::MAX >> most.leading_zeros().min(31);
    loop {
        let value = random.next_u32() & mask;
        if value <= most {
            return value as usize;
        }
    }
}

#[cfg(test)]
mod tests;
