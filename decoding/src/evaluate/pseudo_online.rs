//! Pseudo-online evaluation: calibrate on the first part of the recordings, then let
//! the very engine of a live session decide on the rest, window by window.
//!
//! It is *not* a second implementation of a session. Nothing after a window's end
//! reaches its decision; training windows come from the calibration parts alone.

use crate::decoder::Decoder;
use crate::evaluate::labels::{LabelRule, TaskInterval, sample_labels, window_labels};
use crate::evaluate::score::WindowRecord;
use crate::front_end::step::Demands;
use crate::front_end::{FrontEnd, FrontEndSpec, PlanError};
use crate::pipeline::runtime::ModelError;
use crate::pipeline::{FittedPipeline, Pipeline, demands};
use crate::session::engine::Engine;
use crate::session::event::{Event, TooManyClasses};
use crate::window::WindowSpec;
use acquisition::marker::{ClassIdx, Cue};
use acquisition::signal::{Chunk, Recording};
use acquisition::source::Feed as _;
use acquisition::source::replay::{RecordingFeed, Repeat};
use acquisition::time::SampleIndex;
use datasets::split::{Part, Scored};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

mod training;

pub(super) use self::training::Pool;

/// Frames read at once. Any other number gives the same decisions.
const CHUNK_FRAMES: usize = 256;

/// What a decoder is fitted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainOn {
    /// The labelled windows of the calibration part, idle thinned.
    #[default]
    Windows,
    /// One epoch per cue over the task interval, idle epochs of the same length.
    Trials,
}

/// Everything that defines which windows there are and what they are called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// Filter and windows.
    pub front_end: FrontEndSpec,
    /// When the task runs, relative to its cue.
    pub interval: TaskInterval,
    /// Label of a mixed window.
    pub label_rule: LabelRule,
    /// What decoders are fitted on.
    pub train_on: TrainOn,
    /// Classes of the configuration, idle included.
    pub n_classes: usize,
}

/// One recording and its cues.
#[derive(Clone, Debug)]
pub struct Run {
    /// The continuous recording.
    pub recording: Arc<Recording>,
    /// Its cues in time order.
    pub cues: Vec<Cue>,
}

/// Why a subject can't be evaluated at all; a single pipeline's failure to fit is not
/// this but part of its outcome.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Change filter, window or channels.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Choose a task interval that holds samples.
    #[error("a task of {secs} s holds no sample: choose a longer task interval")]
    NoTask {
        /// Its length.
        secs: f64,
    },
    /// Configure fewer classes.
    #[error(transparent)]
    Classes(#[from] TooManyClasses),
    /// The runs of one subject must have the same channels and rate: evaluate apart.
    #[error("channels or rate differ from those of the runs before: evaluate apart: {name}")]
    Mismatch {
        /// The recording's name.
        name: String,
    },
    /// A freshly fitted model does not plan: a defect of the pipeline.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Decisions of one model over the scored parts, in time order.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    /// One record per decided window.
    pub records: Vec<WindowRecord>,
    /// Time each decision took, in nanoseconds.
    pub took_nanos: Vec<u64>,
    /// Windows that could not be decided.
    pub n_unusable: usize,
}

impl Run {
    /// Number of sample indices, missing ones included.
    pub fn n_indices(&self) -> usize {
        let n_missing: u64 = self.recording.gaps.iter().map(|g| g.n_missing).sum();
        self.recording.n_samples() + n_missing as usize
    }
}

impl Protocol {
    /// The windows of a run.
    pub fn window(&self, run: &Run) -> Result<WindowSpec, PlanError> {
        Ok(self.front_end.window(run.recording.info.rate)?)
    }

    /// The class of every sample of a run.
    pub fn sample_labels(&self, run: &Run) -> Vec<ClassIdx> {
        sample_labels(&run.cues, self.interval, run.recording.info.rate, run.n_indices())
    }

    /// The label of every window of a run, by position on the grid; `None` is not scored.
    pub fn window_labels(&self, run: &Run) -> Result<Vec<Option<ClassIdx>>, PlanError> {
        let samples = self.sample_labels(run);
        Ok(window_labels(&samples, self.window(run)?, self.n_classes, self.label_rule))
    }

    fn front_end(&self, run: &Run, demands: &Demands) -> Result<FrontEnd, PlanError> {
        let info = &run.recording.info;
        FrontEnd::plan(&self.front_end, info, info.brain_channels(), demands.clone())
    }

    /// Whether windows of these runs have what a pipeline asks for, as far as that can be said
    /// before its signal steps have learned.
    pub fn check(&self, runs: &[Run], pipeline: &Pipeline) -> Result<(), EvaluateError> {
        for run in runs {
            match self.front_end(run, &demands([pipeline])) {
                Ok(_) | Err(PlanError::Unlearned { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Lets an engine with all `models` decide over a run; the decisions on windows
    /// that lie in `part`, per model.
    pub fn decide(
        &self,
        runs: &[Run],
        part: &Part<Scored>,
        models: &[&FittedPipeline],
        now_nanos: &(dyn Fn() -> u64 + Sync),
    ) -> Result<Vec<Decided>, EvaluateError> {
        let run = &runs[part.run_idx()];
        let demands = demands(models.iter().map(|model| model.pipeline()));
        let front_end = self.front_end(run, &demands)?;
        let window = front_end.spec();
        let plan = |model: &&FittedPipeline| model.plan(&front_end, self.n_classes);
        let decoders: Vec<Box<dyn Decoder>> = models.iter().map(plan).collect::<Result<_, _>>()?;
        let mut engine = Engine::new(front_end, run.recording.info.n_channels(), decoders)?;
        let labels = self.window_labels(run)?;
        let mut decided = vec![Decided::default(); models.len()];
        for_each_chunk(run, |chunk| {
            engine.push(chunk, now_nanos, |output| {
                let decided = &mut decided[output.decoder_idx];
                match output.event {
                    Event::Decision(decision) if holds(part, decision.end, window) => {
                        let k = grid_position(decision.end, window);
                        let (run, truth) = (part.run_idx() as u32, labels[k]);
                        let end = decision.end;
                        decided.records.push(WindowRecord { run, end, truth, decision });
                        decided.took_nanos.push(output.took_nanos);
                    }
                    Event::Unusable { end } if holds(part, end, window) => decided.n_unusable += 1,
                    _ => {}
                }
            });
        });
        Ok(decided)
    }
}

/// Whether the window that ends at `end` lies in the part wholly.
fn holds<Side>(part: &Part<Side>, end: SampleIndex, window: WindowSpec) -> bool {
    part.contains_window(end.0, window.window_samples as u64)
}

/// Position on the grid of the window that ends at `end`.
pub fn grid_position(end: SampleIndex, window: WindowSpec) -> usize {
    (end.0 as usize + 1 - window.window_samples) / window.step_samples
}

/// Reads a run from its first frame to its last.
fn for_each_chunk(run: &Run, mut take: impl FnMut(&Chunk)) {
    let mut feed = RecordingFeed::new(Arc::clone(&run.recording), Repeat::Once);
    let mut chunk = Chunk::new(run.recording.info.n_channels(), CHUNK_FRAMES);
    let mut markers = Vec::new();
    while feed.read(&mut chunk, &mut markers).is_ok_and(|is_data| is_data) {
        take(&chunk);
    }
}

/// What is fitted on one recording decides on another only where both have the same
/// channels in the same order, and the same rate.
pub fn check_same_stream(
    runs: &[Run],
    run_indices: impl IntoIterator<Item = usize>,
) -> Result<(), EvaluateError> {
    let labels = |run: &Run| {
        let info = &run.recording.info;
        let labels = info.brain_channels().into_iter().map(|c| info.channels[c].label.clone());
        (info.rate, labels.collect::<Vec<_>>())
    };
    let mut expected = None;
    for run_idx in run_indices {
        let found = labels(&runs[run_idx]);
        if *expected.get_or_insert_with(|| found.clone()) != found {
            let name = runs[run_idx].recording.info.name.clone();
            return Err(EvaluateError::Mismatch { name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
