//! Connectivity over time: the samples of one epoch or window are the observations.

use super::epochs::{check_channels, check_finite, check_shape, contiguous};
use super::lines::{Lines, WIDTH};
use super::reduce::{Recipe, Reduce, Worker, n_pairs_below};
use super::wavelet::Wavelets;
use super::{ConnectivityError, ConnectivityMap, ConnectivitySpec};
use crate::window::Planar;
use acquisition::time::SampleRate;
use ndarray::ArrayView3;
use rayon::prelude::*;

/// Planned for windows of one shape, with its buffers; make one per thread.
///
/// Morlet wavelets of `n_cycles` at each frequency give a complex value at each sample;
/// these are the observations. The values are those of mne-connectivity's
/// `spectral_connectivity_time` (`cwt_morlet`, no smoothing) at each frequency.
///
/// Bands are plain means over their frequencies. mne-connectivity 0.9 takes too many
/// where it is asked for a band that does not reach the highest frequency; ask it for
/// single frequencies to compare.
///
/// Memory: `16 * n_channels * n_frequencies * n_samples` bytes, twice that where phase
/// locking is asked for.
#[derive(Clone)]
pub struct TimeConnectivity {
    shape: (usize, usize),
    recipe: Recipe,
    freqs_hz: Vec<f64>,
    wavelets: Wavelets,
    lines: Lines,
    units: Option<Lines>,
    order: Vec<usize>,
    worker: Worker,
    values: Vec<f64>,
}

impl std::fmt::Debug for TimeConnectivity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimeConnectivity")
            .field("shape", &self.shape)
            .field("recipe", &self.recipe)
            .finish_non_exhaustive()
    }
}

impl TimeConnectivity {
    /// Plans wavelets of `n_cycles` at ascending `freqs_hz`; `spec` chooses among them.
    pub fn morlet(
        n_channels: usize,
        n_samples: usize,
        rate: SampleRate,
        (freqs_hz, n_cycles): (&[f64], f64),
        spec: &ConnectivitySpec,
    ) -> Result<Self, ConnectivityError> {
        check_channels(n_channels)?;
        spec.check_observations(n_samples)?;
        let selection = spec.select(freqs_hz)?;
        let recipe = selection.recipe();
        let freqs_hz = selection.freqs_hz(freqs_hz);
        let wavelets = Wavelets::plain(n_samples, rate, &freqs_hz, n_cycles)?;
        let lines = Lines::zeros(n_channels, freqs_hz.len(), n_samples, 1);
        let n_pairs = n_pairs_below(n_channels);
        Ok(Self {
            shape: (n_channels, n_samples),
            freqs_hz,
            wavelets,
            units: recipe.has_phasors().then(|| lines.clone()),
            lines,
            order: (0..n_samples).collect(),
            worker: Worker::new(n_channels, n_pairs, &recipe),
            values: vec![0.0; recipe.n_maps() * n_pairs],
            recipe,
        })
    }

    /// The frequencies that are used, ascending.
    pub fn freqs_hz(&self) -> &[f64] {
        &self.freqs_hz
    }

    /// The measures of one window, `(n_measures, n_bands, n_pairs)`.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `samples` are not of the planned shape.
    pub fn run(&mut self, samples: Planar<'_>) -> &[f64] {
        let shape = (samples.n_channels(), samples.n_samples());
        assert_eq!(shape, self.shape, "window of another plan");
        for c in 0..samples.n_channels() {
            self.wavelets.run(samples.channel(c), c % WIDTH, self.lines.block_mut(c / WIDTH));
        }
        if let Some(units) = &mut self.units {
            units.units_from(&self.lines);
        }
        Reduce {
            lines: &self.lines,
            units: self.units.as_ref().unwrap_or(&self.lines),
            order: &self.order,
            blocks: 0..self.lines.n_blocks(),
            recipe: &self.recipe,
            worker: &mut self.worker,
            out: &mut self.values,
        }
        .run();
        &self.values
    }

    /// The measures of each of `epochs` `(n_epochs, n_channels, n_samples)`, on rayon's
    /// current pool. Batch code: it allocates.
    pub fn run_epochs(
        &self,
        epochs: &ArrayView3<'_, f64>,
    ) -> Result<Vec<ConnectivityMap>, ConnectivityError> {
        check_shape(self.shape, epochs)?;
        let (n_channels, n_samples) = self.shape;
        contiguous(epochs)
            .par_chunks_exact(n_channels * n_samples)
            .enumerate()
            .map_init(
                || self.clone(),
                |plan, (epoch, samples)| {
                    for (channel, samples) in samples.chunks_exact(n_samples).enumerate() {
                        check_finite(samples, epoch, channel)?;
                    }
                    plan.run(Planar::new(samples, n_channels, n_samples, n_samples));
                    let values = [plan.values.clone()];
                    Ok(ConnectivityMap::joined(&plan.recipe, n_channels, &values))
                },
            )
            .collect()
    }
}
