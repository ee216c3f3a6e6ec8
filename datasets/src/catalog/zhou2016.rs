//! Imagined movements of the left hand, the right hand and the feet (Zhou2016): 4 subjects,
//! 14 electrodes, 250 Hz, three sessions of two runs.
//!
//! Published twice: as Neuroscan CNT, which has no reader here, and by MOABB's authors as
//! EDF in the Brain Imaging Data Structure (Zenodo record 16534752, an archive for each
//! subject), which is read as [`super::bids`] reads it.
//!
//! Reference: B. Zhou, X. Wu, Z. Lv, L. Zhang and X. Guo (2016),
//! doi:10.1371/journal.pone.0162657.

use super::spec::text;
use super::{Access, ClassRuns, Content, Dataset, Layout, Paradigm, bids};
use std::borrow::Cow;

const CLASSES: &[ClassRuns] = &[
    ClassRuns::imagined("left_hand", "left_hand"),
    ClassRuns::imagined("right_hand", "right_hand"),
    ClassRuns::imagined("feet", "feet"),
];

/// The dataset.
pub static ZHOU2016: Dataset = Dataset {
    name: "zhou2016",
    title: text("Three-class motor imagery of four subjects in three sessions"),
    licence: text("CC BY 4.0"),
    citation: text(
        "Zhou, B., Wu, X., Lv, Z., Zhang, L., Guo, X. (2016): A fully automated trial selection method for optimization of motor imagery based brain-computer interface. PLoS ONE 11(9), e0162657.",
    ),
    doi: text("10.1371/journal.pone.0162657"),
    home_url: text("https://doi.org/10.6084/m9.figshare.2061654"),
    access: Access::ByHand(
        "get sub-1.zip to sub-4.zip of Zenodo record 16534752 and unpack them into one folder; the CNT files of the first publication are not read here",
    ),
    folder: "MNE-BIDS-zhou2016",
    paradigm: Paradigm::MotorImagery,
    rate_hz: 250.0,
    n_channels: 14,
    // Their names are in each file.
    channels: &[],
    n_subjects: 4,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 5.0],
    epoch_interval_secs: [0.0, 5.0],
    layout: Layout::InFolder(bids::at),
    content: Content::Unread {
        format: "Neuroscan CNT",
        remedy: "use the edition of Zenodo record 16534752",
    },
};
