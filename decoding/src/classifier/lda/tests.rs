//! Linear discriminants against scikit-learn, under changes of the data, and on bad data.

use super::*;
use crate::classifier::tests::{GoldenSet, Normal, assert_close, classes};
use serde::Deserialize;

/// Made by `tests/reference/golden.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/lda.json"));

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

fn posterior(model: &LdaModel, x: &[f64]) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.intercept.len()];
    model.posterior_into(x, &mut posterior);
    posterior
}

/// Made by `tests/reference/golden_classify.py`.
const UNSHRUNK: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/lda_svd.json"));

#[derive(Deserialize)]
struct Unshrunk {
    sets: Vec<GoldenSet>,
    cases: Vec<UnshrunkCase>,
}

#[derive(Deserialize)]
struct UnshrunkCase {
    set: usize,
    classes: Vec<u8>,
    proba: Vec<Vec<f64>>,
}

#[test]
fn without_shrinkage_as_scikit_learns_default() {
    let golden: Unshrunk = serde_json::from_str(UNSHRUNK).unwrap();
    for case in golden.cases {
        let set = &golden.sets[case.set];
        let (x, labels) = set.of(&case.classes);
        let n_classes = case.classes.len();
        let model = LdaModel::fit_unshrunk(&x, &labels, n_classes).unwrap();
        for (x, expected) in set.held_out.iter().zip(&case.proba) {
            // Eigenvalues of the covariance against singular values of the features: half of
            // the digits of a condition number up to 1e8 in the second set.
            assert_close(&posterior(&model, x), expected, 1e-8);
        }
    }
}

#[test]
fn features_that_do_not_vary_within_classes_change_nothing() {
    let mut normal = Normal::new(71);
    let labels = classes(&(0..40).map(|i| i % 2).collect::<Vec<_>>());
    let example = |l: &ClassIdx| vec![normal.draw() + f64::from(l.0), normal.draw()];
    let plain: Vec<Vec<f64>> = labels.iter().map(example).collect();
    let constant: Vec<Vec<f64>> = plain.iter().map(|x| [&x[..], &[3.0]].concat()).collect();
    let fit = |x: &[Vec<f64>]| LdaModel::fit_unshrunk(x, &labels, 2).unwrap();
    let (before, after) = (fit(&plain), fit(&constant));
    for (x, y) in plain.iter().zip(&constant) {
        assert_close(&posterior(&after, y), &posterior(&before, x), 1e-9);
    }
    let error = LdaModel::fit_unshrunk(&plain[..1], &labels[..1], 2).unwrap_err();
    assert!(matches!(error, FitError::TooFewExamples { .. }), "{error}");
}

#[test]
fn as_scikit_learn() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for case in golden.cases {
        let used = |label: &u8| case.classes.contains(label);
        let labels: Vec<u8> = golden.labels.iter().copied().filter(used).collect();
        let examples = golden.labels.iter().zip(&golden.features);
        let x: Vec<_> = examples.filter(|(l, _)| used(l)).map(|(_, x)| x.clone()).collect();
        let model = LdaModel::fit(&x, &classes(&labels), case.classes.len()).unwrap();
        let (mut coef, mut intercept) = (Vec::new(), model.intercept.clone());
        if case.classes.len() == 2 {
            let rows = model.coef.row(0).iter().zip(model.coef.row(1));
            coef.push(rows.map(|(first, second)| second - first).collect());
            intercept = vec![intercept[1] - intercept[0]];
        } else {
            coef.extend((0..case.classes.len()).map(|k| model.coef.row(k).to_vec()));
        }
        // Both solve a 6 x 6 system of condition 1e5: ten of sixteen digits remain.
        for (found, expected) in coef.iter().zip(&case.coef) {
            assert_close(found, expected, 1e-9);
        }
        assert_close(&intercept, &case.intercept, 1e-9);
        for (x, expected) in golden.held_out.iter().zip(&case.proba) {
            assert_close(&posterior(&model, x), expected, 1e-9);
        }
    }
}

#[test]
fn few_examples_are_solved_as_many_are() {
    for (n_examples, n_features, n_classes) in [(12, 40, 2), (30, 61, 3), (36, 300, 2)] {
        let (mut x, labels) = Normal::new(5).examples(n_examples, n_features, n_classes, 1.0);
        for example in &mut x {
            // A constant feature, one that repeats another, and units far apart.
            (example[1], example[2]) = (4.0, example[3]);
            example[0] *= 1e3;
        }
        let classes = Standardised::of(&x, &labels, n_classes).unwrap();
        let few = Few::of(&classes).unwrap().solve(classes.means.as_ref()).unwrap();
        let many = least_squares(classes.within().as_ref(), classes.means.as_ref()).unwrap();
        for k in 0..n_classes {
            let column = |of: &Mat<f64>| of.col(k).iter().copied().collect::<Vec<_>>();
            // A condition of up to 1e7 in either.
            assert_close(&column(&few), &column(&many), 1e-8);
        }
        for example in &mut x {
            example[0] *= 1e6;
        }
        let far = Standardised::of(&x, &labels, n_classes).unwrap();
        assert!(Few::of(&far).is_none(), "digits would be lost");
    }
    let (x, labels) = Normal::new(6).examples(21, 40, 2, 1.0);
    assert!(Few::of(&Standardised::of(&x, &labels, 2).unwrap()).is_none(), "it does not pay");
}

#[test]
fn order_of_examples_scale_of_features_and_names_of_classes_do_not_matter() {
    let (x, labels) = Normal::new(1).examples(90, 5, 3, 1.0);
    let model = LdaModel::fit(&x, &labels, 3).unwrap();
    let probe = vec![0.4, -0.2, 1.0, 0.3, -2.0];
    let expected = posterior(&model, &probe);

    let backwards: Vec<_> = x.iter().rev().cloned().collect();
    let labels_backwards: Vec<_> = labels.iter().rev().copied().collect();
    let model = LdaModel::fit(&backwards, &labels_backwards, 3).unwrap();
    // Sums in another order round differently, a few units in the last place each.
    assert_close(&posterior(&model, &probe), &expected, 1e-12);

    let gains = [1e-3, 1.0, 50.0, 1e4, 7.0];
    let scale = |x: &Vec<f64>| x.iter().zip(gains).map(|(v, g)| v * g + 3.0).collect::<Vec<_>>();
    let scaled: Vec<_> = x.iter().map(scale).collect();
    let model = LdaModel::fit(&scaled, &labels, 3).unwrap();
    // The covariance's condition is now 1e14, of which the eigenvalues see all.
    assert_close(&posterior(&model, &scale(&probe)), &expected, 1e-3);

    let renamed: Vec<_> = labels.iter().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
    let model = LdaModel::fit(&x, &renamed, 3).unwrap();
    let found = posterior(&model, &probe);
    assert_close(&[found[1], found[2], found[0]], &expected, 1e-12);
}

#[test]
fn a_constant_or_repeated_feature_changes_nothing_much() {
    let (x, labels) = Normal::new(2).examples(60, 4, 2, 1.0);
    let with_constant: Vec<_> = x.iter().map(|x| [&x[..], &[7.0]].concat()).collect();
    let model = LdaModel::fit(&with_constant, &labels, 2).unwrap();
    assert!(model.coef.row(0).iter().all(|v| v.is_finite()));
    let found = posterior(&model, &with_constant[0]);
    assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-14, "{found:?}");

    let all_constant = vec![vec![7.0, -1.0]; 60];
    let model = LdaModel::fit(&all_constant, &labels, 2).unwrap();
    assert_eq!(posterior(&model, &[7.0, -1.0]), [0.5, 0.5], "only the priors are left");
}

#[test]
fn fewer_examples_than_features() {
    let (x, labels) = Normal::new(3).examples(12, 40, 3, 8.0);
    let model = LdaModel::fit(&x, &labels, 3).unwrap();
    for (x, label) in x.iter().zip(&labels) {
        assert!(posterior(&model, x)[label.index()] > 0.5);
    }
}

#[test]
fn bad_data_is_refused() {
    let (mut x, labels) = Normal::new(4).examples(20, 3, 2, 1.0);
    let of_one_class = vec![ClassIdx(0); 20];
    let error = LdaModel::fit(&x, &of_one_class, 2).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
    for bad in [f64::NAN, f64::INFINITY, 1e200] {
        x[7][1] = bad;
        let error = LdaModel::fit(&x, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
}

#[test]
fn a_file_keeps_every_bit() {
    let (x, labels) = Normal::new(5).examples(20, 3, 2, 1.0);
    let model = LdaModel::fit(&x, &labels, 2).unwrap();
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<LdaModel>(&json).unwrap(), model);
}
