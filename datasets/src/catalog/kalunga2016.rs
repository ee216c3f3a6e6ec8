//! Flicker of a panel of lights beside an exoskeleton (MOABB's Kalunga2016): 12 subjects,
//! 8 occipital electrodes, 256 Hz.
//!
//! Events stand in `-eve.fif` beside each recording and mark where the flicker of 5 s
//! begins: 1 rest (looking between the lights), 2 at 13 Hz, 3 at 21 Hz, 4 at 17 Hz. Five
//! recordings that the authors exclude from their papers (synchronisation, hardware) are
//! left out here and by MOABB. As MOABB does, all recordings of a subject are runs of one
//! session.
//!
//! The repository's licence file is CC0; MOABB lists CC BY 4.0.
//!
//! Reference: E. K. Kalunga, S. Chevallier, Q. Barthelemy, K. Djouani, E. Monacelli and
//! Y. Hamam (2016), doi:10.1016/j.neucom.2016.01.007.

use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile, Sums};
use std::borrow::Cow;

/// When the recordings of each subject began: the names of their files.
const STARTS: [&[&str]; 12] = [
    &["2012.07.06-19.02.16", "2012.07.06-19.06.14"],
    &["2012.07.19-17.36.23", "2012.07.19-17.41.14"],
    &["2012.07.11-15.25.23", "2012.07.11-15.33.08"],
    &["2012.07.18-17.52.30", "2012.07.18-17.56.53"],
    &["2012.07.19-11.24.02", "2012.07.19-11.28.18"],
    &["2012.07.20-12.20.55", "2012.07.20-12.26.47"],
    &["2012.07.11-15.33.08", "2012.07.18-09.15.30", "2012.07.18-09.21.13"],
    &["2013.04.06-16.29.18", "2013.04.06-16.35.05"],
    &["2013.04.09-17.32.29", "2013.04.09-17.39.37"],
    &["2014.02.26-15.32.36", "2014.02.26-15.40.22", "2014.02.26-16.18.11", "2014.02.26-16.25.45"],
    &["2014.02.24-18.15.11", "2014.02.24-18.23.37"],
    &[
        "2014.03.10-19.17.37",
        "2014.03.10-19.47.49",
        "2014.03.10-20.11.55",
        "2014.03.10-20.26.46",
        "2014.03.10-20.41.35",
    ],
];

const CLASSES: &[ClassRuns] = &[
    ClassRuns::cued("13", "2"),
    ClassRuns::cued("17", "4"),
    ClassRuns::cued("21", "3"),
    ClassRuns::cued("rest", "1"),
];

/// The dataset.
pub static KALUNGA2016: Dataset = Dataset {
    name: "kalunga2016",
    title: text("SSVEP-based BCI recordings of 12 subjects operating an upper limb exoskeleton"),
    licence: text("CC0 1.0"),
    citation: text(
        "Kalunga, E.K., Chevallier, S., Barthelemy, Q., Djouani, K., Monacelli, E., Hamam, Y. (2016): Online SSVEP-based BCI using Riemannian geometry. Neurocomputing.",
    ),
    doi: text("10.1016/j.neucom.2016.01.007"),
    home_url: text("https://github.com/sylvchev/dataset-ssvep-exoskeleton"),
    access: Access::Files {
        url: "https://raw.githubusercontent.com/sylvchev/dataset-ssvep-exoskeleton/master",
        sums: Sums::Unpublished,
    },
    folder: "ssvep_exoskeleton",
    paradigm: Paradigm::Ssvep,
    rate_hz: 256.0,
    n_channels: 8,
    channels: &["Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4"],
    n_subjects: 12,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 5.0],
    epoch_interval_secs: [2.0, 4.0],
    layout: Layout::Published(files),
    content: Content::Recording,
};

fn files(subject: u32) -> Vec<RunFile> {
    let starts = STARTS.get(subject as usize - 1).copied().unwrap_or_default();
    let file = |(run, start): (u32, &&str)| RunFile {
        subject,
        session: 0,
        run,
        path: format!("subject{subject:02}/record-[{start}]_raw.fif"),
        part: 0,
        beside: Some(format!("subject{subject:02}/record-[{start}]-eve.fif")),
    };
    (1..).zip(starts).map(file).collect()
}
