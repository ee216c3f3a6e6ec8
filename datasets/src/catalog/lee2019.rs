//! What the three entries of Lee2019 (`OpenBMI`) have in common: 54 subjects, 62 electrodes,
//! 1000 Hz, two sessions, a file for each session and paradigm.
//!
//! A file holds the offline phase (`EEG_…_train`) and the online phase (`EEG_…_test`):
//! structs with `x` (samples, channels), `chan`, `t` (a cue's sample, counted as MOABB
//! does, from 0), `y_dec` (its code), `fs`, and four channels of muscles.

use super::published_mat::{Axes, Draft, array, channels, number, samples};
use super::spec::{Text, text};
use super::{Access, RunFile, Sums};
use crate::reader::ReadError;
use crate::reader::mat::{Mat, Record, Value};
use acquisition::signal::{ChannelKind, Recording};
use ndarray::{Axis, concatenate};
use std::path::Path;

/// EEG channels.
pub(super) const N_CHANNELS: usize = 62;
/// Channels of muscles.
const N_EMG: usize = 4;
/// Subjects.
pub(super) const N_SUBJECTS: u32 = 54;
/// Rate of the published files.
pub(super) const RATE_HZ: f64 = 1000.0;

pub(super) const LICENCE: Text = text("GPL-3.0");
pub(super) const DOI: Text = text("10.5524/100542");
pub(super) const HOME: Text = text("https://doi.org/10.5524/100542");
pub(super) const CITATION: Text = text(
    "Lee, M.-H., Kwon, O.-Y., Kim, Y.-J., Kim, H.-K., Lee, Y.-E., Williamson, J., Fazli, S., Lee, S.-W. (2019): EEG dataset and OpenBMI toolbox for three BCI paradigms: an investigation into BCI illiteracy. GigaScience 8(5), giz002. Data: GigaDB, doi:10.5524/100542.",
);
pub(super) const ACCESS: Access = Access::Files {
    url: "https://s3.ap-northeast-1.wasabisys.com/gigadb-datasets/live/pub/10.5524/100001_101000/100542",
    sums: Sums::Unpublished,
};

/// A subject's files of a paradigm, with the first `n_runs` of the offline and the online
/// phase.
pub(super) fn files(subject: u32, paradigm: &str, n_runs: u32) -> Vec<RunFile> {
    let session = |session: u32| {
        let number = session + 1;
        (0..n_runs).map(move |k| RunFile {
            subject,
            session,
            run: k + 1,
            path: format!(
                "session{number}/s{subject}/sess{number:02}_subj{subject:02}_EEG_{paradigm}.mat"
            ),
            part: k as usize,
            beside: None,
        })
    };
    (0..2).flat_map(session).collect()
}

/// The phases `names` of a file.
pub(super) fn read(path: &Path, names: &[&str]) -> Result<Vec<Recording>, ReadError> {
    let fields = ["x", "chan", "t", "y_dec", "fs", "EMG"];
    let wanted: Vec<String> = names
        .iter()
        .flat_map(|name| fields.iter().map(move |field| format!("{name}.{field}")))
        .collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let mat = Mat::read(path, &wanted)?;
    let phase = |(part, name): (usize, &&str)| {
        let record = mat.variable(name)?.records().first().copied();
        recording(&mat, &record.ok_or_else(|| mat.lacks(name))?, path, part)
    };
    names.iter().enumerate().map(phase).collect()
}

fn recording(
    mat: &Mat,
    phase: &Record<'_>,
    path: &Path,
    part: usize,
) -> Result<Recording, ReadError> {
    let labels = phase.field("chan").map(Value::texts).unwrap_or_default();
    let eeg = samples(array(mat, phase, "x")?, Axes::TimeFirst, N_CHANNELS, 1.0);
    let eeg = eeg.filter(|_| labels.len() == N_CHANNELS).ok_or_else(|| mat.lacks("x, chan"))?;
    let emg = phase.field("EMG").and_then(Value::array);
    let emg = emg.and_then(|emg| samples(emg, Axes::TimeFirst, N_EMG, 1.0));
    let emg = emg.filter(|emg| emg.ncols() == eeg.ncols());
    let emg_labels: &[&str] = if emg.is_some() { &["EMG1", "EMG2", "EMG3", "EMG4"] } else { &[] };
    let all = match &emg {
        Some(emg) => concatenate(Axis(0), &[eeg.view(), emg.view()]).unwrap_or(eeg),
        None => eeg,
    };
    let (at, codes) = (array(mat, phase, "t")?.to_vec(), array(mat, phase, "y_dec")?.to_vec());
    let draft = Draft {
        path,
        part: Some(part),
        rate_hz: number(mat, phase, "fs")?,
        channels: channels(&labels, emg_labels, ChannelKind::Emg),
        samples: all,
        codes: at.into_iter().zip(codes).collect(),
    };
    draft.recording()
}
