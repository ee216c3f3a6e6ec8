//! EEGNet: temporal filters, spatial filters for each, a separable convolution.
//!
//! # Reference
//! V. Lawhern, A. Solon, N. Waytowich, S. Gordon, C. Hung, B. Lance: EEGNet (2018),
//! doi 10.1088/1741-2552/aace8c; layers and defaults are braindecode's.

use super::cost::{Cost, Length, check_counts, check_positive, check_probabilities};
use super::filter_bank::{BankShape, FilterBank};
use super::layers::{BatchNorm, Builder, Pass, dropout, elu, mean_pool};
use super::{Geometry, NetError};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;
use serde::{Deserialize, Serialize};

/// Our names and braindecode's.
pub(super) const TORCH_NAMES: &[(&str, &str)] = &[
    ("bank.temporal", "conv_temporal.weight"),
    ("bank.norm.", "bnorm_temporal."),
    ("bank.spatial", "conv_spatial.parametrizations.weight.original"),
    ("norm_1.", "bnorm_1."),
    ("depthwise", "conv_separable_depth.weight"),
    ("pointwise", "conv_separable_point.weight"),
    ("norm_2.", "bnorm_2."),
    ("head.", "final_layer.conv_classifier."),
];
/// Momentum and epsilon of braindecode's EEGNet.
const MOMENTUM: f64 = 0.01;
const EPSILON: f64 = 1e-3;

/// The numbers of an EEGNet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EegnetConfig {
    /// Temporal filters, `F1`.
    pub n_filters: usize,
    /// Spatial filters for each temporal one, `D`.
    pub depth: usize,
    /// Outputs of the separable convolution, `F2`.
    pub n_filters_separable: usize,
    /// Samples of a temporal filter: half a second at 128 Hz.
    pub filter_samples: usize,
    /// Samples of the separable convolution, after the first pooling.
    pub separable_samples: usize,
    /// Values averaged by the first pooling.
    pub pool_1: usize,
    /// Values averaged by the second.
    pub pool_2: usize,
    /// Largest norm of a spatial filter.
    pub spatial_max_norm: f64,
    /// Part of the values dropped while learning.
    pub drop_probability: f64,
}

impl Default for EegnetConfig {
    /// EEGNet-8,2.
    fn default() -> Self {
        Self {
            n_filters: 8,
            depth: 2,
            n_filters_separable: 16,
            filter_samples: 64,
            separable_samples: 16,
            pool_1: 4,
            pool_2: 8,
            spatial_max_norm: 1.0,
            drop_probability: 0.25,
        }
    }
}

/// An EEGNet with its weights.
#[derive(Module, Debug)]
pub struct Eegnet<B: Backend> {
    bank: FilterBank<B>,
    norm_1: BatchNorm<B>,
    /// `(n, 1, 1, separable_samples)`.
    depthwise: Param<Tensor<B, 4>>,
    /// `(n_filters_separable, n, 1, 1)`.
    pointwise: Param<Tensor<B, 4>>,
    norm_2: BatchNorm<B>,
    head: ConvHead<B>,
    pools: [usize; 2],
    drop_probability: f64,
}

/// A classifier whose weight is a convolution over everything that is left.
#[derive(Module, Debug)]
pub struct ConvHead<B: Backend> {
    /// `(n_classes, n_features, ..)`: one axis of the last two is time, the other is 1.
    weight: Param<Tensor<B, 4>>,
    /// `(n_classes,)`.
    bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> ConvHead<B> {
    /// Draws the weights.
    pub fn new(builder: &mut Builder<B>, shape: [usize; 4]) -> Self {
        Self { weight: builder.glorot(shape), bias: builder.filled(0.0, [shape[0]]) }
    }

    /// `(batch, n_features, n_samples)` to `(batch, n_classes)`.
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 2> {
        let [n_classes, n_features, a, b] = self.weight.dims();
        let rows = self.weight.val().reshape([n_classes, n_features * a * b]);
        let x: Tensor<B, 2> = x.flatten(1, 2);
        x.matmul(rows.transpose()) + self.bias.val().reshape([1, n_classes])
    }
}

impl EegnetConfig {
    fn n_spatial(&self) -> usize {
        self.n_filters.saturating_mul(self.depth)
    }

    /// Lengths after the filter bank, the separable convolution, and all.
    fn lengths(&self, geometry: Geometry) -> Result<[usize; 3], NetError> {
        let half = self.filter_samples / 2;
        let filtered = Length::of(geometry)
            .padded([half, half])
            .filtered("a temporal filter", self.filter_samples)?;
        let half = self.separable_samples / 2;
        let separable = filtered
            .pooled("the first pooling", self.pool_1, self.pool_1)?
            .padded([half, half])
            .filtered("the separable convolution", self.separable_samples)?;
        let last = separable.pooled("the second pooling", self.pool_2, self.pool_2)?;
        Ok([filtered.get(), separable.get(), last.get()])
    }

    fn check(&self) -> Result<(), NetError> {
        check_counts(&[
            ("n_filters", self.n_filters),
            ("depth", self.depth),
            ("n_filters_separable", self.n_filters_separable),
            ("filter_samples", self.filter_samples),
            ("separable_samples", self.separable_samples),
            ("pool_1", self.pool_1),
            ("pool_2", self.pool_2),
        ])?;
        check_positive(&[("spatial_max_norm", self.spatial_max_norm)])?;
        check_probabilities(&[("drop_probability", self.drop_probability)])
    }

    pub(super) fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        self.check()?;
        let [filtered, separable, last] = self.lengths(geometry)?;
        let n = self.n_spatial();
        let mut cost = Cost::default();
        let n_places = filtered.saturating_mul(geometry.n_channels);
        cost.convolution(n_places, self.n_filters, self.filter_samples);
        cost.convolution(filtered, n, geometry.n_channels);
        cost.convolution(separable, n, self.separable_samples);
        cost.convolution(separable, self.n_filters_separable, n);
        cost.parameters(2 * (self.n_filters + n + self.n_filters_separable));
        cost.linear(1, self.n_filters_separable * last, geometry.n_classes);
        Ok(cost)
    }

    pub(super) fn build<B: Backend>(
        &self,
        geometry: Geometry,
        builder: &mut Builder<B>,
    ) -> Result<Eegnet<B>, NetError> {
        let [_, _, last] = self.lengths(geometry)?;
        let n = self.n_spatial();
        let half = self.filter_samples / 2;
        let bank = BankShape {
            n_channels: geometry.n_channels,
            n_filters: self.n_filters,
            depth: self.depth,
            length: self.filter_samples,
            padding: [half, half],
            max_norm: Some(self.spatial_max_norm),
            momentum: MOMENTUM,
            epsilon: EPSILON,
        };
        Ok(Eegnet {
            bank: bank.build(builder),
            norm_1: builder.batch_norm(n, MOMENTUM, EPSILON),
            depthwise: builder.glorot([n, 1, 1, self.separable_samples]),
            pointwise: builder.glorot([self.n_filters_separable, n, 1, 1]),
            norm_2: builder.batch_norm(self.n_filters_separable, MOMENTUM, EPSILON),
            head: ConvHead::new(builder, [geometry.n_classes, self.n_filters_separable, 1, last]),
            pools: [self.pool_1, self.pool_2],
            drop_probability: self.drop_probability,
        })
    }
}

impl<B: Backend> Eegnet<B> {
    pub(super) fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 2> {
        let x = self.bank.forward(x, pass);
        let x = elu(self.norm_1.forward(x, pass));
        let x = mean_pool(x, self.pools[0], self.pools[0]);
        let x = dropout(x, self.drop_probability, pass);
        let x = separable(x, &self.depthwise, &self.pointwise);
        let x = elu(self.norm_2.forward(x, pass));
        let x = mean_pool(x, self.pools[1], self.pools[1]);
        self.head.forward(dropout(x, self.drop_probability, pass))
    }
}

/// A filter for each feature, then a mixture of features, with half a filter of zeros on
/// both sides: `(batch, n, n_samples)` to `(batch, n_out, n_samples)`, one longer where
/// the filter is even.
pub(super) fn separable<B: Backend>(
    x: Tensor<B, 3>,
    depthwise: &Param<Tensor<B, 4>>,
    pointwise: &Param<Tensor<B, 4>>,
) -> Tensor<B, 3> {
    let [n, _, _, length] = depthwise.dims();
    let kernel = depthwise.val().reshape([n, 1, length]);
    let options = ConvOptions::new([1], [length / 2], [1], n);
    mix(conv1d(x, kernel, None, options), pointwise)
}

/// A mixture of features: `(batch, n, n_samples)` to `(batch, n_out, n_samples)`.
pub(super) fn mix<B: Backend>(x: Tensor<B, 3>, pointwise: &Param<Tensor<B, 4>>) -> Tensor<B, 3> {
    let [n_out, n, ..] = pointwise.dims();
    let options = ConvOptions::new([1], [0], [1], 1);
    conv1d(x, pointwise.val().reshape([n_out, n, 1]), None, options)
}
