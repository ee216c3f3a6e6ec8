//! The bank's filters and their choice against SciPy on imagery, and under changes of the
//! data.

use super::*;
use crate::classifier::tests::{Normal, assert_close, classes, matrix};
use proptest::prelude::*;

/// Made by `tests/reference/golden_spatial_filter.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/fbcsp.json"));

#[derive(Deserialize)]
struct Golden {
    covariances: Vec<Vec<Vec<Vec<f64>>>>,
    labels: Vec<u8>,
    n_per_end: usize,
    n_selected: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    classes: Vec<u8>,
    information_bits: Vec<Vec<f64>>,
    selected: Vec<(usize, usize)>,
    filters: Vec<Vec<f64>>,
    features: Vec<Vec<f64>>,
}

type Bands = Vec<Vec<Mat<f64>>>;

fn fit(
    params: &FilterBankCspParams,
    bands: &Bands,
    labels: &[ClassIdx],
    n_classes: usize,
) -> Result<FilterBankCspModel, FitError> {
    let borrowed: Vec<Vec<&Mat<f64>>> = bands.iter().map(|band| band.iter().collect()).collect();
    let borrowed: Vec<&[&Mat<f64>]> = borrowed.iter().map(Vec::as_slice).collect();
    params.fit(&borrowed, labels, n_classes)
}

fn features_of(model: &FilterBankCspModel, bands: &Bands, window: usize) -> Vec<f64> {
    let mut features = vec![f64::NAN; model.n_filters()];
    let covariances: Vec<_> = bands.iter().map(|band| band[window].as_ref()).collect();
    model.plan().features_into(&covariances, &mut features);
    features
}

#[test]
fn as_scipy() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let params = FilterBankCspParams {
        n_per_end: golden.n_per_end,
        n_selected: golden.n_selected,
        regularisation: CspRegularisation::None,
    };
    for case in golden.cases {
        let position = |label: &u8| case.classes.iter().position(|class| class == label);
        let labels: Vec<u8> =
            golden.labels.iter().filter_map(|l| position(l).map(|k| k as u8)).collect();
        let used = |band: &Vec<Vec<Vec<f64>>>| {
            let pairs = golden.labels.iter().zip(band);
            pairs.filter(|(l, _)| position(l).is_some()).map(|(_, c)| matrix(c)).collect()
        };
        let bands: Bands = golden.covariances.iter().map(used).collect();
        let model = fit(&params, &bands, &classes(&labels), case.classes.len()).unwrap();
        let of_band = |b: usize| case.selected.iter().filter(|(band, _)| *band == b).count();
        for (b, filters) in model.bands.iter().enumerate() {
            assert_eq!(filters.n_rows(), of_band(b));
        }
        let found: Vec<_> = model.bands.iter().flat_map(Matrix::as_slice).copied().collect();
        assert_close(&found, &case.filters.concat(), 1e-9);
        for (window, expected) in case.features.iter().enumerate() {
            assert_close(&features_of(&model, &bands, window), expected, 1e-9);
        }
        check_information(&case, &bands, &labels, golden.n_per_end);
    }
}

/// Of every filter, kept or not.
fn check_information(case: &Case, bands: &Bands, labels: &[u8], n_per_end: usize) {
    let (n_classes, filters) = (case.classes.len(), CspFilters::Ends { n_per_end });
    let params = CspParams { filters, regularisation: CspRegularisation::None };
    for (contrast, expected) in case.information_bits.iter().enumerate() {
        let own: Vec<_> =
            labels.iter().map(|l| ClassIdx(u8::from(usize::from(*l) != contrast))).collect();
        let mut found = Vec::new();
        for band in bands {
            let band: Vec<_> = band.iter().collect();
            let model = params.fit(&band, &classes(labels), n_classes).unwrap();
            let features = features(&model, &band);
            let of_contrast = &features[2 * n_per_end * contrast..][..2 * n_per_end];
            found.extend(of_contrast.iter().map(|f| information_bits(f, &own, 2).unwrap()));
        }
        assert_close(&found, expected, 1e-9);
    }
}

fn examples(seed: u64, n_bands: usize, n: usize) -> (Bands, Vec<ClassIdx>) {
    let mut normal = Normal::new(seed);
    let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % 2) as u8)).collect();
    let mut band = |b: usize| {
        // Only the second band tells the classes apart.
        let seen = |l: &ClassIdx| if b == 1 { *l } else { ClassIdx(9) };
        labels.iter().map(|l| normal.covariance(5, 60, seen(l))).collect()
    };
    ((0..n_bands).map(&mut band).collect(), labels)
}

#[test]
fn the_band_that_tells_is_chosen_with_pairs() {
    let (bands, labels) = examples(51, 3, 60);
    let params = FilterBankCspParams { n_selected: 1, ..FilterBankCspParams::default() };
    let model = fit(&params, &bands, &labels, 2).unwrap();
    let kept: Vec<_> = model.bands.iter().map(Matrix::n_rows).collect();
    assert_eq!(kept, [0, 2, 0]);
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<FilterBankCspModel>(&json).unwrap(), model);
}

#[test]
fn few_channels_and_many_wanted_give_what_there_is() {
    let (bands, labels) = examples(52, 2, 40);
    let params = FilterBankCspParams { n_per_end: 9, n_selected: 99, ..Default::default() };
    assert_eq!(fit(&params, &bands, &labels, 2).unwrap().n_filters(), 10);
}

#[test]
fn bad_data_is_refused() {
    let (bands, labels) = examples(53, 2, 20);
    for params in [
        FilterBankCspParams { n_per_end: 0, ..Default::default() },
        FilterBankCspParams { n_selected: 0, ..Default::default() },
    ] {
        let error = fit(&params, &bands, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::BadParameter { .. }), "{error}");
    }
    let params = FilterBankCspParams::default();
    let error = fit(&params, &Vec::new(), &labels, 2).unwrap_err();
    assert!(matches!(error, FitError::BadParameter { .. }), "{error}");
    let error = fit(&params, &bands, &[ClassIdx(0); 20], 2).unwrap_err();
    assert!(matches!(error, FitError::TooFewExamples { class: 1, .. }), "{error}");
    let mut nan = bands.clone();
    nan[1][3][(2, 1)] = f64::NAN;
    let error = fit(&params, &nan, &labels, 2).unwrap_err();
    assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    assert!(matches!(
        information_bits(&[0.0, f64::NAN, 1.0, 2.0], &classes(&[0, 0, 1, 1]), 2),
        Err(FitError::NotFinite { .. })
    ));
}

#[test]
fn information_of_what_separates_and_what_does_not() {
    let labels = classes(&[0, 1, 0, 1, 0, 1, 0, 1]);
    let apart = [0.0, 50.0, 0.1, 50.1, 0.2, 50.2, 0.3, 50.3];
    assert!((information_bits(&apart, &labels, 2).unwrap() - 1.0).abs() < 1e-12);
    let same = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0];
    assert!(information_bits(&same, &labels, 2).unwrap().abs() < 1e-12);
    let constant = information_bits(&[4.0; 8], &labels, 2).unwrap();
    assert!(constant.abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn information_ignores_units_order_and_names(
        feature in prop::collection::vec(-3.0..3.0, 12..30),
        scale in 0.1..10.0,
        shift in -5.0..5.0,
    ) {
        let labels: Vec<_> = (0..feature.len()).map(|i| ClassIdx((i % 3) as u8)).collect();
        let expected = information_bits(&feature, &labels, 3).unwrap();
        // The entropy of the labels less a mean of entropies of three classes each.
        let share = |k: u8| {
            labels.iter().filter(|label| label.0 == k).count() as f64 / labels.len() as f64
        };
        let prior: f64 = (0..3).map(|k| -share(k) * share(k).log2()).sum();
        prop_assert!(expected > prior - 3f64.log2() - 1e-12 && expected < prior + 1e-12);
        let moved: Vec<_> = feature.iter().rev().map(|x| scale * x + shift).collect();
        let renamed: Vec<_> = labels.iter().rev().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
        let found = information_bits(&moved, &renamed, 3).unwrap();
        prop_assert!((found - expected).abs() < 1e-9);
    }
}
