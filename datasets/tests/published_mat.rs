//! Datasets that are published as MAT files, read from small files of their layout
//! (`tests/reference/mat_golden.py`): counting numbers in their places, cues, channels.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use acquisition::signal::{ChannelKind, Recording};
use datasets::catalog::{Dataset, Execution};
use datasets::reader::ReadError;
use std::path::PathBuf;

/// The small file of a dataset.
fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/mat")).join(name)
}

fn read(dataset: &str, file: &str) -> Vec<Recording> {
    Dataset::find(dataset).unwrap().read(&golden(file)).unwrap()
}

/// What `counting(rows, columns)` of the script has at a place.
fn counted(columns: usize, row: usize, column: usize) -> f32 {
    ((row * columns + column) % 1000) as f32 - 500.0
}

/// Sample and text of each marker.
fn markers(recording: &Recording) -> Vec<(i64, String)> {
    let rate = recording.info.rate;
    recording
        .markers
        .iter()
        .map(|marker| (rate.samples(marker.onset_secs), marker.text.as_str().to_owned()))
        .collect()
}

fn marked(of: &[(i64, &str)]) -> Vec<(i64, String)> {
    of.iter().map(|(at, text)| (*at, (*text).to_owned())).collect()
}

fn labels(recording: &Recording, kind: ChannelKind) -> Vec<&str> {
    let channels = recording.info.channels.iter().filter(|channel| channel.kind == kind);
    channels.map(|channel| channel.label.as_str()).collect()
}

/// Every entry's recordings are as many as its list says, and their cues are of its classes.
fn check(name: &str, recordings: &[Recording], n_cues: usize) {
    let dataset = Dataset::find(name).unwrap();
    let classes: Vec<String> = dataset.class_names().into_iter().map(str::to_owned).collect();
    let specs = dataset.runs_for(1, &classes, Execution::Imagined).unwrap();
    let of_file: Vec<_> =
        specs.iter().filter(|spec| spec.file.path == specs[0].file.path).collect();
    assert_eq!(of_file.len(), recordings.len(), "{name}");
    for (spec, recording) in of_file.iter().zip(recordings) {
        let cues = spec.cues(recording, &classes, dataset.task_interval_secs);
        assert_eq!(cues.len(), n_cues, "{name}");
        assert_eq!(recording.info.rate.hz(), dataset.rate_hz, "{name}");
        assert_eq!(recording.info.brain_channels().len(), dataset.n_channels, "{name}");
        if !dataset.channels.is_empty() {
            assert_eq!(labels(recording, ChannelKind::Eeg), dataset.channels, "{name}");
        }
    }
}

#[test]
fn graz_runs_with_trials_are_read() {
    let runs = read("bnci2014-001", "bnci2014_001.mat");
    check("bnci2014-001", &runs, 2);
    assert_eq!(labels(&runs[0], ChannelKind::Eog), ["EOG1", "EOG2", "EOG3"]);
    // Trials count samples from 1, labels differ from run to run.
    assert_eq!(markers(&runs[0]), marked(&[(10, "1"), (30, "4")]));
    assert_eq!(markers(&runs[1]), marked(&[(10, "2"), (30, "3")]));
    assert_eq!(runs[0].samples.dim(), (25, 50));
    assert_eq!(runs[3].samples[[24, 7]], counted(25, 7, 24));
    assert_ne!(runs[0].info.name, runs[1].info.name);

    let sessions = read("bnci2014-004", "bnci2014_004.mat");
    check("bnci2014-004", &sessions, 2);
    let dataset = Dataset::find("bnci2014-004").unwrap();
    let listed: Vec<_> =
        dataset.files(3).unwrap().into_iter().map(|f| (f.session, f.path, f.part)).collect();
    assert_eq!(listed[2], (2, "B03T.mat".to_owned(), 2));
    assert_eq!(listed[4], (4, "B03E.mat".to_owned(), 1));

    check("bnci2015-001", &read("bnci2015-001", "bnci2015_001.mat"), 2);
    let dataset = Dataset::find("bnci2015-001").unwrap();
    let n = |subject| dataset.files(subject).unwrap().len();
    assert_eq!([7, 8, 11, 12].map(n), [2, 3, 3, 2]);
}

#[test]
fn flashes_begin_where_the_code_rises() {
    let runs = read("bnci2014-008", "bnci2014_008.mat");
    check("bnci2014-008", &runs, 3);
    assert_eq!(markers(&runs[0]), marked(&[(5, "1"), (15, "2"), (25, "1")]));
    let sessions = read("bnci2014-009", "bnci2014_009.mat");
    check("bnci2014-009", &sessions, 3);
    let expected = (f64::from(counted(16, 3, 15)) * 0.1) as f32;
    assert_eq!(sessions[2].samples[[15, 3]], expected);
}

#[test]
fn halves_of_cho2017_follow_one_another() {
    let recordings = read("cho2017", "cho2017.mat");
    check("cho2017", &recordings, 4);
    let recording = &recordings[0];
    assert_eq!(markers(recording), marked(&[(10, "1"), (40, "1"), (570, "2"), (600, "2")]));
    assert_eq!(recording.samples.dim(), (68, 60 + 500 + 60));
    let mean = (0..60).map(|t| counted(60, 5, t)).sum::<f32>() / 60.0;
    assert_eq!(recording.samples[[5, 7]], counted(60, 5, 7) - mean);
    assert_eq!(recording.samples[[5, 567]], (counted(60, 5, 7) - mean) * 2.0);
    assert_eq!(recording.samples[[5, 300]], 0.0);
    assert_eq!(labels(recording, ChannelKind::Emg).len(), 4);
}

#[test]
fn trials_of_weibo2014_lie_between_zeros() {
    let recordings = read("weibo2014", "weibo2014.mat");
    check("weibo2014", &recordings, 4);
    let recording = &recordings[0];
    let expected = [(50, "1"), (170, "7"), (290, "4"), (410, "2")];
    assert_eq!(markers(recording), marked(&expected));
    assert_eq!(recording.samples.dim(), (64, 4 * 120));
    // The array is (channel, sample, trial).
    let value = |c: usize, t: usize, k: usize| counted(4, c * 20 + t, k);
    let mean = (0..20).map(|t| value(9, t, 2)).sum::<f32>() / 20.0;
    assert_eq!(recording.samples[[9, 293]], value(9, 3, 2) - mean);
    assert_eq!(recording.samples[[9, 170 - 1]], 0.0);
    assert_eq!(labels(recording, ChannelKind::Misc), ["CB1", "CB2"]);
    let label = |c: usize| recording.info.channels[c].label.as_str();
    assert_eq!([57, 61, 62, 63].map(label), ["CB1", "CB2", "VEO", "HEO"]);
}

#[test]
fn phases_of_lee2019_are_runs() {
    for (name, file) in [
        ("lee2019-mi", "lee2019_MI.mat"),
        ("lee2019-erp", "lee2019_ERP.mat"),
        ("lee2019-ssvep", "lee2019_SSVEP.mat"),
    ] {
        let recordings = read(name, file);
        check(name, &recordings, 3);
        let recording = &recordings[0];
        assert_eq!(markers(recording), marked(&[(10, "2"), (30, "1"), (50, "2")]));
        assert_eq!(recording.samples.dim(), (66, 80));
        assert_eq!(recording.samples[[61, 9]], counted(62, 9, 61));
        assert_eq!(recording.samples[[64, 9]], counted(4, 9, 2));
        assert_eq!(recording.info.channels[61].label, "E61");
    }
}

#[test]
fn another_layout_says_what_is_missing() {
    let dataset = Dataset::find("cho2017").unwrap();
    let error = dataset.read(&golden("weibo2014.mat")).unwrap_err().to_string();
    assert!(error.contains("eeg is not there"), "{error}");
    let dataset = Dataset::find("bnci2014-004").unwrap();
    let error = dataset.read(&golden("bnci2014_001.mat")).unwrap_err().to_string();
    assert!(error.contains("X is not there"), "{error}");
}

#[test]
fn formats_without_a_reader_say_so() {
    let dataset = Dataset::find("things-eeg2").unwrap();
    let error = dataset.read(&golden("weibo2014.mat")).unwrap_err();
    assert!(matches!(error, ReadError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("pickled"), "{error}");
    let error = datasets::reader::read_recording(&golden("weibo2014.mat")).unwrap_err();
    assert!(error.to_string().contains("MAT file"), "{error}");
}
