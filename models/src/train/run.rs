//! A training in progress: its state, and what an epoch does to it.

use super::adamw::{AdamW, gradient_norm};
use super::augment::Augmenter;
use super::batch::{Batch, augmented, class_weights, plain};
use super::schedule::Schedule;
use super::{End, Epoch, Examples, Task, TrainError, Trained};
use crate::net::Network;
use crate::net::layers::Pass;
use crate::random::Random;
use crate::weights::Weights;
use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};

/// Windows of the validation that are looked at together.
const VALIDATION_BATCH: usize = 256;

/// The state of a training after some epochs.
pub(super) struct Run<'a, B: AutodiffBackend> {
    pub task: &'a Task,
    pub training: &'a Examples,
    pub validation: &'a Examples,
    pub device: &'a B::Device,
    pub network: Network<B>,
    pub adamw: AdamW<B::InnerBackend>,
    pub best: Option<Weights>,
    pub epochs: Vec<Epoch>,
}

/// Sums over some windows.
#[derive(Default)]
struct Tally {
    loss: f64,
    weight: f64,
    n_right: usize,
    n: usize,
}

impl Tally {
    fn add(&mut self, loss: f64, batch_weight: f64, n_right: usize, n: usize) {
        self.loss += loss * batch_weight;
        self.weight += batch_weight;
        self.n_right += n_right;
        self.n += n;
    }

    fn mean_loss(&self) -> f64 {
        self.loss / self.weight
    }

    fn accuracy(&self) -> f64 {
        self.n_right as f64 / self.n as f64
    }
}

impl<'a, B: AutodiffBackend<FloatElem = f32>> Run<'a, B> {
    /// Before the first epoch.
    pub fn begin(
        task: &'a Task,
        [training, validation]: [&'a Examples; 2],
        device: &'a B::Device,
    ) -> Result<Self, TrainError> {
        let seed = task.training.seed;
        let mut network = task.network.build::<B>(task.geometry, &task.positions, seed, device)?;
        if let Some(start) = &task.start {
            network = start.put_into(network)?;
        }
        let adamw = AdamW::new(task.training.adamw);
        let (best, epochs) = (None, Vec::new());
        Ok(Self { task, training, validation, device, network, adamw, best, epochs })
    }

    /// Why no further epoch is to be run, if none is.
    pub fn end(&self) -> Option<End> {
        let config = &self.task.training;
        let n = self.epochs.len();
        let best = self.epochs.iter().rposition(|epoch| epoch.is_best);
        if n >= config.n_epochs {
            Some(End::Finished)
        } else if best.is_some_and(|best| n - 1 - best >= config.patience) {
            Some(End::NoLongerBetter)
        } else {
            None
        }
    }

    pub fn into_trained(self, end: End) -> Trained {
        let weights = self.best.unwrap_or_else(|| Weights::of(&self.network));
        Trained { weights, epochs: self.epochs, end }
    }

    /// Runs the next epoch.
    pub fn epoch(&mut self) -> Result<Epoch, TrainError> {
        let number = self.epochs.len() + 1;
        let config = &self.task.training;
        // A stream for each epoch: what was drawn before does not matter to a resumed one.
        let mut random = Random::new(config.seed, number as u64);
        let mut order: Vec<usize> = (0..self.training.len()).collect();
        random.shuffle(&mut order);
        let n_batches = order.len().div_ceil(config.batch_size);
        let schedule = Schedule {
            peak: config.learning_rate,
            last: config.learning_rate * config.last_rate_part,
            n_warmup: config.n_warmup_epochs.min(config.n_epochs) * n_batches,
            n_steps: config.n_epochs * n_batches,
        };
        let augmenter = Augmenter::new(self.task);
        let n_classes = self.task.geometry.n_classes;
        let weights = class_weights(config.class_weights, self.training, n_classes);
        let mut tally = Tally::default();
        for (step, indices) in order.chunks(config.batch_size).enumerate() {
            let batch = augmented::<B>(
                self.task,
                self.training,
                indices,
                &augmenter,
                &weights,
                &mut random,
                self.device,
            );
            let rate = schedule.rate((number - 1) * n_batches + step);
            let (loss, n_right) = self
                .step(&batch, rate, &mut random)
                .map_err(|what| self.not_finite(what, number, step + 1))?;
            tally.add(loss, batch.total, n_right, indices.len());
        }
        let last_rate = schedule.rate(number * n_batches - 1);
        self.finish(number, &tally, &weights, last_rate)
            .map_err(|what| self.not_finite(what, number, n_batches))
    }

    /// One step of learning: its loss, and how many windows were right. What is not finite
    /// is told, and then nothing was learned from it.
    fn step(
        &mut self,
        batch: &Batch<B>,
        rate: f64,
        random: &mut Random,
    ) -> Result<(f64, usize), &'static str> {
        let subjects = batch.subjects.as_deref();
        let pass = &mut Pass::Train(random);
        let logits = self.network.forward_of(batch.windows.clone(), subjects, pass);
        let n_right = count_right(&logits, &batch.labels);
        let loss = loss(logits, batch);
        let value = f64::from(loss.clone().into_scalar());
        if !value.is_finite() {
            return Err("loss");
        }
        let gradients = loss.backward();
        let norm = gradient_norm(&self.network, &gradients);
        if !norm.is_finite() {
            return Err("gradient");
        }
        let scale = (self.task.training.max_gradient_norm / (norm + 1e-6)).min(1.0);
        // Clones share running statistics, and nobody else holds this one.
        self.network = self.adamw.step(self.network.clone(), &gradients, scale, rate);
        Ok((value, n_right))
    }

    fn not_finite(&self, what: &'static str, epoch: usize, step: usize) -> TrainError {
        TrainError::NotFinite { what, epoch, step, best: self.best.clone().map(Box::new) }
    }

    /// Validates, and remembers the epoch and its weights where they are the best.
    fn finish(
        &mut self,
        number: usize,
        tally: &Tally,
        weights: &[f64],
        rate: f64,
    ) -> Result<Epoch, &'static str> {
        let validated = self.validate(weights);
        let loss = validated.as_ref().map(Tally::mean_loss);
        if loss.is_some_and(|loss| !loss.is_finite()) {
            return Err("validation's loss after");
        }
        let lowest =
            self.epochs.iter().filter_map(|e| e.validation_loss).fold(f64::INFINITY, f64::min);
        // Without validation every epoch replaces the one before.
        let is_best = loss.is_none_or(|loss| loss < lowest);
        let epoch = Epoch {
            number,
            training_loss: tally.mean_loss(),
            training_accuracy: tally.accuracy(),
            validation_loss: loss,
            validation_accuracy: validated.as_ref().map(Tally::accuracy),
            learning_rate: rate,
            is_best,
        };
        if is_best {
            self.best = Some(Weights::of(&self.network));
        }
        self.epochs.push(epoch);
        Ok(epoch)
    }

    /// The validation, `None` where there is none.
    fn validate(&self, weights: &[f64]) -> Option<Tally> {
        if self.validation.is_empty() {
            return None;
        }
        let network = self.network.valid();
        let mut tally = Tally::default();
        let all: Vec<usize> = (0..self.validation.len()).collect();
        for indices in all.chunks(VALIDATION_BATCH) {
            let batch = plain::<B::InnerBackend>(
                self.validation,
                indices,
                self.task.geometry,
                weights,
                self.device,
            );
            let subjects = batch.subjects.as_deref();
            let logits = network.forward_of(batch.windows.clone(), subjects, &mut Pass::Infer);
            let n_right = count_right(&logits, &batch.labels);
            let loss = f64::from(loss(logits, &batch).into_scalar());
            tally.add(loss, batch.total, n_right, indices.len());
        }
        Some(tally)
    }
}

/// Cross-entropy, each window weighted by its class, over the sum of weights.
fn loss<B: Backend>(logits: Tensor<B, 2>, batch: &Batch<B>) -> Tensor<B, 1> {
    (log_softmax(logits, 1) * batch.targets.clone()).sum() / -batch.total
}

fn count_right<B: Backend>(logits: &Tensor<B, 2>, labels: &[usize]) -> usize {
    let [_, n_classes] = logits.dims();
    let values: Vec<f32> =
        logits.to_data().convert::<f32>().to_vec().expect("the data were converted");
    let rows = values.chunks_exact(n_classes);
    rows.zip(labels).filter(|(row, label)| row.iter().all(|&x| x <= row[**label])).count()
}
