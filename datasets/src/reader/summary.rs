//! What is in a recording, for people and programs that have not read it yet.

use acquisition::marker::Marker;
use acquisition::signal::{ChannelInfo, Finding, Gap};
use acquisition::time::SampleRate;
use serde::Serialize;
use std::collections::BTreeMap;

/// The contents of a recording. Texts are as written in the file: pass them through
/// [`acquisition::text::printable`] before a terminal sees them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordingSummary {
    /// The file's format, `EDF+C` for example.
    pub format: String,
    /// Start date and time as written, uninterpreted (dates are often anonymised).
    pub start: String,
    /// Seconds from the first frame to the end of the last, gaps included.
    pub duration_secs: f64,
    /// The streams by rate, in the order in which they first occur.
    pub streams: Vec<StreamSummary>,
    /// Index of the stream that is opened by default, if there is any.
    pub main_stream_idx: Option<usize>,
    /// Number of annotations.
    pub n_annotations: usize,
    /// How often each annotation text occurs, most frequent first.
    pub annotations: Vec<AnnotationCount>,
    /// What was wrong with the file, if anything.
    pub findings: Vec<Finding>,
}

/// One stream of a recording: the channels that share a rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamSummary {
    /// Nominal rate.
    pub rate_hz: SampleRate,
    /// Frames it holds.
    pub n_samples: u64,
    /// Its channels in the order of a frame.
    pub channels: Vec<ChannelInfo>,
    /// Stretches without frames, in this stream's samples.
    pub gaps: Vec<Gap>,
}

/// How often an annotation text occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnotationCount {
    /// The text.
    pub text: String,
    /// How often.
    pub n: usize,
}

impl AnnotationCount {
    /// The counts of all texts among `markers`, most frequent first, then by text.
    pub(crate) fn of(markers: &[Marker]) -> Vec<Self> {
        let mut counts = BTreeMap::new();
        for marker in markers {
            *counts.entry(marker.text.as_str()).or_insert(0) += 1;
        }
        let mut counts: Vec<_> =
            counts.into_iter().map(|(text, n)| Self { text: text.to_owned(), n }).collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.n));
        counts
    }
}
