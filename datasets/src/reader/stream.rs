//! What every reader of a continuous recording does the same way: name its stream, and
//! hand out its markers in step with its frames.

use super::{ReadError, StreamSummary};
use acquisition::marker::Marker;
use acquisition::signal::{Chunk, StreamInfo};
use acquisition::source::SourceError;
use std::io;
use std::path::Path;

/// Most markers kept of one file; those beyond are counted and reported.
pub(super) const MAX_MARKERS: usize = 200_000;

/// Most breaks between records kept of one file.
pub(super) const MAX_BREAKS: usize = 100_000;

/// Most seconds that gaps of one file may add up to: two days. A record that says it
/// begins later follows at once instead, which is reported; the records behind it are
/// in time again if it alone was wrong, and else as far off as their markers say.
pub(super) const MAX_MISSING_SECS: f64 = 48.0 * 3600.0;

/// Most indices of the fastest stream that gaps may add up to, because whoever reads a
/// recording by index reserves memory for those that are missing, too.
pub(super) const MAX_MISSING_SAMPLES: f64 = (1 << 27) as f64;

/// Whether gaps of one file may add up to `n_missing` frames at a rate, which may be no
/// sound one.
pub(super) fn is_bearable(n_missing: u64, rate_hz: f64) -> bool {
    let n = n_missing as f64;
    (0.0..=MAX_MISSING_SECS).contains(&(n / rate_hz)) && n <= MAX_MISSING_SAMPLES
}

/// The stream of a file: called like the file, MEG where a channel is in tesla.
pub(super) fn info(path: &Path, stream: &StreamSummary) -> StreamInfo {
    let is_meg = stream.channels.iter().any(|c| c.unit.symbol().starts_with("fT"));
    StreamInfo {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        kind: if is_meg { "MEG" } else { "EEG" }.to_owned(),
        source_id: String::new(),
        host: String::new(),
        rate: stream.rate_hz,
        channels: stream.channels.clone(),
        simulated: false,
    }
}

/// A failed read as the feed's error, with the file.
pub(super) fn failed(cause: io::Error, path: &Path) -> SourceError {
    SourceError::Read(Box::new(ReadError::Io { cause, path: path.into() }))
}

/// The markers of a recording in time order, and how many were handed out.
#[derive(Debug)]
pub(super) struct Markers {
    all: Vec<Marker>,
    n_given: usize,
}

impl Markers {
    pub fn new(all: Vec<Marker>) -> Self {
        Self { all, n_given: 0 }
    }

    /// Hands out those before the end of `chunk`; all that are left, where it is empty.
    pub fn give(&mut self, info: &StreamInfo, chunk: &Chunk, to: &mut Vec<Marker>) {
        let until_secs = if chunk.is_empty() { f64::INFINITY } else { info.rate.secs(chunk.end()) };
        let rest = &self.all[self.n_given..];
        let n = rest.partition_point(|m| m.onset_secs < until_secs);
        to.extend_from_slice(&rest[..n]);
        self.n_given += n;
    }
}
