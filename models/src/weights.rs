//! The numbers of a network by name, and files that hold them.
//!
//! A file is in the safetensors format: a short table of names, types and shapes, then
//! the numbers, little-endian. It is data alone, and every size in it is checked before
//! anything is allocated.

use crate::net::Network;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Largest file that is read.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// A message lists so many names, and counts the rest.
const MAX_LISTED: usize = 8;

/// One tensor, by rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// As many values as the product of its dimensions.
    pub values: Vec<f32>,
}

/// Tensors by name, and words about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Name and numbers of each tensor.
    pub tensors: BTreeMap<String, Values>,
    /// What a file says about itself.
    pub metadata: BTreeMap<String, String>,
}

/// Why weights can't be written, read or put into a network. The path stands last.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Check that the path exists and may be read or written.
    #[error("weights can't be {action}: {source}: {}", path.display())]
    Io {
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// It is no file of weights, or it is damaged: check the path, or copy it again.
    #[error("not a file of weights ({why}): {}", path.display())]
    NotWeights {
        /// What is wrong with it.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// The weights are of another network: describe the network that they are of.
    #[error(
        "the weights do not fit the network{}",
        list_mismatch(missing, unexpected, wrong_shapes)
    )]
    Mismatch {
        /// Tensors of the network that are not among the weights.
        missing: Vec<String>,
        /// Weights that the network has no tensor for.
        unexpected: Vec<String>,
        /// Name, shape in the network, shape among the weights.
        wrong_shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
    },
    /// They were damaged, or their training failed: use an earlier file.
    #[error("`{name}` of the weights holds a value that is not finite")]
    NotFinite {
        /// The tensor.
        name: String,
    },
}

fn list_mismatch(
    missing: &[String],
    unexpected: &[String],
    wrong_shapes: &[(String, Vec<usize>, Vec<usize>)],
) -> String {
    let shapes: Vec<String> = wrong_shapes
        .iter()
        .map(|(name, expected, found)| format!("{name} is {found:?} instead of {expected:?}"))
        .collect();
    [("missing", missing), ("unexpected", unexpected), ("wrong shapes", &shapes)]
        .into_iter()
        .filter(|(_, items)| !items.is_empty())
        .map(|(what, items)| {
            let listed = items[..items.len().min(MAX_LISTED)].join(", ");
            match items.len().checked_sub(MAX_LISTED + 1) {
                Some(more) => format!("; {what}: {listed} and {} more", more + 1),
                None => format!("; {what}: {listed}"),
            }
        })
        .collect()
}

impl Weights {
    /// All weights and running statistics of a network, by our names.
    pub fn of<B: Backend>(network: &Network<B>) -> Self {
        let mut reader = Reader { path: Vec::new(), found: BTreeMap::new() };
        network.visit(&mut reader);
        Self { tensors: reader.found, metadata: BTreeMap::new() }
    }

    /// The gradient of each parameter of a network that has one, by our names.
    pub fn of_gradients<B: AutodiffBackend>(network: &Network<B>, found: &B::Gradients) -> Self {
        struct Gradients<'a, B: AutodiffBackend> {
            path: Names,
            all: &'a B::Gradients,
            found: BTreeMap<String, Values>,
        }
        impl<B: AutodiffBackend> ModuleVisitor<B> for Gradients<'_, B> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
                if let Some(gradient) = param.val().grad(self.all) {
                    self.found.insert(self.path.join("."), values_of(&gradient));
                }
            }
            fn enter_module(&mut self, name: &str, container: &str) {
                enter(&mut self.path, name, container);
            }
            fn exit_module(&mut self, _: &str, container: &str) {
                leave(&mut self.path, container);
            }
        }
        let mut visitor = Gradients { path: Vec::new(), all: found, found: BTreeMap::new() };
        network.visit(&mut visitor);
        Self { tensors: visitor.found, metadata: BTreeMap::new() }
    }

    /// Puts them into a network, by our names.
    ///
    /// # Errors
    /// [`WeightsError::Mismatch`] and [`WeightsError::NotFinite`]; the network's weights
    /// are then as they were.
    pub fn put_into<B: Backend>(&self, network: Network<B>) -> Result<Network<B>, WeightsError> {
        self.check_fits(&shapes(&network))?;
        Ok(network.map(&mut Writer { path: Vec::new(), weights: self }))
    }

    /// Whether names and shapes are exactly those `expected`, and all values are finite.
    pub(crate) fn check_fits(
        &self,
        expected: &BTreeMap<String, Vec<usize>>,
    ) -> Result<(), WeightsError> {
        let missing: Vec<String> =
            expected.keys().filter(|name| !self.tensors.contains_key(*name)).cloned().collect();
        let unexpected: Vec<String> =
            self.tensors.keys().filter(|name| !expected.contains_key(*name)).cloned().collect();
        let wrong_shapes: Vec<_> = expected
            .iter()
            .filter_map(|(name, shape)| {
                let found = &self.tensors.get(name)?.shape;
                (found != shape).then(|| (name.clone(), shape.clone(), found.clone()))
            })
            .collect();
        if !(missing.is_empty() && unexpected.is_empty() && wrong_shapes.is_empty()) {
            return Err(WeightsError::Mismatch { missing, unexpected, wrong_shapes });
        }
        self.check_finite()
    }

    /// Refuses infinities and NaN.
    pub(crate) fn check_finite(&self) -> Result<(), WeightsError> {
        let is_bad = |values: &Values| !values.values.iter().all(|value| value.is_finite());
        match self.tensors.iter().find(|(_, values)| is_bad(values)) {
            Some((name, _)) => Err(WeightsError::NotFinite { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The same tensors under other names.
    #[must_use]
    pub fn renamed(self, rename: impl Fn(&str) -> String) -> Self {
        let tensors = self.tensors.into_iter().map(|(name, values)| (rename(&name), values));
        Self { tensors: tensors.collect(), metadata: self.metadata }
    }

    /// Reads a file. Integers are left out: they are counters of PyTorch's.
    ///
    /// # Errors
    /// [`WeightsError::Io`], and [`WeightsError::NotWeights`] also for other types than
    /// 32-bit floats.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let bytes = read_bounded(path)?;
        Self::from_bytes(&bytes)
            .map_err(|why| WeightsError::NotWeights { why, path: path.to_path_buf() })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            match view.dtype() {
                Dtype::F32 => {
                    let (values, _) = view.data().as_chunks();
                    let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                    tensors.insert(name.to_owned(), Values { shape: view.shape().into(), values });
                }
                Dtype::I32 | Dtype::I64 => {}
                other => return Err(format!("`{name}` holds {other:?}, 32-bit floats are read")),
            }
        }
        let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(Self { tensors, metadata })
    }

    /// Writes a file: to a neighbouring one first, which is renamed when it is whole and
    /// on the disk, so that a crash leaves the old file or the new one.
    ///
    /// # Errors
    /// [`WeightsError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), WeightsError> {
        let io = |source| WeightsError::Io { action: "written", source, path: path.into() };
        write_whole(path, &self.to_bytes()).map_err(io)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let bytes: BTreeMap<&String, Vec<u8>> = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                (name, tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
            })
            .collect();
        let views = self.tensors.iter().map(|(name, tensor)| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), &bytes[name])
                .expect("a tensor has as many values as its shape says");
            (name.as_str(), view)
        });
        let metadata: HashMap<String, String> = self.metadata.clone().into_iter().collect();
        serialize(views, (!metadata.is_empty()).then_some(metadata))
            .expect("names and shapes always serialise")
    }
}

/// Writes `bytes` beside `path`, and renames when they are on the disk.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let mut file = fs::File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The new name is on the disk when its folder is; not every system can open one.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match fs::File::open(folder.unwrap_or(Path::new("."))) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, WeightsError> {
    let io = |source| WeightsError::Io { action: "read", source, path: path.into() };
    let file = fs::File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.len() > MAX_FILE_BYTES {
        let why = format!("it is larger than {} GiB", MAX_FILE_BYTES >> 30);
        return Err(WeightsError::NotWeights { why, path: path.into() });
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Name and shape of every tensor of a network, by our names.
pub(crate) fn shapes<B: Backend>(network: &Network<B>) -> BTreeMap<String, Vec<usize>> {
    struct Shapes(Names, BTreeMap<String, Vec<usize>>);
    impl<B: Backend> ModuleVisitor<B> for Shapes {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.1.insert(self.0.join("."), param.val().dims().to_vec());
        }
        fn enter_module(&mut self, name: &str, container: &str) {
            enter(&mut self.0, name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            leave(&mut self.0, container);
        }
    }
    let mut shapes = Shapes(Vec::new(), BTreeMap::new());
    network.visit(&mut shapes);
    shapes.1
}

/// Names of the modules on the way to a tensor.
pub(crate) type Names = Vec<String>;

/// Goes into a module; which kind of network it is, is no part of a name.
pub(crate) fn enter(path: &mut Names, name: &str, container: &str) {
    if !container.starts_with("Enum:") {
        path.push(name.to_owned());
    }
}

/// Comes out of a module.
pub(crate) fn leave(path: &mut Names, container: &str) {
    if !container.starts_with("Enum:") {
        path.pop();
    }
}

/// The numbers of a tensor on the host.
pub(crate) fn values_of<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Values {
    let data = tensor.to_data().convert::<f32>();
    let values = data.to_vec().expect("the data were converted to this type");
    Values { shape: tensor.dims().to_vec(), values }
}

struct Reader {
    path: Names,
    found: BTreeMap<String, Values>,
}

impl<B: Backend> ModuleVisitor<B> for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.found.insert(self.path.join("."), values_of(&param.val()));
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        leave(&mut self.path, container);
    }
}

struct Writer<'a> {
    path: Names,
    weights: &'a Weights,
}

impl<B: Backend> ModuleMapper<B> for Writer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let (id, old, mapper) = param.consume();
        let values = &self.weights.tensors[&self.path.join(".")];
        let data = TensorData::new(values.values.clone(), values.shape.clone());
        let new = Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad());
        Param::from_mapped_value(id, new, mapper)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        enter(&mut self.path, name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        leave(&mut self.path, container);
    }
}
