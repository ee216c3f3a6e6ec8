//! What an entry is made of: paradigm, classes with their cues, files with their place in
//! the order of recording.

use acquisition::marker::{ClassIdx, Cue, MarkerMap};
use acquisition::signal::Recording;
use std::borrow::Cow;

/// Text of an entry: known when this program was built, or found in a folder.
pub type Text = Cow<'static, str>;

/// A text of the catalogue.
pub(super) const fn text(of: &'static str) -> Text {
    Cow::Borrowed(of)
}

/// What the people in a dataset did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paradigm {
    /// Movements, imagined or made.
    MotorImagery,
    /// Rare targets among frequent others.
    P300,
    /// Looking at what flickers at a known frequency.
    Ssvep,
    /// Looking at pictures.
    Visual,
    /// None of these, or unknown.
    Other,
}

impl Paradigm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::MotorImagery, Self::P300, Self::Ssvep, Self::Visual, Self::Other];

    /// The word for it in files and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::MotorImagery => "motor_imagery",
            Self::P300 => "p300",
            Self::Ssvep => "ssvep",
            Self::Visual => "visual",
            Self::Other => "other",
        }
    }
}

/// Whether movements are imagined or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Imagined.
    Imagined,
    /// Made.
    Executed,
}

/// What begins a class's task in a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CueOn {
    /// Each marker of this text.
    Marker(Text),
    /// Nothing: the task fills the run, so that its intervals lie end to end in it.
    WholeRun,
}

/// Runs of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// All of them.
    All,
    /// Those with these numbers.
    Only(&'static [u32]),
}

impl Runs {
    fn contains(self, run: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(runs) => runs.contains(&run),
        }
    }
}

/// What means a class, in which runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassRuns {
    /// The class's name on the command line and in results.
    pub class: Text,
    /// What begins its task in those runs.
    pub cue: CueOn,
    /// Whether it is imagined there; `None` where it is no movement.
    pub execution: Option<Execution>,
    /// Where it occurs.
    pub runs: Runs,
}

impl ClassRuns {
    /// A class that one marker text cues in all runs, and that is no movement.
    pub(super) const fn cued(class: &'static str, marker: &'static str) -> Self {
        let cue = CueOn::Marker(text(marker));
        Self { class: text(class), cue, execution: None, runs: Runs::All }
    }

    /// A movement that one marker text cues in all runs, and that is imagined.
    pub(super) const fn imagined(class: &'static str, marker: &'static str) -> Self {
        let cue = CueOn::Marker(text(marker));
        let execution = Some(Execution::Imagined);
        Self { class: text(class), cue, execution, runs: Runs::All }
    }

    pub(super) fn is_asked(&self, classes: &[String], execution: Execution) -> bool {
        self.execution.is_none_or(|known| known == execution)
            && classes.iter().any(|class| *class == self.class)
    }

    pub(super) fn is_in(&self, run: u32) -> bool {
        self.runs.contains(run)
    }
}

/// A recording of a dataset: whose it is, its place in time, and where its file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFile {
    /// The subject, counted from 1.
    pub subject: u32,
    /// The session, counted from 0 in the order of recording.
    pub session: u32,
    /// The run's number within its session, ascending in the order of recording.
    pub run: u32,
    /// Path below the dataset's root, with `/` between its parts.
    pub path: String,
    /// Position among the recordings that the file holds.
    pub part: usize,
    /// A file beside it that it is read with.
    pub beside: Option<String>,
}

/// One run to be read, and what cues mean in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSpec {
    /// The recording.
    pub file: RunFile,
    /// What begins a task, and the name of its class: selected ones only.
    pub cued: Vec<(CueOn, String)>,
}

impl RunSpec {
    /// The annotations' meaning as class indices: `classes` in their order, from 1.
    pub fn markers(&self, classes: &[String]) -> MarkerMap {
        let entry = |(cue, class): &(CueOn, String)| match cue {
            CueOn::Marker(text) => Some((text.clone().into_owned(), index(class, classes)?)),
            CueOn::WholeRun => None,
        };
        MarkerMap::new(self.cued.iter().filter_map(entry))
    }

    /// The run's cues in time order. A class that fills its run has them a task interval
    /// `[tmin, tmax)` apart, from `-tmin` on, so that the intervals cover the run.
    pub fn cues(
        &self,
        recording: &Recording,
        classes: &[String],
        [tmin_secs, tmax_secs]: [f64; 2],
    ) -> Vec<Cue> {
        let mut cues = self.markers(classes).cues(&recording.markers);
        let n_missing: u64 = recording.gaps.iter().map(|gap| gap.n_missing).sum();
        let n_indices = recording.n_samples() as f64 + n_missing as f64;
        let n_tasks = n_indices / recording.info.rate.hz() / (tmax_secs - tmin_secs);
        for (cue, name) in &self.cued {
            let Some(class) = index(name, classes).filter(|_| *cue == CueOn::WholeRun) else {
                continue;
            };
            let onset = |k: usize| k as f64 * (tmax_secs - tmin_secs) - tmin_secs;
            let all = 0..n_tasks.ceil() as usize;
            cues.extend(all.map(|k| Cue { onset_secs: onset(k), class }));
        }
        cues.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
        cues
    }
}

/// The class of a name: `classes` in their order, from 1.
fn index(class: &String, classes: &[String]) -> Option<ClassIdx> {
    let at = classes.iter().position(|known| known == class)?;
    u8::try_from(at + 1).ok().map(ClassIdx)
}
