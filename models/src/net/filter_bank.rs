//! Temporal filters, each followed by spatial filters of its own: how EEGNet begins, and
//! what CTNet and BaseNet took over.

mod moments;

use self::moments::Moments;
use super::layers::{BatchNorm, Builder, Pass, renorm};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::conv1d;
use burn::tensor::ops::{ConvOptions, PadMode};

/// `n_filters` temporal filters, batch normalisation, and `depth` spatial filters for each.
///
/// All of this is linear once the statistics are fixed, so channels are mixed first and
/// the mixtures are filtered: the same values for `n_channels / depth` times less work.
/// While learning, the statistics of what the filters would make of every channel are
/// those of [`Moments`], which are had without filtering.
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
        let [n_batch, ..] = x.dims();
        let [n_filters, _, _, length] = self.temporal.dims();
        let kernel = self.temporal.val().reshape([n_filters, length]);
        let (scale, shift) = match pass {
            Pass::Infer => self.norm.scale_and_shift(),
            Pass::Train(_) => {
                let moments = Moments::of(pad(x.clone(), self.padding), length);
                let (mean, var) = moments.behind(kernel.clone());
                self.norm.learn(mean, var, moments.n())
            }
        };
        let rows = self.spatial_rows();
        let [n_out, n_channels] = rows.dims();
        let depth = n_out / n_filters;
        let each =
            |v: Tensor<B, 1>| v.reshape([n_filters, 1]).repeat_dim(1, depth).reshape([n_out]);
        let shift = each(shift) * rows.clone().sum_dim(1).reshape([n_out]);
        let kernel = (kernel * scale.reshape([n_filters, 1])).reshape([n_filters, 1, length]);
        let kernel = kernel.repeat_dim(1, depth).reshape([n_out, 1, length]);
        let mixing = rows.reshape([1, n_out, n_channels]).expand([n_batch, n_out, n_channels]);
        let mixed = pad(mixing.matmul(x), self.padding);
        conv1d(mixed, kernel, Some(shift), ConvOptions::new([1], [0], [1], n_out))
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
