//! The command line as a process of its own, and its output read back.

use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a command left behind.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Starts the command line `exe` (`env!("CARGO_BIN_EXE_mindloop-tested")`).
pub fn start(exe: &str, args: &[&str]) -> Child {
    let mut command = Command::new(exe);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary was built with this test")
}

/// Waits for a command's end.
pub fn end(child: Child) -> Ended {
    let output = child.wait_with_output().expect("a child to wait for");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs the command line to its end.
pub fn run(exe: &str, args: &[&str]) -> Ended {
    end(start(exe, args))
}

/// As [`run`], of a command that is to succeed.
pub fn succeed(exe: &str, args: &[&str]) -> Ended {
    let ended = run(exe, args);
    assert_eq!(ended.code, Some(0), "{args:?}\n{}", ended.stderr);
    ended
}

/// A path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// A decision as written: window's last sample, class, posterior by its bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Index of the window's last sample.
    pub sample: u64,
    /// Position of the class among those of the model.
    pub class: usize,
    /// Bits of the posterior of each class.
    pub posterior: Vec<u64>,
}

/// The lines of an event log that are called `line`.
pub fn lines(log: &str, line: &str) -> Vec<Value> {
    let parse = |text: &str| -> Value { serde_json::from_str(text).expect("lines of JSON") };
    log.lines().map(parse).filter(|value| value["line"] == line).collect()
}

/// The decisions of an event log.
pub fn decisions_of_log(log: &str) -> Vec<Decided> {
    let session = lines(log, "session").remove(0);
    let classes = session["classes"].as_array().expect("class names").clone();
    let decided = |value: &Value| Decided {
        sample: value["sample"].as_u64().expect("an index"),
        class: classes.iter().position(|c| *c == value["class"]).expect("a known class"),
        posterior: bits(&value["posterior"]),
    };
    lines(log, "decision").iter().map(decided).collect()
}

fn bits(posterior: &Value) -> Vec<u64> {
    let values = posterior.as_array().expect("a posterior").iter();
    values.map(|p| p.as_f64().expect("a number").to_bits()).collect()
}

/// The decisions of a per-window CSV file on one recording (its name without extension)
/// by one pipeline.
pub fn decisions_of_csv(csv: &str, recording: &str, pipeline: &str) -> Vec<Decided> {
    let decided = |row: Vec<&str>| Decided {
        sample: row[3].parse().expect("an index"),
        class: row[6].parse().expect("a class"),
        posterior: row[8..].iter().map(|p| p.parse::<f64>().expect("a number").to_bits()).collect(),
    };
    csv.lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|row| row[1] == pipeline && stem(row[2]) == Some(recording))
        .map(decided)
        .collect()
}

fn stem(name: &str) -> Option<&str> {
    Path::new(name).file_stem().and_then(|stem| stem.to_str())
}
