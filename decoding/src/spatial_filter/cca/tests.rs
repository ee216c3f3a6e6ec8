//! Canonical correlations against scikit-learn, MOABB and subspace angles on a
//! flicker recording; degenerate windows and parameters.

use super::super::tests::{Samples, mixing, responses};
use super::*;
use crate::classifier::tests::assert_close;
use proptest::prelude::*;

/// Made by `tests/reference/golden_spatial_filter.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/ssvep.json"));

#[derive(Deserialize)]
struct Golden {
    rate_hz: f64,
    frequencies_hz: Vec<f64>,
    n_harmonics: usize,
    bands: Vec<Vec<Samples>>,
    exact: Vec<Vec<Vec<f64>>>,
    sklearn: Vec<Vec<f64>>,
    moabb: Vec<Vec<f64>>,
    filter_bank: Vec<Vec<f64>>,
}

fn golden() -> (Golden, CcaParams) {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let (frequencies_hz, n_harmonics) = (golden.frequencies_hz.clone(), golden.n_harmonics);
    (golden, CcaParams { frequencies_hz, n_harmonics })
}

fn scores(params: &CcaParams, rate_hz: f64, window: &Samples) -> Vec<f64> {
    let window = window.planar();
    let mut runtime = params.plan(rate_hz, window.n_channels(), window.n_samples()).unwrap();
    let mut scores = vec![f64::NAN; runtime.n_frequencies()];
    runtime.scores_into(&window, &mut scores);
    scores
}

#[test]
fn as_scikit_learn_and_moabb() {
    let (golden, params) = golden();
    let mut runtime = params.plan(golden.rate_hz, 8, 96).unwrap();
    let mut found = [f64::NAN; 3];
    for (band, exact) in golden.bands.iter().zip(&golden.exact) {
        for (window, exact) in band.iter().zip(exact) {
            runtime.scores_into(&window.planar(), &mut found);
            assert_close(&found, exact, 1e-9);
        }
    }
    for (i, window) in golden.bands[0].iter().enumerate() {
        runtime.scores_into(&window.planar(), &mut found);
        assert_close(&found, &golden.sklearn[i], 1e-9);
        runtime.posterior_into(&window.planar(), &mut found);
        assert_close(&found, &golden.moabb[i], 1e-9);
    }
}

#[test]
fn a_filter_bank_sums_weighted_squares() {
    let (golden, cca) = golden();
    let params = FilterBankCcaParams { cca, n_bands: 2, weights: BandWeights::default() };
    let mut runtime = params.plan(golden.rate_hz, 8, 96).unwrap();
    let mut found = [f64::NAN; 3];
    for (i, expected) in golden.filter_bank.iter().enumerate() {
        let bands: Vec<_> = golden.bands.iter().map(|band| band[i].planar()).collect();
        runtime.scores_into(&bands, &mut found);
        assert_close(&found, expected, 1e-9);
        runtime.posterior_into(&bands, &mut found);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

/// A sine on every channel of a window, with noise of its own on each.
fn flicker(frequency_hz: f64, n_channels: usize, noise: f64) -> Samples {
    let mut window = responses(31, (n_channels, 128), 1, 1).0.remove(0);
    for (i, x) in window.data.iter_mut().enumerate() {
        let phase = TAU * frequency_hz * (i % 128) as f64 / 128.0 + (i / 128) as f64;
        *x = noise * *x + phase.sin();
    }
    window
}

#[test]
fn the_frequency_that_is_there_wins() {
    let params = CcaParams { frequencies_hz: vec![9.0, 11.5, 14.0], n_harmonics: 2 };
    for (k, frequency_hz) in params.frequencies_hz.iter().enumerate() {
        let scores = scores(&params, 128.0, &flicker(*frequency_hz, 4, 0.5));
        let best = (0..3).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        assert_eq!(best, Some(k), "{scores:?}");
    }
    let pure = scores(&params, 128.0, &flicker(11.5, 1, 0.0));
    assert!((pure[1] - 1.0).abs() < 1e-12);
}

#[test]
fn flat_repeated_and_rereferenced_channels_change_nothing() {
    let params = CcaParams { frequencies_hz: vec![9.0, 14.0], n_harmonics: 3 };
    let window = flicker(9.0, 4, 1.0);
    let expected = scores(&params, 128.0, &window);
    let widened = Mat::from_fn(6, 4, |i, j| f64::from(u8::from(i == j || (i, j) == (5, 1))));
    let mut wide = window.mixed(&widened);
    wide.data[4 * 128..5 * 128].fill(1e5 / 3.0);
    assert_close(&scores(&params, 128.0, &wide), &expected, 1e-10);
    // A common average reference leaves three directions of the four.
    let three = Mat::from_fn(3, 4, |i, j| f64::from(u8::from(i == j)) - 0.25);
    let four = Mat::from_fn(4, 4, |i, j| f64::from(u8::from(i == j)) - 0.25);
    let expected = scores(&params, 128.0, &window.mixed(&three));
    assert_close(&scores(&params, 128.0, &window.mixed(&four)), &expected, 1e-10);
    let silent = Samples { data: vec![0.0; 512], n_channels: 4 };
    assert_eq!(scores(&params, 128.0, &silent), [0.0, 0.0]);
    let mut nan = window.clone();
    nan.data[77] = f64::NAN;
    assert!(scores(&params, 128.0, &nan).iter().all(|score| score.is_nan()));
}

#[test]
fn impossible_parameters_are_refused() {
    let plan = |frequencies_hz: &[f64], n_harmonics, n_samples| {
        let params = CcaParams { frequencies_hz: frequencies_hz.to_vec(), n_harmonics };
        params.plan(128.0, 8, n_samples).map(|_| ()).unwrap_err()
    };
    assert_eq!(plan(&[], 2, 100), CcaError::Nothing);
    assert_eq!(plan(&[10.0], 0, 100), CcaError::Nothing);
    let error = CcaError::Frequency { frequency_hz: 32.0, harmonic: 2, nyquist_hz: 64.0 };
    assert_eq!(plan(&[10.0, 32.0], 3, 100), error);
    for bad in [0.0, -3.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(plan(&[bad], 1, 100), CcaError::Frequency { harmonic: 1, .. }));
    }
    assert_eq!(plan(&[10.0], 2, 13), CcaError::TooShort { n_samples: 13, n_needed: 14 });
    let cca = CcaParams { frequencies_hz: vec![10.0], n_harmonics: 2 };
    let bank = FilterBankCcaParams { cca, n_bands: 0, weights: BandWeights::default() };
    assert_eq!(bank.plan(128.0, 8, 100).map(|_| ()).unwrap_err(), CcaError::Nothing);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_mixing_of_channels_changes_nothing(seed in 0_u64..1000, n_channels in 1_usize..6) {
        let params = CcaParams { frequencies_hz: vec![8.0, 13.0, 17.5], n_harmonics: 2 };
        let window = &responses(seed, (n_channels, 90), 1, 1).0[0];
        let found = scores(&params, 100.0, &window.mixed(&mixing(seed + 1, n_channels)));
        assert_close(&found, &scores(&params, 100.0, window), 1e-10);
    }
}
