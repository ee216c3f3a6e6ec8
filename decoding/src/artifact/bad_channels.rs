//! Which channels of a recording are bad, by the criteria of the PREP pipeline.
//!
//! It looks at a whole recording, with a filter that reads the future, and decides
//! nothing: what is found is a report per channel. To replace bad channels see
//! [`crate::spatial::spline`]. Offsets and drifts count as amplitude: high-pass first (1 Hz).
//!
//! # Reference
//! N. Bigdely-Shamlo, T. Mullen, C. Kothe, K.-M. Su, K. A. Robbins (2015), Frontiers in
//! Neuroinformatics 9:16, doi:10.3389/fninf.2015.00016. Numbers are those of pyprep, without
//! its criterion on spectra, which PREP does not have.

mod low_pass;
mod ransac;
mod robust;

pub use ransac::RansacParams;

use crate::spatial::SpatialError;
use acquisition::time::SampleRate;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use robust::{QUARTILES_TO_STD, mad, median, quantile, quartile_range, robust_z};

/// Thresholds; the default is PREP's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BadChannelParams {
    /// A channel is flat whose standard deviation, or median absolute deviation, is below
    /// this, in the unit of the samples (1e-9 µV).
    pub flat_below: f64,
    /// Robust z-score of the amplitude beyond which, either way, it is abnormal.
    pub deviation_z: f64,
    /// Robust z-score of the share above 45 to 50 Hz beyond which it is noise.
    pub noise_z: f64,
    /// Window of the correlation with other channels.
    pub correlation_secs: f64,
    /// A window is bad where no other channels correlate better than this with the channel.
    pub min_correlation: f64,
    /// Share of bad windows, and of windows with a dropout, from above which a channel is bad.
    pub max_bad_windows: f64,
    /// Prediction from other channels.
    pub ransac: RansacParams,
}

impl Default for BadChannelParams {
    fn default() -> Self {
        Self {
            flat_below: 1e-9,
            deviation_z: 5.0,
            noise_z: 5.0,
            correlation_secs: 1.0,
            min_correlation: 0.4,
            max_bad_windows: 0.01,
            ransac: RansacParams::default(),
        }
    }
}

/// What is wrong with a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It holds NaN or infinite samples; nothing else was asked of it.
    NotFinite,
    /// It is constant; nothing else was asked of it.
    Flat,
    /// Its amplitude is far from that of the others, above or below.
    Deviation,
    /// It has far more power above 45 to 50 Hz than the others.
    HighFrequency,
    /// In too many windows no other channel correlates with it.
    Correlation,
    /// In too many windows it stands still.
    Dropout,
    /// In too many windows the others do not predict it.
    Unpredictable,
}

/// What was found of one channel. Figures are 0 for a channel that is flat or not finite.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelReport {
    /// Everything that is wrong; empty for a good channel.
    pub reasons: Vec<Reason>,
    /// Robust z-score of its amplitude.
    pub deviation_z: f64,
    /// Robust z-score of its high-frequency share; 0 at rates of 100 Hz or less.
    pub noise_z: f64,
    /// Share of windows without a channel that correlates.
    pub uncorrelated_windows: f64,
    /// Share of windows in which it stands still.
    pub dropout_windows: f64,
    /// Share of windows in which it is not predicted; `None` where that was not tried:
    /// no positions, or bad by correlation, deviation or dropout before.
    pub unpredicted_windows: Option<f64>,
}

impl ChannelReport {
    fn with(reason: Option<Reason>) -> Self {
        Self {
            reasons: reason.into_iter().collect(),
            deviation_z: 0.0,
            noise_z: 0.0,
            uncorrelated_windows: 0.0,
            dropout_windows: 0.0,
            unpredicted_windows: None,
        }
    }

    /// Whether anything is wrong.
    pub fn is_bad(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// Why channels can't be judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadChannelError {
    /// Choose a threshold or length in the range of its kind.
    #[error("{name} of {value} is not possible: choose a positive number, and shares below 1")]
    BadParam {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// Record longer: the longest window and one sample more.
    #[error("{n_samples} samples are too few: more than {needed} are needed: record longer")]
    TooShort {
        /// Samples given.
        n_samples: usize,
        /// The longest window.
        needed: usize,
    },
    /// Record more channels, or leave the positions out: the other criteria do without.
    #[error(
        "{n_channels} good channels are too few to predict one from {subset} others: record more, or leave the positions out"
    )]
    TooFewChannels {
        /// Channels that are left.
        n_channels: usize,
        /// Channels of a subset; at least four are needed.
        subset: usize,
    },
    /// Pass one position per channel.
    #[error("{n_positions} positions for {n_channels} channels: pass one for each")]
    WrongPositions {
        /// Positions given.
        n_positions: usize,
        /// Channels of the recording.
        n_channels: usize,
    },
    /// Look at the positions.
    #[error(transparent)]
    Spline(#[from] SpatialError),
}

/// Judges every channel of `samples` `(n_channels, n_samples)`.
///
/// With `positions_m`, one per channel and relative to the centre of the head, channels are
/// also predicted from random subsets of the others by spherical splines
/// ([`RansacParams`]). Allocates two copies of the recording; uses the caller's rayon pool,
/// and gives the same bits on any number of threads.
pub fn find(
    params: &BadChannelParams,
    rate: SampleRate,
    samples: MatRef<'_, f64>,
    positions_m: Option<&[[f64; 3]]>,
) -> Result<Vec<ChannelReport>, BadChannelError> {
    params.check(rate, samples.ncols(), positions_m.is_some())?;
    let mut reports: Vec<_> = (0..samples.nrows())
        .map(|i| ChannelReport::with(unusable(params.flat_below, samples, i)))
        .collect();
    let usable: Vec<usize> = (0..reports.len()).filter(|i| !reports[*i].is_bad()).collect();
    let raw: Vec<Vec<f64>> =
        usable.iter().map(|i| samples.row(*i).iter().copied().collect()).collect();
    let smooth = low_pass::filtered(rate, &raw);
    judge_amplitude(params, &raw, &usable, &mut reports);
    judge_noise(params, (&raw, &smooth), &usable, &mut reports);
    judge_correlation(params, rate, &smooth, &usable, &mut reports);
    let Some(positions) = positions_m else { return Ok(reports) };
    if positions.len() != samples.nrows() {
        let (n_positions, n_channels) = (positions.len(), samples.nrows());
        return Err(BadChannelError::WrongPositions { n_positions, n_channels });
    }
    // High-frequency noise is filtered out here: such channels may predict others.
    let spoils =
        |r: &Reason| matches!(r, Reason::Deviation | Reason::Correlation | Reason::Dropout);
    let good: Vec<usize> =
        (0..usable.len()).filter(|k| !reports[usable[*k]].reasons.iter().any(spoils)).collect();
    let rows: Vec<&[f64]> = good.iter().map(|k| smooth[*k].as_slice()).collect();
    let places: Vec<[f64; 3]> = good.iter().map(|k| positions[usable[*k]]).collect();
    let n_subset = params.ransac.subset_size(usable.len());
    let subsets = params.ransac.subsets(rows.len(), n_subset)?;
    let predicted = ransac::correlations(&params.ransac, rate, &rows, &places, &subsets)?;
    for (k, windows) in good.iter().zip(predicted) {
        let n_bad = windows.iter().filter(|r| **r < params.ransac.min_correlation).count();
        let share = n_bad as f64 / windows.len() as f64;
        let report = &mut reports[usable[*k]];
        report.unpredicted_windows = Some(share);
        report.note(share > params.ransac.max_bad_windows, Reason::Unpredictable);
    }
    Ok(reports)
}

impl BadChannelParams {
    fn check(
        &self,
        rate: SampleRate,
        n_samples: usize,
        predicts: bool,
    ) -> Result<(), BadChannelError> {
        let ransac = &self.ransac;
        let values = [
            ("a flat threshold", self.flat_below, f64::INFINITY),
            ("a deviation", self.deviation_z, f64::INFINITY),
            ("a noise score", self.noise_z, f64::INFINITY),
            ("a window in seconds", self.correlation_secs, f64::INFINITY),
            ("a correlation", self.min_correlation, 1.0),
            ("a share of windows", self.max_bad_windows, 1.0),
            ("a prediction window in seconds", ransac.window_secs, f64::INFINITY),
            ("a predicted correlation", ransac.min_correlation, 1.0),
            ("a share of unpredicted windows", ransac.max_bad_windows, 1.0),
            ("a share of channels in a subset", ransac.subset_fraction, 1.0),
            ("a number of subsets", ransac.n_subsets as f64, f64::INFINITY),
        ];
        let possible = |value: f64, below: f64| value > 0.0 && value < below;
        if let Some((name, value, _)) = values.into_iter().find(|(_, v, b)| !possible(*v, *b)) {
            return Err(BadChannelError::BadParam { name, value });
        }
        let (shortest, longest) = if predicts {
            let (a, b) = (ransac.window_secs, self.correlation_secs);
            (a.min(b), a.max(b))
        } else {
            (self.correlation_secs, self.correlation_secs)
        };
        let needed = ((longest * rate.hz()) as usize).max(low_pass::REACH);
        if n_samples > needed + 1 && shortest * rate.hz() >= 2.0 {
            return Ok(());
        }
        Err(BadChannelError::TooShort { n_samples, needed: needed + 1 })
    }
}

impl ChannelReport {
    fn note(&mut self, is_so: bool, reason: Reason) {
        if is_so {
            self.reasons.push(reason);
        }
    }
}

fn unusable(flat_below: f64, samples: MatRef<'_, f64>, channel: usize) -> Option<Reason> {
    let row: Vec<f64> = samples.row(channel).iter().copied().collect();
    if row.iter().any(|x| !x.is_finite()) {
        return Some(Reason::NotFinite);
    }
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let std = (row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    (std < flat_below || mad(&row) < flat_below).then_some(Reason::Flat)
}

/// Amplitude: the interquartile range as a standard deviation.
fn judge_amplitude(
    params: &BadChannelParams,
    raw: &[Vec<f64>],
    usable: &[usize],
    reports: &mut [ChannelReport],
) {
    let amplitudes: Vec<f64> =
        raw.iter().map(|row| quartile_range(row) * QUARTILES_TO_STD).collect();
    let spread = quartile_range(&amplitudes) * QUARTILES_TO_STD;
    let centre = median(&amplitudes);
    for (i, amplitude) in usable.iter().zip(&amplitudes) {
        let z = robust_z(*amplitude, centre, spread);
        reports[*i].deviation_z = z;
        reports[*i].note(z.abs() > params.deviation_z, Reason::Deviation);
    }
}

/// Noise: what the low-pass takes away, as a share of what it leaves.
fn judge_noise(
    params: &BadChannelParams,
    (raw, smooth): (&[Vec<f64>], &[Vec<f64>]),
    usable: &[usize],
    reports: &mut [ChannelReport],
) {
    let share = |(raw, smooth): (&Vec<f64>, &Vec<f64>)| {
        let fast: Vec<f64> = raw.iter().zip(smooth).map(|(x, y)| x - y).collect();
        mad(&fast) / mad(smooth)
    };
    let shares: Vec<f64> = raw.iter().zip(smooth).map(share).collect();
    let (centre, spread) = (median(&shares), mad(&shares) * robust::MAD_TO_STD);
    for (i, share) in usable.iter().zip(&shares) {
        let z = robust_z(*share, centre, spread);
        reports[*i].noise_z = z;
        reports[*i].note(z > params.noise_z, Reason::HighFrequency);
    }
}

/// Correlation: the 98th percentile of the magnitudes with the other channels, window by
/// window; a channel that stands still in a window has none.
fn judge_correlation(
    params: &BadChannelParams,
    rate: SampleRate,
    smooth: &[Vec<f64>],
    usable: &[usize],
    reports: &mut [ChannelReport],
) {
    let Some(n_samples) = smooth.first().map(Vec::len) else { return };
    let window = (params.correlation_secs * rate.hz()) as usize;
    let n_windows = (n_samples - window - 1).div_ceil(window);
    let (mut bad, mut still) = (vec![0_usize; smooth.len()], vec![0_usize; smooth.len()]);
    for w in 0..n_windows {
        let rows: Vec<Option<Vec<f64>>> =
            smooth.iter().map(|row| standardised(&row[w * window..(w + 1) * window])).collect();
        let moving: Vec<&Vec<f64>> = rows.iter().flatten().collect();
        let all = Mat::from_fn(window, moving.len(), |t, k| moving[k][t]);
        let mut correlations = Mat::zeros(moving.len(), moving.len());
        matmul(correlations.as_mut(), Accum::Replace, all.transpose(), &all, 1.0, Par::Seq);
        let mut found = correlations.col_iter().enumerate().map(|(own, with)| {
            let others = with.iter().enumerate();
            others.map(|(k, r)| if k == own { 0.0 } else { r.abs() }).collect::<Vec<f64>>()
        });
        for (k, row) in rows.iter().enumerate() {
            let others = row.as_ref().and_then(|_| found.next());
            let is_bad = |others: &Vec<f64>| quantile(others, 0.98) < params.min_correlation;
            still[k] += usize::from(others.is_none());
            bad[k] += usize::from(others.as_ref().is_none_or(is_bad));
        }
    }
    for ((i, bad), still) in usable.iter().zip(bad).zip(still) {
        let report = &mut reports[*i];
        report.uncorrelated_windows = bad as f64 / n_windows as f64;
        report.dropout_windows = still as f64 / n_windows as f64;
        report.note(report.uncorrelated_windows > params.max_bad_windows, Reason::Correlation);
        report.note(report.dropout_windows > params.max_bad_windows, Reason::Dropout);
    }
}

/// Mean 0 and length 1; nothing for a window in which the channel stands still.
fn standardised(row: &[f64]) -> Option<Vec<f64>> {
    if mad(row) == 0.0 {
        return None;
    }
    let mean = row.iter().sum::<f64>() / row.len() as f64;
    let length = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
    Some(row.iter().map(|x| (x - mean) / length).collect())
}

#[cfg(test)]
mod tests;
