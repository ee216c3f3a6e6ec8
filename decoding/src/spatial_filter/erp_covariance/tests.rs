//! Covariances with prototypes against pyRiemann on a P300 recording, and on bad data.

use super::super::tests::{Samples, flat, planar, responses};
use super::*;
use crate::classifier::tests::{assert_close, classes};

/// Made by `tests/reference/golden_spatial_filter.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/erp.json"));

#[derive(Deserialize)]
struct Golden {
    windows: Vec<Samples>,
    labels: Vec<u8>,
    erp: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    prototypes: String,
    estimator: Estimator,
    covariances: Vec<Vec<Vec<f64>>>,
}

impl Case {
    fn params(&self) -> ErpCovarianceParams {
        let (n_filters, oas) = (2, Estimator::Oas);
        let target = Some(vec![ClassIdx(1)]);
        let (prototypes, classes) = match self.prototypes.as_str() {
            "means" => (Prototypes::Means, None),
            "svd" => (Prototypes::Svd { n_components: 2 }, None),
            "xdawn" => (Prototypes::Xdawn { n_filters, estimator: oas }, target),
            _ => (Prototypes::XdawnAbove { n_filters, estimator: oas }, target),
        };
        ErpCovarianceParams { prototypes, classes, estimator: self.estimator }
    }
}

#[test]
fn as_pyriemann() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let windows = planar(&golden.windows);
    assert_eq!(golden.erp.len(), 12);
    for case in golden.erp {
        let model = case.params().fit(&windows, &classes(&golden.labels), 2).unwrap();
        let mut runtime = model.plan().unwrap();
        let n_rows = model.n_rows();
        assert_eq!(runtime.n_rows(), n_rows);
        // The scratch of one window must not colour the next.
        let mut found = Mat::from_fn(n_rows, n_rows, |_, _| f64::NAN);
        for (window, expected) in [0, 7, 20].iter().zip(&case.covariances) {
            runtime.covariance_into(&windows[*window], found.as_mut());
            assert_close(&flat(&found), &expected.concat(), 1e-9);
        }
    }
}

#[test]
fn units_scale_the_covariance_and_nothing_else() {
    let (windows, labels) = responses(11, (4, 40), 30, 2);
    let scaled: Vec<_> = windows.iter().map(|w| w.scaled(1e-3)).collect();
    let covariance = |windows: &[Samples]| {
        let model = ErpCovarianceParams::default().fit(&planar(windows), &labels, 2).unwrap();
        let mut out = Mat::zeros(model.n_rows(), model.n_rows());
        model.plan().unwrap().covariance_into(&windows[5].planar(), out.as_mut());
        flat(&out)
    };
    let found: Vec<_> = covariance(&scaled).iter().map(|x| x * 1e6).collect();
    assert_close(&found, &covariance(&windows), 1e-10);
}

#[test]
fn a_model_survives_its_file() {
    let (windows, labels) = responses(12, (3, 30), 20, 2);
    let model = ErpCovarianceParams::default().fit(&planar(&windows), &labels, 2).unwrap();
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<ErpCovarianceModel>(&json).unwrap(), model);
}

#[test]
fn bad_data_is_refused() {
    let (windows, labels) = responses(13, (4, 12), 20, 2);
    let params =
        |prototypes, estimator| ErpCovarianceParams { prototypes, classes: None, estimator };
    let fit = |params: ErpCovarianceParams| params.fit(&planar(&windows), &labels, 2);
    let means = params(Prototypes::Means, Estimator::Scm);
    // Two classes of four channels above four: twelve rows need thirteen samples.
    assert_eq!(fit(means).unwrap_err(), FitError::TooShort { n_samples: 12, n_needed: 13 });
    assert!(fit(params(Prototypes::Means, Estimator::Oas)).is_ok());
    for prototypes in [
        Prototypes::Svd { n_components: 0 },
        Prototypes::Xdawn { n_filters: 0, estimator: Estimator::Scm },
    ] {
        let error = fit(params(prototypes, Estimator::Oas)).unwrap_err();
        assert!(matches!(error, FitError::BadParameter { .. }), "{error}");
    }
    let error = ErpCovarianceParams::default().fit(&planar(&windows), &[ClassIdx(0); 20], 2);
    assert!(matches!(error.unwrap_err(), FitError::TooFewExamples { class: 1, .. }));
}
