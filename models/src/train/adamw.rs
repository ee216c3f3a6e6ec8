//! AdamW: steps of about the same size for every parameter, with decoupled weight decay.

use super::TrainError;
use crate::net::Network;
use crate::weights::{Names, Values, Weights, enter, leave, values_of};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The numbers of AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWParams {
    /// How much of the mean gradient is kept from step to step.
    pub beta_1: f64,
    /// How much of the mean squared gradient is kept.
    pub beta_2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f64,
    /// Part of each weight taken off per step, times the step's size. Vectors (biases,
    /// scales of normalisations) are left alone.
    pub weight_decay: f64,
}

impl Default for AdamWParams {
    /// PyTorch's.
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

impl AdamWParams {
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let is_part = |value: f64| (0.0..1.0).contains(&value);
        let is_good = [
            ("beta_1", is_part(self.beta_1)),
            ("beta_2", is_part(self.beta_2)),
            ("epsilon", self.epsilon > 0.0 && self.epsilon.is_finite()),
            ("weight_decay", self.weight_decay >= 0.0 && self.weight_decay.is_finite()),
        ];
        match is_good.into_iter().find(|(_, good)| !good) {
            Some((name, _)) => {
                let why = "it is out of range".to_owned();
                Err(TrainError::BadParameter { name, why })
            }
            None => Ok(()),
        }
    }
}

/// AdamW with what it remembers of each parameter.
///
/// `m` and `v` are running means of the gradient and its square, each divided by
/// `1 - beta^t` at step `t`; a step is `w -= rate (decay w + m / (sqrt(v) + epsilon))`,
/// which is PyTorch's.
///
/// # Reference
/// I. Loshchilov, F. Hutter: Decoupled weight decay regularization (2019),
/// arXiv:1711.05101.
#[derive(Clone, Debug)]
pub struct AdamW<B: Backend> {
    params: AdamWParams,
    n_steps: usize,
    /// `m` and `v` of each parameter by our name, as vectors.
    means: BTreeMap<String, [Tensor<B, 1>; 2]>,
}

impl<B: Backend> AdamW<B> {
    /// Nothing is remembered yet.
    pub fn new(params: AdamWParams) -> Self {
        Self { params, n_steps: 0, means: BTreeMap::new() }
    }

    /// Steps taken.
    pub fn n_steps(&self) -> usize {
        self.n_steps
    }

    /// Moves every parameter that has a gradient. Gradients are scaled by `scale` first.
    pub fn step<A: AutodiffBackend<InnerBackend = B>>(
        &mut self,
        network: Network<A>,
        gradients: &A::Gradients,
        scale: f64,
        rate: f64,
    ) -> Network<A> {
        self.n_steps += 1;
        network.map(&mut Step { path: Vec::new(), state: self, gradients, scale, rate })
    }

    /// One parameter moved.
    fn moved<const D: usize>(
        &mut self,
        name: String,
        weight: Tensor<B, D>,
        gradient: Tensor<B, D>,
        rate: f64,
    ) -> Tensor<B, D> {
        let AdamWParams { beta_1, beta_2, epsilon, weight_decay } = self.params;
        let shape = weight.shape();
        let gradient = gradient.reshape([shape.num_elements()]);
        let [m, v] = self
            .means
            .remove(&name)
            .unwrap_or_else(|| [Tensor::zeros_like(&gradient), Tensor::zeros_like(&gradient)]);
        let m = m * beta_1 + gradient.clone() * (1.0 - beta_1);
        let v = v * beta_2 + gradient.square() * (1.0 - beta_2);
        let corrected = |beta: f64| 1.0 - beta.powi(self.n_steps.min(1 << 30) as i32);
        let root = v.clone().sqrt() / corrected(beta_2).sqrt() + epsilon;
        let direction = m.clone() / root * (rate / corrected(beta_1));
        self.means.insert(name, [m, v]);
        let decay = if D > 1 { rate * weight_decay } else { 0.0 };
        weight * (1.0 - decay) - direction.reshape(shape)
    }

    /// What it remembers, as tensors `m.*` and `v.*`.
    pub(super) fn to_weights(&self) -> Weights {
        let tensors = self.means.iter().flat_map(|(name, means)| {
            ["m", "v"]
                .into_iter()
                .zip(means)
                .map(move |(which, mean)| (format!("{which}.{name}"), values_of(mean)))
        });
        Weights { tensors: tensors.collect(), ..Weights::default() }
    }

    /// What it remembered after `n_steps`. `None` where a mean lacks its other half.
    pub(super) fn from_weights(
        params: AdamWParams,
        n_steps: usize,
        weights: &Weights,
        device: &B::Device,
    ) -> Option<Self> {
        let tensor = |values: &Values| {
            let n = values.values.len();
            Tensor::from_data(TensorData::new(values.values.clone(), [n]), device)
        };
        let firsts =
            weights.tensors.iter().filter_map(|(name, m)| Some((name.strip_prefix("m.")?, m)));
        let means = firsts
            .map(|(name, m)| {
                let v = weights.tensors.get(&format!("v.{name}"))?;
                Some((name.to_owned(), [tensor(m), tensor(v)]))
            })
            .collect::<Option<_>>()?;
        Some(Self { params, n_steps, means })
    }
}

struct Step<'a, A: AutodiffBackend> {
    path: Names,
    state: &'a mut AdamW<A::InnerBackend>,
    gradients: &'a A::Gradients,
    scale: f64,
    rate: f64,
}

impl<A: AutodiffBackend> ModuleMapper<A> for Step<'_, A> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        let (id, weight, mapper) = param.consume();
        let Some(gradient) = weight.grad(self.gradients) else {
            return Param::from_mapped_value(id, weight, mapper);
        };
        let name = self.path.join(".");
        let moved = self.state.moved(name, weight.inner(), gradient * self.scale, self.rate);
        Param::from_mapped_value(id, Tensor::from_inner(moved).require_grad(), mapper)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        leave(&mut self.path, container);
    }
}

/// Euclidean norm of all gradients together.
pub fn gradient_norm<B: AutodiffBackend<FloatElem = f32>>(
    network: &Network<B>,
    gradients: &B::Gradients,
) -> f64 {
    struct Squares<'a, B: AutodiffBackend> {
        gradients: &'a B::Gradients,
        sum: Option<Tensor<B::InnerBackend, 1>>,
    }
    impl<B: AutodiffBackend> ModuleVisitor<B> for Squares<'_, B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            if let Some(gradient) = param.val().grad(self.gradients) {
                let square = gradient.square().sum();
                self.sum = Some(match self.sum.take() {
                    Some(sum) => sum + square,
                    None => square,
                });
            }
        }
    }
    let mut squares = Squares::<B> { gradients, sum: None };
    network.visit(&mut squares);
    squares.sum.map_or(0.0, |sum| f64::from(sum.into_scalar()).sqrt())
}
