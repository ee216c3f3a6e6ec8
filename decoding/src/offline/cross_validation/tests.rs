use super::*;
use crate::classifier::tests::Normal;
use crate::decoder::ExampleSpan;
use crate::evaluate::null::p_value;
use crate::pipeline::built_in;
use crate::window::{Features, Shape, Slot, Value};
use datasets::folds::{Overlap, TrialSamples, stratified};

const N_TRIALS: usize = 60;

/// Trials of two classes, whose feature vectors differ by `shift` in the mean.
fn examples(pipeline: &Pipeline, shift: f64) -> Examples {
    let mut normal = Normal::new(11);
    let demands = crate::pipeline::demands([pipeline]);
    let mut examples = Examples { demands, n_classes: 2, ..Examples::default() };
    for trial in 0..N_TRIALS as u64 {
        let class = ClassIdx((trial % 2) as u8);
        let at = |k: usize| if k == 0 { shift * f64::from(class.0) } else { 0.0 };
        let vector = (0..8).map(|k| at(k) + normal.draw()).collect();
        examples.labels.push(class);
        let mut features = Features::planned([Shape::Vector(8)]);
        features.slots_mut()[0] = Slot { value: Value::Vector(vector), is_sound: true };
        examples.features.push(features);
        examples.spans.push(ExampleSpan { run: 0, samples: 10 * trial..10 * trial + 10 });
    }
    examples
}

fn spans(examples: &Examples) -> Vec<TrialSamples> {
    examples.spans.iter().map(|span| (span.run, span.samples.clone())).collect()
}

fn folds(examples: &Examples) -> Vec<Fold> {
    stratified(&examples.labels, &spans(examples), 5, 42, Overlap::Refused).unwrap()
}

fn pipeline() -> Pipeline {
    built_in::find("logvar+lda").unwrap()
}

#[test]
fn what_differs_scores_above_chance_and_what_does_not_is_not_told_apart() {
    let metric = OfflineMetric::RocAuc;
    for (shift, is_real) in [(3.0, true), (0.0, false)] {
        let examples = examples(&pipeline(), shift);
        let folds = folds(&examples);
        let found = cross_validate(&pipeline(), &examples, &folds, metric).unwrap();
        assert_eq!(found.per_fold.len(), 5);
        assert_eq!(found.trials.len(), N_TRIALS);
        let stop = Stop::Hopeless;
        let null =
            label_null(&pipeline(), &examples, (&folds, metric), (found.score, stop), (19, 0));
        let p = stop.p(found.score, &null, 19);
        assert_eq!(p <= 0.05, is_real, "{}: p = {p}", found.score);
        // What is drawn until it is hopeless begins as what is drawn to the end.
        let all = label_null(
            &pipeline(),
            &examples,
            (&folds, metric),
            (found.score, Stop::Exhausted),
            (19, 0),
        );
        assert_eq!(all[..null.len()], null[..]);
        assert_eq!(p_value(found.score, &all) <= 0.05, is_real);
    }
}

#[test]
fn accuracy_is_the_share_of_right_decisions_averaged_over_folds() {
    let examples = examples(&pipeline(), 1.5);
    let folds = folds(&examples);
    let found = cross_validate(&pipeline(), &examples, &folds, OfflineMetric::Accuracy).unwrap();
    let share = |fold: usize| {
        let of: Vec<_> = found.trials.iter().filter(|trial| trial.fold == fold).collect();
        let right = of.iter().filter(|t| decide_class(&t.posterior) == t.truth).count();
        right as f64 / of.len() as f64
    };
    let shares: Vec<f64> = (0..5).map(share).collect();
    assert_eq!(found.per_fold, shares);
    assert_eq!(found.score, shares.iter().sum::<f64>() / 5.0);
    assert!(found.score > 0.6, "{}", found.score);
}

/// A pipeline that fits on what it is scored on, as no [`Fold`] allows, looks perfect on
/// noise; refitted to permuted labels with the same leak it looks as perfect, and so the
/// null says what it is.
#[test]
fn a_planted_leak_is_caught_by_the_null() {
    let nearest = Pipeline::from_toml(
        "name = \"leak\"\n[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"svm\"\n\
         c = 1e4\ngamma = 10.0\n",
    )
    .unwrap();
    let examples = examples(&nearest, 0.0);
    let (spans, folds) = (spans(&examples), folds(&examples));
    let all: Vec<usize> = (0..N_TRIALS).collect();
    let leaking = Fold::new(&spans, all.clone(), folds[0].test().to_vec(), Overlap::AsPublished);
    assert!(leaking.is_err(), "a fold with its scored trials in training does not construct");
    let leak = |examples: &Examples, fold: &Fold, labels: &[ClassIdx]| {
        nearest.fit(&examples.subset(&all, labels))?.decide(examples, fold.test())
    };
    let metric = OfflineMetric::RocAuc;
    let score = |numbered| score_fold(&leak, &examples, &examples.labels, numbered, metric);
    let scores: Vec<f64> = folds.iter().enumerate().map(|fold| score(fold).unwrap().0).collect();
    let observed = scores.iter().sum::<f64>() / scores.len() as f64;
    assert!(observed > 0.99, "the leak scores {observed} on noise");
    let of = (observed, Stop::Exhausted);
    let nulls = null_of(&leak, &examples, (&folds, metric), of, (19, 0));
    assert!(p_value(observed, &nulls) > 0.05, "{nulls:?}");
    // The same pipeline without the leak is at chance, and is said to be.
    let plain = cross_validate(&nearest, &examples, &folds, metric).unwrap().score;
    let nulls =
        label_null(&nearest, &examples, (&folds, metric), (plain, Stop::Exhausted), (19, 0));
    assert!(p_value(plain, &nulls) > 0.05, "{plain}: {nulls:?}");
}

#[test]
fn a_trial_without_the_feature_is_left_out_and_counted() {
    let mut examples = examples(&pipeline(), 1.5);
    for trial in [3, 17] {
        examples.features[trial].slots_mut()[0].is_sound = false;
    }
    let folds = folds(&examples);
    for metric in [OfflineMetric::RocAuc, OfflineMetric::Accuracy] {
        let found = cross_validate(&pipeline(), &examples, &folds, metric).unwrap();
        assert_eq!((found.trials.len(), found.n_undecided), (N_TRIALS - 2, 2));
        assert!(found.trials.iter().all(|trial| trial.trial != 3 && trial.trial != 17));
    }
}
