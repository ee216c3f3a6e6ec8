//! Online is pseudo-online: the decisions of `evaluate`, of `replay` and of `live` on
//! the same recording served over LSL are the same, class and posterior, bit for bit.
//! All run as the processes a user starts; between them the model lies on disk.

use acquisition::time::SampleRate;
use decoding::pipeline::Pipeline;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::cli::{Decided, arg, decisions_of_csv, decisions_of_log, lines, start, succeed};
use tests::{cli, data, examples, world};

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

/// Decisions of `evaluate` on run 8, which follows the calibration, per pipeline.
fn evaluated(
    folder: &Path,
    data_dir: &Path,
    subject: u32,
    pipelines: &[&str],
) -> Vec<Vec<Decided>> {
    let windows = folder.join("windows.csv");
    let (subjects, names) = (subject.to_string(), pipelines.join(","));
    let args = [
        "evaluate",
        "physionet-mi",
        "--data-dir",
        arg(data_dir),
        "--subjects",
        &subjects,
        "--pipelines",
        &names,
        "--no-null",
        "--windows",
        arg(&windows),
    ];
    succeed(EXE, &args);
    let csv = fs::read_to_string(windows).expect("the per-window file");
    let recording = format!("S{subject:03}R08");
    // A pipeline of a file is called like the file.
    pipelines.iter().map(|p| decisions_of_csv(&csv, &recording, name_of(p))).collect()
}

fn name_of(pipeline: &str) -> &str {
    Path::new(pipeline).file_stem().and_then(|stem| stem.to_str()).expect("a name")
}

/// Path of a model that `train` fitted on the calibration run.
fn trained(folder: &Path, data_dir: &Path, subject: u32, pipeline: &str) -> String {
    let path = folder.join(format!("{}.model", pipeline.replace('+', "-")));
    let subject = subject.to_string();
    let args = [
        "train",
        "physionet-mi",
        "--data-dir",
        arg(data_dir),
        "--subject",
        &subject,
        "--pipeline",
        pipeline,
        "-o",
        arg(&path),
    ];
    succeed(EXE, &args);
    arg(&path).to_owned()
}

fn replayed(recording: &Path, model: &str, chunk: usize) -> Vec<Decided> {
    let chunk = chunk.to_string();
    let args = ["replay", arg(recording), "--model", model, "--speed", "max", "--chunk", &chunk];
    let args = [&args[..], &["--headless"]].concat();
    decisions_of_log(&succeed(EXE, &args).stdout)
}

/// Decisions of `live` on the recording that `serve` plays faster than it was.
fn live(recording: &Path, model: &str, speed: u32) -> Vec<Decided> {
    let stem = recording.file_stem().and_then(|s| s.to_str()).expect("a file's name");
    let id = format!("mindloop-test-{}-{stem}", std::process::id());
    let speed = speed.to_string();
    let server = start(EXE, &["serve", arg(recording), "--source-id", &id, "--speed", &speed]);
    let query = format!("source_id={id}");
    let args = ["live", "--stream", &query, "--model", model, "--timeout", "30", "--headless"];
    let log = succeed(EXE, &args).stdout;
    let served = cli::end(server);
    assert_eq!(served.code, Some(0), "{}", served.stderr);
    let end = lines(&log, "end").remove(0);
    for count in ["n_lost", "n_dropped", "n_dropped_events", "n_unusable"] {
        assert_eq!(end[count], 0, "{count}");
    }
    // The cues came with the frames, or nothing would be scored.
    assert!(end["score"]["nmcc"].is_number(), "{end}");
    decisions_of_log(&log)
}

fn assert_same(what: &str, decisions: &[Decided], expected: &[Decided]) {
    assert_eq!(decisions.len(), expected.len(), "{what}: number of decisions");
    for (decided, expected) in decisions.iter().zip(expected) {
        assert_eq!(decided, expected, "{what}");
    }
}

/// `chunks` are those of `replay`; `live` is tried with the first pipeline.
fn check(data_dir: &Path, subject: u32, pipelines: &[&str], chunks: &[usize], speed: u32) {
    let folder = TempDir::new().expect("a temporary folder");
    let recording = data_dir.join(format!("S{subject:03}/S{subject:03}R08.edf"));
    let evaluated = evaluated(folder.path(), data_dir, subject, pipelines);
    for (k, (pipeline, expected)) in pipelines.iter().zip(&evaluated).enumerate() {
        assert!(expected.len() > 500, "{} windows", expected.len());
        let model = trained(folder.path(), data_dir, subject, pipeline);
        for chunk in chunks {
            let what = format!("{pipeline} replayed by {chunk}");
            assert_same(&what, &replayed(&recording, &model, *chunk), expected);
        }
        if k == 0 {
            assert_same(&format!("{pipeline} live"), &live(&recording, &model, speed), expected);
        }
    }
}

#[test]
fn pipelines_of_every_step_are_decided_alike() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let rate = SampleRate::new(160.0).unwrap();
    let write = |pipeline: &Pipeline| {
        let path = folder.path().join(format!("{}.toml", pipeline.name));
        fs::write(&path, pipeline.to_toml()).unwrap();
        path
    };
    let pipelines = examples::all(rate);
    let paths: Vec<_> = pipelines.iter().map(write).collect();
    let recording = data_dir.join("S001/S001R08.edf");
    let names: Vec<_> = paths.iter().map(|path| arg(path)).collect();
    let evaluated = evaluated(folder.path(), &data_dir, 1, &names);
    for (path, expected) in names.iter().zip(&evaluated) {
        assert!(expected.len() > 500, "{path}: {} windows", expected.len());
        let model = trained(folder.path(), &data_dir, 1, path);
        assert_same(path, &replayed(&recording, &model, 37), expected);
    }
}

#[test]
fn simulated_runs_are_decided_alike() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let pipelines = ["ts+lr", "mdm", "csp+lda", "logvar+lda", "psd+lda"];
    check(&data_dir, 1, &pipelines, &[1, 32, 1000], 8);
}

#[test]
fn recorded_runs_are_decided_alike() {
    let Some(data_dir) = data::find("eegmmidb") else { return };
    check(&data_dir, 7, &["ts+lr"], &[17, 4096], 8);
}
