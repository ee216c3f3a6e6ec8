//! What an evaluation prints and writes: tables for people, JSON and CSV for programs.
//! Every row says what it was computed from; nothing here computes a score.

use super::args::EvaluateArgs;
use super::data::Selection;
use super::evaluate::{DataRow, SubjectOutcome};
use super::output::write_file;
use anyhow::{Context as _, Result};
use clap::ValueEnum as _;
use decoding::evaluate::null::Verdict;
use decoding::evaluate::score::Idle;
use decoding::evaluate::subject::{Evaluated, Plan};
use decoding::metric::{Confusion, ItrP, ItrT};
use decoding::pipeline::{Memory, Pipeline};
use decoding::stats::{Summary, median};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// One subject and pipeline: the row of every file.
#[derive(Debug, Serialize)]
pub struct Row {
    dataset: &'static str,
    subject: u32,
    session: String,
    pipeline: String,
    memory: Memory,
    nmcc: f64,
    itr_bits_per_min: f64,
    balanced_accuracy: f64,
    kappa: f64,
    n_windows: u64,
    confusion: Confusion,
    nmcc_interval: Option<[f64; 2]>,
    accuracy: f64,
    nmcc_idle_excluded: f64,
    confusion_idle_excluded: Confusion,
    auc_idle_excluded: Option<f64>,
    clock_nmcc: Option<f64>,
    shift_p: Option<f64>,
    label_p: Option<f64>,
    verdict: Option<Verdict>,
    true_positive_rate: Option<f64>,
    false_positives_per_idle_min: Option<f64>,
    onset_latency_secs: Option<[f64; 3]>,
    n_unusable_windows: usize,
    decision_p50_us: f64,
    decision_p99_us: f64,
    runs: Vec<RunRow>,
    #[serde(skip)]
    secs: f64,
    #[serde(skip)]
    n_channels: usize,
    #[serde(skip)]
    n_sessions: usize,
}

/// One run of a row.
#[derive(Debug, Serialize)]
struct RunRow {
    recording: String,
    nmcc: f64,
    itr_bits_per_min: f64,
    balanced_accuracy: f64,
    kappa: f64,
    n_windows: u64,
    confusion: Confusion,
}

impl Row {
    /// The row of one evaluated pipeline.
    pub fn new(
        dataset: &'static str,
        subject: &SubjectOutcome,
        pipeline: &Pipeline,
        evaluated: &Evaluated,
    ) -> Self {
        let (score, events) = (&evaluated.score.pooled, &evaluated.score.events);
        let nanos_to_us = |nanos: u64| nanos as f64 * 1e-3;
        Self {
            dataset,
            subject: subject.subject,
            session: subject.session.clone(),
            pipeline: pipeline.name.clone(),
            memory: pipeline.memory(),
            nmcc: score.nmcc,
            itr_bits_per_min: score.itr_bits_per_min,
            balanced_accuracy: score.balanced_accuracy,
            kappa: score.kappa,
            n_windows: score.n_windows,
            confusion: score.confusion.clone(),
            nmcc_interval: score.interval.map(|i| [i.lower, i.upper]),
            accuracy: score.accuracy,
            nmcc_idle_excluded: score.nmcc_idle_excluded,
            confusion_idle_excluded: score.confusion_idle_excluded.clone(),
            auc_idle_excluded: score.auc_idle_excluded,
            clock_nmcc: evaluated.nulls.clock_nmcc,
            shift_p: evaluated.nulls.shift_p,
            label_p: evaluated.nulls.label_p,
            verdict: evaluated.verdict,
            true_positive_rate: events.true_positive_rate,
            false_positives_per_idle_min: events.false_positives_per_idle_min,
            onset_latency_secs: events
                .onset_latency_secs
                .map(|quartiles| [quartiles.lower, quartiles.median, quartiles.upper]),
            n_unusable_windows: evaluated.decided.n_unusable,
            decision_p50_us: nanos_to_us(evaluated.latency.p50_nanos),
            decision_p99_us: nanos_to_us(evaluated.latency.p99_nanos),
            runs: run_rows(subject, evaluated),
            secs: subject.secs,
            n_channels: subject.n_channels,
            n_sessions: subject.n_sessions,
        }
    }
}

impl Row {
    /// Subject, and session where there are several.
    fn place(&self) -> String {
        if self.n_sessions > 1 && self.session != "all" {
            format!("{} ses {}", self.subject, self.session)
        } else {
            self.subject.to_string()
        }
    }
}

fn run_rows(subject: &SubjectOutcome, evaluated: &Evaluated) -> Vec<RunRow> {
    let row = |(run, score): &(u32, decoding::evaluate::score::Score)| RunRow {
        recording: subject.recordings[*run as usize].clone(),
        nmcc: score.nmcc,
        itr_bits_per_min: score.itr_bits_per_min,
        balanced_accuracy: score.balanced_accuracy,
        kappa: score.kappa,
        n_windows: score.n_windows,
        confusion: score.confusion.clone(),
    };
    evaluated.score.per_run.iter().map(row).collect()
}

/// The configuration beside the rows: enough to run it again.
#[derive(Debug, Serialize)]
struct Configuration<'a> {
    mindloop: &'static str,
    dataset: &'static str,
    licence: &'a str,
    citation: &'a str,
    classes: &'a [String],
    split: String,
    execution: &'static str,
    calibration_runs: usize,
    plan: &'a Plan,
    data: Vec<(u32, &'a [DataRow])>,
}

/// Rows and configuration.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    configuration: Configuration<'a>,
    results: Vec<Row>,
}

impl<'a> Report<'a> {
    /// A report of what was done.
    pub fn new(
        args: &EvaluateArgs,
        selection: &'a Selection,
        plan: &'a Plan,
        done: &'a [SubjectOutcome],
        results: Vec<Row>,
    ) -> Self {
        let configuration = Configuration {
            mindloop: env!("CARGO_PKG_VERSION"),
            dataset: selection.dataset.name,
            licence: &selection.dataset.licence,
            citation: &selection.dataset.citation,
            classes: &selection.classes,
            split: args
                .split
                .to_possible_value()
                .map_or(String::new(), |v| v.get_name().to_owned()),
            execution: if args.data.executed { "executed" } else { "imagined" },
            calibration_runs: args.data.calibration_runs,
            plan,
            data: done.iter().map(|s| (s.subject, s.data.as_slice())).collect(),
        };
        Self { configuration, results }
    }

    /// Whether nothing was scored.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// All of it as JSON, for files that carry it along.
    #[cfg(feature = "hdf5")]
    pub fn as_json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// Writes rows and configuration as JSON.
    pub fn write_json(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self).context("the report as JSON")?;
        text.push(b'\n');
        write_file(path, &text)
    }

    /// Writes MOABB's columns and ours as CSV, one row per subject and pipeline.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record([
            "score",
            "time",
            "samples",
            "subject",
            "session",
            "channels",
            "n_sessions",
            "dataset",
            "pipeline",
            "nmcc",
            "itr_bits_per_min",
            "balanced_accuracy",
            "kappa",
            "nmcc_idle_excluded",
            "clock_nmcc",
            "shift_p",
            "label_p",
            "verdict",
            "true_positive_rate",
            "false_positives_per_idle_min",
            "decision_p50_us",
            "decision_p99_us",
            "memory",
            "n_unusable_windows",
        ])?;
        for row in &self.results {
            let optional = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
            writer.write_record([
                row.nmcc.to_string(),
                row.secs.to_string(),
                row.n_windows.to_string(),
                row.subject.to_string(),
                row.session.clone(),
                row.n_channels.to_string(),
                row.n_sessions.to_string(),
                row.dataset.to_owned(),
                row.pipeline.clone(),
                row.nmcc.to_string(),
                row.itr_bits_per_min.to_string(),
                row.balanced_accuracy.to_string(),
                row.kappa.to_string(),
                row.nmcc_idle_excluded.to_string(),
                optional(row.clock_nmcc),
                optional(row.shift_p),
                optional(row.label_p),
                verdict_words(row.verdict).to_owned(),
                optional(row.true_positive_rate),
                optional(row.false_positives_per_idle_min),
                row.decision_p50_us.to_string(),
                row.decision_p99_us.to_string(),
                memory_word(row.memory).to_owned(),
                row.n_unusable_windows.to_string(),
            ])?;
        }
        write_file(path, &writer.into_inner().context("the table as CSV")?)
    }

    /// Prints the tables.
    pub fn print(&self) -> Result<()> {
        let mut text = String::new();
        self.subjects_table(&mut text)?;
        self.pipelines_table(&mut text)?;
        self.footnotes(&mut text)?;
        std::io::stdout().lock().write_all(text.as_bytes()).context("standard output")
    }

    /// Letters of the column of names.
    fn width(&self) -> usize {
        let pipelines = &self.configuration.plan.pipelines;
        pipelines.iter().map(|pipeline| pipeline.name.len()).max().unwrap_or(0).max(12)
    }

    fn subjects_table(&self, text: &mut String) -> Result<()> {
        let width = self.width();
        writeln!(
            text,
            "subject  {:<width$} nMCC   95 % interval   no-idle  clock  p(shift)  p(label)  ITR    bal.acc  kappa   verdict",
            "pipeline"
        )?;
        for row in &self.results {
            let interval = row
                .nmcc_interval
                .map_or("-".to_owned(), |[lower, upper]| format!("{lower:.3} to {upper:.3}"));
            writeln!(
                text,
                "{:<8} {:<width$} {:.3}  {:<15} {:.3}    {:<6} {:<9} {:<9} {:<6.2} {:<8.3} {:<7.3} {}",
                row.place(),
                row.pipeline,
                row.nmcc,
                interval,
                row.nmcc_idle_excluded,
                three(row.clock_nmcc),
                three(row.shift_p),
                three(row.label_p),
                row.itr_bits_per_min,
                row.balanced_accuracy,
                row.kappa,
                verdict_words(row.verdict),
            )?;
        }
        Ok(())
    }

    /// Mean and spread over subjects: the memoryless ones, then apart those that are not.
    fn pipelines_table(&self, text: &mut String) -> Result<()> {
        let width = self.width();
        writeln!(
            text,
            "\n{:<width$} nMCC           95 % interval   no-idle        clock  ITR           bal.acc        kappa          decision p50 / p99",
            "pipeline"
        )?;
        self.pipelines_rows(text, Memory::Memoryless)?;
        let pipelines = &self.configuration.plan.pipelines;
        if pipelines.iter().any(|pipeline| pipeline.memory() == Memory::Stateful) {
            writeln!(
                text,
                "stateful: decisions depend on earlier windows, not to be compared with memoryless ones"
            )?;
            self.pipelines_rows(text, Memory::Stateful)?;
        }
        Ok(())
    }

    fn pipelines_rows(&self, text: &mut String, memory: Memory) -> Result<()> {
        let (width, pipelines) = (self.width(), &self.configuration.plan.pipelines);
        for pipeline in pipelines.iter().filter(|pipeline| pipeline.memory() == memory) {
            let rows: Vec<_> =
                self.results.iter().filter(|r| r.pipeline == pipeline.name).collect();
            let values = |of: fn(&Row) -> f64| per_subject(&rows, of);
            let Some(nmcc) = Summary::of(&values(|r| r.nmcc)) else { continue };
            let spread = |of: fn(&Row) -> f64, digits: usize| {
                let Some(Summary { mean, std, .. }) = Summary::of(&values(of)) else {
                    return "-".to_owned();
                };
                let std = std.map_or(String::new(), |std| format!(" ± {std:.digits$}"));
                format!("{mean:.digits$}{std}")
            };
            let clocks: Vec<_> = rows.iter().filter_map(|r| r.clock_nmcc).collect();
            let p50 = median(&values(|r| r.decision_p50_us)).unwrap_or(f64::NAN);
            let p99 = values(|r| r.decision_p99_us).into_iter().fold(0.0, f64::max);
            let interval = nmcc
                .interval
                .map_or("-".to_owned(), |i| format!("{:.3} to {:.3}", i.lower, i.upper));
            writeln!(
                text,
                "{:<width$} {:<14} {:<15} {:<14} {:<6} {:<13} {:<14} {:<14} {:.0} / {:.0} us",
                pipeline.name,
                spread(|r| r.nmcc, 3),
                interval,
                spread(|r| r.nmcc_idle_excluded, 3),
                three(decoding::stats::mean(&clocks)),
                spread(|r| r.itr_bits_per_min, 2),
                spread(|r| r.balanced_accuracy, 3),
                spread(|r| r.kappa, 3),
                p50,
                p99,
            )?;
        }
        Ok(())
    }

    /// What the numbers are made of, in words.
    fn footnotes(&self, text: &mut String) -> Result<()> {
        let plan = self.configuration.plan;
        writeln!(
            text,
            "\nMean ± standard deviation over subjects{}. Idle is {}. nMCC: 0.5 is chance; no-idle: over the task classes alone;\nclock: what the paradigm's timing scores without EEG. ITR: bits/min, P = {}, T = {}.\nDecision time: median of the subjects' p50, largest p99.",
            if self.results.iter().any(|row| row.n_sessions > 1) {
                ", each the mean of its sessions"
            } else {
                ""
            },
            match plan.idle {
                Idle::Include => "scored as a class",
                Idle::Exclude => "not scored",
            },
            match plan.itr.p {
                ItrP::BalancedAccuracy => "balanced accuracy",
                ItrP::Accuracy => "accuracy",
            },
            match plan.itr.t {
                ItrT::WindowLength => "window length",
                ItrT::WindowStep => "window step",
            },
        )?;
        for pipeline in &plan.pipelines {
            let rows = self.results.iter().filter(|row| row.pipeline == pipeline.name);
            let n_unusable: usize = rows.map(|row| row.n_unusable_windows).sum();
            if n_unusable > 0 {
                writeln!(
                    text,
                    "{}: {n_unusable} windows could not be decided; they are not scored.",
                    pipeline.name
                )?;
            }
        }
        let (n_shifts, n_labels) = (plan.nulls.n_shifts, plan.nulls.n_permutations);
        if n_shifts > 0 {
            writeln!(
                text,
                "Above chance: p <= 0.05 in each null that was run ({n_shifts} shifts, {n_labels} label permutations), and a score above the clock's."
            )?;
        } else {
            writeln!(text, "No null was run: these scores are not held against chance.")?;
        }
        Ok(())
    }
}

/// A value of each subject: the mean over its sessions.
fn per_subject(rows: &[&Row], of: fn(&Row) -> f64) -> Vec<f64> {
    let of_subject = rows.chunk_by(|a, b| a.subject == b.subject);
    of_subject.map(|rows| rows.iter().map(|row| of(row)).sum::<f64>() / rows.len() as f64).collect()
}

/// Three digits, or that there is none.
pub fn three(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.3}"))
}

/// In a word.
pub fn memory_word(memory: Memory) -> &'static str {
    match memory {
        Memory::Memoryless => "memoryless",
        Memory::Stateful => "stateful",
    }
}

/// The verdict in plain words.
pub fn verdict_words(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::AboveChance) => "above chance",
        Some(Verdict::NotDistinguishable) => "not distinguishable from chance",
        None => "no null was run",
    }
}
