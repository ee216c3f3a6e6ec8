//! A model meets a stream: does it fit, and if so, the engine that decodes.

use crate::checkpoint::Model;
use acquisition::marker::{ClassIdx, MarkerMap};
use acquisition::signal::StreamInfo;
use acquisition::text::printable;
use acquisition::time::{BadRate, SampleRate};
use decoding::front_end::{FrontEnd, PlanError};
use decoding::pipeline::demands;
use decoding::pipeline::runtime::ModelError;
use decoding::session::engine::Engine;
use decoding::session::event::TooManyClasses;

/// Largest relative difference of nominal rates that is the same rate. Headers round;
/// a filter designed for 250 Hz is not right at 256 Hz.
const RATE_TOLERANCE: f64 = 1e-4;

/// Why a model does not decode a stream.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Choose the stream the model was trained for, or train on this one.
    #[error(
        "the model decodes {model_hz} Hz, the stream runs at {stream_hz} Hz: train a model for this rate"
    )]
    Rate {
        /// The model's rate.
        model_hz: f64,
        /// The stream's rate.
        stream_hz: f64,
    },
    /// Check the cap's montage and labels, or train on these channels.
    #[error(
        "the stream lacks {n_missing} of the model's {n_channels} channels: {labels}: check the montage, or train a model for it"
    )]
    MissingChannels {
        /// How many.
        n_missing: usize,
        /// Of how many.
        n_channels: usize,
        /// The first of them.
        labels: String,
    },
    /// Rename channels at the sender: labels must be unique.
    #[error("the stream has channel {label} {n_times} times: rename channels at the sender")]
    AmbiguousChannel {
        /// The label.
        label: String,
        /// How often it occurs.
        n_times: usize,
    },
    /// The model's rate is no rate: the file is damaged, train again.
    #[error(transparent)]
    BadRate(#[from] BadRate),
    /// The model's filter or windows can't be planned: train again.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The model's parts don't fit together: train again.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model has too many classes.
    #[error(transparent)]
    Classes(#[from] TooManyClasses),
}

impl Model {
    /// The engine that decodes `stream` with this model: channels are matched by label
    /// (upper and lower case alike) and re-ordered; the rate must be the model's.
    pub fn plan(&self, stream: &StreamInfo) -> Result<Engine, SessionError> {
        let rate = SampleRate::new(self.rate_hz)?;
        let ratio = stream.rate.hz() / rate.hz();
        if (ratio - 1.0).abs() > RATE_TOLERANCE {
            let (model_hz, stream_hz) = (rate.hz(), stream.rate.hz());
            return Err(SessionError::Rate { model_hz, stream_hz });
        }
        let picks = self.pick_channels(stream)?;
        let demands = demands([self.decoder.pipeline()]);
        // The model's rate, which a header may have rounded.
        let info = StreamInfo { rate, ..stream.clone() };
        let front_end = FrontEnd::plan(&self.front_end, &info, picks, demands)?;
        let decoder = self.decoder.plan(&front_end, self.classes.len())?;
        Ok(Engine::new(front_end, stream.n_channels(), vec![decoder])?)
    }

    /// The stream's channel for each of the model's, by label.
    fn pick_channels(&self, stream: &StreamInfo) -> Result<Vec<usize>, SessionError> {
        let mut picks = Vec::with_capacity(self.channels.len());
        let mut missing = Vec::new();
        for label in &self.channels {
            let same = |c: &usize| stream.channels[*c].label.eq_ignore_ascii_case(label);
            let found: Vec<_> = (0..stream.n_channels()).filter(same).collect();
            match found.as_slice() {
                [] => missing.push(printable(label).into_owned()),
                [pick] => picks.push(*pick),
                several => {
                    let (label, n_times) = (printable(label).into_owned(), several.len());
                    return Err(SessionError::AmbiguousChannel { label, n_times });
                }
            }
        }
        if missing.is_empty() {
            return Ok(picks);
        }
        Err(SessionError::MissingChannels {
            n_missing: missing.len(),
            n_channels: self.channels.len(),
            labels: first_few(&missing),
        })
    }

    /// Which marker texts are cues, of which class.
    pub fn marker_map(&self) -> MarkerMap {
        let class = |k: usize| ClassIdx(k as u8 + 1);
        MarkerMap::new(self.cue_texts.iter().enumerate().map(|(k, t)| (t.clone(), class(k))))
    }
}

/// The first labels, and how many more there are.
fn first_few(labels: &[String]) -> String {
    const N_SHOWN: usize = 8;
    let shown = labels[..labels.len().min(N_SHOWN)].join(", ");
    match labels.len().saturating_sub(N_SHOWN) {
        0 => shown,
        n_more => format!("{shown} and {n_more} more"),
    }
}
