//! The plan of a benchmark: a TOML file, and what it comes to.

use super::confounds::ConfoundPlan;
use super::people::People;
use crate::cli::args::{DataArgs, LabelRuleArg, TrainOnArg};
use crate::cli::data::{Selection, check_plan};
use crate::cli::networks::CPU;
use crate::cli::pipelines::pipelines;
use acquisition::text::printable;
use anyhow::{Context as _, Result, anyhow, ensure};
use datasets::folds::Overlap;
use decoding::evaluate::labels::LabelRule;
use decoding::evaluate::null::{N_PERMUTATIONS, N_SHIFTS, SEED, Stop};
use decoding::evaluate::pseudo_online::TrainOn;
use decoding::evaluate::score::Idle;
use decoding::evaluate::subject::{ClockNull, NullPlan, Plan};
use decoding::front_end::FrontEndSpec;
use decoding::metric::itr::{ItrOptions, ItrP, ItrT};
use decoding::offline::confounds::Variable;
use decoding::offline::cross_validation::OfflineMetric;
use decoding::offline::trials::TrialSpec;
use decoding::pipeline::Pipeline;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Largest plan that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A plan as it is written. Everything but `pipelines` and `datasets` has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// What the report is called.
    #[serde(default)]
    pub title: Option<String>,
    /// Names, or files beside the plan.
    pub pipelines: Vec<String>,
    /// How posteriors become decisions: each policy for every pipeline, as `--decision` of
    /// `evaluate` has them; as each pipeline says where none is named. Offline only the raw
    /// ones are scored.
    #[serde(default)]
    pub decisions: Vec<String>,
    /// How they are scored.
    #[serde(default = "all_modes")]
    pub modes: Vec<Mode>,
    /// Who calibrates for whom.
    #[serde(default = "usual_splits")]
    pub splits: Vec<SplitKind>,
    /// What on.
    pub datasets: Vec<DatasetPlan>,
    /// Of the offline scores.
    #[serde(default)]
    pub offline: OfflinePlan,
    /// Of the pseudo-online ones.
    #[serde(default)]
    pub pseudo_online: OnlinePlan,
    /// What besides the brain scores are held against; nothing where it is left out.
    #[serde(default)]
    pub confounds: Option<ConfoundPlan>,
    /// Where networks are computed: `cpu` (if left out), `cuda[:N]` or `wgpu`.
    #[serde(default)]
    pub device: Option<String>,
    /// How much memory recordings, features and models may take together, in MiB: what needs
    /// more is computed in parts, and what alone needs more is not.
    #[serde(default = "usual_memory")]
    pub memory_mib: u64,
}

/// How a pipeline is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Trials, filtered without delay, shuffled folds.
    Offline,
    /// Every window of the recording, as a session would decide.
    PseudoOnline,
}

/// Who calibrates for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitKind {
    /// A session for itself.
    WithinSession,
    /// All other sessions of the subject.
    CrossSession,
    /// All other subjects.
    CrossSubject,
}

/// One dataset of a plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetPlan {
    /// Its name in the catalogue.
    pub name: String,
    /// What it is called in the results, where one name stands for several of them; its name
    /// where it is left out.
    #[serde(default)]
    pub label: Option<String>,
    /// `1-10` or `1,2,88`.
    pub subjects: String,
    /// Task classes, idle aside.
    #[serde(default = "fists")]
    pub classes: Vec<String>,
    /// The executed runs instead of the imagined ones.
    #[serde(default)]
    pub executed: bool,
    /// Folder with the files, relative to the plan.
    #[serde(default)]
    pub data_dir: Option<PathBuf>,
}

/// How trials are cut and scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfflinePlan {
    /// Edges of the band-pass in hertz.
    pub band_hz: [f64; 2],
    /// Order of its prototype; forward and backward it is twice that.
    pub order: usize,
    /// First and last sample after the cue; where it is left out, the dataset's.
    pub interval_secs: Option<[f64; 2]>,
    /// Folds within a session.
    pub folds: usize,
    /// Their seed.
    pub seed: u32,
    /// What is scored; where it is left out, the area under the ROC for two classes and
    /// accuracy for more.
    pub metric: Option<OfflineMetric>,
    /// Whether trials on the two sides of a fold may share samples.
    pub overlap: OverlapPlan,
    /// Draws of the label null; 0 for none.
    pub permutations: usize,
    /// Learning curve: shares of each fold's training trials, the earliest first.
    pub train_shares: Vec<f64>,
    /// Scaling curve of cross-subject scores: numbers of training subjects, the plan's first
    /// ones.
    pub train_subjects: Vec<usize>,
}

/// See [`Overlap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlapPlan {
    /// They may not.
    #[default]
    Refused,
    /// As in published scores.
    AsPublished,
}

impl From<OverlapPlan> for Overlap {
    fn from(plan: OverlapPlan) -> Self {
        match plan {
            OverlapPlan::Refused => Self::Refused,
            OverlapPlan::AsPublished => Self::AsPublished,
        }
    }
}

impl OfflinePlan {
    /// What of it matters to a split.
    pub fn for_split(&self, split: SplitKind) -> Self {
        let mut plan = self.clone();
        if split == SplitKind::CrossSubject {
            plan.train_shares.clear();
        } else {
            plan.train_subjects.clear();
        }
        if split != SplitKind::WithinSession {
            (plan.folds, plan.seed) = (0, 0);
        }
        plan
    }
}

impl Default for OfflinePlan {
    /// MOABB's.
    fn default() -> Self {
        Self {
            band_hz: [8.0, 32.0],
            order: 4,
            interval_secs: None,
            folds: 5,
            seed: 42,
            metric: None,
            overlap: OverlapPlan::default(),
            permutations: N_PERMUTATIONS,
            train_shares: Vec::new(),
            train_subjects: Vec::new(),
        }
    }
}

/// How windows are made, labelled and scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnlinePlan {
    /// Edges of the causal band-pass in hertz.
    pub band_hz: [f64; 2],
    /// Order of its prototype.
    pub order: usize,
    /// Length of a window.
    pub window_secs: f64,
    /// From window to window.
    pub step_secs: f64,
    /// Class of a window with samples of several.
    pub label_rule: LabelRule,
    /// What is fitted to.
    pub train_on: TrainOn,
    /// First runs of a session that calibrate.
    pub calibration_runs: usize,
    /// Whether idle is scored.
    pub idle: Idle,
    /// Probability in the transfer rate.
    pub itr_p: ItrP,
    /// Time in the transfer rate.
    pub itr_t: ItrT,
    /// Windows of one class in a row that make an event.
    pub dwell: usize,
    /// Draws of the shift null; 0 for none.
    pub shifts: usize,
    /// Draws of the label null; 0 for none.
    pub permutations: usize,
}

impl Default for OnlinePlan {
    /// The definition's.
    fn default() -> Self {
        let FrontEndSpec { filter_order, low_hz, high_hz, window_secs, step_secs } =
            FrontEndSpec::default();
        Self {
            band_hz: [low_hz, high_hz],
            order: filter_order,
            window_secs,
            step_secs,
            label_rule: LabelRule::Majority,
            train_on: TrainOn::Windows,
            calibration_runs: 1,
            idle: Idle::Include,
            itr_p: ItrP::BalancedAccuracy,
            itr_t: ItrT::WindowLength,
            dwell: 3,
            shifts: N_SHIFTS,
            permutations: N_PERMUTATIONS,
        }
    }
}

fn all_modes() -> Vec<Mode> {
    vec![Mode::Offline, Mode::PseudoOnline]
}

/// Trials do not follow each other, so that no decision policy is scored offline: what is left
/// out there must be there without one.
fn check_offline(pipelines: &[Pipeline]) -> Result<()> {
    for pipeline in pipelines.iter().filter(|pipeline| pipeline.decision.is_some()) {
        let raw = pipeline.with_decision(None);
        ensure!(
            pipelines.contains(&raw),
            "{} can't be scored offline, where trials do not follow each other: add \"raw\" to \
             `decisions`, or write modes = [\"pseudo-online\"]",
            pipeline.name,
        );
    }
    Ok(())
}

fn usual_splits() -> Vec<SplitKind> {
    vec![SplitKind::WithinSession]
}

fn usual_memory() -> u64 {
    4096
}

fn fists() -> Vec<String> {
    ["left_hand", "right_hand"].map(str::to_owned).to_vec()
}

/// A plan that was checked: every name is one.
pub struct Benchmark {
    /// As it was written.
    pub file: PlanFile,
    /// The file's text, for the report.
    pub text: String,
    /// What is compared.
    pub pipelines: Vec<Pipeline>,
    /// What on.
    pub sets: Vec<Set>,
    /// What is known of the subjects.
    pub people: Option<People>,
}

/// A dataset with its subjects.
pub struct Set {
    /// What it is called in the results; no other of the plan is called so.
    pub label: String,
    /// What is read, and how windows are made.
    pub selection: Selection,
    /// In the order of the plan.
    pub subjects: Vec<u32>,
    /// How trials are cut.
    pub trials: TrialSpec,
}

impl Benchmark {
    /// Reads and checks a plan.
    pub fn read(path: &Path) -> Result<Self> {
        let size = fs::metadata(path).map(|file| file.len());
        let size = size.with_context(|| format!("can't be read: {}", path.display()))?;
        ensure!(size <= MAX_FILE_BYTES, "no plan is larger than 1 MiB: {}", path.display());
        let text = fs::read_to_string(path)
            .with_context(|| format!("can't be read as text: {}", path.display()))?;
        let beside = path.parent().unwrap_or(Path::new("."));
        Self::of(text, beside).with_context(|| format!("no plan in {}", path.display()))
    }

    fn of(text: String, beside: &Path) -> Result<Self> {
        let file: PlanFile = toml::from_str(&text)
            .map_err(|error| anyhow!("{}", printable_lines(&error.to_string())))?;
        let file = PlanFile { pipelines: expand(&file.pipelines, beside), ..file };
        ensure!(!file.pipelines.is_empty(), "`pipelines` names none");
        ensure!(!file.datasets.is_empty(), "`datasets` names none: write a `[[datasets]]`");
        ensure!(!file.modes.is_empty(), "`modes` is empty: leave it out for both");
        ensure!(!file.splits.is_empty(), "`splits` is empty: leave it out for within-session");
        once("modes", &file.modes)?;
        once("splits", &file.splits)?;
        check_numbers(&file)?;
        let pipelines =
            pipelines(&file.pipelines, &file.decisions, file.device.as_deref().unwrap_or(CPU))?;
        if file.modes.contains(&Mode::Offline) {
            check_offline(&pipelines)?;
        }
        let set = |plan: &DatasetPlan| {
            let set = Set::new(plan, &file, beside);
            set.with_context(|| format!("dataset {}", printable(&plan.name)))
        };
        let sets = file.datasets.iter().map(set).collect::<Result<Vec<_>>>()?;
        for (k, Set { label, .. }) in sets.iter().enumerate() {
            let is_twin = sets[..k].iter().any(|other| other.label == *label);
            ensure!(!is_twin, "two datasets are called {label}: give one of them a `label`");
        }
        if file.modes.contains(&Mode::PseudoOnline) {
            sets.iter().try_for_each(|set| check_plan(&set.selection, &pipelines))?;
        }
        let table = file.confounds.as_ref().and_then(|plan| plan.demographics.as_ref());
        let people = table.map(|path| People::read(&beside.join(path))).transpose()?;
        Ok(Self { file, text, pipelines, sets, people })
    }

    /// The variables that offline scores of a split are held against.
    pub fn variables(&self, split: SplitKind) -> &[Variable] {
        match &self.file.confounds {
            Some(plan) if split == SplitKind::WithinSession => &plan.variables,
            _ => &[],
        }
    }

    /// The pipelines that a mode scores, by their position: trials do not follow each other,
    /// so that no decision policy is scored offline.
    pub fn of_mode(&self, mode: Mode) -> impl Iterator<Item = (usize, &Pipeline)> {
        let is_in =
            move |pipeline: &Pipeline| mode == Mode::PseudoOnline || pipeline.decision.is_none();
        self.pipelines.iter().enumerate().filter(move |(_, pipeline)| is_in(pipeline))
    }

    /// The pseudo-online evaluation of some pipelines on a dataset.
    pub fn online(&self, set: &Set, pipelines: Vec<Pipeline>) -> Plan {
        let plan = &self.file.pseudo_online;
        Plan {
            protocol: set.selection.protocol.clone(),
            pipelines,
            idle: plan.idle,
            itr: ItrOptions { p: plan.itr_p, t: plan.itr_t },
            dwell_windows: plan.dwell,
            nulls: NullPlan {
                clock: ClockNull::Scored,
                n_shifts: plan.shifts,
                n_permutations: plan.permutations,
                stop: Stop::Hopeless,
                seed: SEED,
            },
        }
    }
}

impl Set {
    fn new(plan: &DatasetPlan, file: &PlanFile, beside: &Path) -> Result<Self> {
        let online = &file.pseudo_online;
        let [low, high] = online.band_hz;
        let selection = Selection::new(&DataArgs {
            dataset: plan.name.clone(),
            data_dir: plan.data_dir.as_ref().map(|dir| beside.join(dir)),
            classes: plan.classes.clone(),
            executed: plan.executed,
            low,
            high,
            order: online.order,
            window: online.window_secs,
            step: online.step_secs,
            label_rule: match online.label_rule {
                LabelRule::Majority => LabelRuleArg::Majority,
                LabelRule::EndSample => LabelRuleArg::EndSample,
                LabelRule::FullOverlap => LabelRuleArg::FullOverlap,
            },
            train_on: match online.train_on {
                TrainOn::Windows => TrainOnArg::Windows,
                TrainOn::Trials => TrainOnArg::Trials,
            },
            calibration_runs: online.calibration_runs,
        })?;
        let subjects = selection.dataset.parse_subjects(&plan.subjects)?;
        let offline = &file.offline;
        let [low_hz, high_hz] = offline.band_hz;
        let trials = TrialSpec {
            front_end: FrontEndSpec {
                filter_order: offline.order,
                low_hz,
                high_hz,
                // Of no matter to a trial but for the segments of a spectrum.
                ..FrontEndSpec::default()
            },
            interval_secs: offline.interval_secs.unwrap_or(selection.dataset.epoch_interval_secs),
        };
        let label = plan.label.clone().unwrap_or_else(|| selection.dataset.name.to_string());
        ensure!(
            !label.is_empty() && label.chars().all(|c| !c.is_control()),
            "a `label` is a word or a few"
        );
        Ok(Self { label, selection, subjects, trials })
    }

    /// Number of task classes.
    pub fn n_tasks(&self) -> usize {
        self.selection.classes.len() - 1
    }
}

fn check_numbers(file: &PlanFile) -> Result<()> {
    let (offline, online) = (&file.offline, &file.pseudo_online);
    ensure!(online.dwell > 0, "pseudo_online.dwell is at least 1 window");
    ensure!(
        online.step_secs > 0.0 && online.window_secs > 0.0,
        "pseudo_online.window_secs and step_secs are above 0"
    );
    ensure!(offline.folds >= 2, "offline.folds is at least 2");
    ensure!(file.memory_mib > 0, "memory_mib is above 0");
    ensure!(
        offline.train_shares.iter().all(|share| *share > 0.0 && *share <= 1.0),
        "offline.train_shares are above 0 and at most 1"
    );
    ensure!(
        offline.train_subjects.iter().all(|n| *n > 0),
        "offline.train_subjects are numbers of subjects, at least 1"
    );
    ensure!(
        offline.train_subjects.is_empty() || file.splits.contains(&SplitKind::CrossSubject),
        "offline.train_subjects is for cross-subject scores: add it to `splits`"
    );
    if let Some(confounds) = &file.confounds {
        confounds.check()?;
    }
    for (name, n) in [
        ("offline.permutations", offline.permutations),
        ("pseudo_online.permutations", online.permutations),
        ("pseudo_online.shifts", online.shifts),
    ] {
        ensure!(
            n == 0 || n >= N_PERMUTATIONS,
            "{name} is 0 or at least {N_PERMUTATIONS}: with fewer no p can reach 0.05"
        );
    }
    Ok(())
}

/// A list that names nothing twice.
pub fn once<T: PartialEq>(name: &str, list: &[T]) -> Result<()> {
    let is_again = |k: usize| list[..k].contains(&list[k]);
    ensure!(!(0..list.len()).any(is_again), "`{name}` lists one twice");
    Ok(())
}

/// Names of files are relative to the plan.
fn expand(names: &[String], beside: &Path) -> Vec<String> {
    let expanded = |name: &String| {
        let path = beside.join(name);
        let is_file = Path::new(name).extension().is_some() && path.is_file();
        if is_file { path.to_string_lossy().into_owned() } else { name.clone() }
    };
    names.iter().map(expanded).collect()
}

/// What a parser says quotes the file.
fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(|line| printable(line).into_owned()).collect();
    lines.join("\n")
}
