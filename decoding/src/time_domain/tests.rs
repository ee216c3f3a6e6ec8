use super::*;
use proptest::prelude::*;

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
