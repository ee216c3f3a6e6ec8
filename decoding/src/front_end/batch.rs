//! Features of arbitrary stretches of a recording, for `--train-on trials`: the same
//! causal filter over the whole recording, then each stretch by itself. Batch code:
//! it allocates, and no live path reaches it.

use super::band_power::BandPower;
use super::{FrontEndSpec, PlanError};
use crate::filter::sos::SosFilter;
use crate::riemann::covariance::{oas_shrink, scm};
use crate::window::{Feature, Features, Planar};
use acquisition::marker::ClassIdx;
use acquisition::signal::Recording;
use acquisition::time::SampleRate;
use datasets::epoch::Epochs;
use ndarray::{Array2, ArrayView1};

/// Filters the picked channels causally from the first sample, anew after every gap:
/// `(n_channels, n_indices)` by sample index, NaN where frames are missing or were not
/// finite, so that no epoch spans them unnoticed.
pub fn filtered(
    spec: &FrontEndSpec,
    recording: &Recording,
    picks: &[usize],
) -> Result<Array2<f64>, PlanError> {
    if picks.is_empty() {
        return Err(PlanError::NoChannels);
    }
    let n_missing: u64 = recording.gaps.iter().map(|g| g.n_missing).sum();
    let n_indices = recording.n_samples() + n_missing as usize;
    let mut signal = Array2::from_elem((picks.len(), n_indices), f64::NAN);
    let mut filter = SosFilter::new(spec.sections(recording.info.rate)?, picks.len());
    let mut frame = vec![0.0; picks.len()];
    let mut gaps = recording.gaps.iter().peekable();
    let (mut index, mut is_fresh) = (0, true);
    for column in 0..recording.n_samples() {
        while let Some(gap) = gaps.next_if(|g| g.at.0 <= index as u64) {
            index += gap.n_missing as usize;
            is_fresh = true;
        }
        let mut is_sound = true;
        for (value, &pick) in frame.iter_mut().zip(picks) {
            let sample = f64::from(recording.samples[(pick, column)]);
            if sample.is_finite() {
                *value = sample;
            } else {
                is_sound = false;
                if is_fresh {
                    *value = 0.0;
                }
            }
        }
        if is_fresh {
            filter.start_at(&frame);
            is_fresh = false;
        }
        let mut out = frame.clone();
        filter.process_frame(&mut out);
        if is_sound {
            signal.column_mut(index).assign(&ArrayView1::from(&out));
        }
        index += 1;
    }
    Ok(signal)
}

/// The wanted features of each epoch, with its class. Epochs that hold missing or
/// constant data are left out.
pub fn epoch_features(
    epochs: &Epochs,
    rate: SampleRate,
    wanted: &[Feature],
) -> Result<Vec<(ClassIdx, Features)>, PlanError> {
    let (n_epochs, n_channels, n_samples) = epochs.samples().dim();
    let mut bands = None;
    if wanted.contains(&Feature::BandPower) {
        bands = Some(BandPower::new(n_samples, rate)?);
    }
    let mut found = Vec::with_capacity(n_epochs);
    for (epoch, class) in epochs.samples().outer_iter().zip(epochs.labels()) {
        let epoch = epoch.as_standard_layout();
        let Some(samples) = epoch.as_slice() else { continue };
        let samples = Planar::new(samples, n_channels, n_samples, n_samples);
        found.extend(features(samples, bands.as_mut()).map(|f| (*class, f)));
    }
    Ok(found)
}

fn features(samples: Planar<'_>, bands: Option<&mut BandPower>) -> Option<Features> {
    let n_channels = samples.n_channels();
    let mut covariance = scm(samples.as_mat());
    let total: f64 = (0..n_channels).map(|c| covariance[(c, c)]).sum();
    if !(total.is_finite() && total > 0.0) {
        return None;
    }
    let log = |c: usize| covariance[(c, c)].max(f64::MIN_POSITIVE).ln();
    let log_variance = (0..n_channels).map(log).collect();
    let mut band_power = Vec::new();
    if let Some(bands) = bands {
        band_power.resize(n_channels * BandPower::N_BANDS, 0.0);
        bands.log_power_into(samples, &mut band_power);
    }
    oas_shrink(covariance.as_mut(), samples.n_samples());
    Some(Features { covariance, log_variance, band_power })
}
