//! Multi-head attention and the feed-forward block behind it.

use super::layers::{Activation, Builder, Linear, Pass, dropout};
use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Tensor, activation};

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

/// Cosine and sine by which queries and keys are turned, `(n_tokens, head_size / 2)` each.
#[derive(Module, Debug)]
pub struct Rotation<B: Backend> {
    /// Cosines.
    pub cos: Tensor<B, 2>,
    /// Sines.
    pub sin: Tensor<B, 2>,
}

impl<B: Backend> Rotation<B> {
    /// Turns `(batch, n_heads, n_tokens, head_size)`: value `i` of a head's first half and
    /// value `i` of its second half are the two coordinates of a point.
    fn turn(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let [_, _, n_tokens, head_size] = x.dims();
        let table = |t: &Tensor<B, 2>| t.clone().reshape([1, 1, n_tokens, head_size / 2]);
        let (cos, sin) = (table(&self.cos), table(&self.sin));
        let first = x.clone().narrow(3, 0, head_size / 2);
        let second = x.narrow(3, head_size / 2, head_size / 2);
        let turned = first.clone() * cos.clone() - second.clone() * sin.clone();
        Tensor::cat(vec![turned, second * cos + first * sin], 3)
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
        let turn = |x: Tensor<B, 4>| rotation.map_or_else(|| x.clone(), |r| r.turn(x.clone()));
        let queries = turn(heads(self.queries.forward(x.clone())));
        let keys = turn(heads(self.keys.forward(x.clone())));
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
