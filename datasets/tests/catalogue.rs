//! Catalogued datasets on real files: cues as MNE counts them, names and intervals as MOABB
//! declares them (`tests/reference/catalogue_golden.py`).

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

#[path = "support/data.rs"]
mod data;

use self::data::data_dir;
use acquisition::marker::Cue;
use datasets::catalog::{Dataset, Execution, RunSpec};
use serde_json::Value;
use std::path::Path;

/// The cues of a run, with its file read.
fn cues(dataset: &Dataset, data_dir: &Path, spec: &RunSpec, classes: &[String]) -> Vec<Cue> {
    let path = dataset.locate(data_dir, &spec.file).unwrap();
    let recordings = dataset.read(&path).unwrap();
    let info = &recordings[spec.file.part].info;
    let brain = info.brain_channels();
    let labels: Vec<_> = brain.iter().map(|&c| info.channels[c].label.as_str()).collect();
    assert_eq!(labels, dataset.channels, "{}", dataset.name);
    assert_eq!(info.rate.hz(), dataset.rate_hz, "{}", dataset.name);
    spec.cues(&recordings[spec.file.part], classes, dataset.task_interval_secs)
}

#[test]
fn cues_are_those_of_mne() {
    let Some(data_dir) = data_dir("ssvep_exoskeleton") else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/catalogue.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (name, golden) in golden["datasets"].as_object().unwrap() {
        let dataset = Dataset::find(name).unwrap();
        let interval = golden["interval"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
        assert_eq!(interval.collect::<Vec<_>>(), dataset.epoch_interval_secs, "{name}");
        for (subject, golden) in golden["subjects"].as_object().unwrap() {
            let golden = golden.as_object().unwrap();
            let classes: Vec<String> = golden.keys().cloned().collect();
            let subject = subject.parse().unwrap();
            let specs = dataset.runs_for(subject, &classes, Execution::Imagined).unwrap();
            assert!(specs.iter().all(|spec| spec.file.session == 0), "{name} {subject}");
            let runs: Vec<_> =
                specs.iter().map(|spec| cues(dataset, &data_dir, spec, &classes)).collect();
            for (k, class) in classes.iter().enumerate() {
                let of_class = |cue: &&Cue| cue.class.index() == k + 1;
                let n: usize = runs.iter().map(|cues| cues.iter().filter(of_class).count()).sum();
                assert_eq!(Some(n as u64), golden[class]["n"].as_u64(), "{name} {subject} {class}");
                let firsts = golden[class]["first_secs"].as_array().unwrap();
                assert_eq!(firsts.len(), runs.len(), "{name} {subject}");
                for (cues, first) in runs.iter().zip(firsts) {
                    let ours = cues.iter().find(of_class).unwrap().onset_secs;
                    assert!((ours - first.as_f64().unwrap()).abs() < 1e-6, "{name} {class}");
                }
            }
        }
    }
}
