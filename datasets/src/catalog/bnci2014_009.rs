//! A P300 speller with overt attention (BNCI 009-2014): 10 subjects, 16 electrodes, 256 Hz,
//! three sessions in one file each (the grid speller; the file of the other interface is
//! not listed).
//!
//! A cue is the beginning of a flash: 2 with the letter that is attended, 1 without. The
//! samples are in tenths of a microvolt, as MOABB has found too.
//!
//! Reference: P. Aricò, F. Aloise, F. Schettini, S. Salinari, D. Mattia and F. Cincotti
//! (2014), doi:10.1088/1741-2560/11/3/035008.

use super::published_mat::read_speller;
use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, RunFile, Sums};
use crate::reader::ReadError;
use acquisition::signal::Recording;
use std::borrow::Cow;
use std::path::Path;

const CHANNELS: &[&str] = &[
    "Fz", "Cz", "Pz", "Oz", "P3", "P4", "PO7", "PO8", "F3", "F4", "FCz", "C3", "C4", "CP3", "CPz",
    "CP4",
];
/// Microvolts in the unit of the file.
const SCALE: f64 = 0.1;

const CLASSES: &[ClassRuns] = &[ClassRuns::cued("Target", "2"), ClassRuns::cued("NonTarget", "1")];

/// The dataset.
pub static BNCI2014_009: Dataset = Dataset {
    name: "bnci2014-009",
    title: text("P300 speller with overt attention (BNCI Horizon 2020, 009-2014)"),
    licence: text("CC BY-NC-ND 4.0"),
    citation: text(
        "Aricò, P., Aloise, F., Schettini, F., Salinari, S., Mattia, D., Cincotti, F. (2014): Influence of P300 latency jitter on event related potential-based brain-computer interface performance. Journal of Neural Engineering 11(3), 035008.",
    ),
    doi: text("10.1088/1741-2560/11/3/035008"),
    home_url: text("http://bnci-horizon-2020.eu/database/data-sets"),
    access: Access::Files {
        url: "https://lampx.tugraz.at/~bci/database/009-2014",
        sums: Sums::Unpublished,
    },
    folder: "009-2014",
    paradigm: Paradigm::P300,
    rate_hz: 256.0,
    n_channels: 16,
    channels: CHANNELS,
    n_subjects: 10,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 0.8],
    epoch_interval_secs: [0.0, 0.8],
    layout: Layout::Published(files),
    content: Content::Own(read),
};

fn files(subject: u32) -> Vec<RunFile> {
    let path = format!("A{subject:02}S.mat");
    let session = |session: u32| RunFile {
        subject,
        session,
        run: 1,
        path: path.clone(),
        part: session as usize,
        beside: None,
    };
    (0..3).map(session).collect()
}

fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    read_speller(path, CHANNELS, BNCI2014_009.rate_hz, SCALE)
}
