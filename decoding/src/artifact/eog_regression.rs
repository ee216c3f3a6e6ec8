//! Eye movements taken out of the brain channels by regression on EOG channels.
//!
//! It takes out whatever the EOG channels share with the others, brain activity that
//! reaches them included. Filter both alike before.

use crate::matrix::{Matrix, MatrixError};
use crate::riemann::spd::{EigenScratch, check_positive};
use faer::linalg::solvers::{PartialPivLu, Solve};
use faer::{ColMut, ColRef, Mat, MatMut, MatRef};
use serde::{Deserialize, Serialize};

/// Regression weights of brain channels on EOG channels, by index into the frame.
///
/// `b = C_eog⁻¹ C_eog,brain` over samples whose mean is removed per epoch and channel. As
/// MNE's `EOGRegression`.
///
/// # Reference
/// G. Gratton, M. G. H. Coles, E. Donchin (1983), Electroencephalography and Clinical
/// Neurophysiology 55(4), doi:10.1016/0013-4694(83)90135-9; here without their averaging
/// of evoked potentials and without weights of their own for blinks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EogRegression {
    brain: Vec<usize>,
    eog: Vec<usize>,
    /// `(n_brain, n_eog)`.
    weights: Matrix,
    /// Of the calibration, per EOG channel.
    eog_means: Vec<f64>,
}

/// Why a regression can't be fitted.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum EogError {
    /// Name at least one channel on each side.
    #[error("a regression needs at least one brain channel and one EOG channel")]
    NoChannel,
    /// Name channels of the recording, each once on one side.
    #[error("channel {channel} is not among the {n_channels} channels, or is named twice")]
    BadChannel {
        /// Its index.
        channel: usize,
        /// Channels of the recording.
        n_channels: usize,
    },
    /// Calibrate on more samples than there are EOG channels.
    #[error("{n_samples} samples are too few for {n_eog} EOG channels")]
    TooFewSamples {
        /// Samples given.
        n_samples: usize,
        /// EOG channels.
        n_eog: usize,
    },
    /// Leave out EOG channels that are constant or copies of each other.
    #[error("an EOG channel is constant, or a combination of the others")]
    Dependent,
    /// Fit it on the channels it is to work on.
    #[error(
        "a regression of {n_brain} brain and {n_eog} EOG channels was asked for, it was fitted on {expected_brain} and {expected_eog}: fit it anew"
    )]
    OtherChannels {
        /// Brain channels asked for.
        n_brain: usize,
        /// EOG channels asked for.
        n_eog: usize,
        /// Brain channels fitted on.
        expected_brain: usize,
        /// EOG channels fitted on.
        expected_eog: usize,
    },
    /// Look for NaN or infinite samples.
    #[error(transparent)]
    NotFinite(#[from] MatrixError),
}

impl EogRegression {
    /// Fits the weights on epochs `(n_channels, n_samples)` of the same channels (one
    /// epoch: a continuous recording). Allocates.
    pub fn fit(
        epochs: &[MatRef<'_, f64>],
        brain: &[usize],
        eog: &[usize],
    ) -> Result<Self, EogError> {
        if brain.is_empty() || eog.is_empty() || epochs.is_empty() {
            return Err(EogError::NoChannel);
        }
        let n_channels = epochs.iter().map(MatRef::nrows).min().unwrap_or(0);
        let all: Vec<_> = brain.iter().chain(eog).copied().collect();
        let wrong = |(k, c): (usize, &usize)| *c >= n_channels || all[..k].contains(c);
        if let Some((_, &channel)) = all.iter().enumerate().find(|(k, c)| wrong((*k, c))) {
            return Err(EogError::BadChannel { channel, n_channels });
        }
        let (n_brain, n_eog) = (brain.len(), eog.len());
        let n_samples = epochs.iter().map(MatRef::ncols).sum();
        if n_samples <= n_eog {
            return Err(EogError::TooFewSamples { n_samples, n_eog });
        }
        let mut between = Mat::<f64>::zeros(n_eog, n_eog + n_brain);
        let mut eog_sums = vec![0.0; n_eog];
        let order: Vec<usize> = eog.iter().chain(brain).copied().collect();
        // An epoch without samples has no mean.
        for epoch in epochs.iter().filter(|epoch| epoch.ncols() > 0) {
            let means = means(*epoch, &order);
            add_products(*epoch, &order, &means, between.as_mut());
            for (sum, mean) in eog_sums.iter_mut().zip(&means) {
                *sum += mean * epoch.ncols() as f64;
            }
        }
        Matrix::from_faer(between.as_ref())?;
        let (own, cross) = between.as_ref().split_at_col(n_eog);
        let mut eigen = EigenScratch::new(n_eog);
        let values = eigen.values(own).map_err(|_| EogError::Dependent)?;
        check_positive(values).map_err(|_| EogError::Dependent)?;
        let solved = PartialPivLu::new(own).solve(cross);
        Ok(Self {
            brain: brain.to_vec(),
            eog: eog.to_vec(),
            weights: Matrix::from_faer(solved.transpose())?,
            eog_means: eog_sums.iter().map(|s| s / n_samples as f64).collect(),
        })
    }

    /// The same regression for frames in which the channels have other positions.
    ///
    /// # Errors
    /// Not as many channels on a side as it was fitted on, or one that is named twice.
    pub fn moved(&self, brain: &[usize], eog: &[usize]) -> Result<Self, EogError> {
        let all: Vec<_> = brain.iter().chain(eog).copied().collect();
        let twin = all.iter().enumerate().find(|(k, c)| all[..*k].contains(c));
        if let Some((_, &channel)) = twin {
            return Err(EogError::BadChannel { channel, n_channels: all.len() });
        }
        let (n_brain, n_eog) = (brain.len(), eog.len());
        let is_whole = self.weights.n_rows() == n_brain
            && self.weights.n_cols() == n_eog
            && self.eog_means.len() == n_eog;
        if !is_whole {
            let (expected_brain, expected_eog) = (self.weights.n_rows(), self.weights.n_cols());
            return Err(EogError::OtherChannels { n_brain, n_eog, expected_brain, expected_eog });
        }
        Ok(Self { brain: brain.to_vec(), eog: eog.to_vec(), ..self.clone() })
    }

    /// The weights `(n_brain, n_eog)`.
    pub fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// Takes the EOG out of one frame of the stream, in place: `y - b (x - x̄)` with `x̄`
    /// the calibration's mean. No delay, no state.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the frame lacks a channel of the calibration.
    pub fn apply_frame(&self, frame: &mut [f64]) {
        for (i, brain) in self.brain.iter().enumerate() {
            let terms = self.weights.row(i).iter().zip(&self.eog).zip(&self.eog_means);
            let artefact: f64 = terms.map(|((w, eog), mean)| w * (frame[*eog] - mean)).sum();
            frame[*brain] -= artefact;
        }
    }

    /// Takes the EOG out of a recording or epoch `(n_channels, n_samples)`, in place, with
    /// its own mean of the EOG channels, as MNE's `apply`: the result differs from that of
    /// [`EogRegression::apply_frame`] by a constant per channel.
    ///
    /// Thread: any. Allocation: some numbers per channel.
    ///
    /// # Panics
    /// If a channel of the calibration is lacking.
    pub fn apply_recording(&self, mut samples: MatMut<'_, f64>) {
        let means = means(samples.as_ref(), &self.eog);
        let (n_brain, n_eog) = (self.brain.len(), self.eog.len());
        // Of one EOG channel after the other, so that brain channels lie side by side.
        let weight = |k: usize| self.weights.row(k % n_brain)[k / n_brain];
        let weights: Vec<f64> = (0..n_brain * n_eog).map(weight).collect();
        let (mut eog, mut artefact) = (vec![0.0; n_eog], vec![0.0; n_brain]);
        for t in 0..samples.ncols() {
            gather(samples.as_ref().col(t), &self.eog, &mut eog);
            artefact.fill(0.0);
            for ((x, mean), weights) in eog.iter().zip(&means).zip(weights.chunks_exact(n_brain)) {
                let centred = x - mean;
                artefact.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w * centred);
            }
            subtract(samples.as_mut().col_mut(t), &self.brain, &artefact);
        }
    }
}

/// Means of some channels, added up frame by frame: frames lie together in memory.
fn means(samples: MatRef<'_, f64>, channels: &[usize]) -> Vec<f64> {
    let (mut means, mut values) = (vec![0.0; channels.len()], vec![0.0; channels.len()]);
    for frame in samples.col_iter() {
        gather(frame, channels, &mut values);
        means.iter_mut().zip(&values).for_each(|(mean, x)| *mean += x);
    }
    means.iter().map(|sum| sum / samples.ncols() as f64).collect()
}

/// Adds `(x - x̄)(y - ȳ)` over all frames to `sums`, `x` the first of `channels`, one for
/// each row of `sums`, and `y` all of them.
fn add_products(
    samples: MatRef<'_, f64>,
    channels: &[usize],
    means: &[f64],
    mut sums: MatMut<'_, f64>,
) {
    let (n, n_rows) = (channels.len(), sums.nrows());
    let (mut rows, mut values) = (vec![0.0; n_rows * n], vec![0.0; n]);
    for frame in samples.col_iter() {
        gather(frame, channels, &mut values);
        values.iter_mut().zip(means).for_each(|(y, mean)| *y -= mean);
        for (row, x) in rows.chunks_exact_mut(n).zip(&values) {
            row.iter_mut().zip(&values).for_each(|(sum, y)| *sum += x * y);
        }
    }
    for (i, row) in rows.chunks_exact(n).enumerate() {
        sums.as_mut().row_mut(i).iter_mut().zip(row).for_each(|(sum, part)| *sum += part);
    }
}

/// The values of some channels of a frame.
fn gather(frame: ColRef<'_, f64>, channels: &[usize], out: &mut [f64]) {
    if let Some(frame) = frame.try_as_col_major() {
        let frame = frame.as_slice();
        out.iter_mut().zip(channels).for_each(|(x, c)| *x = frame[*c]);
    } else {
        out.iter_mut().zip(channels).for_each(|(x, c)| *x = frame[*c]);
    }
}

/// Subtracts values from some channels of a frame.
fn subtract(mut frame: ColMut<'_, f64>, channels: &[usize], values: &[f64]) {
    if let Some(frame) = frame.as_mut().try_as_col_major_mut() {
        let frame = frame.as_slice_mut();
        values.iter().zip(channels).for_each(|(x, c)| frame[*c] -= x);
    } else {
        values.iter().zip(channels).for_each(|(x, c)| frame[*c] -= x);
    }
}

#[cfg(test)]
mod tests;
