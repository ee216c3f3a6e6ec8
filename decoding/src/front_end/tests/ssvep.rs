//! Correlations with flicker as a feature, beside calls of the library.

use super::*;
use crate::spatial_filter::cca::{CcaParams, FilterBankCcaParams};
use crate::spatial_filter::filter_bank::BandWeights;

#[test]
fn correlations_of_one_band_are_the_librarys() {
    let parameters = "frequencies_hz = [7.5, 9.5, 12]\nn_harmonics = 2";
    let mut front_end = plan(&[("cca", parameters)], 4).unwrap();
    let frames = frames(4, 150);
    let found = last_value(&mut front_end, &frames);
    let params = CcaParams { frequencies_hz: vec![7.5, 9.5, 12.0], n_harmonics: 2 };
    let mut expected = [0.0; 3];
    let mut runtime = params.plan(100.0, 4, 100).unwrap();
    runtime.scores_into(&last_second(&frames).as_planar(), &mut expected);
    assert_eq!(vector(&found), expected);
    // The wave of the frames is near the second of them: 0.6 radians a sample.
    assert!(expected[1] > 0.9 && expected[1] > expected[0], "{expected:?}");
}

#[test]
fn several_bands_are_the_librarys_filter_bank() {
    let bank = ("filter_bank", "bands_hz = [[6, 40], [14, 40]]\norder = 2");
    let scores =
        "frequencies_hz = [7.5, 9.5]\nn_harmonics = 2\nweights = { exponent = 1, offset = 0.5 }";
    let mut front_end = plan(&[bank, ("cca", scores)], 4).unwrap();
    let mut samples = samples_behind(&[bank], 4).unwrap();
    let frames = frames(4, 150);
    let found = last_value(&mut front_end, &frames);
    let Value::Samples(bands) = last_value(&mut samples, &frames) else { panic!("samples") };
    let params = FilterBankCcaParams {
        cca: CcaParams { frequencies_hz: vec![7.5, 9.5], n_harmonics: 2 },
        n_bands: 2,
        weights: BandWeights { exponent: 1.0, offset: 0.5 },
    };
    let mut expected = [0.0; 2];
    let windows: Vec<_> = bands.iter().map(Samples::as_planar).collect();
    params.plan(100.0, 4, 100).unwrap().scores_into(&windows, &mut expected);
    assert_eq!(vector(&found), expected);
}

#[test]
fn what_no_window_can_follow_is_refused() {
    let read = |parameters| pipeline(&[("cca", parameters)]).unwrap_err();
    for (parameters, expected) in [
        ("", "missing field `frequencies_hz`"),
        ("frequencies_hz = []", "name at least one frequency"),
        ("frequencies_hz = [-3]", "all above 0 Hz"),
        ("frequencies_hz = [8]\nn_harmonics = 0", "the fundamental is the first"),
        ("frequences_hz = [8]", "did you mean `frequencies_hz`?"),
    ] {
        let error = read(parameters);
        assert!(error.contains(expected), "{error}");
    }
    let planned = |parameters, n| plan(&[("cca", parameters)], n).err().map(|e| e.to_string());
    let error = planned("frequencies_hz = [20]", 4).unwrap();
    assert!(error.contains("harmonic 3 of 20 Hz is not between 0 and the Nyquist"), "{error}");
    let error = planned("frequencies_hz = [2]\nn_harmonics = 22", 60).unwrap();
    assert!(error.contains("windows of 100 samples are too short, 106"), "{error}");
}
