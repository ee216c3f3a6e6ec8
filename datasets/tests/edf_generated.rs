//! EDF files made for the purpose: rates, gaps, units, every kind of damage, and any
//! mutation of a header.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

#[path = "support/edf_file.rs"]
mod edf_file;

use acquisition::signal::{Chunk, Unit};
use acquisition::source::Feed;
use datasets::reader::edf::EdfReader;
use datasets::reader::{ReadError, Reader, read_recording, summarize};
use edf_file::{EdfFile, EdfSignal};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// Bytes of the annotation signal's part of a record.
const ANNOTATION_BYTES: usize = 40;

fn signal(label: &str, n_per_record: usize) -> EdfSignal {
    let limits = ["-100", "100", "-1000", "1000"];
    EdfSignal { label: label.into(), dimension: "uV", limits, n_per_record }
}

/// Two EEG channels of 10 samples and one slow channel of 2 samples a record of one
/// second, and annotations; records begin at `onsets_secs`.
fn file(reserved: &'static str, onsets_secs: &[&str]) -> EdfFile {
    let mut slow = signal("Resp belt", 2);
    slow.dimension = "%";
    let notes = signal("EDF Annotations", ANNOTATION_BYTES / 2);
    let signals = vec![signal("EEG Fp1", 10), slow, signal("Fc5.", 10), notes];
    let records = onsets_secs.iter().enumerate().map(|(r, onset)| record(r, onset)).collect();
    let n_records = onsets_secs.len().to_string();
    EdfFile { reserved, n_records, record_secs: "1", signals, records }
}

/// Digital values count on: Fp1 0, 1, ...; the slow channel from 500; Fc5 from -1000.
fn record(r: usize, onset: &str) -> Vec<u8> {
    let ramp = |from: i16, n: usize| (0..n).map(move |i| from + (r * n + i) as i16);
    let samples = ramp(0, 10).chain(ramp(500, 2)).chain(ramp(-1000, 10));
    let mut bytes: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let end = bytes.len() + ANNOTATION_BYTES;
    bytes.extend(format!("+{onset}\x14\x14\0+{onset}\x150.5\x14T{r}\x14\0").bytes());
    bytes.resize(end, 0);
    bytes
}

fn on_disk(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Reads one stream in chunks of `capacity` frames: indices and samples of all frames.
fn frames(path: &Path, stream_idx: usize, capacity: usize) -> (Vec<u64>, Vec<f32>, Vec<f64>) {
    let mut reader = EdfReader::open_stream(path, stream_idx).unwrap();
    let mut chunk = Chunk::new(reader.info().n_channels(), capacity);
    let (mut indices, mut samples, mut markers) = (Vec::new(), Vec::new(), Vec::new());
    while reader.read(&mut chunk, &mut markers).unwrap() {
        indices.extend(chunk.first().0..chunk.end().0);
        samples.extend_from_slice(chunk.samples());
        let until_secs = reader.info().rate.secs(chunk.end());
        assert!(markers.iter().all(|m| m.onset_secs < until_secs));
    }
    (indices, samples, markers.iter().map(|m| m.onset_secs).collect())
}

#[test]
fn streams_are_grouped_by_rate_and_scaled() {
    let on_disk = on_disk(&file("EDF+C", &["0", "1", "2"]).bytes());
    let summary = summarize(on_disk.path()).unwrap();
    assert_eq!((summary.format.as_str(), summary.main_stream_idx), ("EDF+C", Some(0)));
    assert_eq!((summary.start.as_str(), summary.duration_secs), ("12.08.09 16.15.00", 3.0));
    let labels = |s: usize| -> Vec<_> {
        summary.streams[s].channels.iter().map(|c| c.label.as_str()).collect()
    };
    assert_eq!((labels(0), labels(1)), (vec!["Fp1", "Fc5"], vec!["Resp belt"]));
    assert_eq!(summary.streams[1].rate_hz.hz(), 2.0);
    assert_eq!(summary.findings, []);

    let recording = read_recording(on_disk.path()).unwrap();
    assert_eq!(recording.samples.dim(), (2, 30));
    // 200 physical units span 2000 digital ones, the minima meet.
    assert!((recording.samples[[0, 23]] - 2.3).abs() < 1e-6);
    assert_eq!(recording.samples[[1, 0]], -100.0);
    let onsets: Vec<_> =
        recording.markers.iter().map(|m| (m.onset_secs, m.text.as_str())).collect();
    assert_eq!(onsets, [(0.0, "T0"), (1.0, "T1"), (2.0, "T2")]);
    assert_eq!(recording.markers[0].duration_secs, 0.5);
    let slow = frames(on_disk.path(), 1, 100).1;
    assert!((slow[3] - 50.3).abs() < 1e-5, "{slow:?}");
}

#[test]
fn gaps_are_kept_in_discontinuous_files() {
    // Begins 0.25 s after the header's time; three seconds are missing, and a record
    // that would begin too early follows at once.
    let on_disk = on_disk(&file("EDF+D", &["0.25", "1.25", "5.25", "6.0", "7.25"]).bytes());
    let (indices, samples, markers) = frames(on_disk.path(), 0, 7);
    let expected: Vec<u64> = (0..20).chain(50..80).collect();
    assert_eq!((indices, samples.len()), (expected, 100));
    assert_eq!(markers, [0.0, 1.0, 5.0, 5.75, 7.0]);
    let reader = EdfReader::open(on_disk.path()).unwrap();
    assert_eq!(
        (reader.gaps().len(), reader.gaps()[0].at.0, reader.gaps()[0].n_missing),
        (1, 20, 30)
    );
    assert_eq!(reader.summary().duration_secs, 8.0);
    assert!(reader.findings()[0].what.starts_with("1 records begin before"));
    // The slow stream has the same gap in its own samples.
    assert_eq!(reader.summary().streams[1].gaps[0].n_missing, 6);

    let continuous = self::on_disk(&file("EDF+C", &["0", "1", "5"]).bytes());
    let reader = EdfReader::open(continuous.path()).unwrap();
    assert!(reader.gaps().is_empty());
    assert!(reader.findings()[0].what.contains("although the file says it is continuous"));
}

#[test]
fn gaps_beyond_two_days_are_not_believed() {
    let gaps_of = |onsets_secs: &[&str]| {
        let on_disk = on_disk(&file("EDF+D", onsets_secs).bytes());
        let recording = read_recording(on_disk.path()).unwrap();
        assert_eq!(recording.n_samples(), 10 * onsets_secs.len());
        let gaps: Vec<_> = recording.gaps.iter().map(|g| (g.at.0, g.n_missing)).collect();
        let findings: Vec<_> = recording.findings.into_iter().map(|f| f.what).collect();
        (gaps, findings)
    };
    // One stamp is nonsense: the records behind it are where they say.
    let (gaps, findings) = gaps_of(&["0", "1", "999999999", "3", "9"]);
    assert_eq!(gaps, [(40, 50)]);
    assert!(findings[0].starts_with("1 records begin after gaps of more than two days"));
    // Two days fit exactly; a second more, in two gaps, does not.
    assert_eq!(gaps_of(&["0", "172801"]), (vec![(10, 1_728_000)], vec![]));
    let (gaps, findings) = gaps_of(&["0", "172801", "172803"]);
    assert_eq!((gaps, findings.len()), (vec![(10, 1_728_000)], 1));
}

#[test]
fn gaps_of_fast_streams_are_bounded_by_samples() {
    // 10 samples in 0.1 ms: 100 kHz, of which 2^27 samples last 22 minutes.
    let gaps_of = |onset: &'static str| {
        let mut edf = file("EDF+D", &["0", onset]);
        edf.record_secs = "0.0001";
        read_recording(on_disk(&edf.bytes()).path()).unwrap().gaps.len()
    };
    assert_eq!((gaps_of("1300"), gaps_of("1400")), (1, 0));
}

#[test]
fn rates_that_are_no_recordings_are_refused() {
    let with = |record_secs: &'static str| {
        let mut edf = file("EDF+C", &["0"]);
        edf.record_secs = record_secs;
        on_disk(&edf.bytes())
    };
    let refused = |record_secs: &'static str| {
        let error = read_recording(with(record_secs).path()).unwrap_err();
        assert!(matches!(error, ReadError::BadHeader { .. }), "{error}");
        error.to_string()
    };
    // 10 samples a record.
    for record_secs in ["1e-9", "4.9e-5", "5e-324"] {
        assert!(refused(record_secs).contains("more than 200000 Hz"));
        assert!(summarize(with(record_secs).path()).is_err());
    }
    assert!(read_recording(with("5e-5").path()).is_ok());
    assert!(refused("99999999").contains("makes the main stream's rate 1.0e-7 Hz"));
    assert!(refused("101").contains("at least 0.1 Hz"));
    assert!(read_recording(with("100").path()).is_ok());
    // What is in such a file can still be told.
    assert_eq!(summarize(with("99999999").path()).unwrap().streams.len(), 2);
}

#[test]
fn physical_dimensions_become_microvolts() {
    for (dimension, factor, unit) in
        [("mV", 1e3, Unit::Microvolt), ("V", 1e6, Unit::Microvolt), ("mmHg", 1.0, Unit::Unknown)]
    {
        let mut edf = file("", &["0"]);
        edf.signals[0].dimension = dimension;
        let recording = read_recording(on_disk(&edf.bytes()).path()).unwrap();
        assert_eq!(recording.info.channels[0].unit, unit);
        let expected = 0.5 * factor as f32;
        assert!((recording.samples[[0, 5]] / expected - 1.0).abs() < 1e-6, "{dimension}");
    }
    // The micro sign in Latin-1 is one byte.
    let mut bytes = file("", &["0"]).bytes();
    let at = 256 + 4 * (16 + 80);
    bytes[at..at + 2].copy_from_slice(b"\xb5V");
    assert_eq!(
        read_recording(on_disk(&bytes).path()).unwrap().info.channels[0].unit,
        Unit::Microvolt
    );
}

/// The findings' texts of a file that is read in spite of its damage.
fn findings(bytes: &[u8], n_samples: usize) -> Vec<String> {
    let recording = read_recording(on_disk(bytes).path()).unwrap();
    assert_eq!(recording.n_samples(), n_samples);
    recording.findings.into_iter().map(|f| format!("{}: {}", f.place, f.what)).collect()
}

#[test]
fn damage_that_leaves_sound_samples_is_reported() {
    let sound = file("EDF+C", &["0", "1", "2"]);
    let claims = |n: &str| EdfFile { n_records: n.to_owned(), ..sound.clone() }.bytes();
    assert!(findings(&claims("-1"), 30)[0].contains("was left open while recording"));
    assert!(findings(&claims("99999999"), 30)[0].contains("is 99999999, but the file holds 3"));
    assert!(findings(&claims("2"), 30)[0].contains("is 2, but the file holds 3: all were read"));
    assert!(findings(&claims("x"), 30)[0].contains("no number"));

    let mut cut = sound.bytes();
    cut.truncate(cut.len() - 3);
    let found = findings(&cut, 20);
    assert!(found[0].contains("is 3, but the file holds 2") && found[1].contains("81 bytes after"));

    let mut edf = sound.clone();
    edf.signals[0].limits = ["7", "7", "0", "1"];
    edf.signals[2].limits = ["a", "b", "0", "1"];
    let recording = read_recording(on_disk(&edf.bytes()).path()).unwrap();
    assert_eq!(recording.findings.len(), 2);
    assert_eq!((recording.samples[[0, 4]], recording.samples[[1, 4]]), (4.0, -996.0));
    assert_eq!(recording.info.channels[0].unit, Unit::Unknown);

    let mut bytes = sound.bytes();
    bytes[184..192].copy_from_slice(b"512     ");
    assert!(findings(&bytes, 30)[0].contains("is 512, but the number of signals makes it 1280"));
    let mut bytes = sound.bytes();
    bytes[168..176].copy_from_slice(b"\x1b[2J.0.0");
    assert!(findings(&bytes, 30)[0].contains("\\u{1b}"), "escape sequences are spelled out");
}

#[test]
fn files_without_sound_samples_are_refused_with_the_reason() {
    let sound = file("EDF+C", &["0"]).bytes();
    let refused = |bytes: &[u8]| read_recording(on_disk(bytes).path()).unwrap_err();
    let patched = |at: usize, text: &[u8]| {
        let mut bytes = sound.clone();
        bytes[at..at + text.len()].copy_from_slice(text);
        refused(&bytes)
    };
    assert!(matches!(refused(b""), ReadError::UnknownFormat { .. }));
    assert!(
        matches!(refused(b"\x1b[31mnot EDF"), ReadError::UnknownFormat { begins, .. } if begins.starts_with("\\x1b"))
    );
    assert!(matches!(refused(&sound[..100]), ReadError::Truncated { part: "the header", .. }));
    assert!(matches!(
        refused(&sound[..700]),
        ReadError::Truncated { part: "the signals' headers", .. }
    ));
    assert!(matches!(refused(&sound[..1280]), ReadError::NoData { .. }));
    assert!(matches!(
        refused(&sound[..1300]),
        ReadError::Truncated { part: "the first data record", .. }
    ));
    assert!(matches!(patched(184, b"12x4    "), ReadError::BadHeader { .. }));
    assert!(matches!(patched(252, b"9999"), ReadError::BadHeader { .. }));
    assert!(matches!(patched(252, b"0   "), ReadError::BadHeader { .. }));
    assert!(matches!(patched(244, b"0       "), ReadError::BadHeader { .. }));
    assert!(matches!(patched(244, b"nan     "), ReadError::BadHeader { .. }));
    // A signal that claims a hundred million samples a record.
    let samples_at = 256 + 4 * (16 + 80 + 5 * 8 + 80);
    assert!(matches!(patched(samples_at, b"99999999"), ReadError::Truncated { .. }));
    assert!(matches!(patched(samples_at, b"-1      "), ReadError::BadHeader { .. }));

    let mut notes = file("EDF+C", &["0"]);
    notes.signals = vec![signal("EDF Annotations", 42)];
    let notes = on_disk(&notes.bytes());
    assert!(matches!(EdfReader::open(notes.path()), Err(ReadError::NoSignals { .. })));
    assert_eq!(summarize(notes.path()).unwrap().streams, []);
    let message = read_recording(Path::new("/nowhere/at all.edf")).unwrap_err().to_string();
    assert!(message.starts_with("can't read: ") && message.ends_with(": /nowhere/at all.edf"));
}

#[test]
fn line_feeds_that_became_two_bytes_are_recognised() {
    let mut edf = file("EDF+C", &["0", "1", "2", "3"]);
    // The value 10 in each record's Fp1, 16 times.
    for record in &mut edf.records {
        record[..10].copy_from_slice(&[10, 0, 10, 0, 10, 0, 10, 0, 10, 0]);
    }
    let bytes = edf.bytes();
    let converted: Vec<u8> =
        bytes.iter().flat_map(|&b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] }).collect();
    let n = converted.len() - bytes.len();
    let error = read_recording(on_disk(&converted).path()).unwrap_err();
    assert!(
        matches!(error, ReadError::LineEndings { n_line_feeds, first_at: 1280, .. } if n_line_feeds == n as u64),
        "{error}"
    );
    assert_eq!(read_recording(on_disk(&bytes).path()).unwrap().n_samples(), 40);
}

/// Reads all streams of whatever is there; a refusal is as good as an end.
fn read_everything(path: &Path) -> usize {
    let Ok(summary) = summarize(path) else { return 0 };
    let mut n_frames = 0;
    for stream_idx in 0..summary.streams.len() {
        let mut reader = EdfReader::open_stream(path, stream_idx).unwrap();
        let mut chunk = Chunk::new(reader.info().n_channels(), 64);
        let mut next = 0;
        while reader.read(&mut chunk, &mut Vec::new()).unwrap() {
            assert!(chunk.first().0 >= next, "indices ascend");
            next = chunk.end().0;
            n_frames += chunk.n_frames();
        }
    }
    n_frames
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// No mutation of the header or the annotations, and no truncation, makes the
    /// reader panic, hang, or hand out more frames than the file has bytes.
    #[test]
    fn no_mutation_does_harm(
        changes in proptest::collection::vec((0..1280_usize + 400, any::<u8>()), 0..12),
        digits in proptest::collection::vec((168..1272_usize, "[0-9.+-]{1,8}"), 0..2),
        keep in 0..2000_usize,
    ) {
        let mut bytes = file("EDF+D", &["0", "1", "3", "4", "9"]).bytes();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        for (at, text) in digits {
            bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        // Half of the cases keep all of the file.
        bytes.truncate(if keep < 1000 { bytes.len() } else { keep });
        prop_assert!(read_everything(on_disk(&bytes).path()) <= bytes.len());
    }

    /// Numbers in header fields, of any size.
    #[test]
    fn no_number_does_harm(
        field in prop::sample::select(vec![(184, 8), (236, 8), (244, 8), (252, 4), (672, 8), (1120, 8), (1128, 8), (1144, 8)]),
        text in "[-+]?[0-9]{1,8}(e[0-9]{1,3})?",
    ) {
        let mut bytes = file("EDF+C", &["0", "1"]).bytes();
        let (at, width) = field;
        let text = format!("{text:8}");
        bytes[at..at + width].copy_from_slice(&text.as_bytes()[..width]);
        prop_assert!(read_everything(on_disk(&bytes).path()) <= bytes.len());
    }

    /// Whatever the chunks' capacity, the frames are the same.
    #[test]
    fn any_chunking_reads_the_same(capacity in 1..200_usize, stream_idx in 0..2_usize) {
        let on_disk = on_disk(&file("EDF+D", &["0", "1", "3", "4", "9"]).bytes());
        prop_assert_eq!(frames(on_disk.path(), stream_idx, capacity), frames(on_disk.path(), stream_idx, 1));
    }
}
