//! Public datasets as data: who made them, under which licence, which files they
//! have, and which runs and annotations mean which class.
//!
//! One file per dataset. Nothing here fetches a file (`download` does), and what is read
//! is read by [`crate::reader`]: an entry only says how its publisher arranged the files.
//! Class and dataset names come from users and are resolved here, so that code below
//! speaks of runs and class indices alone.
//!
//! Subjects are counted from 1, sessions from 0 and runs within their session, in the
//! order of recording. Two intervals belong to each dataset, both in seconds after a cue:
//! the *task* interval, in which a pseudo-online evaluation labels samples with the class,
//! and the *epoch* interval, which benchmarks of whole trials cut, as MOABB declares it.

mod alljoined_1p6m;
mod bids;
mod bnci2014_001;
mod bnci2014_004;
mod bnci2014_008;
mod bnci2014_009;
mod bnci2015_001;
mod cho2017;
mod error;
mod folder;
mod found;
mod kalunga2016;
mod lee2019;
mod lee2019_erp;
mod lee2019_mi;
mod lee2019_ssvep;
mod names;
mod physionet_mi;
mod published_mat;
mod schirrmeister2017;
mod spec;
mod tables;
mod things_eeg2;
mod weibo2014;
mod zhou2016;

pub use error::CatalogError;
pub use names::parse_subjects;
pub(crate) use names::{checksum_in, checksum_text};
pub use spec::{ClassRuns, CueOn, Execution, Paradigm, RunFile, RunSpec, Runs, Text};

use self::found::Found;
use self::spec::text;
use crate::reader::{ReadError, read_recording};
use acquisition::signal::Recording;
use acquisition::text::printable;
use names::nearest;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All datasets.
const DATASETS: [&Dataset; 18] = [
    &physionet_mi::PHYSIONET_MI,
    &kalunga2016::KALUNGA2016,
    &bnci2014_001::BNCI2014_001,
    &bnci2014_004::BNCI2014_004,
    &bnci2014_008::BNCI2014_008,
    &bnci2014_009::BNCI2014_009,
    &bnci2015_001::BNCI2015_001,
    &cho2017::CHO2017,
    &weibo2014::WEIBO2014,
    &lee2019_mi::LEE2019_MI,
    &lee2019_erp::LEE2019_ERP,
    &lee2019_ssvep::LEE2019_SSVEP,
    &schirrmeister2017::SCHIRRMEISTER2017,
    &zhou2016::ZHOU2016,
    &things_eeg2::THINGS_EEG2,
    &alljoined_1p6m::ALLJOINED_1P6M,
    &folder::FOLDER,
    &bids::BIDS,
];

/// How a dataset's files come to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// File by file from a server that has them under their paths.
    Files {
        /// The dataset's root there, without a final slash.
        url: &'static str,
        /// What transfers are checked against.
        sums: Sums,
    },
    /// In archives, or behind a form: a person gets them, in words.
    ByHand(&'static str),
}

/// Published checksums of a dataset's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// SHA-256, one a line as `sha256sum` writes them: some known here, all on the server
    /// in `SHA256SUMS.txt`.
    Published(&'static str),
    /// None that could be verified: a transfer is held against its announced length alone.
    Unpublished,
}

/// Where a dataset's recordings are.
#[derive(Clone, Debug)]
enum Layout {
    /// As its publisher names the files: those of a subject, in the order of recording.
    Published(fn(subject: u32) -> Vec<RunFile>),
    /// As whoever made the folder names them: to be looked for.
    InFolder(fn(entry: &'static Dataset, root: &Path) -> Result<Dataset, CatalogError>),
    /// As they were found.
    Found(Arc<Found>),
}

/// How a dataset's files are read.
#[derive(Clone, Debug)]
enum Content {
    /// One recording each, in a format that tells itself.
    Recording,
    /// Arrays that this dataset's publisher arranged: all recordings of a file.
    Own(fn(&Path) -> Result<Vec<Recording>, ReadError>),
    /// One recording each, with tables beside them.
    Found(Arc<Found>),
    /// Not at all.
    Unread {
        /// The format's name.
        format: &'static str,
        /// What can be done.
        remedy: &'static str,
    },
}

/// A dataset: everything known about it without its files.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name on the command line.
    pub name: &'static str,
    /// Title as published.
    pub title: Text,
    /// Licence as published.
    pub licence: Text,
    /// How its authors ask to be cited.
    pub citation: Text,
    /// Its DOI.
    pub doi: Text,
    /// Where it is described.
    pub home_url: Text,
    /// How its files are obtained.
    pub access: Access,
    /// Its files' folder in copies of the original, and so in `--data-dir`.
    pub folder: &'static str,
    /// What its subjects did.
    pub paradigm: Paradigm,
    /// Rate of most recordings; a recording's own is in its file.
    pub rate_hz: f64,
    /// EEG channels.
    pub n_channels: usize,
    /// Names of the EEG channels in file order, where the entry states them.
    pub channels: &'static [&'static str],
    /// Subjects, numbered from 1.
    pub n_subjects: u32,
    /// What begins the tasks. Everything else is idle.
    pub classes: Cow<'static, [ClassRuns]>,
    /// Seconds after a cue during which its task is done, `[tmin, tmax)`.
    pub task_interval_secs: [f64; 2],
    /// Seconds after a cue that an epoch covers, as MOABB declares it, `[tmin, tmax]`.
    pub epoch_interval_secs: [f64; 2],
    layout: Layout,
    content: Content,
}

impl Dataset {
    /// An entry that knows nothing before it has seen the folder.
    const fn in_folder(
        name: &'static str,
        title: &'static str,
        at: fn(entry: &'static Self, root: &Path) -> Result<Self, CatalogError>,
    ) -> Self {
        Self {
            name,
            title: text(title),
            licence: text(""),
            citation: text(""),
            doi: text(""),
            home_url: text(""),
            access: Access::ByHand("it is on this machine: name it by --data-dir"),
            folder: "",
            paradigm: Paradigm::Other,
            rate_hz: 0.0,
            n_channels: 0,
            channels: &[],
            n_subjects: 0,
            classes: Cow::Borrowed(&[]),
            task_interval_secs: [0.0, 0.0],
            epoch_interval_secs: [0.0, 0.0],
            layout: Layout::InFolder(at),
            content: Content::Recording,
        }
    }

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

    /// This dataset with the files in `data_dir`: itself, unless what it holds depends on
    /// the folder.
    pub fn at(&'static self, data_dir: &Path) -> Result<Cow<'static, Self>, CatalogError> {
        let Layout::InFolder(look) = self.layout else { return Ok(Cow::Borrowed(self)) };
        let inside = [self.folder, self.name].map(|name| data_dir.join(name));
        let is_published = !self.folder.is_empty();
        let root = inside.iter().find(|root| is_published && root.is_dir());
        look(self, root.map_or(data_dir, PathBuf::as_path)).map(Cow::Owned)
    }

    /// Names of the classes, without idle, each once.
    pub fn class_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for class in self.classes.as_ref() {
            if !names.contains(&class.class.as_ref()) {
                names.push(&class.class);
            }
        }
        names
    }

    /// Whether `classes` can be asked for: known ones, each once, at least one.
    pub fn check_classes(&self, classes: &[String]) -> Result<(), CatalogError> {
        let names = self.class_names();
        for class in classes {
            if !names.contains(&class.as_str()) {
                return Err(CatalogError::UnknownClass {
                    dataset: self.name,
                    asked: printable(class).into_owned(),
                    nearest: printable(nearest(class, &names)).into_owned(),
                    known: listed(&names),
                });
            }
        }
        let is_again = |i: usize| classes[..i].contains(&classes[i]);
        if classes.is_empty() || (0..classes.len()).any(is_again) {
            return Err(CatalogError::Classes(classes.to_vec()));
        }
        Ok(())
    }

    /// The recordings of a subject, in the order in which they were made.
    pub fn files(&self, subject: u32) -> Result<Vec<RunFile>, CatalogError> {
        if let Layout::InFolder(_) = self.layout {
            return Err(CatalogError::NotLooked { dataset: self.name });
        }
        let n_subjects = self.n_subjects;
        if !(1..=n_subjects).contains(&subject) {
            return Err(CatalogError::NoSubject { dataset: self.name, subject, n_subjects });
        }
        match &self.layout {
            Layout::Published(files) => Ok(files(subject)),
            Layout::Found(found) => Ok(found.subjects[subject as usize - 1].clone()),
            Layout::InFolder(_) => Err(CatalogError::NotLooked { dataset: self.name }),
        }
    }

    /// The first recording with a run's number.
    pub fn file(&self, subject: u32, run: u32) -> Result<RunFile, CatalogError> {
        let files = self.files(subject)?;
        let known = numbers_of(&files);
        let file = files.into_iter().find(|file| file.run == run);
        file.ok_or(CatalogError::NoRun { dataset: self.name, subject, run, known })
    }

    /// The runs of a subject that hold any of `classes`, in the order in which they were
    /// recorded, each with what begins the classes' tasks in it.
    pub fn runs_for(
        &self,
        subject: u32,
        classes: &[String],
        execution: Execution,
    ) -> Result<Vec<RunSpec>, CatalogError> {
        self.check_classes(classes)?;
        let is_asked = |known: &&ClassRuns| known.is_asked(classes, execution);
        let asked: Vec<_> = self.classes.iter().filter(is_asked).collect();
        let spec = |file: RunFile| {
            let here = asked.iter().filter(|known| known.is_in(file.run));
            let cued: Vec<_> =
                here.map(|known| (known.cue.clone(), known.class.clone().into_owned())).collect();
            (!cued.is_empty()).then_some(RunSpec { file, cued })
        };
        Ok(self.files(subject)?.into_iter().filter_map(spec).collect())
    }

    /// What begins the task of a class, in whichever run: each cue once.
    pub fn cues_of(&self, class: &str, execution: Execution) -> Vec<&CueOn> {
        let classes = [class.to_owned()];
        let mut cues: Vec<&CueOn> = Vec::new();
        for known in self.classes.iter().filter(|known| known.is_asked(&classes, execution)) {
            if !cues.contains(&&known.cue) {
                cues.push(&known.cue);
            }
        }
        cues
    }

    /// The file of a recording below `data_dir`: the dataset's root itself, or a folder
    /// that holds it under its name here or in the original.
    pub fn locate(&self, data_dir: &Path, file: &RunFile) -> Result<PathBuf, CatalogError> {
        let roots = match &self.layout {
            Layout::Found(found) => vec![found.root.clone()],
            _ => vec![data_dir.to_owned(), data_dir.join(self.folder), data_dir.join(self.name)],
        };
        let found = roots.iter().map(|root| root.join(&file.path)).find(|path| path.is_file());
        let remedy = || match self.access {
            Access::Files { .. } => {
                let (name, subject) = (self.name, file.subject);
                format!("get it by `mindloop download {name} --subjects {subject}`")
            }
            Access::ByHand(how) => how.to_owned(),
        };
        found.ok_or_else(|| CatalogError::Missing {
            subject: file.subject,
            session: file.session,
            run: file.run,
            remedy: remedy(),
            path: printable(&data_dir.join(&file.path).to_string_lossy()).into_owned(),
        })
    }

    /// Reads what [`Dataset::locate`] found: the recordings of the file, as
    /// [`RunFile::part`] counts them.
    pub fn read(&self, path: &Path) -> Result<Vec<Recording>, ReadError> {
        match &self.content {
            Content::Recording => Ok(vec![read_recording(path)?]),
            Content::Own(read) => read(path),
            Content::Found(found) => Ok(vec![found.read(path)?]),
            Content::Unread { format, remedy } => {
                Err(ReadError::Unsupported { format, remedy, path: path.into() })
            }
        }
    }

    /// The dataset's root on its server.
    ///
    /// # Errors
    /// Where a person has to get the files.
    pub fn files_url(&self) -> Result<&'static str, CatalogError> {
        match self.access {
            Access::Files { url, .. } => Ok(url),
            Access::ByHand(how) => Err(CatalogError::ByHand { dataset: self.name, how }),
        }
    }

    /// The SHA-256 of a file in lower-case hexadecimal, if the catalogue holds it.
    pub fn checksum(&self, relative_path: &str) -> Option<&'static str> {
        match self.access {
            Access::Files { sums: Sums::Published(sums), .. } => checksum_in(sums, relative_path),
            _ => None,
        }
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

/// Most names in a message.
const MAX_LISTED: usize = 40;

/// Names from a folder, for people.
fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MAX_LISTED);
    let first = printable(&names[..names.len() - more].join(", ")).into_owned();
    if more > 0 { format!("{first} and {more} more") } else { first }
}

/// The run numbers of `files`, each once.
fn numbers_of(files: &[RunFile]) -> String {
    let mut runs: Vec<u32> = files.iter().map(|file| file.run).collect();
    runs.sort_unstable();
    runs.dedup();
    runs.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
