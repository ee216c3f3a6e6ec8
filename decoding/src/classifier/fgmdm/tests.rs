//! The geodesic filter and its classifier against pyRiemann, on bad data, and after a file.

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
    fgmdm: Vec<Expected>,
    fgmdm_of_two: Expected,
}

#[derive(Deserialize)]
struct Expected {
    metric: Metric,
    filtered: Vec<Vec<Vec<f64>>>,
    distances: Vec<Vec<f64>>,
    posteriors: Vec<Vec<f64>>,
}

fn check(
    expected: &Expected,
    train: &[(Mat<f64>, ClassIdx)],
    test: &[Vec<Vec<f64>>],
    n_classes: usize,
) {
    let covariances: Vec<_> = train.iter().map(|(c, _)| c).collect();
    let labels: Vec<_> = train.iter().map(|(_, l)| *l).collect();
    let model = FgMdmModel::fit(expected.metric, &covariances, &labels, n_classes).unwrap();
    assert_eq!(model.filter.filters.n_rows(), n_classes - 1);
    let (mut filter, mut mdm) = (model.filter.plan().unwrap(), model.mdm.plan().unwrap());
    let mut runtime = model.plan().unwrap();
    let mut filtered = Mat::full(8, 8, f64::NAN);
    let (mut squared, mut posterior) = (vec![f64::NAN; n_classes], vec![f64::NAN; n_classes]);
    for (k, test) in test.iter().enumerate() {
        let test = matrix(test);
        filter.filter_into(test.as_ref(), filtered.as_mut());
        // Ours and theirs stop within 1e-8 of the means; theirs goes on to 1e-12 here.
        if let Some(theirs) = expected.filtered.get(k) {
            let theirs = matrix(theirs);
            let error = (&filtered - &theirs).norm_l2() / theirs.norm_l2();
            assert!(error < 1e-8, "{error:.1e}");
        }
        mdm.squared_distances_into(filtered.as_ref(), &mut squared);
        let distances: Vec<_> = squared.iter().map(|d| d.sqrt()).collect();
        assert_close(&distances, &expected.distances[k], 1e-8);
        runtime.posterior_into(test.as_ref(), &mut posterior);
        assert_close(&posterior, &expected.posteriors[k], 1e-8);
    }
}

#[test]
fn as_pyriemann() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let labels = classes(&golden.train_labels);
    let train: Vec<_> =
        golden.train_covariances.iter().map(|c| matrix(c)).zip(labels.iter().copied()).collect();
    for expected in &golden.fgmdm {
        check(expected, &train, &golden.test_covariances, 3);
    }
    let two: Vec<_> = train
        .iter()
        .filter(|(_, l)| l.0 > 0)
        .map(|(c, l)| (c.clone(), ClassIdx(l.0 - 1)))
        .collect();
    check(&golden.fgmdm_of_two, &two, &golden.test_covariances, 2);
}

/// Covariances of three classes in turn.
fn examples(seed: u64, n: usize) -> (Vec<Mat<f64>>, Vec<ClassIdx>) {
    let mut normal = Normal::new(seed);
    let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % 3) as u8)).collect();
    (labels.iter().map(|label| normal.covariance(4, 60, *label)).collect(), labels)
}

fn posterior(model: &FgMdmModel, covariance: &Mat<f64>) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.mdm.means.len()];
    model.plan().unwrap().posterior_into(covariance.as_ref(), &mut posterior);
    posterior
}

#[test]
fn turning_the_channels_leaves_the_decision_near() {
    let (covariances, labels) = examples(21, 36);
    let refs: Vec<_> = covariances.iter().collect();
    let model = FgMdmModel::fit(Metric::AffineInvariant, &refs, &labels, 3).unwrap();
    let probe = Normal::new(22).covariance(4, 60, ClassIdx(1));
    // A rotation: the discriminant's shrinkage is not invariant to more.
    let mut normal = Normal::new(23);
    let mixing = Mat::from_fn(4, 4, |_, _| normal.draw()).qr().compute_Q();
    let mix = |c: &Mat<f64>| {
        let mixed = &mixing * c * mixing.transpose();
        Mat::from_fn(4, 4, |i, j| 0.5 * (mixed[(i, j)] + mixed[(j, i)]))
    };
    let mixed: Vec<_> = covariances.iter().map(mix).collect();
    let refs: Vec<_> = mixed.iter().collect();
    let there = FgMdmModel::fit(Metric::AffineInvariant, &refs, &labels, 3).unwrap();
    // Shrinking each class's features after standardising them is not the same in a
    // turned tangent space, so the filters differ a little: the decisions stay near.
    assert_close(&posterior(&there, &mix(&probe)), &posterior(&model, &probe), 0.05);
}

#[test]
fn swapped_labels_swap_the_posterior() {
    let (covariances, labels) = examples(24, 30);
    let refs: Vec<_> = covariances.iter().collect();
    let swapped: Vec<_> = labels.iter().map(|l| ClassIdx(2 - l.0)).collect();
    let probe = Normal::new(25).covariance(4, 60, ClassIdx(0));
    for metric in Metric::ALL {
        let model = FgMdmModel::fit(metric, &refs, &labels, 3).unwrap();
        let there = FgMdmModel::fit(metric, &refs, &swapped, 3).unwrap();
        let mut found = posterior(&there, &probe);
        found.reverse();
        assert_close(&found, &posterior(&model, &probe), 1e-9);
    }
}

#[test]
fn a_file_keeps_every_bit() {
    let (covariances, labels) = examples(26, 30);
    let refs: Vec<_> = covariances.iter().collect();
    let model = FgMdmModel::fit(Metric::LogEuclidean, &refs, &labels, 3).unwrap();
    let json = serde_json::to_string(&model).unwrap();
    let back: FgMdmModel = serde_json::from_str(&json).unwrap();
    assert_eq!(back, model);
    assert_eq!(posterior(&back, &covariances[0]), posterior(&model, &covariances[0]));
}

#[test]
fn bad_data_is_refused() {
    let (mut covariances, labels) = examples(27, 12);
    let fit = |covariances: &[Mat<f64>], labels: &[ClassIdx]| {
        let refs: Vec<_> = covariances.iter().collect();
        FgMdmModel::fit(Metric::AffineInvariant, &refs, labels, 3)
    };
    let error = fit(&covariances, &[ClassIdx(1); 12]).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 0, n_examples: 0, n_needed: 2 });
    let model = fit(&covariances, &labels).unwrap();
    let mut nan = covariances[0].clone();
    nan[(1, 1)] = f64::NAN;
    assert!(posterior(&model, &nan).iter().all(|p| p.is_nan()));
    covariances[3][(1, 1)] = f64::NAN;
    let error = fit(&covariances, &labels).unwrap_err();
    assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    let mut damaged = model.clone();
    damaged.filter.filters = Matrix::new(1, 3, vec![0.0; 3]).unwrap();
    assert!(damaged.plan().is_err());
    let mut damaged = model;
    damaged.mdm.means[1] = Matrix::new(1, 1, vec![1.0]).unwrap();
    assert!(damaged.plan().is_err());
}
