//! Offline scores are MOABB's: its own evaluation of the same recordings
//! (`tests/reference/offline_scores.py`), score by score.

use datasets::folds::{Overlap, stratified};
use decoding::front_end::FrontEndSpec;
use decoding::offline::cross_validation::{OfflineMetric, cross_validate};
use decoding::offline::trials::TrialSpec;
use decoding::pipeline::{Pipeline, built_in, demands};
use serde::Deserialize;
use tests::data::{find, imagined_fists, root};
use tests::golden;

/// One trial of 45, in five folds: the smallest step of the score.
const QUANTUM: f64 = 0.01 + 1e-9;

#[derive(Deserialize)]
struct Golden {
    seed: u32,
    interval_secs: [f64; 2],
    band_hz: [f64; 2],
    scores: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    subject: u32,
    pipeline: String,
    score: f64,
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
    let golden: Golden = golden::load("offline_physionet_mi.json");
    let [low_hz, high_hz] = golden.band_hz;
    let spec = TrialSpec {
        front_end: FrontEndSpec { low_hz, high_hz, ..FrontEndSpec::default() },
        interval_secs: golden.interval_secs,
    };
    let names =
        ["mdm", "ts+lr", "ts+svm", "ts+el", "logvar+lda", "csp+lda", "csp+svm", "acm2.4+ts+svm"];
    let pipelines = names.map(pipeline);
    for subject in [1, 3, 7] {
        let runs = imagined_fists(&data_dir, subject);
        let trials = spec.cut(&runs, &demands(&pipelines), 2).unwrap();
        let (examples, spans) = (&trials.examples, trials.spans());
        assert_eq!(examples.labels.len(), 45);
        let folds = stratified(&examples.labels, &spans, 5, golden.seed, Overlap::Refused).unwrap();
        for (name, pipeline) in names.iter().zip(&pipelines) {
            let ours = cross_validate(pipeline, examples, &folds, OfflineMetric::RocAuc).unwrap();
            let is_it = |row: &&Row| row.subject == subject && row.pipeline == *name;
            let theirs = golden.scores.iter().find(is_it).expect("its row").score;
            assert!(
                (ours.score - theirs).abs() <= QUANTUM,
                "S{subject:03} {name}: {} is not {theirs}",
                ours.score
            );
        }
    }
}
