//! Augmented covariances against MOABB and pyRiemann, and windows that are too short.

use super::super::tests::{Samples, flat, mixing, responses};
use super::*;
use crate::classifier::tests::assert_close;
use crate::riemann::covariance::{oas_shrink, scm};
use proptest::prelude::*;

/// Made by `tests/reference/golden_spatial_filter.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/ssvep.json"));

#[derive(Deserialize)]
struct Golden {
    bands: Vec<Vec<Samples>>,
    augmented: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(flatten)]
    params: AugmentedParams,
    covariance: Vec<Vec<f64>>,
}

fn covariance(params: AugmentedParams, window: &Samples) -> Mat<f64> {
    let window = window.planar();
    let mut runtime = params.plan(window.n_channels(), window.n_samples()).unwrap();
    let mut out = Mat::from_fn(runtime.n_rows(), runtime.n_rows(), |_, _| f64::NAN);
    runtime.covariance_into(&window, out.as_mut());
    // Once more, with used scratch.
    let first = out.clone();
    runtime.covariance_into(&window, out.as_mut());
    assert_eq!(first, out);
    out
}

#[test]
fn as_moabb_and_pyriemann() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    assert_eq!(golden.augmented.len(), 3);
    for case in golden.augmented {
        let found = covariance(case.params, &golden.bands[0][0]);
        assert_close(&flat(&found), &case.covariance.concat(), 1e-9);
    }
}

#[test]
fn a_mixing_of_channels_mixes_each_copy() {
    let window = &responses(21, (3, 60), 1, 1).0[0];
    let params = AugmentedParams { order: 3, lag: 2, estimator: Estimator::Scm };
    let mixing = mixing(22, 3);
    let found = covariance(params, &window.mixed(&mixing));
    let block =
        Mat::from_fn(9, 9, |i, j| if i / 3 == j / 3 { mixing[(i % 3, j % 3)] } else { 0.0 });
    let expected = &block * covariance(params, window) * block.transpose();
    assert_close(&flat(&found), &flat(&expected), 1e-12);
}

#[test]
fn windows_too_short_and_zeros_are_refused() {
    let plan = |order, lag, estimator| AugmentedParams { order, lag, estimator }.plan(4, 40);
    assert!(plan(4, 9, Estimator::Oas).is_ok());
    for (order, lag, estimator, n_left) in [
        (4, 10, Estimator::Oas, 0),
        (2, usize::MAX, Estimator::Oas, 0),
        (usize::MAX, 2, Estimator::Scm, 0),
    ] {
        let error = plan(order, lag, estimator).unwrap_err();
        let AugmentedError::TooShort { n_left: left, .. } = error else { panic!("{error}") };
        assert_eq!(left, n_left);
    }
    let error = plan(8, 1, Estimator::Scm).unwrap_err();
    let singular = CovarianceError::Singular { n_channels: 32, n_samples: 32 };
    assert_eq!(error, AugmentedError::Covariance(singular));
    let error = plan(2, 1, Estimator::Shrunk { shrinkage: 1.5 }).unwrap_err();
    assert!(matches!(error, AugmentedError::Covariance(CovarianceError::BadShrinkage { .. })));
    let zero = plan(0, 3, Estimator::Scm).unwrap_err();
    assert_eq!(zero, AugmentedError::Zero { order: 0, lag: 3 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn as_the_covariance_of_stacked_copies(
        n_channels in 1_usize..6,
        n_samples in 30_usize..60,
        order in 1_usize..5,
        lag in 1_usize..6,
        seed in 0_u64..1000,
    ) {
        let window = &responses(seed, (n_channels, n_samples), 1, 1).0[0];
        let params = AugmentedParams { order, lag, estimator: Estimator::Oas };
        let n_left = if order == 1 { n_samples } else { n_samples - order * lag };
        let x = window.planar().as_mat();
        let stacked = Mat::from_fn(order * n_channels, n_left, |i, t| {
            x[(i % n_channels, t + i / n_channels * lag)]
        });
        let mut expected = scm(stacked.as_ref());
        oas_shrink(expected.as_mut(), n_left);
        assert_close(&flat(&covariance(params, window)), &flat(&expected), 1e-12);
    }
}
