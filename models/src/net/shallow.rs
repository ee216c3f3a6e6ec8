//! ShallowConvNet: learned filters, the power of their outputs, its logarithm.
//!
//! # Reference
//! R. Schirrmeister and others: Deep learning with convolutional neural networks for EEG
//! decoding and visualization (2017), doi 10.1002/hbm.23730; layers and defaults are
//! braindecode's `ShallowFBCSPNet`.

use super::cost::{Cost, Length, check_counts, check_probabilities};
use super::eegnet::ConvHead;
use super::layers::{BatchNorm, Builder, Pass, dropout, mean_pool};
use super::{Geometry, NetError};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;
use serde::{Deserialize, Serialize};

/// Our names and braindecode's.
pub(super) const TORCH_NAMES: &[(&str, &str)] = &[
    ("filters.time", "conv_time_spat.conv_time.weight"),
    ("filters.bias", "conv_time_spat.conv_time.bias"),
    ("filters.space", "conv_time_spat.conv_spat.weight"),
    ("norm.", "bnorm."),
    ("head.", "final_layer.conv_classifier."),
];
/// Momentum and epsilon of braindecode's two convolutional networks.
pub(super) const MOMENTUM: f64 = 0.1;
pub(super) const EPSILON: f64 = 1e-5;
/// Powers below are taken for it, so that the logarithm stays finite.
const LOWEST_POWER: f64 = 1e-6;

/// The numbers of a ShallowConvNet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShallowConfig {
    /// Temporal filters.
    pub n_filters_time: usize,
    /// Spatial filters, over all temporal ones.
    pub n_filters_space: usize,
    /// Samples of a temporal filter.
    pub filter_samples: usize,
    /// Samples whose power is averaged.
    pub pool_samples: usize,
    /// Samples from one average to the next.
    pub pool_stride: usize,
    /// Part of the values dropped while learning.
    pub drop_probability: f64,
}

impl Default for ShallowConfig {
    fn default() -> Self {
        Self {
            n_filters_time: 40,
            n_filters_space: 40,
            filter_samples: 25,
            pool_samples: 75,
            pool_stride: 15,
            drop_probability: 0.5,
        }
    }
}

/// A ShallowConvNet with its weights.
#[derive(Module, Debug)]
pub struct Shallow<B: Backend> {
    filters: MergedFilters<B>,
    norm: BatchNorm<B>,
    head: ConvHead<B>,
    pool: [usize; 2],
    drop_probability: f64,
}

/// Temporal filters, then spatial filters over all of them, merged before they are used:
/// nothing lies between the two, so they are one convolution over channels and time.
#[derive(Module, Debug)]
pub struct MergedFilters<B: Backend> {
    /// `(n_time, 1, length, 1)`.
    time: Param<Tensor<B, 4>>,
    /// `(n_time,)`.
    bias: Param<Tensor<B, 1>>,
    /// `(n_space, n_time, 1, n_channels)`.
    space: Param<Tensor<B, 4>>,
}

impl<B: Backend> MergedFilters<B> {
    /// Draws the weights.
    pub fn new(
        builder: &mut Builder<B>,
        n_channels: usize,
        [n_time, n_space]: [usize; 2],
        length: usize,
    ) -> Self {
        Self {
            time: builder.glorot([n_time, 1, length, 1]),
            bias: builder.filled(0.0, [n_time]),
            space: builder.glorot([n_space, n_time, 1, n_channels]),
        }
    }

    /// `(batch, n_channels, n_samples)` to `(batch, n_space, n_samples - length + 1)`.
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let (kernel, bias) = merge(self.time.val(), self.bias.val(), self.space.val());
        conv1d(x, kernel, Some(bias), ConvOptions::new([1], [0], [1], 1))
    }
}

/// One convolution, `(n_space, n_channels, length)` with its bias, that does what `time`
/// with its bias `shift` and `space` do one after the other. `time` may hold its length in either of its last
/// two axes, `space` its channels.
pub(super) fn merge<B: Backend>(
    time: Tensor<B, 4>,
    shift: Tensor<B, 1>,
    space: Tensor<B, 4>,
) -> (Tensor<B, 3>, Tensor<B, 1>) {
    let [n_time, _, a, b] = time.dims();
    let [n_space, _, c, d] = space.dims();
    let (length, n_channels) = (a * b, c * d);
    let space = space.reshape([n_space, n_time, n_channels]);
    let bias = space.clone().sum_dim(2).reshape([n_space, n_time]);
    let bias = bias.matmul(shift.reshape([n_time, 1])).reshape([n_space]);
    let time = time.reshape([1, n_time, length]).expand([n_space, n_time, length]);
    (space.swap_dims(1, 2).matmul(time), bias)
}

impl ShallowConfig {
    fn lengths(&self, geometry: Geometry) -> Result<[usize; 2], NetError> {
        let filtered = Length::of(geometry).filtered("a temporal filter", self.filter_samples)?;
        let last = filtered.pooled("pooling", self.pool_samples, self.pool_stride)?;
        Ok([filtered.get(), last.get()])
    }

    pub(super) fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        check_counts(&[
            ("n_filters_time", self.n_filters_time),
            ("n_filters_space", self.n_filters_space),
            ("filter_samples", self.filter_samples),
            ("pool_samples", self.pool_samples),
            ("pool_stride", self.pool_stride),
        ])?;
        check_probabilities(&[("drop_probability", self.drop_probability)])?;
        let [filtered, last] = self.lengths(geometry)?;
        let filters = [self.n_filters_time, self.n_filters_space];
        let mut cost = merged_cost(geometry, filters, self.filter_samples, filtered);
        cost.parameters(2 * self.n_filters_space);
        cost.linear(1, self.n_filters_space * last, geometry.n_classes);
        Ok(cost)
    }

    pub(super) fn build<B: Backend>(
        &self,
        geometry: Geometry,
        builder: &mut Builder<B>,
    ) -> Result<Shallow<B>, NetError> {
        let [_, last] = self.lengths(geometry)?;
        let filters = [self.n_filters_time, self.n_filters_space];
        Ok(Shallow {
            filters: MergedFilters::new(builder, geometry.n_channels, filters, self.filter_samples),
            norm: builder.batch_norm(self.n_filters_space, MOMENTUM, EPSILON),
            head: ConvHead::new(builder, [geometry.n_classes, self.n_filters_space, last, 1]),
            pool: [self.pool_samples, self.pool_stride],
            drop_probability: self.drop_probability,
        })
    }
}

/// Merged filters with `n_places` outputs: one convolution's work, two filters' numbers.
pub(super) fn merged_cost(
    geometry: Geometry,
    [n_time, n_space]: [usize; 2],
    length: usize,
    n_places: usize,
) -> Cost {
    let mut cost = Cost::default();
    cost.convolution(n_places, n_space, length.saturating_mul(geometry.n_channels));
    cost.n_parameters = 0;
    cost.parameters(n_time.saturating_mul(length + 1));
    cost.parameters(n_space.saturating_mul(n_time).saturating_mul(geometry.n_channels));
    cost
}

impl<B: Backend> Shallow<B> {
    pub(super) fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 2> {
        let x = self.norm.forward(self.filters.forward(x), pass).square();
        let power = mean_pool(x, self.pool[0], self.pool[1]);
        let x = power.clamp_min(LOWEST_POWER).log();
        self.head.forward(dropout(x, self.drop_probability, pass))
    }
}
