//! BCI Competition IV, data set 2b (BNCI 004-2014): 9 subjects, 3 bipolar derivations,
//! 250 Hz, imagined movements of the left and the right hand in five sessions.
//!
//! The first file holds three sessions (the third with feedback), the second two. Markers
//! stand at a trial's start, three seconds before the arrow.
//!
//! Reference: R. Leeb, F. Lee, C. Keinrath, R. Scherer, H. Bischof and G. Pfurtscheller
//! (2007), doi:10.1109/TNSRE.2007.906956.

use super::published_mat::{channels, read_graz};
use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile, Sums};
use crate::reader::ReadError;
use acquisition::signal::{ChannelKind, Recording};
use std::borrow::Cow;
use std::path::Path;

const CHANNELS: &[&str] = &["C3", "Cz", "C4"];
const EOG: &[&str] = &["EOG1", "EOG2", "EOG3"];

const CLASSES: &[ClassRuns] =
    &[ClassRuns::imagined("left_hand", "1"), ClassRuns::imagined("right_hand", "2")];

/// The dataset.
pub static BNCI2014_004: Dataset = Dataset {
    name: "bnci2014-004",
    title: text("BCI Competition IV, data set 2b (BNCI Horizon 2020, 004-2014)"),
    licence: text("CC BY-ND 4.0"),
    citation: text(
        "Leeb, R., Lee, F., Keinrath, C., Scherer, R., Bischof, H., Pfurtscheller, G. (2007): Brain-computer communication: motivation, aim, and impact of exploring a virtual apartment. IEEE Transactions on Neural Systems and Rehabilitation Engineering 15(4), 473-482.",
    ),
    doi: text("10.1109/TNSRE.2007.906956"),
    home_url: text("http://bnci-horizon-2020.eu/database/data-sets"),
    access: Access::Files {
        url: "https://lampx.tugraz.at/~bci/database/004-2014",
        sums: Sums::Unpublished,
    },
    folder: "004-2014",
    paradigm: Paradigm::MotorImagery,
    rate_hz: 250.0,
    n_channels: 3,
    channels: CHANNELS,
    n_subjects: 9,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [3.0, 7.5],
    epoch_interval_secs: [3.0, 7.5],
    layout: Layout::Published(files),
    content: Content::Own(read),
};

fn files(subject: u32) -> Vec<RunFile> {
    let session = |(session, letter, part): (u32, char, usize)| RunFile {
        subject,
        session,
        run: 1,
        path: format!("B{subject:02}{letter}.mat"),
        part,
        beside: None,
    };
    let sessions = [(0, 'T', 0), (1, 'T', 1), (2, 'T', 2), (3, 'E', 0), (4, 'E', 1)];
    sessions.into_iter().map(session).collect()
}

fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    read_graz(path, &channels(CHANNELS, EOG, ChannelKind::Eog))
}
