//! EEG Motor Movement/Imagery Dataset (EEGMMIDB): 109 subjects, 64 electrodes,
//! BCI2000; opening and closing fists or feet, made or imagined.
//!
//! Annotations: `T0` rest; `T1` and `T2` mean the left and the right fist in runs 3, 4,
//! 7, 8, 11, 12, and both fists and both feet in runs 5, 6, 9, 10, 13, 14. Runs 1 and 2
//! are rest with eyes open and closed.
//!
//! Reference: G. Schalk, D. J. `McFarland`, T. Hinterberger, N. Birbaumer and J. R.
//! Wolpaw (2004), doi:10.1109/TBME.2004.827072.

use super::Execution::{Executed, Imagined};
use super::{ClassRuns, Dataset};

const FISTS_IMAGINED: &[u32] = &[4, 8, 12];
const FISTS_EXECUTED: &[u32] = &[3, 7, 11];
const HANDS_OR_FEET_IMAGINED: &[u32] = &[6, 10, 14];
const HANDS_OR_FEET_EXECUTED: &[u32] = &[5, 9, 13];

/// The dataset.
pub static PHYSIONET_MI: Dataset = Dataset {
    name: "physionet-mi",
    title: "EEG Motor Movement/Imagery Dataset v1.0.0",
    licence: "Open Data Commons Attribution License v1.0",
    citation: "Schalk, G., McFarland, D.J., Hinterberger, T., Birbaumer, N., Wolpaw, J.R. (2004): BCI2000: A General-Purpose Brain-Computer Interface (BCI) System. IEEE Transactions on Biomedical Engineering 51(6), 1034-1043. Goldberger, A., et al. (2000): PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23), e215-e220.",
    doi: "10.13026/C28G6P",
    home_url: "https://physionet.org/content/eegmmidb/1.0.0/",
    files_url: "https://physionet.org/files/eegmmidb/1.0.0",
    folder: "eegmmidb",
    // Subjects 88, 92 and 100 were recorded at 128 Hz.
    rate_hz: 160.0,
    n_channels: 64,
    n_subjects: 109,
    n_runs: 14,
    classes: &[
        class("left_hand", "T1", Imagined, FISTS_IMAGINED),
        class("right_hand", "T2", Imagined, FISTS_IMAGINED),
        class("hands", "T1", Imagined, HANDS_OR_FEET_IMAGINED),
        class("feet", "T2", Imagined, HANDS_OR_FEET_IMAGINED),
        class("left_hand", "T1", Executed, FISTS_EXECUTED),
        class("right_hand", "T2", Executed, FISTS_EXECUTED),
        class("hands", "T1", Executed, HANDS_OR_FEET_EXECUTED),
        class("feet", "T2", Executed, HANDS_OR_FEET_EXECUTED),
    ],
    task_interval_secs: [0.0, 4.0],
    epoch_interval_secs: [0.0, 3.0],
    checksums: include_str!("physionet_mi.sha256"),
    path: |subject, run| format!("S{subject:03}/S{subject:03}R{run:02}.edf"),
};

const fn class(
    class: &'static str,
    marker: &'static str,
    execution: super::Execution,
    runs: &'static [u32],
) -> ClassRuns {
    ClassRuns { class, marker, execution, runs }
}
