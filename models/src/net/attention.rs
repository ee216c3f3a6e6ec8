//! Multi-head attention and the feed-forward block behind it.

use super::layers::{Activation, Builder, Linear, Pass, dropout};
use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Tensor, TensorData, activation};

/// Self-attention: each token becomes a mean of all, weighted by
/// `softmax(q . k / sqrt(head_size))`, head by head.
///
/// # Reference
/// Vaswani and others (2017), arXiv:1706.03762.
#[derive(Module, Debug)]
pub struct Attention<B: Backend> {
    /// Of each token, what it offers.
    pub keys: Linear<B>,
    /// Of each token, what it looks for.
    pub queries: Linear<B>,
    /// Of each token, what it gives.
    pub values: Linear<B>,
    /// Of what was gathered.
    pub projection: Linear<B>,
    n_heads: usize,
    drop_probability: f64,
}

/// Angles by which queries and keys are turned: value `i` of a head's first half and value
/// `i` of its second half are the two coordinates of a point.
#[derive(Module, Debug)]
pub struct Rotation<B: Backend> {
    /// Cosines for all heads, `(1, n_tokens, size)`.
    cos: Tensor<B, 3>,
    /// Sines.
    sin: Tensor<B, 3>,
    /// Turns by a right angle, `(size, size)`: one 1 or -1 in each row and column.
    quarter: Tensor<B, 2>,
}

impl<B: Backend> Rotation<B> {
    /// Of `n_heads` heads, with angles `(n_tokens, head_size / 2)` by rows.
    pub fn new(angles: &[f64], half: usize, n_heads: usize, device: &B::Device) -> Self {
        let n_tokens = angles.len() / half;
        let size = 2 * half * n_heads;
        let table = |of: fn(f64) -> f64| {
            let row = |row: &[f64]| row.iter().map(|&x| of(x) as f32).collect::<Vec<_>>();
            let values = angles.chunks(half).flat_map(|angles| row(angles).repeat(2 * n_heads));
            Tensor::from_data(TensorData::new(values.collect(), [1, n_tokens, size]), device)
        };
        let mut quarter = vec![0.0_f32; size * size];
        for first in (0..size).filter(|k| k % (2 * half) < half) {
            quarter[first * size + first + half] = 1.0;
            quarter[(first + half) * size + first] = -1.0;
        }
        let quarter = Tensor::from_data(TensorData::new(quarter, [size, size]), device);
        Self { cos: table(f64::cos), sin: table(f64::sin), quarter }
    }

    /// Turns `(batch, n_tokens, size)`.
    fn turn(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [n_batch, n_tokens, size] = x.dims();
        let turned = x.clone().reshape([n_batch * n_tokens, size]).matmul(self.quarter.clone());
        x * self.cos.clone() + turned.reshape([n_batch, n_tokens, size]) * self.sin.clone()
    }
}

impl<B: Backend> Attention<B> {
    /// Draws the weights; `size` is a multiple of `n_heads`.
    pub fn new(
        builder: &mut Builder<B>,
        size: usize,
        n_heads: usize,
        drop_probability: f64,
    ) -> Self {
        Self {
            keys: builder.linear(size, size),
            queries: builder.linear(size, size),
            values: builder.linear(size, size),
            projection: builder.linear(size, size),
            n_heads,
            drop_probability,
        }
    }

    /// `(batch, n_tokens, size)` to the same.
    pub fn forward(
        &self,
        x: Tensor<B, 3>,
        rotation: Option<&Rotation<B>>,
        pass: &mut Pass,
    ) -> Tensor<B, 3> {
        let [n_batch, n_tokens, size] = x.dims();
        let head_size = size / self.n_heads;
        let heads = |x: Tensor<B, 3>| {
            x.reshape([n_batch, n_tokens, self.n_heads, head_size]).swap_dims(1, 2)
        };
        let turn = |x: Tensor<B, 3>| match rotation {
            Some(rotation) => rotation.turn(x),
            None => x,
        };
        let queries = heads(turn(self.queries.forward(x.clone())));
        let keys = heads(turn(self.keys.forward(x.clone())));
        let values = heads(self.values.forward(x));
        let gathered = match pass {
            Pass::Infer => {
                attention(queries, keys, values, None, None, AttentionModuleOptions::default())
            }
            Pass::Train(_) => {
                let scores = queries.matmul(keys.swap_dims(2, 3)) / (head_size as f64).sqrt();
                let weights = activation::softmax(scores, 3);
                dropout(weights, self.drop_probability, pass).matmul(values)
            }
        };
        let joined = gathered.swap_dims(1, 2).reshape([n_batch, n_tokens, size]);
        self.projection.forward(joined)
    }
}

/// Two linear layers with a nonlinearity between them, for each token on its own.
#[derive(Module, Debug)]
pub struct FeedForward<B: Backend> {
    /// To `expansion` times the size.
    pub expand: Linear<B>,
    /// Back to the size.
    pub contract: Linear<B>,
    drop_probability: f64,
}

impl<B: Backend> FeedForward<B> {
    /// Draws the weights.
    pub fn new(
        builder: &mut Builder<B>,
        size: usize,
        expansion: usize,
        drop_probability: f64,
    ) -> Self {
        Self {
            expand: builder.linear(size, size * expansion),
            contract: builder.linear(size * expansion, size),
            drop_probability,
        }
    }

    /// `(batch, n_tokens, size)` to the same.
    pub fn forward(&self, x: Tensor<B, 3>, kind: Activation, pass: &mut Pass) -> Tensor<B, 3> {
        let wide = kind.forward(self.expand.forward(x));
        self.contract.forward(kind.dropout(wide, self.drop_probability, pass))
    }
}
