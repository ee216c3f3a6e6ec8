//! The High-Gamma dataset (Schirrmeister2017): 14 subjects, 128 electrodes, 500 Hz,
//! movements made: tapping fingers of the left or the right hand, clenching the toes, and
//! rest.
//!
//! EDF+ with the classes as annotations. The training file (all runs but the last two of
//! the experiment) is run 1, the test file run 2 of one session. Movements are executed:
//! ask for `--executed`.
//!
//! Reference: R. T. Schirrmeister et al. (2017), doi:10.1002/hbm.23730.

use super::spec::text;
use super::{
    Access, ClassRuns, Content, CueOn, Dataset, Execution, Layout, Paradigm, RunFile, Runs, Sums,
};
use std::borrow::Cow;

const CLASSES: &[ClassRuns] =
    &[executed("left_hand"), executed("right_hand"), executed("feet"), executed("rest")];

/// The dataset.
pub static SCHIRRMEISTER2017: Dataset = Dataset {
    name: "schirrmeister2017",
    title: text("High-Gamma Dataset"),
    licence: text("CC BY 4.0"),
    citation: text(
        "Schirrmeister, R.T., Springenberg, J.T., Fiederer, L.D.J., Glasstetter, M., Eggensperger, K., Tangermann, M., Hutter, F., Burgard, W., Ball, T. (2017): Deep learning with convolutional neural networks for EEG decoding and visualization. Human Brain Mapping 38(11), 5391-5420.",
    ),
    doi: text("10.1002/hbm.23730"),
    home_url: text("https://web.gin.g-node.org/robintibor/high-gamma-dataset/"),
    access: Access::Files {
        url: "https://web.gin.g-node.org/robintibor/high-gamma-dataset/raw/master/data",
        sums: Sums::Unpublished,
    },
    folder: "MNE-schirrmeister2017-data",
    paradigm: Paradigm::MotorImagery,
    rate_hz: 500.0,
    n_channels: 128,
    // Their names are in each file.
    channels: &[],
    n_subjects: 14,
    classes: Cow::Borrowed(CLASSES),
    task_interval_secs: [0.0, 4.0],
    epoch_interval_secs: [0.0, 4.0],
    layout: Layout::Published(files),
    content: Content::Recording,
};

/// A movement that is made, cued by an annotation of its name.
const fn executed(class: &'static str) -> ClassRuns {
    let cue = CueOn::Marker(text(class));
    let execution = Some(Execution::Executed);
    ClassRuns { class: text(class), cue, execution, runs: Runs::All }
}

fn files(subject: u32) -> Vec<RunFile> {
    let file = |(run, part_of_data): (u32, &str)| RunFile {
        subject,
        session: 0,
        run,
        path: format!("{part_of_data}/{subject}.edf"),
        part: 0,
        beside: None,
    };
    [(1, "train"), (2, "test")].into_iter().map(file).collect()
}
