//! A P300 speller with faces (Lee2019, `OpenBMI`): 54 subjects, 62 electrodes, 1000 Hz, two sessions.
//!
//! The offline phase is run 1 of each session, the online phase run 2.
//!
//! Reference: M.-H. Lee et al. (2019), doi:10.1093/gigascience/giz002.

use super::lee2019::{self, ACCESS, CITATION, DOI, HOME, LICENCE, N_CHANNELS, N_SUBJECTS, RATE_HZ};
use super::spec::text;
use super::{ClassRuns, Content, Dataset, Layout, Paradigm};
use std::borrow::Cow;

const CLASSES: &[ClassRuns] = &[ClassRuns::cued("Target", "1"), ClassRuns::cued("NonTarget", "2")];

/// The dataset.
pub static LEE2019_ERP: Dataset = Dataset {
    name: "lee2019-erp",
    title: text(
        "EEG dataset and OpenBMI toolbox for three BCI paradigms: event-related potentials",
    ),
    licence: LICENCE,
    citation: CITATION,
    doi: DOI,
    home_url: HOME,
    access: ACCESS,
    folder: "100542",
    paradigm: Paradigm::P300,
    rate_hz: RATE_HZ,
    n_channels: N_CHANNELS,
    // Their names are in each file.
    channels: &[],
    n_subjects: N_SUBJECTS,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 1.0],
    epoch_interval_secs: [0.0, 1.0],
    layout: Layout::Published(|subject| lee2019::files(subject, "ERP", 2)),
    content: Content::Own(|path| lee2019::read(path, &["EEG_ERP_train", "EEG_ERP_test"])),
};
