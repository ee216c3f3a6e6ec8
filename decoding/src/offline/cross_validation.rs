//! Cross-validated scores of trials, as MOABB reports them: fitted to the training side of
//! each fold, scored on the other, and the folds' scores averaged.

mod residual;

pub use self::residual::{Alone, Confounded, alone, confounded};

use crate::decoder::{Examples, Fit as _, FitError, decide_class};
use crate::evaluate::null::Stop;
use crate::metric::roc_auc;
use crate::pipeline::Pipeline;
use crate::pipeline::decide::Decided;
use acquisition::marker::ClassIdx;
use datasets::folds::Fold;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What a fold scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineMetric {
    /// Area under the receiver operating characteristic, of two classes.
    RocAuc,
    /// Share of right decisions.
    Accuracy,
}

/// One scored trial.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredTrial {
    /// Its number.
    pub trial: usize,
    /// Its fold.
    pub fold: usize,
    /// Its class.
    pub truth: ClassIdx,
    /// The posterior of each class.
    pub posterior: Vec<f64>,
}

/// What a pipeline scored.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossValidated {
    /// The mean over folds.
    pub score: f64,
    /// Each fold's.
    pub per_fold: Vec<f64>,
    /// Every trial that was decided, in the order of the folds.
    pub trials: Vec<ScoredTrial>,
    /// Trials that were not: they have not the feature, or a gate refuses them.
    pub n_undecided: usize,
}

impl OfflineMetric {
    /// MOABB's choice: the area for two classes, accuracy for more.
    pub fn usual(n_classes: usize) -> Self {
        if n_classes == 2 { Self::RocAuc } else { Self::Accuracy }
    }

    /// What a decoder that knows nothing scores, on average.
    pub fn chance(self, n_classes: usize) -> f64 {
        match self {
            Self::RocAuc => 0.5,
            Self::Accuracy => (n_classes.max(1) as f64).recip(),
        }
    }

    /// The score of one fold's trials; 0.5 where only one class is there to be told apart.
    ///
    /// `preferences` say by how much each trial looks like the second of two classes.
    fn score(self, trials: &[ScoredTrial], preferences: &[f64]) -> f64 {
        match self {
            Self::RocAuc => {
                let pair = |(trial, preference): (&ScoredTrial, &f64)| {
                    (*preference, trial.truth == ClassIdx(1))
                };
                let mut ranked: Vec<_> = trials.iter().zip(preferences).map(pair).collect();
                roc_auc(&mut ranked).unwrap_or(0.5)
            }
            Self::Accuracy => {
                let is_right = |trial: &&ScoredTrial| decide_class(&trial.posterior) == trial.truth;
                trials.iter().filter(is_right).count() as f64 / trials.len().max(1) as f64
            }
        }
    }
}

/// Fits to the examples at a fold's training side, with these labels of all examples, and
/// decides on its other side.
type FitAndDecide<'a> =
    &'a (dyn Fn(&Examples, &Fold, &[ClassIdx]) -> Result<Vec<Decided>, FitError> + Sync);

/// The score of `pipeline` over `folds` of the examples.
///
/// # Errors
/// That of the first fold that can't be fitted.
pub fn cross_validate(
    pipeline: &Pipeline,
    examples: &Examples,
    folds: &[Fold],
    metric: OfflineMetric,
) -> Result<CrossValidated, FitError> {
    let scored: Vec<(f64, Vec<ScoredTrial>)> = folds
        .par_iter()
        .enumerate()
        .map(|numbered| score_fold(&plain(pipeline), examples, &examples.labels, numbered, metric))
        .collect::<Result<_, _>>()?;
    let per_fold: Vec<f64> = scored.iter().map(|(score, _)| *score).collect();
    let score = per_fold.iter().sum::<f64>() / per_fold.len().max(1) as f64;
    let trials: Vec<ScoredTrial> = scored.into_iter().flat_map(|(_, trials)| trials).collect();
    let n_undecided = folds.iter().map(|fold| fold.test().len()).sum::<usize>() - trials.len();
    Ok(CrossValidated { score, per_fold, trials, n_undecided })
}

/// As it is meant: fitted to nothing but the training side.
fn plain(
    pipeline: &Pipeline,
) -> impl Fn(&Examples, &Fold, &[ClassIdx]) -> Result<Vec<Decided>, FitError> + Sync {
    |examples, fold, labels| {
        pipeline.fit(&examples.subset(fold.train(), labels))?.decide(examples, fold.test())
    }
}

fn score_fold(
    fit: FitAndDecide<'_>,
    examples: &Examples,
    labels: &[ClassIdx],
    (number, fold): (usize, &Fold),
    metric: OfflineMetric,
) -> Result<(f64, Vec<ScoredTrial>), FitError> {
    let decided = fit(examples, fold, labels)?;
    let (trials, preferences) = scored_trials(decided, labels, (number, fold));
    Ok((metric.score(&trials, &preferences), trials))
}

/// The trials of a fold that were decided, and by how much each looks like the second class.
fn scored_trials(
    decided: Vec<Decided>,
    labels: &[ClassIdx],
    (number, fold): (usize, &Fold),
) -> (Vec<ScoredTrial>, Vec<f64>) {
    let is_decided = |(_, decided): &(&usize, Decided)| !decided.posterior[0].is_nan();
    let scored = |(&trial, Decided { posterior, preference }): (&usize, Decided)| {
        let truth = labels[trial];
        (ScoredTrial { trial, fold: number, truth, posterior }, preference)
    };
    fold.test().iter().zip(decided).filter(is_decided).map(scored).unzip()
}

/// The scores of fits to labels that were permuted among the trials of each run, one permutation
/// per draw for all folds, and scored against them: folds share trials, and so must the draws.
/// Number `k` is the same whatever others are drawn. A permutation that can't be fitted counts as
/// chance. `stop` says when drawing ends.
pub fn label_null(
    pipeline: &Pipeline,
    examples: &Examples,
    (folds, metric): (&[Fold], OfflineMetric),
    (observed, stop): (f64, Stop),
    (n_permutations, seed): (usize, u64),
) -> Vec<f64> {
    let draws = (n_permutations, seed);
    null_of(&plain(pipeline), examples, (folds, metric), (observed, stop), draws)
}

fn null_of(
    fit: FitAndDecide<'_>,
    examples: &Examples,
    (folds, metric): (&[Fold], OfflineMetric),
    (observed, stop): (f64, Stop),
    (n_permutations, seed): (usize, u64),
) -> Vec<f64> {
    let one = |permutation: u64| {
        let labels = permuted(examples, permutation, seed);
        let of_fold = |numbered: (usize, &Fold)| {
            let scored = score_fold(fit, examples, &labels, numbered, metric);
            scored.map_or(f64::NAN, |(score, _)| score)
        };
        let per_fold: Vec<f64> = folds.par_iter().enumerate().map(of_fold).collect();
        let mean = per_fold.iter().sum::<f64>() / per_fold.len().max(1) as f64;
        if mean.is_nan() { metric.chance(examples.n_classes) } else { mean }
    };
    let mut scores = Vec::with_capacity(n_permutations);
    loop {
        if let Some(n) = stop.enough(observed, &scores, n_permutations) {
            scores.truncate(n);
            return scores;
        }
        let first = scores.len();
        let end = n_permutations.min(first.saturating_add(stop.batch()));
        scores.par_extend((first as u64..end as u64).into_par_iter().map(one));
    }
}

/// The labels, exchanged among the trials of each run.
fn permuted(examples: &Examples, stream: u64, seed: u64) -> Vec<ClassIdx> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    let all: Vec<usize> = (0..examples.labels.len()).collect();
    let mut labels = examples.labels.clone();
    let same_run = |a: &usize, b: &usize| examples.spans[*a].run == examples.spans[*b].run;
    for of_run in all.chunk_by(same_run) {
        labels[of_run[0]..=of_run[of_run.len() - 1]].shuffle(&mut rng);
    }
    labels
}

#[cfg(test)]
mod tests;
