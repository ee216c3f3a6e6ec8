//! BCI Competition IV, data set 2a (BNCI 001-2014): 9 subjects, 22 electrodes, 250 Hz,
//! imagined movements of left hand, right hand, feet and tongue in two sessions.
//!
//! Each session is a file with a cell of runs: three or fewer without trials (eyes), which
//! are left out, then six with 48 trials. Markers stand at a trial's start (a fixation
//! cross), two seconds before the arrow; imagery ends six seconds after the start.
//!
//! Reference: M. Tangermann et al. (2012), doi:10.3389/fnins.2012.00055.

use super::published_mat::{channels, read_graz};
use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile, Sums};
use crate::reader::ReadError;
use acquisition::signal::{ChannelKind, Recording};
use std::borrow::Cow;
use std::path::Path;

const CHANNELS: &[&str] = &[
    "Fz", "FC3", "FC1", "FCz", "FC2", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "CP3",
    "CP1", "CPz", "CP2", "CP4", "P1", "Pz", "P2", "POz",
];
const EOG: &[&str] = &["EOG1", "EOG2", "EOG3"];
/// Runs of each session.
const N_RUNS: u32 = 6;

const CLASSES: &[ClassRuns] = &[
    ClassRuns::imagined("left_hand", "1"),
    ClassRuns::imagined("right_hand", "2"),
    ClassRuns::imagined("feet", "3"),
    ClassRuns::imagined("tongue", "4"),
];

/// The dataset.
pub static BNCI2014_001: Dataset = Dataset {
    name: "bnci2014-001",
    title: text("BCI Competition IV, data set 2a (BNCI Horizon 2020, 001-2014)"),
    licence: text("CC BY-ND 4.0"),
    citation: text(
        "Tangermann, M., Müller, K.-R., Aertsen, A., Birbaumer, N., Braun, C., Brunner, C., Leeb, R., Mehring, C., Miller, K.J., Müller-Putz, G.R., et al. (2012): Review of the BCI Competition IV. Frontiers in Neuroscience 6, 55.",
    ),
    doi: text("10.3389/fnins.2012.00055"),
    home_url: text("http://bnci-horizon-2020.eu/database/data-sets"),
    access: Access::Files {
        url: "https://lampx.tugraz.at/~bci/database/001-2014",
        sums: Sums::Unpublished,
    },
    folder: "001-2014",
    paradigm: Paradigm::MotorImagery,
    rate_hz: 250.0,
    n_channels: 22,
    channels: CHANNELS,
    n_subjects: 9,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [2.0, 6.0],
    epoch_interval_secs: [2.0, 6.0],
    layout: Layout::Published(files),
    content: Content::Own(read),
};

fn files(subject: u32) -> Vec<RunFile> {
    let session = |(session, letter): (u32, char)| {
        (0..N_RUNS).map(move |k| RunFile {
            subject,
            session,
            run: k + 1,
            path: format!("A{subject:02}{letter}.mat"),
            part: k as usize,
            beside: None,
        })
    };
    [(0, 'T'), (1, 'E')].into_iter().flat_map(session).collect()
}

fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    read_graz(path, &channels(CHANNELS, EOG, ChannelKind::Eog))
}
