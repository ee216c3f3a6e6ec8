//! Offline scores are MOABB's: its own evaluation of the same recordings
//! (`tests/reference/offline_scores.py`, `offline_ssvep.py`), score by score.

use datasets::folds::{Overlap, stratified};
use decoding::front_end::FrontEndSpec;
use decoding::offline::cross_validation::{OfflineMetric, cross_validate};
use decoding::offline::trials::TrialSpec;
use decoding::pipeline::{Pipeline, built_in, demands};
use serde::Deserialize;
use std::fs;
use tempfile::TempDir;
use tests::cli::{arg, succeed};
use tests::data::{find, imagined_fists, root};
use tests::golden;

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

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
struct Flicker {
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
    let pipeline = match fs::read_to_string(path) {
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
    let names = [
        "mdm",
        "fgmdm",
        "ts+lr",
        "ts+svm",
        "ts+el",
        "logvar+lda",
        "csp+lda",
        "csp+svm",
        "fbcsp+svm",
        "acm2.4+ts+svm",
    ];
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

#[test]
fn flicker_scores_are_those_of_moabb() {
    let Some(data_dir) = find("ssvep_exoskeleton") else { return };
    let golden: Flicker = golden::load("offline_kalunga2016.json");
    let folder = TempDir::new().expect("a temporary folder");
    let (plan, out) = (folder.path().join("plan.toml"), folder.path().join("out"));
    let file = |name: &str| root().join(format!("tests/compare/benchmark/{name}.toml"));
    let names = [("cca+largest", "cca"), ("fbts+lr", "ts+lr")];
    let [largest, tangent] = names.map(|(ours, _)| file(ours).display().to_string());
    let text = format!(
        "pipelines = [{largest:?}, {tangent:?}]\nmodes = [\"offline\"]\n[[datasets]]\n\
         name = \"kalunga2016\"\nsubjects = \"1,2,5\"\nclasses = [\"13\", \"17\", \"21\"]\n\
         data_dir = {:?}\n[offline]\nband_hz = [7, 45]\npermutations = 0\n",
        data_dir.display().to_string(),
    );
    fs::write(&plan, text).expect("a writable folder");
    succeed(EXE, &["benchmark", arg(&plan), "--output", arg(&out)]);
    let table = fs::read_to_string(out.join("results.csv")).expect("the results");
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name).expect("a column");
    let [score, subject, pipeline] = ["score", "subject", "pipeline"].map(column);
    let mut n_compared = 0;
    for line in lines {
        let values: Vec<&str> = line.split(',').collect();
        let (_, theirs) = names.iter().find(|(ours, _)| *ours == values[pipeline]).expect("ours");
        let is_it =
            |row: &&Row| row.pipeline == *theirs && row.subject.to_string() == values[subject];
        let expected = golden.scores.iter().find(is_it).expect("its row").score;
        let found: f64 = values[score].parse().expect("a number");
        // Theirs is stored in single precision; a trial of 48 in five folds is 0.02.
        assert!((found - expected).abs() < 1e-5, "{line}: not {expected}");
        n_compared += 1;
    }
    assert_eq!(n_compared, 6);
}
