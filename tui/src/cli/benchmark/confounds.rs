//! What besides the brain scores may come from, as tables: variables of trials, and what is
//! known of subjects and sessions.

use super::figure::{Column, Figure};
use super::item::{Confounds, Row};
use super::page::{Page, escape, list};
use super::people::{Account, accounts};
use super::plan::{Benchmark, Set, once};
use super::table::{Class, above_words, of_dataset};
use crate::cli::report::three;
use acquisition::text::printable;
use anyhow::{Result, ensure};
use decoding::evaluate::null::{N_PERMUTATIONS, N_SHIFTS, SIGNIFICANCE};
use decoding::offline::confounds::Variable;
use decoding::offline::cross_validation::Confounded;
use decoding::stats::Summary;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

/// What besides the brain scores are held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfoundPlan {
    /// Of each trial, for offline scores within a session.
    pub variables: Vec<Variable>,
    /// A table of the subjects, relative to the plan: CSV with a column `subject`, one
    /// `dataset` where there are several, and one for each thing that is known.
    pub demographics: Option<PathBuf>,
    /// Draws of the null of what demographics and sessions explain.
    pub permutations: usize,
}

impl Default for ConfoundPlan {
    fn default() -> Self {
        Self { variables: Variable::ALL.to_vec(), demographics: None, permutations: N_SHIFTS }
    }
}

impl ConfoundPlan {
    /// Whether it can be done.
    pub fn check(&self) -> Result<()> {
        once("confounds.variables", &self.variables)?;
        ensure!(
            self.permutations >= N_PERMUTATIONS,
            "confounds.permutations is at least {N_PERMUTATIONS}: with fewer no p can reach 0.05"
        );
        Ok(())
    }
}

/// As a plan writes it.
fn word(variable: Option<Variable>) -> &'static str {
    match variable {
        Some(Variable::EyeAmplitude) => "eye_amplitude",
        Some(Variable::Gaze) => "gaze",
        Some(Variable::MusclePower) => "muscle_power",
        Some(Variable::PeakToPeak) => "peak_to_peak",
        Some(Variable::TrialOrder) => "trial_order",
        Some(Variable::Run) => "run",
        None => "all of them",
    }
}

/// What one variable, or all of them, has to do with a pipeline's scores on a dataset.
struct OfVariable {
    variable: Option<Variable>,
    /// What the variable alone scores; means over subjects.
    alone: Summary,
    /// Subjects tested, and above chance in every session.
    alone_above: Option<(usize, usize)>,
    /// The pipeline's score without it.
    without: f64,
    /// Less its score, a value per subject.
    changes: Vec<f64>,
    /// Of all of them together: subjects tested, and above chance without them.
    without_above: Option<(usize, usize)>,
}

/// A pipeline's variables, all of them together last.
fn of_pipeline(rows: &[&Row]) -> Vec<OfVariable> {
    let pairs = || rows.iter().filter_map(|row| Some((*row, row.confounds()?)));
    let variables: BTreeSet<Option<Variable>> =
        pairs().flat_map(|(_, of)| of.found.iter().map(|of| of.variable)).collect();
    let summarise = |variable: Option<Variable>| -> Option<OfVariable> {
        let found: Vec<(&Row, &Confounded)> = pairs()
            .filter_map(|(row, of)| {
                Some((row, of.found.iter().find(|of| of.variable == variable)?))
            })
            .collect();
        let over_subjects = |value: &dyn Fn(&Row, &Confounded) -> f64| -> Vec<f64> {
            let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
            for (row, of) in &found {
                let sum = sums.entry(row.subject).or_default();
                *sum = (sum.0 + value(row, of), sum.1 + 1.0);
            }
            sums.into_values().map(|(sum, n)| sum / n).collect()
        };
        let above = |p: &dyn Fn(&Confounded) -> Option<f64>| -> Option<(usize, usize)> {
            let mut subjects: BTreeMap<u32, bool> = BTreeMap::new();
            for (row, of) in &found {
                if let Some(p) = p(of) {
                    *subjects.entry(row.subject).or_insert(true) &= p <= SIGNIFICANCE;
                }
            }
            let n_above = subjects.values().filter(|is_above| **is_above).count();
            (!subjects.is_empty()).then_some((subjects.len(), n_above))
        };
        Some(OfVariable {
            variable,
            alone: Summary::of(&over_subjects(&|_, of| of.alone))?,
            alone_above: above(&|of| Some(of.alone_p)),
            without: Summary::of(&over_subjects(&|_, of| of.without))?.mean,
            changes: over_subjects(&|row, of| of.without - row.score),
            without_above: above(&|of| of.without_p),
        })
    };
    let each = variables.iter().flatten().map(|variable| Some(*variable));
    each.chain([None]).filter_map(summarise).collect()
}

fn above_phrase(above: Option<(usize, usize)>) -> String {
    match above {
        None => String::new(),
        Some(above) => format!(", above chance {}", above_words(above)),
    }
}

fn interval_words(summary: &Summary) -> String {
    let ends = summary.interval;
    ends.map_or(String::new(), |i| format!(" ({:.3} to {:.3})", i.lower, i.upper))
}

/// The pipelines of a dataset and class that were held against variables.
fn held<'a>(
    benchmark: &'a Benchmark,
    rows: &[Row],
    class: Class,
) -> Vec<(&'a str, Vec<OfVariable>)> {
    let names = benchmark.pipelines.iter().map(|pipeline| pipeline.name.as_str());
    let of = |name: &'a str| {
        let own = |row: &&Row| Class::of(row) == class && row.pipeline == name;
        (name, of_pipeline(&rows.iter().filter(own).collect::<Vec<_>>()))
    };
    names.map(of).filter(|(_, found)| !found.is_empty()).collect()
}

/// The variables of all pipelines together, for what does not depend on them.
fn of_variables(rows: &[Row], class: Class) -> Vec<OfVariable> {
    of_pipeline(&rows.iter().filter(|row| Class::of(row) == class).collect::<Vec<_>>())
}

/// Why some rows have nothing, what recordings have not, and whom the table does not name.
fn missing(benchmark: &Benchmark, dataset: &str, rows: &[Row], class: Class) -> Vec<String> {
    let mut lines = BTreeSet::new();
    let set = benchmark.sets.iter().find(|set| set.label == dataset);
    if let (Some(people), Some(set)) = (&benchmark.people, set)
        && !people.knows_any(dataset, &set.subjects)
    {
        lines.insert(format!("the table of subjects names none of {dataset}"));
    }
    for row in rows.iter().filter(|row| Class::of(row) == class) {
        let Some(Confounds { absent, why_not, .. }) = row.confounds() else { continue };
        for variable in absent {
            lines.insert(format!(
                "{}: the recordings of {} have no channel for it, or too low a rate",
                word(Some(*variable)),
                row.dataset
            ));
        }
        if let Some(why) = why_not {
            let Row { pipeline, subject, session, .. } = row;
            lines.insert(format!("{pipeline}, subject {subject}, session {session}: {why}"));
        }
    }
    lines.into_iter().collect()
}

/// What is printed of a dataset and class.
pub fn print(
    text: &mut String,
    benchmark: &Benchmark,
    (dataset, rows): (&str, &[Row]),
    class: Class,
) -> Result<()> {
    let of_set = of_dataset(rows, dataset);
    let held = held(benchmark, &of_set, class);
    if let Some(all) = of_variables(&of_set, class).last() {
        writeln!(
            text,
            "  confounds alone: {:.3}{}{}",
            all.alone.mean,
            interval_words(&all.alone),
            above_phrase(all.alone_above),
        )?;
    }
    for (name, found) in &held {
        let Some(all) = found.last() else { continue };
        let Some(change) = Summary::of(&all.changes) else { continue };
        writeln!(
            text,
            "  {} without what they explain: {:.3}, {:+.3}{}{}",
            printable(name),
            all.without,
            change.mean,
            interval_words(&change),
            above_phrase(all.without_above),
        )?;
    }
    if !missing(benchmark, dataset, &of_set, class).is_empty() {
        writeln!(text, "  not every confound could be looked at, the report says why")?;
    }
    print_accounts(text, &accounts(benchmark, dataset, rows, class))
}

fn print_accounts(text: &mut String, accounts: &[Account]) -> Result<()> {
    let tested: Vec<&Account> = accounts.iter().filter(|a| a.explained.is_some()).collect();
    for account in &tested {
        let (Some(found), Some(p)) = (account.explained, account.p_corrected) else { continue };
        if p <= SIGNIFICANCE {
            writeln!(
                text,
                "  {} explains {:.0} % of {}'s scores (p = {p:.4} corrected, n = {})",
                printable(&account.of),
                100.0 * found.r_squared,
                printable(&account.pipeline),
                account.n,
            )?;
        }
    }
    let told = tested.iter().any(|a| a.p_corrected.is_some_and(|p| p <= SIGNIFICANCE));
    match (accounts.len(), tested.len(), told) {
        (0, ..) => {}
        (_, 0, _) => writeln!(
            text,
            "  subjects or sessions are too few, or all alike, for what is known of them"
        )?,
        (_, n, false) => writeln!(
            text,
            "  what is known of subjects and sessions explains nothing that is distinguishable \
             from chance (Holm, {n} tests)"
        )?,
        _ => {}
    }
    Ok(())
}

/// What the report has of a dataset and class.
pub fn section(
    page: &mut Page,
    benchmark: &Benchmark,
    (set, rows): (&Set, &[Row]),
    (class, about): (Class, &str),
) -> Result<()> {
    let held = held(benchmark, rows, class);
    let missing = missing(benchmark, &set.label, rows, class);
    let accounts = accounts(benchmark, &set.label, rows, class);
    if held.is_empty() && missing.is_empty() && accounts.is_empty() {
        return Ok(());
    }
    page.html.push_str("<h3>What besides the brain</h3>");
    variables_table(&mut page.html, &of_variables(rows, class), &held)?;
    if !held.is_empty() {
        let column = |(name, found): &(&str, Vec<OfVariable>)| {
            let values = found.last().map(|of| of.changes.clone()).unwrap_or_default();
            let mean = Summary::of(&values).map(|summary| (summary.mean, summary.interval));
            Column { label: (*name).to_owned(), values, behind: vec![], mean }
        };
        let columns = held.iter().map(column).collect();
        let scale = "change of score";
        let figure = Figure::Columns { columns, scale, reference: Some(0.0) };
        page.figure(&format!("{about} confounds"), figure)?;
        page.html.push_str(
            "<p>Alone: a discriminant of the variable over the same folds; it may score below \
             chance, because these folds leave fewer of a class to be fitted to where more of it \
             is scored. The pipelines' columns: \
             their score after their decision values lost what the variable explains of them \
             linearly, with coefficients from training trials alone. A score that stays is not \
             proved to come from the brain; one that goes may have, where task and eye movement \
             come together; one that rises was held down by what drifts with the variable. The \
             figure: the change without all of them, a point per subject.</p>",
        );
    }
    list(&mut page.html, &missing)?;
    accounts_table(&mut page.html, &accounts)
}

fn variables_table(
    page: &mut String,
    all: &[OfVariable],
    held: &[(&str, Vec<OfVariable>)],
) -> Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    page.push_str("<table><tr><th>variable</th><th>alone</th><th>above chance</th>");
    for (name, _) in held {
        write!(page, "<th>{}</th>", escape(name))?;
    }
    page.push_str("</tr>");
    for of in all {
        write!(
            page,
            "<tr><td>{}</td><td>{:.3}{}</td><td>{}</td>",
            word(of.variable),
            of.alone.mean,
            interval_words(&of.alone),
            above_words(of.alone_above.unwrap_or_default()),
        )?;
        for (_, found) in held {
            let own = found.iter().find(|other| other.variable == of.variable);
            let change = own.and_then(|own| Summary::of(&own.changes));
            let above = own.and_then(|own| own.without_above);
            write!(page, "<td>{}", three(own.map(|own| own.without)))?;
            if let Some(change) = change {
                write!(page, " ({:+.3})", change.mean)?;
            }
            if let Some(above) = above {
                write!(page, "<br>above chance {}", above_words(above))?;
            }
            page.push_str("</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
    Ok(())
}

fn accounts_table(page: &mut String, accounts: &[Account]) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    page.push_str(
        "<table><caption>What is known of subjects and sessions</caption><tr><th>what</th>\
         <th>pipeline</th><th>n</th><th>share of variance</th><th>p</th><th>p, corrected</th>\
         <th></th></tr>",
    );
    for Account { of, pipeline, n, explained, p_corrected } in accounts {
        let verdict = match (explained, p_corrected) {
            (None, _) => "too few, or all alike",
            (_, Some(p)) if *p <= SIGNIFICANCE => "explains some of it",
            _ => "not distinguishable from chance",
        };
        write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{n}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{verdict}</td></tr>",
            escape(of),
            escape(pipeline),
            three(explained.map(|found| found.r_squared)),
            three(explained.map(|found| found.p)),
            three(*p_corrected),
        )?;
    }
    page.push_str(
        "</table><p>Linear regression over subjects, of sessions within subjects; p by permutation, \
         corrected after Holm over this table.</p>",
    );
    Ok(())
}
