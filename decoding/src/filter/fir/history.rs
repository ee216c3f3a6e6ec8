//! The newest frames of a stream as one slice, and their weighted sum.
#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

use crate::filter::lanes::{load, store};
use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f64x2};

/// Vectors of channels that are summed together: so many sums in flight keep the
/// arithmetic units busy.
const VECTORS: usize = 4;

/// The newest `keep` frames, one after the other, oldest first: a linear buffer of twice
/// as many that is copied down when it is full.
#[derive(Clone, Debug)]
pub struct History {
    n_channels: usize,
    keep: usize,
    data: Vec<f64>,
    /// Frames in `data`, at least `keep`.
    len: usize,
}

impl History {
    /// Zeros.
    ///
    /// # Panics
    /// If it is to keep no frame.
    pub fn new(keep: usize, n_channels: usize) -> Self {
        assert!(keep > 0, "a history without frames");
        Self { n_channels, keep, data: vec![0.0; 2 * keep * n_channels], len: keep }
    }

    /// Number of values in a frame.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Zeros again.
    pub fn reset(&mut self) {
        self.data.fill(0.0);
        self.len = self.keep;
    }

    /// As if `frame` had been pushed for ever.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn fill(&mut self, frame: &[f64]) {
        assert_eq!(frame.len(), self.n_channels, "frame of another stream");
        if frame.is_empty() {
            return;
        }
        for row in self.data.chunks_exact_mut(self.n_channels) {
            row.copy_from_slice(frame);
        }
        self.len = self.keep;
    }

    /// Appends a frame; the oldest is forgotten.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn push(&mut self, frame: &[f64]) {
        assert_eq!(frame.len(), self.n_channels, "frame of another stream");
        if self.len == 2 * self.keep {
            // The oldest kept frame is about to be forgotten: one less is copied.
            let from = (self.keep + 1) * self.n_channels;
            self.data.copy_within(from.., 0);
            self.len = self.keep - 1;
        }
        self.data[self.len * self.n_channels..][..self.n_channels].copy_from_slice(frame);
        self.len += 1;
    }

    /// `out[channel] = Σ_k weights[k] frame_k[channel]` over the newest frames, as many as
    /// there are weights, oldest first.
    ///
    /// # Panics
    /// If there are more weights than frames are kept, or `out` has not `n_channels` values.
    pub fn weigh(&self, weights: &[f64], out: &mut [f64]) {
        assert!(weights.len() <= self.keep, "a frame that was forgotten");
        assert_eq!(out.len(), self.n_channels, "frame of another stream");
        let from = (self.len - weights.len()) * self.n_channels;
        let rows = &self.data[from..self.len * self.n_channels];
        dispatch!(Level::new(), simd => weigh(simd, weights, rows, out));
    }
}

#[inline(always)]
fn weigh<S: Simd>(simd: S, weights: &[f64], rows: &[f64], out: &mut [f64]) {
    let mut at = 0;
    at = blocks::<S, S::f64s, VECTORS>(simd, weights, rows, out, at);
    at = blocks::<S, S::f64s, 1>(simd, weights, rows, out, at);
    at = blocks::<S, f64x2<S>, 1>(simd, weights, rows, out, at);
    if at < out.len() {
        let n = out.len() - at;
        block::<S, f64x2<S>, 1>(simd, weights, rows, out, at, n);
    }
}

/// All whole blocks of `V` vectors from channel `at` on; the channel after them.
#[inline(always)]
fn blocks<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
    simd: S,
    weights: &[f64],
    rows: &[f64],
    out: &mut [f64],
    mut at: usize,
) -> usize {
    let n = V * F::LEN;
    while at + n <= out.len() {
        block::<S, F, V>(simd, weights, rows, out, at, n);
        at += n;
    }
    at
}

/// The sums of `n` channels from `at` on: `V` vectors, or less than one.
#[inline(always)]
fn block<S: Simd, F: SimdFloat<S, Element = f64>, const V: usize>(
    simd: S,
    weights: &[f64],
    rows: &[f64],
    out: &mut [f64],
    at: usize,
    n: usize,
) {
    let mut sums = [F::splat(simd, 0.0); V];
    for (weight, row) in weights.iter().zip(rows.chunks_exact(out.len())) {
        let weight = F::splat(simd, *weight);
        let x = load::<S, F, V>(simd, &row[at..][..n]);
        for v in 0..V {
            sums[v] += weight * x[v];
        }
    }
    store::<S, F, V>(&mut out[at..][..n], sums);
}
