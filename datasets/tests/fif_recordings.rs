//! FIF files: values as MNE reads them (`tests/reference/fif_golden.py`), gaps and damage
//! in files written here.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

#[path = "support/data.rs"]
mod data;

use self::data::data_dir;
use acquisition::signal::ChannelKind;
use datasets::reader::{ReadError, open_stream, read_recording, summarize};
use proptest::prelude::*;
use serde_json::Value;
use std::path::PathBuf;

/// Our samples are rounded to single precision (6e-8), theirs are doubles.
const RELATIVE: f64 = 1e-6;

fn close(ours: f64, theirs: f64, scale: f64, what: &str) {
    assert!((ours - theirs).abs() <= RELATIVE * scale, "{what}: {ours} is not {theirs}");
}

#[test]
fn samples_and_events_are_those_of_mne() {
    let Some(dir) = data_dir("ssvep_exoskeleton") else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/fif.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (name, golden) in golden["files"].as_object().unwrap() {
        let recording = read_recording(&dir.join(name)).unwrap();
        assert_eq!(recording.info.n_channels() as u64, golden["n_channels"].as_u64().unwrap());
        close(recording.info.rate.hz(), golden["rate_hz"].as_f64().unwrap(), 1e3, name);
        let labels = golden["labels"].as_array().unwrap();
        for (channel, label) in golden["channels"].as_array().unwrap().iter().zip(labels) {
            let c = channel["signal"].as_u64().unwrap() as usize;
            assert_eq!(recording.info.channels[c].label, label.as_str().unwrap(), "{name}");
            let ours = recording.samples.row(c);
            let number = |key: &str| channel[key].as_f64().unwrap();
            assert_eq!(ours.len() as u64, channel["n_samples"].as_u64().unwrap(), "{name}");
            let weighted =
                ours.iter().enumerate().map(|(i, &x)| f64::from(x) * (i % 997 + 1) as f64);
            close(weighted.sum(), number("weighted"), number("scale"), name);
            let ends = [("first", 0), ("last", ours.len() - 3)];
            for (key, from) in ends {
                for (k, theirs) in channel[key].as_array().unwrap().iter().enumerate() {
                    let theirs = theirs.as_f64().unwrap();
                    close(f64::from(ours[from + k]), theirs, theirs.abs() + 1e-6, name);
                }
            }
        }
        let events = golden["events"].as_array().unwrap();
        assert_eq!(recording.markers.len(), events.len(), "{name}");
        for (marker, event) in recording.markers.iter().zip(events) {
            close(marker.onset_secs, event[0].as_f64().unwrap(), 1.0, name);
            assert_eq!(marker.text.as_str(), event[1].to_string(), "{name}");
        }
    }
}

#[test]
fn an_elekta_file_has_its_sensors_kinds_and_units() {
    let Some(dir) = data_dir("ssvep_exoskeleton") else { return };
    let summary = summarize(&dir.join("formats/meg-fif/141027_cropped_90Hz_raw.fif")).unwrap();
    let count = |kind| summary.streams[0].channels.iter().filter(|c| c.kind == kind).count();
    assert_eq!((count(ChannelKind::MegGrad), count(ChannelKind::MegMag)), (204, 102));
    assert!(summary.streams[0].channels.iter().all(|c| c.position_m.is_some()));
}

/// A file made of tags.
#[derive(Default)]
struct Tags(Vec<u8>);

impl Tags {
    fn tag(&mut self, kind: i32, encoding: i32, data: &[u8]) -> &mut Self {
        for word in [kind, encoding, data.len() as i32, 0] {
            self.0.extend(word.to_be_bytes());
        }
        self.0.extend(data);
        self
    }

    fn int(&mut self, kind: i32, value: i32) -> &mut Self {
        self.tag(kind, 3, &value.to_be_bytes())
    }

    fn channel(&mut self, name: &str) -> &mut Self {
        let mut data = vec![0; 96];
        let mut put = |at: usize, bytes: [u8; 4]| data[at..at + 4].copy_from_slice(&bytes);
        put(8, 2_i32.to_be_bytes());
        put(12, 1_f32.to_be_bytes());
        put(16, 1e-6_f32.to_be_bytes());
        put(72, 107_i32.to_be_bytes());
        data[80..80 + name.len()].copy_from_slice(name.as_bytes());
        self.tag(203, 30, &data)
    }

    fn buffer(&mut self, samples: &[i16]) -> &mut Self {
        let data: Vec<u8> = samples.iter().flat_map(|s| s.to_be_bytes()).collect();
        self.tag(300, 16, &data)
    }
}

/// Two channels at 100 Hz, three buffers, two of them apart.
fn small_file() -> Vec<u8> {
    let mut tags = Tags::default();
    tags.tag(100, 31, &[0; 20]).int(104, 100).int(104, 101).int(200, 2);
    tags.tag(201, 4, &100_f32.to_be_bytes()).channel("C3").channel("C4").int(105, 101);
    tags.int(104, 102).int(208, 1000).int(301, 1).buffer(&[1, 2, 3, 4]);
    tags.int(301, 2).buffer(&[5, 6, 7, 8]).int(303, 3).buffer(&[9, 10]);
    tags.int(105, 102).int(105, 100);
    tags.0
}

fn write(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("small_raw.fif");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

#[test]
fn what_was_skipped_is_a_gap() {
    let (dir, path) = write(&small_file());
    let mut list = Tags::default();
    list.tag(100, 31, &[0; 20]);
    let events = [1012_i32, 0, 7, 1002, 0, 5];
    list.tag(3561, 3, &events.iter().flat_map(|e| e.to_be_bytes()).collect::<Vec<_>>());
    std::fs::write(dir.path().join("small-eve.fif"), &list.0).unwrap();
    let recording = read_recording(&path).unwrap();
    assert_eq!(recording.samples.row(0).to_vec(), [1.0, 3.0, 5.0, 7.0, 9.0]);
    let gaps: Vec<_> = recording.gaps.iter().map(|g| (g.at.0, g.n_missing)).collect();
    assert_eq!(gaps, [(2, 4), (8, 3)]);
    // One buffer of two frames was skipped before the first: sample 1002 is index 0.
    let markers: Vec<_> =
        recording.markers.iter().map(|m| (m.onset_secs, m.text.as_str())).collect();
    assert_eq!(markers, [(0.0, "5"), (0.1, "7")]);
    assert!(recording.findings.is_empty());
}

#[test]
fn a_cut_file_gives_what_stands_before_the_cut() {
    let whole = small_file();
    let (_dir, path) = write(&whole[..whole.len() - 84]);
    let recording = read_recording(&path).unwrap();
    // The second of three buffers lost its second half: one frame of it is whole.
    assert_eq!(recording.samples.row(1).to_vec(), [2.0, 4.0, 6.0]);
    assert_eq!(recording.findings.len(), 1);
    let (_dir, path) = write(&whole[..300]);
    assert!(matches!(read_recording(&path), Err(ReadError::NoData { .. })));
}

#[test]
fn the_second_stream_does_not_exist() {
    let (_dir, path) = write(&small_file());
    assert!(matches!(open_stream(&path, 1), Err(ReadError::NoSuchStream { n_streams: 1, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_never_panics(at in 0_usize..800, byte in any::<u8>(), cut in 0_usize..900) {
        let mut bytes = small_file();
        let n_bytes = bytes.len();
        bytes[at % n_bytes] = byte;
        bytes.truncate(cut.max(20));
        let (_dir, path) = write(&bytes);
        if let Ok(recording) = read_recording(&path) {
            prop_assert!(recording.samples.len() * 2 <= n_bytes);
        }
    }
}
