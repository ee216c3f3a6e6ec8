//! BaseNet: a decision for every few samples from one pass over a long window.
//!
//! Up to its last pooling nothing depends on where a window begins, but for the zeros at
//! the ends of the stretch. That pooling averages `window_samples` values every
//! `stride_samples`, and each average is classified: a long stretch is learned from, and
//! decided about, as a stream of windows.
//!
//! # Reference
//! M. Wimpff, L. Gizzi, J. Zerfowski, B. Yang: EEG motor imagery decoding: a framework
//! for comparative analysis with channel attention mechanisms (2023), arXiv:2310.11198,
//! for the network. M. Wimpff, J. Zerfowski, B. Yang: Tailoring deep learning for
//! real-time brain-computer interfaces (2025), arXiv:2507.06779, for the stream. Layers
//! are those of braindecode's `AttentionBaseNet` without attention, whose
//! first pooling is of one sample and whose last layer is applied to each average.

use super::cost::{Cost, Length, check_counts, check_probabilities};
use super::eegnet::{mix, separable};
use super::filter_bank::{BankShape, FilterBank};
use super::layers::{BatchNorm, Builder, Linear, Pass, dropout, elu, mean_pool};
use super::{Geometry, NetError};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

/// Our names and braindecode's.
pub(super) const TORCH_NAMES: &[(&str, &str)] = &[
    ("bank.temporal", "input_block.temporal_conv.weight"),
    ("bank.norm.", "input_block.intermediate_bn."),
    ("bank.spatial", "input_block.spatial_conv.weight"),
    ("norm_1.", "input_block.bn."),
    ("reduce", "channel_expansion.0.weight"),
    ("norm_2.", "channel_expansion.1."),
    ("depthwise", "channel_attention_block.conv.0.weight"),
    ("pointwise", "channel_attention_block.conv.1.weight"),
    ("norm_3.", "channel_attention_block.conv.2."),
    ("head.", "final_layer.1."),
];
const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;

/// The numbers of a BaseNet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BasenetConfig {
    /// Temporal filters, with a spatial filter each.
    pub n_filters: usize,
    /// Samples of a temporal filter.
    pub filter_samples: usize,
    /// Features that the filters are reduced to.
    pub n_features: usize,
    /// Samples of the separable convolution.
    pub separable_samples: usize,
    /// Samples averaged for a decision: a second at 256 Hz.
    pub window_samples: usize,
    /// Samples from one decision to the next.
    pub stride_samples: usize,
    /// Part of the values dropped while learning.
    pub drop_probability: f64,
}

impl Default for BasenetConfig {
    fn default() -> Self {
        Self {
            n_filters: 40,
            filter_samples: 25,
            n_features: 16,
            separable_samples: 15,
            window_samples: 256,
            stride_samples: 16,
            drop_probability: 0.5,
        }
    }
}

/// A BaseNet with its weights.
#[derive(Module, Debug)]
pub struct Basenet<B: Backend> {
    bank: FilterBank<B>,
    norm_1: BatchNorm<B>,
    /// `(n_features, n_filters, 1, 1)`.
    reduce: Param<Tensor<B, 4>>,
    norm_2: BatchNorm<B>,
    /// `(n_features, 1, 1, separable_samples)`.
    depthwise: Param<Tensor<B, 4>>,
    /// `(n_features, n_features, 1, 1)`.
    pointwise: Param<Tensor<B, 4>>,
    norm_3: BatchNorm<B>,
    head: Linear<B>,
    pool: [usize; 2],
    drop_probability: f64,
}

impl BasenetConfig {
    /// Lengths after the filter bank, the separable convolution, and the number of
    /// decisions.
    fn lengths(&self, geometry: Geometry) -> Result<[usize; 3], NetError> {
        let half = self.filter_samples / 2;
        let filtered = Length::of(geometry)
            .padded([half, half])
            .filtered("a temporal filter", self.filter_samples)?;
        let half = self.separable_samples / 2;
        let separable = filtered
            .padded([half, half])
            .filtered("the separable convolution", self.separable_samples)?;
        let last = separable.pooled("pooling", self.window_samples, self.stride_samples)?;
        Ok([filtered.get(), separable.get(), last.get()])
    }

    pub(super) fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        check_counts(&[
            ("n_filters", self.n_filters),
            ("filter_samples", self.filter_samples),
            ("n_features", self.n_features),
            ("separable_samples", self.separable_samples),
            ("window_samples", self.window_samples),
            ("stride_samples", self.stride_samples),
        ])?;
        check_probabilities(&[("drop_probability", self.drop_probability)])?;
        let [filtered, separable, n_decisions] = self.lengths(geometry)?;
        let mut cost = Cost::default();
        let n_places = filtered.saturating_mul(geometry.n_channels);
        cost.convolution(n_places, self.n_filters, self.filter_samples);
        cost.convolution(filtered, self.n_filters, geometry.n_channels);
        cost.convolution(filtered, self.n_features, self.n_filters);
        cost.convolution(separable, self.n_features, self.separable_samples);
        cost.convolution(separable, self.n_features, self.n_features);
        cost.parameters(4 * self.n_filters + 4 * self.n_features);
        cost.linear(n_decisions, self.n_features, geometry.n_classes);
        Ok(cost)
    }

    pub(super) fn build<B: Backend>(
        &self,
        geometry: Geometry,
        builder: &mut Builder<B>,
    ) -> Basenet<B> {
        let half = self.filter_samples / 2;
        let bank = BankShape {
            n_channels: geometry.n_channels,
            n_filters: self.n_filters,
            depth: 1,
            length: self.filter_samples,
            padding: [half, half],
            max_norm: None,
            momentum: MOMENTUM,
            epsilon: EPSILON,
        };
        let n = self.n_features;
        Basenet {
            bank: bank.build(builder),
            norm_1: builder.batch_norm(self.n_filters, MOMENTUM, EPSILON),
            reduce: builder.glorot([n, self.n_filters, 1, 1]),
            norm_2: builder.batch_norm(n, MOMENTUM, EPSILON),
            depthwise: builder.glorot([n, 1, 1, self.separable_samples]),
            pointwise: builder.glorot([n, n, 1, 1]),
            norm_3: builder.batch_norm(n, MOMENTUM, EPSILON),
            head: builder.linear(n, geometry.n_classes),
            pool: [self.window_samples, self.stride_samples],
            drop_probability: self.drop_probability,
        }
    }
}

impl<B: Backend> Basenet<B> {
    /// Logits of each decision of a stretch, `(batch, n_decisions, n_classes)`.
    pub fn stream(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 3> {
        let x = elu(self.norm_1.forward(self.bank.forward(x, pass), pass));
        let x = dropout(x, self.drop_probability, pass);
        let x = elu(self.norm_2.forward(mix(x, &self.reduce), pass));
        let x = separable(x, &self.depthwise, &self.pointwise);
        let x = elu(self.norm_3.forward(x, pass));
        let x = mean_pool(x, self.pool[0], self.pool[1]);
        let x = dropout(x, self.drop_probability, pass);
        self.head.forward(x.swap_dims(1, 2))
    }

    /// The mean of a stretch's decisions: of a window as long as the pooling, its own.
    pub(super) fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 2> {
        self.stream(x, pass).mean_dim(1).squeeze_dim(1)
    }
}
