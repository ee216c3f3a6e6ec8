//! Task-related components against meegkit on a flicker recording, under changes of the
//! data, and on bad data.

use super::super::tests::{Samples, mixing, planar, responses};
use super::*;
use crate::classifier::tests::{assert_close, classes};

/// Made by `tests/reference/golden_spatial_filter.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/ssvep.json"));

#[derive(Deserialize)]
struct Golden {
    bands: Vec<Vec<Samples>>,
    labels: Vec<u8>,
    trca: Expected,
}

#[derive(Deserialize)]
struct Expected {
    n_train: usize,
    weights: Vec<Vec<Vec<f64>>>,
    scores: Scores,
}

#[derive(Deserialize)]
struct Scores {
    each: Vec<Vec<f64>>,
    ensemble: Vec<Vec<f64>>,
}

fn params(scoring: TrcaScoring) -> TrcaParams {
    TrcaParams { scoring, ..TrcaParams::default() }
}

#[test]
fn as_meegkit() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let n_train = golden.trca.n_train;
    let bands: Vec<_> = golden.bands.iter().map(|band| planar(band)).collect();
    let train: Vec<_> = bands.iter().map(|band| &band[..n_train]).collect();
    let labels = classes(&golden.labels[..n_train]);
    let scores = &golden.trca.scores;
    for (scoring, expected) in
        [(TrcaScoring::Each, &scores.each), (TrcaScoring::Ensemble, &scores.ensemble)]
    {
        let model = params(scoring).fit(&train, &labels, 3).unwrap();
        for (band, weights) in model.bands.iter().zip(&golden.trca.weights) {
            assert_close(band.filters.as_slice(), &weights.concat(), 1e-9);
        }
        let mut runtime = model.plan();
        let mut found = [f64::NAN; 3];
        for (i, expected) in expected.iter().enumerate() {
            let windows: Vec<_> = bands.iter().map(|band| band[n_train + i]).collect();
            runtime.scores_into(&windows, &mut found);
            assert_close(&found, expected, 1e-9);
        }
    }
}

/// Responses of three classes, cut into training windows and the rest.
fn made(seed: u64) -> (Vec<Samples>, Vec<ClassIdx>) {
    responses(seed, (5, 80), 36, 3)
}

#[test]
fn new_windows_are_recognised() {
    let (windows, labels) = made(61);
    let windows = planar(&windows);
    for scoring in [TrcaScoring::Each, TrcaScoring::Ensemble] {
        let model = params(scoring).fit(&[&windows[..24]], &labels[..24], 3).unwrap();
        let mut runtime = model.plan();
        let mut posterior = [f64::NAN; 3];
        for (window, label) in windows[24..].iter().zip(&labels[24..]) {
            runtime.posterior_into(&[*window], &mut posterior);
            assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert_eq!(crate::decoder::decide_class(&posterior), *label, "{posterior:?}");
        }
        let json = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<TrcaModel>(&json).unwrap(), model);
    }
}

fn scores(
    scoring: TrcaScoring,
    windows: &[Samples],
    labels: &[ClassIdx],
    probe: &Samples,
) -> Vec<f64> {
    let model = params(scoring).fit(&[&planar(windows)], labels, 3).unwrap();
    let mut runtime = model.plan();
    let mut scores = vec![f64::NAN; 3];
    // Once with another window, for the scratch to be used.
    runtime.scores_into(&[windows[1].planar()], &mut scores);
    runtime.scores_into(&[probe.planar()], &mut scores);
    scores
}

#[test]
fn mixing_units_order_and_names_do_not_matter() {
    let (windows, labels) = made(62);
    let (train, probe) = (&windows[..30], &windows[33]);
    let expected = scores(TrcaScoring::Each, train, &labels[..30], probe);
    let mixing = mixing(63, 5);
    let mixed: Vec<_> = train.iter().map(|w| w.mixed(&mixing)).collect();
    let found = scores(TrcaScoring::Each, &mixed, &labels[..30], &probe.mixed(&mixing));
    // Filters rest on eigenvalues a tenth apart, after a mixing of condition two.
    assert_close(&found, &expected, 1e-10);
    for scoring in [TrcaScoring::Each, TrcaScoring::Ensemble] {
        let expected = scores(scoring, train, &labels[..30], probe);
        let scaled: Vec<_> = train.iter().rev().map(|w| w.scaled(1e-6)).collect();
        let renamed: Vec<_> = labels[..30].iter().rev().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
        let mut found = scores(scoring, &scaled, &renamed, &probe.scaled(1e3));
        found.rotate_left(1);
        assert_close(&found, &expected, 1e-10);
    }
}

#[test]
fn windows_without_variance_and_with_nan() {
    let (windows, labels) = made(64);
    let silent = Samples { data: vec![0.0; 400], n_channels: 5 };
    assert_eq!(scores(TrcaScoring::Each, &windows, &labels, &silent), [0.0; 3]);
    let mut nan = windows[0].clone();
    nan.data[17] = f64::NAN;
    let found = scores(TrcaScoring::Ensemble, &windows, &labels, &nan);
    assert!(found.iter().all(|score| score.is_nan()));
}

#[test]
fn bad_data_is_refused() {
    let (windows, labels) = made(65);
    let fit = |windows: &[Samples], labels: &[ClassIdx]| {
        TrcaParams::default().fit(&[&planar(windows)], labels, 3).unwrap_err()
    };
    let error = TrcaParams::default().fit(&[], &labels, 3).unwrap_err();
    assert!(matches!(error, FitError::BadParameter { .. }), "{error}");
    let error = fit(&windows[..5], &labels[..5]);
    assert_eq!(error, FitError::TooFewExamples { class: 2, n_examples: 1, n_needed: 2 });
    let mut nan = windows.clone();
    nan[7].data[0] = f64::INFINITY;
    assert!(matches!(fit(&nan, &labels), FitError::NotFinite { .. }));
    let flat = Mat::from_fn(5, 5, |i, j| if i == j && i != 2 { 1.0 } else { 0.0 });
    let flat: Vec<_> = windows.iter().map(|w| w.mixed(&flat)).collect();
    assert!(matches!(fit(&flat, &labels), FitError::NotPositiveDefinite { .. }));
}
