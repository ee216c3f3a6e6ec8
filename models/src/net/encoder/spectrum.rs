//! Log-power spectra of windows of several patches, added to each patch's token.

use crate::net::layers::Linear;
use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use std::f64::consts::TAU;

/// Power below is taken for it, so that the logarithm stays finite. The unit is that of
/// the input, squared.
const LOWEST_POWER: f64 = 1e-6;

/// The spectrum of windows of `scale` patches, one after the other.
///
/// `ln((re^2 + im^2) / n + 1e-6)` at the lowest frequencies but 0, where `n` is the
/// window's length and `re`, `im` its discrete Fourier transform under a Hann window. A
/// patch sees the window it lies in; patches behind the last whole window see that one.
#[derive(Module, Debug)]
pub(super) struct Spectrum<B: Backend> {
    /// Cosines, then sines, `(n, 2 n_bins)`.
    basis: Tensor<B, 2>,
    /// Which window each patch sees, `(n_patches,)`.
    window_of_patch: Tensor<B, 1, Int>,
    to_token: Linear<B>,
    n_windows: usize,
}

impl<B: Backend> Spectrum<B> {
    /// `to_token` makes a token of `n_bins` numbers.
    pub fn new(
        scale: usize,
        patch_samples: usize,
        n_patches: usize,
        to_token: Linear<B>,
        device: &B::Device,
    ) -> Self {
        let n = scale * patch_samples;
        let [_, n_bins] = to_token.weight.dims();
        let values: Vec<f32> = (0..n)
            .flat_map(|t| {
                let hann = 0.5 - 0.5 * (TAU * t as f64 / n as f64).cos();
                // The phase is reduced first, which keeps it exact.
                let phase = move |bin: usize| TAU * ((bin * t) % n) as f64 / n as f64;
                let cos = (1..=n_bins).map(move |bin| hann * phase(bin).cos());
                cos.chain((1..=n_bins).map(move |bin| hann * phase(bin).sin()))
            })
            .map(|value| value as f32)
            .collect();
        let n_windows = n_patches / scale;
        let seen: Vec<i32> =
            (0..n_patches).map(|patch| (patch / scale).min(n_windows - 1) as i32).collect();
        Self {
            basis: Tensor::from_data(TensorData::new(values, [n, 2 * n_bins]), device),
            window_of_patch: Tensor::from_data(TensorData::new(seen, [n_patches]), device),
            to_token,
            n_windows,
        }
    }

    /// `(batch, n_sensors, n_patches, patch_samples)` to
    /// `(batch, n_sensors, n_patches, token_size)`.
    pub fn forward(&self, patches: Tensor<B, 4>) -> Tensor<B, 4> {
        let [n_batch, n_sensors, n_patches, patch_samples] = patches.dims();
        let [n, n_columns] = self.basis.dims();
        let n_used = self.n_windows * n / patch_samples;
        debug_assert!(n_used <= n_patches, "whole windows alone have a spectrum");
        let rows = n_batch * n_sensors * self.n_windows;
        let windows = patches.narrow(2, 0, n_used).reshape([rows, n]);
        let parts = windows.matmul(self.basis.clone()).square();
        let n_bins = n_columns / 2;
        let power = parts.clone().narrow(1, 0, n_bins) + parts.narrow(1, n_bins, n_bins);
        let level = (power / n as f64 + LOWEST_POWER).log();
        let tokens = self.to_token.forward(level);
        let size = tokens.dims()[1];
        let tokens = tokens.reshape([n_batch, n_sensors, self.n_windows, size]);
        tokens.select(2, self.window_of_patch.clone())
    }
}
