//! Where the recordings are. Tests that need some ask here; where there are none they
//! say `needs recordings` and pass, unless `MINDLOOP_REQUIRE_DATA=1`.

use datasets::catalog::{Dataset, Execution, RunSpec};
use decoding::evaluate::pseudo_online::Run;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("packages lie in the workspace")
}

/// A file or folder below `MINDLOOP_DATA` (default: `../shared/data`, seen from the
/// workspace's root), if it is there.
pub fn find(relative: &str) -> Option<PathBuf> {
    let data = std::env::var_os("MINDLOOP_DATA").unwrap_or_else(|| "../shared/data".into());
    let path = root().join(data).join(relative);
    if path.exists() {
        return Some(path);
    }
    let is_required = std::env::var_os("MINDLOOP_REQUIRE_DATA").is_some_and(|v| v == "1");
    assert!(!is_required, "MINDLOOP_REQUIRE_DATA=1, and there is no {}", path.display());
    println!("needs recordings: {}", path.display());
    None
}

/// The runs of a subject of EEGMMIDB with imagined fists, in the order of recording.
///
/// # Panics
/// If one is not there.
pub fn imagined_fists(data_dir: &Path, subject: u32) -> Vec<Run> {
    let dataset = Dataset::find("physionet-mi").expect("the first dataset of the catalogue");
    let classes = ["left_hand", "right_hand"].map(str::to_owned);
    let specs = dataset.runs_for(subject, &classes, Execution::Imagined).expect("classes it has");
    let load_run = |spec: &RunSpec| {
        let path = dataset.locate(data_dir, &spec.file).expect("a recording of the inventory");
        let recording = datasets::reader::read_recording(&path).expect("a sound recording");
        let cues = spec.cues(&recording, &classes, dataset.task_interval_secs);
        Run { recording: Arc::new(recording), cues }
    };
    specs.iter().map(load_run).collect()
}
