//! Spatial filters against SciPy, under changes of the data, and on bad data.

use super::*;
use crate::classifier::tests::{Normal, assert_close, classes, matrix};
use serde::Deserialize;

/// Made by `tests/reference/golden.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/csp.json"));

#[derive(Deserialize)]
struct Golden {
    covariances: Vec<Vec<Vec<f64>>>,
    labels: Vec<u8>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    classes: Vec<u8>,
    filters: Vec<Vec<f64>>,
    features: Vec<Vec<f64>>,
}

fn fit(covariances: &[Mat<f64>], labels: &[ClassIdx], n: usize) -> Result<CspModel, FitError> {
    CspModel::fit(&covariances.iter().collect::<Vec<_>>(), labels, n)
}

fn features(model: &CspModel, covariance: &Mat<f64>) -> Vec<f64> {
    let mut features = vec![f64::NAN; model.n_filters()];
    model.plan().features_into(covariance.as_ref(), &mut features);
    features
}

fn examples(seed: u64, p: usize, n: usize, n_classes: usize) -> (Vec<Mat<f64>>, Vec<ClassIdx>) {
    let mut normal = Normal::new(seed);
    let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % n_classes) as u8)).collect();
    (labels.iter().map(|label| normal.covariance(p, 80, *label)).collect(), labels)
}

#[test]
fn as_scipy() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let covariances: Vec<_> = golden.covariances.iter().map(|c| matrix(c)).collect();
    for case in golden.cases {
        let position = |label: u8| case.classes.iter().position(|class| *class == label);
        let used = golden.labels.iter().zip(&covariances);
        let (labels, used): (Vec<u8>, Vec<_>) =
            used.filter_map(|(l, c)| position(*l).map(|k| (k as u8, c))).unzip();
        let model = CspModel::fit(&used, &classes(&labels), case.classes.len()).unwrap();
        assert_eq!(model.n_filters(), 6);
        for (i, expected) in case.filters.iter().enumerate() {
            // Eigenvalues are 1e-2 apart or more: an eigenvector keeps fourteen digits
            // less two, and whitening by a condition of 1e2 takes two more.
            assert_close(model.filters.row(i), expected, 1e-9);
        }
        for (covariance, expected) in covariances.iter().zip(&case.features) {
            assert_close(&features(&model, covariance), expected, 1e-9);
        }
    }
}

#[test]
fn filters_find_the_channel_of_each_class() {
    let (covariances, labels) = examples(31, 6, 60, 3);
    let model = fit(&covariances, &labels, 3).unwrap();
    for class in 0..3 {
        let strongest = model.filters.row(2 * class + 1);
        let peak = (0..6).max_by(|a, b| strongest[*a].total_cmp(&strongest[*b]));
        assert_eq!(peak, Some(class), "{strongest:?}");
    }
}

#[test]
fn order_of_examples_channels_and_classes_and_mixing_do_not_matter() {
    let (covariances, labels) = examples(32, 5, 40, 3);
    let probe = Normal::new(33).covariance(5, 80, ClassIdx(1));
    let expected = features(&fit(&covariances, &labels, 3).unwrap(), &probe);

    let backwards: Vec<_> = covariances.iter().rev().cloned().collect();
    let renamed: Vec<_> = labels.iter().rev().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
    let mut found = features(&fit(&backwards, &renamed, 3).unwrap(), &probe);
    found.rotate_left(2);
    // Eigenvalues a hundredth apart amplify rounding by a hundred or so.
    assert_close(&found, &expected, 1e-10);

    let mut normal = Normal::new(34);
    let mixing = Mat::from_fn(5, 5, |i, j| normal.draw() + if i == j { 5.0 } else { 0.0 });
    let permutation = Mat::from_fn(5, 5, |i, j| if (i + 2) % 5 == j { 1.0 } else { 0.0 });
    for mixing in [mixing, permutation] {
        let mix = |c: &Mat<f64>| &mixing * c * mixing.transpose();
        let mixed: Vec<_> = covariances.iter().map(mix).collect();
        let found = features(&fit(&mixed, &labels, 3).unwrap(), &mix(&probe));
        assert_close(&found, &expected, 1e-10);
    }
}

#[test]
fn two_classes_swapped_reverse_the_filters() {
    let (covariances, labels) = examples(35, 9, 40, 2);
    let probe = Normal::new(36).covariance(9, 80, ClassIdx(0));
    let expected = features(&fit(&covariances, &labels, 2).unwrap(), &probe);
    assert_eq!(expected.len(), 6);
    let swapped: Vec<_> = labels.iter().map(|l| ClassIdx(1 - l.0)).collect();
    let mut found = features(&fit(&covariances, &swapped, 2).unwrap(), &probe);
    found.reverse();
    // Eigenvalues a hundredth apart amplify rounding by a hundred or so.
    assert_close(&found, &expected, 1e-10);
}

#[test]
fn few_channels_give_what_filters_there_are() {
    for (p, n_classes, n_filters) in [(1, 2, 1), (4, 2, 4), (6, 2, 6), (2, 3, 6), (1, 3, 3)] {
        let (covariances, labels) = examples(37, p, 24, n_classes);
        let model = fit(&covariances, &labels, n_classes).unwrap();
        assert_eq!(model.n_filters(), n_filters, "{p} channels, {n_classes} classes");
        assert!(features(&model, &covariances[0]).iter().all(|f| f.is_finite()));
    }
}

#[test]
fn no_variance_is_a_very_small_one_and_nan_stays() {
    let (covariances, labels) = examples(38, 4, 20, 2);
    let model = fit(&covariances, &labels, 2).unwrap();
    let least = f64::MIN_POSITIVE.ln();
    assert_eq!(features(&model, &Mat::zeros(4, 4)), [least; 4]);
    let negative = &covariances[0] * faer::Scale(-1.0);
    assert_eq!(features(&model, &negative), [least; 4]);
    let nan = Mat::from_fn(4, 4, |_, _| f64::NAN);
    assert!(features(&model, &nan).iter().all(|f| f.is_nan()));
}

#[test]
fn bad_data_is_refused() {
    let (covariances, labels) = examples(39, 4, 12, 2);
    let error = fit(&covariances, &[ClassIdx(0); 12], 2).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
    let error = fit(&covariances, &[ClassIdx(0); 12], 1).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
    for bad in [f64::NAN, f64::INFINITY] {
        let mut covariances = covariances.clone();
        covariances[5][(2, 0)] = bad;
        let error = fit(&covariances, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
    let diagonal =
        |values: [f64; 4]| Mat::from_fn(4, 4, |i, j| if i == j { values[i] } else { 0.0 });
    let flat = vec![diagonal([1.0, 2.0, 0.0, 1.0]); 12];
    let mut indefinite = vec![diagonal([1.0, 2.0, 3.0, 1.0]); 12];
    for (covariance, label) in indefinite.iter_mut().zip(&labels) {
        if label.index() == 0 {
            covariance[(1, 1)] = -1.0;
        }
    }
    for covariances in [flat, indefinite] {
        let error = fit(&covariances, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotPositiveDefinite { .. }), "{error}");
    }
}

/// Made by `tests/reference/golden_spatial_filter.py`.
const VARIANTS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/csp_variants.json"));

#[derive(Deserialize)]
struct Variants {
    covariances: Vec<Vec<Vec<f64>>>,
    n_samples: usize,
    labels: Vec<u8>,
    cases: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    kind: String,
    classes: Vec<u8>,
    filters: Vec<Vec<f64>>,
    alpha: Option<f64>,
    reg: Option<serde_json::Value>,
}

impl Variant {
    fn params(&self, n_samples: usize) -> CspParams {
        let filters = match (self.kind.as_str(), self.alpha) {
            ("tikhonov", Some(alpha)) => CspFilters::Tikhonov { n_per_end: 2, alpha },
            ("joint", _) => CspFilters::Joint { n_filters: 4 },
            _ => CspFilters::Farthest { n_filters: 4 },
        };
        let regularisation = match &self.reg {
            None => CspRegularisation::None,
            Some(serde_json::Value::String(_)) => CspRegularisation::Oas { n_samples },
            Some(shrinkage) => CspRegularisation::Shrunk { shrinkage: shrinkage.as_f64().unwrap() },
        };
        CspParams { filters, regularisation }
    }
}

#[test]
fn variants_as_pyriemann_moabb_and_mne() {
    let golden: Variants = serde_json::from_str(VARIANTS).unwrap();
    let covariances: Vec<_> = golden.covariances.iter().map(|c| matrix(c)).collect();
    assert_eq!(golden.cases.len(), 7);
    for case in golden.cases {
        let position = |label: u8| case.classes.iter().position(|class| *class == label);
        let used = golden.labels.iter().zip(&covariances);
        let (labels, used): (Vec<u8>, Vec<_>) =
            used.filter_map(|(l, c)| position(*l).map(|k| (k as u8, c))).unzip();
        let params = case.params(golden.n_samples);
        let model = params.fit(&used, &classes(&labels), case.classes.len()).unwrap();
        let mut expected = case.filters.clone();
        if case.kind == "tikhonov" {
            expected[2..].reverse();
        }
        assert_close(model.filters.as_slice(), &expected.concat(), 1e-9);
    }
}

#[test]
fn regularisation_goes_from_nothing_to_everything() {
    let (covariances, labels) = examples(41, 6, 40, 2);
    let borrowed: Vec<_> = covariances.iter().collect();
    let fit = |filters, regularisation| {
        CspParams { filters, regularisation }.fit(&borrowed, &labels, 2).unwrap()
    };
    let ends = CspFilters::Ends { n_per_end: 2 };
    let plain = fit(ends, CspRegularisation::None);
    assert_eq!(fit(ends, CspRegularisation::Shrunk { shrinkage: 0.0 }), plain);
    let some = fit(ends, CspRegularisation::Shrunk { shrinkage: 0.3 });
    assert_ne!(some, plain);
    // Without a penalty the two problems of a contrast are its two ends, scaled.
    let tikhonov = fit(CspFilters::Tikhonov { n_per_end: 2, alpha: 0.0 }, CspRegularisation::None);
    for k in 0..4 {
        let direction = |model: &CspModel| {
            let row = model.filters.row(k);
            row.iter().map(|x| x / dot(row, row).sqrt()).collect::<Vec<_>>()
        };
        assert_close(&direction(&tikhonov), &direction(&plain), 1e-10);
    }
    // A penalty beyond all variance leaves the strongest direction of each class.
    let strong = CspFilters::Tikhonov { n_per_end: 1, alpha: 1e9 };
    let strong = fit(strong, CspRegularisation::None);
    for (class, row) in [(1, 0), (0, 1)] {
        let of_class = labels.iter().zip(&covariances).filter(|(l, _)| l.index() == class);
        let mean = mean(of_class.map(|(_, c)| c));
        let axes = mean.self_adjoint_eigen(faer::Side::Lower).unwrap();
        let axis: Vec<f64> = axes.U().col(5).iter().copied().collect();
        let filter = strong.filters.row(row);
        assert!((dot(&axis, filter).abs() / dot(filter, filter).sqrt() - 1.0).abs() < 1e-7);
    }
}

#[test]
fn joint_filters_diagonalise_and_depend_on_no_label_order() {
    let (covariances, labels) = examples(42, 5, 60, 3);
    let borrowed: Vec<_> = covariances.iter().collect();
    let params = CspParams {
        filters: CspFilters::Joint { n_filters: 5 },
        regularisation: CspRegularisation::None,
    };
    let model = params.fit(&borrowed, &labels, 3).unwrap();
    let renamed: Vec<_> = labels.iter().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
    let found = params.fit(&borrowed, &renamed, 3).unwrap();
    assert_close(found.filters.as_slice(), model.filters.as_slice(), 1e-10);
    // The best filter is nearly blind to all channels but one of a class.
    let filter = model.filters.row(0);
    let peak = (0..5).max_by(|a, b| filter[*a].abs().total_cmp(&filter[*b].abs())).unwrap();
    assert!(peak < 3, "{filter:?}");
}

#[test]
fn impossible_parameters_are_refused() {
    let (covariances, labels) = examples(43, 4, 20, 2);
    let borrowed: Vec<_> = covariances.iter().collect();
    let (ends, none) = (CspFilters::Ends { n_per_end: 1 }, CspRegularisation::None);
    for (filters, regularisation) in [
        (CspFilters::Ends { n_per_end: 0 }, none),
        (CspFilters::Farthest { n_filters: 0 }, none),
        (CspFilters::Joint { n_filters: 0 }, none),
        (CspFilters::Tikhonov { n_per_end: 0, alpha: 1.0 }, none),
        (CspFilters::Tikhonov { n_per_end: 1, alpha: -1.0 }, none),
        (CspFilters::Tikhonov { n_per_end: 1, alpha: f64::NAN }, none),
        (ends, CspRegularisation::Shrunk { shrinkage: 1.1 }),
        (ends, CspRegularisation::Shrunk { shrinkage: f64::NAN }),
        (ends, CspRegularisation::Oas { n_samples: 0 }),
    ] {
        let error = CspParams { filters, regularisation }.fit(&borrowed, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::BadParameter { .. }), "{error}");
    }
    let zero = vec![Mat::zeros(4, 4); 20];
    let zero: Vec<_> = zero.iter().collect();
    let joint = CspParams { filters: CspFilters::Joint { n_filters: 2 }, regularisation: none };
    let error = joint.fit(&zero, &labels, 2).unwrap_err();
    assert!(matches!(error, FitError::NotPositiveDefinite { .. }), "{error}");
}

#[test]
fn of_samples_as_of_their_covariance() {
    let mut normal = Normal::new(5);
    let (p, n_filters) = (7, 6);
    // A length that fills no whole vector, an offset, and scratch of another window.
    for n_samples in [5, 64, 101] {
        let filters = Mat::from_fn(n_filters, p, |_, _| normal.draw());
        let model = CspModel { filters: Matrix::from_faer(filters.as_ref()).unwrap() };
        let mut windows = model.plan_windows(n_samples);
        for offset in [3.0, 40.0] {
            let samples = Mat::from_fn(n_samples, p, |_, c| normal.draw() + offset * c as f64);
            let rows: Vec<f64> = samples.col_iter().flat_map(|c| c.iter().copied()).collect();
            let mut found = vec![f64::NAN; n_filters];
            let window = crate::window::Planar::new(&rows, p, n_samples, n_samples);
            windows.features_into(&window, &mut found);
            let covariance = crate::riemann::covariance::scm(samples.transpose());
            // The offset's square over the variance: four digits of sixteen.
            assert_close(&found, &features(&model, &covariance), 1e-11);
        }
    }
    let constant = crate::window::Planar::new(&[4.0; 35], 7, 5, 5);
    let mut found = vec![f64::NAN; 1];
    let filters = Matrix::new(1, 7, vec![0.0; 7]).unwrap();
    CspModel { filters }.plan_windows(5).features_into(&constant, &mut found);
    assert_eq!(found, [f64::MIN_POSITIVE.ln()]);
}
