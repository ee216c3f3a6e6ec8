//! What the commands promise to other programs: files that agree with each other, exit
//! codes, and a demo that runs without any device.

use acquisition::marker::ClassIdx;
use decoding::metric::confusion::Confusion;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::cli::{arg, decisions_of_csv, decisions_of_log, lines, run, succeed};
use tests::world;

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

/// Arguments of an evaluation of `subjects` of the dataset in `data_dir`.
fn evaluate<'a>(data_dir: &'a Path, subjects: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["evaluate", "physionet-mi", "--data-dir", arg(data_dir), "--subjects", subjects];
    [&args[..], more].concat()
}

/// Rows of a CSV file by column name.
fn table(path: &Path) -> Vec<Vec<(String, String)>> {
    let text = fs::read_to_string(path).expect("a CSV file");
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().expect("a header").split(',').map(str::to_owned).collect();
    let row = |line: &str| names.iter().cloned().zip(line.split(',').map(str::to_owned)).collect();
    lines.map(row).collect()
}

/// The confusion matrix that the rows of the per-window file give.
fn recomputed(windows: &Path, pipeline: &str) -> Confusion {
    let class = |text: &str| ClassIdx(text.parse().expect("every window is scored"));
    let rows = table(windows).into_iter().filter(|row| row[1].1 == pipeline);
    let pairs: Vec<_> = rows.map(|row| (class(&row[5].1), class(&row[6].1))).collect();
    Confusion::from_pairs(3, pairs)
}

#[test]
fn the_files_of_an_evaluation_agree() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let [json, csv, windows] = ["a.json", "a.csv", "w.csv"].map(|name| folder.path().join(name));
    let files = ["--json", arg(&json), "--csv", arg(&csv), "--windows", arg(&windows)];
    succeed(EXE, &evaluate(&data_dir, "1", &files));

    let json: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let results = json["results"].as_array().unwrap();
    let pipelines: Vec<_> = results.iter().map(|row| row["pipeline"].as_str().unwrap()).collect();
    assert_eq!(pipelines, ["mdm", "ts+lr", "csp+lda", "logvar+lda", "psd+lda"]);
    let table = table(&csv);
    assert_eq!(table.len(), results.len());
    let keys = "dataset subject session pipeline nmcc itr_bits_per_min balanced_accuracy kappa \
                n_windows confusion clock_nmcc shift_p nmcc_idle_excluded";
    for (row, in_csv) in results.iter().zip(&table) {
        let name = row["pipeline"].as_str().unwrap();
        for key in keys.split_whitespace() {
            assert!(!row[key].is_null(), "{name} has no {key}");
        }
        let confusion: Confusion = serde_json::from_value(row["confusion"].clone()).unwrap();
        assert_eq!(confusion, recomputed(&windows, name), "{name}");
        assert_eq!(row["n_windows"], confusion.total());
        assert_eq!(row["nmcc"], decoding::metric::nmcc(&confusion));
        let cell = |column: &str| &in_csv.iter().find(|(name, _)| name == column).unwrap().1;
        assert_eq!(cell("pipeline"), name);
        assert_eq!(cell("score").parse::<f64>().unwrap(), row["nmcc"].as_f64().unwrap());
        for column in ["time", "samples", "subject", "session", "channels", "n_sessions", "dataset"]
        {
            assert!(!cell(column).is_empty(), "{name} has no {column}");
        }
    }
}

#[test]
fn exit_codes_tell_done_from_failed_from_misused_from_in_part() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let fast = ["--pipelines", "logvar+lda", "--no-null"];
    let code = |args: &[&str]| {
        let ended = run(EXE, args);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        (ended.code, ended.stderr)
    };
    assert_eq!(code(&evaluate(&data_dir, "1", &fast)).0, Some(0));
    // Subject 2 is not there: subject 1 is done all the same, and 2 is named.
    let (in_part, said) = code(&evaluate(&data_dir, "1,2", &fast));
    assert_eq!(in_part, Some(3));
    assert!(said.contains("subject 2"), "{said}");
    assert_eq!(code(&evaluate(&data_dir, "2", &fast)).0, Some(1));
    assert_eq!(code(&["evaluate"]).0, Some(2));
    assert_eq!(code(&["dance"]).0, Some(2));
    let (unknown, said) = code(&["evaluate", "physionet-me", "--subjects", "1"]);
    assert_eq!(unknown, Some(1));
    assert!(said.contains("physionet-mi"), "{said}");
    assert_eq!(code(&["--help"]).0, Some(0));
}

#[test]
fn each_session_is_scored_with_the_others_calibrating() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let fast = ["--pipelines", "logvar+lda", "--no-null", "--split", "cross-session"];
    // A dataset of one session has no other.
    let ended = run(EXE, &evaluate(&data_dir, "1", &fast));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("one session only"), "{}", ended.stderr);

    let description = "files = \"S{subject}/*R{session}.edf\"\ntask_interval_secs = [0, 4]\n\
                       [classes]\nleft_hand = \"T1\"\nright_hand = \"T2\"\n";
    fs::write(data_dir.join("mindloop.toml"), description).unwrap();
    let csv = folder.path().join("sessions.csv");
    let args = ["evaluate", "folder", "--data-dir", arg(&data_dir), "--subjects", "1"];
    succeed(EXE, &[&args[..], &fast, &["--csv", arg(&csv)]].concat());
    let rows = table(&csv);
    let column = |name: &str| {
        let cell = |row: &Vec<(String, String)>| {
            row.iter().find(|(known, _)| known == name).unwrap().1.clone()
        };
        rows.iter().map(cell).collect::<Vec<_>>()
    };
    assert_eq!(column("session"), ["0", "1", "2"]);
    assert_eq!(column("n_sessions"), ["3", "3", "3"]);
    assert_eq!(column("dataset"), ["folder", "folder", "folder"]);
    assert!(column("nmcc").iter().all(|nmcc| nmcc.parse::<f64>().unwrap() > 0.6));
    // One run a session: within it, the later cues are scored.
    succeed(EXE, &[&args[..], &fast[..3]].concat());
}

#[test]
fn nothing_that_exists_is_overwritten_by_a_model_or_a_log() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let model = folder.path().join("model");
    let args = ["train", "physionet-mi", "--data-dir", arg(&data_dir), "--subject", "1"];
    let args = [&args[..], &["--pipeline", "mdm", "-o", arg(&model)]].concat();
    succeed(EXE, &args);
    let before = fs::read(&model).unwrap();
    assert_eq!(run(EXE, &args).code, Some(1));
    let recording = data_dir.join("S001/S001R08.edf");
    let replay = ["replay", arg(&recording), "--model", arg(&model), "--speed", "max"];
    let replay = [&replay[..], &["--headless", "--log", arg(&model)]].concat();
    assert_eq!(run(EXE, &replay).code, Some(1));
    assert_eq!(fs::read(&model).unwrap(), before);
}

#[test]
fn a_log_says_what_standard_output_says() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let [model, log, windows] = ["model", "log", "w.csv"].map(|name| folder.path().join(name));
    let train = ["train", "physionet-mi", "--data-dir", arg(&data_dir), "--subject", "1"];
    succeed(EXE, &[&train[..], &["--pipeline", "mdm", "-o", arg(&model)]].concat());
    let recording = data_dir.join("S001/S001R12.edf");
    let replay = ["replay", arg(&recording), "--model", arg(&model), "--speed", "max"];
    let ended = succeed(EXE, &[&replay[..], &["--headless", "--log", arg(&log)]].concat());
    assert_eq!(fs::read_to_string(&log).unwrap(), ended.stdout);
    // And its score is the one that `evaluate` gives the run.
    let more = ["--pipelines", "mdm", "--no-null", "--windows", arg(&windows)];
    succeed(EXE, &evaluate(&data_dir, "1", &more));
    let csv = fs::read_to_string(&windows).unwrap();
    assert_eq!(decisions_of_log(&ended.stdout), decisions_of_csv(&csv, "S001R12", "mdm"));
    let of_run: Vec<_> = table(&windows).into_iter().filter(|r| r[2].1.contains("R12")).collect();
    let class = |text: &str| ClassIdx(text.parse().unwrap());
    let pairs = of_run.iter().map(|row| (class(&row[5].1), class(&row[6].1)));
    let confusion = Confusion::from_pairs(3, pairs);
    let end = lines(&ended.stdout, "end").remove(0);
    assert_eq!(end["score"]["confusion"], serde_json::to_value(&confusion).unwrap());
    assert_eq!(end["score"]["nmcc"], decoding::metric::nmcc(&confusion));
}

#[test]
fn the_demo_decides_live_without_any_device() {
    let ended = succeed(EXE, &["demo", "--seconds", "5", "--headless"]);
    let session = lines(&ended.stdout, "session").remove(0);
    assert_eq!((&session["mode"], &session["simulated"]), (&"demo".into(), &true.into()));
    // Windows of 2 s every 0.1 s in 5 s.
    assert_eq!(decisions_of_log(&ended.stdout).len(), 31);
    let end = lines(&ended.stdout, "end").remove(0);
    assert_eq!(
        (&end["n_received"], &end["n_lost"], &end["n_dropped"]),
        (&1250.into(), &0.into(), &0.into())
    );
}
