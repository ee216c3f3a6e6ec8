//! Connectivity as a feature of windows, beside calls of the library.

use super::*;
use crate::connectivity::{
    BandEdges, ConnectivitySpec, Measure, Resolution, Segments, SlidingConnectivity,
};
use crate::psd::bands::Band;
use crate::window::WindowSpec;

const N_CHANNELS: usize = 5;

/// The measure between all pairs, `[of][with]`, of the last window of `frames`.
fn pairs_of(measure: Measure, frames: &[Vec<f32>], band: Band) -> Vec<Vec<f64>> {
    let window = WindowSpec { window_samples: 100, step_samples: 10 };
    let spec = ConnectivitySpec {
        measures: vec![measure],
        resolution: Resolution::Bands(vec![band]),
        edges: BandEdges::HalfOpen,
    };
    let segments = Segments::half_second(window, rate());
    let mut plan = SlidingConnectivity::new(N_CHANNELS, window, rate(), segments, &spec).unwrap();
    let below = plan.run(last_second(frames).as_planar()).to_vec();
    let mut pairs = vec![vec![0.0; N_CHANNELS]; N_CHANNELS];
    let cells = (1..N_CHANNELS).flat_map(|c| (0..c).map(move |d| (c, d)));
    for ((c, d), value) in cells.zip(below) {
        pairs[c][d] = value;
        pairs[d][c] = measure.reversed(value);
    }
    pairs
}

#[test]
fn every_measure_has_pairs_and_strengths() {
    let frames = frames(N_CHANNELS, 150);
    let bands = [Band { low_hz: 8.0, high_hz: 14.0 }, Band { low_hz: 14.0, high_hz: 30.0 }];
    for measure in Measure::ALL {
        let name = serde_json::to_string(&measure).unwrap();
        let feature = |summary: &str| {
            let parameters = format!(
                "measure = {name}\nsummary = \"{summary}\"\nbands_hz = [[8, 14], [14, 30]]"
            );
            let mut front_end = plan(&[("connectivity", &parameters)], N_CHANNELS).unwrap();
            vector(&last_value(&mut front_end, &frames)).to_vec()
        };
        let of_band = bands.map(|band| pairs_of(measure, &frames, band));
        let strength = |c: usize, band: usize| {
            let others = (0..N_CHANNELS).filter(|d| *d != c);
            others.map(|d| of_band[band][c][d]).sum::<f64>() / (N_CHANNELS - 1) as f64
        };
        let strengths = feature("node_strength");
        assert_eq!(strengths.len(), 2 * N_CHANNELS);
        for (at, found) in strengths.iter().enumerate() {
            let expected = strength(at / 2, at % 2);
            // Four numbers added in another order.
            assert!((found - expected).abs() < 1e-14, "{name}: {found} {expected}");
        }
        let below = |pairs: &Vec<Vec<f64>>| -> Vec<f64> {
            (1..N_CHANNELS).flat_map(|c| pairs[c][..c].to_vec()).collect()
        };
        assert_eq!(feature("pairs"), of_band.iter().flat_map(below).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn who_leads_is_strong_where_the_measure_has_a_direction() {
    // A wave that reaches one channel after the other, the first one first.
    let frames: Vec<Vec<f32>> = frames(N_CHANNELS, 150)
        .into_iter()
        .enumerate()
        .map(|(n, noise)| {
            let wave = |c: usize| (0.63 * n as f32 - 0.4 * c as f32).sin();
            noise.iter().enumerate().map(|(c, x)| 0.05 * x + wave(c)).collect()
        })
        .collect();
    let strengths = |measure: &str| {
        let parameters = format!("measure = \"{measure}\"\nbands_hz = [[8, 14]]");
        let mut front_end = plan(&[("connectivity", &parameters)], N_CHANNELS).unwrap();
        vector(&last_value(&mut front_end, &frames)).to_vec()
    };
    for (measure, neutral) in [("directed_phase_lag", 0.5), ("imaginary_coherence", 0.0)] {
        let found = strengths(measure);
        assert!(found[0] > neutral && found[4] < neutral, "{measure}: {found:?}");
        assert!(found.is_sorted_by(|a, b| a >= b), "{measure}: {found:?}");
        let mean = found.iter().sum::<f64>() / N_CHANNELS as f64;
        // What one leads the other is led by.
        assert!((mean - neutral).abs() < 1e-14, "{measure}: {found:?}");
    }
}

#[test]
fn an_unknown_measure_is_named() {
    let error = pipeline(&[("connectivity", "measure = \"coherance\"")]).unwrap_err();
    assert!(error.contains("measure: unknown variant `coherance`"), "{error}");
}
