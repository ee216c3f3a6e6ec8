//! The results as one HDF5 file: a table of columns, and what it takes to make it again. No
//! timings, so that two runs of one plan give one file.

use super::item::{Confounds, Details, OnlineDetails, Row};
use super::plan::Benchmark;
use super::table::{mode_word, split_word};
use super::work::Digests;
use crate::cli::hdf5_file::{attribute, column, text, texts, write};
use crate::cli::report::{memory_word, verdict_words};
use anyhow::Result;
use decoding::offline::cross_validation::Confounded;
use std::path::Path;

/// Group `results`: a value per row in each column, NaN where a row has none; `confusion`
/// is JSON. Beside it `plan`, and `data`: names and digests of the recordings.
pub fn export(path: &Path, benchmark: &Benchmark, digests: &Digests, rows: &[Row]) -> Result<()> {
    write(path, |file| {
        attribute(file, "format", "mindloop-benchmark 1")?;
        attribute(file, "mindloop", env!("CARGO_PKG_VERSION"))?;
        text(file, "plan", &benchmark.text)?;
        let mut runs = Vec::new();
        for (at, set) in benchmark.sets.iter().enumerate() {
            for subject in 0..set.subjects.len() {
                if let Some(Ok(of)) = digests.get(&(at, subject)) {
                    runs.extend(of.runs.iter());
                }
            }
        }
        let data = file.create_group("data")?;
        texts(&data, "recording", runs.iter().map(|run| run.name.as_str()))?;
        texts(&data, "sha256", runs.iter().map(|run| run.sha256.as_str()))?;
        columns(&file.create_group("results")?, rows)
    })
}

fn columns(group: &hdf5::Group, rows: &[Row]) -> Result<()> {
    let online = |row: &Row, of: fn(&OnlineDetails) -> Option<f64>| match &row.details {
        Details::PseudoOnline(online) => of(online).unwrap_or(f64::NAN),
        Details::Offline { .. } => f64::NAN,
    };
    let numbers = |of: fn(&OnlineDetails) -> Option<f64>| -> Vec<f64> {
        rows.iter().map(|row| online(row, of)).collect()
    };
    texts(group, "dataset", rows.iter().map(|row| row.dataset.as_str()))?;
    column(group, "subject", rows.iter().map(|row| row.subject).collect())?;
    texts(group, "session", rows.iter().map(|row| row.session.as_str()))?;
    texts(group, "pipeline", rows.iter().map(|row| row.pipeline.as_str()))?;
    texts(group, "mode", rows.iter().map(|row| mode_word(row.mode)))?;
    texts(group, "split", rows.iter().map(|row| split_word(row.split)))?;
    texts(group, "memory", rows.iter().map(|row| memory_word(row.memory)))?;
    column(group, "score", rows.iter().map(|row| row.score).collect())?;
    column(group, "samples", rows.iter().map(|row| row.n_samples).collect())?;
    column(group, "label_p", rows.iter().map(|row| row.label_p.unwrap_or(f64::NAN)).collect())?;
    texts(group, "verdict", rows.iter().map(|row| verdict_words(row.verdict)))?;
    column(group, "shift_p", numbers(|o| o.shift_p))?;
    column(group, "clock_nmcc", numbers(|o| o.clock_nmcc))?;
    column(group, "nmcc_idle_excluded", numbers(|o| Some(o.nmcc_idle_excluded)))?;
    column(group, "itr_bits_per_min", numbers(|o| Some(o.itr_bits_per_min)))?;
    column(group, "balanced_accuracy", numbers(|o| Some(o.balanced_accuracy)))?;
    column(group, "kappa", numbers(|o| Some(o.kappa)))?;
    let together = |of: fn(&Confounded) -> Option<f64>| -> Vec<f64> {
        let all = rows.iter().map(|row| row.confounds().and_then(Confounds::together));
        all.map(|all| all.and_then(of).unwrap_or(f64::NAN)).collect()
    };
    column(group, "confounds_alone", together(|of| Some(of.alone)))?;
    column(group, "confounds_alone_p", together(|of| Some(of.alone_p)))?;
    column(group, "without_confounds", together(|of| Some(of.without)))?;
    column(group, "without_confounds_p", together(|of| of.without_p))?;
    let json = |row: &Row| serde_json::to_string(&row.confusion);
    let confusions = rows.iter().map(json).collect::<Result<Vec<_>, _>>()?;
    texts(group, "confusion", confusions.iter().map(String::as_str))
}
