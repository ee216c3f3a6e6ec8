use super::*;
use crate::psd::bands::{Band, absolute_power, mean_power, relative_power, spectral_entropy};
use crate::psd::welch::WelchPlan;
use acquisition::time::SampleRate;
use proptest::prelude::*;
use serde::Deserialize;

/// Written by `tests/reference/golden_time_domain.py` with antropy, NumPy and SciPy.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/time_domain.json"));

#[derive(Deserialize)]
struct Golden {
    rate_hz: f64,
    bands_hz: Vec<[f64; 2]>,
    total_hz: [f64; 2],
    cases: Vec<Case>,
}

/// A window, and a value per channel; of the powers one per channel and band.
#[derive(Deserialize)]
struct Case {
    samples: Vec<Vec<f64>>,
    activity: Vec<f64>,
    log_variance: Vec<f64>,
    mobility: Vec<f64>,
    complexity: Vec<f64>,
    line_length: Vec<f64>,
    spectral_entropy: Vec<f64>,
    mean_power: Vec<Vec<f64>>,
    absolute_power: Vec<Vec<f64>>,
    relative_power: Vec<Vec<f64>>,
}

/// Sums of 320 values in another order: some roundings of their size.
fn assert_golden(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-12 * theirs.abs(), "{what}: {ours} is not {theirs}");
}

/// Two transforms agree to roundings of the largest component, and a band may hold a ten
/// thousandth of it.
fn assert_band(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{what}: {ours} is not {theirs}");
}

#[test]
fn windows_of_a_recording_are_described_as_elsewhere() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    assert_eq!(golden.cases.len(), 3);
    for case in &golden.cases {
        for (c, samples) in case.samples.iter().enumerate() {
            let found = hjorth(samples);
            assert_golden("activity", found.activity, case.activity[c]);
            assert_golden("mobility", found.mobility, case.mobility[c]);
            assert_golden("complexity", found.complexity, case.complexity[c]);
            assert_golden("line length", line_length(samples), case.line_length[c]);
            assert_golden("log-variance", log_variance(samples), case.log_variance[c]);
        }
        let mut out = vec![f64::NAN; case.samples.len()];
        let (data, n) = (case.samples.concat(), case.samples[0].len());
        let window = Planar::new(&data, out.len(), n, n);
        for (feature, expected) in [
            (TimeFeature::Activity, &case.activity),
            (TimeFeature::Mobility, &case.mobility),
            (TimeFeature::Complexity, &case.complexity),
            (TimeFeature::LineLength, &case.line_length),
            (TimeFeature::LogVariance, &case.log_variance),
        ] {
            feature.into_each(window, &mut out);
            out.iter().zip(expected).for_each(|(a, b)| assert_golden("of a window", *a, *b));
        }
    }
}

#[test]
fn bands_of_a_recording_are_described_as_elsewhere() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let rate = SampleRate::new(golden.rate_hz).unwrap();
    let segment = golden.rate_hz as usize;
    for case in &golden.cases {
        let n = case.samples[0].len();
        let mut welch = WelchPlan::new(n, rate, segment, segment / 2).unwrap();
        let (freqs, mut psd) = (welch.freqs_hz(), vec![f64::NAN; welch.n_bins()]);
        let bins = |[low_hz, high_hz]: [f64; 2]| Band { low_hz, high_hz }.bins(&freqs).unwrap();
        let total = bins(golden.total_hz);
        for (c, samples) in case.samples.iter().enumerate() {
            welch.run(samples, &mut psd);
            let entropy = spectral_entropy(&psd, 0..psd.len());
            assert_band("entropy", entropy, case.spectral_entropy[c]);
            for (b, band) in golden.bands_hz.iter().enumerate() {
                let bins = bins(*band);
                let mean = mean_power(&psd, bins.clone());
                assert_band("mean", mean, case.mean_power[c][b]);
                let absolute = absolute_power(&psd, bins.clone(), freqs[1]);
                assert_band("absolute", absolute, case.absolute_power[c][b]);
                let relative = relative_power(&psd, bins, total.clone());
                assert_band("relative", relative, case.relative_power[c][b]);
            }
        }
    }
}

#[test]
fn what_is_no_number_stays_none() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut samples = [1.0, 2.0, 4.0, 3.0, 7.0, 5.0];
        samples[3] = bad;
        let found = hjorth(&samples);
        let log = log_variance(&samples);
        for value in [found.activity, found.mobility, found.complexity, log, line_length(&samples)]
        {
            assert!(!value.is_finite(), "{value} of {bad}");
        }
        assert!(!spectral_entropy(&samples, 0..6).is_finite());
        assert!(!relative_power(&samples, 2..4, 0..6).is_finite());
    }
}

#[test]
fn a_sine_has_its_frequency_as_mobility_and_complexity_one() {
    // 50 whole periods of 40 samples: the variances of a sine and its differences.
    let turn = std::f64::consts::TAU / 40.0;
    let sine: Vec<f64> = (0..2000).map(|t| 3.0 * (turn * f64::from(t)).sin()).collect();
    let found = hjorth(&sine);
    // Ends are cut off the differences: agreement to one sample of 2000.
    assert!((found.activity - 4.5).abs() < 1e-12);
    assert!((found.mobility - 2.0 * (turn / 2.0).sin()).abs() < 1e-3 * found.mobility);
    assert!((found.complexity - 1.0).abs() < 2e-3);
}

#[test]
fn a_constant_or_nothing_has_no_shape() {
    let none = Hjorth { activity: 0.0, mobility: 0.0, complexity: 0.0 };
    for samples in [&[][..], &[2.0][..], &[2.0; 9][..]] {
        assert_eq!(hjorth(samples), none);
        assert_eq!(line_length(samples), 0.0);
        assert_eq!(log_variance(samples), f64::MIN_POSITIVE.ln());
    }
}

proptest! {
    #[test]
    fn shapes_do_not_change_with_scale_and_offset(
        samples in prop::collection::vec(-50.0_f64..50.0, 8..60),
        scale in 0.1_f64..10.0,
        offset in -100.0_f64..100.0,
    ) {
        let other: Vec<f64> = samples.iter().map(|x| scale * x + offset).collect();
        let (a, b) = (hjorth(&samples), hjorth(&other));
        // Cancellation of the offset: 1e-9 of values of order 1 to 1e4.
        prop_assert!((b.activity - scale * scale * a.activity).abs() <= 1e-9 * (1.0 + b.activity));
        prop_assert!((b.mobility - a.mobility).abs() <= 1e-9);
        prop_assert!((b.complexity - a.complexity).abs() <= 1e-9);
        let (a, b) = (line_length(&samples), line_length(&other));
        prop_assert!((b - scale * a).abs() <= 1e-9 * (1.0 + b));
    }

    #[test]
    fn channels_are_described_one_by_one(samples in prop::collection::vec(-5.0_f64..5.0, 30)) {
        let window = Planar::new(&samples, 3, 10, 9);
        let mut out = [f64::NAN; 3];
        TimeFeature::Complexity.into_each(window, &mut out);
        for (c, value) in out.iter().enumerate() {
            prop_assert_eq!(*value, hjorth(window.channel(c)).complexity);
        }
    }
}
