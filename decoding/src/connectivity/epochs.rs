//! Connectivity over epochs: each epoch is one observation.

use super::fourier::{Fourier, freqs_hz, hann};
use super::lines::{Line, Lines, WIDTH};
use super::reduce::{Recipe, Reduce, Worker, n_pairs_below};
use super::wavelet::{OverEpochs, Wavelets};
use super::{ConnectivityError, ConnectivityMap, ConnectivitySpec};
use crate::psd::dpss::{Dpss, Symmetry};
use acquisition::time::SampleRate;
use ndarray::ArrayView3;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Samples of a channel into lines of its block.
pub(super) trait Transform: Clone + Send + Sync {
    /// Tapers per observation.
    fn n_tapers(&self) -> usize;

    /// Transforms one observation of the channel at place `lane` of a block, whose lines
    /// are `(cell, observation, taper)`. Allocation: none.
    fn run(
        &mut self,
        channel: &[f64],
        lane: usize,
        observation: (usize, usize),
        block: &mut [Line],
    );
}

/// Planned for epochs of one shape.
///
/// Batch code: it allocates, and works on rayon's current pool. The values do not depend
/// on the number of threads.
///
/// Memory: `16 * n_channels * n_frequencies * n_epochs * n_tapers` bytes of spectra
/// (times `n_samples` for wavelets), twice that where phase locking of one taper is asked
/// for, and `8 * n_pairs * n_bands` per measure. Time grows with `n_channels² *
/// n_frequencies * n_epochs`.
#[derive(Clone)]
pub struct EpochConnectivity {
    shape: (usize, usize),
    spec: ConnectivitySpec,
    recipe: Recipe,
    freqs_hz: Vec<f64>,
    transform: Estimator,
}

/// How spectra are estimated.
#[derive(Clone)]
enum Estimator {
    Fourier(Fourier),
    Wavelets(OverEpochs),
}

impl std::fmt::Debug for EpochConnectivity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EpochConnectivity")
            .field("shape", &self.shape)
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl EpochConnectivity {
    /// Epochs of `n_samples`, each with its mean removed and a symmetric Hann window
    /// applied: mne-connectivity's mode `fourier`.
    pub fn fourier(
        n_channels: usize,
        n_samples: usize,
        rate: SampleRate,
        spec: &ConnectivitySpec,
    ) -> Result<Self, ConnectivityError> {
        check_length(n_samples)?;
        Self::tapered(n_channels, rate, vec![hann(n_samples)], spec)
    }

    /// Epochs seen through the discrete prolate spheroidal sequences that are concentrated
    /// in `± bandwidth_hz / 2` by more than 90 %, weighted by the roots of their
    /// concentrations; an epoch's cross-spectrum is the sum over tapers.
    /// mne-connectivity's mode `multitaper` (`mt_bandwidth`, not adaptive, low bias).
    ///
    /// # Reference
    /// D. J. Thomson (1982), Proceedings of the IEEE 70(9), doi:10.1109/PROC.1982.12433.
    pub fn multitaper(
        n_channels: usize,
        n_samples: usize,
        rate: SampleRate,
        bandwidth_hz: f64,
        spec: &ConnectivitySpec,
    ) -> Result<Self, ConnectivityError> {
        check_length(n_samples)?;
        Self::tapered(n_channels, rate, slepian(n_samples, rate, bandwidth_hz)?, spec)
    }

    /// Epochs seen through tapers.
    fn tapered(
        n_channels: usize,
        rate: SampleRate,
        tapers: Vec<Vec<f64>>,
        spec: &ConnectivitySpec,
    ) -> Result<Self, ConnectivityError> {
        check_channels(n_channels)?;
        let n_samples = tapers[0].len();
        let all_hz = freqs_hz(n_samples, rate);
        let selection = spec.select(&all_hz)?;
        Ok(Self {
            shape: (n_channels, n_samples),
            spec: spec.clone(),
            recipe: selection.recipe(),
            freqs_hz: selection.freqs_hz(&all_hz),
            transform: Estimator::Fourier(Fourier::new(tapers, selection.bins)),
        })
    }

    /// Morlet wavelets of `n_cycles` at `freqs_hz` (ascending), with zero mean: the
    /// measures at each time of the epoch, over epochs. Bands of the result are `(n_bands,
    /// n_samples)`. mne-connectivity's mode `cwt_morlet`.
    pub fn morlet(
        n_channels: usize,
        n_samples: usize,
        rate: SampleRate,
        (freqs_hz, n_cycles): (&[f64], f64),
        spec: &ConnectivitySpec,
    ) -> Result<Self, ConnectivityError> {
        check_length(n_samples)?;
        check_channels(n_channels)?;
        let selection = spec.select(freqs_hz)?;
        let used_hz = selection.freqs_hz(freqs_hz);
        let wavelets = Wavelets::with_zero_mean(n_samples, rate, &used_hz, n_cycles)?;
        Ok(Self {
            shape: (n_channels, n_samples),
            spec: spec.clone(),
            recipe: selection.recipe_at(n_samples),
            freqs_hz: used_hz,
            transform: Estimator::Wavelets(OverEpochs(wavelets)),
        })
    }

    /// The frequencies that are used, ascending.
    pub fn freqs_hz(&self) -> &[f64] {
        &self.freqs_hz
    }

    /// The measures over `epochs` `(n_epochs, n_channels, n_samples)`.
    pub fn run(&self, epochs: &ArrayView3<'_, f64>) -> Result<ConnectivityMap, ConnectivityError> {
        let n_epochs = epochs.dim().0;
        check_shape(self.shape, epochs)?;
        self.spec.check_observations(n_epochs)?;
        let lines = match &self.transform {
            Estimator::Fourier(fourier) => self.transformed(fourier, epochs)?,
            Estimator::Wavelets(wavelets) => self.transformed(wavelets, epochs)?,
        };
        Ok(self.reduced(&lines))
    }

    /// The spectra of all epochs, block of channels by block of channels.
    fn transformed(
        &self,
        transform: &impl Transform,
        epochs: &ArrayView3<'_, f64>,
    ) -> Result<Lines, ConnectivityError> {
        let (n_epochs, n_channels, _) = epochs.dim();
        let n_cells = self.recipe.n_cells();
        let mut lines = Lines::zeros(n_channels, n_cells, n_epochs, transform.n_tapers());
        let samples = contiguous(epochs);
        let block_len = lines.block_len();
        lines.as_mut_slice().par_chunks_exact_mut(block_len).enumerate().try_for_each_init(
            || transform.clone(),
            |transform, (block, lines)| {
                let channels = block * WIDTH..((block + 1) * WIDTH).min(n_channels);
                transform_block(transform, &samples, self.shape, channels, lines)
            },
        )?;
        Ok(lines)
    }

    fn reduced(&self, lines: &Lines) -> ConnectivityMap {
        let order: Vec<usize> = (0..lines.n_observations()).collect();
        let needs_units = self.recipe.has_phasors() && lines.n_tapers() == 1;
        let units = needs_units.then(|| lines.units());
        let units = units.as_ref().unwrap_or(lines);
        let parts: Vec<_> = groups(lines.n_blocks(), rayon::current_num_threads())
            .into_par_iter()
            .map(|blocks| {
                let n_pairs = n_pairs_of(&blocks, lines.n_channels());
                let mut out = vec![0.0; self.recipe.n_maps() * n_pairs];
                let (recipe, order) = (&self.recipe, &order[..]);
                let worker = &mut Worker::new(lines.n_channels(), n_pairs, recipe);
                Reduce { lines, units, order, blocks, recipe, worker, out: &mut out }.run();
                out
            })
            .collect();
        ConnectivityMap::joined(&self.recipe, lines.n_channels(), &parts)
    }
}

/// Tapers times the roots of their concentrations.
fn slepian(
    n_samples: usize,
    rate: SampleRate,
    bandwidth_hz: f64,
) -> Result<Vec<Vec<f64>>, ConnectivityError> {
    let refused = ConnectivityError::BadBandwidth { bandwidth_hz, n_samples };
    let half_bandwidth = 0.5 * bandwidth_hz * n_samples as f64 / rate.hz();
    // NaN is refused too.
    if !(half_bandwidth >= 0.5 && half_bandwidth < 0.5 * n_samples as f64) {
        return Err(refused);
    }
    let n_tapers = (2.0 * half_bandwidth) as usize;
    let dpss = Dpss::new(n_samples, half_bandwidth, n_tapers, Symmetry::Periodic);
    let mut dpss = dpss.map_err(|_| refused)?;
    dpss.keep_above(0.9);
    let weighted = |(k, concentration): (usize, &f64)| {
        dpss.taper(k).iter().map(|v| v * concentration.sqrt()).collect()
    };
    Ok(dpss.concentrations().iter().enumerate().map(weighted).collect())
}

/// The samples, channel after channel, epoch after epoch: copied only where they lie
/// otherwise.
pub(super) fn contiguous<'a>(epochs: &'a ArrayView3<'_, f64>) -> Cow<'a, [f64]> {
    match epochs.as_slice() {
        Some(samples) => Cow::Borrowed(samples),
        None => Cow::Owned(epochs.iter().copied().collect()),
    }
}

pub(super) fn check_length(n_samples: usize) -> Result<(), ConnectivityError> {
    let segment_samples = n_samples;
    match n_samples {
        0 | 1 => Err(ConnectivityError::BadSegment { segment_samples, n_samples }),
        _ => Ok(()),
    }
}

pub(super) fn check_shape(
    planned: (usize, usize),
    epochs: &ArrayView3<'_, f64>,
) -> Result<(), ConnectivityError> {
    let (_, n_channels, n_samples) = epochs.dim();
    let given = (n_channels, n_samples);
    if given == planned { Ok(()) } else { Err(ConnectivityError::OtherShape { planned, given }) }
}

pub(super) fn check_channels(n_channels: usize) -> Result<(), ConnectivityError> {
    match n_channels {
        0 | 1 => Err(ConnectivityError::TooFewChannels { n_channels }),
        _ => Ok(()),
    }
}

/// Transforms every epoch of up to four channels.
fn transform_block(
    transform: &mut impl Transform,
    samples: &[f64],
    (n_channels, n_samples): (usize, usize),
    channels: Range<usize>,
    lines: &mut [Line],
) -> Result<(), ConnectivityError> {
    let epochs = samples.chunks_exact(n_channels * n_samples);
    let n_epochs = epochs.len();
    for (lane, channel) in channels.enumerate() {
        let mut is_constant = true;
        for (epoch, samples) in epochs.clone().enumerate() {
            let samples = &samples[channel * n_samples..][..n_samples];
            check_finite(samples, epoch, channel)?;
            is_constant &= samples.iter().all(|x| *x == samples[0]);
            transform.run(samples, lane, (epoch, n_epochs), lines);
        }
        if is_constant {
            return Err(ConnectivityError::ConstantChannel { channel });
        }
    }
    Ok(())
}

pub(super) fn check_finite(
    samples: &[f64],
    epoch: usize,
    channel: usize,
) -> Result<(), ConnectivityError> {
    // A sum is finite only where each term is, but for sums beyond the largest number.
    if samples.iter().map(|x| x.abs()).sum::<f64>().is_finite() {
        Ok(())
    } else {
        Err(ConnectivityError::NotFinite { epoch, channel })
    }
}

/// Ranges of blocks with about equally many pairs, several per thread.
fn groups(n_blocks: usize, n_threads: usize) -> Vec<Range<usize>> {
    let n_groups = if n_threads == 1 { 1 } else { (8 * n_threads).min(n_blocks) };
    // Pairs below block b grow with b².
    let edge = |g: usize| {
        let share = (g as f64 / n_groups as f64).sqrt();
        (share * n_blocks as f64).round() as usize
    };
    (0..n_groups).map(|g| edge(g)..edge(g + 1)).filter(|blocks| !blocks.is_empty()).collect()
}

/// Pairs whose higher channel lies in `blocks`.
fn n_pairs_of(blocks: &Range<usize>, n_channels: usize) -> usize {
    let below = |block: usize| n_pairs_below((block * WIDTH).min(n_channels));
    below(blocks.end) - below(blocks.start)
}
