//! Networks as the last step of a pipeline: fitted to its windows, and deciding.
//!
//! Windows are standardised by each channel's mean and deviation in the training part, the
//! network is trained on [`Device`], and its best weights go into the fitted pipeline as plain
//! numbers. The examples that are validated on are the last ones, and what shares samples with
//! them is not trained on.

use crate::backend::{Device, Job};
use crate::net::layers::Pass;
use crate::net::{Geometry, Network, NetworkConfig};
use crate::train::augment::Mirror;
use crate::train::{Epoch, Examples, Task, TrainingConfig, train};
use crate::weights::{Values, Weights};
use acquisition::montage::position_m;
use burn::tensor::activation::softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use decoding::pipeline::network::{
    FittedNetwork, NetworkExamples, NetworkRuntime, NetworkWeights, Networks,
};
use decoding::pipeline::step;
use decoding::window::Planar;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

#[cfg(test)]
mod tests;

/// Called after each epoch, with the number of epochs there will be at most.
pub type Watch = Box<dyn Fn(&Epoch, usize) + Send + Sync>;

/// Fits and runs the networks of pipelines.
#[derive(Default)]
pub struct Neural {
    /// Where they are computed.
    pub device: Device,
    /// Who is told of epochs.
    pub watch: Option<Watch>,
}

/// Which network, and how it is trained.
fn read(step: &step::Network) -> Result<(NetworkConfig, TrainingConfig), String> {
    let mut network = step.network.clone();
    if network.contains_key("kind") {
        return Err("`network`: `kind` stands beside it, not in it".to_owned());
    }
    network.insert("kind".to_owned(), toml::Value::String(step.kind.clone()));
    let network: NetworkConfig =
        network.try_into().map_err(|error| format!("`network`: {}", one_line(&error)))?;
    let training = step.training.clone().try_into();
    Ok((network, training.map_err(|error| format!("`training`: {}", one_line(&error)))?))
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

impl Networks for Neural {
    fn check(&self, step: &step::Network) -> Result<(), String> {
        read(step).map(drop)
    }

    fn fit(
        &self,
        step: &step::Network,
        examples: &NetworkExamples<'_>,
    ) -> Result<FittedNetwork, String> {
        let (network, training) = read(step)?;
        let first = examples.windows.first().ok_or("there is no example")?;
        let (n_channels, n_samples) = (first.n_channels(), first.n_samples());
        let geometry = Geometry { n_channels, n_samples, n_classes: examples.n_classes };
        let positions = positions(&network, examples.channels, n_channels)?;
        let (trained, validated) = held_back(examples, step.validation)?;
        let (mean, scale) = standard(examples, &trained);
        let part = |chosen: &[usize]| Examples {
            windows: chosen
                .iter()
                .flat_map(|at| standardised(examples.windows[*at], (&mean, &scale)))
                .collect(),
            labels: chosen.iter().map(|at| examples.labels[*at].index()).collect(),
            subjects: None,
        };
        let n_epochs = training.n_epochs;
        let task = Task {
            network,
            training,
            geometry,
            rate_hz: examples.rate_hz,
            mirror: mirror(examples),
            positions: positions.clone(),
            start: None,
        };
        let mut watch = |epoch: &Epoch| {
            if let Some(watch) = &self.watch {
                watch(epoch, n_epochs);
            }
            ControlFlow::Continue(())
        };
        let (training, validation) = (part(&trained), part(&validated));
        let learned = train(&task, &training, &validation, self.device, None, &mut watch)
            .map_err(|error| error.to_string())?;
        Ok(FittedNetwork {
            step: step.clone(),
            n_channels,
            n_samples,
            n_classes: examples.n_classes,
            rate_hz: examples.rate_hz,
            positions_m: positions,
            mean,
            scale,
            weights: learned.weights.tensors.into_iter().map(to_plain).collect(),
        })
    }

    fn plan(&self, fitted: &FittedNetwork) -> Result<Box<dyn NetworkRuntime>, String> {
        let (network, _) = read(&fitted.step)?;
        let job = Planning { network, fitted };
        self.device.run(job).map_err(|error| error.to_string())?
    }
}

fn to_plain((name, Values { shape, values }): (String, Values)) -> (String, NetworkWeights) {
    (name, NetworkWeights { shape, values })
}

/// Places of the sensors, which the encoder alone asks for.
fn positions(
    network: &NetworkConfig,
    labels: &[String],
    n_channels: usize,
) -> Result<Vec<[f64; 3]>, String> {
    if !matches!(network, NetworkConfig::Encoder(_)) {
        return Ok(vec![]);
    }
    if labels.len() != n_channels {
        return Err("the encoder needs the places of its channels, and their labels are not \
                    known: leave steps out that make new channels"
            .to_owned());
    }
    let place = |label: &String| {
        position_m(label).ok_or_else(|| {
            format!(
                "the encoder needs the places of its channels, and {label:?} is none of the \
                     10-10 system: pick channels that are"
            )
        })
    };
    labels.iter().map(place).collect()
}

/// Left and right exchanged: every channel's twin, and the first two tasks.
fn mirror(examples: &NetworkExamples<'_>) -> Option<Mirror> {
    let first_task = usize::from(examples.n_classes > 2);
    let pair = [first_task, first_task + 1];
    let has_labels = !examples.channels.is_empty();
    has_labels.then(|| Mirror::of_labels(examples.channels, examples.n_classes, &[pair])).flatten()
}

/// Positions of the examples that are trained on, and of the last `part`, that are not.
fn held_back(
    examples: &NetworkExamples<'_>,
    part: f64,
) -> Result<(Vec<usize>, Vec<usize>), String> {
    let n = examples.labels.len();
    let n_last = (part * n as f64).round() as usize;
    let validated: Vec<usize> = (n - n_last..n).collect();
    let shares = |at: &usize| {
        let own = &examples.spans[*at];
        validated.iter().any(|other| {
            let other = &examples.spans[*other];
            own.run == other.run
                && own.samples.start < other.samples.end
                && other.samples.start < own.samples.end
        })
    };
    let trained: Vec<usize> = (0..n - n_last).filter(|at| !shares(at)).collect();
    let has = |class: usize| trained.iter().any(|at| examples.labels[*at].index() == class);
    match (0..examples.n_classes).find(|class| !has(*class)) {
        Some(class) => Err(format!(
            "class {class} has no example before those that are validated on: calibrate longer, or \
             lower `validation`"
        )),
        None => Ok((trained, validated)),
    }
}

/// Mean and standard deviation of each channel over the examples that are trained on; 1 of a
/// channel that does not vary.
fn standard(examples: &NetworkExamples<'_>, trained: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let n_channels = examples.windows.first().map_or(0, Planar::n_channels);
    let of_channel = |c: usize| {
        let samples = || trained.iter().flat_map(|at| examples.windows[*at].channel(c));
        let n = samples().count().max(1) as f64;
        let mean = samples().sum::<f64>() / n;
        let deviation = (samples().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        (mean, if deviation > 0.0 { deviation } else { 1.0 })
    };
    (0..n_channels).map(of_channel).unzip()
}

fn standardised(window: Planar<'_>, (mean, scale): (&[f64], &[f64])) -> impl Iterator<Item = f32> {
    let channels = mean.iter().zip(scale).enumerate();
    channels.flat_map(move |(c, (mean, scale))| {
        window.channel(c).iter().map(move |x| ((x - mean) / scale) as f32)
    })
}

/// Puts a network onto a device.
struct Planning<'a> {
    network: NetworkConfig,
    fitted: &'a FittedNetwork,
}

impl Job for Planning<'_> {
    type Output = Result<Box<dyn NetworkRuntime>, String>;

    fn run<B: AutodiffBackend<FloatElem = f32>>(self, device: &B::Device) -> Self::Output {
        let FittedNetwork { n_channels, n_samples, n_classes, positions_m, .. } = self.fitted;
        let geometry =
            Geometry { n_channels: *n_channels, n_samples: *n_samples, n_classes: *n_classes };
        let built = self.network.build::<B::InnerBackend>(geometry, positions_m, 0, device);
        let built = built.map_err(|error| error.to_string())?;
        let tensors: BTreeMap<String, Values> = self
            .fitted
            .weights
            .iter()
            .map(|(name, NetworkWeights { shape, values })| {
                (name.clone(), Values { shape: shape.clone(), values: values.clone() })
            })
            .collect();
        let sizes_fit = |of: &Values| of.shape.iter().product::<usize>() == of.values.len();
        if let Some((name, _)) = tensors.iter().find(|(_, of)| !sizes_fit(of)) {
            return Err(format!("the values of {name} are not as many as its shape says"));
        }
        let weights = Weights { tensors, metadata: BTreeMap::new() };
        let network = weights.put_into(built).map_err(|error| error.to_string())?;
        Ok(Box::new(Running {
            network,
            device: device.clone(),
            geometry,
            mean: self.fitted.mean.clone(),
            scale: self.fitted.scale.clone(),
        }))
    }
}

/// A network that decides about one window at a time.
struct Running<B: Backend> {
    network: Network<B>,
    device: B::Device,
    geometry: Geometry,
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl<B: Backend<FloatElem = f32>> NetworkRuntime for Running<B> {
    fn posterior_into(&mut self, window: Planar<'_>, posterior: &mut [f64]) {
        let values: Vec<f32> = standardised(window, (&self.mean, &self.scale)).collect();
        // What is not finite decides nothing.
        if !values.iter().all(|value| value.is_finite()) {
            posterior.fill(f64::NAN);
            return;
        }
        let shape = [1, self.geometry.n_channels, self.geometry.n_samples];
        let x = Tensor::<B, 3>::from_data(TensorData::new(values, shape), &self.device);
        let shares = softmax(self.network.forward(x, &mut Pass::Infer), 1).into_data();
        let shares: Vec<f32> = shares.into_vec().unwrap_or_default();
        posterior.fill(f64::NAN);
        for (posterior, share) in posterior.iter_mut().zip(shares) {
            *posterior = f64::from(share);
        }
        // Single precision sums to 1 within 1e-7; a posterior does within 1e-15.
        let sum: f64 = posterior.iter().sum();
        for p in posterior {
            *p /= sum;
        }
    }
}
