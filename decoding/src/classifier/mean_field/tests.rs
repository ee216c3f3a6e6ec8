//! The field of means against pyRiemann, under changes of the data, on bad data.

use super::*;
use crate::classifier::tests::{Normal, assert_close, classes, matrix};
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
    mean_field: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    powers: Vec<f64>,
    combination: String,
    distances: Vec<Vec<f64>>,
    posteriors: Vec<Vec<f64>>,
}

#[test]
fn as_pyriemann() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let train: Vec<_> = golden.train_covariances.iter().map(|c| matrix(c)).collect();
    let (train, labels) = (train.iter().collect::<Vec<_>>(), classes(&golden.train_labels));
    for expected in &golden.mean_field {
        let combination = match expected.combination.as_str() {
            "sum_means" => Combination::Sum,
            _ => Combination::Nearest,
        };
        let of = (train.as_slice(), labels.as_slice());
        let metric = Metric::AffineInvariant;
        let model = MeanFieldModel::fit(metric, combination, &expected.powers, of, 3).unwrap();
        let mut runtime = model.plan().unwrap();
        let (mut squared, mut posterior) = ([f64::NAN; 3], [f64::NAN; 3]);
        for (k, test) in golden.test_covariances.iter().enumerate() {
            let test = matrix(test);
            // The means stop within 1e-9 of theirs.
            runtime.squared_distances_into(test.as_ref(), &mut squared);
            assert_close(&squared.map(f64::sqrt), &expected.distances[k], 1e-8);
            runtime.posterior_into(test.as_ref(), &mut posterior);
            assert_close(&posterior, &expected.posteriors[k], 1e-8);
        }
    }
}

/// Covariances of two classes in turn.
fn two_classes(seed: u64, n: usize) -> (Vec<Mat<f64>>, Vec<ClassIdx>) {
    let mut normal = Normal::new(seed);
    let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % 2) as u8)).collect();
    (labels.iter().map(|label| normal.covariance(4, 60, *label)).collect(), labels)
}

fn fit(covariances: &[Mat<f64>], labels: &[ClassIdx]) -> Result<MeanFieldModel, FitError> {
    let covariances: Vec<_> = covariances.iter().collect();
    let (metric, combination) = (Metric::AffineInvariant, Combination::Sum);
    let powers = &MeanFieldModel::POWERS;
    MeanFieldModel::fit(metric, combination, powers, (&covariances, labels), 2)
}

fn posterior(model: &MeanFieldModel, covariance: &Mat<f64>) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.means.len()];
    model.plan().unwrap().posterior_into(covariance.as_ref(), &mut posterior);
    posterior
}

#[test]
fn names_of_classes_and_mixing_do_not_matter() {
    let (covariances, labels) = two_classes(41, 16);
    let probe = Normal::new(42).covariance(4, 60, ClassIdx(0));
    let expected = posterior(&fit(&covariances, &labels).unwrap(), &probe);
    let mut normal = Normal::new(43);
    let mixing = Mat::from_fn(4, 4, |i, j| normal.draw() + if i == j { 4.0 } else { 0.0 });
    let mix = |c: &Mat<f64>| {
        let mixed = &mixing * c * mixing.transpose();
        Mat::from_fn(4, 4, |i, j| 0.5 * (mixed[(i, j)] + mixed[(j, i)]))
    };
    let mixed: Vec<_> = covariances.iter().map(mix).collect();
    let swapped: Vec<_> = labels.iter().map(|l| ClassIdx(1 - l.0)).collect();
    let mut found = posterior(&fit(&mixed, &swapped).unwrap(), &mix(&probe));
    found.reverse();
    assert_close(&found, &expected, 1e-7);
}

#[test]
fn bad_data_is_refused() {
    let (mut covariances, labels) = two_classes(44, 8);
    let error = fit(&covariances, &[ClassIdx(1); 8]).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 0, n_examples: 0, n_needed: 2 });
    let mut model = fit(&covariances, &labels).unwrap();
    assert!(posterior(&model, &Mat::full(4, 4, f64::NAN)).iter().all(|p| p.is_nan()));
    covariances[2][(0, 0)] = f64::NAN;
    let error = fit(&covariances, &labels).unwrap_err();
    assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<MeanFieldModel>(&json).unwrap(), model);
    model.means[1].pop();
    assert_eq!(model.plan().unwrap_err(), RiemannError::Empty);
}
