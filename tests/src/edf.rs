//! Writes recordings as EDF+, so that simulated ones can take the way of real ones.

use acquisition::signal::Recording;
use std::fmt::Write as _;
use std::path::Path;

/// Bytes of a record's annotations.
const ANNOTATION_BYTES: usize = 120;

/// Writes records of one second; values to the nearest 0.1 uV within +-3276.7 uV, and
/// a last second that is not full is left out. `texts` renames markers.
pub fn write(path: &Path, recording: &Recording, texts: &[(&str, &str)]) {
    let rate = recording.info.rate.hz() as usize;
    let n_records = recording.n_samples() / rate;
    let mut bytes = header(recording, rate, n_records);
    for record in 0..n_records {
        for channel in recording.samples.rows() {
            for value in channel.iter().skip(record * rate).take(rate) {
                let digital = (value * 10.0).round_ties_even() as i16;
                bytes.extend_from_slice(&digital.to_le_bytes());
            }
        }
        let mut annotations = annotations(recording, record, texts).into_bytes();
        assert!(annotations.len() <= ANNOTATION_BYTES, "few markers a second");
        annotations.resize(ANNOTATION_BYTES, 0);
        bytes.extend(annotations);
    }
    std::fs::write(path, bytes).expect("a writable folder");
}

fn header(recording: &Recording, rate: usize, n_records: usize) -> Vec<u8> {
    let channels = &recording.info.channels;
    let n_signals = channels.len() + 1;
    let mut text = String::new();
    let fixed = [
        ("0", 8),
        ("X X X X", 80),
        ("Startdate 12-AUG-2009 X X X", 80),
        ("12.08.09", 8),
        ("16.15.00", 8),
        (&(256 * (n_signals + 1)).to_string(), 8),
        ("EDF+C", 44),
        (&n_records.to_string(), 8),
        ("1", 8),
        (&n_signals.to_string(), 4),
    ];
    for (value, width) in fixed {
        write!(text, "{value:<width$}").expect("writing into a string can't fail");
    }
    let per_record = (rate.to_string(), (ANNOTATION_BYTES / 2).to_string());
    let mut field = |width: usize, of_channel: &dyn Fn(usize) -> String, of_annotations: &str| {
        for c in 0..channels.len() {
            write!(text, "{:<width$}", of_channel(c)).expect("writing into a string can't fail");
        }
        write!(text, "{of_annotations:<width$}").expect("writing into a string can't fail");
    };
    field(16, &|c| channels[c].label.clone(), "EDF Annotations");
    field(80, &|_| String::new(), "");
    field(8, &|_| "uV".into(), "");
    field(8, &|_| "-3276.8".into(), "-1");
    field(8, &|_| "3276.7".into(), "1");
    field(8, &|_| "-32768".into(), "-32768");
    field(8, &|_| "32767".into(), "32767");
    field(80, &|_| String::new(), "");
    field(8, &|_| per_record.0.clone(), &per_record.1);
    field(32, &|_| String::new(), "");
    text.into_bytes()
}

/// The time-stamped annotation lists of one record.
fn annotations(recording: &Recording, record: usize, texts: &[(&str, &str)]) -> String {
    let mut list = format!("+{record}\x14\x14\0");
    let seconds = record as f64..(record + 1) as f64;
    for marker in recording.markers.iter().filter(|m| seconds.contains(&m.onset_secs)) {
        let text = marker.text.as_str();
        let text = texts.iter().find(|(from, _)| *from == text).map_or(text, |(_, to)| *to);
        write!(list, "+{}\x14{text}\x14\0", marker.onset_secs)
            .expect("writing into a string can't fail");
    }
    list
}
