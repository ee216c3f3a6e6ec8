//! A folder of recordings with events, described by `mindloop.toml` in it:
//!
//! ```toml
//! files = "S{subject}/day{session}/run{run}.edf"
//! task_interval_secs = [0.0, 4.0]
//!
//! [classes]
//! left_hand = "T1"
//! right_hand = ["T2", "right"]
//! ```
//!
//! `files` is a pattern of paths below the folder: `{subject}`, `{session}`, `{run}` and `*`
//! stand for anything but `/`. Labels are numbered in natural order, subjects and runs from
//! 1, sessions from 0. Events are those in the files unless `events`, a pattern of the same
//! labels, names tables with `onset` (seconds from the first sample) and `trial_type`.
//! Further keys are `title`, `licence`, `citation`, `doi`, `paradigm` and
//! `epoch_interval_secs` (the task interval unless given).

mod pattern;

use self::pattern::{Labels, Pattern};
use super::found::{Beside, Found, FoundRun, files_below, shown};
use super::{CatalogError, ClassRuns, Content, CueOn, Dataset, Layout, Paradigm, Runs};
use acquisition::text::InlineText;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Name of the description.
pub(super) const DESCRIPTION: &str = "mindloop.toml";
/// Largest description.
const MAX_BYTES: u64 = 1 << 20;

/// The entry, which knows nothing before it has seen the folder.
pub static FOLDER: Dataset = Dataset::in_folder("folder", "a folder of recordings with events", at);

/// What `mindloop.toml` may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    title: Option<String>,
    licence: Option<String>,
    citation: Option<String>,
    doi: Option<String>,
    paradigm: Option<String>,
    files: Option<String>,
    events: Option<String>,
    task_interval_secs: Option<[f64; 2]>,
    epoch_interval_secs: Option<[f64; 2]>,
    #[serde(default)]
    classes: BTreeMap<String, Texts>,
}

/// One text or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Description {
    /// Reads the description in `root`, if there is one.
    pub fn read(root: &Path) -> Result<Option<Self>, CatalogError> {
        let path = root.join(DESCRIPTION);
        let refuse = |problem: String| CatalogError::Folder { problem, path: shown(&path) };
        match std::fs::metadata(&path) {
            Err(_) => return Ok(None),
            Ok(there) if there.len() > MAX_BYTES => {
                return Err(refuse(format!("has more than {MAX_BYTES} bytes")));
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|cause| refuse(format!("can't be read ({cause})")))?;
        let parsed = toml::from_str(&text);
        parsed.map(Some).map_err(|error| {
            refuse(format!("is no description ({})", error.message().replace('\n', " ")))
        })
    }

    /// Writes what it says over what `dataset` says.
    pub fn apply(self, dataset: &mut Dataset, root: &Path) -> Result<(), CatalogError> {
        let refuse = |problem: &str| CatalogError::Folder {
            problem: problem.to_owned(),
            path: shown(&root.join(DESCRIPTION)),
        };
        let texts = [
            (&mut dataset.title, self.title),
            (&mut dataset.licence, self.licence),
            (&mut dataset.citation, self.citation),
            (&mut dataset.doi, self.doi),
        ];
        for (place, said) in texts {
            if let Some(said) = said {
                *place = Cow::Owned(said);
            }
        }
        if let Some(word) = self.paradigm {
            let known = Paradigm::ALL.into_iter().find(|paradigm| paradigm.word() == word);
            let unknown = || {
                let words = Paradigm::ALL.map(Paradigm::word).join(", ");
                refuse(&format!("has a paradigm that is none of {words}"))
            };
            dataset.paradigm = known.ok_or_else(unknown)?;
        }
        if let Some(interval) = self.task_interval_secs {
            dataset.task_interval_secs = interval;
            dataset.epoch_interval_secs = interval;
        }
        if let Some(interval) = self.epoch_interval_secs {
            dataset.epoch_interval_secs = interval;
        }
        for [tmin, tmax] in [dataset.task_interval_secs, dataset.epoch_interval_secs] {
            if !(tmin.is_finite() && tmax.is_finite() && tmin < tmax) {
                return Err(refuse("says no interval of a task, like task_interval_secs = [0, 4]"));
            }
        }
        if !self.classes.is_empty() {
            dataset.classes = Cow::Owned(classes_of(self.classes));
        }
        if dataset.classes.is_empty() {
            return Err(refuse("names no classes: it needs [classes] with name = \"event\""));
        }
        Ok(())
    }
}

/// Classes with the texts that cue them.
fn classes_of(classes: BTreeMap<String, Texts>) -> Vec<ClassRuns> {
    let mut all = Vec::new();
    for (class, texts) in classes {
        let texts = match texts {
            Texts::One(text) => vec![text],
            Texts::Several(texts) => texts,
        };
        all.extend(texts.into_iter().map(|text| cued(&class, &text)));
    }
    all
}

/// A class that a text cues in all runs. Markers are cut as [`InlineText`] cuts them.
pub(super) fn cued(class: &str, text: &str) -> ClassRuns {
    let marker = InlineText::new(text).as_str().to_owned();
    let cue = CueOn::Marker(Cow::Owned(marker));
    ClassRuns { class: Cow::Owned(class.to_owned()), cue, execution: None, runs: Runs::All }
}

/// The dataset in a folder.
fn at(entry: &'static Dataset, root: &Path) -> Result<Dataset, CatalogError> {
    let refuse = |problem: &str| CatalogError::Folder {
        problem: problem.to_owned(),
        path: shown(&root.join(DESCRIPTION)),
    };
    let description = Description::read(root)?;
    let description =
        description.ok_or_else(|| refuse("is not there; it says what the folder's files mean"))?;
    let pattern = |key: &str, text: &str| {
        Pattern::parse(text).map_err(|problem| refuse(&format!("has `{key}`, which {problem}")))
    };
    let files = description.files.as_deref();
    let files = pattern("files", files.ok_or_else(|| refuse("has no `files`"))?)?;
    if !files.names_subject() {
        return Err(refuse("has `files` without {subject}"));
    }
    let events = description.events.as_deref();
    let events = events.map(|events| pattern("events", events)).transpose()?;
    let runs = runs_in(root, &files, events.as_ref())?;
    let found = Found::new(root.to_owned(), runs, |_| 0)?;
    let mut dataset = entry.clone();
    found.settle(&mut dataset)?;
    description.apply(&mut dataset, root)?;
    Ok(dataset)
}

/// The files that fit, no two with the same labels.
fn runs_in(
    root: &Path,
    files: &Pattern,
    events: Option<&Pattern>,
) -> Result<Vec<FoundRun>, CatalogError> {
    let mut runs: BTreeMap<[String; 3], FoundRun> = BTreeMap::new();
    for path in files_below(root)? {
        let Some(labels) = files.labels_of(&path) else { continue };
        let events = events.map(|events| root.join(events.path_of(&labels)));
        let beside = Beside { events, channels: None };
        let Labels { subject, session, run } = labels;
        let key = [subject.clone(), session.clone(), run.clone()];
        let found = FoundRun { subject, session, run, path, beside };
        if let Some(twin) = runs.get(&key) {
            let problem = format!("has two files of one run, {} and {}", twin.path, found.path);
            let problem = acquisition::text::printable(&problem).into_owned();
            return Err(CatalogError::Folder { problem, path: shown(root) });
        }
        runs.insert(key, found);
    }
    Ok(runs.into_values().collect())
}

impl Found {
    /// Makes `dataset` the one that was found.
    pub(super) fn settle(self, dataset: &mut Dataset) -> Result<(), CatalogError> {
        (dataset.rate_hz, dataset.n_channels) = self.signal()?;
        dataset.n_subjects = self.subjects.len() as u32;
        let found = Arc::new(self);
        dataset.layout = Layout::Found(Arc::clone(&found));
        dataset.content = Content::Found(found);
        Ok(())
    }
}
