use super::*;
use crate::psd::bands::{BANDS, Band};
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use ndarray::Array3;
use serde::Deserialize;

mod batch;
mod envelope;
mod golden;
mod sliding;

/// Written by `tests/reference/golden_connectivity.py` with mne-connectivity 0.9.
const STRENGTH: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/connectivity_strength.json"
));

#[derive(Deserialize)]
struct Strength {
    rate_hz: f64,
    segment_samples: usize,
    segment_step_samples: usize,
    bands_hz: Vec<[f64; 2]>,
    window: Vec<Vec<f64>>,
    #[serde(rename = "strength")]
    values: Vec<Vec<f64>>,
}

fn band([low_hz, high_hz]: [f64; 2]) -> Band {
    Band { low_hz, high_hz }
}

/// Errors relative to the largest value; NaN anywhere is an infinite one.
pub(super) fn error(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = |m: f64, (a, b): (&f64, &f64)| {
        let error = (a - b).abs() / largest;
        if error.is_nan() { f64::INFINITY } else { m.max(error) }
    };
    ours.iter().zip(theirs).fold(0.0, worst)
}

/// Asserts that no value is farther off than rounding, of the largest one.
#[track_caller]
pub(super) fn assert_near(ours: &[f64], theirs: &[f64]) {
    let error = error(ours, theirs);
    assert!(error <= 1e-9, "{error:e}");
}

/// A golden file's epochs.
pub(super) fn epochs_of(epochs: &[Vec<Vec<f64>>]) -> Array3<f64> {
    let shape = (epochs.len(), epochs[0].len(), epochs[0][0].len());
    Array3::from_shape_vec(shape, epochs.concat().concat()).expect("even epochs")
}

/// Pseudo-random samples in `[-1, 1)`.
pub(super) fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn node_strength_is_that_of_mne_connectivity() {
    let golden: Strength = serde_json::from_str(STRENGTH).unwrap();
    let (n, data) = (golden.window[0].len(), golden.window.concat());
    let window = WindowSpec { window_samples: n, step_samples: 16 };
    let segments = Segments {
        length_samples: golden.segment_samples,
        step_samples: golden.segment_step_samples,
    };
    let rate = SampleRate::new(golden.rate_hz).unwrap();
    assert_eq!(Segments::half_second(window, rate), segments);
    let bands: Vec<_> = golden.bands_hz.iter().copied().map(band).collect();
    assert_eq!(bands, BANDS);
    let mut strength = NodeStrength::new(5, window, rate, segments, &bands).unwrap();
    let mut out = vec![f64::NAN; strength.n_values()];
    strength.run_into(Planar::new(&data, 5, n, n), &mut out);
    assert!(error(&out, &golden.values.concat()) < 1e-12);
    strength.slide_into(SampleIndex(n as u64 + 4799), Planar::new(&data, 5, n, n), &mut out);
    assert!(error(&out, &golden.values.concat()) < 1e-12);
}

#[test]
fn pairs_are_numbered_row_after_row() {
    let pairs: Vec<_> = (1..4).flat_map(|i| (0..i).map(move |j| pair_idx(i, j))).collect();
    assert_eq!(pairs, [0, 1, 2, 3, 4, 5]);
    assert_eq!((pair_idx(0, 3), n_pairs(4), n_pairs(1), n_pairs(0)), (3, 6, 0, 0));
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let rate = SampleRate::new(160.0).unwrap();
    let window = WindowSpec { window_samples: 320, step_samples: 16 };
    let plan = |n_channels, length_samples, step_samples, bands: &[Band]| {
        let segments = Segments { length_samples, step_samples };
        NodeStrength::new(n_channels, window, rate, segments, bands).map(|s| s.n_values())
    };
    assert_eq!(plan(3, 80, 32, &BANDS), Ok(12));
    assert_eq!(plan(1, 80, 32, &BANDS), Err(ConnectivityError::TooFewChannels { n_channels: 1 }));
    assert_eq!(plan(3, 80, 0, &BANDS), Err(ConnectivityError::NoStep));
    for length in [0, 1, 321] {
        let refused = plan(3, length, 32, &BANDS);
        assert!(matches!(refused, Err(ConnectivityError::BadSegment { .. })), "{length}");
    }
    for edges in [[81.0, 90.0], [8.0, 8.0], [9.0, 9.5], [f64::NAN, 12.0], [12.0, 8.0]] {
        let refused = plan(3, 80, 32, &[band(edges)]);
        assert!(matches!(refused, Err(ConnectivityError::EmptyBand { .. })), "{edges:?}");
    }
}

#[test]
fn measures_that_need_more_are_refused() {
    let rate = SampleRate::new(160.0).unwrap();
    let window = WindowSpec { window_samples: 80, step_samples: 16 };
    let segments = Segments { length_samples: 80, step_samples: 32 };
    let plan = |measures: &[Measure], edges, edges_hz| {
        let resolution = Resolution::Bands(vec![band(edges_hz)]);
        let spec = ConnectivitySpec { measures: measures.to_vec(), resolution, edges };
        SlidingConnectivity::new(3, window, rate, segments, &spec).map(|s| s.n_bands())
    };
    let edges = BandEdges::Closed;
    assert_eq!(plan(&[Measure::Coherence], edges, [8.0, 12.0]), Ok(1));
    assert_eq!(plan(&[], edges, [8.0, 12.0]), Err(ConnectivityError::NoMeasure));
    let refused = plan(&[Measure::PairwisePhaseConsistency], edges, [8.0, 12.0]);
    assert!(matches!(refused, Err(ConnectivityError::TooFewObservations { needed: 2, .. })));
    let refused = plan(&[Measure::PhaseSlope], edges, [8.0, 12.0]);
    assert!(matches!(refused, Err(ConnectivityError::NarrowBand { .. })), "10 Hz is alone");
    assert_eq!(plan(&[Measure::PhaseSlope], edges, [8.0, 14.0]), Ok(1));
}
