//! Cross-validated scores of trials, as MOABB reports them: fitted to the training side of
//! each fold, scored on the other, and the folds' scores averaged.

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
    /// Every trial, in the order of the folds.
    pub trials: Vec<ScoredTrial>,
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
    let labels = &examples.labels;
    let scored: Vec<(f64, Vec<ScoredTrial>)> = folds
        .par_iter()
        .enumerate()
        .map(|(number, fold)| score_fold(pipeline, examples, labels, (number, fold), metric))
        .collect::<Result<_, _>>()?;
    let per_fold: Vec<f64> = scored.iter().map(|(score, _)| *score).collect();
    let score = per_fold.iter().sum::<f64>() / per_fold.len().max(1) as f64;
    let trials = scored.into_iter().flat_map(|(_, trials)| trials).collect();
    Ok(CrossValidated { score, per_fold, trials })
}

fn score_fold(
    pipeline: &Pipeline,
    examples: &Examples,
    labels: &[ClassIdx],
    (number, fold): (usize, &Fold),
    metric: OfflineMetric,
) -> Result<(f64, Vec<ScoredTrial>), FitError> {
    let training = examples.subset(fold.train(), labels);
    let decided = pipeline.fit(&training)?.decide(examples, fold.test())?;
    let preferences: Vec<f64> = decided.iter().map(|decided| decided.preference).collect();
    let scored = |(trial, Decided { posterior, .. }): (&usize, Decided)| ScoredTrial {
        trial: *trial,
        fold: number,
        truth: examples.labels[*trial],
        posterior,
    };
    let trials: Vec<_> = fold.test().iter().zip(decided).map(scored).collect();
    Ok((metric.score(&trials, &preferences), trials))
}

/// The scores of fits to labels that were permuted among the trials of each run's training
/// side; what is scored keeps its labels. Number `k` is the same whatever others are drawn.
/// A permutation that can't be fitted counts as chance. `stop` says when drawing ends.
pub fn label_null(
    pipeline: &Pipeline,
    examples: &Examples,
    (folds, metric): (&[Fold], OfflineMetric),
    (observed, stop): (f64, Stop),
    (n_permutations, seed): (usize, u64),
) -> Vec<f64> {
    let one = |permutation: u64| {
        let permuted = permuted(examples, permutation, seed);
        let of_fold = |(number, fold): (usize, &Fold)| {
            let scored = score_fold(pipeline, examples, &permuted, (number, fold), metric);
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
fn permuted(examples: &Examples, permutation: u64, seed: u64) -> Vec<ClassIdx> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(permutation);
    let mut labels = examples.labels.clone();
    let mut first = 0;
    for of_run in examples.spans.chunk_by(|a, b| a.run == b.run) {
        labels[first..first + of_run.len()].shuffle(&mut rng);
        first += of_run.len();
    }
    labels
}

#[cfg(test)]
mod tests;
