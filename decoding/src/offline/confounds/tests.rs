use super::*;
use acquisition::signal::{ChannelInfo, Gap};
use acquisition::time::SampleIndex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Written by `tests/reference/golden_confounds.py` with SciPy.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/confounds.json"));

#[derive(Deserialize)]
struct Golden {
    rate_hz: f64,
    channels: Vec<String>,
    signal: Vec<Vec<f64>>,
    spans: Vec<(u64, u64)>,
    variables: BTreeMap<String, Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).unwrap()
}

fn recording(golden: &Golden, rate_hz: f64) -> Recording {
    let (n_channels, n_samples) = (golden.channels.len(), golden.signal[0].len());
    Recording {
        info: StreamInfo {
            name: "golden".to_owned(),
            kind: "EEG".to_owned(),
            source_id: String::new(),
            host: String::new(),
            rate: SampleRate::new(rate_hz).unwrap(),
            channels: golden.channels.iter().map(ChannelInfo::eeg).collect(),
            simulated: false,
        },
        samples: Array2::from_shape_fn((n_channels, n_samples), |(c, n)| {
            golden.signal[c][n] as f32
        }),
        markers: vec![],
        gaps: vec![],
        findings: vec![],
    }
}

fn run(recording: Recording) -> Run {
    Run { recording: Arc::new(recording), cues: vec![] }
}

fn trials(golden: &Golden) -> Vec<TrialSamples> {
    golden.spans.iter().map(|(start, end)| (0, *start..*end)).collect()
}

const OF_SIGNAL: [Variable; 4] =
    [Variable::EyeAmplitude, Variable::Gaze, Variable::MusclePower, Variable::PeakToPeak];

#[test]
fn variables_are_those_of_scipy() {
    let golden = golden();
    let runs = [run(recording(&golden, golden.rate_hz))];
    let measured = measure(&Variable::ALL, &runs, &trials(&golden)).unwrap();
    assert_eq!((&measured.variables[..], &measured.absent[..]), (&Variable::ALL[..], &[][..]));
    for (at, variable) in measured.variables.iter().enumerate() {
        let name = serde_json::to_string(variable).unwrap();
        let Some(expected) = golden.variables.get(name.trim_matches('"')) else { continue };
        for (row, expected) in measured.values.iter().zip(expected) {
            // Filters of single precision input, forward and backward in double precision.
            assert!((row[at] - expected).abs() < 1e-6, "{name}: {} {expected}", row[at]);
        }
    }
    let order: Vec<[f64; 2]> = measured.values.iter().map(|row| [row[4], row[5]]).collect();
    assert_eq!(order, [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]);
}

#[test]
fn trials_are_counted_in_their_runs_and_values_stay_with_their_trials() {
    let golden = golden();
    let runs = [0; 3].map(|_| run(recording(&golden, golden.rate_hz)));
    let (a, b) = (trials(&golden)[0].1.clone(), trials(&golden)[2].1.clone());
    // Out of order, of the runs 0 and 2.
    let trials = [(2, b.clone()), (0, b), (2, a.clone()), (0, a)];
    let asked = [Variable::TrialOrder, Variable::Run, Variable::PeakToPeak];
    let measured = measure(&asked, &runs, &trials).unwrap();
    let order: Vec<[f64; 2]> = measured.values.iter().map(|row| [row[0], row[1]]).collect();
    assert_eq!(order, [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
    let peaks: Vec<f64> = measured.values.iter().map(|row| row[2]).collect();
    assert_eq!([peaks[0], peaks[2]], [peaks[1], peaks[3]], "the runs are equal");
    assert!((peaks[0] - golden.variables["peak_to_peak"][2]).abs() < 1e-6);
}

#[test]
fn what_a_recording_has_not_is_said() {
    let mut golden = golden();
    golden.channels = ["C3", "C4", "Cz", "Pz", "O1", "O2"].map(str::to_owned).to_vec();
    let runs = [run(recording(&golden, 80.0))];
    let measured = measure(&OF_SIGNAL, &runs, &trials(&golden)).unwrap();
    assert_eq!(measured.variables, [Variable::PeakToPeak]);
    let absent = [Variable::EyeAmplitude, Variable::Gaze, Variable::MusclePower];
    assert_eq!(measured.absent, absent);
}

#[test]
fn a_gap_moves_no_trial_and_a_sample_that_is_no_number_is_named() {
    let golden = golden();
    let mut recording = recording(&golden, golden.rate_hz);
    // 50 frames were lost before sample 100, so every trial lies 50 indices later.
    recording.gaps = vec![Gap { at: SampleIndex(100), n_missing: 50 }];
    let trials: Vec<TrialSamples> =
        trials(&golden).into_iter().map(|(run, t)| (run, t.start + 50..t.end + 50)).collect();
    let found = measure(&OF_SIGNAL, &[run(recording.clone())], &trials).unwrap();
    for (at, variable) in OF_SIGNAL.iter().enumerate() {
        let name = serde_json::to_string(variable).unwrap();
        let expected = golden.variables[name.trim_matches('"')][2];
        // The filter starts anew after the gap: seven seconds later nothing is left of it.
        let value = found.values[2][at];
        assert!((value - expected).abs() < 1e-2 * expected.abs(), "{name}: {value} {expected}");
    }
    recording.samples[(5, 300)] = f32::NAN;
    let error = measure(&OF_SIGNAL, &[run(recording)], &trials).unwrap_err();
    assert!(error.to_string().contains("is not finite"), "{error}");
}
