//! EEG Motor Movement/Imagery Dataset (EEGMMIDB): 109 subjects, 64 electrodes,
//! BCI2000; opening and closing fists or feet, made or imagined, and rest with eyes open
//! and closed.
//!
//! Annotations: `T0` rest; `T1` and `T2` mean the left and the right fist in runs 3, 4,
//! 7, 8, 11, 12, and both fists and both feet in runs 5, 6, 9, 10, 13, 14. Runs 1 and 2
//! are a minute each with eyes open and closed: their one annotation, `T0`, says nothing,
//! so that the run itself is the task.
//!
//! Reference: G. Schalk, D. J. `McFarland`, T. Hinterberger, N. Birbaumer and J. R.
//! Wolpaw (2004), doi:10.1109/TBME.2004.827072.

use super::Execution::{Executed, Imagined};
use super::spec::text;
use super::{Access, ClassRuns, Content, CueOn, Dataset, Layout, Paradigm, RunFile, Runs, Sums};
use std::borrow::Cow;

/// Runs of each subject.
const N_RUNS: u32 = 14;
const FISTS_IMAGINED: &[u32] = &[4, 8, 12];
const FISTS_EXECUTED: &[u32] = &[3, 7, 11];
const HANDS_OR_FEET_IMAGINED: &[u32] = &[6, 10, 14];
const HANDS_OR_FEET_EXECUTED: &[u32] = &[5, 9, 13];
const IMAGINED: &[u32] = &[4, 6, 8, 10, 12, 14];
const EXECUTED: &[u32] = &[3, 5, 7, 9, 11, 13];

const CHANNELS: &[&str] = &[
    "Fc5", "Fc3", "Fc1", "Fcz", "Fc2", "Fc4", "Fc6", "C5", "C3", "C1", "Cz", "C2", "C4", "C6",
    "Cp5", "Cp3", "Cp1", "Cpz", "Cp2", "Cp4", "Cp6", "Fp1", "Fpz", "Fp2", "Af7", "Af3", "Afz",
    "Af4", "Af8", "F7", "F5", "F3", "F1", "Fz", "F2", "F4", "F6", "F8", "Ft7", "Ft8", "T7", "T8",
    "T9", "T10", "Tp7", "Tp8", "P7", "P5", "P3", "P1", "Pz", "P2", "P4", "P6", "P8", "Po7", "Po3",
    "Poz", "Po4", "Po8", "O1", "Oz", "O2", "Iz",
];

const CLASSES: &[ClassRuns] = &[
    class("left_hand", "T1", Imagined, FISTS_IMAGINED),
    class("right_hand", "T2", Imagined, FISTS_IMAGINED),
    class("hands", "T1", Imagined, HANDS_OR_FEET_IMAGINED),
    class("feet", "T2", Imagined, HANDS_OR_FEET_IMAGINED),
    class("rest", "T0", Imagined, IMAGINED),
    class("left_hand", "T1", Executed, FISTS_EXECUTED),
    class("right_hand", "T2", Executed, FISTS_EXECUTED),
    class("hands", "T1", Executed, HANDS_OR_FEET_EXECUTED),
    class("feet", "T2", Executed, HANDS_OR_FEET_EXECUTED),
    class("rest", "T0", Executed, EXECUTED),
    whole_run("eyes_open", &[1]),
    whole_run("eyes_closed", &[2]),
];

/// The dataset.
pub static PHYSIONET_MI: Dataset = Dataset {
    name: "physionet-mi",
    title: text("EEG Motor Movement/Imagery Dataset v1.0.0"),
    licence: text("Open Data Commons Attribution License v1.0"),
    citation: text(
        "Schalk, G., McFarland, D.J., Hinterberger, T., Birbaumer, N., Wolpaw, J.R. (2004): BCI2000: A General-Purpose Brain-Computer Interface (BCI) System. IEEE Transactions on Biomedical Engineering 51(6), 1034-1043. Goldberger, A., et al. (2000): PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23), e215-e220.",
    ),
    doi: text("10.13026/C28G6P"),
    home_url: text("https://physionet.org/content/eegmmidb/1.0.0/"),
    access: Access::Files {
        url: "https://physionet.org/files/eegmmidb/1.0.0",
        sums: Sums::Published(include_str!("physionet_mi.sha256")),
    },
    folder: "eegmmidb",
    paradigm: Paradigm::MotorImagery,
    // Subjects 88, 92 and 100 were recorded at 128 Hz.
    rate_hz: 160.0,
    n_channels: 64,
    channels: CHANNELS,
    n_subjects: 109,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 4.0],
    epoch_interval_secs: [0.0, 3.0],
    layout: Layout::Published(files),
    content: Content::Recording,
};

fn files(subject: u32) -> Vec<RunFile> {
    let file = |run| RunFile {
        subject,
        session: 0,
        run,
        path: format!("S{subject:03}/S{subject:03}R{run:02}.edf"),
        part: 0,
        beside: None,
    };
    (1..=N_RUNS).map(file).collect()
}

const fn class(
    class: &'static str,
    marker: &'static str,
    execution: super::Execution,
    runs: &'static [u32],
) -> ClassRuns {
    let cue = CueOn::Marker(text(marker));
    ClassRuns { class: text(class), cue, execution: Some(execution), runs: Runs::Only(runs) }
}

/// A class that is no movement and fills its run.
const fn whole_run(class: &'static str, runs: &'static [u32]) -> ClassRuns {
    let cue = CueOn::WholeRun;
    ClassRuns { class: text(class), cue, execution: None, runs: Runs::Only(runs) }
}
