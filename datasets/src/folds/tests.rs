use super::*;
use proptest::prelude::*;
use serde::Deserialize;

/// Made by `tests/reference/golden_benchmark.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/folds.json"));

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    labels: Vec<u8>,
    n_folds: usize,
    seed: u32,
    tests: Vec<Vec<usize>>,
}

/// One after the other, none shared.
fn apart(n: usize) -> Vec<TrialSamples> {
    (0..n as u64).map(|k| (0, 10 * k..10 * k + 10)).collect()
}

fn classes(labels: &[u8]) -> Vec<ClassIdx> {
    labels.iter().copied().map(ClassIdx).collect()
}

#[test]
fn folds_are_those_of_scikit_learn() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    assert!(!golden.cases.is_empty());
    for Case { labels, n_folds, seed, tests } in golden.cases {
        let spans = apart(labels.len());
        let folds = stratified(&classes(&labels), &spans, n_folds, seed, Overlap::Refused).unwrap();
        let found: Vec<_> = folds.iter().map(|fold| fold.test().to_vec()).collect();
        assert_eq!(found, tests, "{n_folds} folds of seed {seed}");
    }
}

#[test]
fn no_fold_has_a_trial_or_a_sample_on_both_sides() {
    let fold = |train: &[usize], test: &[usize], spans: &[TrialSamples]| {
        Fold::new(spans, train.to_vec(), test.to_vec(), Overlap::Refused)
    };
    let spans = apart(4);
    assert_eq!(fold(&[0, 1], &[1, 2], &spans), Err(FoldError::BothSides { trial: 1 }));
    assert_eq!(fold(&[0], &[4], &spans), Err(FoldError::NoTrial { trial: 4, n_trials: 4 }));
    assert_eq!(fold(&[], &[1], &spans), Err(FoldError::Empty("to fit to")));
    assert_eq!(fold(&[1], &[], &spans), Err(FoldError::Empty("to score")));
    let (long, within) = ((0, 0..100), (0, 50..60));
    let spans = [long.clone(), within, (0, 20..30), (1, 0..100)];
    let shared = |trained, scored| Err(FoldError::Shared { trained, scored });
    assert_eq!(fold(&[0, 2], &[1], &spans), shared(0, 1));
    assert_eq!(fold(&[1], &[0, 2], &spans), shared(1, 0));
    assert!(fold(&[0, 1, 2], &[3], &spans).is_ok(), "another run shares no sample");
    assert!(Fold::new(&spans, vec![0], vec![1], Overlap::AsPublished).is_ok());
}

#[test]
fn what_can_not_be_dealt_is_refused() {
    let deal = |labels: &[u8], n_folds| {
        let spans = apart(labels.len());
        stratified(&classes(labels), &spans, n_folds, 0, Overlap::Refused).unwrap_err()
    };
    assert_eq!(deal(&[0, 1, 0], 1), FoldError::TooFewFolds { n_folds: 1 });
    assert_eq!(deal(&[0, 1, 0], 3), FoldError::TooFewTrials { n_folds: 3 });
    assert_eq!(deal(&[], 2), FoldError::TooFewTrials { n_folds: 2 });
    let found = stratified(&classes(&[0, 1]), &apart(3), 2, 0, Overlap::Refused);
    assert_eq!(found, Err(FoldError::Lengths { n_labels: 2, n_spans: 3 }));
}

proptest! {
    #[test]
    fn every_trial_is_scored_once_and_classes_are_spread(
        labels in prop::collection::vec(0_u8..3, 12..80),
        n_folds in 2_usize..6,
        seed: u32,
    ) {
        let labels = classes(&labels);
        let spans = apart(labels.len());
        let Ok(folds) = stratified(&labels, &spans, n_folds, seed, Overlap::Refused) else {
            return Ok(());
        };
        let mut scored: Vec<_> = folds.iter().flat_map(|fold| fold.test().to_vec()).collect();
        scored.sort_unstable();
        prop_assert_eq!(scored, (0..labels.len()).collect::<Vec<_>>());
        for class in 0..3 {
            let count = |fold: &Fold| {
                fold.test().iter().filter(|trial| labels[**trial] == ClassIdx(class)).count()
            };
            let counts: Vec<_> = folds.iter().map(count).collect();
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        }
        for fold in &folds {
            prop_assert_eq!(fold.train().len() + fold.test().len(), labels.len());
        }
    }
}
