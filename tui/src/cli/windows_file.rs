//! The per-window file: from it every figure of an evaluation can be recomputed, by
//! other software too. HDF5 where the name ends in `.h5` or `.hdf5`, else CSV.
//!
//! Columns: subject, pipeline, recording, index and time of the window's last sample,
//! true and predicted class (index, idle 0; -1 where a mixed window is not scored),
//! decision time, and one posterior per class.

use super::evaluate::SubjectOutcome;
#[cfg(feature = "hdf5")]
use super::hdf5_file::{self, array, attribute, column, text, texts};
use super::output::write_file;
use super::report::Report;
use anyhow::{Context as _, Result};
use decoding::evaluate::score::WindowRecord;
use std::path::Path;

/// One window with where it belongs.
struct WindowRow<'a> {
    subject: u32,
    pipeline: &'a str,
    recording: &'a str,
    rate_hz: f64,
    record: &'a WindowRecord,
    took_nanos: u64,
}

impl WindowRow<'_> {
    fn time_secs(&self) -> f64 {
        self.record.end.0 as f64 / self.rate_hz
    }

    fn truth(&self) -> i8 {
        self.record.truth.map_or(-1, |class| class.0 as i8)
    }

    fn predicted(&self) -> i8 {
        self.record.decision.class().0 as i8
    }
}

/// Writes every window of every subject and pipeline.
pub fn write(
    path: &Path,
    classes: &[String],
    done: &[SubjectOutcome],
    report: &Report<'_>,
) -> Result<()> {
    let rows = rows(done);
    let is_hdf5 = path.extension().is_some_and(|e| e == "h5" || e == "hdf5");
    if is_hdf5 {
        write_hdf5(path, classes, &rows, done, report)
    } else {
        write_csv(path, classes, &rows)
    }
}

fn rows(done: &[SubjectOutcome]) -> Vec<WindowRow<'_>> {
    let mut rows = Vec::new();
    for subject in done {
        for outcome in &subject.outcomes {
            let Ok(evaluated) = &outcome.result else { continue };
            let timed = evaluated.decided.records.iter().zip(&evaluated.decided.took_nanos);
            rows.extend(timed.map(|(record, took_nanos)| WindowRow {
                subject: subject.subject,
                pipeline: &outcome.pipeline.name,
                recording: &subject.recordings[record.run as usize],
                rate_hz: subject.rate_hz,
                record,
                took_nanos: *took_nanos,
            }));
        }
    }
    rows
}

fn write_csv(path: &Path, classes: &[String], rows: &[WindowRow<'_>]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = [
        "subject",
        "pipeline",
        "recording",
        "last_sample",
        "last_sample_secs",
        "true",
        "predicted",
        "took_us",
    ]
    .map(str::to_owned)
    .to_vec();
    header.extend(classes.iter().map(|class| format!("posterior_{class}")));
    writer.write_record(&header)?;
    for row in rows {
        let mut fields = vec![
            row.subject.to_string(),
            row.pipeline.to_owned(),
            row.recording.to_owned(),
            row.record.end.0.to_string(),
            row.time_secs().to_string(),
            row.truth().to_string(),
            row.predicted().to_string(),
            (row.took_nanos as f64 * 1e-3).to_string(),
        ];
        fields.extend(row.record.decision.posterior.as_slice().iter().map(f64::to_string));
        writer.write_record(&fields)?;
    }
    write_file(path, &writer.into_inner().context("the windows as CSV")?)
}

#[cfg(not(feature = "hdf5"))]
fn write_hdf5(
    path: &Path,
    _classes: &[String],
    _rows: &[WindowRow<'_>],
    _done: &[SubjectOutcome],
    _report: &Report<'_>,
) -> Result<()> {
    anyhow::bail!("this build has no HDF5, name a .csv file: {}", path.display())
}

/// Group `windows`: the columns. Group `cues`: subject, recording, onset in seconds from
/// its sample 0, and class of every cue, for the event-based figures. Data set `report`:
/// configuration and rows, as `--json` writes them.
#[cfg(feature = "hdf5")]
fn write_hdf5(
    path: &Path,
    classes: &[String],
    rows: &[WindowRow<'_>],
    done: &[SubjectOutcome],
    report: &Report<'_>,
) -> Result<()> {
    hdf5_file::write(path, |file| {
        attribute(file, "format", "mindloop-windows 1")?;
        text(file, "report", &report.as_json()?)?;
        write_cues(file, done)?;
        let group = file.create_group("windows")?;
        attribute(&group, "classes", &classes.join(","))?;
        column(&group, "subject", rows.iter().map(|r| r.subject).collect())?;
        texts(&group, "pipeline", rows.iter().map(|r| r.pipeline))?;
        texts(&group, "recording", rows.iter().map(|r| r.recording))?;
        column(&group, "last_sample", rows.iter().map(|r| r.record.end.0).collect())?;
        column(&group, "last_sample_secs", rows.iter().map(WindowRow::time_secs).collect())?;
        column(&group, "true", rows.iter().map(WindowRow::truth).collect())?;
        column(&group, "predicted", rows.iter().map(WindowRow::predicted).collect())?;
        column(&group, "took_nanos", rows.iter().map(|r| r.took_nanos).collect())?;
        let posteriors: Vec<f64> = rows
            .iter()
            .flat_map(|r| r.record.decision.posterior.as_slice().iter().copied())
            .collect();
        let posteriors = ndarray::Array2::from_shape_vec((rows.len(), classes.len()), posteriors)?;
        array(&group, "posterior", &posteriors.view())
    })
}

#[cfg(feature = "hdf5")]
fn write_cues(file: &hdf5::File, done: &[SubjectOutcome]) -> Result<()> {
    let cues: Vec<_> = done
        .iter()
        .flat_map(|subject| subject.data.iter().map(move |data| (subject.subject, data)))
        .flat_map(|(subject, data)| data.cues.iter().map(move |cue| (subject, data, cue)))
        .collect();
    let group = file.create_group("cues")?;
    column(&group, "subject", cues.iter().map(|(subject, _, _)| *subject).collect())?;
    texts(&group, "recording", cues.iter().map(|(_, data, _)| data.fingerprint.name.as_str()))?;
    column(&group, "onset_secs", cues.iter().map(|(_, _, cue)| cue.onset_secs).collect())?;
    column(&group, "class", cues.iter().map(|(_, _, cue)| cue.class.0).collect())
}
