//! Examples put together for a step.

use super::augment::Augmenter;
use super::{ClassWeights, Examples, Task};
use crate::net::Geometry;
use crate::random::Random;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

/// What one step sees.
pub(super) struct Batch<B: Backend> {
    /// `(batch, n_channels, n_samples)`.
    pub windows: Tensor<B, 3>,
    /// How much each class is meant, times its weight, `(batch, n_classes)`.
    pub targets: Tensor<B, 2>,
    /// Sum of all targets.
    pub total: f64,
    /// Class that each window counts as right.
    pub labels: Vec<usize>,
    pub subjects: Option<Vec<usize>>,
}

/// How much an example of each class weighs.
pub(super) fn class_weights(kind: ClassWeights, examples: &Examples, n_classes: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; n_classes];
    for &label in &examples.labels {
        counts[label] += 1;
    }
    match kind {
        ClassWeights::Equal => vec![1.0; n_classes],
        // A class without an example is never asked for its weight.
        ClassWeights::Balanced => counts
            .iter()
            .map(|&count| examples.len() as f64 / (n_classes * count.max(1)) as f64)
            .collect(),
    }
}

/// Windows as they are, for validation.
pub(super) fn plain<B: Backend>(
    examples: &Examples,
    indices: &[usize],
    geometry: Geometry,
    weights: &[f64],
    device: &B::Device,
) -> Batch<B> {
    let mut windows = Vec::with_capacity(indices.len() * geometry.n_channels * geometry.n_samples);
    let mut targets = vec![0.0_f32; indices.len() * geometry.n_classes];
    for (row, &index) in indices.iter().enumerate() {
        windows.extend_from_slice(window(examples, index, geometry));
        let label = examples.labels[index];
        targets[row * geometry.n_classes + label] = weights[label] as f32;
    }
    let labels = indices.iter().map(|&index| examples.labels[index]).collect();
    assemble(examples, indices, geometry, windows, &targets, labels, device)
}

/// Windows augmented, for learning.
pub(super) fn augmented<B: Backend>(
    task: &Task,
    examples: &Examples,
    indices: &[usize],
    augmenter: &Augmenter,
    weights: &[f64],
    random: &mut Random,
    device: &B::Device,
) -> Batch<B> {
    let geometry = task.geometry;
    let size = geometry.n_channels * geometry.n_samples;
    let n = indices.len();
    let mut windows = Vec::with_capacity(n * size);
    let mut labels = Vec::with_capacity(n);
    for &index in indices {
        let (seen, label) =
            augmenter.augment(window(examples, index, geometry), examples.labels[index], random);
        windows.extend(seen);
        labels.push(label);
    }
    let mut targets = vec![0.0_f32; n * geometry.n_classes];
    for (row, &label) in labels.iter().enumerate() {
        targets[row * geometry.n_classes + label] = weights[label] as f32;
    }
    if let Some((part, partners)) = augmenter.mixture(n, random) {
        windows = mixed(&windows, size, part as f32, &partners);
        targets = mixed(&targets, geometry.n_classes, part as f32, &partners);
    }
    let mut batch = assemble(examples, indices, geometry, windows, &targets, labels, device);
    for subject in batch.subjects.iter_mut().flatten() {
        *subject = augmenter.subject(*subject, random);
    }
    batch
}

fn window(examples: &Examples, index: usize, geometry: Geometry) -> &[f32] {
    let size = geometry.n_channels * geometry.n_samples;
    &examples.windows[index * size..][..size]
}

fn assemble<B: Backend>(
    examples: &Examples,
    indices: &[usize],
    geometry: Geometry,
    windows: Vec<f32>,
    targets: &[f32],
    labels: Vec<usize>,
    device: &B::Device,
) -> Batch<B> {
    let Geometry { n_channels, n_samples, n_classes } = geometry;
    let n = indices.len();
    let tensor = TensorData::new(windows, [n, n_channels, n_samples]);
    Batch {
        windows: Tensor::from_data(tensor, device),
        targets: Tensor::from_data(TensorData::new(targets.to_vec(), [n, n_classes]), device),
        total: targets.iter().map(|&value| f64::from(value)).sum(),
        labels,
        subjects: examples
            .subjects
            .as_ref()
            .map(|subjects| indices.iter().map(|&index| subjects[index]).collect()),
    }
}

/// `part` of each row, and the rest of its partner's.
fn mixed(rows: &[f32], size: usize, part: f32, partners: &[usize]) -> Vec<f32> {
    let row = |k: usize| &rows[k * size..][..size];
    partners
        .iter()
        .enumerate()
        .flat_map(|(k, &partner)| {
            row(k).iter().zip(row(partner)).map(move |(a, b)| part * a + (1.0 - part) * b)
        })
        .collect()
}
