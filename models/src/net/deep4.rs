//! Deep4: four blocks of convolution and maximum pooling.
//!
//! # Reference
//! R. Schirrmeister and others: Deep learning with convolutional neural networks for EEG
//! decoding and visualization (2017), doi 10.1002/hbm.23730; layers and defaults are
//! braindecode's `Deep4Net`, which for windows that are too short shrinks its filters,
//! while this is an error here.

use super::cost::{Cost, Length, check_counts, check_probabilities};
use super::eegnet::ConvHead;
use super::layers::{BatchNorm, Builder, Pass, dropout, elu, max_pool};
use super::shallow::{EPSILON, MOMENTUM, MergedFilters, merged_cost};
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
    ("block_2.norm.", "bnorm_2."),
    ("block_3.norm.", "bnorm_3."),
    ("block_4.norm.", "bnorm_4."),
    ("block_2.", "conv_2."),
    ("block_3.", "conv_3."),
    ("block_4.", "conv_4."),
    ("head.", "final_layer.conv_classifier."),
];

/// The numbers of a Deep4.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deep4Config {
    /// Filters of the four blocks; those of the first are temporal, and as many spatial.
    pub n_filters: [usize; 4],
    /// Samples of the filters of each block.
    pub filter_samples: [usize; 4],
    /// Values of which each pooling takes the largest.
    pub pool_samples: usize,
    /// Values from one maximum to the next.
    pub pool_stride: usize,
    /// Part of the values dropped before each block but the first while learning.
    pub drop_probability: f64,
}

impl Default for Deep4Config {
    fn default() -> Self {
        Self {
            n_filters: [25, 50, 100, 200],
            filter_samples: [10; 4],
            pool_samples: 3,
            pool_stride: 3,
            drop_probability: 0.5,
        }
    }
}

/// A Deep4 with its weights.
#[derive(Module, Debug)]
pub struct Deep4<B: Backend> {
    filters: MergedFilters<B>,
    norm: BatchNorm<B>,
    block_2: Block<B>,
    block_3: Block<B>,
    block_4: Block<B>,
    head: ConvHead<B>,
    pool: [usize; 2],
    drop_probability: f64,
}

/// A convolution and its normalisation.
#[derive(Module, Debug)]
struct Block<B: Backend> {
    /// `(n_out, n_in, length, 1)`.
    weight: Param<Tensor<B, 4>>,
    norm: BatchNorm<B>,
}

impl<B: Backend> Block<B> {
    fn new(builder: &mut Builder<B>, n_in: usize, n_out: usize, length: usize) -> Self {
        Self {
            weight: builder.glorot([n_out, n_in, length, 1]),
            norm: builder.batch_norm(n_out, MOMENTUM, EPSILON),
        }
    }

    fn forward(&self, x: Tensor<B, 3>, pass: &Pass) -> Tensor<B, 3> {
        let [n_out, n_in, length, _] = self.weight.dims();
        let kernel = self.weight.val().reshape([n_out, n_in, length]);
        let x = conv1d(x, kernel, None, ConvOptions::new([1], [0], [1], 1));
        elu(self.norm.forward(x, pass))
    }
}

impl Deep4Config {
    /// Lengths after each block's filters, and after all.
    fn lengths(&self, geometry: Geometry) -> Result<[usize; 5], NetError> {
        const BLOCKS: [&str; 4] = ["block 1", "block 2", "block 3", "block 4"];
        let mut length = Length::of(geometry);
        let mut lengths = [0; 5];
        for (k, block) in BLOCKS.into_iter().enumerate() {
            length = length.filtered(block, self.filter_samples[k])?;
            lengths[k] = length.get();
            length = length.pooled("pooling", self.pool_samples, self.pool_stride)?;
        }
        lengths[4] = length.get();
        Ok(lengths)
    }

    pub(super) fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        let counts = self.n_filters.map(|n| ("n_filters", n));
        check_counts(&counts)?;
        check_counts(&self.filter_samples.map(|n| ("filter_samples", n)))?;
        check_counts(&[("pool_samples", self.pool_samples), ("pool_stride", self.pool_stride)])?;
        check_probabilities(&[("drop_probability", self.drop_probability)])?;
        let lengths = self.lengths(geometry)?;
        let n = self.n_filters;
        let mut cost = merged_cost(geometry, [n[0]; 2], self.filter_samples[0], lengths[0]);
        cost.parameters(2 * n[0]);
        for k in 1..4 {
            let n_weights = n[k - 1].saturating_mul(self.filter_samples[k]);
            cost.convolution(lengths[k], n[k], n_weights);
            cost.parameters(2 * n[k]);
        }
        cost.linear(1, n[3] * lengths[4], geometry.n_classes);
        Ok(cost)
    }

    pub(super) fn build<B: Backend>(
        &self,
        geometry: Geometry,
        builder: &mut Builder<B>,
    ) -> Result<Deep4<B>, NetError> {
        let last = self.lengths(geometry)?[4];
        let n = self.n_filters;
        let lengths = self.filter_samples;
        Ok(Deep4 {
            filters: MergedFilters::new(builder, geometry.n_channels, [n[0]; 2], lengths[0]),
            norm: builder.batch_norm(n[0], MOMENTUM, EPSILON),
            block_2: Block::new(builder, n[0], n[1], lengths[1]),
            block_3: Block::new(builder, n[1], n[2], lengths[2]),
            block_4: Block::new(builder, n[2], n[3], lengths[3]),
            head: ConvHead::new(builder, [geometry.n_classes, n[3], last, 1]),
            pool: [self.pool_samples, self.pool_stride],
            drop_probability: self.drop_probability,
        })
    }
}

impl<B: Backend> Deep4<B> {
    pub(super) fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 2> {
        let mut x = elu(self.norm.forward(self.filters.forward(x), pass));
        for block in [&self.block_2, &self.block_3, &self.block_4] {
            x = max_pool(x, self.pool[0], self.pool[1]);
            x = dropout(x, self.drop_probability, pass);
            x = block.forward(x, pass);
        }
        self.head.forward(max_pool(x, self.pool[0], self.pool[1]))
    }
}
