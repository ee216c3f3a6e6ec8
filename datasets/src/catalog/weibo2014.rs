//! Imagined movements of single and of several limbs (Weibo2014): 10 subjects, 60
//! electrodes, 200 Hz.
//!
//! The file has trials of eight seconds and no time between them: the recording here is
//! MOABB's, trials without their means end to end, each between [`PAD_SAMPLES`] zeros, its
//! marker at its first sample. Imagery lasts from the third to the seventh second. It is
//! for epochs; what lies between trials was never recorded.
//!
//! Reference: W. Yi et al. (2014), doi:10.1371/journal.pone.0114853.

use super::published_mat::Draft;
use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile};
use crate::reader::ReadError;
use crate::reader::mat::{Array, Mat, Value};
use acquisition::signal::{ChannelInfo, ChannelKind, Recording};
use ndarray::Array2;
use std::borrow::Cow;
use std::path::Path;

/// Zeros before and after each trial, as MOABB has them.
const PAD_SAMPLES: usize = 50;
/// All channels of the file.
const N_CHANNELS: usize = 64;
/// Channels of the cerebellum, which MOABB does not count as EEG.
const CEREBELLUM: [&str; 2] = ["CB1", "CB2"];
const EOG: [&str; 2] = ["VEO", "HEO"];
const EEG: &[&str] = &[
    "Fp1", "Fpz", "Fp2", "AF3", "AF4", "F7", "F5", "F3", "F1", "Fz", "F2", "F4", "F6", "F8", "FT7",
    "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "FT8", "T7", "C5", "C3", "C1", "Cz", "C2",
    "C4", "C6", "T8", "TP7", "CP5", "CP3", "CP1", "CPz", "CP2", "CP4", "CP6", "TP8", "P7", "P5",
    "P3", "P1", "Pz", "P2", "P4", "P6", "P8", "PO7", "PO5", "PO3", "POz", "PO4", "PO6", "PO8",
    "O1", "Oz", "O2",
];

const CLASSES: &[ClassRuns] = &[
    ClassRuns::imagined("left_hand", "1"),
    ClassRuns::imagined("right_hand", "2"),
    ClassRuns::imagined("hands", "3"),
    ClassRuns::imagined("feet", "4"),
    ClassRuns::imagined("left_hand_right_foot", "5"),
    ClassRuns::imagined("right_hand_left_foot", "6"),
    ClassRuns::imagined("rest", "7"),
];

/// The dataset.
pub static WEIBO2014: Dataset = Dataset {
    name: "weibo2014",
    title: text("Simple and compound limb motor imagery"),
    licence: text("CC0 1.0"),
    citation: text(
        "Yi, W., Qiu, S., Wang, K., Qi, H., Zhang, L., Zhou, P., He, F., Ming, D. (2014): Evaluation of EEG oscillatory patterns and cognitive process during simple and compound limb motor imagery. PLoS ONE 9(12), e114853.",
    ),
    doi: text("10.1371/journal.pone.0114853"),
    home_url: text("http://dx.doi.org/10.7910/DVN/27306"),
    access: Access::ByHand(
        "get the three archives of doi:10.7910/DVN/27306, and name the files in them subject_1.mat to subject_10.mat in the order cl, cyy, kyf, lnn, ls, ry, wcf, wx, yyx, zd",
    ),
    folder: "MNE-weibo-2014",
    paradigm: Paradigm::MotorImagery,
    rate_hz: 200.0,
    n_channels: 60,
    channels: EEG,
    n_subjects: 10,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [3.0, 7.0],
    epoch_interval_secs: [3.0, 7.0],
    layout: Layout::Published(files),
    content: Content::Own(read),
};

fn files(subject: u32) -> Vec<RunFile> {
    let path = format!("subject_{subject}.mat");
    vec![RunFile { subject, session: 0, run: 1, path, part: 0, beside: None }]
}

/// All channels in file order: the cerebellum's stand before and behind the last three.
fn channels() -> Vec<ChannelInfo> {
    let of =
        |kind: ChannelKind| move |label: &&str| ChannelInfo { kind, ..ChannelInfo::eeg(*label) };
    let (before, occipital) = EEG.split_at(EEG.len() - 3);
    let misc = of(ChannelKind::Misc);
    before
        .iter()
        .map(of(ChannelKind::Eeg))
        .chain(CEREBELLUM[..1].iter().map(misc))
        .chain(occipital.iter().map(of(ChannelKind::Eeg)))
        .chain(CEREBELLUM[1..].iter().map(misc))
        .chain(EOG.iter().map(of(ChannelKind::Eog)))
        .collect()
}

fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    let mat = Mat::read(path, &["data", "label"])?;
    let data = mat.variable("data")?.array().ok_or_else(|| mat.lacks("data"))?;
    let labels = mat.variable("label").ok().and_then(Value::array);
    let labels = labels.ok_or_else(|| mat.lacks("label"))?.to_vec();
    let trials = trials_of(data).filter(|trials| trials.len() == labels.len());
    let trials = trials.ok_or_else(|| mat.lacks("data"))?;
    let n_samples = trials.first().map_or(0, Array2::ncols);
    let padded = n_samples + 2 * PAD_SAMPLES;
    let mut all = Array2::zeros((N_CHANNELS, padded * trials.len()));
    for (k, trial) in trials.iter().enumerate() {
        let at = k * padded + PAD_SAMPLES;
        all.slice_mut(ndarray::s![.., at..at + n_samples]).assign(trial);
    }
    let start = |k: usize| (k * padded + PAD_SAMPLES) as f64;
    let draft = Draft {
        path,
        part: None,
        rate_hz: WEIBO2014.rate_hz,
        channels: channels(),
        samples: all,
        codes: labels.iter().enumerate().map(|(k, label)| (start(k), *label)).collect(),
    };
    Ok(vec![draft.recording()?])
}

/// Trials `(n_channels, n_samples)` without their means, of an array `(n_channels,
/// n_samples, n_trials)`.
fn trials_of(data: &Array) -> Option<Vec<Array2<f32>>> {
    let [N_CHANNELS, n_samples, n_trials] = *data.dims() else { return None };
    if n_samples == 0 || n_trials == 0 {
        return None;
    }
    let trial = |k: usize| {
        let value = |c: usize, t: usize| {
            data.numbers().get((k * n_samples + t) * N_CHANNELS + c).unwrap_or(f64::NAN)
        };
        let mut trial = Array2::zeros((N_CHANNELS, n_samples));
        for (c, mut row) in trial.outer_iter_mut().enumerate() {
            let mean = (0..n_samples).map(|t| value(c, t)).sum::<f64>() / n_samples as f64;
            for (t, sample) in row.iter_mut().enumerate() {
                *sample = (value(c, t) - mean) as f32;
            }
        }
        trial
    };
    Some((0..n_trials).map(trial).collect())
}
