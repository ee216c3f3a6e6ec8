//! Canonical correlation with sines and cosines: how strongly a window follows each
//! stimulation frequency, without any calibration.
//!
//! It is fitted to nothing, so it knows no idle class: where there is one, or where a
//! probability is needed, fit a classifier to the scores.

use super::filter_bank::{BandWeights, shares_in_place};
use crate::riemann::spd::EigenScratch;
use crate::window::Planar;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

#[cfg(test)]
mod tests;

/// Directions of less than this share of the strongest one's variance are rounding: they
/// are left out, so re-referenced and flat channels do no harm.
const RANK_TOLERANCE: f64 = 1e-11;

/// Frequencies to look for.
///
/// The score of a frequency is the largest correlation that any mixture of channels has
/// with any mixture of its references `sin(2 pi h f t)`, `cos(2 pi h f t)`, `h` from 1
/// to `n_harmonics`, `t` from 0 at the window's first sample; means removed.
///
/// # Reference
/// Z. Lin, C. Zhang, W. Wu, X. Gao: Frequency recognition based on canonical correlation
/// analysis for SSVEP-based BCIs (2006), doi 10.1109/TBME.2006.886577.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CcaParams {
    /// Frequencies, in the order of the scores.
    pub frequencies_hz: Vec<f64>,
    /// Harmonics of each, the fundamental counted; three are usual.
    pub n_harmonics: usize,
}

/// Why correlations can't be planned: choose other frequencies, harmonics or windows.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CcaError {
    /// Name at least one frequency and one harmonic.
    #[error("there is no frequency, harmonic or band to look for: name at least one of each")]
    Nothing,
    /// Lower the number of harmonics, or correct the frequency.
    #[error(
        "harmonic {harmonic} of {frequency_hz} Hz is not between 0 and the Nyquist frequency of {nyquist_hz} Hz: take fewer harmonics or another frequency"
    )]
    Frequency {
        /// The frequency.
        frequency_hz: f64,
        /// The first harmonic that is out of range.
        harmonic: usize,
        /// Half the rate.
        nyquist_hz: f64,
    },
    /// Lengthen the window, or take fewer channels or harmonics: with as many of these
    /// as samples, every window correlates perfectly.
    #[error(
        "windows of {n_samples} samples are too short, {n_needed} are needed: lengthen them or take fewer channels or harmonics"
    )]
    TooShort {
        /// Samples of a window.
        n_samples: usize,
        /// Samples needed.
        n_needed: usize,
    },
}

impl CcaParams {
    /// Plans scores of windows `(n_channels, n_samples)`: makes the references'
    /// orthonormal bases and the scratch. Memory:
    /// `8 * n_samples * (n_channels + 2 * n_harmonics * n_frequencies)` bytes.
    ///
    /// # Errors
    /// All of [`CcaError`].
    ///
    /// # Panics
    /// Where there is no channel.
    pub fn plan(
        &self,
        rate_hz: f64,
        n_channels: usize,
        n_samples: usize,
    ) -> Result<CcaRuntime, CcaError> {
        assert!(n_channels > 0, "a window has channels");
        self.check(rate_hz, n_channels, n_samples)?;
        let n_references = 2 * self.n_harmonics;
        let n_columns = n_references * self.frequencies_hz.len();
        let mut references = Mat::zeros(n_samples, n_columns);
        for (f, frequency_hz) in self.frequencies_hz.iter().enumerate() {
            let basis = self.basis(frequency_hz / rate_hz, n_samples);
            references.subcols_mut(f * n_references, n_references).copy_from(&basis);
        }
        Ok(CcaRuntime {
            references,
            n_references,
            standard: vec![0.0; n_channels * n_samples],
            correlation: Mat::zeros(n_channels, n_channels),
            products: Mat::zeros(n_channels, n_columns),
            whitened: Mat::zeros(n_channels, n_columns),
            square: Mat::zeros(n_references, n_references),
            channels: EigenScratch::new(n_channels),
            shared: EigenScratch::new(n_references),
        })
    }

    fn check(&self, rate_hz: f64, n_channels: usize, n_samples: usize) -> Result<(), CcaError> {
        if self.frequencies_hz.is_empty() || self.n_harmonics == 0 {
            return Err(CcaError::Nothing);
        }
        let nyquist_hz = rate_hz / 2.0;
        for frequency_hz in self.frequencies_hz.iter().copied() {
            let possible = |h: &usize| {
                let harmonic_hz = *h as f64 * frequency_hz;
                harmonic_hz > 0.0 && harmonic_hz < nyquist_hz
            };
            if let Some(harmonic) = (1..=self.n_harmonics).find(|h| !possible(h)) {
                return Err(CcaError::Frequency { frequency_hz, harmonic, nyquist_hz });
            }
        }
        let n_needed = n_channels + 2 * self.n_harmonics + 2;
        if n_samples < n_needed {
            return Err(CcaError::TooShort { n_samples, n_needed });
        }
        Ok(())
    }

    /// Orthonormal columns that span the references of a frequency in cycles a sample,
    /// means removed.
    fn basis(&self, frequency: f64, n_samples: usize) -> Mat<f64> {
        let mut references = Mat::from_fn(n_samples, 2 * self.n_harmonics, |t, column| {
            let phase = TAU * frequency * (column / 2 + 1) as f64 * t as f64;
            if column % 2 == 0 { phase.sin() } else { phase.cos() }
        });
        for column in references.col_iter_mut() {
            let column = column.try_as_col_major_mut().expect("contiguous columns");
            let mean = column.as_ref().iter().sum::<f64>() / n_samples as f64;
            for x in column.iter_mut() {
                *x -= mean;
            }
        }
        references.qr().compute_thin_Q()
    }
}

/// References with their scratch.
#[derive(Clone, Debug)]
pub struct CcaRuntime {
    /// Orthonormal references, `(n_samples, n_frequencies * n_references)`.
    references: Mat<f64>,
    n_references: usize,
    /// The window, each channel of mean 0 and length 1.
    standard: Vec<f64>,
    correlation: Mat<f64>,
    products: Mat<f64>,
    whitened: Mat<f64>,
    square: Mat<f64>,
    channels: EigenScratch,
    shared: EigenScratch,
}

impl CcaRuntime {
    /// Number of frequencies, and of scores.
    pub fn n_frequencies(&self) -> usize {
        self.references.ncols() / self.n_references
    }

    /// Writes the canonical correlation with each frequency, in `[0, 1]`; NaN where a
    /// sample is not finite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `window` has another shape than planned, or `scores` not one value per
    /// frequency.
    pub fn scores_into(&mut self, window: &Planar<'_>, scores: &mut [f64]) {
        let (n_samples, n_channels) = (self.references.nrows(), self.correlation.nrows());
        assert_eq!(window.n_channels(), n_channels, "a window of other channels");
        assert_eq!(window.n_samples(), n_samples, "a window of another length");
        assert_eq!(scores.len(), self.n_frequencies(), "scores of other frequencies");
        for (c, row) in self.standard.chunks_exact_mut(n_samples).enumerate() {
            standardise(window.channel(c), row);
        }
        let x = MatRef::from_row_major_slice(&self.standard, n_channels, n_samples);
        matmul(self.correlation.as_mut(), Accum::Replace, x, x.transpose(), 1.0, Par::Seq);
        let Ok((values, vectors)) = self.channels.decompose(self.correlation.as_ref()) else {
            scores.fill(f64::NAN);
            return;
        };
        matmul(self.products.as_mut(), Accum::Replace, x, self.references.as_ref(), 1.0, Par::Seq);
        let whitened = self.whitened.as_mut();
        matmul(
            whitened,
            Accum::Replace,
            vectors.transpose(),
            self.products.as_ref(),
            1.0,
            Par::Seq,
        );
        let floor = RANK_TOLERANCE * values.last().copied().unwrap_or(0.0);
        for (i, value) in values.iter().enumerate() {
            let scale = if *value > floor { value.sqrt().recip() } else { 0.0 };
            for x in self.whitened.row_mut(i).iter_mut() {
                *x *= scale;
            }
        }
        for (f, score) in scores.iter_mut().enumerate() {
            *score = self.largest_correlation(f);
        }
    }

    /// The largest singular value of the whitened products with one frequency.
    fn largest_correlation(&mut self, frequency: usize) -> f64 {
        let block = self.whitened.subcols(frequency * self.n_references, self.n_references);
        matmul(self.square.as_mut(), Accum::Replace, block.transpose(), block, 1.0, Par::Seq);
        match self.shared.values(self.square.as_ref()) {
            Ok([.., largest]) => largest.clamp(0.0, 1.0).sqrt(),
            _ => f64::NAN,
        }
    }

    /// Writes the scores as shares of their excess over the least, `n_frequencies`
    /// values that sum to 1: an order, not a calibrated probability, as MOABB's
    /// `predict_proba`. Thread, allocation and panics as [`Self::scores_into`].
    pub fn posterior_into(&mut self, window: &Planar<'_>, posterior: &mut [f64]) {
        self.scores_into(window, posterior);
        shares_in_place(posterior);
    }
}

/// Removes the mean and scales to length 1; a channel that is constant up to rounding
/// becomes 0.
fn standardise(samples: &[f64], row: &mut [f64]) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    row.iter_mut().zip(samples).for_each(|(y, x)| *y = x - mean);
    let length = row.iter().map(|y| y * y).sum::<f64>().sqrt();
    // NaN must stay one, so it is the small lengths that are asked for.
    let scale = if length <= n * f64::EPSILON * mean.abs() { 0.0 } else { length.recip() };
    for y in row {
        *y *= scale;
    }
}

/// Correlations on a filter bank.
///
/// The score of a frequency is `sum_n w_n r_n^2`, `r_n` the [`CcaParams`] score of the
/// band `n` and `w_n` its weight ([`BandWeights`]).
///
/// # Reference
/// X. Chen et al. (2015), doi 10.1088/1741-2560/12/4/046008.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterBankCcaParams {
    /// Frequencies and harmonics, the same in every band.
    pub cca: CcaParams,
    /// Number of bands.
    pub n_bands: usize,
    /// What each band counts.
    #[serde(default)]
    pub weights: BandWeights,
}

impl FilterBankCcaParams {
    /// Plans scores of windows `(n_channels, n_samples)` per band. Errors and panics as
    /// [`CcaParams::plan`].
    pub fn plan(
        &self,
        rate_hz: f64,
        n_channels: usize,
        n_samples: usize,
    ) -> Result<FilterBankCcaRuntime, CcaError> {
        if self.n_bands == 0 {
            return Err(CcaError::Nothing);
        }
        let cca = self.cca.plan(rate_hz, n_channels, n_samples)?;
        let of_band = vec![0.0; cca.n_frequencies()];
        Ok(FilterBankCcaRuntime { cca, weights: self.weights.weights(self.n_bands), of_band })
    }
}

/// Correlations on a filter bank, with their scratch.
#[derive(Clone, Debug)]
pub struct FilterBankCcaRuntime {
    cca: CcaRuntime,
    weights: Vec<f64>,
    of_band: Vec<f64>,
}

impl FilterBankCcaRuntime {
    /// Number of frequencies, and of scores.
    pub fn n_frequencies(&self) -> usize {
        self.cca.n_frequencies()
    }

    /// Writes the weighted sum of squared correlations with each frequency, given one
    /// window per band, lowest band first; NaN where a sample is not finite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where there is another number of bands than planned, and as
    /// [`CcaRuntime::scores_into`].
    pub fn scores_into(&mut self, bands: &[Planar<'_>], scores: &mut [f64]) {
        assert_eq!(bands.len(), self.weights.len(), "one window per band");
        assert_eq!(scores.len(), self.n_frequencies(), "scores of other frequencies");
        scores.fill(0.0);
        for (window, weight) in bands.iter().zip(&self.weights) {
            self.cca.scores_into(window, &mut self.of_band);
            for (score, r) in scores.iter_mut().zip(&self.of_band) {
                *score += weight * r * r;
            }
        }
    }

    /// Writes the scores as [`CcaRuntime::posterior_into`] does.
    pub fn posterior_into(&mut self, bands: &[Planar<'_>], posterior: &mut [f64]) {
        self.scores_into(bands, posterior);
        shares_in_place(posterior);
    }
}
