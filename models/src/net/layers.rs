//! The parts that networks are built from. Weights have PyTorch's shapes.
//!
//! Layers of burn are not used for two of them: its batch normalisation and dropout take
//! "gradients are wanted" for "it is being trained", and its dropout draws from a
//! generator of the whole process.

use crate::random::Random;
use burn::module::{Module, Param, ParamId, RunningState};
use burn::tensor::backend::Backend;
use burn::tensor::module::{avg_pool1d, max_pool1d};
use burn::tensor::{Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// What a forward pass is for.
#[derive(Debug)]
pub enum Pass<'a> {
    /// Deciding: running statistics, nothing dropped. Gradients can be had too.
    Infer,
    /// Learning: statistics of the batch, which move the running ones, and dropout drawn
    /// from this generator.
    Train(&'a mut Random),
}

/// A nonlinearity of the transformer encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x Phi(x)`. Hendrycks and Gimpel (2016), arXiv:1606.08415.
    #[default]
    Gelu,
    /// `1.0507 (x if x > 0 else 1.6733 (e^x - 1))`, which keeps mean 0 and variance 1.
    /// Klambauer and others (2017), arXiv:1706.02515.
    Selu,
}

/// Weights drawn one after the other from one generator.
#[derive(Debug)]
pub struct Builder<'a, B: Backend> {
    /// Where numbers come from.
    pub random: &'a mut Random,
    /// Where the weights lie.
    pub device: &'a B::Device,
}

/// Dimensions of a weight whose rows are outputs: `(n_out, n_in, ..)`.
fn fans(shape: &[usize]) -> (usize, usize) {
    let inner: usize = shape[2..].iter().product();
    (shape[1] * inner, shape[0] * inner)
}

impl<B: Backend> Builder<'_, B> {
    /// A weight of given values.
    pub fn weight<const D: usize>(
        &self,
        values: Vec<f32>,
        shape: [usize; D],
    ) -> Param<Tensor<B, D>> {
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    /// A weight with one value everywhere.
    pub fn filled<const D: usize>(&self, value: f32, shape: [usize; D]) -> Param<Tensor<B, D>> {
        self.weight(vec![value; shape.iter().product()], shape)
    }

    /// Uniform in `+-sqrt(6 / (fan_in + fan_out))`.
    ///
    /// # Reference
    /// Glorot and Bengio (2010), PMLR 9, 249-256.
    pub fn glorot<const D: usize>(&mut self, shape: [usize; D]) -> Param<Tensor<B, D>> {
        let (fan_in, fan_out) = fans(&shape);
        self.uniform(shape, (6.0 / (fan_in + fan_out) as f64).sqrt())
    }

    /// Uniform in `+-sqrt(1 / fan_in)`, what PyTorch's layers begin with.
    pub fn torch_default<const D: usize>(&mut self, shape: [usize; D]) -> Param<Tensor<B, D>> {
        let (fan_in, _) = fans(&shape);
        self.uniform(shape, (1.0 / fan_in as f64).sqrt())
    }

    /// Uniform between `-bound` and `bound`.
    pub fn uniform<const D: usize>(
        &mut self,
        shape: [usize; D],
        bound: f64,
    ) -> Param<Tensor<B, D>> {
        let values = self.random.uniforms(shape.iter().product(), bound);
        self.weight(values, shape)
    }

    /// Normal with mean 0.
    pub fn normal<const D: usize>(
        &mut self,
        shape: [usize; D],
        deviation: f64,
    ) -> Param<Tensor<B, D>> {
        let values = self.random.normals(shape.iter().product(), deviation);
        self.weight(values, shape)
    }

    /// A linear layer as PyTorch begins it.
    pub fn linear(&mut self, n_in: usize, n_out: usize) -> Linear<B> {
        let weight = self.torch_default([n_out, n_in]);
        Linear { weight, bias: Some(self.uniform([n_out], (1.0 / n_in as f64).sqrt())) }
    }

    /// A linear layer before SELU: weights of variance `1 / n_in`, no offset, which keeps
    /// mean 0 and variance 1 from layer to layer.
    ///
    /// # Reference
    /// Klambauer and others (2017), arXiv:1706.02515.
    pub fn self_normalising(&mut self, n_in: usize, n_out: usize) -> Linear<B> {
        let weight = self.normal([n_out, n_in], (1.0 / n_in as f64).sqrt());
        Linear { weight, bias: Some(self.filled(0.0, [n_out])) }
    }

    /// Weight 1, bias 0, mean 0, variance 1.
    pub fn batch_norm(&self, n_features: usize, momentum: f64, epsilon: f64) -> BatchNorm<B> {
        let state = |value| Tensor::full([n_features], value, self.device);
        BatchNorm {
            weight: self.filled(1.0, [n_features]),
            bias: self.filled(0.0, [n_features]),
            running_mean: RunningState::with_id(ParamId::new(), state(0.0)),
            running_var: RunningState::with_id(ParamId::new(), state(1.0)),
            momentum,
            epsilon,
        }
    }

    /// Weight 1, bias 0.
    pub fn layer_norm(&self, n_features: usize) -> LayerNorm<B> {
        LayerNorm { weight: self.filled(1.0, [n_features]), bias: self.filled(0.0, [n_features]) }
    }
}

/// `y = x weight^T + bias` over the last axis.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// `(n_out, n_in)`.
    pub weight: Param<Tensor<B, 2>>,
    /// `(n_out,)`.
    pub bias: Option<Param<Tensor<B, 1>>>,
}

impl<B: Backend> Linear<B> {
    /// `(.., n_in)` to `(.., n_out)`.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let [n_out, n_in] = self.weight.dims();
        let mut shape = x.dims();
        let n_rows = shape[..D - 1].iter().product();
        shape[D - 1] = n_out;
        // A matrix product reads a transposed matrix where it lies; a reshape copies it.
        let rows: Tensor<B, 2> = x.reshape([n_rows, n_in]);
        let product = rows.matmul(self.weight.val().transpose());
        let moved = match &self.bias {
            Some(bias) => product + bias.val().reshape([1, n_out]),
            None => product,
        };
        moved.reshape(shape)
    }
}

/// Each feature scaled to mean 0 and variance 1 over the batch, then `weight x + bias`.
///
/// # Conventions
/// PyTorch's: the batch is normalised by its biased variance, and the running variance
/// moves by `momentum` toward the unbiased one.
///
/// # Reference
/// Ioffe and Szegedy (2015), arXiv:1502.03167.
#[derive(Module, Debug)]
pub struct BatchNorm<B: Backend> {
    /// `(n_features,)`.
    pub weight: Param<Tensor<B, 1>>,
    /// `(n_features,)`.
    pub bias: Param<Tensor<B, 1>>,
    /// `(n_features,)`.
    pub running_mean: RunningState<Tensor<B, 1>>,
    /// `(n_features,)`.
    pub running_var: RunningState<Tensor<B, 1>>,
    momentum: f64,
    epsilon: f64,
}

impl<B: Backend> BatchNorm<B> {
    /// `(batch, n_features, n_samples)` to the same.
    pub fn forward(&self, x: Tensor<B, 3>, pass: &Pass) -> Tensor<B, 3> {
        match pass {
            Pass::Infer => {
                let (scale, shift) = self.scale_and_shift();
                let column = |v: Tensor<B, 1>| v.reshape([1, -1, 1]);
                x * column(scale) + column(shift)
            }
            Pass::Train(_) => self.normalise(x),
        }
    }

    /// What the running statistics make of it: `scale x + shift`, `(n_features,)` each.
    pub fn scale_and_shift(&self) -> (Tensor<B, 1>, Tensor<B, 1>) {
        let deviation = (self.running_var.value() + self.epsilon).sqrt();
        let scale = self.weight.val() / deviation;
        let shift = self.bias.val() - self.running_mean.value() * scale.clone();
        (scale, shift)
    }

    fn normalise(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [n_batch, n_features, n_samples] = x.dims();
        let mean = x.clone().mean_dim(2).mean_dim(0);
        let centred = x - mean.clone();
        let var = centred.clone().square().mean_dim(2).mean_dim(0);
        let flat = |v: &Tensor<B, 3>| v.clone().reshape([n_features]);
        self.move_toward(flat(&mean), flat(&var), n_batch * n_samples);
        let weight = self.weight.val().reshape([1, -1, 1]);
        let bias = self.bias.val().reshape([1, -1, 1]);
        centred * (weight / (var + self.epsilon).sqrt()) + bias
    }

    /// What mean and biased variance of a batch make of it, `scale x + shift`; the running
    /// statistics move toward them. `n` values of each feature were seen.
    pub fn learn(
        &self,
        mean: Tensor<B, 1>,
        var: Tensor<B, 1>,
        n: usize,
    ) -> (Tensor<B, 1>, Tensor<B, 1>) {
        self.move_toward(mean.clone(), var.clone(), n);
        let scale = self.weight.val() / (var + self.epsilon).sqrt();
        let shift = self.bias.val() - mean * scale.clone();
        (scale, shift)
    }

    fn move_toward(&self, mean: Tensor<B, 1>, var: Tensor<B, 1>, n: usize) {
        let unbiased = var.detach() * (n as f64 / (n.max(2) - 1) as f64);
        self.follow(&self.running_mean, mean.detach());
        self.follow(&self.running_var, unbiased);
    }

    fn follow(&self, state: &RunningState<Tensor<B, 1>>, seen: Tensor<B, 1>) {
        state.update(state.value() * (1.0 - self.momentum) + seen * self.momentum);
        // The update waits to be merged with those of other threads: merge it now.
        drop(state.value_sync());
    }
}

/// Each vector of the last axis scaled to mean 0 and variance 1, then `weight x + bias`.
///
/// # Reference
/// Ba, Kiros and Hinton (2016), arXiv:1607.06450; epsilon is PyTorch's `1e-5`.
#[derive(Module, Debug)]
pub struct LayerNorm<B: Backend> {
    /// `(n_features,)`.
    pub weight: Param<Tensor<B, 1>>,
    /// `(n_features,)`.
    pub bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> LayerNorm<B> {
    /// `(batch, n_tokens, n_features)` to the same.
    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let mean = x.clone().mean_dim(2);
        let centred = x - mean;
        let var = centred.clone().square().mean_dim(2);
        let scaled = centred / (var + 1e-5).sqrt();
        scaled * self.weight.val().reshape([1, 1, -1]) + self.bias.val().reshape([1, 1, -1])
    }
}

/// Sets values to 0 with probability `p` while learning, and scales the rest by
/// `1 / (1 - p)`.
///
/// # Reference
/// Srivastava and others (2014), JMLR 15, 1929-1958.
pub fn dropout<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    p: f64,
    pass: &mut Pass,
) -> Tensor<B, D> {
    let Pass::Train(random) = pass else { return x };
    if p <= 0.0 {
        return x;
    }
    let shape = x.shape();
    let mask = random.choices(shape.num_elements(), 1.0 - p, (1.0 / (1.0 - p)) as f32, 0.0);
    let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
    x * mask
}

/// Dropout that keeps mean 0 and variance 1 of values after SELU: dropped ones take the
/// value SELU tends to, and an affine map restores the statistics.
///
/// # Reference
/// Klambauer and others (2017), arXiv:1706.02515, section "new dropout technique".
pub fn alpha_dropout<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    p: f64,
    pass: &mut Pass,
) -> Tensor<B, D> {
    /// `-lambda alpha` of SELU.
    const LOWEST: f64 = -1.7580993408473766;
    let Pass::Train(random) = pass else { return x };
    if p <= 0.0 {
        return x;
    }
    let keep = 1.0 - p;
    let scale = (keep + LOWEST * LOWEST * keep * p).powf(-0.5);
    let shape = x.shape();
    let kept = random.choices(shape.num_elements(), keep, 1.0, 0.0);
    let kept = Tensor::from_data(TensorData::new(kept, shape), &x.device());
    let dropped = (kept.clone() * -1.0 + 1.0) * LOWEST;
    (x * kept + dropped) * scale - scale * p * LOWEST
}

impl Activation {
    /// Applies it to every value.
    pub fn forward<B: Backend, const D: usize>(self, x: Tensor<B, D>) -> Tensor<B, D> {
        match self {
            Self::Gelu => activation::gelu(x),
            Self::Selu => activation::selu(x),
        }
    }

    /// The dropout that goes with it.
    pub fn dropout<B: Backend, const D: usize>(
        self,
        x: Tensor<B, D>,
        p: f64,
        pass: &mut Pass,
    ) -> Tensor<B, D> {
        match self {
            Self::Gelu => dropout(x, p, pass),
            Self::Selu => alpha_dropout(x, p, pass),
        }
    }
}

/// `x` where it is positive, else `e^x - 1`.
///
/// # Reference
/// Clevert, Unterthiner and Hochreiter (2016), arXiv:1511.07289.
pub fn elu<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    // Where `x` is large `e^x` has no gradient to give: it is cut off first.
    x.clone().clamp_min(0.0) + (x.clamp_max(0.0).exp() - 1.0)
}

/// Means over windows of the last axis; a remainder is left out.
pub fn mean_pool<B: Backend>(x: Tensor<B, 3>, length: usize, stride: usize) -> Tensor<B, 3> {
    avg_pool1d(x, length, stride, 0, true, false)
}

/// Maxima over windows of the last axis; a remainder is left out.
pub fn max_pool<B: Backend>(x: Tensor<B, 3>, length: usize, stride: usize) -> Tensor<B, 3> {
    max_pool1d(x, length, stride, 0, 1, false)
}

/// Scales down each row of `(n_rows, n)` whose Euclidean norm exceeds `max_norm`, as
/// PyTorch's `renorm` does.
pub fn renorm<B: Backend>(rows: Tensor<B, 2>, max_norm: f64) -> Tensor<B, 2> {
    // The square root has no gradient at 0.
    let norm = rows.clone().square().sum_dim(1).clamp_min(1e-24).sqrt();
    let is_within = norm.clone().lower_equal_elem(max_norm);
    let scale = ((norm + 1e-7).recip() * max_norm).mask_fill(is_within, 1.0);
    rows * scale
}
