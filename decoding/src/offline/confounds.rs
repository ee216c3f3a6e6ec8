//! What trials have besides brain activity: variables of eyes, muscles and time, and how much
//! of a score they explain.
//!
//! Three figures for each variable, and for all of them together:
//!
//! - *alone*: what a discriminant of these variables scores over the same folds, with no brain
//!   activity at all;
//! - *without*: what the pipeline scores after its decision values have lost what the variables
//!   explain of them linearly. The coefficients come from a fold's training trials, each decided
//!   by a decoder that was not fitted to it, so nothing is learned from what is scored;
//! - the label null of both.
//!
//! A variable alone may score below chance: folds that hold as many of each class leave fewer of
//! a class to be fitted to where more of it is scored. The null of labels permuted has the same.
//!
//! A score that stays is not proved to come from the brain: what is not linear, and what was not
//! measured, stays too. A score that goes may have been of the brain, where task and eye movement
//! come together.
//!
//! # Reference
//! L. Snoek, S. Miletić, H. S. Scholte (2019), doi 10.1016/j.neuroimage.2018.09.074
//! (regression within folds); R. Dinga et al. (2020), doi 10.1101/2020.08.17.255034 (of the
//! predictions, not of the features).

use super::trials::TrialError;
use super::{Padding, pad_samples, sos_signal_padded};
use crate::evaluate::pseudo_online::Run;
use crate::filter::butterworth;
use crate::filter::sos::Section;
use crate::front_end::PlanError;
use crate::front_end::batch::{Piece, pieces};
use acquisition::signal::{ChannelKind, Recording, StreamInfo};
use acquisition::time::SampleRate;
use datasets::folds::TrialSamples;
use ndarray::{Array2, ArrayView1, Axis, s};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A variable of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// Eye movements and blinks: logarithm of the standard deviation at 1-6 Hz, mean over the
    /// EOG channels, else over Fp1, Fpz, Fp2, AF7 and AF8.
    EyeAmplitude,
    /// To which side the eyes go: F7 minus F8 (else AF7 minus AF8, else Fp1 minus Fp2) below
    /// 5 Hz, its mean in the trial less its mean in the half second before, or less its first
    /// sample where nothing is before it.
    Gaze,
    /// Muscles: logarithm of the power at 30-45 Hz, mean over the temporal channels (F7, F8, FT7,
    /// FT8, T7, T8, T9, T10, TP7, TP8), else over all brain channels.
    MusclePower,
    /// Logarithm of the largest peak-to-peak amplitude of a brain channel above 1 Hz.
    PeakToPeak,
    /// Number of the trial in its run.
    TrialOrder,
    /// Number of the run among those of the trials.
    Run,
}

impl Variable {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::EyeAmplitude,
        Self::Gaze,
        Self::MusclePower,
        Self::PeakToPeak,
        Self::TrialOrder,
        Self::Run,
    ];
}

/// Variables of trials.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Those that the recordings have.
    pub variables: Vec<Variable>,
    /// A value of each, for each trial.
    pub values: Vec<Vec<f64>>,
    /// Those that were asked for and that the recordings have not: no channel, or too low a
    /// rate.
    pub absent: Vec<Variable>,
}

const EYES: [&str; 5] = ["Fp1", "Fpz", "Fp2", "AF7", "AF8"];
const SIDES: [[&str; 2]; 3] = [["F7", "F8"], ["AF7", "AF8"], ["Fp1", "Fp2"]];
const TEMPORAL: [&str; 10] = ["F7", "F8", "FT7", "FT8", "T7", "T8", "T9", "T10", "TP7", "TP8"];
const EYE_HZ: [f64; 2] = [1.0, 6.0];
const GAZE_BELOW_HZ: f64 = 5.0;
/// Below both line frequencies.
const MUSCLE_HZ: [f64; 2] = [30.0, 45.0];
const DRIFT_BELOW_HZ: f64 = 1.0;
const ORDER: usize = 4;
const BEFORE_SECS: f64 = 0.5;
/// Below any signal in microvolts: a flat channel has a logarithm.
const LEAST: f64 = 1e-12;

/// Measures the variables that are `asked` for of `trials` of the `runs`.
///
/// From the recordings as they are, filtered forward and backward. Batch: allocates; memory as
/// one run's brain channels in double precision, twice.
///
/// # Errors
/// [`TrialError::Filter`] where a sample of a channel that is needed is not finite.
pub fn measure(
    asked: &[Variable],
    runs: &[Run],
    trials: &[TrialSamples],
) -> Result<Measured, TrialError> {
    let mut measured =
        Measured { variables: vec![], values: vec![vec![]; trials.len()], absent: vec![] };
    for &variable in asked {
        match column(variable, runs, trials)? {
            Some(column) => {
                measured.variables.push(variable);
                measured.values.iter_mut().zip(column).for_each(|(row, value)| row.push(value));
            }
            None => measured.absent.push(variable),
        }
    }
    Ok(measured)
}

/// A value per trial; `None` where the recordings have not what it takes.
fn column(
    variable: Variable,
    runs: &[Run],
    trials: &[TrialSamples],
) -> Result<Option<Vec<f64>>, TrialError> {
    let mut values = vec![f64::NAN; trials.len()];
    for (nth, of_run) in by_run(trials).into_iter().enumerate() {
        let recording = &runs[trials[of_run[0]].0].recording;
        let spans: Vec<&Range<u64>> = of_run.iter().map(|trial| &trials[*trial].1).collect();
        let found = match variable {
            Variable::TrialOrder => (0..spans.len()).map(|k| k as f64).collect(),
            Variable::Run => vec![nth as f64; spans.len()],
            _ => match Signal::of(variable, &recording.info)? {
                Some(signal) => signal.values(recording, &spans)?,
                None => return Ok(None),
            },
        };
        of_run.into_iter().zip(found).for_each(|(trial, value)| values[trial] = value);
    }
    Ok(Some(values))
}

/// The trials of each run in the order of time.
fn by_run(trials: &[TrialSamples]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by_key(|trial| (trials[*trial].0, trials[*trial].1.start));
    order.chunk_by(|a, b| trials[*a].0 == trials[*b].0).map(<[usize]>::to_vec).collect()
}

/// What a variable is measured on.
struct Signal {
    variable: Variable,
    channels: Vec<usize>,
    sections: Vec<Section>,
    rate: SampleRate,
}

impl Signal {
    /// `None` where there is no such channel, or the rate is too low.
    fn of(variable: Variable, info: &StreamInfo) -> Result<Option<Self>, TrialError> {
        let (brain, rate) = (info.brain_channels(), info.rate);
        let named = |labels: &[&str]| -> Vec<usize> {
            let is_named = |c: &usize| {
                labels.iter().any(|label| info.channels[*c].label.eq_ignore_ascii_case(label))
            };
            brain.iter().copied().filter(is_named).collect()
        };
        let or = |first: Vec<usize>, other: Vec<usize>| {
            if first.is_empty() { other } else { first }
        };
        let (channels, sections) = match variable {
            Variable::EyeAmplitude => {
                let channels = or(of_kind(info, ChannelKind::Eog), named(&EYES));
                (channels, butterworth::bandpass(ORDER, EYE_HZ[0], EYE_HZ[1], rate))
            }
            Variable::MusclePower if rate.hz() <= 2.0 * MUSCLE_HZ[1] => return Ok(None),
            Variable::MusclePower => {
                let channels = or(named(&TEMPORAL), brain);
                (channels, butterworth::bandpass(ORDER, MUSCLE_HZ[0], MUSCLE_HZ[1], rate))
            }
            Variable::Gaze => {
                let pair = |pair: &[&str; 2]| -> Option<Vec<usize>> {
                    pair.iter().map(|label| named(&[label]).first().copied()).collect()
                };
                let channels = SIDES.iter().find_map(pair).unwrap_or_default();
                (channels, butterworth::lowpass(ORDER, GAZE_BELOW_HZ, rate))
            }
            Variable::PeakToPeak | Variable::TrialOrder | Variable::Run => {
                (brain, butterworth::highpass(ORDER, DRIFT_BELOW_HZ, rate))
            }
        };
        let sections = sections.map_err(PlanError::from)?;
        Ok((!channels.is_empty()).then_some(Self { variable, channels, sections, rate }))
    }

    /// A value for each of the stretches, none of which has a gap within.
    fn values(&self, recording: &Recording, spans: &[&Range<u64>]) -> Result<Vec<f64>, TrialError> {
        let mut values = vec![f64::NAN; spans.len()];
        for Piece { first, samples } in pieces(recording, &self.channels) {
            let samples = match self.variable {
                Variable::Gaze => (&samples.row(0) - &samples.row(1)).insert_axis(Axis(0)),
                _ => samples,
            };
            let n_samples = samples.ncols();
            let padding = (Padding::Odd, pad_samples(&self.sections).min(n_samples - 1));
            let filtered = sos_signal_padded(&self.sections, padding, &samples.view())?;
            for (value, span) in values.iter_mut().zip(spans) {
                let is_inside = span.start >= first && span.end <= first + n_samples as u64;
                if is_inside {
                    let trial = (span.start - first) as usize..(span.end - first) as usize;
                    *value = self.value(&filtered, trial);
                }
            }
        }
        Ok(values)
    }

    fn value(&self, signal: &Array2<f64>, trial: Range<usize>) -> f64 {
        let mean = |samples: Range<usize>| signal.slice(s![0, samples]).mean().unwrap_or(0.0);
        let of_channels = |of: fn(&ArrayView1<'_, f64>) -> f64| -> Vec<f64> {
            signal.slice(s![.., trial.clone()]).rows().into_iter().map(|row| of(&row)).collect()
        };
        let mean_over = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        match self.variable {
            Variable::EyeAmplitude => mean_over(of_channels(|x| x.std(0.0).max(LEAST).ln())),
            Variable::MusclePower => mean_over(of_channels(|x| x.var(0.0).max(LEAST).ln())),
            Variable::Gaze => {
                let n_before = self.rate.samples(BEFORE_SECS) as usize;
                let before = trial.start.saturating_sub(n_before)..trial.start;
                let start = trial.start;
                let before = if before.is_empty() { start..start + 1 } else { before };
                mean(trial) - mean(before)
            }
            Variable::PeakToPeak | Variable::TrialOrder | Variable::Run => {
                of_channels(extent).into_iter().fold(LEAST, f64::max).ln()
            }
        }
    }
}

/// From the least to the largest value.
fn extent(x: &ArrayView1<'_, f64>) -> f64 {
    let ends = x
        .iter()
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(*v), high.max(*v)]);
    ends[1] - ends[0]
}

fn of_kind(info: &StreamInfo, kind: ChannelKind) -> Vec<usize> {
    (0..info.n_channels()).filter(|c| info.channels[*c].kind == kind).collect()
}

#[cfg(test)]
mod tests;
