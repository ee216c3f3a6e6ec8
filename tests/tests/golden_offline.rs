//! Offline scores are MOABB's: its own evaluation of the same recordings
//! (`tests/reference/offline_scores.py`), score by score.

use datasets::catalog::{Dataset, Execution};
use datasets::folds::{Overlap, stratified};
use decoding::evaluate::pseudo_online::Run;
use decoding::front_end::FrontEndSpec;
use decoding::offline::cross_validation::{OfflineMetric, cross_validate};
use decoding::offline::trials::TrialSpec;
use decoding::pipeline::{Pipeline, built_in, demands};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use tests::data::{find, root};

/// One trial of 45, in five folds: the smallest step of the score.
const QUANTUM: f64 = 0.01 + 1e-9;

#[derive(Deserialize)]
struct Golden {
    seed: u32,
    interval_secs: [f64; 2],
    band_hz: [f64; 2],
    scores: Vec<Score>,
}

#[derive(Deserialize)]
struct Score {
    subject: u32,
    pipeline: String,
    score: f64,
}

/// The runs of imagined fists.
fn load(data_dir: &Path, subject: u32) -> Vec<Run> {
    let dataset = Dataset::find("physionet-mi").expect("the first dataset of the catalogue");
    let classes = ["left_hand", "right_hand"].map(str::to_owned);
    let specs = dataset.runs_for(&classes, Execution::Imagined).expect("classes it has");
    let load_run = |spec: &datasets::catalog::RunSpec| {
        let path = dataset.locate(data_dir, subject, spec.run).expect("a recording");
        let recording = datasets::reader::read_recording(&path).expect("a sound recording");
        let cues = spec.markers(&classes).cues(&recording.markers);
        Run { recording: Arc::new(recording), cues }
    };
    specs.iter().map(load_run).collect()
}

/// A built-in pipeline, or one that is written as MOABB has it.
fn pipeline(name: &str) -> Pipeline {
    let path = root().join(format!("tests/compare/benchmark/{name}.toml"));
    let pipeline = match std::fs::read_to_string(path) {
        Ok(text) => Pipeline::from_toml(&text).expect("a pipeline"),
        Err(_) => built_in::find(name).expect("a built-in pipeline"),
    };
    pipeline.among_tasks(2).expect("two classes")
}

#[test]
fn scores_are_those_of_moabb() {
    let Some(data_dir) = find("eegmmidb") else { return };
    let golden = root().join("tests/data/golden/offline_physionet_mi.json");
    let golden: Golden =
        serde_json::from_slice(&std::fs::read(golden).unwrap()).expect("the golden file");
    let [low_hz, high_hz] = golden.band_hz;
    let spec = TrialSpec {
        front_end: FrontEndSpec { low_hz, high_hz, ..FrontEndSpec::default() },
        interval_secs: golden.interval_secs,
    };
    let names =
        ["mdm", "ts+lr", "ts+svm", "ts+el", "logvar+lda", "csp+lda", "csp+svm", "acm2.4+ts+svm"];
    let pipelines = names.map(pipeline);
    for subject in [1, 3, 7] {
        let runs = load(&data_dir, subject);
        let trials = spec.cut(&runs, &demands(&pipelines), 2).unwrap();
        let (examples, spans) = (&trials.examples, trials.spans());
        assert_eq!(examples.labels.len(), 45);
        let folds = stratified(&examples.labels, &spans, 5, golden.seed, Overlap::Refused).unwrap();
        for (name, pipeline) in names.iter().zip(&pipelines) {
            let ours = cross_validate(pipeline, examples, &folds, OfflineMetric::RocAuc).unwrap();
            let is_it = |row: &&Score| row.subject == subject && row.pipeline == *name;
            let theirs = golden.scores.iter().find(is_it).expect("its row").score;
            assert!(
                (ours.score - theirs).abs() <= QUANTUM,
                "S{subject:03} {name}: {} is not {theirs}",
                ours.score
            );
        }
    }
}
