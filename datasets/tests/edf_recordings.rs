//! Real EDF and BDF files: values as pyEDFlib and MNE read them
//! (`tests/reference/edf_golden.py`), and every file there is, sound or damaged.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

#[path = "support/data.rs"]
mod data;

use self::data::data_dir;
use acquisition::marker::Marker;
use acquisition::signal::Chunk;
use acquisition::text::InlineText;
use datasets::reader::{ReadError, RecordingSummary, open_stream, read_recording, summarize};
use ndarray::{Array2, ArrayView1};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Our samples are rounded to single precision (6e-8), theirs are doubles.
const RELATIVE: f64 = 1e-6;
/// Microvolts: values near zero differ by the order of additions, far below any
/// converter's step.
const ABSOLUTE: f64 = 1e-7;

/// All samples `(n_channels, n_samples)` and markers of one stream.
fn read_stream(path: &Path, stream_idx: usize) -> (Array2<f32>, Vec<Marker>) {
    let mut reader = open_stream(path, stream_idx).unwrap();
    let n_channels = reader.info().n_channels();
    let mut samples = Array2::zeros((n_channels, reader.n_samples() as usize));
    let (mut chunk, mut markers, mut n) = (Chunk::new(n_channels, 999), Vec::new(), 0);
    while reader.read(&mut chunk, &mut markers).unwrap() {
        for frame in chunk.samples().chunks_exact(n_channels) {
            samples.column_mut(n).assign(&ArrayView1::from(frame));
            n += 1;
        }
    }
    assert_eq!(n, samples.ncols());
    (samples, markers)
}

fn close(ours: f64, theirs: f64, scale: f64, what: &str) {
    let difference = (ours - theirs).abs();
    assert!(difference <= RELATIVE * scale + ABSOLUTE, "{what}: {ours} is not {theirs}");
}

/// One channel against its golden values.
fn check_channel(ours: &ArrayView1<f32>, golden: &Value, what: &str) {
    assert_eq!(ours.len() as u64, golden["n_samples"].as_u64().unwrap(), "{what}");
    let number = |name: &str| golden[name].as_f64().unwrap();
    let weighted = |f: fn(f64) -> f64| -> f64 {
        ours.iter().enumerate().map(|(i, &x)| f(f64::from(x)) * (i % 997 + 1) as f64).sum()
    };
    close(weighted(|x| x), number("weighted"), number("scale"), what);
    close(weighted(f64::abs), number("scale"), number("scale"), what);
    close(ours.iter().map(|&x| f64::from(x)).sum(), number("sum"), number("scale"), what);
    let at = |name: &str, offset: usize| {
        for (i, theirs) in golden[name].as_array().unwrap().iter().enumerate() {
            let theirs = theirs.as_f64().unwrap();
            close(f64::from(ours[offset + i]), theirs, theirs.abs(), what);
        }
    };
    at("first", 0);
    at("last", ours.len() - 3);
}

/// The stream and channel of golden channel `c`: files with several rates list all
/// of their signals, others may skip some.
fn place(summary: &RecordingSummary, channels: &[Value], c: usize) -> (usize, usize) {
    let rate_hz = |c: usize| channels[c]["rate_hz"].as_f64().unwrap();
    if summary.streams.len() == 1 {
        return (0, channels[c]["signal"].as_u64().unwrap() as usize);
    }
    let is_it = |hz: f64| (hz / rate_hz(c) - 1.0).abs() < 1e-9;
    let stream_idx = summary.streams.iter().position(|s| is_it(s.rate_hz.hz())).unwrap();
    (stream_idx, (0..c).filter(|&other| is_it(rate_hz(other))).count())
}

fn check_annotations(markers: &[Marker], golden: &Value, name: &str) {
    let mut ours: Vec<_> = markers
        .iter()
        .map(|m| (m.onset_secs, m.duration_secs, m.text.as_str().to_owned()))
        .collect();
    let mut theirs: Vec<_> = golden
        .as_array()
        .unwrap()
        .iter()
        .map(|a| {
            let text = InlineText::new(a[2].as_str().unwrap()).as_str().to_owned();
            (a[0].as_f64().unwrap(), a[1].as_f64().unwrap(), text)
        })
        .collect();
    let key = |a: &(f64, f64, String), b: &(f64, f64, String)| {
        a.0.total_cmp(&b.0).then_with(|| a.2.cmp(&b.2))
    };
    ours.sort_by(key);
    theirs.sort_by(key);
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (our, their) in ours.iter().zip(&theirs) {
        // pyEDFlib counts in steps of 100 ns.
        let same = (our.0 - their.0).abs() < 2e-7 && (our.1 - their.1).abs() < 2e-7;
        assert!(same && our.2 == their.2, "{name}: {our:?} is not {their:?}");
    }
}

#[test]
fn values_and_annotations_are_those_of_pyedflib_and_mne() {
    let Some(data_dir) = data_dir("eegmmidb") else { return };
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/edf.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
    let files = golden["files"].as_object().unwrap();
    assert!(files.len() > 25);
    for (name, file) in files {
        let path = data_dir.join(name);
        let summary = summarize(&path).unwrap();
        let streams: Vec<_> = (0..summary.streams.len()).map(|s| read_stream(&path, s)).collect();
        let channels = file["channels"].as_array().unwrap();
        for c in 0..channels.len() {
            let (stream_idx, channel) = place(&summary, channels, c);
            let what = format!("{name} signal {}", channels[c]["signal"]);
            check_channel(&streams[stream_idx].0.row(channel), &channels[c], &what);
        }
        for (_, markers) in &streams {
            check_annotations(markers, &file["annotations"], name);
        }
        assert_eq!(summary.n_annotations, file["annotations"].as_array().unwrap().len(), "{name}");
        if let Some(expected) = file["sha256_f32"].as_str() {
            assert_eq!(sha256_of(&streams[0].0), expected, "{name}");
        }
    }
}

/// SHA-256 of the samples, channel after channel, as little-endian bytes.
fn sha256_of(samples: &Array2<f32>) -> String {
    let mut digest = Sha256::new();
    for value in samples {
        digest.update(value.to_le_bytes());
    }
    digest.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// All EDF and BDF files below a folder.
fn files_below(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        if path.is_dir() {
            files_below(&path, files);
        } else if extension == "edf" || extension == "bdf" {
            files.push(path);
        }
    }
}

#[test]
fn every_file_is_read_or_refused_with_a_reason() {
    let Some(data_dir) = data_dir("eegmmidb") else { return };
    let mut files = Vec::new();
    files_below(&data_dir, &mut files);
    assert!(files.len() > 60, "{} files", files.len());
    let mut refused = Vec::new();
    for path in &files {
        match read_recording(path) {
            Ok(recording) => {
                assert!(recording.n_samples() > 0, "{}", path.display());
                assert!(recording.samples.iter().all(|x| x.is_finite()), "{}", path.display());
            }
            Err(error) => refused.push((path.file_name().unwrap().to_string_lossy(), error)),
        }
    }
    refused.sort_by(|a, b| a.0.cmp(&b.0));
    let reason = |name: &str| &refused.iter().find(|(file, _)| file == name).unwrap().1;
    assert!(matches!(reason("SC4001EC-Hypnogram.edf"), ReadError::NoSignals { .. }));
    assert!(matches!(reason("SC4001EC-Hypnogram.bdf"), ReadError::NoSignals { .. }));
    assert!(matches!(reason("zero-data-records.edf"), ReadError::NoData { .. }));
    assert!(matches!(reason("invalid-date.edf"), ReadError::NoData { .. }));
    assert!(matches!(
        reason("eegmmidb_S001R04_crlf_damaged.edf"),
        ReadError::LineEndings { n_line_feeds: 10853, .. }
    ));
    assert_eq!(refused.len(), 5, "{refused:?}");
}

#[test]
fn eegmmidb_is_as_described() {
    let Some(data_dir) = data_dir("eegmmidb") else { return };
    let dataset = datasets::catalog::Dataset::find("physionet-mi").unwrap();
    let path = dataset.locate(&data_dir, &dataset.file(1, 4).unwrap()).unwrap();
    let recording = read_recording(&path).unwrap();
    assert_eq!(recording.info.n_channels(), dataset.n_channels);
    assert_eq!(recording.info.brain_channels().len(), dataset.n_channels);
    assert_eq!(recording.info.rate.hz(), dataset.rate_hz);
    let labels: Vec<_> = recording.info.channels.iter().map(|c| c.label.as_str()).collect();
    assert_eq!(labels, dataset.channels);
    assert_eq!((recording.findings.len(), recording.gaps.len()), (0, 0));
    let classes = ["left_hand", "right_hand"].map(str::to_owned);
    let imagined = datasets::catalog::Execution::Imagined;
    let runs = dataset.runs_for(1, &classes, imagined).unwrap();
    let cues = runs[0].markers(&classes).cues(&recording.markers);
    assert_eq!((cues.len(), cues[0].onset_secs, cues[0].class.0), (15, 4.2, 2));
    // Rest with open eyes fills its run of 61 s, so that tasks of 4 s lie end to end in it.
    let classes = ["eyes_closed", "eyes_open"].map(str::to_owned);
    let runs = dataset.runs_for(1, &classes, imagined).unwrap();
    assert_eq!(runs.iter().map(|run| run.file.run).collect::<Vec<_>>(), [1, 2]);
    let path = dataset.locate(&data_dir, &runs[0].file).unwrap();
    let cues = runs[0].cues(&read_recording(&path).unwrap(), &classes, dataset.task_interval_secs);
    assert!(cues.iter().all(|cue| cue.class.0 == 2));
    assert_eq!((cues.len(), cues[0].onset_secs, cues[15].onset_secs), (16, 0.0, 60.0));
    // Every file here is the one PhysioNet published.
    for line in std::fs::read_to_string(data_dir.join("eegmmidb/SHA256SUMS")).unwrap().lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(dataset.checksum(name), Some(sum));
    }
}
