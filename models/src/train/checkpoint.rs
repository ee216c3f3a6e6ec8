//! The state of a training on disk: what a crash leaves, and what is resumed.

use super::adamw::AdamW;
use super::run::Run;
use super::{Epoch, Examples, Task, TrainError};
use crate::checkpoint::sha256_hex;
use crate::weights::{Weights, WeightsError};
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version this program writes; it resumes from this one only.
const VERSION: u32 = 1;
/// Key of [`State`] among what the file says about itself.
const KEY: &str = "mindloop-training";
/// Beginnings of the names of tensors.
const PARTS: [&str; 3] = ["network.", "best.", "adamw."];

/// What is not a tensor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u32,
    /// Of everything the training depends on.
    task: String,
    /// Of all tensors.
    sha256: String,
    n_steps: usize,
    epochs: Vec<Epoch>,
}

impl<B: AutodiffBackend<FloatElem = f32>> Run<'_, B> {
    /// Writes the state, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let best = self.best.clone().unwrap_or_default();
        let parts = [Weights::of(&self.network), best, self.adamw.to_weights()];
        let mut file = Weights::default();
        for (prefix, part) in PARTS.into_iter().zip(parts) {
            file.tensors.extend(part.renamed(|name| format!("{prefix}{name}")).tensors);
        }
        let state = State {
            version: VERSION,
            task: self.digest(),
            sha256: digest_of(&file),
            n_steps: self.adamw.n_steps(),
            epochs: self.epochs.clone(),
        };
        let text = serde_json::to_string(&state).expect("a state is plain data");
        file.metadata.insert(KEY.to_owned(), text);
        Ok(file.write(path)?)
    }

    /// Continues from a file, if one is there.
    pub fn resume(&mut self, path: &Path) -> Result<(), TrainError> {
        if !path.exists() {
            return Ok(());
        }
        let damaged = |why: &str| {
            let why = format!("{why}: remove it to begin anew");
            TrainError::Checkpoint(WeightsError::NotWeights { why, path: path.into() })
        };
        let file = Weights::read(path)?;
        let text = file.metadata.get(KEY).ok_or_else(|| damaged("it is no state of a training"))?;
        let state: State = serde_json::from_str(text).map_err(|e| damaged(&e.to_string()))?;
        let other = |why: &str| TrainError::OtherTraining {
            why: why.to_owned(),
            path: path.display().to_string(),
        };
        if state.version != VERSION {
            return Err(other("another version of this program wrote it"));
        }
        if state.task != self.digest() {
            return Err(other("its network, its numbers or its examples are not these"));
        }
        if state.sha256 != digest_of(&file) {
            return Err(damaged("its content is not what was written"));
        }
        let [network, best, adamw] = PARTS.map(|prefix| part(&file, prefix));
        self.network = network.put_into(self.network.clone())?;
        self.best = (!best.tensors.is_empty()).then_some(best);
        let params = self.task.training.adamw;
        self.adamw = AdamW::from_weights(params, state.n_steps, &adamw, self.device)
            .ok_or_else(|| damaged("a mean of a gradient is missing"))?;
        self.epochs = state.epochs;
        Ok(())
    }

    /// Of everything the training depends on but the device.
    fn digest(&self) -> String {
        digest_of_task(self.task, self.training, self.validation)
    }
}

/// The tensors whose names begin with `prefix`, which is cut off.
fn part(file: &Weights, prefix: &str) -> Weights {
    let tensors = file
        .tensors
        .iter()
        .filter_map(|(name, values)| Some((name.strip_prefix(prefix)?.to_owned(), values.clone())));
    Weights { tensors: tensors.collect(), ..Weights::default() }
}

fn digest_of(weights: &Weights) -> String {
    let mut bytes = Vec::new();
    for (name, tensor) in &weights.tensors {
        bytes.extend(name.bytes());
        bytes.extend(tensor.shape.iter().flat_map(|n| (*n as u64).to_le_bytes()));
        bytes.extend(tensor.values.iter().flat_map(|value| value.to_le_bytes()));
    }
    sha256_hex(&bytes)
}

fn digest_of_task(task: &Task, training: &Examples, validation: &Examples) -> String {
    let words = serde_json::to_string(&(
        (&task.network, &task.training, task.geometry, task.rate_hz),
        (&task.positions, task.mirror.as_ref().map(|m| (&m.channels, &m.classes))),
        task.start.as_ref().map(digest_of),
        [training, validation].map(|examples| (&examples.labels, &examples.subjects)),
    ))
    .expect("a task is plain data");
    let mut bytes = words.into_bytes();
    for examples in [training, validation] {
        bytes.extend(examples.windows.iter().flat_map(|value| value.to_le_bytes()));
    }
    sha256_hex(&bytes)
}
