//! What a benchmark prints and writes as tables; the comparison of its pipelines.

use super::confounds;
use super::item::{Confounds, Details, Place, Row};
use super::plan::{Benchmark, Mode, SplitKind};
use crate::cli::output::write_file;
use crate::cli::report::{memory_word, three, verdict_words};
use acquisition::text::printable;
use anyhow::{Context as _, Result};
use decoding::evaluate::null::{SEED, Verdict};
use decoding::pipeline::Memory;
use decoding::stats::compare::{
    combined_effect, effect, effect_interval, holm, most_p, paired_p, stouffer,
};
use decoding::stats::curve::{LogLinear, SubjectCurve};
use decoding::stats::{Interval, Summary};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// An item that failed, in words.
pub fn failure(
    benchmark: &Benchmark,
    place: Place,
    pipeline: usize,
    error: &anyhow::Error,
) -> String {
    let set = &benchmark.sets[place.set];
    let (mode, split) = (mode_word(place.mode), split_word(place.split));
    format!(
        "{} subject {}, {split}, {mode}, {}: {error:#}",
        set.label, set.subjects[place.subject], benchmark.pipelines[pipeline].name,
    )
}

/// As a plan writes it.
pub fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Offline => "offline",
        Mode::PseudoOnline => "pseudo-online",
    }
}

/// As a plan writes it.
pub fn split_word(split: SplitKind) -> &'static str {
    match split {
        SplitKind::WithinSession => "within-session",
        SplitKind::CrossSession => "cross-session",
        SplitKind::CrossSubject => "cross-subject",
    }
}

/// MOABB's columns, then ours.
const COLUMNS: [&str; 30] = [
    "score",
    "time",
    "samples",
    "subject",
    "session",
    "channels",
    "n_sessions",
    "dataset",
    "pipeline",
    "mode",
    "split",
    "memory",
    "label_p",
    "shift_p",
    "clock_nmcc",
    "verdict",
    "nmcc_idle_excluded",
    "itr_bits_per_min",
    "balanced_accuracy",
    "kappa",
    "true_positive_rate",
    "false_positives_per_idle_min",
    "n_unusable_windows",
    "confounds_alone",
    "confounds_alone_p",
    "without_confounds",
    "without_confounds_p",
    "confusion",
    "decision_p50_us_time",
    "decision_p99_us_time",
];

/// Writes MOABB's columns and ours as CSV, a line per row.
pub fn write_csv(path: &Path, rows: &[Row]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    let optional = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
    for row in rows {
        let online = match &row.details {
            Details::PseudoOnline(online) => Some(online),
            Details::Offline { .. } => None,
        };
        let together = row.confounds().and_then(Confounds::together);
        writer.write_record([
            row.score.to_string(),
            row.secs.to_string(),
            row.n_samples.to_string(),
            row.subject.to_string(),
            row.session.clone(),
            row.n_channels.to_string(),
            row.n_sessions.to_string(),
            row.dataset.clone(),
            row.pipeline.clone(),
            mode_word(row.mode).to_owned(),
            split_word(row.split).to_owned(),
            memory_word(row.memory).to_owned(),
            optional(row.label_p),
            optional(online.and_then(|o| o.shift_p)),
            optional(online.and_then(|o| o.clock_nmcc)),
            verdict_words(row.verdict).to_owned(),
            optional(online.map(|o| o.nmcc_idle_excluded)),
            optional(online.map(|o| o.itr_bits_per_min)),
            optional(online.map(|o| o.balanced_accuracy)),
            optional(online.map(|o| o.kappa)),
            optional(online.and_then(|o| o.true_positive_rate)),
            optional(online.and_then(|o| o.false_positives_per_idle_min)),
            online.map_or(String::new(), |o| o.n_unusable_windows.to_string()),
            optional(together.map(|of| of.alone)),
            optional(together.map(|of| of.alone_p)),
            optional(together.map(|of| of.without)),
            optional(together.and_then(|of| of.without_p)),
            serde_json::to_string(&row.confusion)?,
            optional(online.map(|o| o.decision_p50_us)),
            optional(online.map(|o| o.decision_p99_us)),
        ])?;
    }
    write_file(path, &writer.into_inner().context("the table as CSV")?)
}

/// Rows that may be compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Class {
    /// Who calibrated.
    pub split: SplitKind,
    /// How it was scored.
    pub mode: Mode,
    /// Whether decisions depend on earlier windows or trials.
    pub is_stateful: bool,
}

impl Class {
    /// The class of a row.
    pub fn of(row: &Row) -> Self {
        let is_stateful = row.memory == Memory::Stateful;
        Self { split: row.split, mode: row.mode, is_stateful }
    }

    /// As a heading.
    pub fn in_words(self) -> String {
        let state = if self.is_stateful { ", stateful" } else { "" };
        format!("{}, {}{state}", split_word(self.split), mode_word(self.mode))
    }
}

/// Mean score of each subject, by dataset: sessions of a subject are averaged.
pub fn subject_scores(rows: &[Row], class: Class, pipeline: &str) -> BTreeMap<(String, u32), f64> {
    let mut sums: BTreeMap<(String, u32), (f64, f64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| Class::of(row) == class && row.pipeline == pipeline) {
        let sum = sums.entry((row.dataset.clone(), row.subject)).or_default();
        *sum = (sum.0 + row.score, sum.1 + 1.0);
    }
    sums.into_iter().map(|(of, (sum, n))| (of, sum / n)).collect()
}

/// One pipeline against another, over all datasets.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Where.
    pub class: Class,
    /// The one that is asked to be better.
    pub better: String,
    /// The one it is held against.
    pub other: String,
    /// Subjects with both.
    pub n_subjects: usize,
    /// Of each, the difference of scores.
    pub differences: Vec<f64>,
    /// Their mean.
    pub difference: f64,
    /// Standardised mean difference, weighted over datasets by the roots of their subjects,
    /// and its interval.
    pub effect: Option<(f64, Interval)>,
    /// Of each dataset.
    pub datasets: Vec<OfDataset>,
    /// One-tailed, datasets combined.
    pub p: f64,
    /// Corrected for all pairs of the class.
    pub p_corrected: f64,
}

/// What one dataset says of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct OfDataset {
    /// Its label.
    pub label: String,
    /// Subjects with both.
    pub n_subjects: usize,
    /// Standardised mean difference and its interval; `None` of one subject.
    pub effect: Option<(f64, Interval)>,
    /// One-tailed.
    pub p: f64,
}

impl OfDataset {
    /// `None` where there is no difference, or one that is no number.
    fn of(label: &str, differences: &[f64]) -> Option<Self> {
        let n_subjects = differences.len();
        let effect =
            effect(differences).map(|effect| (effect, effect_interval(effect, n_subjects)));
        Some(Self { label: label.to_owned(), n_subjects, effect, p: paired_p(differences)? })
    }
}

/// Every ordered pair of pipelines of a class.
pub fn comparisons(rows: &[Row], class: Class, pipelines: &[&str]) -> Vec<Comparison> {
    let mut found = Vec::new();
    for better in pipelines {
        for other in pipelines.iter().filter(|other| other != &better) {
            found.extend(compare(rows, class, better, other));
        }
    }
    let p_values: Vec<f64> = found.iter().map(|comparison| comparison.p).collect();
    for (comparison, p) in found.iter_mut().zip(holm(&p_values)) {
        comparison.p_corrected = p;
    }
    found
}

fn compare(rows: &[Row], class: Class, better: &str, other: &str) -> Option<Comparison> {
    let (ours, theirs) = (subject_scores(rows, class, better), subject_scores(rows, class, other));
    let mut by_dataset: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for ((dataset, subject), score) in &ours {
        if let Some(against) = theirs.get(&(dataset.clone(), *subject)) {
            by_dataset.entry(dataset).or_default().push(score - against);
        }
    }
    let datasets: Vec<OfDataset> =
        by_dataset.iter().filter_map(|(label, of)| OfDataset::of(label, of)).collect();
    let p = if let [only] = &datasets[..] {
        only.p
    } else {
        // A dataset where all is equal, or that is small, must not outweigh the others.
        let held = datasets.iter().map(|of| of.p.min(most_p(of.n_subjects)));
        let weights = datasets.iter().map(|of| (of.n_subjects as f64).sqrt());
        stouffer(&held.collect::<Vec<_>>(), &weights.collect::<Vec<_>>())?
    };
    let effects = datasets.iter().filter_map(|of| Some((of.effect?.0, of.n_subjects)));
    let differences: Vec<f64> = by_dataset.into_values().flatten().collect();
    Some(Comparison {
        class,
        better: better.to_owned(),
        other: other.to_owned(),
        n_subjects: differences.len(),
        difference: decoding::stats::mean(&differences)?,
        effect: combined_effect(&effects.collect::<Vec<_>>()),
        differences,
        datasets,
        p,
        p_corrected: p,
    })
}

/// The rows of one dataset.
pub fn of_dataset(rows: &[Row], label: &str) -> Vec<Row> {
    rows.iter().filter(|row| row.dataset == label).cloned().collect()
}

/// The classes there are, in their order.
pub fn classes(rows: &[Row]) -> Vec<Class> {
    let mut classes: Vec<Class> = rows.iter().map(Class::of).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// The tables for people.
pub fn print(benchmark: &Benchmark, rows: &[Row]) -> Result<String> {
    let mut text = String::new();
    let width = benchmark.pipelines.iter().map(|p| p.name.len()).max().unwrap_or(0).max(8);
    for class in classes(rows) {
        for set in &benchmark.sets {
            let of_set = of_dataset(rows, &set.label);
            if !of_set.iter().any(|row| Class::of(row) == class) {
                continue;
            }
            writeln!(text, "{}, {}", printable(&set.label), class.in_words())?;
            writeln!(
                text,
                "  {:<width$}  {:<15} {:<16} {:<8} {:<7} above chance",
                "pipeline", "score", "95 % interval", "no-idle", "clock"
            )?;
            for pipeline in &benchmark.pipelines {
                line(&mut text, &of_set, class, &pipeline.name, width)?;
            }
            for pipeline in &benchmark.pipelines {
                growth(&mut text, &of_set, class, &pipeline.name)?;
            }
            confounds::print(&mut text, benchmark, (&set.label, rows), class)?;
        }
        best_pairs(&mut text, benchmark, rows, class)?;
        writeln!(text)?;
    }
    footnotes(&mut text, rows)?;
    Ok(text)
}

fn line(text: &mut String, rows: &[Row], class: Class, pipeline: &str, width: usize) -> Result<()> {
    let scores: Vec<f64> = subject_scores(rows, class, pipeline).into_values().collect();
    let Some(summary) = Summary::of(&scores) else { return Ok(()) };
    let of: Vec<&Row> =
        rows.iter().filter(|row| Class::of(row) == class && row.pipeline == pipeline).collect();
    let mean = |values: Vec<f64>| decoding::stats::mean(&values);
    let online = |row: &&Row| match &row.details {
        Details::PseudoOnline(online) => Some(online.clone()),
        Details::Offline { .. } => None,
    };
    let details: Vec<_> = of.iter().filter_map(online).collect();
    let no_idle = mean(details.iter().map(|o| o.nmcc_idle_excluded).collect());
    let clock = mean(details.iter().filter_map(|o| o.clock_nmcc).collect());
    let above = above_words(n_above_chance(&of));
    let spread = summary.std.map_or(String::new(), |std| format!(" ± {std:.3}"));
    let interval =
        summary.interval.map_or("-".to_owned(), |i| format!("{:.3} to {:.3}", i.lower, i.upper));
    writeln!(
        text,
        "  {:<width$}  {:<15} {interval:<16} {:<8} {:<7} {above}",
        printable(pipeline),
        format!("{:.3}{spread}", summary.mean),
        three(no_idle),
        three(clock),
    )?;
    Ok(())
}

/// Subjects that were held against a null, and those above chance, in words.
pub fn above_words(above: (usize, usize)) -> String {
    match above {
        (0, _) => "no null was run".to_owned(),
        (n, 0) => format!("0 of {n}: not distinguishable from chance"),
        (n, n_above) => format!("{n_above} of {n}"),
    }
}

/// Subjects that were held against a null, and those above chance: in every session.
fn n_above_chance(rows: &[&Row]) -> (usize, usize) {
    let mut subjects: BTreeMap<u32, bool> = BTreeMap::new();
    for row in rows {
        if let Some(verdict) = row.verdict {
            *subjects.entry(row.subject).or_insert(true) &= verdict == Verdict::AboveChance;
        }
    }
    (subjects.len(), subjects.values().filter(|is_above| **is_above).count())
}

/// The points of every subject's curve, all its sessions'.
pub fn curves(rows: &[Row], class: Class, pipeline: &str) -> Vec<SubjectCurve> {
    let mut curves: BTreeMap<(&str, u32), SubjectCurve> = BTreeMap::new();
    for row in rows.iter().filter(|row| Class::of(row) == class && row.pipeline == pipeline) {
        if let Details::Offline { curve, .. } = &row.details
            && !curve.is_empty()
        {
            curves.entry((row.dataset.as_str(), row.subject)).or_default().extend(curve);
        }
    }
    curves.into_values().collect()
}

/// Points of curves that there are not: whose, at which amount of training, and why.
pub fn unfitted(rows: &[Row], class: Class, pipeline: &str) -> Vec<String> {
    let of = rows.iter().filter(|row| Class::of(row) == class && row.pipeline == pipeline);
    let points = of.flat_map(|row| {
        let unfitted = match &row.details {
            Details::Offline { unfitted, .. } => &unfitted[..],
            Details::PseudoOnline(_) => &[],
        };
        let Row { subject, session, .. } = row;
        unfitted.iter().map(move |(amount, why)| {
            format!("{pipeline}, subject {subject}, session {session}, at {amount}: {why}")
        })
    });
    points.collect()
}

/// What ten times the training adds.
fn growth(text: &mut String, rows: &[Row], class: Class, pipeline: &str) -> Result<()> {
    let n_unfitted = unfitted(rows, class, pipeline).len();
    if n_unfitted > 0 {
        let points = if n_unfitted == 1 { "point" } else { "points" };
        writeln!(
            text,
            "  {}: {n_unfitted} {points} of the curve could not be fitted, the report says why",
            printable(pipeline),
        )?;
    }
    let Some(line) = LogLinear::fit(&curves(rows, class, pipeline), SEED) else { return Ok(()) };
    let interval = line
        .per_tenfold_interval
        .map_or(String::new(), |i| format!(" ({:.3} to {:.3})", i.lower, i.upper));
    let unit = if class.split == SplitKind::CrossSubject { "subjects" } else { "trials" };
    writeln!(
        text,
        "  {}: {:.3} + {:.3}{interval} log10 n, n training {unit}",
        printable(pipeline),
        line.at_one,
        line.per_tenfold,
    )?;
    Ok(())
}

/// What can be told apart, and what not.
fn best_pairs(text: &mut String, benchmark: &Benchmark, rows: &[Row], class: Class) -> Result<()> {
    let names: Vec<&str> = benchmark.pipelines.iter().map(|p| p.name.as_str()).collect();
    let mut pairs = comparisons(rows, class, &names);
    if pairs.is_empty() {
        return Ok(());
    }
    pairs.sort_by(|a, b| a.p_corrected.total_cmp(&b.p_corrected).then(a.p.total_cmp(&b.p)));
    let told: Vec<_> = pairs.iter().filter(|pair| pair.p_corrected <= 0.05).collect();
    let n_subjects = pairs.iter().map(|pair| pair.n_subjects).max().unwrap_or(0);
    if told.is_empty() && (1.0 - most_p(n_subjects)) * pairs.len() as f64 > 0.05 {
        writeln!(
            text,
            "  {n_subjects} subjects are too few for {} comparisons: nothing could be told apart",
            pairs.len()
        )?;
    } else if told.is_empty() {
        writeln!(text, "  no two of them can be told apart (Holm, {} comparisons)", pairs.len())?;
    }
    for pair in told {
        writeln!(
            text,
            "  {} above {} by {:.3} (effect {}, p = {:.4} corrected, {} subjects)",
            printable(&pair.better),
            printable(&pair.other),
            pair.difference,
            three(pair.effect.map(|(effect, _)| effect)),
            pair.p_corrected,
            pair.n_subjects,
        )?;
    }
    Ok(())
}

fn footnotes(text: &mut String, rows: &[Row]) -> Result<()> {
    writeln!(
        text,
        "Mean ± standard deviation over subjects. Offline: area under the ROC of two\nclasses and accuracy of more, if the plan says nothing else, shuffled folds,\nfilters without delay. Pseudo-online: nMCC, 0.5 is chance; no-idle: over the tasks\nalone; clock: what the paradigm's timing scores without EEG. Above chance: subjects\nthat are so in every session."
    )?;
    if rows.iter().any(|row| Class::of(row).is_stateful) {
        writeln!(
            text,
            "Stateful: decisions depend on earlier windows or trials, not to be compared with memoryless ones."
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
