//! Scores with what confounding variables explain taken out, and scores of these variables
//! alone: [`confounds`](crate::offline::confounds).

use super::{OfflineMetric, null_of, score_fold};
use crate::classifier::lda::LdaModel;
use crate::decoder::{Examples, Fit as _, FitError};
use crate::evaluate::null::Stop;
use crate::offline::confounds::{Measured, Variable};
use crate::pipeline::Pipeline;
use crate::pipeline::decide::Decided;
use crate::stats::regression::LinearModel;
use acquisition::marker::ClassIdx;
use datasets::folds::Fold;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Parts of a fold's training trials that are decided by decoders fitted to the other parts.
const N_PARTS: usize = 3;

/// Draws of the null of variables alone.
const N_ALONE: usize = 199;

/// Training trials that each variable, and the mean, takes at least.
const LEAST_PER_COEFFICIENT: usize = 2;

/// The least posterior whose logarithm is regressed: what is surer counts as no surer.
const LEAST_POSTERIOR: f64 = 1e-6;

/// Decision values beyond are this one: where a posterior is 0 the logarithm of the odds has no
/// end.
const MOST_SURE: f64 = 30.0;

/// What a variable, or all of them together, has to do with a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confounded {
    /// Which; `None` of all together.
    pub variable: Option<Variable>,
    /// What a discriminant of it scores over the same folds.
    pub alone: f64,
    /// p of its label null, of at most 199 draws.
    pub alone_p: f64,
    /// What the pipeline scores without what it explains.
    pub without: f64,
    /// p of that score's label null; of all together alone.
    pub without_p: Option<f64>,
}

/// What a variable, or all of them together, scores by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Alone {
    /// Which; `None` of all together.
    variable: Option<Variable>,
    /// A row for every trial there is.
    values: Vec<Vec<f64>>,
    score: f64,
    p: f64,
}

/// What discriminants of the variables score over `folds`, each and where there are several,
/// all together last: the same whichever pipeline is scored beside them.
///
/// Batch: allocates, uses the caller's rayon pool.
///
/// # Errors
/// That of the first fold that can't be fitted.
pub fn alone(
    examples: &Examples,
    measured: &Measured,
    (folds, metric): (&[Fold], OfflineMetric),
    seed: u64,
) -> Result<Vec<Alone>, FitError> {
    let one = |(variable, values): (Option<Variable>, Vec<Vec<f64>>)| {
        let (score, p) = score_alone(&values, examples, (folds, metric), seed)?;
        Ok(Alone { variable, values, score, p })
    };
    sets(measured).into_iter().map(one).collect()
}

/// What variables, scored [`alone`] over the same folds, have to do with the score of `pipeline`.
///
/// A training trial's decision comes from a decoder fitted to two of three parts of the training
/// trials, dealt in turn within each class so that every part is of all runs, and coefficients
/// are fitted to these decisions. What is regressed: the decision value and the logarithm of each
/// posterior. The null of the score without all of them is refitted to permuted labels,
/// coefficients too, as [`label_null`](super::label_null); `n_permutations` is 0 for none.
///
/// Batch: allocates, uses the caller's rayon pool.
///
/// # Errors
/// That of the first fold that can't be fitted; [`FitError::TooManyVariables`] where there are
/// fewer decided training trials than two for each variable and the mean.
pub fn confounded(
    pipeline: &Pipeline,
    examples: &Examples,
    alone: &[Alone],
    (folds, metric): (&[Fold], OfflineMetric),
    (n_permutations, seed): (usize, u64),
) -> Result<Vec<Confounded>, FitError> {
    let crossed: Vec<Crossed> = folds
        .par_iter()
        .map(|fold| Crossed::of(pipeline, examples, fold, &examples.labels))
        .collect::<Result<_, _>>()?;
    let one = |Alone { variable, values, score, p }: &Alone| {
        let scored = |((number, fold), crossed): ((usize, &Fold), &Crossed)| {
            let fit = |_: &Examples, fold: &Fold, _: &[ClassIdx]| crossed.without(fold, values);
            score_fold(&fit, examples, &examples.labels, (number, fold), metric)
        };
        let without = mean(folds.iter().enumerate().zip(&crossed).map(scored))?;
        let refit = |examples: &Examples, fold: &Fold, labels: &[ClassIdx]| {
            Crossed::of(pipeline, examples, fold, labels)?.without(fold, values)
        };
        let null = || {
            let of = (without, Stop::Hopeless);
            let drawn = null_of(&refit, examples, (folds, metric), of, (n_permutations, seed));
            Stop::Hopeless.p(without, &drawn, n_permutations)
        };
        let is_drawn = variable.is_none() && n_permutations > 0;
        let without_p = is_drawn.then(null);
        Ok(Confounded { variable: *variable, alone: *score, alone_p: *p, without, without_p })
    };
    alone.iter().map(one).collect()
}

/// Each variable by itself, then all of them: the last is of no variable in particular, even
/// where there is one alone.
fn sets(measured: &Measured) -> Vec<(Option<Variable>, Vec<Vec<f64>>)> {
    let column = |at: usize| measured.values.iter().map(|row| vec![row[at]]).collect();
    let each = measured.variables.iter().enumerate().map(|(at, v)| (Some(*v), column(at)));
    let all = (!measured.variables.is_empty()).then(|| (None, measured.values.clone()));
    each.chain(all).collect()
}

fn mean<T>(
    scores: impl ExactSizeIterator<Item = Result<(f64, T), FitError>>,
) -> Result<f64, FitError> {
    let n = scores.len().max(1) as f64;
    Ok(scores.map(|scored| Ok(scored?.0)).sum::<Result<f64, FitError>>()? / n)
}

/// What a discriminant of the variables alone scores, and the p of its label null.
fn score_alone(
    values: &[Vec<f64>],
    examples: &Examples,
    (folds, metric): (&[Fold], OfflineMetric),
    seed: u64,
) -> Result<(f64, f64), FitError> {
    let fit = |examples: &Examples, fold: &Fold, labels: &[ClassIdx]| {
        discriminant(values, labels, examples.n_classes, fold)
    };
    let score = |numbered| score_fold(&fit, examples, &examples.labels, numbered, metric);
    let observed = mean(folds.iter().enumerate().map(score))?;
    let of = (observed, Stop::Hopeless);
    let drawn = null_of(&fit, examples, (folds, metric), of, (N_ALONE, seed));
    Ok((observed, Stop::Hopeless.p(observed, &drawn, N_ALONE)))
}

/// A discriminant of the variables, fitted to a fold's training trials, on its scored ones.
fn discriminant(
    values: &[Vec<f64>],
    labels: &[ClassIdx],
    n_classes: usize,
    fold: &Fold,
) -> Result<Vec<Decided>, FitError> {
    let x: Vec<Vec<f64>> = fold.train().iter().map(|trial| values[*trial].clone()).collect();
    let y: Vec<ClassIdx> = fold.train().iter().map(|trial| labels[*trial]).collect();
    let model = LdaModel::fit_unshrunk(&x, &y, n_classes)?;
    let decide = |trial: &usize| {
        let [mut posterior, mut scores] = [0, 1].map(|_| vec![0.0; n_classes]);
        model.posterior_into(&values[*trial], &mut posterior);
        model.scores_into(&values[*trial], &mut scores);
        let preference = if let [first, second] = scores[..] { second - first } else { 0.0 };
        Decided { posterior, preference }
    };
    Ok(fold.test().iter().map(decide).collect())
}

/// What decoders say of trials that they were not fitted to.
struct Crossed {
    /// The scored trials of a fold, in its order.
    test: Vec<Decided>,
    /// Its training trials.
    train: Vec<(usize, Decided)>,
}

impl Crossed {
    fn of(
        pipeline: &Pipeline,
        examples: &Examples,
        fold: &Fold,
        labels: &[ClassIdx],
    ) -> Result<Self, FitError> {
        let fitted_to = |train: &[usize], test: &[usize]| {
            pipeline.fit(&examples.subset(train, labels))?.decide(examples, test)
        };
        let mut train = Vec::with_capacity(fold.train().len());
        let part_of = parts(fold.train(), labels);
        for part in 0..N_PARTS {
            let is_in = |(_, of): &(&usize, &usize)| **of == part;
            let (own, others): (Vec<_>, Vec<_>) =
                fold.train().iter().zip(&part_of).partition(is_in);
            let [own, others] =
                [own, others].map(|of| of.into_iter().map(|(trial, _)| *trial).collect::<Vec<_>>());
            if own.is_empty() {
                continue;
            }
            let decided = fitted_to(&others, &own)?;
            train.extend(own.into_iter().zip(decided));
        }
        Ok(Self { test: fitted_to(fold.train(), fold.test())?, train })
    }

    /// The decisions on the scored trials without what `values`, a row for every trial there
    /// is, explain of those on the training trials.
    fn without(&self, fold: &Fold, values: &[Vec<f64>]) -> Result<Vec<Decided>, FitError> {
        let is_decided = |(_, decided): &&(usize, Decided)| !decided.posterior[0].is_nan();
        let (x, y): (Vec<Vec<f64>>, Vec<Vec<f64>>) = self
            .train
            .iter()
            .filter(is_decided)
            .map(|(trial, decided)| (values[*trial].clone(), outputs(decided)))
            .unzip();
        let n_variables = values.first().map_or(0, Vec::len);
        let n_examples = x.len();
        if n_examples < LEAST_PER_COEFFICIENT * (n_variables + 1) {
            return Err(FitError::TooManyVariables { n_examples, n_variables });
        }
        let not_finite = || FitError::NotFinite { what: "a decision value or a variable".into() };
        let model = LinearModel::fit(&x, &y).ok_or_else(not_finite)?;
        let less = |(trial, decided): (&usize, &Decided)| {
            let mut outputs = outputs(decided);
            model.take_out(&values[*trial], &mut outputs);
            let preference = outputs.pop().unwrap_or(f64::NAN);
            let sum: f64 = outputs.iter().map(|log| log.exp()).sum();
            let posterior = outputs.iter().map(|log| log.exp() / sum).collect();
            Decided { posterior, preference }
        };
        Ok(fold.test().iter().zip(&self.test).map(less).collect())
    }
}

/// What is regressed of a decision: the logarithms of its posteriors, its decision value last.
fn outputs(decided: &Decided) -> Vec<f64> {
    let log = |posterior: &f64| {
        if posterior.is_nan() { f64::NAN } else { posterior.max(LEAST_POSTERIOR).ln() }
    };
    let preference = decided.preference.clamp(-MOST_SURE, MOST_SURE);
    decided.posterior.iter().map(log).chain([preference]).collect()
}

/// The part of each training trial: those of a class are dealt to the parts in turn.
fn parts(train: &[usize], labels: &[ClassIdx]) -> Vec<usize> {
    let part = |(at, trial): (usize, &usize)| {
        let class = labels[*trial];
        let n_before = train[..at].iter().filter(|trial| labels[**trial] == class).count();
        n_before % N_PARTS
    };
    train.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests;
