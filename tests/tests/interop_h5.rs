//! The per-window file as HDF5, read by Python's h5py: the same windows as in the CSV
//! file, every number by its bits.

use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::cli::{arg, succeed};
use tests::{python, world};

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

/// Prints all columns as JSON; Python writes the shortest text that reads back to the
/// same bits, as we do.
const SCRIPT: &str = "
import h5py, json, sys
with h5py.File(sys.argv[1]) as f:
    group = f['windows']
    out = {name: (data.asstr()[:] if data.dtype.kind == 'O' else data[:]).tolist()
           for name, data in group.items()}
    out['classes'] = group.attrs['classes']
    out['format'] = f.attrs['format']
    out['report'] = json.loads(f['report'].asstr()[()])
    out['cues'] = {name: len(data) for name, data in f['cues'].items()}
    json.dump(out, sys.stdout)
";

fn evaluate(data_dir: &Path, windows: &Path) {
    let args = ["evaluate", "physionet-mi", "--data-dir", arg(data_dir), "--subjects", "1"];
    let more = ["--pipelines", "csp+lda,logvar+lda", "--no-null", "--windows", arg(windows)];
    succeed(EXE, &[&args[..], &more].concat());
}

/// A cell of the CSV as the JSON value that h5py's column should hold.
fn cell(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// Numbers by value, whether written as `1` or `1.0`; texts as they are.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

#[test]
fn h5py_reads_the_windows_of_the_csv_file() {
    let Some(mut python) = python::command() else { return };
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let (csv, h5) = (folder.path().join("w.csv"), folder.path().join("w.h5"));
    evaluate(&data_dir, &csv);
    evaluate(&data_dir, &h5);
    let output = python.args(["-c", SCRIPT, arg(&h5)]).output().unwrap();
    assert!(output.status.success());
    let columns: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(columns["format"], "mindloop-windows 1");
    assert_eq!(columns["classes"], "idle,left_hand,right_hand");
    assert_eq!(columns["report"]["results"].as_array().unwrap().len(), 2);
    let n_cues = columns["cues"]["onset_secs"].as_u64().unwrap();
    assert!(n_cues > 10 && columns["cues"]["class"] == n_cues);

    let csv = fs::read_to_string(csv).unwrap();
    let names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let n_rows = csv.lines().count() - 1;
    // Two pipelines, two scored runs of a minute at 160 Hz, a window every 0.1 s from
    // 2 s on.
    assert_eq!(n_rows, 2 * 2 * ((60 - 2) * 10 + 1));
    assert_eq!(columns["took_nanos"].as_array().unwrap().len(), n_rows);
    for (k, line) in csv.lines().skip(1).enumerate() {
        for (name, text) in names.iter().zip(line.split(',')) {
            let read = match names.iter().position(|n| n == name).unwrap() {
                // Decision times are measured anew by each evaluation.
                7 => continue,
                c if c > 7 => &columns["posterior"][k][c - 8],
                _ => &columns[*name][k],
            };
            assert!(same(read, &cell(text)), "row {k}, {name}: {read} is not {text}");
        }
    }
}
