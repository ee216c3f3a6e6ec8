//! Training of networks: one function of its arguments.
//!
//! The same task and seed give the same weights, bit for bit on the CPU, whether the
//! training ran through or was resumed from any of its checkpoints. It is *not* a search
//! for the numbers of a network, and it does not choose what is validated on: examples
//! come in the order of time, and [`Examples::split_last`] takes the last of them.

pub mod adamw;
pub mod augment;
mod batch;
mod checkpoint;
mod run;
pub mod schedule;

use self::adamw::AdamWParams;
use self::augment::{Augmentation, Mirror};
use self::run::Run;
use crate::backend::{Device, DeviceError, Job};
use crate::net::{Geometry, NetError, NetworkConfig};
use crate::weights::{Weights, WeightsError};
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::Path;

#[cfg(test)]
mod tests;

/// The `[training]` table of a description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Times that every example is seen, at most.
    pub n_epochs: usize,
    /// Examples of a step.
    pub batch_size: usize,
    /// Size of a step after the warm-up.
    pub learning_rate: f64,
    /// Size of the last step, as a part of it.
    pub last_rate_part: f64,
    /// Epochs of the warm-up.
    pub n_warmup_epochs: usize,
    /// How the step is made of gradients.
    pub adamw: AdamWParams,
    /// Largest norm of all gradients together; longer ones are scaled down to it.
    pub max_gradient_norm: f64,
    /// What an example of each class weighs.
    pub class_weights: ClassWeights,
    /// Epochs without a lower loss of the validation after which the training ends.
    pub patience: usize,
    /// What is done to examples before they are seen.
    pub augmentation: Augmentation,
    /// Where all random numbers come from.
    pub seed: u64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            n_epochs: 200,
            batch_size: 64,
            learning_rate: 1e-3,
            last_rate_part: 0.01,
            n_warmup_epochs: 5,
            adamw: AdamWParams::default(),
            max_gradient_norm: 1.0,
            class_weights: ClassWeights::Balanced,
            patience: 40,
            augmentation: Augmentation::default(),
            seed: 0,
        }
    }
}

/// What an example of each class weighs in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All examples the same.
    Equal,
    /// All classes the same: `n / (n_classes n_of_class)` for each example.
    #[default]
    Balanced,
}

/// Labelled windows in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// Window after window, each `(n_channels, n_samples)` by rows.
    pub windows: Vec<f32>,
    /// Class of each window.
    pub labels: Vec<usize>,
    /// Subject of each window, from 1, where subjects are told apart.
    pub subjects: Option<Vec<usize>>,
}

/// Everything that a training depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The network.
    pub network: NetworkConfig,
    /// How it is trained.
    pub training: TrainingConfig,
    /// What a window is.
    pub geometry: Geometry,
    /// Rate of the windows.
    pub rate_hz: f64,
    /// Where sensors are, in metres; the encoder alone asks for it.
    pub positions: Vec<[f64; 3]>,
    /// What left and right exchange, for the augmentation that mirrors.
    pub mirror: Option<Mirror>,
    /// Weights to begin with, by our names: fine-tuning. Else they are drawn.
    pub start: Option<Weights>,
}

/// One epoch as it was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// Mean loss of its steps, augmented and with dropout.
    pub training_loss: f64,
    /// Part of its examples that were right, augmented and with dropout.
    pub training_accuracy: f64,
    /// Mean loss of the validation after it.
    pub validation_loss: Option<f64>,
    /// Part of the validation that is right after it.
    pub validation_accuracy: Option<f64>,
    /// Size of its last step.
    pub learning_rate: f64,
    /// Whether its weights are the best so far.
    pub is_best: bool,
}

/// A network that has learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The best weights, by our names: those with the lowest loss of the validation, or
    /// the last where nothing is validated.
    pub weights: Weights,
    /// All epochs in order.
    pub epochs: Vec<Epoch>,
    /// Why it ended.
    pub end: End,
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs were run.
    Finished,
    /// The validation got no better.
    NoLongerBetter,
    /// The caller asked for it.
    Asked,
}

/// Why a network could not be trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Correct the description of the network, or the windows.
    #[error(transparent)]
    Network(#[from] NetError),
    /// Choose another device, smaller batches or a smaller network.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Correct the description of the training.
    #[error("`{name}` of the training can't be used: {why}")]
    BadParameter {
        /// As the description calls it.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Correct the examples.
    #[error("the examples can't be trained on: {why}")]
    BadExamples {
        /// What is wrong with them.
        why: String,
    },
    /// Lower the learning rate, or look for extreme values in the recording. The best
    /// weights until then are kept.
    #[error(
        "the {what} of step {step} in epoch {epoch} is not finite: lower the learning rate, or look for extreme values in the examples"
    )]
    NotFinite {
        /// `loss`, `gradient`, or that the loss of the validation is meant.
        what: &'static str,
        /// Epoch, from 1.
        epoch: usize,
        /// Step of the epoch, from 1.
        step: usize,
        /// The best weights until then, by our names; none before the first epoch ended.
        best: Option<Box<Weights>>,
    },
    /// Choose another path; or a path at which no checkpoint lies, to begin anew.
    #[error(transparent)]
    Checkpoint(#[from] WeightsError),
    /// Continue with the task that it was written for, or begin anew at another path.
    #[error("the checkpoint is of another training ({why}): {path}")]
    OtherTraining {
        /// What differs.
        why: String,
        /// The file.
        path: String,
    },
}

/// Trains on `device`.
///
/// With `checkpoint`, the state is written there after each epoch, whole or not at all,
/// and where a file lies there already the training continues from it. `watch` is called
/// after each epoch, and can end the training.
///
/// Batch: allocates, and takes from seconds to hours.
///
/// # Errors
/// All of [`TrainError`].
pub fn train(
    task: &Task,
    training: &Examples,
    validation: &Examples,
    device: Device,
    checkpoint: Option<&Path>,
    watch: &mut dyn FnMut(&Epoch) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    task.check()?;
    training.check("training", task)?;
    if training.labels.is_empty() {
        return Err(TrainError::BadExamples { why: "there is none".to_owned() });
    }
    validation.check("validation", task)?;
    let examples = [training, validation];
    device.run(Learning { task, examples, checkpoint, watch })?
}

struct Learning<'a> {
    task: &'a Task,
    examples: [&'a Examples; 2],
    checkpoint: Option<&'a Path>,
    watch: &'a mut dyn FnMut(&Epoch) -> ControlFlow<()>,
}

impl Job for Learning<'_> {
    type Output = Result<Trained, TrainError>;

    fn run<B: AutodiffBackend<FloatElem = f32>>(self, device: &B::Device) -> Self::Output {
        let mut run = Run::<B>::begin(self.task, self.examples, device)?;
        if let Some(path) = self.checkpoint {
            run.resume(path)?;
        }
        loop {
            if let Some(end) = run.end() {
                return Ok(run.into_trained(end));
            }
            let epoch = run.epoch()?;
            if let Some(path) = self.checkpoint {
                run.save(path)?;
            }
            if (self.watch)(&epoch).is_break() {
                return Ok(run.into_trained(End::Asked));
            }
        }
    }
}

impl Task {
    fn check(&self) -> Result<(), TrainError> {
        self.network.cost(self.geometry)?;
        let bad = |name, why: &str| Err(TrainError::BadParameter { name, why: why.to_owned() });
        let training = &self.training;
        if training.n_epochs == 0 {
            return bad("n_epochs", "there is none");
        }
        if training.batch_size == 0 {
            return bad("batch_size", "there is none");
        }
        if training.patience == 0 {
            return bad("patience", "no epoch would be waited for");
        }
        let is_size = |value: f64| value.is_finite() && value > 0.0;
        if !is_size(training.learning_rate) {
            return bad("learning_rate", "a positive number is needed");
        }
        if !(0.0..=1.0).contains(&training.last_rate_part) {
            return bad("last_rate_part", "a part from 0 to 1 is needed");
        }
        if !is_size(training.max_gradient_norm) {
            return bad("max_gradient_norm", "a positive number is needed");
        }
        if !is_size(self.rate_hz) {
            return bad("rate_hz", "a positive number is needed");
        }
        training.adamw.check()?;
        training.augmentation.check(self)
    }
}

impl Examples {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All but the last `part` of the examples, and that part: the future, on which to
    /// validate. `n_between` are left out before it, so that windows that overlap do not
    /// lie on both sides.
    ///
    /// # Panics
    /// Where `part` is not between 0 and 1.
    pub fn split_last(&self, part: f64, n_between: usize) -> (Self, Self) {
        assert!((0.0..=1.0).contains(&part), "a part of the examples");
        let n_last = (self.len() as f64 * part).round() as usize;
        let begin = self.len() - n_last;
        let end = if n_last == 0 { begin } else { begin.saturating_sub(n_between) };
        (self.range(0, end), self.range(begin, self.len()))
    }

    fn range(&self, begin: usize, end: usize) -> Self {
        let size = self.windows.len().checked_div(self.len()).unwrap_or(0);
        Self {
            windows: self.windows[begin * size..end * size].to_vec(),
            labels: self.labels[begin..end].to_vec(),
            subjects: self.subjects.as_ref().map(|subjects| subjects[begin..end].to_vec()),
        }
    }

    fn check(&self, what: &str, task: &Task) -> Result<(), TrainError> {
        let bad = |why: String| Err(TrainError::BadExamples { why: format!("{what}: {why}") });
        let Geometry { n_channels, n_samples, n_classes } = task.geometry;
        if self.windows.len() != self.len() * n_channels * n_samples {
            return bad(format!(
                "{} numbers are not {} windows of {n_channels} channels and {n_samples} samples",
                self.windows.len(),
                self.len()
            ));
        }
        if let Some(&label) = self.labels.iter().find(|&&label| label >= n_classes) {
            return bad(format!("class {label} is beyond {n_classes} classes"));
        }
        if let Some(k) = self.windows.iter().position(|value| !value.is_finite()) {
            return bad(format!("window {} is not finite", k / (n_channels * n_samples)));
        }
        if let Some(subjects) = &self.subjects {
            let n_subjects = match &task.network {
                NetworkConfig::Encoder(config) => config.n_subjects,
                _ => usize::MAX,
            };
            if subjects.len() != self.len() {
                return bad(format!("{} windows and {} subjects", self.len(), subjects.len()));
            }
            if let Some(subject) = subjects.iter().find(|&&subject| subject > n_subjects) {
                return bad(format!("subject {subject} is beyond {n_subjects} subjects"));
            }
        }
        Ok(())
    }
}
