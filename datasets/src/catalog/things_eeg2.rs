//! Pictures of objects seen in rapid succession (THINGS-EEG2): 10 subjects, four sessions,
//! 1000 Hz.
//!
//! The raw recordings are published as pickled Python objects in NumPy files, which are
//! programs rather than data and are not read here: the entry lists and finds them, and
//! reading says what to do. The authors cut epochs from 200 ms before a picture to 800 ms
//! after it.
//!
//! Reference: A. T. Gifford, K. Dwivedi, G. Roig and R. M. Cichy (2022),
//! doi:10.1016/j.neuroimage.2022.119754.

use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile};
use std::borrow::Cow;

/// Every picture is a class of its own; the status channel holds its number.
const CLASSES: &[ClassRuns] = &[ClassRuns::cued("picture", "stim")];

/// The dataset.
pub static THINGS_EEG2: Dataset = Dataset {
    name: "things-eeg2",
    title: text("A large and rich EEG dataset for modeling human visual object recognition"),
    licence: text("see https://osf.io/3jk45/"),
    citation: text(
        "Gifford, A.T., Dwivedi, K., Roig, G., Cichy, R.M. (2022): A large and rich EEG dataset for modeling human visual object recognition. NeuroImage 264, 119754.",
    ),
    doi: text("10.1016/j.neuroimage.2022.119754"),
    home_url: text("https://osf.io/3jk45/"),
    access: Access::ByHand("get the raw EEG data from https://osf.io/3jk45/"),
    folder: "raw_data",
    paradigm: Paradigm::Visual,
    rate_hz: 1000.0,
    n_channels: 63,
    channels: &[],
    n_subjects: 10,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 0.2],
    epoch_interval_secs: [-0.2, 0.8],
    layout: Layout::Published(files),
    content: Content::Unread {
        format: "a pickled NumPy file",
        remedy: "write its samples and events as FIF or EDF with MNE, and use `folder`",
    },
};

/// The training part of each session, then its test part.
fn files(subject: u32) -> Vec<RunFile> {
    let session = |session: u32| {
        [(1, "training"), (2, "test")].map(|(run, part)| RunFile {
            subject,
            session,
            run,
            path: format!("sub-{subject:02}/ses-{:02}/raw_eeg_{part}.npy", session + 1),
            part: 0,
            beside: None,
        })
    };
    (0..4).flat_map(session).collect()
}
