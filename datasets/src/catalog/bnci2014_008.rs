//! A P300 speller used by people with amyotrophic lateral sclerosis (BNCI 008-2014): 8
//! subjects, 8 electrodes, 256 Hz, one session.
//!
//! A cue is the beginning of a flash: 2 with the letter that is attended, 1 without.
//!
//! Reference: A. Riccio et al. (2013), doi:10.3389/fnhum.2013.00732.

use super::published_mat::read_speller;
use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile, Sums};
use crate::reader::ReadError;
use acquisition::signal::Recording;
use std::borrow::Cow;
use std::path::Path;

const CHANNELS: &[&str] = &["Fz", "Cz", "Pz", "Oz", "P3", "P4", "PO7", "PO8"];

const CLASSES: &[ClassRuns] = &[ClassRuns::cued("Target", "2"), ClassRuns::cued("NonTarget", "1")];

/// The dataset.
pub static BNCI2014_008: Dataset = Dataset {
    name: "bnci2014-008",
    title: text("P300 speller with ALS patients (BNCI Horizon 2020, 008-2014)"),
    licence: text("CC BY-NC-ND 4.0"),
    citation: text(
        "Riccio, A., Simione, L., Schettini, F., Pizzimenti, A., Inghilleri, M., Belardinelli, M.O., Mattia, D., Cincotti, F. (2013): Attention and P300-based BCI performance in people with amyotrophic lateral sclerosis. Frontiers in Human Neuroscience 7, 732.",
    ),
    doi: text("10.3389/fnhum.2013.00732"),
    home_url: text("http://bnci-horizon-2020.eu/database/data-sets"),
    access: Access::Files {
        url: "https://lampx.tugraz.at/~bci/database/008-2014",
        sums: Sums::Unpublished,
    },
    folder: "008-2014",
    paradigm: Paradigm::P300,
    rate_hz: 256.0,
    n_channels: 8,
    channels: CHANNELS,
    n_subjects: 8,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 1.0],
    epoch_interval_secs: [0.0, 1.0],
    layout: Layout::Published(files),
    content: Content::Own(read),
};

fn files(subject: u32) -> Vec<RunFile> {
    let path = format!("A{subject:02}.mat");
    vec![RunFile { subject, session: 0, run: 1, path, part: 0, beside: None }]
}

fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    read_speller(path, CHANNELS, BNCI2014_008.rate_hz, 1.0)
}
