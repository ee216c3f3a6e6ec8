//! xDAWN against pyRiemann on a P300 recording, under changes of the data, and on bad
//! data.

use super::super::tests::{Samples, mixing, planar, responses};
use super::*;
use crate::classifier::tests::{assert_close, classes};

/// Made by `tests/reference/golden_spatial_filter.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/erp.json"));

#[derive(Deserialize)]
struct Golden {
    windows: Vec<Samples>,
    labels: Vec<u8>,
    xdawn: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    estimator: Estimator,
    filters: Vec<Vec<f64>>,
    patterns: Vec<Vec<f64>>,
    evoked: Vec<Vec<f64>>,
    filtered: Vec<Vec<f64>>,
}

#[test]
fn as_pyriemann() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let windows = planar(&golden.windows);
    for case in golden.xdawn {
        let params = XdawnParams { n_filters: 3, estimator: case.estimator, classes: None };
        let model = params.fit(&windows, &classes(&golden.labels), 2).unwrap();
        assert_close(model.filters.as_slice(), &case.filters.concat(), 1e-9);
        assert_close(model.patterns.as_slice(), &case.patterns.concat(), 1e-9);
        assert_close(model.evoked.as_slice(), &case.evoked.concat(), 1e-9);
        let mut filtered = vec![f64::NAN; 6 * windows[0].n_samples()];
        model.filter_into(&windows[0], &mut filtered);
        assert_close(&filtered, &case.filtered.concat(), 1e-9);
    }
}

#[test]
fn filters_find_the_channel_of_each_class() {
    let (windows, labels) = responses(1, (6, 50), 60, 3);
    let params = XdawnParams { n_filters: 1, ..XdawnParams::default() };
    let model = params.fit(&planar(&windows), &labels, 3).unwrap();
    for class in 0..3 {
        let row = model.filters.row(class);
        let peak = (0..6).max_by(|a, b| row[*a].abs().total_cmp(&row[*b].abs()));
        assert_eq!(peak, Some(class), "{row:?}");
    }
}

#[test]
fn what_is_filtered_does_not_depend_on_a_mixing_of_channels() {
    let (windows, labels) = responses(2, (5, 60), 40, 2);
    let params = XdawnParams::default();
    let expected = params.fit(&planar(&windows), &labels, 2).unwrap();
    let mixing = mixing(3, 5);
    let mixed: Vec<_> = windows.iter().map(|w| w.mixed(&mixing)).collect();
    let found = params.fit(&planar(&mixed), &labels, 2).unwrap();
    // A filter's length and sign are conventions: compare what it passes, at length 1.
    let unit = |rows: &Matrix, k: usize| {
        let length = dot(rows.row(k), rows.row(k)).sqrt();
        rows.row(k).iter().map(|x| (x / length).abs()).collect::<Vec<_>>()
    };
    for k in 0..expected.n_filters() {
        assert_close(&unit(&found.evoked, k), &unit(&expected.evoked, k), 1e-9);
    }
    // Of all filters, patterns are the inverse.
    let params = XdawnParams { n_filters: 5, ..params };
    let all = params.fit(&planar(&mixed), &labels, 2).unwrap();
    for (i, j) in (0..5).flat_map(|i| (0..5).map(move |j| (i, j))) {
        let expected = if i == j { 1.0 } else { 0.0 };
        assert!((dot(all.filters.row(i), all.patterns.row(j)) - expected).abs() < 1e-10);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn classes_can_be_chosen_and_swapped() {
    let (windows, labels) = responses(4, (4, 40), 30, 3);
    let all = XdawnParams::default().fit(&planar(&windows), &labels, 3).unwrap();
    let chosen =
        XdawnParams { classes: Some(vec![ClassIdx(2), ClassIdx(0)]), ..Default::default() };
    let model = chosen.fit(&planar(&windows), &labels, 3).unwrap();
    assert_eq!(model.filters.row(0), all.filters.row(8));
    assert_eq!(model.filters.row(4), all.filters.row(0));
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<XdawnModel>(&json).unwrap(), model);
}

#[test]
fn bad_data_is_refused() {
    let (windows, labels) = responses(5, (4, 40), 20, 2);
    let fit = |windows: &[Samples], labels: &[ClassIdx]| {
        XdawnParams::default().fit(&planar(windows), labels, 2).unwrap_err()
    };
    let error = fit(&windows, &[ClassIdx(1); 20]);
    assert_eq!(error, FitError::TooFewExamples { class: 0, n_examples: 0, n_needed: 2 });
    let mut bad = windows.clone();
    bad[3].data[50] = f64::NAN;
    let what = "channel 1 of example 3".to_owned();
    assert_eq!(fit(&bad, &labels), FitError::NotFinite { what });
    let flat_channel = Mat::from_fn(4, 4, |i, j| if i == j && i != 2 { 1.0 } else { 0.0 });
    let bad: Vec<_> = windows.iter().map(|w| w.mixed(&flat_channel)).collect();
    assert!(matches!(fit(&bad, &labels), FitError::NotPositiveDefinite { .. }));
    for params in [
        XdawnParams { n_filters: 0, ..Default::default() },
        XdawnParams { classes: Some(vec![ClassIdx(2)]), ..Default::default() },
        XdawnParams { classes: Some(vec![]), ..Default::default() },
    ] {
        let error = params.fit(&planar(&windows), &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::BadParameter { .. }), "{error}");
    }
}
