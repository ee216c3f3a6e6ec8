//! Tables of samples and trials as text: values as NumPy reads them
//! (`tests/reference/table_golden.py`), gaps and damage in files written here.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

#[path = "support/data.rs"]
mod data;

use self::data::data_dir;
use datasets::reader::ts::read_trials;
use datasets::reader::{ReadError, read_recording};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;

/// Our samples are rounded to single precision (6e-8), theirs are doubles.
const RELATIVE: f64 = 1e-6;

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/table.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// One channel's checksum against its golden value.
fn check_channel(ours: impl Iterator<Item = f64>, golden: &Value, what: &str) {
    let weighted: f64 = ours.enumerate().map(|(i, x)| x * (i % 997 + 1) as f64).sum();
    let number = |key: &str| golden[key].as_f64().unwrap();
    let difference = (weighted - number("weighted")).abs();
    assert!(difference <= RELATIVE * number("scale"), "{what}: off by {difference}");
}

#[test]
fn a_headbands_tables_are_those_of_numpy() {
    let Some(dir) = data_dir("erp_muse_lsl") else { return };
    for (name, golden) in golden()["tables"].as_object().unwrap() {
        let recording = read_recording(&dir.join(name)).unwrap();
        let labels: Vec<_> = recording.info.channels.iter().map(|c| c.label.clone()).collect();
        assert_eq!(serde_json::to_value(labels).unwrap(), golden["labels"], "{name}");
        assert_eq!(recording.info.rate.hz(), golden["rate_hz"].as_f64().unwrap(), "{name}");
        assert_eq!(recording.gaps, [], "{name}");
        for (row, channel) in
            recording.samples.rows().into_iter().zip(golden["channels"].as_array().unwrap())
        {
            assert_eq!(row.len() as u64, channel["n_samples"].as_u64().unwrap());
            check_channel(row.iter().map(|x| f64::from(*x)), channel, name);
        }
        let markers = golden["markers"].as_array().unwrap();
        assert_eq!(recording.markers.len(), markers.len(), "{name}");
        for (ours, theirs) in recording.markers.iter().zip(markers) {
            let row = theirs[0].as_f64().unwrap();
            assert_eq!(ours.onset_secs, row / recording.info.rate.hz(), "{name}");
            assert_eq!(ours.text.as_str(), theirs[1].to_string(), "{name}");
        }
    }
}

#[test]
fn trials_are_those_of_numpy() {
    let Some(dir) = data_dir("erp_muse_lsl") else { return };
    for (name, golden) in golden()["trials"].as_object().unwrap() {
        let trials = read_trials(&dir.join(name)).unwrap();
        let samples = trials.epochs.samples();
        let shape = serde_json::to_value(<[usize; 3]>::from(samples.dim())).unwrap();
        assert_eq!(shape, golden["shape"], "{name}");
        assert_eq!(serde_json::to_value(&trials.classes).unwrap(), golden["classes"], "{name}");
        let labels: Vec<_> = trials.epochs.labels().iter().map(|l| l.0).collect();
        assert_eq!(serde_json::to_value(labels).unwrap(), golden["labels"], "{name}");
        for (c, channel) in golden["channels"].as_array().unwrap().iter().enumerate() {
            let of_channel = samples.outer_iter().flat_map(|trial| trial.row(c).to_vec());
            check_channel(of_channel.collect::<Vec<_>>().into_iter(), channel, name);
        }
    }
}

fn write(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// A table at 250 Hz of rows 0 to 99 and 150 to 199, one of them spoilt.
fn small_table() -> String {
    let line = |row: i32| {
        let marker = if row == 160 { "go" } else { "" };
        let second = if row == 7 { "x".to_owned() } else { format!("{}", -row) };
        format!("{:.3},{row},{second},{marker}", 12.0 + f64::from(row) / 250.0)
    };
    let rows: Vec<_> = (0..100).chain(150..200).map(line).collect();
    format!("time,C3,C4,marker\r\n{}\r\n13.0,not a row\r\n", rows.join("\r\n"))
}

#[test]
fn stamps_tell_rate_and_gaps() {
    let (_dir, path) = write("a.csv", small_table().as_bytes());
    let recording = read_recording(&path).unwrap();
    assert_eq!(recording.info.rate.hz(), 250.0);
    let gaps: Vec<_> = recording.gaps.iter().map(|g| (g.at.0, g.n_missing)).collect();
    assert_eq!(gaps, [(100, 50)]);
    assert_eq!(recording.samples.ncols(), 150);
    assert!(recording.samples[(1, 7)].is_nan());
    let markers: Vec<_> =
        recording.markers.iter().map(|m| (m.onset_secs, m.text.as_str())).collect();
    assert_eq!(markers, [(160.0 / 250.0, "go")]);
    assert_eq!(recording.findings.len(), 1);
}

#[test]
fn a_cut_archive_gives_the_rows_before_the_cut() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(small_table().as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    let (_dir, path) = write("a.csv.gz", &bytes[..bytes.len() / 2]);
    let recording = read_recording(&path).unwrap();
    assert!((20..100).contains(&recording.samples.ncols()));
    assert!(recording.findings.iter().any(|f| f.what.contains("rows before are kept")));
}

#[test]
fn what_is_no_trial_is_refused_with_its_line() {
    let head = "@classLabel true a b\n@data\n";
    for (line, word) in [
        ("1,2:3,4", "class"),
        ("1,x:3,4:a", "sample"),
        ("1,2:3:a", "samples"),
        ("1,2:3,4:c", "names"),
    ] {
        let (_dir, path) = write("a.ts", format!("{head}1,2:3,4:b\n{line}\n").as_bytes());
        let error = read_trials(&path).unwrap_err();
        assert!(matches!(error, ReadError::BadHeader { .. }), "{error}");
        assert!(error.to_string().contains("line 4"), "{word}: {error}");
    }
    let (_dir, path) = write("a.ts", head.as_bytes());
    assert!(matches!(read_trials(&path), Err(ReadError::NoData { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = small_table().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        bytes.truncate(cut.index(bytes.len()).max(30));
        let (_dir, path) = write("a.csv", &bytes);
        let _outcome = read_recording(&path).map(|r| r.samples.len());
        let _outcome = read_trials(&path).map(|t| t.epochs.len());
    }
}
