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

/// Written by `tests/reference/golden_connectivity.py` with mne-connectivity 0.9.
const SLIDING: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/connectivity_sliding_envelope.json"
));

#[derive(Deserialize)]
struct Sliding {
    input: Vec<Vec<f64>>,
    freq_hz: f64,
    n_cycles: f64,
    step_samples: usize,
    first: usize,
    end: usize,
    values: std::collections::BTreeMap<String, Vec<f64>>,
}

fn sliding(
    shape: (usize, usize),
    step_samples: usize,
    wavelet: (f64, f64),
    kinds: (Orthogonalisation, Envelope),
) -> Result<SlidingEnvelope, ConnectivityError> {
    let window = WindowSpec { window_samples: shape.1, step_samples };
    SlidingEnvelope::new(shape.0, window, SampleRate::new(160.0).unwrap(), wavelet, kinds)
}

#[test]
fn sliding_correlation_as_mne_connectivity() {
    let golden: Sliding = serde_json::from_str(SLIDING).unwrap();
    let (shape, data) = ((golden.input.len(), golden.input[0].len()), golden.input.concat());
    assert_eq!(golden.values.len(), 6);
    for (name, expected) in &golden.values {
        let (orthogonalisation, envelope) = name.split_once('/').unwrap();
        let kinds = (
            serde_json::from_value(orthogonalisation.into()).unwrap(),
            serde_json::from_value(envelope.into()).unwrap(),
        );
        let wavelet = (golden.freq_hz, golden.n_cycles);
        let mut plan = sliding(shape, golden.step_samples, wavelet, kinds).unwrap();
        assert_eq!(plan.n_correlated(), golden.end - golden.first);
        let samples = Planar::new(&data, shape.0, shape.1, shape.1);
        let values = plan.slide(SampleIndex(shape.1 as u64 - 1), samples);
        let error = error(values, expected);
        assert!(error < 1e-10, "{name}: {error:e}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn envelopes_slide_as_they_stand_alone(
        seed in 0_u64..999,
        step in 1_usize..17,
        first in 0_u64..20,
        skip in 0_u64..3,
    ) {
        let n = 200 / step * step;
        let signal = noise(5 * 1200, seed);
        for orthogonalisation in KINDS {
            let kinds = (orthogonalisation, Envelope::Amplitude);
            let mut plan = sliding((5, n), step, (30.0, 3.0), kinds).unwrap();
            let mut k = first;
            for _ in 0..8 {
                let start = k as usize * step;
                let samples = Planar::new(&signal[start..], 5, 1200, n);
                let end = SampleIndex((start + n - 1) as u64);
                let mut alone = sliding((5, n), step, (30.0, 3.0), kinds).unwrap();
                prop_assert_eq!(plan.slide(end, samples), alone.slide(end, samples));
                prop_assert!(plan.values().iter().all(|x| x.is_finite() && x.abs() < 1.0 + 1e-12));
                // Windows may be left out, as unusable ones are.
                k += 1 + skip;
            }
        }
    }
}

#[test]
fn sliding_envelopes_that_cannot_be_are_refused() {
    let kinds = (Orthogonalisation::Pairwise, Envelope::LogPower);
    let plan = |shape, step, wavelet| sliding(shape, step, wavelet, kinds).map(|_| ());
    assert_eq!(plan((3, 160), 16, (20.0, 4.0)), Ok(()));
    assert_eq!(
        plan((1, 160), 16, (20.0, 4.0)),
        Err(ConnectivityError::TooFewChannels { n_channels: 1 })
    );
    assert_eq!(plan((3, 160), 0, (20.0, 4.0)), Err(ConnectivityError::NoStep));
    for (n, wavelet) in [
        (160, (81.0, 4.0)),
        (160, (0.0, 4.0)),
        (160, (1e-300, 4.0)),
        (160, (4.0, 4.0)),
        (150, (20.0, 4.0)),
    ] {
        let refused = plan((3, n), 16, wavelet);
        assert!(matches!(refused, Err(ConnectivityError::BadWavelet { .. })), "{n} {wavelet:?}");
    }
    let mut plan = sliding((3, 160), 16, (20.0, 4.0), kinds).unwrap();
    let mut signal = noise(480, 3);
    signal[160..320].fill(0.0);
    let values = plan.slide(SampleIndex(159), Planar::new(&signal, 3, 160, 160));
    assert!(values[0] == 0.0 && values[2] == 0.0 && values[1].is_finite(), "{values:?}");
}
