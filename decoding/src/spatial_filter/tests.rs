//! What the tests of the filters share: windows, made or read.

use crate::classifier::tests::Normal;
use crate::window::Planar;
use acquisition::marker::ClassIdx;
use faer::Mat;
use serde::Deserialize;

/// Samples of a window, channel after channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Vec<Vec<f64>>")]
pub(super) struct Samples {
    pub(super) data: Vec<f64>,
    pub(super) n_channels: usize,
}

impl From<Vec<Vec<f64>>> for Samples {
    fn from(rows: Vec<Vec<f64>>) -> Self {
        Self { n_channels: rows.len(), data: rows.concat() }
    }
}

impl Samples {
    pub(super) fn planar(&self) -> Planar<'_> {
        let n_samples = self.data.len() / self.n_channels;
        Planar::new(&self.data, self.n_channels, n_samples, n_samples)
    }

    /// The window after its channels were mixed, `mixing` `(n_mixed, n_channels)`.
    pub(super) fn mixed(&self, mixing: &Mat<f64>) -> Self {
        let mixed = mixing * self.planar().as_mat();
        let data = mixed.row_iter().flat_map(|row| row.iter().copied().collect::<Vec<_>>());
        Self { data: data.collect(), n_channels: mixing.nrows() }
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        Self { data: self.data.iter().map(|x| factor * x).collect(), ..*self }
    }
}

pub(super) fn planar(windows: &[Samples]) -> Vec<Planar<'_>> {
    windows.iter().map(Samples::planar).collect()
}

/// Noise in which the class, in turn, adds a slow wave of its own to one channel.
pub(super) fn responses(
    seed: u64,
    (n_channels, n_samples): (usize, usize),
    n: usize,
    n_classes: usize,
) -> (Vec<Samples>, Vec<ClassIdx>) {
    let mut normal = Normal::new(seed);
    let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % n_classes) as u8)).collect();
    let window = |label: &ClassIdx| {
        let data = (0..n_channels * n_samples).map(|i| {
            let (channel, t) = (i / n_samples, (i % n_samples) as f64 / n_samples as f64);
            let wave = (std::f64::consts::TAU * (label.index() + 1) as f64 * t).sin();
            let gain = if channel == label.index() % n_channels { 1.5 } else { 0.0 };
            normal.draw() + gain * wave
        });
        Samples { data: data.collect(), n_channels }
    };
    (labels.iter().map(window).collect(), labels)
}

/// A mixing far from singular.
pub(super) fn mixing(seed: u64, n: usize) -> Mat<f64> {
    let mut normal = Normal::new(seed);
    Mat::from_fn(n, n, |i, j| 0.4 * normal.draw() + if i == j { 3.0 } else { 0.0 })
}

/// Elements row after row.
pub(super) fn flat(matrix: &Mat<f64>) -> Vec<f64> {
    matrix.row_iter().flat_map(|row| row.iter().copied().collect::<Vec<_>>()).collect()
}
