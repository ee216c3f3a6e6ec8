//! Events beside a recording: `NAME-eve.fif` for `NAME_raw.fif` or `NAME-raw.fif`, a list
//! of sample number, value before and value after.

use super::tag::{Tags, kind};
use crate::reader::ReadError;
use crate::reader::stream::MAX_MARKERS;
use acquisition::marker::Marker;
use acquisition::signal::Finding;
use acquisition::text::InlineText;
use std::path::{Path, PathBuf};

/// Where the events of the recording at `path` would be.
pub fn path_beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix("raw.fif")?.strip_suffix(['_', '-'])?;
    Some(path.with_file_name(format!("{stem}-eve.fif")))
}

/// The events of a list file as markers in time order: the new value is the text, and
/// time counts from the recording's first sample.
///
/// # Errors
/// Where the file can't be read. A damaged list gives what is sound, and a finding.
pub fn read(
    path: &Path,
    first_sample: i64,
    rate_hz: f64,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Marker>, ReadError> {
    let io = |cause| ReadError::Io { cause, path: path.into() };
    let mut tags = Tags::open(path)?;
    let mut markers = Vec::new();
    let mut n_lost = 0;
    while let Some(tag) = tags.advance().map_err(io)? {
        if tag.kind != kind::EVENT_LIST {
            continue;
        }
        let data = tags.data(&tag).map_err(io)?;
        let (words, _) = data.as_chunks::<4>();
        for event in words.chunks_exact(3) {
            if markers.len() == MAX_MARKERS {
                n_lost += 1;
                continue;
            }
            let [sample, value] = [event[0], event[2]].map(i32::from_be_bytes);
            markers.push(Marker {
                onset_secs: i64::from(sample).saturating_sub(first_sample) as f64 / rate_hz,
                duration_secs: 0.0,
                text: InlineText::new(&value.to_string()),
            });
        }
    }
    let place = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(why) = tags.broken() {
        findings
            .push(Finding { place: place(), what: format!("{why}; events before it are kept") });
    }
    if n_lost > 0 {
        let what = format!("{n_lost} events beyond the first {MAX_MARKERS} are left out");
        findings.push(Finding { place: place(), what });
    }
    // The list need not be in time order.
    markers.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
    Ok(markers)
}
