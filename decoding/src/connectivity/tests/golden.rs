//! Values of mne-connectivity, written by `tests/reference/golden_connectivity.py`.

use super::*;
use ndarray::Array3;
use std::collections::BTreeMap;

const EPOCHS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/connectivity_epochs.json"
));
const TIME: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/connectivity_time.json"
));

const ENVELOPE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/connectivity_envelope.json"
));

type Signals = Vec<Vec<Vec<f64>>>;

#[derive(Deserialize)]
struct OverEpochs {
    rate_hz: f64,
    bands_hz: Vec<[f64; 2]>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    input: Signals,
    mode: String,
    /// Per measure, `(n_bands, n_pairs)`.
    values: BTreeMap<String, Vec<Vec<f64>>>,
}

#[derive(Deserialize)]
struct OverTime {
    rate_hz: f64,
    freqs_hz: Vec<f64>,
    n_cycles: f64,
    input: Signals,
    /// Per measure, `(n_epochs, n_freqs, n_pairs)`.
    values: BTreeMap<String, Vec<Vec<Vec<f64>>>>,
    /// `(n_epochs, n_pairs)`.
    slope_8_to_20_hz: Vec<Vec<f64>>,
    short_input: Signals,
    at_samples: Vec<usize>,
    short_values: BTreeMap<String, Vec<Vec<f64>>>,
}

#[derive(Deserialize)]
struct Envelopes {
    input: Signals,
    /// Epochs orthogonalised symmetrically, every 8th sample.
    symmetric_every_8th: Signals,
    /// Per setting, `(n_epochs, n_pairs)`.
    values: BTreeMap<String, Vec<Vec<f64>>>,
}

fn array(signals: &Signals) -> Array3<f64> {
    let shape = (signals.len(), signals[0].len(), signals[0][0].len());
    Array3::from_shape_vec(shape, signals.concat().concat()).unwrap()
}

fn measure(name: &str) -> Measure {
    serde_json::from_value(name.into()).unwrap()
}

#[test]
fn over_epochs_as_mne_connectivity() {
    let golden: OverEpochs = serde_json::from_str(EPOCHS).unwrap();
    let bands = golden.bands_hz.iter().copied().map(band).collect();
    let spec = ConnectivitySpec {
        measures: Measure::ALL.to_vec(),
        resolution: Resolution::Bands(bands),
        edges: BandEdges::Closed,
    };
    let rate = SampleRate::new(golden.rate_hz).unwrap();
    for case in &golden.cases {
        let epochs = array(&case.input);
        let (_, n_channels, n_samples) = epochs.dim();
        let plan = match case.mode.as_str() {
            "fourier" => EpochConnectivity::fourier(n_channels, n_samples, rate, &spec),
            _ => EpochConnectivity::multitaper(n_channels, n_samples, rate, 6.0, &spec),
        };
        let map = plan.unwrap().run(&epochs.view()).unwrap();
        assert_eq!(case.values.len(), Measure::ALL.len());
        for (name, bands) in &case.values {
            for (b, values) in bands.iter().enumerate() {
                let error = error(map.pairs(measure(name), b), values);
                assert!(error < 1e-11, "{}: {name}, band {b}: {error:e}", case.mode);
            }
        }
    }
}

#[test]
fn over_time_as_mne_connectivity() {
    let golden: OverTime = serde_json::from_str(TIME).unwrap();
    let names: Vec<_> = golden.values.keys().cloned().collect();
    let spec = ConnectivitySpec {
        measures: names.iter().map(|name| measure(name)).collect(),
        resolution: Resolution::Frequencies(band([0.0, 80.0])),
        edges: BandEdges::Closed,
    };
    let rate = SampleRate::new(golden.rate_hz).unwrap();
    let epochs = array(&golden.input);
    let (_, n_channels, n_samples) = epochs.dim();
    let wavelets = (&golden.freqs_hz[..], golden.n_cycles);
    let plan = TimeConnectivity::morlet(n_channels, n_samples, rate, wavelets, &spec).unwrap();
    assert_eq!(plan.freqs_hz(), golden.freqs_hz);
    let maps = plan.run_epochs(&epochs.view()).unwrap();
    for name in &names {
        for (epoch, freqs) in golden.values[name].iter().enumerate() {
            for (f, values) in freqs.iter().enumerate() {
                let error = error(maps[epoch].pairs(measure(name), f), values);
                assert!(error < 1e-11, "{name}, epoch {epoch}, frequency {f}: {error:e}");
            }
        }
    }
}

#[test]
fn phase_slope_over_time_as_mne_connectivity() {
    let golden: OverTime = serde_json::from_str(TIME).unwrap();
    let spec = ConnectivitySpec {
        measures: vec![Measure::PhaseSlope],
        resolution: Resolution::Bands(vec![band([8.0, 20.0])]),
        edges: BandEdges::Closed,
    };
    let rate = SampleRate::new(golden.rate_hz).unwrap();
    let wavelets = (&golden.freqs_hz[..], golden.n_cycles);
    let plan = TimeConnectivity::morlet(5, 320, rate, wavelets, &spec).unwrap();
    let maps = plan.run_epochs(&array(&golden.input).view()).unwrap();
    for (map, values) in maps.iter().zip(&golden.slope_8_to_20_hz) {
        assert!(error(map.values(), values) < 1e-11);
    }
}

#[test]
fn over_epochs_at_each_time_as_mne_connectivity() {
    let golden: OverTime = serde_json::from_str(TIME).unwrap();
    let spec = ConnectivitySpec {
        measures: golden.short_values.keys().map(|name| measure(name)).collect(),
        resolution: Resolution::Bands(vec![band([10.0, 15.0])]),
        edges: BandEdges::Closed,
    };
    let rate = SampleRate::new(golden.rate_hz).unwrap();
    let epochs = array(&golden.short_input);
    let wavelets = (&golden.freqs_hz[..], golden.n_cycles);
    let plan = EpochConnectivity::morlet(5, 160, rate, wavelets, &spec).unwrap();
    assert_eq!(plan.freqs_hz(), [10.0, 12.0, 15.0]);
    let map = plan.run(&epochs.view()).unwrap();
    for (name, times) in &golden.short_values {
        for (at, values) in golden.at_samples.iter().zip(times) {
            let error = error(map.pairs(measure(name), *at), values);
            assert!(error < 1e-10, "{name}, sample {at}: {error:e}");
        }
    }
}

#[test]
fn envelope_correlation_as_mne_connectivity() {
    let golden: Envelopes = serde_json::from_str(ENVELOPE).unwrap();
    let epochs = array(&golden.input);
    let (_, n_channels, n_samples) = epochs.dim();
    let settings = [
        ("plain", Orthogonalisation::None, Envelope::Amplitude),
        ("plain_log", Orthogonalisation::None, Envelope::LogPower),
        ("pairwise", Orthogonalisation::Pairwise, Envelope::Amplitude),
        ("pairwise_signed", Orthogonalisation::PairwiseSigned, Envelope::Amplitude),
        ("pairwise_log", Orthogonalisation::Pairwise, Envelope::LogPower),
    ];
    assert_eq!(golden.values.len(), settings.len());
    for (name, orthogonalisation, envelope) in settings {
        let plan = EnvelopeCorrelation::new(n_channels, n_samples, orthogonalisation, envelope);
        let values = plan.unwrap().run_epochs(&epochs.view()).unwrap();
        let expected = golden.values[name].concat();
        let error = error(&values.concat(), &expected);
        assert!(error < 1e-11, "{name}: {error:e}");
    }
}

#[test]
fn symmetric_orthogonalisation_as_mne_connectivity() {
    let golden: Envelopes = serde_json::from_str(ENVELOPE).unwrap();
    for (epoch, expected) in golden.input.iter().zip(&golden.symmetric_every_8th) {
        let (n, signal) = (epoch[0].len(), epoch.concat());
        let ours = symmetric_orthogonal(Planar::new(&signal, epoch.len(), n, n)).unwrap();
        for (ours, theirs) in ours.chunks(n).zip(expected) {
            let every_8th: Vec<f64> = ours.iter().step_by(8).copied().collect();
            assert!(error(&every_8th, theirs) < 1e-9, "{:e}", error(&every_8th, theirs));
        }
    }
}
