//! Batches: over epochs and over time, whatever the number of threads.

use super::*;
use ndarray::{Array3, Axis, s};
use proptest::prelude::*;

fn spec(measures: &[Measure]) -> ConnectivitySpec {
    ConnectivitySpec {
        measures: measures.to_vec(),
        resolution: Resolution::Bands(vec![band([10.0, 30.0]), band([20.0, 60.0])]),
        edges: BandEdges::Closed,
    }
}

fn epochs(shape: (usize, usize, usize), seed: u64) -> Array3<f64> {
    Array3::from_shape_vec(shape, noise(shape.0 * shape.1 * shape.2, seed)).unwrap()
}

fn plan(n_channels: usize, n_samples: usize) -> EpochConnectivity {
    let rate = SampleRate::new(160.0).unwrap();
    EpochConnectivity::fourier(n_channels, n_samples, rate, &spec(&Measure::ALL)).unwrap()
}

#[test]
fn threads_change_nothing() {
    let epochs = epochs((5, 23, 40), 1);
    let plan = plan(23, 40);
    let on = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| plan.run(&epochs.view()).unwrap())
    };
    let one = on(1);
    assert_eq!((one.n_channels(), one.n_bands(), one.values().len()), (23, 2, 13 * 2 * 253));
    for n_threads in [2, 3, 7] {
        assert_eq!(on(n_threads), one, "{n_threads} threads");
    }
}

#[test]
fn a_window_is_the_epochs_that_its_segments_are() {
    let segments = Segments { length_samples: 40, step_samples: 25 };
    let window = WindowSpec { window_samples: 120, step_samples: 7 };
    let rate = SampleRate::new(160.0).unwrap();
    let samples = noise(6 * 120, 3);
    let spec = spec(&Measure::ALL);
    let mut sliding = SlidingConnectivity::new(6, window, rate, segments, &spec).unwrap();
    let signal = Array3::from_shape_vec((1, 6, 120), samples.clone()).unwrap();
    let cut: Vec<_> = (0..4).map(|m| signal.slice(s![0..1, .., m * 25..m * 25 + 40])).collect();
    let epochs = ndarray::concatenate(Axis(0), &cut).unwrap();
    let map = plan(6, 40).run(&epochs.view()).unwrap();
    assert_eq!(sliding.run(Planar::new(&samples, 6, 120, 120)), map.values());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn gains_change_nothing_and_signs_only_turn_phases(
        seed in 0_u64..999,
        gains in prop::collection::vec(prop_oneof![-20.0..-0.05, 0.05..20.0], 5),
    ) {
        let epochs = epochs((6, 5, 40), seed);
        let mut scaled = epochs.clone();
        for (mut channel, gain) in scaled.axis_iter_mut(Axis(1)).zip(&gains) {
            channel *= *gain;
        }
        let plan = plan(5, 40);
        let (before, after) = (plan.run(&epochs.view()).unwrap(), plan.run(&scaled.view()).unwrap());
        for i in 0..5 {
            for j in 0..i {
                let turned = gains[i] * gains[j] < 0.0;
                for measure in Measure::ALL {
                    let (a, b) = (before.value(measure, 0, (i, j)), after.value(measure, 0, (i, j)));
                    let expected = match measure {
                        Measure::RealCoherency | Measure::ImaginaryCoherence if turned => -a,
                        Measure::DirectedPhaseLag if turned => 1.0 - a,
                        _ => a,
                    };
                    // Twenty roundings of values of order 1, or of their small difference.
                    prop_assert!((b - expected).abs() < 1e-9, "{:?}: {} is not {}", measure, b, expected);
                }
            }
        }
    }

    #[test]
    fn channels_in_another_order_have_the_same_pairs(seed in 0_u64..999, shift in 1_usize..6) {
        let n = 6;
        let epochs = epochs((5, n, 40), seed);
        let order: Vec<usize> = (0..n).map(|c| (c + shift) % n).collect();
        let moved = epochs.select(Axis(1), &order);
        let plan = plan(n, 40);
        let (before, after) = (plan.run(&epochs.view()).unwrap(), plan.run(&moved.view()).unwrap());
        for i in 0..n {
            for j in 0..i {
                let swapped = order[i] < order[j];
                for measure in Measure::ALL {
                    let a = before.value(measure, 1, (order[i], order[j]));
                    let b = after.value(measure, 1, (i, j));
                    let expected = match measure {
                        Measure::ImaginaryCoherence | Measure::PhaseSlope if swapped => -a,
                        Measure::DirectedPhaseLag if swapped => 1.0 - a,
                        _ => a,
                    };
                    prop_assert!((b - expected).abs() < 1e-12, "{:?}: {} is not {}", measure, b, expected);
                }
            }
        }
    }
}

#[test]
fn a_delay_shows_who_leads() {
    // Channel 1 has what channel 0 had one sample ago: 45 degrees at 20 Hz.
    let source = noise(40 * 41, 9);
    let delayed = |e: usize, c: usize, t: usize| source[e * 41 + t + 1 - c];
    let epochs = Array3::from_shape_fn((40, 2, 40), |(e, c, t)| delayed(e, c, t));
    let map = plan(2, 40).run(&epochs.view()).unwrap();
    // X is channel 1: it lags, so that its phase is behind.
    assert!(map.value(Measure::DirectedPhaseLag, 0, (1, 0)) < 0.05);
    assert!(map.value(Measure::ImaginaryCoherence, 0, (1, 0)) < -0.4);
    assert!(map.value(Measure::PhaseSlope, 1, (1, 0)) < -0.1);
    assert!(map.value(Measure::WeightedPhaseLag, 0, (0, 1)) > 0.95);
}

#[test]
fn bad_epochs_are_refused() {
    let plan = plan(3, 40);
    let good = epochs((4, 3, 40), 2);
    assert!(plan.run(&good.view()).is_ok());
    let mut holed = good.clone();
    holed[(2, 1, 7)] = f64::NAN;
    let refused = Err(ConnectivityError::NotFinite { epoch: 2, channel: 1 });
    assert_eq!(plan.run(&holed.view()), refused);
    let mut flat = good.clone();
    flat.slice_mut(s![.., 2, ..]).fill(0.1);
    assert_eq!(plan.run(&flat.view()), Err(ConnectivityError::ConstantChannel { channel: 2 }));
    let one = plan.run(&good.slice(s![0..1, .., ..]));
    assert!(matches!(one, Err(ConnectivityError::TooFewObservations { needed: 2, .. })));
    let other = plan.run(&good.slice(s![.., 0..2, ..]));
    assert!(matches!(other, Err(ConnectivityError::OtherShape { given: (2, 40), .. })));
    let rate = SampleRate::new(160.0).unwrap();
    let short = EpochConnectivity::fourier(3, 1, rate, &spec(&[Measure::Coherence]));
    assert!(matches!(short, Err(ConnectivityError::BadSegment { .. })));
}

#[test]
fn bandwidths_that_do_not_fit_are_refused() {
    let rate = SampleRate::new(160.0).unwrap();
    let spec = spec(&[Measure::Coherence]);
    let plan = |bandwidth_hz| EpochConnectivity::multitaper(2, 40, rate, bandwidth_hz, &spec);
    assert!(plan(8.0).is_ok());
    for bandwidth_hz in [0.0, -4.0, 3.9, 160.0, 1e9, f64::NAN] {
        let refused = plan(bandwidth_hz).map(|_| ());
        assert!(matches!(refused, Err(ConnectivityError::BadBandwidth { .. })), "{bandwidth_hz}");
    }
}

#[test]
fn wavelets_that_do_not_fit_are_refused() {
    let rate = SampleRate::new(160.0).unwrap();
    let spec = ConnectivitySpec {
        measures: vec![Measure::PhaseLocking],
        resolution: Resolution::Frequencies(band([0.0, 1e3])),
        edges: BandEdges::Closed,
    };
    for (freq_hz, n_cycles) in [(81.0, 5.0), (4.0, 5.0), (0.0, 5.0), (10.0, 0.0), (10.0, f64::NAN)]
    {
        let plan = TimeConnectivity::morlet(2, 160, rate, (&[freq_hz], n_cycles), &spec);
        assert!(matches!(plan, Err(ConnectivityError::BadWavelet { .. })), "{freq_hz} {n_cycles}");
    }
}

#[test]
fn what_a_run_finds_in_its_buffers_does_not_matter() {
    let rate = SampleRate::new(160.0).unwrap();
    let spec = ConnectivitySpec {
        measures: Measure::ALL.to_vec(),
        resolution: Resolution::Bands(vec![band([8.0, 40.0])]),
        edges: BandEdges::Closed,
    };
    let freqs = [10.0, 14.0, 19.0, 27.0];
    let mut plan = TimeConnectivity::morlet(5, 100, rate, (&freqs, 4.0), &spec).unwrap();
    let (first, second) = (noise(500, 1), noise(500, 2));
    let fresh = plan.clone().run(Planar::new(&second, 5, 100, 100)).to_vec();
    plan.run(Planar::new(&first, 5, 100, 100));
    assert_eq!(plan.run(Planar::new(&second, 5, 100, 100)), fresh);
}
