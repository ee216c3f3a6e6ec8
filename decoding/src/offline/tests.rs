use super::*;
use crate::filter::Band;
use crate::filter::butterworth;
use crate::filter::fir::design::{Taper, Transitions, with_transitions};
use acquisition::marker::ClassIdx;
use acquisition::time::SampleRate;
use serde::Deserialize;

/// Written by `tests/reference/golden_filter.py` with SciPy 1.17.1 and MNE.
const GOLDEN: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/golden/filter_zero_phase.json"
));

#[derive(Deserialize)]
struct Golden {
    signal: Vec<Vec<f64>>,
    sos: Vec<SosCase>,
    fir: Vec<FirCase>,
}

#[derive(Deserialize)]
struct SosCase {
    padding: String,
    sos: Vec<[f64; 6]>,
    output: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct FirCase {
    edges_hz: [Option<f64>; 2],
    taps: Vec<f64>,
    output: Vec<Vec<f64>>,
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(c, n)| rows[c][n])
}

fn assert_near(ours: &Array2<f64>, golden: &Array2<f64>, what: &str) {
    assert_eq!(ours.dim(), golden.dim(), "{what}");
    let scale = golden.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = (ours - golden).iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    assert!(worst <= 1e-9 * scale, "{what}: {worst} of {scale}");
}

#[test]
fn forward_and_backward_is_scipys() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let signal = matrix(&golden.signal);
    for case in &golden.sos {
        let section = |s: &[f64; 6]| Section { b: [s[0], s[1], s[2]], a: [s[4], s[5]] };
        let sections: Vec<_> = case.sos.iter().map(section).collect();
        let padding = match case.padding.as_str() {
            "odd" => Padding::Odd,
            "even" => Padding::Even,
            "constant" => Padding::Constant,
            "none" => Padding::None,
            other => panic!("the golden file knows {other}, this test does not"),
        };
        let ours = sos_signal(&sections, padding, &signal.view()).unwrap();
        assert_near(&ours, &matrix(&case.output), &case.padding);
    }
    assert_eq!(golden.sos.len(), 5);
}

#[test]
fn responses_without_delay_are_mnes() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let (signal, rate) = (matrix(&golden.signal), SampleRate::new(160.0).unwrap());
    for case in &golden.fir {
        let band = match case.edges_hz {
            [Some(low_hz), Some(high_hz)] => Band::Bandpass { low_hz, high_hz },
            [None, Some(edge_hz)] => Band::Lowpass { edge_hz },
            [Some(edge_hz), None] => Band::Highpass { edge_hz },
            [None, None] => panic!("a filter without edges"),
        };
        let transitions = Transitions::auto(band, rate);
        let taps = with_transitions(band, transitions, Taper::Hamming, rate).unwrap();
        assert_eq!(taps.len(), case.taps.len());
        let ours = fir_signal(&taps, &signal.view()).unwrap();
        assert_near(&ours, &matrix(&case.output), &format!("{} taps", taps.len()));
    }
    // The last is longer than the signal: beyond its reflection there are zeros.
    assert!(golden.fir[2].taps.len() > golden.signal[0].len());
}

#[test]
fn epochs_are_filtered_each_by_itself() {
    let samples = Array3::from_shape_fn((3, 2, 120), |(e, c, n)| {
        ((e + 1) * (n * 37 + c * 11) % 101) as f64 - 50.0
    });
    let labels = vec![ClassIdx(1), ClassIdx(2), ClassIdx(1)];
    let epochs = Epochs::new(samples, labels, vec![0.0, 1.0, 2.0]).unwrap();
    let rate = SampleRate::new(160.0).unwrap();
    let sections = butterworth::bandpass(2, 8.0, 30.0, rate).unwrap();
    let taps = [0.25, 0.5, 0.25];
    let by_sections = sos_epochs(&sections, Padding::Odd, &epochs).unwrap();
    let by_response = fir_epochs(&taps, &epochs).unwrap();
    for k in 0..3 {
        let alone = sos_signal(&sections, Padding::Odd, &epochs.epoch(k)).unwrap();
        assert_eq!(by_sections.epoch(k), alone);
        let alone = fir_signal(&taps, &epochs.epoch(k)).unwrap();
        assert_eq!(by_response.epoch(k), alone);
    }
    assert_eq!(by_sections.labels(), epochs.labels());
    assert_eq!(by_response.times_secs(), epochs.times_secs());
}

#[test]
fn time_may_run_backward() {
    let signal = Array2::from_shape_fn((3, 400), |(c, n)| ((n * n + 7 * c) % 61) as f64);
    let taps = [0.1, -0.2, 0.7, -0.2, 0.1];
    let turned = signal.slice(ndarray::s![.., ..;-1]).to_owned();
    let ours = fir_signal(&taps, &signal.view()).unwrap();
    let back = fir_signal(&taps, &turned.view()).unwrap();
    for ((c, n), y) in ours.indexed_iter() {
        // Sums of five products, added in the other order.
        assert!((y - back[(c, 399 - n)]).abs() < 1e-12 * 100.0);
    }
}

#[test]
fn what_cannot_be_filtered_says_why() {
    let rate = SampleRate::new(160.0).unwrap();
    let sections = butterworth::bandpass(4, 8.0, 30.0, rate).unwrap();
    let short = Array2::zeros((2, 27));
    let error = sos_signal(&sections, Padding::Odd, &short.view()).unwrap_err();
    assert_eq!(error, OfflineError::TooShort { n_samples: 27, n_pad: 27 });
    assert!(sos_signal(&sections, Padding::None, &short.view()).is_ok());
    let mut bad = Array2::zeros((2, 60));
    bad[(1, 7)] = f64::NAN;
    let expected = OfflineError::NotFinite { channel: 1, sample: 7 };
    assert_eq!(sos_signal(&sections, Padding::Odd, &bad.view()).unwrap_err(), expected);
    assert_eq!(fir_signal(&[1.0], &bad.view()).unwrap_err(), expected);
    for taps in [vec![1.0, 1.0], vec![1.0, 2.0, 3.0], vec![]] {
        let error = fir_signal(&taps, &short.view()).unwrap_err();
        assert_eq!(error, OfflineError::NotLinearPhase { n_taps: taps.len() });
    }
    let none = Array2::zeros((0, 60));
    assert_eq!(sos_signal(&sections, Padding::Odd, &none.view()).unwrap().dim(), (0, 60));
    assert_eq!(fir_signal(&[1.0], &none.view()).unwrap().dim(), (0, 60));
}

#[test]
fn sections_ring_as_long_as_mne_says() {
    // mne.filter.estimate_ringing_samples of butter(4, ..., output="sos"), MNE 1.13.2.
    for (low_hz, high_hz, rate_hz, expected) in
        [(8.0, 32.0, 160.0, 79), (7.0, 45.0, 256.0, 111), (12.5, 13.5, 256.0, 1674)]
    {
        let rate = SampleRate::new(rate_hz).unwrap();
        let sections = butterworth::bandpass(4, low_hz, high_hz, rate).unwrap();
        assert_eq!(ringing_samples(&sections), expected, "{low_hz}-{high_hz} Hz");
    }
    assert_eq!(ringing_samples(&[]), 0);
}
