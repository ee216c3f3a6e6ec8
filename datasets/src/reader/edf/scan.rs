//! The first pass over an EDF file: its annotations, and when each record begins.
//! It reads the annotation signals alone and keeps what is bounded: at most
//! [`MAX_MARKERS`] markers and [`MAX_BREAKS`] breaks, which together skip at most
//! [`MAX_MISSING_SECS`] seconds and [`MAX_MISSING_SAMPLES`] indices.

use super::annotations::tals;
use super::header::{AnnotationSignal, Continuity, Header};
use crate::reader::ReadError;
use crate::reader::stream::{MAX_BREAKS, MAX_MARKERS, MAX_MISSING_SAMPLES, MAX_MISSING_SECS};
use acquisition::marker::Marker;
use acquisition::signal::Finding;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// A record of an `EDF+D` file that does not follow its predecessor at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Break {
    /// The record.
    pub record: u64,
    /// When it begins, in seconds from the first record.
    pub onset_secs: f64,
}

/// What the annotation signals say.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Markers in time order, in seconds from the first sample.
    pub markers: Vec<Marker>,
    /// Breaks in order.
    pub breaks: Vec<Break>,
}

/// Reads the annotation signals of all records.
pub fn scan(
    file: &mut (impl Read + Seek),
    header: &Header,
    path: &Path,
    findings: &mut Vec<Finding>,
) -> Result<Scan, ReadError> {
    let mut scanner = Scanner::new(header);
    let io = |cause| ReadError::Io { cause, path: path.into() };
    let mut bytes = Vec::new();
    for record in 0..header.n_records {
        for (i, signal) in header.annotations.iter().enumerate() {
            let at = header.data_start + record * header.record_bytes + signal.offset_bytes;
            file.seek(SeekFrom::Start(at)).map_err(io)?;
            read_signal(file, signal, &mut bytes).map_err(io)?;
            scanner.take(record, i == 0, &bytes);
        }
    }
    scanner.finish(findings);
    Ok(scanner.scan)
}

/// One record of an annotation signal, which is as long as the file at most.
fn read_signal(
    file: &mut impl Read,
    signal: &AnnotationSignal,
    bytes: &mut Vec<u8>,
) -> std::io::Result<()> {
    bytes.resize(signal.n_bytes, 0);
    file.read_exact(bytes)
}

/// Counts of one kind of damage, and where it was first seen.
#[derive(Clone, Copy, Debug, Default)]
struct Damage {
    n: u64,
    first_record: u64,
}

impl Damage {
    fn add(&mut self, record: u64) {
        if self.n == 0 {
            self.first_record = record;
        }
        self.n += 1;
    }
}

struct Scanner {
    scan: Scan,
    continuity: Continuity,
    record_secs: f64,
    tolerance_secs: f64,
    /// Seconds that gaps may add up to.
    most_missing_secs: f64,
    /// When the first record begins, in seconds from the header's start time.
    origin_secs: Option<f64>,
    /// The last record that does not follow from its predecessor.
    base: Break,
    unreadable: Damage,
    dropped: Damage,
    timeless: Damage,
    backward: Damage,
    far: Damage,
    jumps: Damage,
}

impl Scanner {
    fn new(header: &Header) -> Self {
        let most = header.signals.iter().map(|s| s.n_per_record).max().unwrap_or(1);
        Self {
            scan: Scan::default(),
            continuity: header.continuity,
            record_secs: header.record_secs,
            // Onsets are decimal: less than half a sample is rounding, not a gap.
            tolerance_secs: 0.5 * header.record_secs / most as f64,
            most_missing_secs: MAX_MISSING_SECS
                .min(MAX_MISSING_SAMPLES * header.record_secs / most as f64),
            origin_secs: None,
            base: Break { record: 0, onset_secs: 0.0 },
            unreadable: Damage::default(),
            dropped: Damage::default(),
            timeless: Damage::default(),
            backward: Damage::default(),
            far: Damage::default(),
            jumps: Damage::default(),
        }
    }

    /// One record of one annotation signal; the first signal keeps the time.
    fn take(&mut self, record: u64, keeps_time: bool, bytes: &[u8]) {
        let mut is_first = keeps_time && self.continuity != Continuity::Plain;
        for tal in tals(bytes) {
            let Some(tal) = tal else {
                self.unreadable.add(record);
                continue;
            };
            if is_first {
                self.begin_record(record, tal.onset_secs);
                is_first = false;
            }
            for mut marker in tal.markers() {
                marker.onset_secs -= self.origin_secs.unwrap_or(0.0);
                self.keep(record, marker);
            }
        }
        if is_first {
            self.timeless.add(record);
        }
    }

    fn keep(&mut self, record: u64, marker: Marker) {
        if self.scan.markers.len() < MAX_MARKERS {
            self.scan.markers.push(marker);
        } else {
            self.dropped.add(record);
        }
    }

    /// Compares when a record begins with when it should.
    fn begin_record(&mut self, record: u64, onset_secs: f64) {
        let onset_secs = onset_secs - *self.origin_secs.get_or_insert(onset_secs);
        let n_since = (record - self.base.record) as f64;
        let late_secs = onset_secs - (self.base.onset_secs + n_since * self.record_secs);
        if late_secs.abs() <= self.tolerance_secs {
            return;
        }
        if self.continuity == Continuity::Continuous {
            self.jumps.add(record);
        } else if late_secs < 0.0 || self.scan.breaks.len() == MAX_BREAKS {
            self.backward.add(record);
        } else if onset_secs - record as f64 * self.record_secs > self.most_missing_secs {
            self.far.add(record);
        } else {
            self.base = Break { record, onset_secs };
            self.scan.breaks.push(self.base);
        }
    }

    /// Sorts the markers and reports the damage.
    fn finish(&mut self, findings: &mut Vec<Finding>) {
        self.scan.markers.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
        let kinds = [
            (self.unreadable, "annotation lists can't be understood: left out"),
            (self.dropped, "annotations are more than can be kept: left out"),
            (self.timeless, "records don't say when they begin: taken to follow at once"),
            (
                self.backward,
                "records begin before their predecessor ends, or are too many to tell apart: taken to follow at once",
            ),
            (
                self.far,
                "records begin after gaps of more than two days, or of more samples than can be counted: taken to follow at once",
            ),
            (
                self.jumps,
                "records don't follow at once although the file says it is continuous: taken to follow at once",
            ),
        ];
        for (damage, what) in kinds.into_iter().filter(|(damage, _)| damage.n > 0) {
            let place = format!("record {}", damage.first_record);
            findings.push(Finding { place, what: format!("{} {what}", damage.n) });
        }
    }
}
