//! Items that are scored offline: trials, shuffled folds, filters without delay.

use super::item::{Confounds, Details, Place, Row};
use super::plan::{Benchmark, Set, SplitKind};
use super::work::{Land, Loaded, load};
use crate::cli::evaluate::in_words;
use anyhow::{Result, anyhow, bail};
use datasets::folds::{Fold, stratified};
use decoding::decoder::{Examples, FitError, decide_class};
use decoding::evaluate::null::{Nulls, SEED, Stop};
use decoding::metric::Confusion;
use decoding::offline::confounds::{Variable, measure};
use decoding::offline::cross_validation::{
    Alone, OfflineMetric, alone, confounded, cross_validate, label_null,
};
use decoding::offline::trials::Trials;
use decoding::pipeline::{Pipeline, demands};
use rayon::prelude::*;
use std::time::Instant;

/// Trials of one session, and how they are dealt.
struct Dealt {
    session: String,
    /// Those that take part.
    examples: Examples,
    folds: Vec<Fold>,
    /// Trials that are scored.
    n_scored: usize,
    /// What variables of those that take part score by themselves, where the plan asks.
    confounds: Option<Result<Confounding, String>>,
}

/// Variables of a session's trials.
struct Confounding {
    alone: Vec<Alone>,
    /// Those that the recordings have not.
    absent: Vec<Variable>,
}

/// Scores the pipelines of one place.
pub fn offline(
    benchmark: &Benchmark,
    set: &Set,
    place: Place,
    pipelines: &[Pipeline],
    land: Land<'_>,
) -> Result<()> {
    let started = Instant::now();
    let n_tasks = set.n_tasks();
    let loaded = load(set, place)?;
    // What is cut for one pipeline must not fail for the sake of another.
    let able = |pipeline: &Pipeline| -> Result<Pipeline> {
        let pipeline = pipeline.among_tasks(n_tasks).map_err(|why| anyhow!("{why}"))?;
        set.trials.check(&loaded.runs, &demands([&pipeline]))?;
        Ok(pipeline)
    };
    let among: Vec<Result<Pipeline>> = pipelines.iter().map(able).collect();
    let trials = set.trials.cut(&loaded.runs, &demands(among.iter().flatten()), n_tasks)?;
    let dealt = deal(benchmark, &loaded, (set, place), &trials)?;
    let shared_secs = started.elapsed().as_secs_f64() / pipelines.len() as f64;
    among.into_par_iter().zip(pipelines).enumerate().for_each(|(at, (able, pipeline))| {
        let rows = able.and_then(|able| {
            let session = |dealt: &Dealt| {
                let started = Instant::now();
                let row = score_trials(benchmark, &loaded, (set, place), &able, dealt)?;
                let secs =
                    started.elapsed().as_secs_f64() + shared_secs / dealt_len(&trials, dealt);
                Ok(Row { secs, memory: pipeline.memory(), ..row })
            };
            dealt.iter().map(session).collect()
        });
        land(at, rows);
    });
    Ok(())
}

/// Which part of all trials' cutting a session bears: all of it where it is the only one.
fn dealt_len(trials: &Trials, dealt: &Dealt) -> f64 {
    trials.examples.labels.len() as f64 / dealt.n_scored.max(1) as f64
}

/// The trials of each session of the subject, and their folds.
fn deal(
    benchmark: &Benchmark,
    loaded: &Loaded,
    (set, place): (&Set, Place),
    trials: &Trials,
) -> Result<Vec<Dealt>> {
    let plan = &benchmark.file.offline;
    let subject = set.subjects[place.subject];
    let sessions = loaded.sessions(subject);
    if place.split == SplitKind::CrossSession && sessions.len() < 2 {
        bail!("subject {subject} has one session: leave cross-session out of `splits`");
    }
    let (all, spans) = (&trials.examples, trials.spans());
    let of = |trial: usize| loaded.of[spans[trial].0];
    let one = |session: u32| -> Result<Dealt> {
        let is_scored = |trial: &usize| of(*trial) == (subject, session);
        let scored: Vec<usize> = (0..spans.len()).filter(is_scored).collect();
        let n_scored = scored.len();
        let (taking_part, folds) = if place.split == SplitKind::WithinSession {
            let of_session: Vec<_> = scored.iter().map(|trial| spans[*trial].clone()).collect();
            let labels: Vec<_> = scored.iter().map(|trial| all.labels[*trial]).collect();
            let overlap = plan.overlap.into();
            (scored, stratified(&labels, &of_session, plan.folds, plan.seed, overlap)?)
        } else {
            let train = (0..spans.len()).filter(|trial| match place.split {
                SplitKind::CrossSubject => of(*trial).0 != subject,
                _ => of(*trial).1 != session,
            });
            let fold = Fold::new(&spans, train.collect(), scored, plan.overlap.into())?;
            ((0..spans.len()).collect(), vec![fold])
        };
        let examples = all.subset(&taking_part, &all.labels);
        let asked = benchmark.variables(place.split);
        let own: Vec<_> = taking_part.iter().map(|trial| spans[*trial].clone()).collect();
        let confounding = || {
            let measured = measure(asked, &loaded.runs, &own).map_err(|error| error.to_string())?;
            let of = (&folds[..], metric(benchmark, set));
            let alone = alone(&examples, &measured, of, SEED);
            let alone = alone.map_err(|error| words(&error, set))?;
            Ok(Confounding { alone, absent: measured.absent })
        };
        let confounds = (!asked.is_empty()).then(confounding);
        Ok(Dealt { session: session.to_string(), examples, folds, n_scored, confounds })
    };
    sessions.into_iter().map(one).collect()
}

/// Scores by the amount of training.
#[derive(Default)]
struct Curve {
    points: Vec<(f64, f64)>,
    /// Amounts that could not be fitted to, and why.
    unfitted: Vec<(f64, String)>,
}

/// The score by the amount of training: trials of the session itself, or other subjects.
fn curve(
    benchmark: &Benchmark,
    loaded: &Loaded,
    (set, place): (&Set, Place),
    pipeline: &Pipeline,
    dealt: &Dealt,
    metric: OfflineMetric,
) -> Result<Curve> {
    let plan = &benchmark.file.offline;
    let spans: Vec<_> =
        dealt.examples.spans.iter().map(|span| (span.run, span.samples.clone())).collect();
    let overlap = plan.overlap.into();
    let mut curve = Curve::default();
    let mut point = |amount: f64, train: &dyn Fn(&Fold) -> Vec<usize>| -> Result<()> {
        let fold = |fold: &Fold| Fold::new(&spans, train(fold), fold.test().to_vec(), overlap);
        let folds = dealt.folds.iter().map(fold).collect::<Result<Vec<_>, _>>()?;
        match cross_validate(pipeline, &dealt.examples, &folds, metric) {
            Ok(scored) => curve.points.push((amount, scored.score)),
            Err(error) => curve.unfitted.push((amount, words(&error, set))),
        }
        Ok(())
    };
    if place.split != SplitKind::CrossSubject {
        for share in &plan.train_shares {
            let n_of = |fold: &Fold| ((fold.train().len() as f64 * share).ceil() as usize).max(1);
            let n_trials: usize = dealt.folds.iter().map(n_of).sum();
            let amount = n_trials as f64 / dealt.folds.len() as f64;
            point(amount, &|fold| fold.train()[..n_of(fold)].to_vec())?;
        }
        return Ok(curve);
    }
    let own = set.subjects[place.subject];
    let others: Vec<u32> = set.subjects.iter().copied().filter(|s| *s != own).collect();
    for &n in plan.train_subjects.iter().filter(|n| **n <= others.len()) {
        let is_in = |trial: &usize| others[..n].contains(&loaded.of[spans[*trial].0].0);
        point(n as f64, &|fold| fold.train().iter().copied().filter(is_in).collect())?;
    }
    Ok(curve)
}

/// What eyes, muscles and time have to do with the score, where the plan asks.
fn confounds(
    benchmark: &Benchmark,
    set: &Set,
    pipeline: &Pipeline,
    dealt: &Dealt,
    metric: OfflineMetric,
) -> Option<Confounds> {
    let why_not = |why: String| Confounds { why_not: Some(why), ..Confounds::default() };
    Some(match dealt.confounds.as_ref()? {
        Err(why) => why_not(why.clone()),
        Ok(Confounding { alone, absent }) => {
            let draws = (benchmark.file.offline.permutations, SEED);
            let of = (&dealt.folds[..], metric);
            let absent = absent.clone();
            match confounded(pipeline, &dealt.examples, alone, of, draws) {
                Ok(found) => Confounds { found, absent, why_not: None },
                Err(error) => Confounds { absent, ..why_not(words(&error, set)) },
            }
        }
    })
}

/// What is scored.
fn metric(benchmark: &Benchmark, set: &Set) -> OfflineMetric {
    benchmark.file.offline.metric.unwrap_or(OfflineMetric::usual(set.n_tasks()))
}

/// Trials have no idle class.
fn words(error: &FitError, set: &Set) -> String {
    in_words(error, &set.selection.classes[1..])
}

/// The row of one pipeline on one session's trials; how long it took is the caller's.
fn score_trials(
    benchmark: &Benchmark,
    loaded: &Loaded,
    (set, place): (&Set, Place),
    pipeline: &Pipeline,
    dealt: &Dealt,
) -> Result<Row> {
    let plan = &benchmark.file.offline;
    let subject = set.subjects[place.subject];
    let n_tasks = set.n_tasks();
    let metric = metric(benchmark, set);
    let scored = cross_validate(pipeline, &dealt.examples, &dealt.folds, metric);
    let scored = scored.map_err(|error| anyhow!("{}", words(&error, set)))?;
    let curve = curve(benchmark, loaded, (set, place), pipeline, dealt, metric)?;
    let null = label_null(
        pipeline,
        &dealt.examples,
        (&dealt.folds, metric),
        (scored.score, Stop::Hopeless),
        (plan.permutations, SEED),
    );
    let label_p =
        (!null.is_empty()).then(|| Stop::Hopeless.p(scored.score, &null, plan.permutations));
    let nulls = Nulls { clock_nmcc: None, shift_p: None, label_p };
    let pairs = scored.trials.iter().map(|trial| (trial.truth, decide_class(&trial.posterior)));
    let mut folds = vec![0; dealt.examples.labels.len()];
    scored.trials.iter().for_each(|trial| folds[trial.trial] = trial.fold);
    Ok(Row {
        dataset: set.label.clone(),
        subject,
        session: dealt.session.clone(),
        pipeline: pipeline.name.clone(),
        memory: pipeline.memory(),
        mode: place.mode,
        split: place.split,
        score: scored.score,
        secs: 0.0,
        n_samples: (dealt.n_scored - scored.n_undecided) as u64,
        n_channels: loaded.runs.first().map_or(0, |run| run.recording.info.brain_channels().len()),
        n_sessions: loaded.sessions(subject).len(),
        label_p,
        verdict: nulls.verdict(scored.score),
        confusion: Confusion::from_pairs(n_tasks, pairs),
        details: Details::Offline {
            metric,
            per_fold: scored.per_fold,
            folds,
            label_null: null,
            curve: curve.points,
            unfitted: curve.unfitted,
            confounds: confounds(benchmark, set, pipeline, dealt, metric),
        },
    })
}
