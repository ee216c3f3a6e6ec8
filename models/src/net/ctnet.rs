//! CTNet: EEGNet's convolutions make tokens, a transformer relates them.
//!
//! # Reference
//! W. Zhao, X. Jiang, B. Zhang, S. Xiao, S. Weng: CTNet: a convolutional transformer
//! network for EEG-based motor imagery classification (2024),
//! doi 10.1038/s41598-024-71118-7; layers and defaults are braindecode's.

use super::attention::{Attention, FeedForward};
use super::cost::{Cost, Length, check_counts, check_heads, check_probabilities};
use super::filter_bank::{BankShape, FilterBank, pad, same_padding};
use super::layers::{
    Activation, BatchNorm, Builder, LayerNorm, Linear, Pass, dropout, elu, mean_pool,
};
use super::{Geometry, NetError};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;
use serde::{Deserialize, Serialize};

/// Our names and braindecode's.
pub(super) const TORCH_NAMES: &[(&str, &str)] = &[
    ("bank.temporal", "cnn.eegnet_module.0.weight"),
    ("bank.norm.", "cnn.eegnet_module.1."),
    ("bank.spatial", "cnn.eegnet_module.2.weight"),
    ("norm_1.", "cnn.eegnet_module.3."),
    ("mixing", "cnn.eegnet_module.7.weight"),
    ("norm_2.", "cnn.eegnet_module.8."),
    ("places", "position.encoding"),
    ("blocks.*.attention.", "trans.layers.*.attention.module.0."),
    ("blocks.*.attention_norm.", "trans.layers.*.attention.layernorm."),
    ("blocks.*.forward.expand.", "trans.layers.*.feed_forward.module.0.0."),
    ("blocks.*.forward.contract.", "trans.layers.*.feed_forward.module.0.3."),
    ("blocks.*.forward_norm.", "trans.layers.*.feed_forward.layernorm."),
    ("head.", "final_layer."),
];
const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;
/// Samples of the second convolution.
const MIXING_SAMPLES: usize = 16;
/// Places there are encodings for, at least.
const MIN_PLACES: usize = 100;
/// A token is widened so many times between the linear layers of a block.
const EXPANSION: usize = 4;

/// The numbers of a CTNet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CtnetConfig {
    /// Temporal filters.
    pub n_filters: usize,
    /// Spatial filters for each temporal one; a token has `n_filters * depth` numbers.
    pub depth: usize,
    /// Samples of a temporal filter.
    pub filter_samples: usize,
    /// Samples averaged by the first pooling.
    pub pool_1: usize,
    /// Values averaged by the second.
    pub pool_2: usize,
    /// Heads of an attention.
    pub n_heads: usize,
    /// Blocks of the transformer.
    pub n_blocks: usize,
    /// Part of the values dropped within the convolutions while learning.
    pub convolution_drop_probability: f64,
    /// Part of the values dropped from tokens while learning.
    pub token_drop_probability: f64,
    /// Part of the values dropped within blocks while learning.
    pub block_drop_probability: f64,
    /// Part of the values dropped before the classifier while learning. braindecode has
    /// this layer and does not use it.
    pub final_drop_probability: f64,
}

impl Default for CtnetConfig {
    fn default() -> Self {
        Self {
            n_filters: 20,
            depth: 2,
            filter_samples: 64,
            pool_1: 8,
            pool_2: 8,
            n_heads: 4,
            n_blocks: 6,
            convolution_drop_probability: 0.3,
            token_drop_probability: 0.1,
            block_drop_probability: 0.5,
            final_drop_probability: 0.5,
        }
    }
}

/// A CTNet with its weights.
#[derive(Module, Debug)]
pub struct Ctnet<B: Backend> {
    bank: FilterBank<B>,
    norm_1: BatchNorm<B>,
    /// `(n, n, 1, 16)`.
    mixing: Param<Tensor<B, 4>>,
    norm_2: BatchNorm<B>,
    /// Of each place in time, `(1, n_places, n)`.
    places: Param<Tensor<B, 3>>,
    blocks: Vec<Block<B>>,
    head: Linear<B>,
    pools: [usize; 2],
    drop_probabilities: [f64; 3],
}

/// A block that normalises after each of its two sums.
#[derive(Module, Debug)]
struct Block<B: Backend> {
    attention: Attention<B>,
    attention_norm: LayerNorm<B>,
    forward: FeedForward<B>,
    forward_norm: LayerNorm<B>,
    drop_probability: f64,
}

impl<B: Backend> Block<B> {
    fn new(builder: &mut Builder<B>, size: usize, n_heads: usize, p: f64) -> Self {
        Self {
            attention: Attention::new(builder, size, n_heads, p),
            attention_norm: builder.layer_norm(size),
            forward: FeedForward::new(builder, size, EXPANSION, p),
            forward_norm: builder.layer_norm(size),
            drop_probability: p,
        }
    }

    fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 3> {
        let gathered = self.attention.forward(x.clone(), None, pass);
        let x = self.attention_norm.forward(dropout(gathered, self.drop_probability, pass) + x);
        let made = self.forward.forward(x.clone(), Activation::Gelu, pass);
        self.forward_norm.forward(dropout(made, self.drop_probability, pass) + x)
    }
}

impl CtnetConfig {
    fn token_size(&self) -> usize {
        self.n_filters.saturating_mul(self.depth)
    }

    /// Values after the first pooling, and tokens.
    fn lengths(&self, geometry: Geometry) -> Result<[usize; 2], NetError> {
        let pooled = Length::of(geometry).pooled("the first pooling", self.pool_1, self.pool_1)?;
        let tokens = pooled.pooled("the second pooling", self.pool_2, self.pool_2)?;
        Ok([pooled.get(), tokens.get()])
    }

    /// Places that have an encoding: as many as braindecode makes.
    fn n_places(&self, geometry: Geometry) -> usize {
        let n_places = geometry.n_samples / self.pool_1.saturating_mul(self.pool_1);
        n_places.max(MIN_PLACES)
    }

    pub(super) fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        check_counts(&[
            ("n_filters", self.n_filters),
            ("depth", self.depth),
            ("filter_samples", self.filter_samples),
            ("pool_1", self.pool_1),
            ("pool_2", self.pool_2),
            ("n_heads", self.n_heads),
            ("n_blocks", self.n_blocks),
        ])?;
        check_probabilities(&[
            ("convolution_drop_probability", self.convolution_drop_probability),
            ("token_drop_probability", self.token_drop_probability),
            ("block_drop_probability", self.block_drop_probability),
            ("final_drop_probability", self.final_drop_probability),
        ])?;
        let n = self.token_size();
        check_heads(n, self.n_heads)?;
        let [pooled, n_tokens] = self.lengths(geometry)?;
        let n_places = self.n_places(geometry);
        if n_tokens > n_places {
            let why = format!("{n_tokens} tokens come of it, and there are {n_places} places");
            return Err(NetError::BadParameter { name: "pool_2", why });
        }
        let n_samples = geometry.n_samples;
        let mut cost = Cost::default();
        let n_outputs = n_samples.saturating_mul(geometry.n_channels);
        cost.convolution(n_outputs, self.n_filters, self.filter_samples);
        cost.convolution(n_samples, n, geometry.n_channels);
        cost.convolution(pooled, n, n.saturating_mul(MIXING_SAMPLES));
        cost.parameters(2 * self.n_filters + 4 * n);
        cost.parameters(n_places.saturating_mul(n));
        for _ in 0..self.n_blocks {
            cost.block(n_tokens, n, EXPANSION);
        }
        cost.linear(1, n_tokens.saturating_mul(n), geometry.n_classes);
        Ok(cost)
    }

    pub(super) fn build<B: Backend>(
        &self,
        geometry: Geometry,
        builder: &mut Builder<B>,
    ) -> Result<Ctnet<B>, NetError> {
        let [_, n_tokens] = self.lengths(geometry)?;
        let n = self.token_size();
        let bank = BankShape {
            n_channels: geometry.n_channels,
            n_filters: self.n_filters,
            depth: self.depth,
            length: self.filter_samples,
            padding: same_padding(self.filter_samples),
            max_norm: None,
            momentum: MOMENTUM,
            epsilon: EPSILON,
        };
        Ok(Ctnet {
            bank: bank.build(builder),
            norm_1: builder.batch_norm(n, MOMENTUM, EPSILON),
            mixing: builder.glorot([n, n, 1, MIXING_SAMPLES]),
            norm_2: builder.batch_norm(n, MOMENTUM, EPSILON),
            places: builder.normal([1, self.n_places(geometry), n], 1.0),
            blocks: (0..self.n_blocks)
                .map(|_| Block::new(builder, n, self.n_heads, self.block_drop_probability))
                .collect(),
            head: builder.linear(n * n_tokens, geometry.n_classes),
            pools: [self.pool_1, self.pool_2],
            drop_probabilities: [
                self.convolution_drop_probability,
                self.token_drop_probability,
                self.final_drop_probability,
            ],
        })
    }
}

impl<B: Backend> Ctnet<B> {
    pub(super) fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 2> {
        let tokens = self.tokens(x, pass);
        let mut related = tokens.clone();
        for block in &self.blocks {
            related = block.forward(related, pass);
        }
        let features: Tensor<B, 2> = (tokens + related).flatten(1, 2);
        self.head.forward(dropout(features, self.drop_probabilities[2], pass))
    }

    /// `(batch, n_tokens, n)`: scaled as embeddings are, with their places added.
    fn tokens(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 3> {
        let [drop_convolution, drop_token, _] = self.drop_probabilities;
        let x = elu(self.norm_1.forward(self.bank.forward(x, pass), pass));
        let x = dropout(mean_pool(x, self.pools[0], self.pools[0]), drop_convolution, pass);
        let [n, _, _, length] = self.mixing.dims();
        let kernel = self.mixing.val().reshape([n, n, length]);
        let x = pad(x, same_padding(length));
        let x = conv1d(x, kernel, None, ConvOptions::new([1], [0], [1], 1));
        let x = elu(self.norm_2.forward(x, pass));
        let x = dropout(mean_pool(x, self.pools[1], self.pools[1]), drop_convolution, pass);
        let n_tokens = x.dims()[2];
        let places = self.places.val().narrow(1, 0, n_tokens);
        dropout(x.swap_dims(1, 2) * (n as f64).sqrt() + places, drop_token, pass)
    }
}
