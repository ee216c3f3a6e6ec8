//! Weights of PyTorch, as braindecode names them.
//!
//! braindecode 1.8.1's `EEGNet`, `ShallowFBCSPNet`, `Deep4Net`, `AttentionBaseNet`
//! without attention, `CTNet` and `EEGConformer` are known. Their state dict is saved by
//! `safetensors.torch.save_file(net.state_dict(), path)`; a pickle can hold code, and is
//! not read.

use crate::net::Network;
use crate::weights::{Weights, WeightsError, shapes};
use burn::tensor::backend::Backend;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads a state dict into a network that was built as braindecode's was.
///
/// # Errors
/// Those of [`Weights::read`] and [`from_torch`].
pub fn read_torch<B: Backend>(
    path: &Path,
    network: Network<B>,
) -> Result<Network<B>, WeightsError> {
    from_torch(Weights::read(path)?, network)
}

/// Puts weights under PyTorch's names into a network that was built as braindecode's was.
///
/// # Errors
/// [`WeightsError::Mismatch`] with PyTorch's names, all of them; [`WeightsError::NotFinite`].
/// The network's weights are then as they were.
pub fn from_torch<B: Backend>(
    weights: Weights,
    network: Network<B>,
) -> Result<Network<B>, WeightsError> {
    let names = network.torch_names();
    let ours: BTreeMap<String, String> =
        shapes(&network).into_keys().map(|name| (torch_name(&name, names), name)).collect();
    let expected = shapes(&network)
        .into_iter()
        .map(|(name, shape)| (torch_name(&name, names), shape))
        .collect();
    let mut weights = weights;
    // Exported by PyTorch as an integer, which is not read, or by others as a float.
    weights.tensors.retain(|name, _| !name.ends_with(".num_batches_tracked"));
    weights.check_fits(&expected)?;
    weights.renamed(|name| ours[name].clone()).put_into(network)
}

/// What PyTorch calls our `name`: the first pair whose beginning is the name's.
pub(crate) fn torch_name(name: &str, pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .find_map(|(ours, theirs)| {
            let (number, rest) = match ours.split_once('*') {
                None => ("", name.strip_prefix(ours)?),
                Some((before, after)) => {
                    let (number, rest) = name.strip_prefix(before)?.split_once('.')?;
                    (number, rest.strip_prefix(after.strip_prefix('.')?)?)
                }
            };
            Some(theirs.replace('*', number) + rest)
        })
        .unwrap_or_else(|| name.to_owned())
}
