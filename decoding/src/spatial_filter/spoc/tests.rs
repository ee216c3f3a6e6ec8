//! Comodulated sources against pyRiemann and MNE on imagery, under changes of the data,
//! and on bad data.

use super::*;
use crate::classifier::tests::{Normal, assert_close, matrix};
use acquisition::marker::ClassIdx;

/// Made by `tests/reference/golden_spatial_filter.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/csp_variants.json"));

#[derive(Deserialize)]
struct Golden {
    covariances: Vec<Vec<Vec<f64>>>,
    spoc: Expected,
}

#[derive(Deserialize)]
struct Expected {
    target: Vec<f64>,
    pyriemann: Vec<Vec<f64>>,
    mne: Vec<Vec<f64>>,
}

#[test]
fn as_pyriemann_and_mne() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let covariances: Vec<_> = golden.covariances.iter().map(|c| matrix(c)).collect();
    let borrowed: Vec<_> = covariances.iter().collect();
    let model = SpocParams::default().fit(&borrowed, &golden.spoc.target).unwrap();
    assert_close(model.filters.as_slice(), &golden.spoc.pyriemann.concat(), 1e-9);
    assert_close(model.filters.as_slice(), &golden.spoc.mne.concat(), 1e-9);
}

/// Covariances in which the target drives the power of channel 2.
fn examples(seed: u64, n: usize) -> (Vec<Mat<f64>>, Vec<f64>) {
    let mut normal = Normal::new(seed);
    let example = |_| {
        let target = normal.draw();
        let mut covariance = normal.covariance(4, 80, ClassIdx(9));
        let gain = (0.4 * target).exp();
        for i in 0..4 {
            covariance[(2, i)] *= gain;
            covariance[(i, 2)] *= gain;
        }
        (covariance, target)
    };
    (0..n).map(example).unzip()
}

#[test]
fn the_driven_channel_is_found_and_its_power_follows() {
    let (covariances, targets) = examples(71, 60);
    let borrowed: Vec<_> = covariances.iter().collect();
    let model = SpocParams { n_filters: 9 }.fit(&borrowed, &targets).unwrap();
    assert_eq!(model.n_filters(), 4);
    let filter = model.filters.row(0);
    assert!(filter[2] > 0.5 && model.comodulation[0] > 0.3, "{filter:?}");
    let mut runtime = model.plan();
    let mut log_variance = |covariance: &Mat<f64>| {
        let mut features = [f64::NAN; 4];
        runtime.features_into(covariance.as_ref(), &mut features);
        features[0]
    };
    let (low, high): (Vec<_>, Vec<_>) =
        targets.iter().zip(&covariances).partition(|(z, _)| **z < 0.0);
    let mut mean = |of: &[(&f64, &Mat<f64>)]| {
        of.iter().map(|(_, c)| log_variance(c)).sum::<f64>() / of.len() as f64
    };
    assert!(mean(&high) > mean(&low) + 0.5);
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<SpocModel>(&json).unwrap(), model);
}

#[test]
fn units_and_sign_of_the_target_and_order_do_not_matter() {
    let (covariances, targets) = examples(72, 40);
    let fit = |covariances: &[Mat<f64>], targets: &[f64]| {
        let borrowed: Vec<_> = covariances.iter().collect();
        SpocParams::default().fit(&borrowed, targets).unwrap()
    };
    let expected = fit(&covariances, &targets);
    let backwards: Vec<_> = covariances.iter().rev().cloned().collect();
    let moved: Vec<_> = targets.iter().rev().map(|z| 7.0 - 300.0 * z).collect();
    let found = fit(&backwards, &moved);
    assert_close(found.filters.as_slice(), expected.filters.as_slice(), 1e-10);
    let negative: Vec<_> = expected.comodulation.iter().map(|l| -l).collect();
    assert_close(&found.comodulation, &negative, 1e-10);
}

#[test]
fn bad_data_is_refused() {
    let (covariances, targets) = examples(73, 20);
    let borrowed: Vec<_> = covariances.iter().collect();
    let fit = |covariances: &[&Mat<f64>], targets: &[f64]| {
        SpocParams::default().fit(covariances, targets).unwrap_err()
    };
    assert!(matches!(fit(&borrowed, &[3.3; 20]), FitError::BadParameter { .. }));
    let mut nan = targets.clone();
    nan[4] = f64::NAN;
    assert!(matches!(fit(&borrowed, &nan), FitError::NotFinite { .. }));
    assert!(matches!(fit(&borrowed[..1], &targets[..1]), FitError::TooFewExamples { .. }));
    let error = SpocParams { n_filters: 0 }.fit(&borrowed, &targets).unwrap_err();
    assert!(matches!(error, FitError::BadParameter { .. }));
    let flat = Mat::from_fn(4, 4, |i, j| if i == j && i > 0 { 1.0 } else { 0.0 });
    assert!(matches!(fit(&[&flat; 20], &targets), FitError::NotPositiveDefinite { .. }));
}
