//! The mirrored twins of training examples: channels exchanged left for right, and with
//! them the classes that differ in the side alone.
//!
//! A few trials of a calibration say little about which hand is imagined. That the two
//! hemispheres do much the same for the two hands is known beforehand, and a twin of every
//! example says so to whatever is fitted after. Only the fit sees twins: nothing is
//! mirrored in a session.

use super::fit::Training;
use super::step::Mirror;
use crate::decoder::{ExampleSpan, FitError};
use crate::front_end::step::Absent;
use crate::window::{Value, View};
use acquisition::marker::ClassIdx;
use acquisition::montage::direction;
use faer::Mat;

/// Two directions are one another's mirror image where no coordinate differs by more:
/// positions are given to about a thousandth of the radius.
const TOLERANCE: f64 = 1e-3;

/// For each channel the position of the one at the mirrored place on the head, of itself
/// on the midline.
///
/// # Errors
/// The label of the first that has none.
pub fn exchange(labels: &[String]) -> Result<Vec<usize>, &str> {
    let places: Vec<_> = labels.iter().map(|label| direction(label)).collect();
    let twin = |label| {
        let [x, y, z] = direction(label)?;
        let is_there = |place: &Option<[f64; 3]>| {
            place.is_some_and(|[u, v, w]| {
                [u + x, v - y, w - z].iter().all(|difference| difference.abs() <= TOLERANCE)
            })
        };
        places.iter().position(is_there)
    };
    labels.iter().map(|label| twin(label).ok_or(label.as_str())).collect()
}

/// The twins of some examples.
#[derive(Default)]
pub(super) struct Twins {
    pub values: Vec<Value>,
    pub labels: Vec<ClassIdx>,
    pub spans: Vec<ExampleSpan>,
}

impl Mirror {
    /// A twin of every example of `training` whose class has a mirror image in the
    /// session, in the same order; none at all where channels lack a twin and that is put
    /// up with.
    pub(super) fn twins(&self, training: &Training<'_>) -> Result<Twins, FitError> {
        let exchange = match (exchange(training.channels), self.absent) {
            (Ok(exchange), _) if !exchange.is_empty() => exchange,
            (_, Absent::LeaveOut) => return Ok(Twins::default()),
            (found, Absent::Refuse) => {
                let label = found.err().unwrap_or_default().to_owned();
                return Err(FitError::NoTwin { label });
            }
        };
        let mut twins = Twins::default();
        for (j, view) in training.views.iter().enumerate() {
            let label = self.class(training.labels[j]);
            if let View::Matrices(matrices) = view
                && label.index() < training.n_classes
                && matrices.iter().all(|m| m.nrows().is_multiple_of(exchange.len()))
            {
                let mirrored = matrices.iter().map(|matrix| exchanged(matrix, &exchange));
                twins.values.push(Value::Matrices(mirrored.collect()));
                twins.labels.push(label);
                twins.spans.push(training.spans[j].clone());
            }
        }
        Ok(twins)
    }

    /// The class of the twin.
    fn class(&self, class: ClassIdx) -> ClassIdx {
        let partner = self.classes.iter().find_map(|&[a, b]| match class.0 {
            k if k == a => Some(b),
            k if k == b => Some(a),
            _ => None,
        });
        partner.map_or(class, ClassIdx)
    }
}

/// Rows and columns exchanged, in each of the blocks of channels that the matrix is made
/// of (one, or one per delay).
fn exchanged(matrix: &Mat<f64>, exchange: &[usize]) -> Mat<f64> {
    let n = exchange.len();
    let at = |row: usize| row / n * n + exchange[row % n];
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(at(i), at(j))])
}

#[cfg(test)]
mod tests;
