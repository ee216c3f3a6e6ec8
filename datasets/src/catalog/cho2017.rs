//! Imagined movements of the hands (Cho2017): 52 subjects, 64 electrodes, 512 Hz.
//!
//! The file has the trials of each hand one after the other, so that its order of time is
//! not the one of recording: the recording here is that of MOABB, all trials of the left
//! hand, [`GAP_SAMPLES`] zeros, all of the right hand, each half without its mean. It is
//! for epochs; a pseudo-online score of it says little, because the classes follow one
//! another.
//!
//! Reference: H. Cho, M. Ahn, S. Ahn, M. Kwon and S. C. Jun (2017),
//! doi:10.1093/gigascience/gix034.

use super::published_mat::{Axes, Draft, array, channels, number, samples};
use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile, Sums};
use crate::reader::ReadError;
use crate::reader::mat::Mat;
use acquisition::signal::{ChannelKind, Recording};
use ndarray::{Array2, Axis, concatenate};
use std::borrow::Cow;
use std::path::Path;

const CHANNELS: &[&str] = &[
    "Fp1", "AF7", "AF3", "F1", "F3", "F5", "F7", "FT7", "FC5", "FC3", "FC1", "C1", "C3", "C5",
    "T7", "TP7", "CP5", "CP3", "CP1", "P1", "P3", "P5", "P7", "P9", "PO7", "PO3", "O1", "Iz", "Oz",
    "POz", "Pz", "CPz", "Fpz", "Fp2", "AF8", "AF4", "AFz", "Fz", "F2", "F4", "F6", "F8", "FT8",
    "FC6", "FC4", "FC2", "FCz", "Cz", "C2", "C4", "C6", "T8", "TP8", "CP6", "CP4", "CP2", "P2",
    "P4", "P6", "P8", "P10", "PO8", "PO4", "O2",
];
const EMG: &[&str] = &["EMG1", "EMG2", "EMG3", "EMG4"];
/// Zeros between the halves, as MOABB has them.
const GAP_SAMPLES: usize = 500;

const CLASSES: &[ClassRuns] =
    &[ClassRuns::imagined("left_hand", "1"), ClassRuns::imagined("right_hand", "2")];

/// The dataset.
pub static CHO2017: Dataset = Dataset {
    name: "cho2017",
    title: text("EEG datasets for motor imagery brain-computer interface"),
    licence: text("CC BY 4.0"),
    citation: text(
        "Cho, H., Ahn, M., Ahn, S., Kwon, M., Jun, S.C. (2017): EEG datasets for motor imagery brain-computer interface. GigaScience. Data: GigaDB, doi:10.5524/100295.",
    ),
    doi: text("10.5524/100295"),
    home_url: text("http://dx.doi.org/10.5524/100295"),
    access: Access::Files {
        url: "https://s3.ap-northeast-1.wasabisys.com/gigadb-datasets/live/pub/10.5524/100001_101000/100295/mat_data",
        sums: Sums::Unpublished,
    },
    folder: "mat_data",
    paradigm: Paradigm::MotorImagery,
    rate_hz: 512.0,
    n_channels: 64,
    channels: CHANNELS,
    n_subjects: 52,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 3.0],
    epoch_interval_secs: [0.0, 3.0],
    layout: Layout::Published(files),
    content: Content::Own(read),
};

fn files(subject: u32) -> Vec<RunFile> {
    let path = format!("s{subject:02}.mat");
    vec![RunFile { subject, session: 0, run: 1, path, part: 0, beside: None }]
}

fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    let fields = ["eeg.imagery_left", "eeg.imagery_right", "eeg.imagery_event", "eeg.srate"];
    let mat = Mat::read(path, &fields)?;
    let eeg = mat.variable("eeg")?.records().first().copied().ok_or_else(|| mat.lacks("eeg"))?;
    let channels = channels(CHANNELS, EMG, ChannelKind::Emg);
    let half = |name: &str| -> Result<Array2<f32>, ReadError> {
        let matrix = array(&mat, &eeg, name)?;
        let half = samples(matrix, Axes::ChannelFirst, channels.len(), 1.0);
        Ok(without_mean(half.ok_or_else(|| mat.lacks(name))?))
    };
    let (left, right) = (half("imagery_left")?, half("imagery_right")?);
    let gap = Array2::zeros((channels.len(), GAP_SAMPLES));
    let right_at = left.ncols() + GAP_SAMPLES;
    let all = concatenate(Axis(1), &[left.view(), gap.view(), right.view()]);
    let events = array(&mat, &eeg, "imagery_event")?.to_vec();
    let onsets: Vec<usize> = (0..events.len()).filter(|&t| events[t] > 0.0).collect();
    let code = |from: usize, code: f64| onsets.iter().map(move |t| ((from + t) as f64, code));
    let draft = Draft {
        path,
        part: None,
        rate_hz: number(&mat, &eeg, "srate")?,
        samples: all.map_err(|_| mat.lacks("imagery_right"))?,
        channels: channels.clone(),
        codes: code(0, 1.0).chain(code(right_at, 2.0)).collect(),
    };
    Ok(vec![draft.recording()?])
}

/// Channels without their means: the amplifier's offsets are thousands of microvolts.
fn without_mean(mut half: Array2<f32>) -> Array2<f32> {
    for mut row in half.outer_iter_mut() {
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / row.len() as f64;
        row.mapv_inplace(|x| (f64::from(x) - mean) as f32);
    }
    half
}
