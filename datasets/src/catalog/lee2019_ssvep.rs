//! Flicker at 5.45, 6.67, 8.57 and 12 Hz (Lee2019, `OpenBMI`): 54 subjects, 62 electrodes, 1000 Hz, two sessions.
//!
//! Only the offline phase is listed: MOABB reports that the online phase of this paradigm
//! has no labels.
//!
//! Reference: M.-H. Lee et al. (2019), doi:10.1093/gigascience/giz002.

use super::lee2019::{self, ACCESS, CITATION, DOI, HOME, LICENCE, N_CHANNELS, N_SUBJECTS, RATE_HZ};
use super::spec::text;
use super::{ClassRuns, Content, Dataset, Layout, Paradigm};
use std::borrow::Cow;

const CLASSES: &[ClassRuns] = &[
    ClassRuns::cued("12.0", "1"),
    ClassRuns::cued("8.57", "2"),
    ClassRuns::cued("6.67", "3"),
    ClassRuns::cued("5.45", "4"),
];

/// The dataset.
pub static LEE2019_SSVEP: Dataset = Dataset {
    name: "lee2019-ssvep",
    title: text(
        "EEG dataset and OpenBMI toolbox for three BCI paradigms: steady-state visually evoked potentials",
    ),
    licence: LICENCE,
    citation: CITATION,
    doi: DOI,
    home_url: HOME,
    access: ACCESS,
    folder: "100542",
    paradigm: Paradigm::Ssvep,
    rate_hz: RATE_HZ,
    n_channels: N_CHANNELS,
    // Their names are in each file.
    channels: &[],
    n_subjects: N_SUBJECTS,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 4.0],
    epoch_interval_secs: [0.0, 4.0],
    layout: Layout::Published(|subject| lee2019::files(subject, "SSVEP", 1)),
    content: Content::Own(|path| lee2019::read(path, &["EEG_SSVEP_train"])),
};
