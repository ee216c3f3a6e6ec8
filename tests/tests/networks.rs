//! Networks in the product: described by a file, trained, scored, saved and replayed like any
//! other pipeline.

use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::cli::{arg, decisions_of_log, run, succeed};
use tests::world;

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

/// A small network that learns in seconds.
const SMALL: &str = "name = \"small\"\n[[steps]]\nstep = \"band_pass\"\n[[steps]]\nstep = \
                     \"samples\"\n[[steps]]\nstep = \"network\"\nkind = \"shallow\"\nevery = 5\n\
                     network = { n_filters_time = 4, n_filters_space = 4 }\ntraining = { n_epochs = 3 }\n";

fn described(folder: &Path) -> (String, String) {
    let data_dir = world::write_dataset(folder);
    let path = folder.join("small.toml");
    fs::write(&path, SMALL).expect("a writable folder");
    (arg(&data_dir).to_owned(), arg(&path).to_owned())
}

#[test]
fn a_network_is_trained_saved_and_decides_the_same_again() {
    let folder = TempDir::new().unwrap();
    let (data_dir, pipeline) = described(folder.path());
    let train = |name: &str| {
        let model = folder.path().join(name);
        let common = ["train", "physionet-mi", "--data-dir", &data_dir];
        let own = ["--subject", "1", "--pipeline", &pipeline, "--output", arg(&model)];
        succeed(EXE, &[&common[..], &own].concat());
        model
    };
    let (first, second) = (train("first.json"), train("second.json"));
    assert_eq!(fs::read(&first).unwrap(), fs::read(&second).unwrap(), "one seed, one network");
    let recording = folder.path().join("data/S001/S001R08.edf");
    let replay = |decision: &str| {
        let common = ["replay", arg(&recording), "--model", arg(&first), "--speed", "max"];
        let ended = succeed(EXE, &[&common[..], &["--headless", "--decision", decision]].concat());
        decisions_of_log(&ended.stdout)
    };
    let once = replay("raw");
    assert!(once.len() > 500, "{}", once.len());
    assert_eq!(once, replay("raw"));
    // Another rate, another montage: refused with what differs.
    let other = folder.path().join("other.edf");
    let config =
        acquisition::source::synthetic::SimulatorConfig { rate_hz: 250.0, ..Default::default() };
    tests::edf::write(&other, &world::simulate(&config, 10.0).recording, &[]);
    let ended = run(EXE, &["replay", arg(&other), "--model", arg(&first), "--headless"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("160"), "{}", ended.stderr);
    // Weights that were changed are found before anything is decided.
    let text = fs::read_to_string(&first).unwrap();
    let damaged = folder.path().join("damaged.json");
    fs::write(&damaged, text.replacen("\"values\":[", "\"values\":[0.5,", 1)).unwrap();
    let ended = run(EXE, &["replay", arg(&recording), "--model", arg(&damaged), "--headless"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("digest does not match"), "{}", ended.stderr);
}

#[test]
fn a_network_is_scored_beside_other_pipelines() {
    let folder = TempDir::new().unwrap();
    let (data_dir, pipeline) = described(folder.path());
    let names = format!("logvar+lda,{pipeline}");
    let common = ["evaluate", "physionet-mi", "--data-dir", &data_dir];
    let own = ["--subjects", "1", "--pipelines", &names, "--permutations", "0"];
    let ended = succeed(EXE, &[&common[..], &own].concat());
    assert!(ended.stdout.contains("small"), "{}", ended.stdout);
    // Trials are few: all of them are trained on.
    fs::write(&pipeline, SMALL.replacen("every = 5", "every = 1", 1)).unwrap();
    let plan = "pipelines = [\"logvar+lda\", \"small.toml\"]\n[[datasets]]\nname = \
                \"physionet-mi\"\nsubjects = \"1\"\ndata_dir = \"data\"\n[pseudo_online]\n\
                step_secs = 0.5\npermutations = 0\n[offline]\nfolds = 3\npermutations = 0\n";
    fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let scored = |output: &str| {
        let path = folder.path().join("plan.toml");
        let output = folder.path().join(output);
        succeed(EXE, &["benchmark", arg(&path), "--output", arg(&output)]);
        let table = fs::read_to_string(output.join("results.csv")).unwrap();
        let scores = table.lines().filter(|line| line.contains(",small,"));
        scores.map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let scores = scored("one");
    assert_eq!(scores.len(), 2, "offline and pseudo-online");
    assert_eq!(scores, scored("two"), "to the bit");
}

#[test]
fn what_no_network_can_be_made_of_is_told() {
    let folder = TempDir::new().unwrap();
    let (data_dir, pipeline) = described(folder.path());
    let refused = |text: &str, more: &[&str]| {
        fs::write(&pipeline, text).unwrap();
        let common = ["evaluate", "physionet-mi", "--data-dir", &data_dir];
        let own = ["--subjects", "1", "--pipelines", &pipeline, "--permutations", "0"];
        let ended = run(EXE, &[&common[..], &own, more].concat());
        assert_ne!(ended.code, Some(0), "{text}");
        ended.stderr + &ended.stdout
    };
    for (from, to, expected) in [
        ("shallow", "shallot", "unknown variant `shallot`"),
        ("n_epochs", "epochs", "unknown field `epochs`"),
        ("every = 5", "every = 0", "at least every 1st is trained on"),
        ("\"samples\"", "\"covariance\"", "begin with `samples` as the feature"),
        ("n_epochs = 3", "n_epochs = 3, learning_rate = 1e30", "is not finite"),
    ] {
        let told = refused(&SMALL.replacen(from, to, 1), &[]);
        assert!(told.contains(expected), "{to}: {told}");
    }
    let told = refused(SMALL, &["--device", "cuda"]);
    assert!(told.contains("cuda:0 is not compiled in"), "{told}");
    let told = refused(SMALL, &["--device", "tpu"]);
    assert!(told.contains("no device is called `tpu`"), "{told}");
}

#[test]
fn devices_are_listed_and_the_cpu_is_itself() {
    let ended = succeed(EXE, &["devices"]);
    assert!(ended.stdout.contains("cpu      can be used"), "{}", ended.stdout);
    assert!(ended.stdout.contains("is not compiled in"), "{}", ended.stdout);
    let ended = succeed(EXE, &["verify-device", "cpu"]);
    assert_eq!(ended.stdout.matches("largest difference 0.0e0").count(), 7, "{}", ended.stdout);
}
