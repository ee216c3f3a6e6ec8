//! The elastic net against scikit-learn, against its own conditions of optimality,
//! under changes of the data, and on bad data.

use super::*;
use crate::classifier::tests::{GoldenSet, Normal, assert_close};
use serde::Deserialize;

/// Made by `tests/reference/golden_classify.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/elastic_net.json"));

#[derive(Deserialize)]
struct Golden {
    sets: Vec<GoldenSet>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    set: usize,
    classes: Vec<u8>,
    c: f64,
    l1_ratio: f64,
    coef: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    objective: f64,
    proba: Vec<Vec<f64>>,
}

fn posterior(model: &LogisticModel, x: &[f64]) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.intercept.len()];
    model.posterior_into(x, &mut posterior);
    posterior
}

/// The weights that are penalised: for two classes their difference.
fn penalised(model: &LogisticModel) -> Vec<Vec<f64>> {
    match model.coef.n_rows() {
        2 => vec![model.coef.row(1).iter().zip(model.coef.row(0)).map(|(b, a)| b - a).collect()],
        n => (0..n).map(|k| model.coef.row(k).to_vec()).collect(),
    }
}

fn objective(
    params: ElasticNetParams,
    model: &LogisticModel,
    x: &[Vec<f64>],
    labels: &[ClassIdx],
) -> f64 {
    let loss: f64 = x.iter().zip(labels).map(|(x, l)| -posterior(model, x)[l.index()].ln()).sum();
    let of = |w: &f64| params.l1_ratio * w.abs() + (1.0 - params.l1_ratio) / 2.0 * w * w;
    params.c * loss + penalised(model).iter().flatten().map(of).sum::<f64>()
}

/// Largest violation of the conditions of optimality, from their definition.
fn violation(
    params: ElasticNetParams,
    model: &LogisticModel,
    x: &[Vec<f64>],
    labels: &[ClassIdx],
) -> f64 {
    let weights = penalised(model);
    let shift = model.coef.n_rows() - weights.len();
    let mut largest = 0.0_f64;
    for (k, weights) in weights.iter().enumerate() {
        let excess = |(x, l): (&Vec<f64>, &ClassIdx)| {
            params.c
                * (posterior(model, x)[k + shift] - f64::from(u8::from(l.index() == k + shift)))
        };
        let excess: Vec<f64> = x.iter().zip(labels).map(excess).collect();
        largest = largest.max(excess.iter().sum::<f64>().abs());
        for (j, w) in weights.iter().enumerate() {
            let slope: f64 = x.iter().zip(&excess).map(|(x, e)| x[j] * e).sum();
            let slope = slope + (1.0 - params.l1_ratio) * w;
            let off = match *w {
                0.0 => (slope.abs() - params.l1_ratio).max(0.0),
                w => slope + params.l1_ratio * w.signum(),
            };
            largest = largest.max(off.abs());
        }
    }
    largest
}

#[test]
fn as_scikit_learn() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for case in golden.cases {
        let set = &golden.sets[case.set];
        let (x, labels) = set.of(&case.classes);
        let params = ElasticNetParams { c: case.c, l1_ratio: case.l1_ratio };
        let model = params.fit(&x, &labels, case.classes.len()).unwrap();
        println!("{}, {params:?}, {} classes", set.name, case.classes.len());
        assert_close(&[objective(params, &model, &x, &labels)], &[case.objective], 1e-12);
        // saga stops where no weight moves by 1e-13 of the largest in an epoch.
        for (k, expected) in case.coef.iter().enumerate() {
            assert_close(model.coef.row(k), expected, 1e-9);
            let zeros = |row: &[f64]| row.iter().map(|w| *w == 0.0).collect::<Vec<_>>();
            assert_eq!(zeros(model.coef.row(k)), zeros(expected));
        }
        assert_close(&model.intercept, &case.intercept, 1e-9);
        for (x, expected) in set.held_out.iter().zip(&case.proba) {
            assert_close(&posterior(&model, x), expected, 1e-9);
        }
    }
}

#[test]
fn the_conditions_of_optimality_hold_for_all_shapes() {
    for (n, n_features, n_classes, c, l1_ratio) in [
        (60, 4, 3, 1.0, 1.0),
        (30, 80, 3, 1.0, 0.3),
        (40, 40, 4, 100.0, 1.0),
        (48, 200, 2, 5.0, 0.05),
        (24, 9, 2, 0.01, 0.7),
        (90, 30, 5, 2.0, 0.5),
    ] {
        let (x, labels) = Normal::new(31).examples(n, n_features, n_classes, 1.5);
        let params = ElasticNetParams { c, l1_ratio };
        let model = params.fit(&x, &labels, n_classes).unwrap();
        let left = violation(params, &model, &x, &labels);
        // At no weights the slope is about C n / 2, and ten digits of it are to go.
        assert!(
            left < 1e-9 * (c * n as f64).max(1.0),
            "{left:.1e} left, {n} x {n_features}, {params:?}"
        );
    }
}

#[test]
fn no_l1_penalty_is_the_l2_penalty_and_a_small_one_is_near() {
    let (x, labels) = Normal::new(32).examples(60, 8, 3, 1.0);
    let l2 = LogisticParams { c: 0.5 }.fit(&x, &labels, 3).unwrap();
    let none = ElasticNetParams { c: 0.5, l1_ratio: 0.0 }.fit(&x, &labels, 3).unwrap();
    assert_eq!(none, l2);
    let small = ElasticNetParams { c: 0.5, l1_ratio: 1e-9 }.fit(&x, &labels, 3).unwrap();
    // A slope of 1e-9 against second derivatives of order 1.
    assert_close(small.coef.as_slice(), l2.coef.as_slice(), 1e-8);
}

#[test]
fn a_strong_penalty_leaves_the_priors() {
    let (x, labels) = Normal::new(33).examples(40, 6, 2, 1.0);
    let labels: Vec<_> =
        labels.iter().enumerate().map(|(i, l)| if i < 8 { ClassIdx(0) } else { *l }).collect();
    let share = labels.iter().filter(|l| l.0 == 0).count() as f64 / 40.0;
    let model = ElasticNetParams { c: 1e-3, l1_ratio: 1.0 }.fit(&x, &labels, 2).unwrap();
    assert!(model.coef.as_slice().iter().all(|w| *w == 0.0));
    // The criterion's ten digits.
    assert_close(&posterior(&model, &x[0]), &[share, 1.0 - share], 1e-9);
}

#[test]
fn order_of_examples_offset_of_features_and_names_of_classes_do_not_matter() {
    let (x, labels) = Normal::new(34).examples(45, 70, 3, 1.0);
    let params = ElasticNetParams::default();
    let model = params.fit(&x, &labels, 3).unwrap();
    let (probe, _) = Normal::new(35).examples(1, 70, 1, 0.0);
    let expected = posterior(&model, &probe[0]);

    let backwards: Vec<_> = x.iter().rev().cloned().collect();
    let renamed: Vec<_> = labels.iter().rev().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
    let found = posterior(&params.fit(&backwards, &renamed, 3).unwrap(), &probe[0]);
    // Convergence to ten digits of the slopes, for weights of order 0.1.
    assert_close(&[found[1], found[2], found[0]], &expected, 1e-8);

    let offset = |x: &Vec<f64>| x.iter().map(|v| v + 100.0).collect::<Vec<_>>();
    let moved: Vec<_> = x.iter().map(offset).collect();
    let model = params.fit(&moved, &labels, 3).unwrap();
    assert_close(&posterior(&model, &offset(&probe[0])), &expected, 1e-8);
    assert_eq!(params.fit(&moved, &labels, 3).unwrap(), model);
}

#[test]
fn bad_data_is_refused() {
    let (mut x, labels) = Normal::new(36).examples(20, 3, 2, 1.0);
    let params = ElasticNetParams::default();
    let error = params.fit(&x, &[ClassIdx(0); 20], 2).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
    for bad in [f64::NAN, f64::NEG_INFINITY, 1e200] {
        x[7][1] = bad;
        let error = params.fit(&x, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
}
