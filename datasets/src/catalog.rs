//! Public datasets as data: who made them, under which licence, which files they
//! have, and which runs and annotations mean which class.
//!
//! One file per dataset; nothing here reads or fetches a file ([`crate::reader`]
//! reads recordings). Class and dataset names come from users and are resolved
//! here, so that code below speaks of runs and class indices alone.

mod physionet_mi;

use acquisition::marker::{ClassIdx, MarkerMap};
use acquisition::text::printable;
use std::path::{Path, PathBuf};

/// All datasets.
const DATASETS: [&Dataset; 1] = [&physionet_mi::PHYSIONET_MI];

/// Why the catalogue can't answer. All are answers to a user, who can put them right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// No dataset has this name: take the one that is suggested, or one of the list.
    #[error("no dataset is called {asked:?}, did you mean {nearest}? (known: {known})")]
    UnknownDataset {
        /// The name asked for.
        asked: String,
        /// The name most like it.
        nearest: &'static str,
        /// All names.
        known: String,
    },
    /// The dataset has no such class: take the one that is suggested, or one of the list.
    #[error("{dataset} has no class {asked:?}, did you mean {nearest}? (known: {known})")]
    UnknownClass {
        /// The dataset.
        dataset: &'static str,
        /// The name asked for.
        asked: String,
        /// The name most like it.
        nearest: &'static str,
        /// All names.
        known: String,
    },
    /// Classes have to differ, and there has to be one: correct the list.
    #[error("classes have to be listed once each, and at least one: {0:?}")]
    Classes(Vec<String>),
    /// The text is no list of subjects: write it like `1-10` or `1,2,88`.
    #[error("subjects are written like 1-10 or 1,2,88, not {asked:?}: {problem}")]
    Subjects {
        /// The text.
        asked: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The dataset has no such subject or run: ask for one it has.
    #[error(
        "{dataset} has no subject {subject} run {run} (subjects 1-{n_subjects}, runs 1-{n_runs})"
    )]
    OutOfRange {
        /// The dataset.
        dataset: &'static str,
        /// Subject asked for.
        subject: u32,
        /// Run asked for.
        run: u32,
        /// Subjects it has.
        n_subjects: u32,
        /// Runs each has.
        n_runs: u32,
    },
    /// The file is not in the folder: download it, or name the folder that has it.
    #[error(
        "subject {subject} run {run} is not here, get it by `mindloop download {dataset} --subjects {subject}`: {path}"
    )]
    Missing {
        /// The dataset.
        dataset: &'static str,
        /// Subject asked for.
        subject: u32,
        /// Run asked for.
        run: u32,
        /// Where it was expected first.
        path: String,
    },
}

/// Whether movements are imagined or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Imagined.
    Imagined,
    /// Made.
    Executed,
}

/// Which annotation of which runs means a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassRuns {
    /// The class's name on the command line and in results.
    pub class: &'static str,
    /// Its annotation's text in those runs.
    pub marker: &'static str,
    /// Whether it is imagined there.
    pub execution: Execution,
    /// Runs in the order in which they were recorded.
    pub runs: &'static [u32],
}

/// A dataset: everything known about it without its files.
#[derive(Debug)]
pub struct Dataset {
    /// Name on the command line.
    pub name: &'static str,
    /// Title as published.
    pub title: &'static str,
    /// Licence as published.
    pub licence: &'static str,
    /// How its authors ask to be cited.
    pub citation: &'static str,
    /// Its DOI.
    pub doi: &'static str,
    /// Where it is described.
    pub home_url: &'static str,
    /// Where its files are, without a final slash.
    pub files_url: &'static str,
    /// Its files' folder in copies of the original, and so in `--data-dir`.
    pub folder: &'static str,
    /// Rate of most recordings; a recording's own is in its file.
    pub rate_hz: f64,
    /// EEG channels.
    pub n_channels: usize,
    /// Subjects, numbered from 1.
    pub n_subjects: u32,
    /// Runs of each subject, numbered from 1 in the order of recording.
    pub n_runs: u32,
    /// What annotations mean. Everything else is idle.
    pub classes: &'static [ClassRuns],
    /// Seconds after a cue during which its task is done, `[tmin, tmax)`.
    pub task_interval_secs: [f64; 2],
    /// Seconds after a cue of an epoch that is scored offline, as MOABB has it.
    pub epoch_interval_secs: [f64; 2],
    /// SHA-256 of files, one a line, in the format of `sha256sum`: not of all.
    checksums: &'static str,
    /// A file's path in the dataset.
    path: fn(subject: u32, run: u32) -> String,
}

/// One run to be read, and what its annotations mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSpec {
    /// The run's number.
    pub run: u32,
    /// Annotation texts and the names of their classes, selected ones only.
    pub marker_map: Vec<(String, String)>,
}

impl RunSpec {
    /// The annotations' meaning as class indices: `classes` in their order, from 1.
    pub fn markers(&self, classes: &[String]) -> MarkerMap {
        let idx = |class: &String| {
            let at = classes.iter().position(|c| c == class)?;
            u8::try_from(at + 1).ok().map(ClassIdx)
        };
        let entry = |(text, class): &(String, String)| Some((text.clone(), idx(class)?));
        MarkerMap::new(self.marker_map.iter().filter_map(entry))
    }
}

impl Dataset {
    /// All datasets of the catalogue.
    pub fn all() -> &'static [&'static Self] {
        &DATASETS
    }

    /// The dataset of a name.
    pub fn find(name: &str) -> Result<&'static Self, CatalogError> {
        let names: Vec<&'static str> = DATASETS.iter().map(|d| d.name).collect();
        DATASETS.iter().find(|d| d.name == name).copied().ok_or_else(|| {
            CatalogError::UnknownDataset {
                asked: printable(name).into_owned(),
                nearest: nearest(name, &names),
                known: names.join(", "),
            }
        })
    }

    /// Names of the classes, without idle, each once.
    pub fn class_names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for class in self.classes {
            if !names.contains(&class.class) {
                names.push(class.class);
            }
        }
        names
    }

    /// The runs that hold any of `classes`, in the order in which they were recorded,
    /// each with the meaning its annotations have in that run.
    pub fn runs_for(
        &self,
        classes: &[String],
        execution: Execution,
    ) -> Result<Vec<RunSpec>, CatalogError> {
        self.check_classes(classes)?;
        let mut specs: Vec<RunSpec> = Vec::new();
        for known in self.classes {
            if known.execution != execution || !classes.iter().any(|c| c == known.class) {
                continue;
            }
            for &run in known.runs {
                let entry = (known.marker.to_owned(), known.class.to_owned());
                match specs.iter_mut().find(|spec| spec.run == run) {
                    Some(spec) => spec.marker_map.push(entry),
                    None => specs.push(RunSpec { run, marker_map: vec![entry] }),
                }
            }
        }
        specs.sort_by_key(|spec| spec.run);
        Ok(specs)
    }

    fn check_classes(&self, classes: &[String]) -> Result<(), CatalogError> {
        let names = self.class_names();
        for class in classes {
            if !names.contains(&class.as_str()) {
                return Err(CatalogError::UnknownClass {
                    dataset: self.name,
                    asked: printable(class).into_owned(),
                    nearest: nearest(class, &names),
                    known: names.join(", "),
                });
            }
        }
        let is_again = |i: usize| classes[..i].contains(&classes[i]);
        if classes.is_empty() || (0..classes.len()).any(is_again) {
            return Err(CatalogError::Classes(classes.to_vec()));
        }
        Ok(())
    }

    /// A file's path below the dataset's root, with `/` between its parts.
    pub fn relative_path(&self, subject: u32, run: u32) -> Result<String, CatalogError> {
        let (n_subjects, n_runs) = (self.n_subjects, self.n_runs);
        if !(1..=n_subjects).contains(&subject) || !(1..=n_runs).contains(&run) {
            let dataset = self.name;
            return Err(CatalogError::OutOfRange { dataset, subject, run, n_subjects, n_runs });
        }
        Ok((self.path)(subject, run))
    }

    /// The file of a run below `data_dir`: the dataset's root itself, or a folder that
    /// holds it under its name here or in the original.
    pub fn locate(&self, data_dir: &Path, subject: u32, run: u32) -> Result<PathBuf, CatalogError> {
        let relative = self.relative_path(subject, run)?;
        let roots = [data_dir.to_owned(), data_dir.join(self.folder), data_dir.join(self.name)];
        let found = roots.iter().map(|root| root.join(&relative)).find(|path| path.is_file());
        found.ok_or_else(|| CatalogError::Missing {
            dataset: self.name,
            subject,
            run,
            path: printable(&data_dir.join(&relative).to_string_lossy()).into_owned(),
        })
    }

    /// The SHA-256 of a file in lower-case hexadecimal, if the catalogue holds it.
    pub fn checksum(&self, relative_path: &str) -> Option<&'static str> {
        checksum_in(self.checksums, relative_path)
    }

    /// The subjects a text like `1-10` or `1,2,88` names, in its order.
    pub fn parse_subjects(&self, text: &str) -> Result<Vec<u32>, CatalogError> {
        let subjects = parse_subjects(text)?;
        match subjects.iter().find(|&&s| s > self.n_subjects) {
            None => Ok(subjects),
            Some(s) => {
                let asked = printable(text).into_owned();
                let problem =
                    format!("{s} is beyond {}, the last of {}", self.n_subjects, self.name);
                Err(CatalogError::Subjects { asked, problem })
            }
        }
    }
}

/// The checksum of `relative_path` in the text of a `sha256sum` file.
pub(crate) fn checksum_in<'a>(sums: &'a str, relative_path: &str) -> Option<&'a str> {
    let mut lines = sums.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let is_it = |path: &str| path.trim_start().trim_start_matches('*') == relative_path;
    let (sum, _) = lines.find(|(_, path)| is_it(path))?;
    (sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit())).then_some(sum)
}

/// A checksum in lower-case hexadecimal, two digits a byte.
pub(crate) fn checksum_text(sum: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    sum.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Most subjects one text may name.
const MAX_SUBJECTS: u32 = 10_000;

/// The subjects a text like `1-10`, `1,2,88` or `1-3,7` names, in its order.
pub fn parse_subjects(text: &str) -> Result<Vec<u32>, CatalogError> {
    let refuse = |problem: String| {
        Err(CatalogError::Subjects { asked: printable(text).into_owned(), problem })
    };
    let mut subjects = Vec::new();
    for piece in text.split(',').map(str::trim) {
        let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
        let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>())
        else {
            return refuse(format!("{:?} is neither a number nor a range", printable(piece)));
        };
        if first == 0 || last < first || last > MAX_SUBJECTS {
            return refuse(format!("{piece} is no range that begins at 1 or later and ascends"));
        }
        if let Some(again) = (first..=last).find(|s| subjects.contains(s)) {
            return refuse(format!("{again} is listed twice"));
        }
        subjects.extend(first..=last);
    }
    Ok(subjects)
}

/// The name most like `asked`: the fewest insertions, deletions and replacements.
fn nearest(asked: &str, names: &[&'static str]) -> &'static str {
    // A command line may be long; beyond this nothing is alike.
    let asked: Vec<char> = asked.chars().take(64).collect();
    names.iter().min_by_key(|name| edit_distance(&asked, name)).copied().unwrap_or("none")
}

/// Levenshtein distance by one row of the table.
fn edit_distance(from: &[char], to: &str) -> usize {
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (i, letter) in to.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in from.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[from.len()]
}

#[cfg(test)]
mod tests;
