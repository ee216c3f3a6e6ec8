//! Signal steps that learn: each from the calibration's signal as the steps before it
//! leave it, in time order, before any window is laid. Batch code: it allocates, and no
//! live path reaches it.

use super::batch::{Frame, read_frames};
use super::graph::{EogChannels, Graph, Inputs, eog_channels};
use super::inputs::{channels_beside, eog_channels_of, named_inputs};
use super::step::{Asr, EogRegression, SignalStep};
use super::{FrontEndSpec, PlanError};
use crate::artifact::asr::{self, AsrError};
use crate::artifact::eog_regression::{self, EogError};
use acquisition::signal::Recording;
use faer::MatRef;
use std::ops::Range;

/// Why a signal step could not learn.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// Change the steps before it, or the channels.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Calibrate on more, or cleaner, signal.
    #[error(transparent)]
    Asr(#[from] AsrError),
    /// Name other EOG channels, or calibrate on more signal.
    #[error(transparent)]
    Eog(#[from] EogError),
}

/// A calibration: a recording, and the samples of it that may be learned from.
pub type Part<'a> = (&'a Recording, Range<u64>);

/// The steps with everything learned that is to be learned, from `parts` of recordings of
/// the same channels. What has been learned already stays as it is.
///
/// Frames that hold a sample which is not finite, of the channels decoded from or beside
/// them, are left out. The signal steps before run causally from each recording's first
/// sample, anew after every gap.
///
/// Memory: the samples of the parts in `f64`, once more in the fit.
pub fn learn(
    spec: &FrontEndSpec,
    steps: &[SignalStep],
    parts: &[Part<'_>],
) -> Result<Vec<SignalStep>, LearnError> {
    let mut learned = steps.to_vec();
    for at in 0..steps.len() {
        if learned[at].is_unlearned() && !parts.is_empty() {
            let (before, rest) = learned.split_at_mut(at);
            learn_step(spec, before, &mut rest[0], parts)?;
        }
    }
    Ok(learned)
}

fn learn_step(
    spec: &FrontEndSpec,
    before: &[SignalStep],
    step: &mut SignalStep,
    parts: &[Part<'_>],
) -> Result<(), LearnError> {
    let info = &parts[0].0.info;
    let picks = info.brain_channels();
    if picks.is_empty() {
        return Err(PlanError::NoChannels.into());
    }
    if let SignalStep::EogRegression(EogRegression { channels: channels @ None, .. }) = step {
        let label = |c: usize| info.channels[c].label.clone();
        *channels = Some(eog_channels_of(info)?.into_iter().map(label).collect());
    }
    let chain = [before, std::slice::from_ref(step)].concat();
    let inputs = [&picks[..], &channels_beside(info, &picks, &chain)?].concat();
    let named = named_inputs(info, &inputs, picks.len());
    let signal = Signal::read(spec, &chain, (&inputs, &named), parts)?;
    match step {
        SignalStep::Asr(step) => step.learned = Some(Box::new(signal.fit_asr(step)?)),
        SignalStep::EogRegression(step) => {
            let sides = eog_channels(step, &named.labels, picks.len())?;
            step.learned = Some(Box::new(signal.fit_eog(&sides)?));
        }
        _ => {}
    }
    Ok(())
}

/// The frames of all parts, one after the other.
struct Signal {
    rate: acquisition::time::SampleRate,
    n_channels: usize,
    frames: Vec<f64>,
    /// Frames before the end of each part.
    ends: Vec<usize>,
}

impl Signal {
    /// What comes out of all steps of `chain` but the last, which is to learn.
    fn read(
        spec: &FrontEndSpec,
        chain: &[SignalStep],
        (inputs, named): (&[usize], &Inputs),
        parts: &[Part<'_>],
    ) -> Result<Self, PlanError> {
        let mut graph = Graph::new(inputs.len(), parts[0].0.info.rate);
        let node = graph.add_before_last(chain, spec, named)?;
        let rate = graph.clock(node).rate();
        let n_channels = graph.n_channels(node);
        let mut signal = Self { rate, n_channels, frames: Vec::new(), ends: Vec::new() };
        for (recording, samples) in parts {
            graph.restart(0);
            read_frames(recording, inputs, named.n_picked, |frame: &Frame<'_>| {
                if frame.is_fresh {
                    graph.restart(frame.index);
                }
                graph.push(frame.values);
                if samples.contains(&frame.index) && frame.are_finite == [true; 2] {
                    for frame in graph.frames(node) {
                        signal.frames.extend_from_slice(frame);
                    }
                }
            });
            signal.ends.push(signal.frames.len() / n_channels);
        }
        Ok(signal)
    }

    fn fit_asr(&self, step: &Asr) -> Result<asr::Asr, LearnError> {
        let n_samples = self.frames.len() / self.n_channels;
        let samples = MatRef::from_column_major_slice(&self.frames, self.n_channels, n_samples);
        let asr = asr::Asr::fit(step.params(), self.rate, samples)?;
        // A step that is too long for the window shows only at this rate.
        asr.cleaner(step.cleaner_params())?;
        Ok(asr)
    }

    fn fit_eog(&self, sides: &EogChannels) -> Result<eog_regression::EogRegression, EogError> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let part = |(start, end): (usize, &usize)| {
            let frames = &self.frames[start * self.n_channels..end * self.n_channels];
            MatRef::from_column_major_slice(frames, self.n_channels, end - start)
        };
        let parts: Vec<_> = starts.zip(&self.ends).map(part).collect();
        eog_regression::EogRegression::fit(&parts, &sides.brain, &sides.eog)
    }
}
