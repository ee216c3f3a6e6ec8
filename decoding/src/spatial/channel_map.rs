//! A linear map over channels with labels in and out, and its plan for a stream.

use super::{SpatialError, owned_labels, position_of};
use crate::matrix::Matrix;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};

/// Share of weights that are not zero below which only those are multiplied.
const SPARSE_BELOW: f64 = 0.25;

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
/// Memory: `n_outputs * n_inputs` weights, or where most are zero (bipolar, Laplacian)
/// those that are not.
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
    /// Terms of every row, and where each row's terms end.
    Sparse(Vec<(usize, f64)>, Vec<usize>),
}

impl ChannelMapper {
    fn new(weights: Mat<f64>) -> Self {
        let (n_outputs, n_inputs) = weights.shape();
        let row_terms = |row: usize| {
            let terms = (0..n_inputs).map(|col| (col, weights[(row, col)]));
            terms.into_iter().filter(|(_, w)| *w != 0.0).collect::<Vec<_>>()
        };
        let rows: Vec<_> = (0..n_outputs).map(row_terms).collect();
        let n_terms: usize = rows.iter().map(Vec::len).sum();
        if n_terms as f64 >= SPARSE_BELOW * (n_outputs * n_inputs) as f64 {
            return Self { n_inputs, n_outputs, weights: Weights::Dense(weights) };
        }
        let end = |total: &mut usize, row: &Vec<_>| {
            *total += row.len();
            Some(*total)
        };
        let ends = rows.iter().scan(0, end).collect();
        Self { n_inputs, n_outputs, weights: Weights::Sparse(rows.concat(), ends) }
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
            Weights::Sparse(terms, ends) => {
                for (y, terms) in out.iter_mut().zip(rows_of(terms, ends)) {
                    *y = terms.iter().map(|(col, w)| w * frame[*col]).sum();
                }
            }
        }
    }

    /// Writes the map of `samples` `(n_inputs, n_samples)` into `out`
    /// `(n_outputs, n_samples)`.
    ///
    /// Thread: any. Allocation: none but the matrix product's own for large matrices.
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
            Weights::Sparse(terms, ends) => {
                // Sample by sample: frames lie together in memory, channels may not.
                for t in 0..samples.ncols() {
                    let (to, from) = (out.as_mut().col_mut(t), samples.col(t));
                    for (y, terms) in to.iter_mut().zip(rows_of(terms, ends)) {
                        *y = terms.iter().map(|(col, w)| w * from[*col]).sum();
                    }
                }
            }
        }
    }
}

/// The terms of each row in turn.
fn rows_of<'a>(
    terms: &'a [(usize, f64)],
    ends: &'a [usize],
) -> impl Iterator<Item = &'a [(usize, f64)]> {
    let starts = std::iter::once(&0).chain(ends);
    starts.zip(ends).map(|(start, end)| &terms[*start..*end])
}
