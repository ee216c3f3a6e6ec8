//! Items of a benchmark, the rows they come to, and the keys that their results depend on.

use super::plan::{Mode, SplitKind};
use decoding::evaluate::null::Verdict;
use decoding::evaluate::score::Idle;
use decoding::evaluate::subject::Evaluated;
use decoding::metric::Confusion;
use decoding::offline::confounds::Variable;
use decoding::offline::cross_validation::{Confounded, OfflineMetric};
use decoding::pipeline::{Memory, Pipeline};
use models::checkpoint::sha256_hex;
use serde::{Deserialize, Serialize};

/// Raised where results come out differently: what was stored before is computed anew.
const RESULTS_REVISION: u32 = 3;

/// One row: what one pipeline scored on one session of one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The dataset's name.
    pub dataset: String,
    /// The subject's number.
    pub subject: u32,
    /// The session, counted from 0; `all` where several are scored together.
    pub session: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// Whether its decisions depend on earlier windows.
    pub memory: Memory,
    /// How it was scored.
    pub mode: Mode,
    /// Who calibrated.
    pub split: SplitKind,
    /// MOABB's column: what the mode is judged by.
    pub score: f64,
    /// Seconds that the item took: its share of what was computed together.
    pub secs: f64,
    /// Trials or windows that were scored.
    pub n_samples: u64,
    /// Channels decoded from.
    pub n_channels: usize,
    /// Sessions of the subject.
    pub n_sessions: usize,
    /// p of the label null.
    pub label_p: Option<f64>,
    /// What the nulls say.
    pub verdict: Option<Verdict>,
    /// Its confusion matrix.
    pub confusion: Confusion,
    /// What only this mode has.
    pub details: Details,
}

/// What only one mode has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// Of cross-validated trials.
    Offline {
        /// What `score` is.
        metric: OfflineMetric,
        /// Each fold's.
        per_fold: Vec<f64>,
        /// Fold of each trial, in the order of the recording.
        folds: Vec<usize>,
        /// Scores of the label null.
        label_null: Vec<f64>,
        /// Learning or scaling curve: training trials (or subjects) and the score.
        curve: Vec<(f64, f64)>,
        /// Amounts of training that could not be fitted to, and why.
        #[serde(default)]
        unfitted: Vec<(f64, String)>,
        /// What eyes, muscles and time have to do with it, where the plan asks.
        confounds: Option<Confounds>,
    },
    /// Of every window.
    PseudoOnline(Box<OnlineDetails>),
}

/// What variables of the trials have to do with a score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Confounds {
    /// Each of them, and all together last.
    pub found: Vec<Confounded>,
    /// Those that the recordings have not.
    pub absent: Vec<Variable>,
    /// Why there is nothing.
    pub why_not: Option<String>,
}

impl Confounds {
    /// Of all variables together.
    pub fn together(&self) -> Option<&Confounded> {
        self.found.iter().find(|of| of.variable.is_none())
    }
}

/// The figures of a pseudo-online evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineDetails {
    /// Whether idle is scored.
    pub idle: Idle,
    /// 95 % interval of nMCC.
    pub nmcc_interval: Option<[f64; 2]>,
    /// nMCC over the tasks alone.
    pub nmcc_idle_excluded: f64,
    /// Its confusion matrix.
    pub confusion_idle_excluded: Confusion,
    /// Area under the ROC of two tasks against each other.
    pub auc_idle_excluded: Option<f64>,
    /// Bits per minute.
    pub itr_bits_per_min: f64,
    /// Mean recall.
    pub balanced_accuracy: f64,
    /// Share of right windows.
    pub accuracy: f64,
    /// Cohen's.
    pub kappa: f64,
    /// What the paradigm's timing scores.
    pub clock_nmcc: Option<f64>,
    /// p of the shift null.
    pub shift_p: Option<f64>,
    /// Scores of the shift null.
    #[serde(default)]
    pub shift_null: Vec<f64>,
    /// Scores of the label null.
    #[serde(default)]
    pub label_null: Vec<f64>,
    /// Events: true positives per cue.
    pub true_positive_rate: Option<f64>,
    /// Events: false positives per minute of idle.
    pub false_positives_per_idle_min: Option<f64>,
    /// Events: quartiles of the latency.
    pub onset_latency_secs: Option<[f64; 3]>,
    /// Windows that could not be decided.
    pub n_unusable_windows: usize,
    /// Median time of a decision; a timing, as the next.
    pub decision_p50_us: f64,
    /// The 99th percentile.
    pub decision_p99_us: f64,
}

impl Row {
    /// What the pipeline scored with permuted labels.
    pub fn label_null(&self) -> &[f64] {
        match &self.details {
            Details::Offline { label_null, .. } => label_null,
            Details::PseudoOnline(online) => &online.label_null,
        }
    }

    /// What variables of the trials have to do with its score, where that was asked.
    pub fn confounds(&self) -> Option<&Confounds> {
        match &self.details {
            Details::Offline { confounds, .. } => confounds.as_ref(),
            Details::PseudoOnline(_) => None,
        }
    }

    /// What its decisions scored against the truth of other times; pseudo-online alone.
    pub fn shift_null(&self) -> &[f64] {
        match &self.details {
            Details::Offline { .. } => &[],
            Details::PseudoOnline(online) => &online.shift_null,
        }
    }
}

impl OnlineDetails {
    /// The figures of an evaluated pipeline.
    pub fn of(evaluated: &Evaluated, idle: Idle) -> Self {
        let (score, events) = (&evaluated.score.pooled, &evaluated.score.events);
        Self {
            idle,
            nmcc_interval: score.interval.map(|i| [i.lower, i.upper]),
            nmcc_idle_excluded: score.nmcc_idle_excluded,
            confusion_idle_excluded: score.confusion_idle_excluded.clone(),
            auc_idle_excluded: score.auc_idle_excluded,
            itr_bits_per_min: score.itr_bits_per_min,
            balanced_accuracy: score.balanced_accuracy,
            accuracy: score.accuracy,
            kappa: score.kappa,
            clock_nmcc: evaluated.nulls.clock_nmcc,
            shift_p: evaluated.nulls.shift_p,
            shift_null: evaluated.draws.shift.clone(),
            label_null: evaluated.draws.label.clone(),
            true_positive_rate: events.true_positive_rate,
            false_positives_per_idle_min: events.false_positives_per_idle_min,
            onset_latency_secs: events
                .onset_latency_secs
                .map(|quartiles| [quartiles.lower, quartiles.median, quartiles.upper]),
            n_unusable_windows: evaluated.decided.n_unusable,
            decision_p50_us: evaluated.latency.p50_nanos as f64 * 1e-3,
            decision_p99_us: evaluated.latency.p99_nanos as f64 * 1e-3,
        }
    }
}

/// Everything that a result depends on.
#[derive(Debug, Serialize)]
pub struct Identity<'a, S> {
    revision: u32,
    version: &'static str,
    mode: Mode,
    split: SplitKind,
    dataset: &'a str,
    subject: u32,
    classes: &'a [String],
    settings: &'a S,
    data: &'a [RunDigest],
    pipeline: &'a Pipeline,
    device: &'a str,
}

/// A run that was read, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunDigest {
    /// The recording's name.
    pub name: String,
    /// Of all that was understood of it.
    pub sha256: String,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The dataset, by its position in the plan.
    pub set: usize,
    /// The subject, by its position in the dataset's list.
    pub subject: usize,
    /// Who calibrates.
    pub split: SplitKind,
    /// How it is scored.
    pub mode: Mode,
}

/// The key of an item.
pub fn key<S: Serialize>(
    place: Place,
    (dataset, subject, classes): (&str, u32, &[String]),
    settings: &S,
    data: &[RunDigest],
    (pipeline, device): (&Pipeline, &str),
) -> serde_json::Result<String> {
    let identity = Identity {
        revision: RESULTS_REVISION,
        version: env!("CARGO_PKG_VERSION"),
        mode: place.mode,
        split: place.split,
        dataset,
        subject,
        classes,
        settings,
        data,
        pipeline,
        device,
    };
    Ok(sha256_hex(&serde_json::to_vec(&identity)?))
}
