//! Networks that decide about windows, one file each, generic over burn's backend.
//!
//! A network takes `(batch, n_channels, n_samples)` and gives logits `(batch, n_classes)`.
//! It is *not* a decoder: filters, windows and scaling of the signal come before it, and
//! the softmax behind it.
//!
//! A [`NetworkConfig`] describes a network, [`NetworkConfig::build`] draws its weights
//! for a [`Geometry`]. Weights have PyTorch's shapes; [`Network::torch_names`] tells how
//! braindecode calls them.

pub mod attention;
pub mod basenet;
pub mod conformer;
pub mod cost;
pub mod ctnet;
pub mod deep4;
pub mod eegnet;
pub mod encoder;
pub mod filter_bank;
pub mod layers;
pub mod shallow;

use self::cost::{Cost, check_counts};
use self::layers::{Builder, Pass};
use crate::random::Random;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// What a network is fed, and what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geometry {
    /// Channels of a window.
    pub n_channels: usize,
    /// Samples of a window.
    pub n_samples: usize,
    /// Classes to tell apart.
    pub n_classes: usize,
}

/// Why a network can't be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Correct the description.
    #[error("`{name}` of the network can't be used: {why}")]
    BadParameter {
        /// As the description calls it.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Decide about longer windows, or shorten filters and pooling.
    #[error(
        "windows of {n_samples} samples are too short for the network: {left} are left where {what} needs {needed}"
    )]
    TooShort {
        /// Samples of a window.
        n_samples: usize,
        /// Where it stops.
        what: &'static str,
        /// Samples needed there.
        needed: usize,
        /// Samples left there.
        left: usize,
    },
    /// Use fewer filters, layers or channels.
    #[error("the network would have {n_parameters} parameters, which no memory here would hold")]
    TooLarge {
        /// How many.
        n_parameters: u64,
    },
    /// Give a position for each channel.
    #[error("{n_positions} sensor positions are given for {n_channels} channels")]
    Positions {
        /// Positions given.
        n_positions: usize,
        /// Channels of a window.
        n_channels: usize,
    },
}

/// The `[network]` table of a description: which network, and its numbers.
///
/// What is not given is what braindecode or the paper uses.
///
/// ```
/// use models::net::{Geometry, NetworkConfig};
///
/// let text = "kind = \"eegnet\"\ndrop_probability = 0.5";
/// let network: NetworkConfig = toml::from_str(text)?;
/// let geometry = Geometry { n_channels: 22, n_samples: 500, n_classes: 4 };
/// assert_eq!(network.cost(geometry)?.n_parameters, 2420);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NetworkConfig {
    /// EEGNet.
    Eegnet(eegnet::EegnetConfig),
    /// Shallow convolutional network.
    Shallow(shallow::ShallowConfig),
    /// Deep convolutional network with four blocks.
    Deep4(deep4::Deep4Config),
    /// Streaming decisions by average pooling.
    Basenet(basenet::BasenetConfig),
    /// Compact convolutions, then a transformer.
    Ctnet(ctnet::CtnetConfig),
    /// EEG Conformer.
    Conformer(conformer::ConformerConfig),
    /// Our transformer encoder.
    Encoder(encoder::EncoderConfig),
}

/// A network with its weights.
#[derive(Module, Debug)]
pub enum Network<B: Backend> {
    /// EEGNet.
    Eegnet(eegnet::Eegnet<B>),
    /// Shallow convolutional network.
    Shallow(shallow::Shallow<B>),
    /// Deep convolutional network with four blocks.
    Deep4(deep4::Deep4<B>),
    /// Streaming decisions by average pooling.
    Basenet(basenet::Basenet<B>),
    /// Compact convolutions, then a transformer.
    Ctnet(ctnet::Ctnet<B>),
    /// EEG Conformer.
    Conformer(conformer::Conformer<B>),
    /// Our transformer encoder.
    Encoder(encoder::Encoder<B>),
}

impl Geometry {
    fn check(self) -> Result<(), NetError> {
        check_counts(&[
            ("n_channels", self.n_channels),
            ("n_samples", self.n_samples),
            ("n_classes", self.n_classes),
        ])
    }
}

impl NetworkConfig {
    /// Checks the description, and counts what it makes.
    ///
    /// # Errors
    /// [`NetError::BadParameter`], [`NetError::TooShort`] and [`NetError::TooLarge`].
    pub fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        geometry.check()?;
        let cost = match self {
            Self::Eegnet(config) => config.cost(geometry),
            Self::Shallow(config) => config.cost(geometry),
            Self::Deep4(config) => config.cost(geometry),
            Self::Basenet(config) => config.cost(geometry),
            Self::Ctnet(config) => config.cost(geometry),
            Self::Conformer(config) => config.cost(geometry),
            Self::Encoder(config) => config.cost(geometry),
        };
        cost?.check()
    }

    /// Draws the weights from `seed`: the same on every device.
    ///
    /// `positions` are the sensors' places in metres, which the encoder alone asks for.
    ///
    /// # Errors
    /// Those of [`Self::cost`]; [`NetError::Positions`] where the encoder has not one
    /// position for each channel.
    pub fn build<B: Backend>(
        &self,
        geometry: Geometry,
        positions: &[[f64; 3]],
        seed: u64,
        device: &B::Device,
    ) -> Result<Network<B>, NetError> {
        self.cost(geometry)?;
        let random = &mut Random::new(seed, 0);
        let builder = &mut Builder { random, device };
        Ok(match self {
            Self::Eegnet(config) => Network::Eegnet(config.build(geometry, builder)?),
            Self::Shallow(config) => Network::Shallow(config.build(geometry, builder)?),
            Self::Deep4(config) => Network::Deep4(config.build(geometry, builder)?),
            Self::Basenet(config) => Network::Basenet(config.build(geometry, builder)),
            Self::Ctnet(config) => Network::Ctnet(config.build(geometry, builder)?),
            Self::Conformer(config) => Network::Conformer(config.build(geometry, builder)?),
            Self::Encoder(config) => Network::Encoder(config.build(geometry, positions, builder)?),
        })
    }

    /// The network's name, as `kind` gives it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Eegnet(_) => "eegnet",
            Self::Shallow(_) => "shallow",
            Self::Deep4(_) => "deep4",
            Self::Basenet(_) => "basenet",
            Self::Ctnet(_) => "ctnet",
            Self::Conformer(_) => "conformer",
            Self::Encoder(_) => "encoder",
        }
    }
}

impl<B: Backend> Network<B> {
    /// Logits `(batch, n_classes)` of windows `(batch, n_channels, n_samples)`.
    ///
    /// Thread: any, and on the CPU it uses no other. Allocation: the layers' outputs.
    ///
    /// # Panics
    /// Where the windows are not of the geometry the network was built for.
    pub fn forward(&self, x: Tensor<B, 3>, pass: &mut Pass) -> Tensor<B, 2> {
        self.forward_of(x, None, pass)
    }

    /// The same, with the number of each window's subject, from 1. Networks without a
    /// subject token take no notice.
    ///
    /// # Panics
    /// Where the windows are not of the geometry the network was built for, or a subject
    /// is beyond the network's.
    pub fn forward_of(
        &self,
        x: Tensor<B, 3>,
        subjects: Option<&[usize]>,
        pass: &mut Pass,
    ) -> Tensor<B, 2> {
        match self {
            Self::Eegnet(net) => net.forward(x, pass),
            Self::Shallow(net) => net.forward(x, pass),
            Self::Deep4(net) => net.forward(x, pass),
            Self::Basenet(net) => net.forward(x, pass),
            Self::Ctnet(net) => net.forward(x, pass),
            Self::Conformer(net) => net.forward(x, pass),
            Self::Encoder(net) => net.forward(x, subjects, pass),
        }
    }

    /// How braindecode calls weights: pairs of a beginning of our name and of theirs. A
    /// `*` stands for a number that both have.
    pub fn torch_names(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Eegnet(_) => eegnet::TORCH_NAMES,
            Self::Shallow(_) => shallow::TORCH_NAMES,
            Self::Deep4(_) => deep4::TORCH_NAMES,
            Self::Basenet(_) => basenet::TORCH_NAMES,
            Self::Ctnet(_) => ctnet::TORCH_NAMES,
            Self::Conformer(_) => conformer::TORCH_NAMES,
            Self::Encoder(_) => &[],
        }
    }
}
