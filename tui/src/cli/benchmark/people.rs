//! What is known of the subjects: a table, and what of their scores it explains.

use super::confounds::ConfoundPlan;
use super::item::Row;
use super::plan::Benchmark;
use super::table::{Class, of_dataset, subject_scores};
use acquisition::text::printable;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use decoding::evaluate::null::SEED;
use decoding::stats::compare::holm;
use decoding::stats::regression::{Explained, explained};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Largest table that is read.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Most columns beside `subject` and `dataset`.
const MAX_COLUMNS: usize = 256;

/// What stands where nothing is known.
const UNKNOWN: [&str; 6] = ["", "n/a", "na", "nan", "null", "none"];

/// Fewest subjects that anything is said of: of four there are 24 orders, and the least p is
/// hardly below 0.05.
const LEAST_SUBJECTS: usize = 5;

/// A table of the subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// Names of what is known.
    pub columns: Vec<String>,
    /// A value per column, by dataset (where the table names them) and subject.
    rows: BTreeMap<(Option<String>, u32), Vec<Option<String>>>,
}

impl People {
    /// Reads a table: CSV with a header.
    pub fn read(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let size = fs::metadata(path)?.len();
            ensure!(size <= MAX_FILE_BYTES, "no table of subjects is larger than 16 MiB");
            Self::of(&fs::read_to_string(path)?)
        };
        read().with_context(|| format!("can't be read as a table: {}", path.display()))
    }

    fn of(text: &str) -> Result<Self> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        let at = |name: &str| header.iter().position(|column| column == name);
        let subject = at("subject").context("there is no column `subject`")?;
        let dataset = at("dataset");
        let known: Vec<usize> =
            (0..header.len()).filter(|k| *k != subject && Some(*k) != dataset).collect();
        ensure!(!known.is_empty(), "there is no column beside `subject`");
        ensure!(known.len() <= MAX_COLUMNS, "at most {MAX_COLUMNS} columns can be looked at");
        for (k, column) in header.iter().enumerate() {
            ensure!(!header[..k].contains(column), "two columns are called {}", printable(column));
        }
        // Of each column, whether its values are numbers, once one is known.
        let mut are_numbers: Vec<Option<bool>> = vec![None; header.len()];
        let mut rows = BTreeMap::new();
        for (line, record) in (2..).zip(reader.records()) {
            let record = record.map_err(|error| anyhow!("{}", printable(&error.to_string())))?;
            let value = |k: usize| record.get(k).unwrap_or_default();
            let number = value(subject).parse::<u32>();
            let number = number.with_context(|| {
                format!("line {line}: `subject` is a number, not {}", printable(value(subject)))
            })?;
            let is_known =
                |text: &&str| !UNKNOWN.iter().any(|word| text.eq_ignore_ascii_case(word));
            for k in known.iter().copied().filter(|k| is_known(&value(*k))) {
                let is_number = value(k).parse::<f64>().is_ok();
                let (column, found) = (printable(&header[k]), printable(value(k)));
                ensure!(
                    *are_numbers[k].get_or_insert(is_number) == is_number,
                    "line {line}: {found} stands in the column {column}, which has numbers and \
                     words: write n/a where nothing is known"
                );
            }
            let values = known.iter().map(|k| Some(value(*k)).filter(is_known).map(str::to_owned));
            let dataset = dataset.map(|k| value(k).to_owned());
            if rows.insert((dataset, number), values.collect()).is_some() {
                bail!("line {line}: subject {number} is there twice");
            }
        }
        Ok(Self { columns: known.iter().map(|k| header[*k].clone()).collect(), rows })
    }

    /// Whether any of a dataset's subjects is in the table.
    pub fn knows_any(&self, dataset: &str, subjects: &[u32]) -> bool {
        let is_there = |subject: &u32| {
            self.rows.contains_key(&(Some(dataset.to_owned()), *subject))
                || self.rows.contains_key(&(None, *subject))
        };
        subjects.iter().any(is_there)
    }

    fn value(&self, dataset: &str, subject: u32, column: usize) -> Option<&str> {
        let named = self.rows.get(&(Some(dataset.to_owned()), subject));
        named.or_else(|| self.rows.get(&(None, subject)))?[column].as_deref()
    }

    /// The regressors of some columns, for the subjects of whom all is known: numbers as they
    /// are, words as one regressor for each but the first of them.
    fn regressors(&self, dataset: &str, subjects: &[u32], columns: &[usize]) -> Vec<Known> {
        let value = |subject: u32, column: usize| self.value(dataset, subject, column);
        let is_known = |subject: &&u32| columns.iter().all(|c| value(**subject, *c).is_some());
        let known: Vec<u32> = subjects.iter().filter(is_known).copied().collect();
        let mut found: Vec<Known> =
            known.iter().map(|subject| Known { subject: *subject, x: vec![] }).collect();
        for &column in columns {
            let words: Vec<&str> = known.iter().filter_map(|s| value(*s, column)).collect();
            let numbers: Option<Vec<f64>> =
                words.iter().map(|w| w.parse().ok().filter(|v: &f64| v.is_finite())).collect();
            let levels: BTreeSet<&str> = words.iter().copied().collect();
            for (known, (at, word)) in found.iter_mut().zip(words.iter().enumerate()) {
                if let Some(numbers) = &numbers {
                    known.x.push(numbers[at]);
                } else {
                    let is_level = |level: &&str| f64::from(u8::from(level == word));
                    known.x.extend(levels.iter().skip(1).map(is_level));
                }
            }
        }
        found
    }
}

struct Known {
    subject: u32,
    x: Vec<f64>,
}

/// How much of the scores of a pipeline something known of subjects or sessions explains.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// What: a column, `session`, or all columns.
    pub of: String,
    /// Whose scores.
    pub pipeline: String,
    /// Subjects (of `session`: sessions) of which it is known.
    pub n: usize,
    /// `None` where that is too few, or all are alike.
    pub explained: Option<Explained>,
    /// Corrected after Holm for all accounts of the dataset and class.
    pub p_corrected: Option<f64>,
}

/// What columns, all columns and sessions explain of the scores of a dataset and class.
pub fn accounts(benchmark: &Benchmark, dataset: &str, rows: &[Row], class: Class) -> Vec<Account> {
    let Some(ConfoundPlan { permutations, .. }) = benchmark.file.confounds else { return vec![] };
    let mut found = Vec::new();
    for pipeline in benchmark.pipelines.iter().map(|pipeline| pipeline.name.as_str()) {
        let of_set = of_dataset(rows, dataset);
        let scores: Vec<(u32, f64)> = subject_scores(&of_set, class, pipeline)
            .into_iter()
            .map(|((_, subject), score)| (subject, score))
            .collect();
        if scores.is_empty() {
            continue;
        }
        let mut push = |of: &str, n: usize, explained: Option<Explained>| {
            let (of, pipeline) = (of.to_owned(), pipeline.to_owned());
            found.push(Account { of, pipeline, n, explained, p_corrected: None });
        };
        if let Some(people) = &benchmark.people {
            let n_columns = people.columns.len();
            let each = (0..n_columns).map(|k| (people.columns[k].as_str(), vec![k]));
            let all = (n_columns > 1).then(|| ("all of them", (0..n_columns).collect()));
            for (of, columns) in each.chain(all) {
                let (n, explained) = of_people(people, (dataset, &columns), &scores, permutations);
                push(of, n, explained);
            }
        }
        if let Some((n, explained)) = of_sessions(&of_set, class, pipeline, permutations) {
            push("session", n, explained);
        }
    }
    let p_values: Vec<f64> = found.iter().filter_map(|a| Some(a.explained?.p)).collect();
    let corrected = holm(&p_values);
    let tested = found.iter_mut().filter(|account| account.explained.is_some());
    for (account, p) in tested.zip(corrected) {
        account.p_corrected = Some(p);
    }
    found
}

fn of_people(
    people: &People,
    (dataset, columns): (&str, &[usize]),
    scores: &[(u32, f64)],
    permutations: usize,
) -> (usize, Option<Explained>) {
    let subjects: Vec<u32> = scores.iter().map(|(subject, _)| *subject).collect();
    let known = people.regressors(dataset, &subjects, columns);
    let y: Vec<f64> = known
        .iter()
        .filter_map(|known| scores.iter().find(|(subject, _)| *subject == known.subject))
        .map(|(_, score)| *score)
        .collect();
    let x: Vec<Vec<f64>> = known.into_iter().map(|known| known.x).collect();
    let varies = x.iter().any(|row| row != &x[0]);
    let n = y.len();
    let explained = (n >= LEAST_SUBJECTS && varies)
        .then(|| explained(&x, &y, &vec![0; n], permutations, SEED))
        .flatten();
    (n, explained)
}

/// By the number of the session, within subjects that have several.
fn of_sessions(
    rows: &[Row],
    class: Class,
    pipeline: &str,
    permutations: usize,
) -> Option<(usize, Option<Explained>)> {
    let of = rows.iter().filter(|row| Class::of(row) == class && row.pipeline == pipeline);
    let mut points: Vec<(u32, f64, f64)> =
        of.filter_map(|row| Some((row.subject, row.session.parse().ok()?, row.score))).collect();
    let of_subject = |subject: u32| points.iter().filter(|point| point.0 == subject).count();
    let several: BTreeSet<u32> =
        points.iter().map(|point| point.0).filter(|s| of_subject(*s) > 1).collect();
    points.retain(|point| several.contains(&point.0));
    if points.is_empty() {
        return None;
    }
    let x: Vec<Vec<f64>> = points.iter().map(|point| vec![point.1]).collect();
    let y: Vec<f64> = points.iter().map(|point| point.2).collect();
    let groups: Vec<usize> = points.iter().map(|point| point.0 as usize).collect();
    let explained = (points.len() >= LEAST_SUBJECTS)
        .then(|| explained(&x, &y, &groups, permutations, SEED))
        .flatten();
    Some((points.len(), explained))
}

#[cfg(test)]
mod tests;
