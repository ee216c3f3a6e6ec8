//! Datasets that are found in folders: described ones and those in the Brain Imaging Data
//! Structure, built here of small EDF files.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

#[path = "support/edf_file.rs"]
mod edf_file;

use acquisition::marker::Cue;
use acquisition::signal::{ChannelKind, Recording, Unit};
use datasets::catalog::{CatalogError, Dataset, Execution, Paradigm};
use datasets::reader::ReadError;
use edf_file::{EdfFile, EdfSignal};
use std::borrow::Cow;
use std::path::Path;
use tempfile::TempDir;

/// Samples a second, and seconds.
const RATE: usize = 100;
const N_SECS: usize = 6;

/// Two EEG channels, one eye, one without a unit, and annotations at 1 and 3 s.
fn edf() -> Vec<u8> {
    let signal = |label: &str, dimension| EdfSignal {
        label: label.to_owned(),
        dimension,
        limits: ["-1000", "1000", "-1000", "1000"],
        n_per_record: RATE,
    };
    let annotations = EdfSignal {
        label: "EDF Annotations".to_owned(),
        dimension: "",
        limits: ["-1", "1", "-32768", "32767"],
        n_per_record: 30,
    };
    let record = |k: usize| {
        let sample = |t: usize| ((t % 50) as i16).to_le_bytes();
        let mut bytes: Vec<u8> = (0..4 * RATE).flat_map(sample).collect();
        let event = match k {
            1 => "+1\u{15}2\u{14}T1\u{14}\0",
            3 => "+3\u{15}2\u{14}T2\u{14}\0",
            _ => "",
        };
        let mut text = format!("+{k}\u{14}\u{14}\0{event}").into_bytes();
        text.resize(60, 0);
        bytes.extend(text);
        bytes
    };
    let signals = vec![
        signal("C3", "uV"),
        signal("C4", "uV"),
        signal("VEO", "uV"),
        signal("X1", ""),
        annotations,
    ];
    let records = (0..N_SECS).map(record).collect();
    EdfFile { reserved: "EDF+C", n_records: N_SECS.to_string(), record_secs: "1", signals, records }
        .bytes()
}

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn look(name: &str, root: &Path) -> Result<Cow<'static, Dataset>, CatalogError> {
    Dataset::find(name).unwrap().at(root)
}

fn problem(name: &str, root: &Path) -> String {
    look(name, root).map(|_| ()).unwrap_err().to_string()
}

/// The recordings of a subject with their cues: session, run, recording, cues.
fn load(
    dataset: &Dataset,
    root: &Path,
    subject: u32,
    classes: &[&str],
) -> Vec<(u32, u32, Recording, Vec<Cue>)> {
    let classes: Vec<String> = classes.iter().map(|&class| class.to_owned()).collect();
    let specs = dataset.runs_for(subject, &classes, Execution::Imagined).unwrap();
    let mut runs = Vec::new();
    for spec in specs {
        let path = dataset.locate(root, &spec.file).unwrap();
        let recording = dataset.read(&path).unwrap().swap_remove(spec.file.part);
        let cues = spec.cues(&recording, &classes, dataset.task_interval_secs);
        runs.push((spec.file.session, spec.file.run, recording, cues));
    }
    runs
}

const DESCRIPTION: &str = r#"
title = "Fists at home"
paradigm = "motor_imagery"
files = "{subject}/day{session}_run{run}.edf"
task_interval_secs = [0.0, 2.0]
epoch_interval_secs = [0.5, 1.5]

[classes]
left_hand = "T1"
right_hand = ["T2", "right"]
"#;

#[test]
fn a_described_folder_is_a_dataset() {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    for path in ["bert/day2_run1.edf", "anna/day10_run1.edf", "anna/day9_run2.edf"] {
        write(root, path, &edf());
    }
    write(root, "anna/day9_run1.edf", &edf());
    write(root, "anna/notes.txt", b"none");
    write(root, "mindloop.toml", DESCRIPTION.as_bytes());
    let dataset = look("folder", root).unwrap();
    assert_eq!((dataset.name, dataset.title.as_ref()), ("folder", "Fists at home"));
    assert_eq!((dataset.n_subjects, dataset.paradigm), (2, Paradigm::MotorImagery));
    // Nothing says that X1 is no EEG.
    assert_eq!((dataset.rate_hz, dataset.n_channels), (RATE as f64, 3));
    assert_eq!(dataset.epoch_interval_secs, [0.5, 1.5]);
    assert_eq!(dataset.class_names(), ["left_hand", "right_hand"]);
    // Numbers in names count as numbers: day 9 before day 10.
    let runs = load(&dataset, root, 1, &["left_hand", "right_hand"]);
    let places: Vec<_> = runs.iter().map(|(session, run, ..)| (*session, *run)).collect();
    assert_eq!(places, [(0, 1), (0, 2), (1, 1)]);
    for (_, _, recording, cues) in &runs {
        let cues: Vec<_> = cues.iter().map(|cue| (cue.onset_secs, cue.class.0)).collect();
        assert_eq!(cues, [(1.0, 1), (3.0, 2)]);
        assert_eq!(recording.n_samples(), RATE * N_SECS);
    }
    assert_eq!(load(&dataset, root, 2, &["right_hand"]).len(), 1);
    assert!(dataset.parse_subjects("1-3").is_err());
}

#[test]
fn events_may_stand_in_tables() {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    write(root, "S1.edf", &edf());
    let table = "onset,duration,trial_type\n0.5,1,right\nn/a,1,right\n2.25,1,left\n";
    write(root, "events/1.csv", table.as_bytes());
    let text = r#"
        files = "S{subject}.edf"
        events = "events/{subject}.csv"
        task_interval_secs = [0, 1]
        classes = { left = "left", right = "right" }
    "#;
    write(root, "mindloop.toml", text.as_bytes());
    let dataset = look("folder", root).unwrap();
    let runs = load(&dataset, root, 1, &["left", "right"]);
    let cues: Vec<_> = runs[0].3.iter().map(|cue| (cue.onset_secs, cue.class.0)).collect();
    assert_eq!(cues, [(0.5, 2), (2.25, 1)]);
    assert_eq!(runs[0].2.findings.len(), 1, "{:?}", runs[0].2.findings);
    // A table that is not there is an error, not a run without events.
    std::fs::remove_file(root.join("events/1.csv")).unwrap();
    let file = dataset.file(1, 1).unwrap();
    let error = dataset.read(&dataset.locate(root, &file).unwrap()).unwrap_err();
    assert!(matches!(error, ReadError::Io { .. }), "{error}");
}

#[test]
fn descriptions_are_checked() {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    assert!(problem("folder", root).contains("mindloop.toml"));
    write(root, "S1/a.edf", &edf());
    write(root, "S1/b.edf", &edf());
    for (from, to, expected) in [
        ("title", "titel", "unknown field"),
        ("motor_imagery", "motor", "p300"),
        ("[0.0, 2.0]", "[2.0, 0.0]", "interval"),
        ("{run}.edf", "{runn}.edf", "brace"),
        ("{subject}/day{session}_run{run}.edf", "S1/{run}.edf", "{subject}"),
        ("{subject}/day{session}_run{run}.edf", "{subject}/*.edf", "two files of one run"),
        ("{subject}/day{session}_run{run}.edf", "{subject}/{run}.bdf", "no recording"),
        ("[classes]", "[more]", "unknown field"),
        ("left_hand = \"T1\"\nright_hand = [\"T2\", \"right\"]", "", "[classes]"),
        ("files", "\u{1b}[2J", "no description"),
    ] {
        let text =
            DESCRIPTION.replace("{subject}/day{session}_run{run}.edf", "{subject}/{run}.edf");
        let pattern = from.replace("{subject}/day{session}_run{run}.edf", "{subject}/{run}.edf");
        assert!(text.contains(&pattern), "{from}");
        write(root, "mindloop.toml", text.replace(&pattern, to).as_bytes());
        let problem = problem("folder", root);
        assert!(problem.contains(expected), "{to}: {problem}");
        assert!(!problem.contains('\u{1b}'), "{problem:?}");
    }
    assert!(matches!(
        Dataset::find("folder").unwrap().files(1),
        Err(CatalogError::NotLooked { .. })
    ));
}

const EVENTS: &str = "onset\tduration\ttrial_type\n1.5\t2.0\tleft\n3.0\t2.0\tright\n5\tn/a\tn/a\n";

/// Two subjects, the second with two sessions and two runs in the first.
fn bids() -> TempDir {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    let text =
        r#"{"Name": "Fists", "License": "CC0", "Authors": ["A", "B"], "BIDSVersion": "1.9.0"}"#;
    write(root, "dataset_description.json", text.as_bytes());
    write(root, "participants.tsv", b"participant_id\tage\nsub-10\t30\nsub-2\t31\n");
    let stem = "sub-10/eeg/sub-10_task-mi";
    write(root, &format!("{stem}_eeg.edf"), &edf());
    write(root, &format!("{stem}_events.tsv"), EVENTS.as_bytes());
    for (session, run) in [("1", "01"), ("1", "02"), ("2", "01")] {
        let stem = format!("sub-2/ses-{session}/eeg/sub-2_ses-{session}_task-mi_run-{run}");
        write(root, &format!("{stem}_eeg.edf"), &edf());
        write(root, &format!("{stem}_eeg.json"), b"{}");
    }
    // One table of channels for all of it, and of events for the second subject.
    let channels =
        "name\ttype\tunits\tstatus\nC3\tEEG\tuV\tgood\nVEO\tVEOG\tuV\tgood\nX1\tEEG\tmV\tgood\n";
    write(root, "task-mi_channels.tsv", channels.as_bytes());
    write(root, "sub-2/sub-2_events.tsv", EVENTS.as_bytes());
    dir
}

#[test]
fn a_bids_folder_describes_itself() {
    let dir = bids();
    let root = dir.path();
    let dataset = look("bids", root).unwrap();
    assert_eq!((dataset.title.as_ref(), dataset.licence.as_ref()), ("Fists", "CC0"));
    assert_eq!((dataset.citation.as_ref(), dataset.n_subjects), ("A, B", 2));
    assert_eq!(dataset.class_names(), ["left", "right"]);
    assert_eq!(dataset.task_interval_secs, [0.0, 2.0]);
    // X1 is EEG by the table, the file knows nothing of it.
    assert_eq!((dataset.rate_hz, dataset.n_channels), (100.0, 3));
    // The first subject is the first of participants.tsv.
    assert_eq!(load(&dataset, root, 1, &["left"]).len(), 1);
    let runs = load(&dataset, root, 2, &["left", "right"]);
    let places: Vec<_> = runs.iter().map(|(session, run, ..)| (*session, *run)).collect();
    assert_eq!(places, [(0, 1), (0, 2), (1, 1)]);
    for (_, _, recording, cues) in &runs {
        let cues: Vec<_> = cues.iter().map(|cue| (cue.onset_secs, cue.class.0)).collect();
        assert_eq!(cues, [(1.5, 1), (3.0, 2)]);
        let channel = |c: usize| (recording.info.channels[c].kind, recording.info.channels[c].unit);
        assert_eq!(channel(2), (ChannelKind::Eog, Unit::Microvolt));
        assert_eq!(channel(3), (ChannelKind::Eeg, Unit::Microvolt));
        // Millivolts in the table: 7 of them are 7000 microvolts.
        assert_eq!((recording.samples[[0, 7]], recording.samples[[3, 7]]), (7.0, 7000.0));
    }
}

#[test]
fn bad_channels_take_no_part() {
    let dir = bids();
    let root = dir.path();
    let table = "name\ttype\tunits\tstatus\nC4\tEEG\tuV\tbad\n";
    write(root, "sub-10/eeg/sub-10_task-mi_channels.tsv", table.as_bytes());
    let dataset = look("bids", root).unwrap();
    let runs = load(&dataset, root, 1, &["left"]);
    let recording = &runs[0].2;
    let brain = recording.info.brain_channels();
    assert!(!brain.contains(&1), "{brain:?}");
    assert!(recording.findings.iter().any(|finding| finding.place == "channel C4"));
}

#[test]
fn a_description_may_say_more_than_the_folder() {
    let dir = bids();
    let root = dir.path();
    let text = "task_interval_secs = [0.5, 1.5]\n[classes]\nfist = [\"left\", \"right\"]\n";
    write(root, "mindloop.toml", text.as_bytes());
    let dataset = look("bids", root).unwrap();
    assert_eq!((dataset.task_interval_secs, dataset.class_names()), ([0.5, 1.5], vec!["fist"]));
    let runs = load(&dataset, root, 1, &["fist"]);
    assert_eq!(runs[0].3.len(), 2);
}

#[test]
fn what_has_no_reader_says_so() {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    assert!(problem("bids", root).contains("no recording"));
    write(root, "sub-1/eeg/sub-1_task-x_eeg.vhdr", b"Brain Vision Data Exchange Header File");
    write(root, "sub-1/eeg/sub-1_task-x_events.tsv", EVENTS.as_bytes());
    let problem = problem("bids", root);
    assert!(problem.contains("BrainVision") && problem.contains("convert"), "{problem}");
}

#[test]
fn events_without_duration_need_a_description() {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    write(root, "sub-1/eeg/sub-1_task-x_eeg.edf", &edf());
    write(root, "sub-1/eeg/sub-1_task-x_events.tsv", b"onset\tduration\tvalue\n1\t0\tgo\n");
    let problem = problem("bids", root);
    assert!(problem.contains("mindloop.toml") && problem.contains("interval"), "{problem}");
}

#[test]
fn a_published_edition_in_bids_is_found() {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    for session in 0..3 {
        let stem = format!("sub-1/ses-{session}/eeg/sub-1_ses-{session}_task-imagery_run-0");
        let root = root.join("MNE-BIDS-zhou2016");
        write(&root, &format!("{stem}_eeg.edf"), &edf());
        let events = EVENTS.replace("left", "left_hand").replace("right", "right_hand");
        write(&root, &format!("{stem}_events.tsv"), events.as_bytes());
    }
    let dataset = look("zhou2016", root).unwrap();
    assert_eq!((dataset.n_subjects, dataset.epoch_interval_secs), (1, [0.0, 5.0]));
    let runs = load(&dataset, root, 1, &["left_hand", "right_hand"]);
    let sessions: Vec<_> = runs.iter().map(|(session, ..)| *session).collect();
    assert_eq!(sessions, [0, 1, 2]);
    assert!(problem("zhou2016", &root.join("elsewhere")).contains("can't be listed"));
}
