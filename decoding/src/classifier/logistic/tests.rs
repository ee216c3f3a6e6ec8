//! Logistic regression against scikit-learn, against its own condition of optimality,
//! under changes of the data, and on bad data.

use super::*;
use crate::classifier::tests::{Normal, assert_close, classes};
use serde::Deserialize;

/// Made by `tests/reference/golden.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/logistic.json"));

#[derive(Deserialize)]
struct Golden {
    features: Vec<Vec<f64>>,
    labels: Vec<u8>,
    held_out: Vec<Vec<f64>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    classes: Vec<u8>,
    coef: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    proba: Vec<Vec<f64>>,
}

fn posterior(model: &LogisticModel, x: &[f64]) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.intercept.len()];
    model.posterior_into(x, &mut posterior);
    posterior
}

/// Largest element of the gradient of `penalty / 2 |coef|^2 + c sum loss`, from its
/// definition.
fn largest_gradient(
    model: &LogisticModel,
    x: &[Vec<f64>],
    labels: &[ClassIdx],
    c: f64,
    penalty: f64,
) -> f64 {
    let mut largest = 0.0_f64;
    for k in 0..model.intercept.len() {
        let mut gradient: Vec<f64> = model.coef.row(k).iter().map(|w| penalty * w).collect();
        let mut of_intercept = 0.0;
        for (x, label) in x.iter().zip(labels) {
            let excess = posterior(model, x)[k] - if label.index() == k { 1.0 } else { 0.0 };
            of_intercept += c * excess;
            gradient.iter_mut().zip(x).for_each(|(g, x)| *g += c * excess * x);
        }
        largest = gradient.iter().fold(largest.max(of_intercept.abs()), |m, g| m.max(g.abs()));
    }
    largest
}

#[test]
fn as_scikit_learn() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for case in golden.cases {
        let used = |label: &u8| case.classes.contains(label);
        let labels: Vec<u8> = golden.labels.iter().copied().filter(used).collect();
        let examples = golden.labels.iter().zip(&golden.features);
        let x: Vec<_> = examples.filter(|(l, _)| used(l)).map(|(_, x)| x.clone()).collect();
        // The golden two-class case penalises both weight vectors, which is our (and
        // scikit-learn's) penalty of their difference at twice the C.
        let params = LogisticParams { c: if case.classes.len() == 2 { 2.0 } else { 1.0 } };
        let model = params.fit(&x, &classes(&labels), case.classes.len()).unwrap();
        for (k, expected) in case.coef.iter().enumerate() {
            // scikit-learn stops at a gradient of 1e-10 or so; the penalty is 1.
            assert_close(model.coef.row(k), expected, 1e-8);
        }
        assert_close(&model.intercept, &case.intercept, 1e-8);
        for (x, expected) in golden.held_out.iter().zip(&case.proba) {
            assert_close(&posterior(&model, x), expected, 1e-8);
        }
    }
}

#[test]
fn the_gradient_vanishes_with_more_and_with_fewer_examples_than_features() {
    for (n, n_features, n_classes, c) in
        [(60, 4, 3, 1.0), (30, 80, 3, 1.0), (40, 40, 4, 100.0), (24, 9, 2, 0.01)]
    {
        let (x, labels) = Normal::new(21).examples(n, n_features, n_classes, 1.5);
        let model = LogisticParams { c }.fit(&x, &labels, n_classes).unwrap();
        let penalty = if n_classes == 2 { 2.0 } else { 1.0 };
        let left = largest_gradient(&model, &x, &labels, c, penalty);
        // At no weights the gradient is about C n / 2, and ten digits of it are to go.
        assert!(left < 1e-9 * c * n as f64, "{left:.1e} left, {n} x {n_features}, C = {c}");
    }
}

#[test]
fn order_of_examples_offset_of_features_and_names_of_classes_do_not_matter() {
    let (x, labels) = Normal::new(22).examples(45, 70, 3, 1.0);
    let model = LogisticModel::fit(&x, &labels, 3).unwrap();
    let (probe, _) = Normal::new(23).examples(1, 70, 1, 0.0);
    let expected = posterior(&model, &probe[0]);

    let backwards: Vec<_> = x.iter().rev().cloned().collect();
    let renamed: Vec<_> = labels.iter().rev().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
    let model = LogisticModel::fit(&backwards, &renamed, 3).unwrap();
    let found = posterior(&model, &probe[0]);
    // Convergence to ten digits of the gradient, for weights of order 0.1.
    assert_close(&[found[1], found[2], found[0]], &expected, 1e-8);

    let offset = |x: &Vec<f64>| x.iter().map(|v| v + 100.0).collect::<Vec<_>>();
    let moved: Vec<_> = x.iter().map(offset).collect();
    let model = LogisticModel::fit(&moved, &labels, 3).unwrap();
    assert_close(&posterior(&model, &offset(&probe[0])), &expected, 1e-8);
    let sum: f64 = model.intercept.iter().sum();
    assert!(sum.abs() < 1e-9, "intercepts sum to {sum:.1e}");
}

#[test]
fn the_same_examples_give_the_same_bits_and_a_file_keeps_them() {
    let (x, labels) = Normal::new(24).examples(40, 55, 3, 1.0);
    let model = LogisticModel::fit(&x, &labels, 3).unwrap();
    assert_eq!(LogisticModel::fit(&x, &labels, 3).unwrap(), model);
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<LogisticModel>(&json).unwrap(), model);
}

#[test]
fn separable_and_badly_scaled_examples_converge() {
    for gain in [1e-6, 1.0, 1e6] {
        let (mut x, labels) = Normal::new(25).examples(60, 5, 3, 9.0);
        for value in x.iter_mut().flatten() {
            *value *= gain;
        }
        let model = LogisticModel::fit(&x, &labels, 3).unwrap();
        for x in &x {
            assert!((posterior(&model, x).iter().sum::<f64>() - 1.0).abs() < 1e-14);
        }
        let n_right = x
            .iter()
            .zip(&labels)
            .filter(|(x, label)| crate::decoder::decide_class(&posterior(&model, x)) == **label);
        assert!(gain < 1.0 || n_right.count() >= 57, "gain {gain}");
    }
}

#[test]
fn features_that_say_nothing_leave_the_priors() {
    let labels = classes(&[0, 0, 0, 1, 1, 2, 2, 2, 2, 2]);
    let model = LogisticModel::fit(&vec![vec![4.0, -2.0]; 10], &labels, 3).unwrap();
    // The criterion's ten digits.
    assert_close(&posterior(&model, &[4.0, -2.0]), &[0.3, 0.2, 0.5], 1e-9);
    assert!(model.coef.as_slice().iter().all(|w| w.abs() < 1e-9));
}

#[test]
fn bad_data_is_refused() {
    let (mut x, labels) = Normal::new(26).examples(20, 3, 2, 1.0);
    let error = LogisticModel::fit(&x, &[ClassIdx(0); 20], 2).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
    for bad in [f64::NAN, f64::NEG_INFINITY, 1e200] {
        x[7][1] = bad;
        let error = LogisticModel::fit(&x, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
}
