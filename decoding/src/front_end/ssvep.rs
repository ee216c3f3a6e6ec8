//! Scores of stimulation frequencies, over all bands of the signal.

use super::step;
use crate::spatial_filter::cca::{CcaError, CcaRuntime};
use crate::window::Planar;
use acquisition::time::SampleRate;

/// Correlations with each frequency: of one band as they are, of several the weighted sum
/// of their squares.
pub(super) struct Scores {
    cca: CcaRuntime,
    weights: Vec<f64>,
    of_band: Vec<f64>,
}

impl Scores {
    /// Plans scores of windows `(n_channels, n_samples)` in each band.
    pub fn new(
        step: &step::Cca,
        n_bands: usize,
        n_channels: usize,
        n_samples: usize,
        rate: SampleRate,
    ) -> Result<Self, CcaError> {
        let cca = step.params().plan(rate.hz(), n_channels, n_samples)?;
        let of_band = vec![0.0; cca.n_frequencies()];
        Ok(Self { cca, weights: step.weights.weights(n_bands), of_band })
    }

    /// Number of frequencies, and of scores.
    pub fn n_scores(&self) -> usize {
        self.of_band.len()
    }

    /// Writes the score of each frequency; nothing where a band has no samples or a score is
    /// not finite.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn scores_into<'a>(
        &mut self,
        bands: impl Iterator<Item = Option<Planar<'a>>>,
        out: &mut [f64],
    ) -> Option<()> {
        out.fill(0.0);
        for (window, weight) in bands.zip(&self.weights) {
            self.cca.scores_into(&window?, &mut self.of_band);
            for (score, r) in out.iter_mut().zip(&self.of_band) {
                *score += if self.weights.len() == 1 { *r } else { weight * r * r };
            }
        }
        out.iter().all(|score| score.is_finite()).then_some(())
    }
}
