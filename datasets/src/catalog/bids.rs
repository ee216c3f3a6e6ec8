//! A folder in the Brain Imaging Data Structure: `sub-XX/[ses-YY/]eeg|meg/*_eeg.edf` and
//! the like, `*_events.tsv`, `*_channels.tsv`, `participants.tsv`,
//! `dataset_description.json`.
//!
//! Subjects are numbered in the order of `participants.tsv`, those it does not list behind
//! them in natural order; sessions and runs in natural order. Classes are the texts in the
//! column `trial_type` (or `value`), and a task lasts as long as most events do. A
//! `mindloop.toml` beside it says otherwise where that does not fit (see
//! [`super::folder`]). Tables may stand higher up, as the standard's inheritance allows.

use super::folder::{DESCRIPTION, Description, cued};
use super::found::{Beside, Found, FoundRun, files_below, natural};
use super::tables::{Table, is_given, markers};
use super::{CatalogError, ClassRuns, Dataset};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Most texts of events that become classes.
const MAX_CLASSES: usize = 1000;
/// Recordings by the ends of their names; parts of others (`.eeg`, `.fdt`) are none.
const ENDS: [&str; 12] = [
    "_eeg.edf",
    "_eeg.bdf",
    "_eeg.fif",
    "_eeg.vhdr",
    "_eeg.set",
    "_eeg.cnt",
    "_eeg.gdf",
    "_meg.fif",
    "_meg.con",
    "_meg.sqd",
    "_meg.edf",
    "_meg.bdf",
];

/// The entry, which knows nothing before it has seen the folder.
pub static BIDS: Dataset =
    Dataset::in_folder("bids", "a folder in the Brain Imaging Data Structure", at);

/// The dataset in a folder. What `entry` states already (its classes and intervals, where
/// it is a published dataset) stays.
pub(super) fn at(entry: &'static Dataset, root: &Path) -> Result<Dataset, CatalogError> {
    let files = files_below(root)?;
    let participants = participants(root);
    let last = participants.len();
    let rank = |subject: &str| participants.iter().position(|p| p == subject).unwrap_or(last);
    let found = Found::new(root.to_owned(), runs_in(root, &files), rank)?;
    let mut dataset = entry.clone();
    if dataset.licence.is_empty() {
        describe(root, &mut dataset);
    }
    if dataset.classes.is_empty() {
        let events = Events::of(&found);
        if dataset.task_interval_secs[1] <= 0.0 {
            dataset.task_interval_secs = [0.0, events.usual_duration()];
            dataset.epoch_interval_secs = dataset.task_interval_secs;
        }
        dataset.classes = Cow::Owned(events.classes());
    }
    found.settle(&mut dataset)?;
    let description = Description::read(root)?.unwrap_or_default();
    description.apply(&mut dataset, root).map_err(|error| match error {
        CatalogError::Folder { problem, path } => {
            let problem = format!("{problem} (events without a duration need {DESCRIPTION})");
            CatalogError::Folder { problem, path }
        }
        other => other,
    })?;
    Ok(dataset)
}

/// The recordings among `files`.
fn runs_in(root: &Path, files: &[String]) -> Vec<FoundRun> {
    let tables = Tables::of(files);
    let mut runs = Vec::new();
    for path in files {
        let Some(end) = ENDS.iter().find(|end| path.ends_with(*end)) else { continue };
        let name = path.rsplit('/').next().unwrap_or_default();
        let entities: Vec<&str> = name[..name.len() - end.len()].split('_').collect();
        let entity = |key: &str| entities.iter().find_map(|e| e.strip_prefix(key));
        let Some(subject) = entity("sub-").filter(|_| path.starts_with("sub-")) else { continue };
        // Later parts of a split recording belong to its first.
        if entity("split-").is_some_and(|part| part.trim_start_matches('0') != "1") {
            continue;
        }
        let others = entities.iter().filter(|e| !e.starts_with("sub-") && !e.starts_with("ses-"));
        let table = |kind: &str| tables.beside(path, &entities, kind).map(|t| root.join(t));
        runs.push(FoundRun {
            subject: subject.to_owned(),
            session: entity("ses-").unwrap_or_default().to_owned(),
            run: others.copied().collect::<Vec<_>>().join("_"),
            path: path.clone(),
            beside: Beside { events: table("events.tsv"), channels: table("channels.tsv") },
        });
    }
    runs
}

/// The tables of a dataset, by the folder they stand in.
struct Tables<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Tables<'a> {
    fn of(files: &'a [String]) -> Self {
        let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for file in files.iter().filter(|file| file.strip_suffix(".tsv").is_some()) {
            let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
            tables.entry(folder).or_default().push(name);
        }
        Self(tables)
    }

    /// The table of a kind that applies to a recording: the nearest above it whose entities
    /// all are the recording's, and of several there the one with most.
    fn beside(&self, path: &str, entities: &[&str], kind: &str) -> Option<String> {
        let applies = |name: &&&str| {
            let names = name.strip_suffix(kind).and_then(|name| name.strip_suffix('_'));
            names.is_some_and(|names| names.split('_').all(|entity| entities.contains(&entity)))
        };
        let mut path = path;
        while !path.is_empty() {
            path = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let here = self.0.get(path).into_iter().flatten().filter(applies);
            if let Some(name) = here.max_by_key(|name| name.matches('_').count()) {
                return Some(if path.is_empty() {
                    (*name).into()
                } else {
                    format!("{path}/{name}")
                });
            }
        }
        None
    }
}

/// The subjects that `participants.tsv` lists, in its order.
fn participants(root: &Path) -> Vec<String> {
    let Ok(table) = Table::read(&root.join("participants.tsv")) else { return Vec::new() };
    let ids = table.column("participant_id").unwrap_or_default();
    ids.iter().map(|id| id.trim_start_matches("sub-").to_owned()).collect()
}

/// Title, licence, authors and DOI out of `dataset_description.json`, where it is there.
fn describe(root: &Path, dataset: &mut Dataset) {
    let Ok(text) = std::fs::read_to_string(root.join("dataset_description.json")) else { return };
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { return };
    let said = |key: &str| json[key].as_str().filter(|s| is_given(s)).map(str::to_owned);
    let authors = json["Authors"]
        .as_array()
        .map(|all| all.iter().filter_map(|author| author.as_str()).collect::<Vec<_>>().join(", "));
    let places = [
        (&mut dataset.title, said("Name")),
        (&mut dataset.licence, said("License")),
        (&mut dataset.doi, said("DatasetDOI")),
        (&mut dataset.citation, said("HowToAcknowledge").or(authors)),
    ];
    for (place, said) in places {
        if let Some(said) = said {
            *place = Cow::Owned(said);
        }
    }
}

/// What the events of a dataset are called, and how long they last.
#[derive(Default)]
struct Events {
    texts: BTreeSet<String>,
    /// How often each duration above 0 occurs, by its bits: these sort as the numbers do.
    durations: BTreeMap<u64, usize>,
}

impl Events {
    /// The events of all recordings. A table that can't be read is told when its recording
    /// is.
    fn of(found: &Found) -> Self {
        let mut all = Self::default();
        for table in found.beside.values().filter_map(|beside| beside.events.as_deref()) {
            for event in markers(table, &mut Vec::new()).unwrap_or_default() {
                let text = event.text.as_str();
                if is_given(text) && all.texts.len() < MAX_CLASSES && !all.texts.contains(text) {
                    all.texts.insert(text.to_owned());
                }
                if event.duration_secs > 0.0 {
                    *all.durations.entry(event.duration_secs.to_bits()).or_default() += 1;
                }
            }
        }
        all
    }

    /// Each text cues the class of its name, in natural order.
    fn classes(&self) -> Vec<ClassRuns> {
        let mut texts: Vec<&String> = self.texts.iter().collect();
        texts.sort_by_cached_key(|text| natural(text));
        texts.into_iter().map(|text| cued(text, text)).collect()
    }

    /// The duration most events have, in seconds; 0 where none has any.
    fn usual_duration(&self) -> f64 {
        let most = self.durations.iter().max_by_key(|(_, n)| **n);
        most.map_or(0.0, |(bits, _)| f64::from_bits(*bits))
    }
}
