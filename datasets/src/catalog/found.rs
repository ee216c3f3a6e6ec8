//! Datasets that are found in a folder: recordings by the names of their files, events and
//! channels in tables beside them.

use super::tables::{Table, is_given, markers};
use super::{CatalogError, RunFile};
use crate::reader::{self, ReadError};
use acquisition::signal::{ChannelKind, Finding, Recording, Unit};
use acquisition::text::printable;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most files looked at in one folder.
const MAX_FILES: usize = 200_000;
/// Folders inside one another, at most.
const MAX_DEPTH: usize = 10;

/// A recording, by what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundRun {
    /// The subject's label.
    pub subject: String,
    /// The session's, empty where there is none.
    pub session: String,
    /// The run's, empty where there is none.
    pub run: String,
    /// Path below the root.
    pub path: String,
    /// What stands beside it.
    pub beside: Beside,
}

/// Tables beside a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// Its events, instead of those in its file.
    pub events: Option<PathBuf>,
    /// What its channels are.
    pub channels: Option<PathBuf>,
}

/// What is in a folder.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The folder.
    pub root: PathBuf,
    /// Files of each subject, in the order of their labels.
    pub subjects: Vec<Vec<RunFile>>,
    /// Tables beside each file, by its path.
    pub beside: BTreeMap<String, Beside>,
}

impl Found {
    /// Numbers subjects, sessions and runs in the order of their labels; `rank` places
    /// subjects before that.
    pub fn new(
        root: PathBuf,
        mut runs: Vec<FoundRun>,
        rank: impl Fn(&str) -> usize,
    ) -> Result<Self, CatalogError> {
        let key = |run: &FoundRun| {
            let labels = [&run.subject, &run.session, &run.run, &run.path];
            (rank(&run.subject), labels.map(|label| natural(label)))
        };
        runs.sort_by_cached_key(key);
        let mut subjects = Vec::new();
        for of_subject in runs.chunk_by(|a, b| a.subject == b.subject) {
            let mut files = Vec::new();
            let sessions = of_subject.chunk_by(|a, b| a.session == b.session);
            for (session, of_session) in (0..).zip(sessions) {
                for (run, found) in (1..).zip(of_session) {
                    let path = found.path.clone();
                    let subject = subjects.len() as u32 + 1;
                    files.push(RunFile { subject, session, run, path, part: 0, beside: None });
                }
            }
            subjects.push(files);
        }
        if subjects.is_empty() {
            let problem = "holds no recording where one is expected".to_owned();
            return Err(CatalogError::Folder { problem, path: shown(&root) });
        }
        let beside = runs.into_iter().map(|run| (run.path, run.beside)).collect();
        Ok(Self { root, subjects, beside })
    }

    /// Rate and number of brain channels of the first recording.
    pub fn signal(&self) -> Result<(f64, usize), CatalogError> {
        let path = self.root.join(&self.subjects[0][0].path);
        let recording = self.opened(&path);
        recording.map_err(|error| CatalogError::Folder {
            problem: format!("has recordings that can't be read: {error}"),
            path: shown(&self.root),
        })
    }

    fn opened(&self, path: &Path) -> Result<(f64, usize), ReadError> {
        check_format(path)?;
        let reader = reader::open(path)?;
        let mut channels = reader.info().channels.clone();
        let mut scales = Vec::new();
        if let Some(table) = self.tables(path).and_then(|beside| beside.channels.as_deref()) {
            describe(table, &mut channels, &mut scales, &mut Vec::new())?;
        }
        let n_brain = channels.iter().filter(|channel| channel.kind.is_brain()).count();
        Ok((reader.info().rate.hz(), n_brain))
    }

    fn tables(&self, path: &Path) -> Option<&Beside> {
        let relative = path.strip_prefix(&self.root).ok()?;
        self.beside.get(&slashed(relative))
    }

    /// Reads a recording with what stands beside it.
    pub fn read(&self, path: &Path) -> Result<Recording, ReadError> {
        check_format(path)?;
        let mut recording = reader::read_recording(path)?;
        let Some(beside) = self.tables(path) else { return Ok(recording) };
        if let Some(table) = &beside.channels {
            let mut scales = Vec::new();
            let channels = &mut recording.info.channels;
            describe(table, channels, &mut scales, &mut recording.findings)?;
            for (c, scale) in scales {
                recording.samples.row_mut(c).mapv_inplace(|x| (f64::from(x) * scale) as f32);
            }
        }
        if let Some(table) = &beside.events {
            let io = |cause| ReadError::Io { cause, path: table.as_path().into() };
            recording.markers = markers(table, &mut recording.findings).map_err(io)?;
        }
        Ok(recording)
    }
}

/// Whether a recording's format may have a reader; those that are known to have none say so.
fn check_format(path: &Path) -> Result<(), ReadError> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let format = match extension.as_str() {
        "vhdr" | "eeg" => "BrainVision",
        "set" | "fdt" => "EEGLAB",
        "cnt" => "Neuroscan CNT",
        "gdf" => "GDF",
        "ds" | "meg4" => "CTF",
        "con" | "sqd" => "KIT",
        "mat" => "a MAT file of unknown layout",
        "xdf" => "XDF",
        "npy" => "NumPy",
        _ => return Ok(()),
    };
    let remedy = "convert it to EDF, BDF or FIF";
    Err(ReadError::Unsupported { format, remedy, path: path.into() })
}

/// What a table says of the channels: kind, unit (as factors of channels whose file names
/// none) and status. Channels that are marked bad are not decoded from.
fn describe(
    path: &Path,
    channels: &mut [acquisition::signal::ChannelInfo],
    scales: &mut Vec<(usize, f64)>,
    findings: &mut Vec<Finding>,
) -> Result<(), ReadError> {
    let io = |cause| ReadError::Io { cause, path: path.into() };
    let table = Table::read(path).map_err(io)?;
    let names = table.column("name").unwrap_or_default();
    let (kinds, units, statuses) =
        (table.column("type"), table.column("units"), table.column("status"));
    for (row, name) in names.iter().enumerate() {
        let Some(c) = channels.iter().position(|channel| channel.label == *name) else { continue };
        let channel = &mut channels[c];
        if let Some(kind) = kinds.as_ref().and_then(|kinds| kind_of(kinds[row])) {
            channel.kind = kind;
        }
        let factor = units.as_ref().and_then(|units| microvolts_in(units[row]));
        if let Some(factor) = factor.filter(|_| channel.unit == Unit::Unknown) {
            channel.unit = Unit::Microvolt;
            scales.push((c, factor));
        }
        if statuses.as_ref().is_some_and(|statuses| statuses[row] == "bad") {
            channel.kind = ChannelKind::Misc;
            let what = "is marked bad and takes no part".to_owned();
            findings.push(Finding { place: format!("channel {name}"), what });
        }
    }
    Ok(())
}

/// The kind of a channel by its word in BIDS.
fn kind_of(word: &str) -> Option<ChannelKind> {
    is_given(word).then_some(match word.to_ascii_uppercase().as_str() {
        "EEG" => ChannelKind::Eeg,
        "EOG" | "VEOG" | "HEOG" => ChannelKind::Eog,
        "EMG" => ChannelKind::Emg,
        "ECG" => ChannelKind::Ecg,
        "MEGMAG" => ChannelKind::MegMag,
        "MEGGRADPLANAR" => ChannelKind::MegGrad,
        "TRIG" => ChannelKind::Status,
        _ => ChannelKind::Misc,
    })
}

/// Microvolts in a unit of voltage. Both signs for micro are in use.
fn microvolts_in(unit: &str) -> Option<f64> {
    match unit {
        "V" => Some(1e6),
        "mV" => Some(1e3),
        "uV" | "\u{b5}V" | "\u{3bc}V" => Some(1.0),
        "nV" => Some(1e-3),
        _ => None,
    }
}

/// All files below a folder, as paths relative to it with `/`, in natural order. Names
/// that begin with a dot are left out; a link is followed to a file, never to a folder.
pub(super) fn files_below(root: &Path) -> Result<Vec<String>, CatalogError> {
    let folder = |problem: String| CatalogError::Folder { problem, path: shown(root) };
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((path, depth)) = folders.pop() {
        let entries = std::fs::read_dir(&path);
        for entry in entries.map_err(|cause| folder(format!("can't be listed ({cause})")))? {
            let entry = entry.map_err(|cause| folder(format!("can't be listed ({cause})")))?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let path = entry.path();
            if is_folder && depth < MAX_DEPTH {
                folders.push((path, depth + 1));
            } else if !is_folder && path.is_file() {
                files.extend(path.strip_prefix(root).ok().map(slashed));
            }
            if files.len() > MAX_FILES {
                return Err(folder(format!("holds more than {MAX_FILES} files")));
            }
        }
    }
    files.sort_by_cached_key(|path| natural(path));
    Ok(files)
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// A path for people.
pub(super) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// A key that sorts numbers in texts by their value: `2` before `10`.
pub(super) fn natural(text: &str) -> Vec<(u64, String)> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut key = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words = rest.find(is_digit).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(words);
        let digits = behind.find(|c| !is_digit(c)).unwrap_or(behind.len());
        let (number, behind) = behind.split_at(digits);
        // The text comes first: what has none, a number at the start, sorts before letters.
        key.push((0, word.to_owned()));
        key.push((number.parse().unwrap_or(0), number.to_owned()));
        rest = behind;
    }
    key
}
