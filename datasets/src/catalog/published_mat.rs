//! From the arrays of a publisher's MAT file to recordings: what the entries that are
//! published as `.mat` have in common.

use crate::reader::ReadError;
use crate::reader::mat::{Array, Mat, Record, Value};
use acquisition::marker::Marker;
use acquisition::signal::{ChannelInfo, ChannelKind, Recording, StreamInfo};
use acquisition::text::InlineText;
use acquisition::time::{MIN_RATE_HZ, SampleRate};
use ndarray::{Array2, ArrayViewMut1};
use std::path::Path;

/// Which index of a matrix is time; the first runs fastest in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axes {
    /// `(n_samples, n_channels)`.
    TimeFirst,
    /// `(n_channels, n_samples)`.
    ChannelFirst,
}

/// EEG channels with these names, then others of one kind.
pub(super) fn channels(eeg: &[&str], others: &[&str], kind: ChannelKind) -> Vec<ChannelInfo> {
    let other = |label: &&str| ChannelInfo { kind, ..ChannelInfo::eeg(*label) };
    eeg.iter().map(|label| ChannelInfo::eeg(*label)).chain(others.iter().map(other)).collect()
}

/// Samples `(n_channels, n_samples)` of a matrix of microvolts times `1 / scale`, if it has
/// as many channels.
pub(super) fn samples(
    matrix: &Array,
    axes: Axes,
    n_channels: usize,
    scale: f64,
) -> Option<Array2<f32>> {
    let [first, second] = matrix.shape()?;
    let (n_here, n_samples) = match axes {
        Axes::TimeFirst => (second, first),
        Axes::ChannelFirst => (first, second),
    };
    if n_here != n_channels || n_samples == 0 {
        return None;
    }
    let mut all = Array2::zeros((n_channels, n_samples));
    for (c, mut row) in all.outer_iter_mut().enumerate() {
        fill(&mut row, |t| {
            let k = if axes == Axes::TimeFirst { c * first + t } else { t * first + c };
            matrix.numbers().get(k).unwrap_or(f64::NAN) * scale
        });
    }
    Some(all)
}

/// Every sample of a channel.
fn fill(row: &mut ArrayViewMut1<'_, f32>, value: impl Fn(usize) -> f64) {
    for (t, sample) in row.iter_mut().enumerate() {
        *sample = value(t) as f32;
    }
}

/// A recording under construction, with the file it comes from.
pub(super) struct Draft<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its number among the recordings of the file, where there are several.
    pub part: Option<usize>,
    /// Samples a second.
    pub rate_hz: f64,
    /// Channels in the order of the samples.
    pub channels: Vec<ChannelInfo>,
    /// `(n_channels, n_samples)` in the channels' units.
    pub samples: Array2<f32>,
    /// Sample index and code of each marker.
    pub codes: Vec<(f64, f64)>,
}

impl Draft<'_> {
    /// The recording, with its markers in time order.
    pub fn recording(self) -> Result<Recording, ReadError> {
        let rate = SampleRate::new(self.rate_hz).ok().filter(|rate| rate.hz() >= MIN_RATE_HZ);
        let rate = rate.ok_or_else(|| ReadError::BadHeader {
            field: "sampling rate".to_owned(),
            problem: format!("is {} Hz", self.rate_hz),
            path: self.path.into(),
        })?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let marker = |&(at, code): &(f64, f64)| Marker {
            onset_secs: at / rate.hz(),
            duration_secs: 0.0,
            text: InlineText::new(&code.to_string()),
        };
        let mut markers: Vec<Marker> = self.codes.iter().map(marker).collect();
        markers.retain(|marker| marker.onset_secs.is_finite());
        markers.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
        Ok(Recording {
            info: StreamInfo {
                name: self.part.map_or_else(|| name.to_string(), |k| format!("{name} part {k}")),
                kind: "EEG".to_owned(),
                source_id: String::new(),
                host: String::new(),
                rate,
                channels: self.channels,
                simulated: false,
            },
            samples: self.samples,
            markers,
            gaps: Vec::new(),
            findings: Vec::new(),
        })
    }
}

/// A field of a struct as an array.
pub(super) fn array<'a>(
    mat: &Mat,
    record: &Record<'a>,
    name: &str,
) -> Result<&'a Array, ReadError> {
    record.field(name).and_then(Value::array).ok_or_else(|| mat.lacks(name))
}

/// A field of a struct as a number.
pub(super) fn number(mat: &Mat, record: &Record<'_>, name: &str) -> Result<f64, ReadError> {
    record.field(name).and_then(Value::number).ok_or_else(|| mat.lacks(name))
}

/// Places and codes of a per-sample code that is 0 in between: where it rises.
pub(super) fn rises(codes: &[f64]) -> Vec<(f64, f64)> {
    let is_rise = |(_, two): &(usize, &[f64])| two[1] > two[0];
    let rises = codes.windows(2).enumerate().filter(is_rise);
    rises.map(|(k, two)| ((k + 1) as f64, two[1])).collect()
}

/// Runs as Graz publishes them: structs with `X` (samples, channels) in microvolts, `trial`
/// (sample numbers from 1), `y` (codes) and `fs`; those without trials are left out.
pub(super) fn read_graz(
    path: &Path,
    channels: &[ChannelInfo],
) -> Result<Vec<Recording>, ReadError> {
    let mat = Mat::read(path, &["data.X", "data.trial", "data.y", "data.fs"])?;
    let runs = mat.variable("data")?.records();
    let mut recordings = Vec::new();
    for run in runs {
        let trials = array(&mat, &run, "trial")?.to_vec();
        if trials.is_empty() {
            continue;
        }
        let labels = array(&mat, &run, "y")?.to_vec();
        let signal = samples(array(&mat, &run, "X")?, Axes::TimeFirst, channels.len(), 1.0);
        let draft = Draft {
            path,
            part: Some(recordings.len()),
            rate_hz: number(&mat, &run, "fs")?,
            channels: channels.to_vec(),
            samples: signal.ok_or_else(|| mat.lacks("X"))?,
            codes: trials.iter().map(|at| at - 1.0).zip(labels).collect(),
        };
        recordings.push(draft.recording()?);
    }
    Ok(recordings)
}

/// Runs as Rome publishes them: structs with `X` (samples, channels) and `y`, a code per
/// sample that is 0 between the flashes. `scale` makes the samples microvolts.
pub(super) fn read_speller(
    path: &Path,
    names: &[&str],
    rate_hz: f64,
    scale: f64,
) -> Result<Vec<Recording>, ReadError> {
    let mat = Mat::read(path, &["data.X", "data.y"])?;
    let mut recordings = Vec::new();
    for (part, run) in mat.variable("data")?.records().into_iter().enumerate() {
        let signal = samples(array(&mat, &run, "X")?, Axes::TimeFirst, names.len(), scale);
        let draft = Draft {
            path,
            part: Some(part),
            rate_hz,
            channels: channels(names, &[], ChannelKind::Misc),
            samples: signal.ok_or_else(|| mat.lacks("X"))?,
            codes: rises(&array(&mat, &run, "y")?.to_vec()),
        };
        recordings.push(draft.recording()?);
    }
    Ok(recordings)
}
