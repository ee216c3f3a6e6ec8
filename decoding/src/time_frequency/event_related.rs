//! Event-related desynchronisation and synchronisation: how a class changes power,
//! against a baseline, at each time and frequency.

use super::TimeFrequencyError;
use super::baseline::BaselineMode;
use super::morlet::MorletPlan;
use acquisition::marker::ClassIdx;
use datasets::epoch::Epochs;
use ndarray::Array3;
use std::ops::Range;

/// The map `(n_channels, n_freqs, n_samples)` of a class: Morlet power averaged over its
/// epochs, then rescaled by its mean over the samples `baseline` of the epoch, channel
/// by channel and frequency by frequency.
///
/// Choose a baseline away from the epoch's ends: half a wavelet there looks at zeros.
///
/// Thread: the caller's rayon pool. Allocation: the map, and buffers per thread.
///
/// # Errors
/// [`TimeFrequencyError::NoEpochs`] for a class that doesn't occur,
/// [`TimeFrequencyError::OtherLength`] for epochs of another length than the plan's,
/// [`TimeFrequencyError::BadBaseline`] and [`TimeFrequencyError::NotFinite`].
///
/// # Reference
/// G. Pfurtscheller and F. H. Lopes da Silva (1999), Clinical Neurophysiology 110(11),
/// doi:10.1016/S1388-2457(99)00141-8.
pub fn class_map(
    plan: &MorletPlan,
    epochs: &Epochs,
    class: ClassIdx,
    baseline: Range<usize>,
    mode: BaselineMode,
) -> Result<Array3<f64>, TimeFrequencyError> {
    let (_, n_channels, n_samples) = epochs.samples().dim();
    if n_samples != plan.n_samples() {
        let planned_samples = plan.n_samples();
        return Err(TimeFrequencyError::OtherLength { planned_samples, n_samples });
    }
    let labels = epochs.labels().iter().enumerate();
    let picks: Vec<usize> = labels.filter(|(_, c)| **c == class).map(|(k, _)| k).collect();
    if picks.is_empty() {
        return Err(TimeFrequencyError::NoEpochs { class: class.0 });
    }
    let is_finite = |k: usize| epochs.epoch(k).iter().all(|x| x.is_finite());
    if let Some(&epoch) = picks.iter().find(|k| !is_finite(**k)) {
        return Err(TimeFrequencyError::NotFinite { epoch });
    }
    let mut map = vec![0.0; n_channels * plan.n_values()];
    plan.average_power(&epochs.samples(), &picks, &mut map);
    for values in map.chunks_exact_mut(n_samples) {
        mode.apply(values, baseline.clone())?;
    }
    let shape = (n_channels, plan.freqs_hz().len(), n_samples);
    Ok(Array3::from_shape_fn(shape, |(c, f, t)| map[c * plan.n_values() + f * n_samples + t]))
}
