//! A linear map over channels with labels in and out, and its plan for a stream.

mod sparse;

use super::{SpatialError, owned_labels, position_of};
use crate::matrix::Matrix;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};
use sparse::SparseRows;

/// `y = W x` of one frame `x`: which channels go in, which come out, and the weights
/// `(n_outputs, n_inputs)`. Any unit goes through; every label stands once on its side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct ChannelMap {
    inputs: Vec<String>,
    outputs: Vec<String>,
    weights: Matrix,
}

/// The fields as written, before they are checked.
#[derive(Serialize, Deserialize)]
struct Fields {
    inputs: Vec<String>,
    outputs: Vec<String>,
    weights: Matrix,
}

impl ChannelMap {
    /// The map of these weights, one row per output.
    pub fn new(
        inputs: &[impl AsRef<str>],
        outputs: &[impl AsRef<str>],
        weights: Matrix,
    ) -> Result<Self, SpatialError> {
        let (inputs, outputs) = (owned_labels(inputs)?, owned_labels(outputs)?);
        let (n_rows, n_cols) = (weights.n_rows(), weights.n_cols());
        if (n_rows, n_cols) == (outputs.len(), inputs.len()) {
            return Ok(Self { inputs, outputs, weights });
        }
        let (n_outputs, n_inputs) = (outputs.len(), inputs.len());
        Err(SpatialError::WrongShape { n_rows, n_cols, n_outputs, n_inputs })
    }

    /// As [`ChannelMap::new`], from a matrix to compute with.
    pub(super) fn from_faer(
        inputs: &[impl AsRef<str>],
        outputs: &[impl AsRef<str>],
        weights: MatRef<'_, f64>,
    ) -> Result<Self, SpatialError> {
        Self::new(inputs, outputs, Matrix::from_faer(weights)?)
    }

    /// Every channel minus the mean of all: `I - 11ᵀ/n`. The outputs sum to zero, so
    /// their covariance is singular until it is shrunk.
    pub fn common_average(labels: &[impl AsRef<str>]) -> Result<Self, SpatialError> {
        Self::linked(labels, labels)
    }

    /// Every channel minus the mean of `references`, by label (both mastoids, say).
    pub fn linked(
        labels: &[impl AsRef<str>],
        references: &[impl AsRef<str>],
    ) -> Result<Self, SpatialError> {
        let n = labels.len();
        if references.is_empty() {
            return Err(SpatialError::TooFewChannels { n_channels: 0, needed: 1 });
        }
        let mut weights = Mat::<f64>::identity(n, n);
        let share = 1.0 / references.len() as f64;
        for reference in references {
            let from = position_of(labels, reference.as_ref())?;
            weights.col_mut(from).iter_mut().for_each(|w| *w -= share);
        }
        Self::from_faer(labels, labels, weights.as_ref())
    }

    /// Differences of pairs of channels, `anode - cathode`, called `anode-cathode`.
    pub fn bipolar(
        labels: &[impl AsRef<str>],
        pairs: &[(&str, &str)],
    ) -> Result<Self, SpatialError> {
        let mut weights = Mat::<f64>::zeros(pairs.len(), labels.len());
        for (row, (anode, cathode)) in pairs.iter().enumerate() {
            weights[(row, position_of(labels, anode)?)] += 1.0;
            weights[(row, position_of(labels, cathode)?)] -= 1.0;
        }
        let names: Vec<_> = pairs.iter().map(|(a, c)| format!("{a}-{c}")).collect();
        Self::from_faer(labels, &names, weights.as_ref())
    }

    /// Labels of the channels that go in, in the order of the weights' columns.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Labels of the channels that come out, in the order of the weights' rows.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// The weights `(n_outputs, n_inputs)`.
    pub fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// This map and then `next`, which takes its inputs by label from this one's outputs.
    pub fn then(&self, next: &Self) -> Result<Self, SpatialError> {
        let second = next.columns_for(&self.outputs)?;
        let weights = second * self.weights.to_faer();
        Self::from_faer(&self.inputs, &next.outputs, weights.as_ref())
    }

    /// Plans the map for frames of `stream` channels, found by label; channels that the
    /// map does not take are passed over. Allocates.
    pub fn plan(&self, stream: &[impl AsRef<str>]) -> Result<ChannelMapper, SpatialError> {
        Ok(ChannelMapper::new(self.columns_for(stream)?))
    }

    /// The weights with one column per channel of `stream`.
    fn columns_for(&self, stream: &[impl AsRef<str>]) -> Result<Mat<f64>, SpatialError> {
        let mut wide = Mat::zeros(self.outputs.len(), stream.len());
        for (from, label) in self.inputs.iter().enumerate() {
            let to = position_of(stream, label)?;
            for row in 0..self.outputs.len() {
                wide[(row, to)] = self.weights.row(row)[from];
            }
        }
        Ok(wide)
    }
}

impl TryFrom<Fields> for ChannelMap {
    type Error = SpatialError;
    fn try_from(fields: Fields) -> Result<Self, SpatialError> {
        Self::new(&fields.inputs, &fields.outputs, fields.weights)
    }
}

impl From<ChannelMap> for Fields {
    fn from(map: ChannelMap) -> Self {
        Self { inputs: map.inputs, outputs: map.outputs, weights: map.weights }
    }
}

/// A channel map planned for the channels of a stream. It has no state: the same frame
/// gives the same result, in any order and any chunking.
///
/// Memory: `n_outputs * n_inputs` weights, or where most are zero (bipolar, Laplacian,
/// interpolation of a few channels) those that are not.
#[derive(Clone, Debug)]
pub struct ChannelMapper {
    n_inputs: usize,
    n_outputs: usize,
    weights: Weights,
}

/// The weights as they are multiplied.
#[derive(Clone, Debug)]
enum Weights {
    Dense(Mat<f64>),
    Sparse(SparseRows),
}

impl ChannelMapper {
    fn new(weights: Mat<f64>) -> Self {
        let (n_outputs, n_inputs) = weights.shape();
        let weights = match SparseRows::of(weights.as_ref()) {
            Some(rows) => Weights::Sparse(rows),
            None => Weights::Dense(weights),
        };
        Self { n_inputs, n_outputs, weights }
    }

    /// Values in a frame that goes in.
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// Values in a frame that comes out.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Writes the map of `frame` into `out`.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_inputs` values or `out` not `n_outputs`.
    pub fn apply_frame(&self, frame: &[f64], out: &mut [f64]) {
        assert_eq!(frame.len(), self.n_inputs, "frame of another stream");
        assert_eq!(out.len(), self.n_outputs, "frame of another map");
        match &self.weights {
            Weights::Dense(weights) => {
                out.fill(0.0);
                for (column, x) in weights.col_iter().zip(frame) {
                    out.iter_mut().zip(column.iter()).for_each(|(y, w)| *y += w * x);
                }
            }
            Weights::Sparse(rows) => rows.apply(frame, out),
        }
    }

    /// Writes the map of `samples` `(n_inputs, n_samples)` into `out`
    /// `(n_outputs, n_samples)`.
    ///
    /// Thread: any. Allocation: the matrix product's own for large matrices, and a frame
    /// each where frames do not lie together (channels as rows of a row-major array).
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn apply_into(&self, samples: MatRef<'_, f64>, mut out: MatMut<'_, f64>) {
        assert_eq!(samples.nrows(), self.n_inputs, "samples of another stream");
        assert_eq!(out.shape(), (self.n_outputs, samples.ncols()), "samples of another map");
        match &self.weights {
            Weights::Dense(weights) => {
                matmul(out, Accum::Replace, weights, samples, 1.0, Par::Seq);
            }
            Weights::Sparse(rows) => {
                // Frame by frame: they lie together in memory, or are brought together.
                let (mut frame, mut mapped) = (Vec::new(), Vec::new());
                for t in 0..samples.ncols() {
                    let (from, mut to) = (samples.col(t), out.as_mut().col_mut(t));
                    let whole = from.try_as_col_major().zip(to.as_mut().try_as_col_major_mut());
                    if let Some((from, to)) = whole {
                        rows.apply(from.as_slice(), to.as_slice_mut());
                        continue;
                    }
                    frame.clear();
                    frame.extend(from.iter());
                    mapped.resize(self.n_outputs, 0.0);
                    rows.apply(&frame, &mut mapped);
                    to.iter_mut().zip(&mapped).for_each(|(y, x)| *y = *x);
                }
            }
        }
    }
}
