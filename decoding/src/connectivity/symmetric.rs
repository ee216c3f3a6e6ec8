//! Symmetric orthogonalisation: all channels made orthogonal at once, none first.

use super::ConnectivityError;
use super::epochs::{check_channels, check_finite};
use crate::riemann::spd::inv_sqrt;
use crate::window::Planar;
use faer::{Mat, MatRef};

/// Rounds after which it gives up.
const MAX_ROUNDS: usize = 50;
/// It ends where a round makes the distance smaller by no more than this share.
const LEAST_GAIN: f64 = 1e-6;
/// Smallest singular value of the channels, as a share of the largest, of which an
/// inverse square root of the Gram matrix keeps digits enough.
const LEAST_SINGULAR: f64 = 1e-6;

/// The orthogonal signals nearest to those of a window, `(n_channels, n_samples)` row
/// after row: what channels share at once is gone from all of them. Envelopes of the
/// result are compared with [`super::Orthogonalisation::None`].
///
/// `P = D O` with `O Oᵀ = I` and `D` diagonal minimises `|Z - P|²`. In turn, `O` is the
/// orthogonal factor of `D Z` and `D` the diagonal of `Z Oᵀ`, until a round gains less
/// than one part in a million. Both come from the Gram matrix `Z Zᵀ` alone, so that a
/// round costs `n_channels³` and not `n_channels² * n_samples`. Equal to
/// mne-connectivity's `symmetric_orth` where channels are independent.
///
/// # Errors
/// Fewer samples than channels; channels that are combinations of others, as after an
/// average reference ([`ConnectivityError::DependentChannels`]).
///
/// # Reference
/// G. L. Colclough et al. (2015), `NeuroImage` 117, doi:10.1016/j.neuroimage.2015.03.071.
pub fn symmetric_orthogonal(samples: Planar<'_>) -> Result<Vec<f64>, ConnectivityError> {
    let (n_channels, n_samples) = (samples.n_channels(), samples.n_samples());
    check_channels(n_channels)?;
    if n_samples < n_channels {
        return Err(ConnectivityError::TooFewSamples { n_channels, n_samples });
    }
    for channel in 0..n_channels {
        check_finite(samples.channel(channel), 0, channel)?;
    }
    let z = samples.as_mat();
    let weights = weights(&(z * z.transpose()))?;
    let p = &weights * z;
    Ok((0..n_channels).flat_map(|i| (0..n_samples).map(move |t| (i, t))).map(|k| p[k]).collect())
}

/// The matrix that makes `P` of `Z`, from `gram = Z Zᵀ`.
fn weights(gram: &Mat<f64>) -> Result<Mat<f64>, ConnectivityError> {
    let n = gram.nrows();
    let power: f64 = (0..n).map(|i| gram[(i, i)]).sum();
    check_rank(gram.as_ref())?;
    let mut diagonal = vec![1.0; n];
    let mut last = f64::INFINITY;
    for _ in 0..MAX_ROUNDS {
        let scaled = Mat::from_fn(n, n, |i, j| diagonal[i] * gram[(i, j)] * diagonal[j]);
        let root = inv_sqrt(scaled.as_ref()).map_err(|_| ConnectivityError::DependentChannels)?;
        // O = factor Z.
        let factor = Mat::from_fn(n, n, |i, j| root[(i, j)] * diagonal[j]);
        for (i, d) in diagonal.iter_mut().enumerate() {
            *d = (0..n).map(|k| gram[(i, k)] * factor[(i, k)]).sum();
        }
        let error = (power - diagonal.iter().map(|d| d * d).sum::<f64>()) / power;
        if error <= 0.0 || (last - error) / error < LEAST_GAIN {
            return Ok(Mat::from_fn(n, n, |i, j| diagonal[i] * factor[(i, j)]));
        }
        last = error;
    }
    Err(ConnectivityError::NoConvergence { n_rounds: MAX_ROUNDS })
}

/// Refuses channels that are combinations of others.
fn check_rank(gram: MatRef<'_, f64>) -> Result<(), ConnectivityError> {
    let values = gram.self_adjoint_eigenvalues(faer::Side::Lower);
    let values = values.map_err(|_| ConnectivityError::DependentChannels)?;
    let (least, largest) = (values[0], values[values.len() - 1]);
    if least > LEAST_SINGULAR * LEAST_SINGULAR * largest {
        Ok(())
    } else {
        Err(ConnectivityError::DependentChannels)
    }
}
