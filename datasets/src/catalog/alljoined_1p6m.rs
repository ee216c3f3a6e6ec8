//! Pictures seen in rapid succession, a consumer headset (Alljoined-1.6M): 20 subjects, 32
//! electrodes, 256 Hz, four sessions.
//!
//! The edition of NEMAR (nm000134) is in the Brain Imaging Data Structure and read as
//! [`super::bids`] reads it: classes are the texts of its events. A picture stands for 100
//! ms, and the next follows after 200 ms; no interval for epochs is declared, so that the
//! one here is that cycle.
//!
//! Reference: J. Xu et al. (2025), doi:10.48550/arXiv.2508.18571.

use super::spec::text;
use super::{Access, Content, Dataset, Layout, Paradigm, bids};
use std::borrow::Cow;

/// The dataset.
pub static ALLJOINED_1P6M: Dataset = Dataset {
    name: "alljoined-1.6m",
    title: text("Alljoined-1.6M"),
    licence: text("CC BY-NC-ND 4.0"),
    citation: text(
        "Xu, J., Bruzadin Nunes, U., Jiang, W., Ryther, S., Pringle, J., Scotti, P.S., Delorme, A., Kneeland, R. (2025): Alljoined-1.6M: A Million-Trial EEG-Image Dataset for Evaluating Affordable Brain-Computer Interfaces. arXiv:2508.18571.",
    ),
    doi: text("10.82901/nemar.nm000134"),
    home_url: text("https://nemar.org/dataexplorer/detail/nm000134"),
    access: Access::ByHand(
        "get the BIDS edition of doi:10.82901/nemar.nm000134 and name its folder by --data-dir",
    ),
    folder: "nm000134",
    paradigm: Paradigm::Visual,
    rate_hz: 256.0,
    n_channels: 32,
    channels: &[
        "Cz", "Fp1", "F7", "F3", "CP5", "CP1", "P1", "P3", "P5", "P7", "PO9", "PO7", "PO3", "O1",
        "O9", "Pz", "POz", "Oz", "O10", "O2", "PO4", "PO8", "PO10", "P8", "P6", "P4", "P2", "CP2",
        "CP6", "F4", "F8", "Fp2",
    ],
    n_subjects: 20,
    // Found in the folder: there are as many as pictures.
    classes: Cow::Borrowed(&[]),
    task_interval_secs: [0.0, 0.2],
    epoch_interval_secs: [0.0, 0.2],
    layout: Layout::InFolder(bids::at),
    content: Content::Recording,
};
