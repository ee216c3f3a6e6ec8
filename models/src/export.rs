//! Weights for PyTorch, as braindecode names them.
//!
//! The file is a state dict: `net.load_state_dict(safetensors.torch.load_file(path))`
//! fills a network of braindecode 1.8.1 that was built with the same numbers. What it has
//! no class for, our encoder, keeps our names.

use crate::import::torch_name;
use crate::net::Network;
use crate::weights::{Weights, WeightsError, shapes};
use burn::tensor::backend::Backend;
use std::collections::BTreeMap;
use std::path::Path;

/// PyTorch's name of each of our names.
pub fn torch_names<B: Backend>(network: &Network<B>) -> BTreeMap<String, String> {
    let pairs = network.torch_names();
    shapes(network).into_keys().map(|ours| (ours.clone(), torch_name(&ours, pairs))).collect()
}

/// Weights and running statistics under PyTorch's names.
pub fn to_torch<B: Backend>(network: &Network<B>) -> Weights {
    let pairs = network.torch_names();
    Weights::of(network).renamed(|name| torch_name(name, pairs))
}

/// Writes a state dict, whole or not at all.
///
/// # Errors
/// [`WeightsError::Io`].
pub fn write_torch<B: Backend>(path: &Path, network: &Network<B>) -> Result<(), WeightsError> {
    to_torch(network).write(path)
}
