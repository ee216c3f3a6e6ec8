//! Sliding estimates: the bits of a window by itself, from any start.

use super::*;
use proptest::prelude::*;

const N_CHANNELS: usize = 3;

fn spec(measures: &[Measure]) -> ConnectivitySpec {
    let bands = vec![band([15.0, 45.0]), band([20.0, 70.0])];
    let resolution = Resolution::Bands(bands);
    ConnectivitySpec { measures: measures.to_vec(), resolution, edges: BandEdges::Closed }
}

/// A plan for channels laid out as `signal` has them.
fn plan(window: WindowSpec, segments: Segments, measures: &[Measure]) -> SlidingConnectivity {
    let rate = SampleRate::new(160.0).unwrap();
    SlidingConnectivity::new(N_CHANNELS, window, rate, segments, &spec(measures)).unwrap()
}

/// Window `k` of a signal that repeats itself, so that it may go on for ever.
fn window_at(signal: &[f64], period: usize, spec: WindowSpec, k: u64) -> (SampleIndex, Planar<'_>) {
    let start = k * spec.step_samples as u64;
    let at = (start % period as u64) as usize;
    let stride = signal.len() / N_CHANNELS;
    let samples = Planar::new(&signal[at..], N_CHANNELS, stride, spec.window_samples);
    (SampleIndex(start + spec.window_samples as u64 - 1), samples)
}

/// Three channels of a signal with the given period, long enough for a window anywhere.
fn periodic(period: usize, window: usize) -> Vec<f64> {
    let channel = |c: u64| {
        let one = noise(period, c + 7);
        (0..period + window).map(|t| one[t % period]).collect::<Vec<_>>()
    };
    (0..N_CHANNELS as u64).flat_map(channel).collect()
}

#[test]
fn a_million_hops_stay_where_one_begun_anywhere_is() {
    let window = WindowSpec { window_samples: 20, step_samples: 2 };
    let segments = Segments { length_samples: 8, step_samples: 4 };
    // The phase slope needs a wider spectrum than segments of 8 samples have.
    let mut sliding = plan(window, segments, &[Measure::WeightedPhaseLag, Measure::Coherence]);
    let signal = periodic(1009, window.window_samples);
    for k in 0..1_000_001 {
        let (end, samples) = window_at(&signal, 1009, window, k);
        sliding.slide(end, samples);
        if k % 99_991 == 0 || k == 1_000_000 {
            let mut fresh =
                plan(window, segments, &[Measure::WeightedPhaseLag, Measure::Coherence]);
            assert_eq!(sliding.values(), fresh.slide(end, samples), "hop {k}");
            assert_eq!(sliding.values(), fresh.run(samples), "hop {k}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_measure_slides_as_it_stands_alone(
        step in 1_usize..9,
        segment_step in 1_usize..17,
        first in 0_u64..50,
        skip in 0_u64..4,
    ) {
        let window = WindowSpec { window_samples: 64, step_samples: step };
        let segments = Segments { length_samples: 20, step_samples: segment_step };
        let mut sliding = plan(window, segments, &Measure::ALL);
        let mut alone = plan(window, segments, &Measure::ALL);
        let signal = periodic(997, window.window_samples);
        let mut k = first;
        for _ in 0..12 {
            let (end, samples) = window_at(&signal, 997, window, k);
            prop_assert_eq!(sliding.slide(end, samples), alone.run(samples));
            prop_assert!(sliding.values().iter().all(|x| x.is_finite()));
            // Windows may be left out, as unusable ones are.
            k += 1 + skip;
        }
    }

    #[test]
    fn one_measure_is_what_it_is_among_all(which in 0_usize..Measure::ALL.len(), seed in 0_u64..99) {
        let window = WindowSpec { window_samples: 64, step_samples: 4 };
        let segments = Segments { length_samples: 20, step_samples: 8 };
        let signal = noise(64 * N_CHANNELS, seed);
        let samples = Planar::new(&signal, N_CHANNELS, 64, 64);
        let measure = Measure::ALL[which];
        let (mut one, mut all) = (plan(window, segments, &[measure]), plan(window, segments, &Measure::ALL));
        one.run(samples);
        all.run(samples);
        for band in 0..2 {
            prop_assert_eq!(one.pairs(measure, band), all.pairs(measure, band));
        }
    }
}

#[test]
fn a_silent_channel_goes_with_none() {
    let window = WindowSpec { window_samples: 64, step_samples: 4 };
    let segments = Segments { length_samples: 20, step_samples: 8 };
    let mut signal = noise(64 * N_CHANNELS, 5);
    signal[64..128].fill(3.25);
    let mut all = plan(window, segments, &Measure::ALL);
    let samples = Planar::new(&signal, N_CHANNELS, 64, 64);
    assert!(all.run(samples).iter().all(|x| x.is_finite()));
    for measure in [Measure::Coherence, Measure::PhaseLocking, Measure::PhaseLag] {
        let pairs = all.pairs(measure, 0);
        assert_eq!((pairs[pair_idx(0, 1)], pairs[pair_idx(1, 2)]), (0.0, 0.0), "{measure:?}");
        assert!(pairs[pair_idx(0, 2)] > 0.0, "{measure:?}");
    }
}
