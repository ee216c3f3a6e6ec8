//! EEG Conformer: ShallowConvNet's filters make tokens, a transformer relates them.
//!
//! # Reference
//! Y. Song, Q. Zheng, B. Liu, X. Gao: EEG Conformer (2023),
//! doi 10.1109/TNSRE.2022.3230250; layers and defaults are braindecode's.

use super::attention::{Attention, FeedForward};
use super::cost::{Cost, Length, check_counts, check_heads, check_probabilities};
use super::layers::{
    Activation, BatchNorm, Builder, LayerNorm, Linear, Pass, dropout, elu, mean_pool,
};
use super::shallow::{EPSILON, MOMENTUM, merge, merged_cost};
use super::{Geometry, NetError};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;
use serde::{Deserialize, Serialize};

/// Our names and braindecode's.
pub(super) const TORCH_NAMES: &[(&str, &str)] = &[
    ("time.", "patch_embedding.shallownet.0."),
    ("space.", "patch_embedding.shallownet.1."),
    ("norm.", "patch_embedding.shallownet.2."),
    ("mixing.", "patch_embedding.projection.0."),
    ("blocks.*.attention_norm.", "transformer.*.0.fn.0."),
    ("blocks.*.attention.", "transformer.*.0.fn.1."),
    ("blocks.*.forward_norm.", "transformer.*.1.fn.0."),
    ("blocks.*.forward.expand.", "transformer.*.1.fn.1.0."),
    ("blocks.*.forward.contract.", "transformer.*.1.fn.1.3."),
    ("hidden_1.", "fc.fc.0."),
    ("hidden_2.", "fc.fc.3."),
    ("head.", "final_layer."),
];
/// A token is widened so many times between the linear layers of a block.
const EXPANSION: usize = 4;
/// Sizes of the two hidden layers before the classifier.
const HIDDEN: [usize; 2] = [256, 32];

/// The numbers of an EEG Conformer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConformerConfig {
    /// Temporal filters, and spatial ones over all of them; numbers of a token.
    pub n_filters: usize,
    /// Samples of a temporal filter.
    pub filter_samples: usize,
    /// Samples averaged for a token.
    pub pool_samples: usize,
    /// Samples from one token to the next.
    pub pool_stride: usize,
    /// Heads of an attention.
    pub n_heads: usize,
    /// Blocks of the transformer.
    pub n_blocks: usize,
    /// Part of the values dropped from tokens while learning.
    pub drop_probability: f64,
    /// Part of the values dropped within blocks while learning.
    pub block_drop_probability: f64,
    /// Part of the values dropped behind each hidden layer while learning.
    pub hidden_drop_probabilities: [f64; 2],
}

impl Default for ConformerConfig {
    fn default() -> Self {
        Self {
            n_filters: 40,
            filter_samples: 25,
            pool_samples: 75,
            pool_stride: 15,
            n_heads: 10,
            n_blocks: 6,
            drop_probability: 0.5,
            block_drop_probability: 0.5,
            hidden_drop_probabilities: [0.5, 0.3],
        }
    }
}

/// An EEG Conformer with its weights.
#[derive(Module, Debug)]
pub struct Conformer<B: Backend> {
    /// `(n, 1, 1, filter_samples)`.
    time: Convolution<B>,
    /// `(n, n, n_channels, 1)`.
    space: Convolution<B>,
    norm: BatchNorm<B>,
    /// `(n, n, 1, 1)`.
    mixing: Convolution<B>,
    blocks: Vec<Block<B>>,
    hidden_1: Linear<B>,
    hidden_2: Linear<B>,
    head: Linear<B>,
    pool: [usize; 2],
    drop_probability: f64,
    hidden_drop_probabilities: [f64; 2],
}

/// The weights of a convolution with bias.
#[derive(Module, Debug)]
struct Convolution<B: Backend> {
    weight: Param<Tensor<B, 4>>,
    bias: Param<Tensor<B, 1>>,
}

/// A block that normalises before each of its two parts.
#[derive(Module, Debug)]
struct Block<B: Backend> {
    attention_norm: LayerNorm<B>,
    attention: Attention<B>,
    forward_norm: LayerNorm<B>,
    forward: FeedForward<B>,
    drop_probability: f64,
}

impl<B: Backend> Block<B> {
    fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 3> {
        let gathered = self.attention.forward(self.attention_norm.forward(x.clone()), None, pass);
        let x = x + dropout(gathered, self.drop_probability, pass);
        let normed = self.forward_norm.forward(x.clone());
        let made = self.forward.forward(normed, Activation::Gelu, pass);
        x + dropout(made, self.drop_probability, pass)
    }
}

impl ConformerConfig {
    fn lengths(&self, geometry: Geometry) -> Result<[usize; 2], NetError> {
        let filtered = Length::of(geometry).filtered("a temporal filter", self.filter_samples)?;
        let tokens = filtered.pooled("pooling", self.pool_samples, self.pool_stride)?;
        Ok([filtered.get(), tokens.get()])
    }

    pub(super) fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        check_counts(&[
            ("n_filters", self.n_filters),
            ("filter_samples", self.filter_samples),
            ("pool_samples", self.pool_samples),
            ("pool_stride", self.pool_stride),
            ("n_heads", self.n_heads),
            ("n_blocks", self.n_blocks),
        ])?;
        check_probabilities(&[
            ("drop_probability", self.drop_probability),
            ("block_drop_probability", self.block_drop_probability),
            ("hidden_drop_probabilities", self.hidden_drop_probabilities[0]),
            ("hidden_drop_probabilities", self.hidden_drop_probabilities[1]),
        ])?;
        let n = self.n_filters;
        check_heads(n, self.n_heads)?;
        let [filtered, n_tokens] = self.lengths(geometry)?;
        let mut cost = merged_cost(geometry, [n; 2], self.filter_samples, filtered);
        cost.parameters(3 * n);
        cost.linear(n_tokens, n, n);
        for _ in 0..self.n_blocks {
            cost.block(n_tokens, n, EXPANSION);
        }
        cost.linear(1, n_tokens.saturating_mul(n), HIDDEN[0]);
        cost.linear(1, HIDDEN[0], HIDDEN[1]);
        cost.linear(1, HIDDEN[1], geometry.n_classes);
        Ok(cost)
    }

    pub(super) fn build<B: Backend>(
        &self,
        geometry: Geometry,
        builder: &mut Builder<B>,
    ) -> Result<Conformer<B>, NetError> {
        let [_, n_tokens] = self.lengths(geometry)?;
        let n = self.n_filters;
        let convolution = |builder: &mut Builder<B>, shape: [usize; 4]| {
            let fan_in = (shape[1] * shape[2] * shape[3]) as f64;
            Convolution {
                weight: builder.torch_default(shape),
                bias: builder.uniform([shape[0]], (1.0 / fan_in).sqrt()),
            }
        };
        Ok(Conformer {
            time: convolution(builder, [n, 1, 1, self.filter_samples]),
            space: convolution(builder, [n, n, geometry.n_channels, 1]),
            norm: builder.batch_norm(n, MOMENTUM, EPSILON),
            mixing: convolution(builder, [n, n, 1, 1]),
            blocks: (0..self.n_blocks).map(|_| self.block(builder)).collect(),
            hidden_1: builder.linear(n_tokens * n, HIDDEN[0]),
            hidden_2: builder.linear(HIDDEN[0], HIDDEN[1]),
            head: builder.linear(HIDDEN[1], geometry.n_classes),
            pool: [self.pool_samples, self.pool_stride],
            drop_probability: self.drop_probability,
            hidden_drop_probabilities: self.hidden_drop_probabilities,
        })
    }

    fn block<B: Backend>(&self, builder: &mut Builder<B>) -> Block<B> {
        let n = self.n_filters;
        let p = self.block_drop_probability;
        Block {
            attention_norm: builder.layer_norm(n),
            attention: Attention::new(builder, n, self.n_heads, p),
            forward_norm: builder.layer_norm(n),
            forward: FeedForward::new(builder, n, EXPANSION, p),
            drop_probability: p,
        }
    }
}

impl<B: Backend> Conformer<B> {
    pub(super) fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 2> {
        let mut tokens = self.tokens(x, pass);
        for block in &self.blocks {
            tokens = block.forward(tokens, pass);
        }
        let features: Tensor<B, 2> = tokens.flatten(1, 2);
        let [drop_1, drop_2] = self.hidden_drop_probabilities;
        let hidden = elu(self.hidden_1.forward(features));
        let hidden = dropout(hidden, drop_1, pass);
        let hidden = elu(self.hidden_2.forward(hidden));
        self.head.forward(dropout(hidden, drop_2, pass))
    }

    /// `(batch, n_tokens, n)`.
    fn tokens(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 3> {
        let (kernel, bias) =
            merge(self.time.weight.val(), self.time.bias.val(), self.space.weight.val());
        let bias = bias + self.space.bias.val();
        let x = conv1d(x, kernel, Some(bias), ConvOptions::new([1], [0], [1], 1));
        let x = mean_pool(elu(self.norm.forward(x, pass)), self.pool[0], self.pool[1]);
        let x = dropout(x, self.drop_probability, pass).swap_dims(1, 2);
        let [n_batch, n_tokens, n] = x.dims();
        let rows = self.mixing.weight.val().reshape([n, n]).transpose();
        let mixed = x.reshape([n_batch * n_tokens, n]).matmul(rows);
        (mixed + self.mixing.bias.val().reshape([1, n])).reshape([n_batch, n_tokens, n])
    }
}
