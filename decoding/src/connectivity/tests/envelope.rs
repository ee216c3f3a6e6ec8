//! Amplitude envelopes and their orthogonalisation.

use super::*;
use ndarray::Array3;
use proptest::prelude::*;

const KINDS: [Orthogonalisation; 3] =
    [Orthogonalisation::None, Orthogonalisation::Pairwise, Orthogonalisation::PairwiseSigned];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn gains_change_nothing(
        seed in 0_u64..999,
        gains in prop::collection::vec(prop_oneof![-20.0..-0.05, 0.05..20.0], 6),
    ) {
        let signal = noise(6 * 90, seed);
        let scaled: Vec<_> = signal.iter().enumerate().map(|(k, x)| x * gains[k / 90]).collect();
        for kind in KINDS {
            let mut plan = EnvelopeCorrelation::new(6, 90, kind, Envelope::Amplitude).unwrap();
            let before = plan.run(Planar::new(&signal, 6, 90, 90)).to_vec();
            // The plan's buffers are those of the run before.
            let after = plan.run(Planar::new(&scaled, 6, 90, 90));
            prop_assert!(before.iter().zip(after).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }
}

#[test]
fn a_copy_is_one_and_nothing_of_it_is_orthogonal() {
    let one = noise(128, 4);
    let signal = [one.clone(), one.iter().map(|x| -3.0 * x).collect(), noise(128, 5)].concat();
    let window = Planar::new(&signal, 3, 128, 128);
    let run = |kind| {
        let mut plan = EnvelopeCorrelation::new(3, 128, kind, Envelope::Amplitude).unwrap();
        plan.run(window).to_vec()
    };
    let plain = run(Orthogonalisation::None);
    assert!((plain[0] - 1.0).abs() < 1e-12 && plain[1].abs() < 0.5);
    assert!((plain[1] - plain[2]).abs() < 1e-12, "both copies go with the third alike");
    let other = run(Orthogonalisation::Pairwise);
    assert!((other[1] - other[2]).abs() < 1e-12 && other[1] > 0.0);
}

#[test]
fn constant_channels_and_bad_epochs() {
    let mut signal = noise(3 * 64, 6);
    signal[64..128].fill(0.0);
    for kind in KINDS {
        let plan = EnvelopeCorrelation::new(3, 64, kind, Envelope::LogPower).unwrap();
        let values = plan.clone().run(Planar::new(&signal, 3, 64, 64)).to_vec();
        assert!(values.iter().all(|x| x.is_finite()), "{kind:?}: {values:?}");
        let mut epochs = Array3::from_shape_vec((1, 3, 64), signal.clone()).unwrap();
        assert_eq!(plan.run_epochs(&epochs.view()).unwrap(), [values]);
        epochs[(0, 2, 5)] = f64::INFINITY;
        let refused = plan.run_epochs(&epochs.view());
        assert_eq!(refused, Err(ConnectivityError::NotFinite { epoch: 0, channel: 2 }));
    }
    let plan = |n, len| {
        EnvelopeCorrelation::new(n, len, Orthogonalisation::None, Envelope::Amplitude).map(|_| ())
    };
    assert!(matches!(plan(1, 64), Err(ConnectivityError::TooFewChannels { .. })));
    assert!(matches!(plan(2, 1), Err(ConnectivityError::BadSegment { .. })));
}

#[test]
fn symmetric_orthogonalisation_leaves_nothing_shared() {
    let mut signal = noise(4 * 100, 7);
    let shared = noise(100, 8);
    signal.iter_mut().zip(shared.iter().cycle()).for_each(|(x, s)| *x += s);
    let p = symmetric_orthogonal(Planar::new(&signal, 4, 100, 100)).unwrap();
    let rows: Vec<&[f64]> = p.chunks(100).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for i in 0..4 {
        assert!(dot(rows[i], &signal[i * 100..][..100]) > 0.0, "it stays the same channel");
        for j in 0..i {
            let cosine =
                dot(rows[i], rows[j]) / (dot(rows[i], rows[i]) * dot(rows[j], rows[j])).sqrt();
            assert!(cosine.abs() < 1e-12, "{i} {j} {cosine:e}");
        }
    }
}

#[test]
fn symmetric_orthogonalisation_of_what_is_dependent_is_refused() {
    let mut signal = noise(3 * 50, 9);
    let run =
        |signal: &[f64], n: usize, len| symmetric_orthogonal(Planar::new(signal, n, len, len));
    assert!(run(&signal, 3, 50).is_ok());
    assert!(matches!(run(&signal, 30, 5), Err(ConnectivityError::TooFewSamples { .. })));
    assert!(matches!(run(&signal, 1, 50), Err(ConnectivityError::TooFewChannels { .. })));
    for t in 0..50 {
        signal[100 + t] = -signal[t] - signal[50 + t];
    }
    assert_eq!(run(&signal, 3, 50), Err(ConnectivityError::DependentChannels));
    signal[7] = f64::NAN;
    assert!(matches!(run(&signal, 3, 50), Err(ConnectivityError::NotFinite { channel: 0, .. })));
}
