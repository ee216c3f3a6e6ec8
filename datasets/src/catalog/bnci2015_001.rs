//! Imagined movements of the right hand and both feet with feedback (BNCI 001-2015): 12
//! subjects, 13 electrodes, 512 Hz, two sessions, for subjects 8 to 11 three.
//!
//! A session is one file; MOABB's interval begins at its marker, as here.
//!
//! Reference: J. Faller, C. Vidaurre, T. Solis-Escalante, C. Neuper and R. Scherer (2012),
//! doi:10.1109/tnsre.2012.2189584.

use super::published_mat::{channels, read_graz};
use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile, Sums};
use crate::reader::ReadError;
use acquisition::signal::{ChannelKind, Recording};
use std::borrow::Cow;
use std::path::Path;

const CHANNELS: &[&str] =
    &["FC3", "FCz", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "CP3", "CPz", "CP4"];

const CLASSES: &[ClassRuns] =
    &[ClassRuns::imagined("right_hand", "1"), ClassRuns::imagined("feet", "2")];

/// The dataset.
pub static BNCI2015_001: Dataset = Dataset {
    name: "bnci2015-001",
    title: text("Right hand and feet motor imagery with feedback (BNCI Horizon 2020, 001-2015)"),
    licence: text("CC BY-NC-ND 4.0"),
    citation: text(
        "Faller, J., Vidaurre, C., Solis-Escalante, T., Neuper, C., Scherer, R. (2012): Autocalibration and recurrent adaptation: towards a plug and play online ERD-BCI. IEEE Transactions on Neural Systems and Rehabilitation Engineering 20(3), 313-319.",
    ),
    doi: text("10.1109/tnsre.2012.2189584"),
    home_url: text("http://bnci-horizon-2020.eu/database/data-sets"),
    access: Access::Files {
        url: "https://lampx.tugraz.at/~bci/database/001-2015",
        sums: Sums::Unpublished,
    },
    folder: "001-2015",
    paradigm: Paradigm::MotorImagery,
    rate_hz: 512.0,
    n_channels: 13,
    channels: CHANNELS,
    n_subjects: 12,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 5.0],
    epoch_interval_secs: [0.0, 5.0],
    layout: Layout::Published(files),
    content: Content::Own(read),
};

fn files(subject: u32) -> Vec<RunFile> {
    let n_sessions = if (8..=11).contains(&subject) { 3 } else { 2 };
    let session = |(session, letter): (u32, char)| RunFile {
        subject,
        session,
        run: 1,
        path: format!("S{subject:02}{letter}.mat"),
        part: 0,
        beside: None,
    };
    (0..).zip(['A', 'B', 'C']).take(n_sessions).map(session).collect()
}

fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    read_graz(path, &channels(CHANNELS, &[], ChannelKind::Misc))
}
