//! Nearest neighbours against pyRiemann, under changes of the data, on bad data.

use super::*;
use crate::classifier::tests::{Normal, assert_close, classes, matrix};
use crate::decoder::decide_class;
use serde::Deserialize;

/// Made by `tests/reference/golden_geometry.py`.
const GOLDEN: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/geometry_classifiers.json"
));

#[derive(Deserialize)]
struct Golden {
    train_covariances: Vec<Vec<Vec<f64>>>,
    train_labels: Vec<u8>,
    test_covariances: Vec<Vec<Vec<f64>>>,
    knn: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    metric: Metric,
    posteriors: Vec<Vec<f64>>,
    predicted: Vec<u8>,
}

fn posterior(model: &KnnModel, covariance: &Mat<f64>) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.n_classes];
    let mut runtime = model.plan().unwrap();
    // Dirty scratch: another covariance was there before.
    runtime.posterior_into(model.examples[0].to_faer().as_ref(), &mut posterior);
    runtime.posterior_into(covariance.as_ref(), &mut posterior);
    posterior
}

#[test]
fn as_pyriemann() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let train: Vec<_> = golden.train_covariances.iter().map(|c| matrix(c)).collect();
    let (train, labels) = (train.iter().collect::<Vec<_>>(), classes(&golden.train_labels));
    for expected in &golden.knn {
        let fit = |vote| KnnModel::fit(expected.metric, 5, vote, (&train, &labels), 3).unwrap();
        let (by_distance, equal) = (fit(Vote::ByDistance), fit(Vote::Equal));
        for (k, test) in golden.test_covariances.iter().enumerate() {
            let test = matrix(test);
            assert_close(&posterior(&by_distance, &test), &expected.posteriors[k], 1e-9);
            let votes = posterior(&equal, &test);
            assert_eq!(decide_class(&votes), ClassIdx(expected.predicted[k]));
            assert!(votes.iter().all(|p| (5.0 * p).fract() < 1e-12), "{votes:?}");
        }
    }
}

/// Covariances of two classes in turn.
fn two_classes(seed: u64, n: usize) -> (Vec<Mat<f64>>, Vec<ClassIdx>) {
    let mut normal = Normal::new(seed);
    let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % 2) as u8)).collect();
    (labels.iter().map(|label| normal.covariance(4, 60, *label)).collect(), labels)
}

fn fit(covariances: &[Mat<f64>], labels: &[ClassIdx], k: usize) -> Result<KnnModel, FitError> {
    let covariances: Vec<_> = covariances.iter().collect();
    KnnModel::fit(Metric::AffineInvariant, k, Vote::ByDistance, (&covariances, labels), 2)
}

#[test]
fn order_of_examples_names_of_classes_and_mixing_do_not_matter() {
    let (covariances, labels) = two_classes(31, 20);
    let probe = Normal::new(32).covariance(4, 60, ClassIdx(0));
    let expected = posterior(&fit(&covariances, &labels, 5).unwrap(), &probe);
    let mut normal = Normal::new(33);
    let mixing = Mat::from_fn(4, 4, |i, j| normal.draw() + if i == j { 4.0 } else { 0.0 });
    let mix = |c: &Mat<f64>| {
        let mixed = &mixing * c * mixing.transpose();
        Mat::from_fn(4, 4, |i, j| 0.5 * (mixed[(i, j)] + mixed[(j, i)]))
    };
    let backwards: Vec<_> = covariances.iter().rev().map(mix).collect();
    let swapped: Vec<_> = labels.iter().rev().map(|l| ClassIdx(1 - l.0)).collect();
    let mut found = posterior(&fit(&backwards, &swapped, 5).unwrap(), &mix(&probe));
    found.reverse();
    assert_close(&found, &expected, 1e-9);
}

#[test]
fn bad_data_is_refused() {
    let (mut covariances, labels) = two_classes(34, 6);
    let error = fit(&covariances, &labels, 7).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 0, n_examples: 3, n_needed: 7 });
    let error = fit(&covariances, &[ClassIdx(0); 6], 3).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
    let model = fit(&covariances, &labels, 3).unwrap();
    let nan = Mat::full(4, 4, f64::NAN);
    assert!(posterior(&model, &nan).iter().all(|p| p.is_nan()));
    let indefinite = Mat::from_fn(4, 4, |i, j| f64::from(u8::from(i == j)) * (i as f64 - 1.5));
    for (bad, is_finite) in [(nan, false), (indefinite, true)] {
        covariances[3] = bad;
        match fit(&covariances, &labels, 3).unwrap_err() {
            FitError::NotPositiveDefinite { what } if is_finite => assert!(what.contains('3')),
            FitError::NotFinite { what } if !is_finite => assert!(what.contains('3')),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_file_keeps_every_bit() {
    let (covariances, labels) = two_classes(35, 8);
    let model = fit(&covariances, &labels, 3).unwrap();
    let back: KnnModel = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
    assert_eq!(back, model);
}
