//! Minimum distance to mean against pyRiemann, under changes of the data, on bad data.

use super::*;
use crate::classifier::tests::{Normal, assert_close, classes, matrix};
use crate::decoder::decide_class;
use serde::Deserialize;

/// Made by `tests/reference/golden.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/mdm.json"));

#[derive(Deserialize)]
struct Golden {
    train_covariances: Vec<Vec<Vec<f64>>>,
    train_labels: Vec<u8>,
    test_covariances: Vec<Vec<Vec<f64>>>,
    class_means: Vec<Vec<Vec<f64>>>,
    posteriors: Vec<Vec<f64>>,
    predicted: Vec<u8>,
}

/// Made by `tests/reference/golden_geometry.py`.
const OTHER_METRICS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/geometry_classifiers.json"
));

#[derive(Deserialize)]
struct OtherMetrics {
    train_covariances: Vec<Vec<Vec<f64>>>,
    train_labels: Vec<u8>,
    test_covariances: Vec<Vec<Vec<f64>>>,
    mdm: std::collections::HashMap<String, Vec<Vec<f64>>>,
}

#[test]
fn every_metric_as_pyriemann() {
    let golden: OtherMetrics = serde_json::from_str(OTHER_METRICS).unwrap();
    let train: Vec<_> = golden.train_covariances.iter().map(|c| matrix(c)).collect();
    let (train, labels) = (train.iter().collect::<Vec<_>>(), classes(&golden.train_labels));
    for metric in Metric::ALL {
        let model = MdmModel::fit_in(metric, &train, &labels, 3).unwrap();
        let mut runtime = model.plan().unwrap();
        let mut squared = [f64::NAN; 3];
        for (test, expected) in golden.test_covariances.iter().zip(&golden.mdm[metric.name()]) {
            runtime.squared_distances_into(matrix(test).as_ref(), &mut squared);
            // The means stop within 1e-8 of theirs.
            assert_close(&squared.map(f64::sqrt), expected, 1e-8);
        }
    }
}

fn fit(covariances: &[Mat<f64>], labels: &[ClassIdx], n: usize) -> Result<MdmModel, FitError> {
    MdmModel::fit(&covariances.iter().collect::<Vec<_>>(), labels, n)
}

fn posterior(model: &MdmModel, covariance: &Mat<f64>) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.means.len()];
    model.plan().unwrap().posterior_into(covariance.as_ref(), &mut posterior);
    posterior
}

/// Covariances of two classes in turn.
fn two_classes(seed: u64, n: usize) -> (Vec<Mat<f64>>, Vec<ClassIdx>) {
    let mut normal = Normal::new(seed);
    let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % 2) as u8)).collect();
    (labels.iter().map(|label| normal.covariance(4, 60, *label)).collect(), labels)
}

#[test]
fn as_pyriemann() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let train: Vec<_> = golden.train_covariances.iter().map(|c| matrix(c)).collect();
    let model = fit(&train, &classes(&golden.train_labels), 3).unwrap();
    for (found, expected) in model.means.iter().zip(&golden.class_means) {
        // Both stop within 1e-8 of the mean, in its own metric: relative.
        let scale = matrix(expected).norm_max();
        for (i, row) in expected.iter().enumerate() {
            let (found, expected): (Vec<_>, Vec<_>) =
                found.row(i).iter().zip(row).map(|(f, e)| (f / scale, e / scale)).unzip();
            assert_close(&found, &expected, 1e-7);
        }
    }
    for (i, test) in golden.test_covariances.iter().enumerate() {
        let found = posterior(&model, &matrix(test));
        // A mean off by 1e-8 moves a squared distance of order 10 by some 1e-7.
        assert_close(&found, &golden.posteriors[i], 1e-7);
        assert_eq!(decide_class(&found), ClassIdx(golden.predicted[i]));
    }
}

#[test]
fn order_of_examples_names_of_classes_and_mixing_do_not_matter() {
    let (covariances, labels) = two_classes(11, 24);
    let probe = Normal::new(12).covariance(4, 60, ClassIdx(0));
    let expected = posterior(&fit(&covariances, &labels, 2).unwrap(), &probe);

    let backwards: Vec<_> = covariances.iter().rev().cloned().collect();
    let swapped: Vec<_> = labels.iter().rev().map(|l| ClassIdx(1 - l.0)).collect();
    let found = posterior(&fit(&backwards, &swapped, 2).unwrap(), &probe);
    // The means' criterion, 1e-8, times a distance of order 1.
    assert_close(&[found[1], found[0]], &expected, 1e-7);

    let mut normal = Normal::new(13);
    let mixing = Mat::from_fn(4, 4, |i, j| normal.draw() + if i == j { 4.0 } else { 0.0 });
    let mix = |c: &Mat<f64>| {
        let mixed = &mixing * c * mixing.transpose();
        Mat::from_fn(4, 4, |i, j| 0.5 * (mixed[(i, j)] + mixed[(j, i)]))
    };
    let mixed: Vec<_> = covariances.iter().map(mix).collect();
    assert_close(&posterior(&fit(&mixed, &labels, 2).unwrap(), &mix(&probe)), &expected, 1e-7);
}

#[test]
fn bad_data_is_refused() {
    let (covariances, labels) = two_classes(14, 12);
    let error = fit(&covariances, &[ClassIdx(1); 12], 2).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 0, n_examples: 0, n_needed: 2 });
    for bad in [f64::NAN, f64::INFINITY] {
        let mut covariances = covariances.clone();
        covariances[3][(1, 1)] = bad;
        let error = fit(&covariances, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
    let mut covariances = covariances.clone();
    covariances[3] = Mat::from_fn(4, 4, |i, j| f64::from(u8::from(i == j)) * (i as f64 - 1.5));
    let error = fit(&covariances, &labels, 2).unwrap_err();
    assert!(matches!(error, FitError::NotPositiveDefinite { .. }), "{error}");
}

#[test]
fn a_covariance_that_is_none_gets_no_posterior() {
    let (covariances, labels) = two_classes(15, 12);
    let model = fit(&covariances, &labels, 2).unwrap();
    let mut runtime = model.plan().unwrap();
    let mut found = [0.0; 2];
    for bad in [f64::NAN, -1.0] {
        let covariance = Mat::from_fn(4, 4, |i, j| if i == j { bad } else { 0.0 });
        runtime.posterior_into(covariance.as_ref(), &mut found);
        assert!(found.iter().all(|p| p.is_nan()), "{found:?}");
    }
    runtime.posterior_into(covariances[0].as_ref(), &mut found);
    assert_eq!(found.as_slice(), posterior(&model, &covariances[0]), "scratch leaves no trace");
}

#[test]
fn a_damaged_model_is_refused() {
    let indefinite = Mat::from_fn(2, 2, |i, j| if i == j { i as f64 - 0.5 } else { 0.0 });
    let model = MdmModel {
        metric: Metric::AffineInvariant,
        means: vec![Matrix::from_faer(indefinite.as_ref()).unwrap()],
    };
    assert!(model.plan().is_err());
}
