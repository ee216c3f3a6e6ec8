use super::*;
use crate::classifier::tests::Normal;
use crate::decoder::ExampleSpan;
use crate::offline::cross_validation::cross_validate;
use crate::pipeline::built_in;
use crate::window::{Features, Shape, Slot, Value};
use datasets::folds::{Overlap, TrialSamples, stratified};

/// Written by `tests/reference/golden_confounds.py` with scikit-learn.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/confounds.json"));

#[derive(Deserialize)]
struct Golden {
    scores: Vec<Scores>,
}

#[derive(Deserialize)]
struct Scores {
    n_classes: usize,
    x: Vec<Vec<f64>>,
    y: Vec<u8>,
    variables: Vec<Vec<f64>>,
    folds: Vec<Vec<usize>>,
    score: f64,
    without: f64,
    alone: f64,
}

fn pipeline() -> Pipeline {
    built_in::find("logvar+lda").unwrap()
}

/// Trials of `x`, ten samples each.
fn examples(x: &[Vec<f64>], labels: &[u8], n_classes: usize) -> Examples {
    let pipeline = pipeline();
    let demands = crate::pipeline::demands([&pipeline]);
    let mut examples = Examples { demands, n_classes, ..Examples::default() };
    for (at, (x, label)) in (0..).zip(x.iter().zip(labels)) {
        examples.labels.push(ClassIdx(*label));
        let mut features = Features::planned([Shape::Vector(x.len())]);
        features.slots_mut()[0] = Slot { value: Value::Vector(x.clone()), is_sound: true };
        examples.features.push(features);
        examples.spans.push(ExampleSpan { run: 0, samples: 10 * at..10 * at + 10 });
    }
    examples
}

fn spans(examples: &Examples) -> Vec<TrialSamples> {
    examples.spans.iter().map(|span| (span.run, span.samples.clone())).collect()
}

fn measured(values: Vec<Vec<f64>>) -> Measured {
    let variables = Variable::ALL[..values[0].len()].to_vec();
    Measured { variables, values, absent: vec![] }
}

/// Variables alone, and what they have to do with the score of [`pipeline`].
fn checked(
    examples: &Examples,
    measured: &Measured,
    (folds, metric): (&[Fold], OfflineMetric),
    draws: (usize, u64),
) -> Result<Vec<Confounded>, FitError> {
    let alone = alone(examples, measured, (folds, metric), draws.1)?;
    confounded(&pipeline(), examples, &alone, (folds, metric), draws)
}

#[test]
fn scores_without_and_alone_are_those_of_scikit_learn() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for golden in golden.scores {
        let examples = examples(&golden.x, &golden.y, golden.n_classes);
        let spans = spans(&examples);
        let fold = |test: &Vec<usize>| {
            let train = (0..golden.x.len()).filter(|trial| !test.contains(trial)).collect();
            Fold::new(&spans, train, test.clone(), Overlap::Refused).unwrap()
        };
        let folds: Vec<Fold> = golden.folds.iter().map(fold).collect();
        let metric = OfflineMetric::usual(golden.n_classes);
        let score = cross_validate(&pipeline(), &examples, &folds, metric).unwrap().score;
        assert!((score - golden.score).abs() < 1e-12, "{score} {}", golden.score);
        let of = measured(golden.variables);
        let found = checked(&examples, &of, (&folds, metric), (0, 0)).unwrap();
        let all = found.last().unwrap();
        assert_eq!((all.variable, all.without_p), (None, None));
        // Scores are of ranks and of decisions, so equal is equal.
        assert!((all.without - golden.without).abs() < 1e-12, "{all:?} {}", golden.without);
        assert!((all.alone - golden.alone).abs() < 1e-12, "{all:?} {}", golden.alone);
        assert_eq!(found.len(), 3);
    }
}

/// Features that know the class only by way of an eye movement, and features that know it
/// themselves beside a variable that does not.
#[test]
fn a_planted_confound_is_found_and_a_harmless_variable_is_not() {
    let mut normal = Normal::new(5);
    let labels: Vec<u8> = (0..120).map(|k| k % 2).collect();
    let metric = OfflineMetric::RocAuc;
    let mut check = |is_planted: bool| {
        let values: Vec<Vec<f64>> = labels
            .iter()
            .map(|label| {
                vec![f64::from(*label) * f64::from(u8::from(is_planted)) + 0.4 * normal.draw()]
            })
            .collect();
        let x: Vec<Vec<f64>> = labels
            .iter()
            .zip(&values)
            .map(|(label, value)| {
                let signal = if is_planted { 2.0 * value[0] } else { 2.0 * f64::from(*label) };
                (0..4).map(|k| if k == 0 { signal } else { 0.0 } + 0.7 * normal.draw()).collect()
            })
            .collect();
        let examples = examples(&x, &labels, 2);
        let folds = stratified(&examples.labels, &spans(&examples), 5, 42, Overlap::Refused);
        let folds = folds.unwrap();
        let score = cross_validate(&pipeline(), &examples, &folds, metric).unwrap().score;
        let of = measured(values);
        let found = checked(&examples, &of, (&folds, metric), (19, 3)).unwrap();
        (score, found.last().unwrap().clone())
    };
    let (score, planted) = check(true);
    assert!(score > 0.8 && planted.alone > 0.85, "{score} {planted:?}");
    assert_eq!(planted.alone_p, 0.005);
    assert!(planted.without < 0.65 && planted.without_p > Some(0.05), "{score} {planted:?}");
    let (score, harmless) = check(false);
    assert!(score > 0.8 && harmless.alone < 0.65, "{score} {harmless:?}");
    assert!(harmless.alone_p > 0.05, "{harmless:?}");
    assert!((harmless.without - score).abs() < 0.03, "{score} {harmless:?}");
    assert_eq!(harmless.without_p, Some(0.05));
}

/// Of variables and features that are noise, a twentieth is found at p <= 0.05, or fewer: three
/// standard errors above it at most.
#[test]
fn noise_is_found_no_more_often_than_is_said() {
    const N_DRAWS: usize = 120;
    let most = N_DRAWS as f64 * 0.05 + 3.0 * (N_DRAWS as f64 * 0.05 * 0.95).sqrt();
    let labels: Vec<u8> = (0..45).map(|k| k % 2).collect();
    for n_variables in [1, 6] {
        let mut normal = Normal::new(77);
        let mut n_found = 0;
        for _ in 0..N_DRAWS {
            let values: Vec<Vec<f64>> =
                (0..45).map(|_| (0..n_variables).map(|_| normal.draw()).collect()).collect();
            let examples = examples(&values, &labels, 2);
            let folds = stratified(&examples.labels, &spans(&examples), 5, 42, Overlap::Refused);
            let of = (&folds.unwrap()[..], OfflineMetric::RocAuc);
            n_found += usize::from(score_alone(&values, &examples, of, 1).unwrap().1 <= 0.05);
        }
        assert!((n_found as f64) < most, "{n_variables}: {n_found} of {N_DRAWS}");
    }
}

/// What drifts from run to run and tells nothing of the class leaves nothing behind.
#[test]
fn a_drift_without_a_class_scores_nothing_once_it_is_out() {
    let labels: Vec<u8> = (0..45).map(|k| k % 2).collect();
    let mut normal = Normal::new(4);
    let mut scores = Vec::new();
    for _ in 0..40 {
        let offsets: Vec<f64> = (0..12).map(|_| 3.0 * normal.draw()).collect();
        let of_trial = |k: usize, normal: &mut Normal| -> Vec<f64> {
            (0..4).map(|f| offsets[k / 15 * 4 + f] + normal.draw()).collect()
        };
        let x: Vec<Vec<f64>> = (0..45).map(|k| of_trial(k, &mut normal)).collect();
        let examples = examples(&x, &labels, 2);
        let folds = stratified(&examples.labels, &spans(&examples), 5, 42, Overlap::Refused);
        let run = measured((0..45).map(|k| vec![f64::from(k / 15)]).collect());
        let of = (&folds.unwrap()[..], OfflineMetric::RocAuc);
        let found = checked(&examples, &run, of, (0, 0)).unwrap();
        scores.push(found[0].without);
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    // Three standard errors of 40 scores with a deviation of about 0.1.
    assert!((mean - 0.5).abs() < 0.05, "{mean}");
}

#[test]
fn nothing_of_a_scored_trial_reaches_the_coefficients() {
    let mut normal = Normal::new(9);
    let labels: Vec<u8> = (0..40).map(|k| k % 2).collect();
    let draws = |n: usize, normal: &mut Normal| -> Vec<Vec<f64>> {
        (0..40).map(|_| (0..n).map(|_| normal.draw()).collect()).collect()
    };
    let (x, mut values) = (draws(3, &mut normal), draws(2, &mut normal));
    let examples = examples(&x, &labels, 2);
    let folds = stratified(&examples.labels, &spans(&examples), 4, 1, Overlap::Refused).unwrap();
    let decided = |values: &[Vec<f64>], labels: &[ClassIdx]| {
        let crossed = Crossed::of(&pipeline(), &examples, &folds[0], labels).unwrap();
        crossed.without(&folds[0], values).unwrap()
    };
    let before = decided(&values, &examples.labels);
    // One scored trial gets another value and all scored trials other labels: the others'
    // decisions are what they were, to the bit.
    let test = folds[0].test();
    values[test[0]] = vec![50.0, -50.0];
    let mut labels = examples.labels.clone();
    for trial in test {
        labels[*trial] = ClassIdx(1 - labels[*trial].0);
    }
    let after = decided(&values, &labels);
    assert_eq!(before[1..], after[1..]);
    assert_ne!(before[0], after[0]);
    // Every training trial is decided once, by a decoder of other trials.
    let parts = parts(folds[0].train(), &examples.labels);
    for part in 0..N_PARTS {
        let n = parts.iter().filter(|of| **of == part).count();
        assert_eq!(n, 10, "of 30");
    }
}

#[test]
fn more_variables_than_trials_can_t_be_taken_out() {
    let mut normal = Normal::new(3);
    let labels: Vec<u8> = (0..16).map(|k| k % 2).collect();
    let draws = |n: usize, normal: &mut Normal| -> Vec<Vec<f64>> {
        (0..16).map(|_| (0..n).map(|_| normal.draw()).collect()).collect()
    };
    let (x, values) = (draws(2, &mut normal), draws(6, &mut normal));
    let examples = examples(&x, &labels, 2);
    let folds = stratified(&examples.labels, &spans(&examples), 2, 1, Overlap::Refused).unwrap();
    let metric = OfflineMetric::RocAuc;
    let of = measured(values);
    let error = checked(&examples, &of, (&folds, metric), (0, 0)).unwrap_err();
    assert_eq!(error, FitError::TooManyVariables { n_examples: 8, n_variables: 6 });
}
