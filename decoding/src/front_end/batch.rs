//! Features of arbitrary stretches of a recording, for `--train-on trials`: the same
//! causal filter over the whole recording, then each stretch by itself. Batch code:
//! it allocates, and no live path reaches it.

use super::band_power::BandPower;
use super::{FrontEndSpec, PlanError};
use crate::filter::sos::SosFilter;
use crate::riemann::covariance::{oas_shrink, scm};
use crate::window::{Feature, Features, Planar};
use acquisition::signal::Recording;
use acquisition::time::{SampleIndex, SampleRate};

/// A filtered recording by sample index, `(n_channels, n_indices)`: NaN where frames are
/// missing or were not finite, so that no stretch spans them unnoticed.
#[derive(Clone, Debug)]
pub struct Filtered {
    data: Vec<f64>,
    n_channels: usize,
    n_indices: usize,
}

/// Filters the picked channels causally from the first sample, anew after every gap.
pub fn filtered(
    spec: &FrontEndSpec,
    recording: &Recording,
    picks: &[usize],
) -> Result<Filtered, PlanError> {
    if picks.is_empty() {
        return Err(PlanError::NoChannels);
    }
    let n_missing: u64 = recording.gaps.iter().map(|g| g.n_missing).sum();
    let n_indices = recording.n_samples() + n_missing as usize;
    let mut data = vec![f64::NAN; picks.len() * n_indices];
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
            }
        }
        if is_fresh {
            filter.start_at(&frame);
            is_fresh = false;
        }
        let mut out = frame.clone();
        filter.process_frame(&mut out);
        if is_sound {
            for (c, value) in out.iter().enumerate() {
                data[c * n_indices + index] = *value;
            }
        }
        index += 1;
    }
    Ok(Filtered { data, n_channels: picks.len(), n_indices })
}

/// The wanted features of the `n_samples` from `start` on; `None` where it holds missing or
/// constant data.
pub fn span_features(
    signal: &Filtered,
    start: SampleIndex,
    n_samples: usize,
    rate: SampleRate,
    wanted: &[Feature],
) -> Result<Option<Features>, PlanError> {
    let start = start.0 as usize;
    let samples =
        Planar::new(&signal.data[start..], signal.n_channels, signal.n_indices, n_samples);
    let mut covariance = scm(samples.as_mat());
    let total: f64 = (0..signal.n_channels).map(|c| covariance[(c, c)]).sum();
    if !(total.is_finite() && total > 0.0) {
        return Ok(None);
    }
    let log = |c: usize| covariance[(c, c)].max(f64::MIN_POSITIVE).ln();
    let log_variance = (0..signal.n_channels).map(log).collect();
    let mut band_power = Vec::new();
    if wanted.contains(&Feature::BandPower) {
        let mut bands = BandPower::new(n_samples, rate)?;
        band_power.resize(signal.n_channels * BandPower::N_BANDS, 0.0);
        bands.log_power_into(samples, &mut band_power);
    }
    oas_shrink(covariance.as_mut(), n_samples);
    Ok(Some(Features { covariance, log_variance, band_power }))
}
