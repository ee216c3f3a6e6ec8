//! Temporal filters, each followed by spatial filters of its own: how EEGNet begins, and
//! what CTNet and BaseNet took over.

use super::layers::{BatchNorm, Builder, Pass, renorm};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::{conv1d, conv2d};
use burn::tensor::ops::{ConvOptions, PadMode};

/// `n_filters` temporal filters, batch normalisation, and `depth` spatial filters for each.
///
/// While learning, every channel is filtered and normalised, then channels are mixed. All
/// of this is linear once the statistics are fixed, so a decision mixes channels first:
/// the same values for `n_channels / depth` times less work.
#[derive(Module, Debug)]
pub struct FilterBank<B: Backend> {
    /// `(n_filters, 1, 1, length)`.
    pub temporal: Param<Tensor<B, 4>>,
    /// Of `n_filters` features.
    pub norm: BatchNorm<B>,
    /// `(n_filters * depth, 1, n_channels, 1)`.
    pub spatial: Param<Tensor<B, 4>>,
    /// Zeros before and after.
    padding: [usize; 2],
    /// Largest norm of a spatial filter.
    max_norm: Option<f64>,
}

/// What a filter bank is built from.
#[derive(Clone, Copy, Debug)]
pub struct BankShape {
    /// Channels of the input.
    pub n_channels: usize,
    /// Temporal filters.
    pub n_filters: usize,
    /// Spatial filters for each temporal one.
    pub depth: usize,
    /// Samples of a temporal filter.
    pub length: usize,
    /// Zeros before and after the window.
    pub padding: [usize; 2],
    /// Largest norm of a spatial filter.
    pub max_norm: Option<f64>,
    /// Momentum of the running statistics.
    pub momentum: f64,
    /// Epsilon of the normalisation.
    pub epsilon: f64,
}

/// Zeros that keep the length: one more behind than before where the filter is even.
pub fn same_padding(length: usize) -> [usize; 2] {
    [(length - 1) / 2, length / 2]
}

impl BankShape {
    /// Draws the weights.
    pub fn build<B: Backend>(self, builder: &mut Builder<B>) -> FilterBank<B> {
        FilterBank {
            temporal: builder.glorot([self.n_filters, 1, 1, self.length]),
            norm: builder.batch_norm(self.n_filters, self.momentum, self.epsilon),
            spatial: builder.glorot([self.n_filters * self.depth, 1, self.n_channels, 1]),
            padding: self.padding,
            max_norm: self.max_norm,
        }
    }
}

impl<B: Backend> FilterBank<B> {
    /// `(batch, n_channels, n_samples)` to `(batch, n_filters * depth, n_padded - length + 1)`.
    pub fn forward(&self, x: Tensor<B, 3>, pass: &Pass) -> Tensor<B, 3> {
        match pass {
            Pass::Infer => self.mix_first(x),
            Pass::Train(_) => self.filter_first(x, pass),
        }
    }

    fn filter_first(&self, x: Tensor<B, 3>, pass: &Pass) -> Tensor<B, 3> {
        let [n_batch, n_channels, n_samples] = x.dims();
        let [n_filters, ..] = self.temporal.dims();
        // Channels are rows of one image; padding is symmetric but for one sample.
        let padded = pad(x, self.padding);
        let n_padded = padded.dims()[2];
        let x = padded.reshape([n_batch, 1, n_channels, n_padded]);
        let no_options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let filtered = conv2d(x, self.temporal.val(), None, no_options);
        let n_out = filtered.dims()[3];
        debug_assert!(n_out <= n_samples + 1, "padding never adds more than a sample");
        let flat = filtered.reshape([n_batch, n_filters, n_channels * n_out]);
        let normed = self.norm.forward(flat, pass);
        let normed = normed.reshape([n_batch, n_filters, n_channels, n_out]);
        // (1, n_filters, depth, n_channels) x (batch, n_filters, n_channels, n_out)
        let rows = self.spatial_rows();
        let depth = rows.dims()[0] / n_filters;
        let mixing = rows.reshape([1, n_filters, depth, n_channels]);
        let mixing = mixing.expand([n_batch, n_filters, depth, n_channels]);
        mixing.matmul(normed).reshape([n_batch, n_filters * depth, n_out])
    }

    fn mix_first(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [n_batch, ..] = x.dims();
        let [n_filters, _, _, length] = self.temporal.dims();
        let rows = self.spatial_rows();
        let [n_out, n_channels] = rows.dims();
        let depth = n_out / n_filters;
        let (scale, shift) = self.norm.scale_and_shift();
        let each =
            |v: Tensor<B, 1>| v.reshape([n_filters, 1]).repeat_dim(1, depth).reshape([n_out]);
        let shift = each(shift) * rows.clone().sum_dim(1).reshape([n_out]);
        let kernel = self.temporal.val().reshape([n_filters, length]);
        let kernel = kernel * scale.reshape([n_filters, 1]);
        let kernel = kernel.reshape([n_filters, 1, length]).repeat_dim(1, depth);
        let kernel = kernel.reshape([n_out, 1, length]);
        let mixed = rows.reshape([1, n_out, n_channels]);
        let mixed = mixed.expand([n_batch, n_out, n_channels]).matmul(x);
        let options = ConvOptions::new([1], [0], [1], n_out);
        conv1d(pad(mixed, self.padding), kernel, Some(shift), options)
    }

    /// Spatial filters as rows, `(n_filters * depth, n_channels)`.
    fn spatial_rows(&self) -> Tensor<B, 2> {
        let [n_out, _, n_channels, _] = self.spatial.dims();
        let rows = self.spatial.val().reshape([n_out, n_channels]);
        match self.max_norm {
            Some(max_norm) => renorm(rows, max_norm),
            None => rows,
        }
    }
}

/// Zeros before and after the last axis.
pub fn pad<B: Backend>(x: Tensor<B, 3>, [before, after]: [usize; 2]) -> Tensor<B, 3> {
    if before == 0 && after == 0 {
        return x;
    }
    x.pad((before, after, 0, 0), PadMode::Constant(0.0))
}
