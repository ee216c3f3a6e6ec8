//! What can be asked of the simulator.

use crate::time::{BadRate, SampleRate};
use serde::{Deserialize, Serialize};

/// Which sensors the simulated head wears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Electrodes of the 10-10 system, in microvolts.
    #[default]
    Eeg,
    /// 102 magnetometers (fT) and 204 planar gradiometers (fT/cm).
    Meg,
}

/// When the cues come. All times in seconds; each is rounded to whole frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CueSchedule {
    /// Onset of the first cue (default 2).
    pub first_secs: f64,
    /// Length of the task after each cue (default 4).
    pub task_secs: f64,
    /// Shortest rest between a task's end and the next cue (default 3).
    pub rest_min_secs: f64,
    /// Longest rest; each is drawn uniformly between the two (default 4).
    pub rest_max_secs: f64,
}

impl Default for CueSchedule {
    fn default() -> Self {
        Self { first_secs: 2.0, task_secs: 4.0, rest_min_secs: 3.0, rest_max_secs: 4.0 }
    }
}

/// What is wrong with the bad channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Exactly zero, as from an amplifier input that is shorted.
    Flat,
    /// White noise of 200 uV rms and no brain, as from an electrode that hangs loose.
    Noisy,
}

/// A channel that carries no signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BadChannel {
    /// Position of the channel in a frame.
    pub channel_idx: usize,
    /// What it shows instead.
    pub fault: Fault,
}

/// What disturbs the recording. A rate or size of 0 turns an artefact off.
///
/// Sizes are microvolts on the scalp. With MEG sensors blinks and muscles reach them
/// through the same sources inside the head; what arises in the sensors (line, drift,
/// pops, bad channel) is scaled by 10 fT and 10 fT/cm for each microvolt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Artefacts {
    /// Mean number of blinks in a minute (default 10).
    pub blinks_per_min: f64,
    /// Mean peak of a blink at Fp1 (default 100).
    pub blink_uv: f64,
    /// Mean number of muscle bursts in a minute (default 3).
    pub bursts_per_min: f64,
    /// Mean rms of a burst at T7 or T8 while it lasts (default 25).
    pub burst_uv: f64,
    /// Frequency of the power line: 50 or 60 (default 50). A line, or its third
    /// harmonic, at or above half the sampling rate is left out, as an amplifier's
    /// anti-aliasing filter would.
    pub line_hz: f64,
    /// Amplitude of the line (default 2), different on each channel.
    pub line_uv: f64,
    /// Rms of the slow wander of each electrode, time constant 20 s (default 15).
    pub drift_uv: f64,
    /// Mean number of electrode pops in a minute, over all channels (default 0.5).
    pub pops_per_min: f64,
    /// Mean size of the step of a pop (default 80).
    pub pop_uv: f64,
    /// A channel without signal (default none).
    pub bad_channel: Option<BadChannel>,
}

impl Default for Artefacts {
    fn default() -> Self {
        Self {
            blinks_per_min: 10.0,
            blink_uv: 100.0,
            bursts_per_min: 3.0,
            burst_uv: 25.0,
            line_hz: 50.0,
            line_uv: 2.0,
            drift_uv: 15.0,
            pops_per_min: 0.5,
            pop_uv: 80.0,
            bad_channel: None,
        }
    }
}

impl Artefacts {
    /// No artefact at all.
    pub fn none() -> Self {
        Self {
            blinks_per_min: 0.0,
            bursts_per_min: 0.0,
            line_uv: 0.0,
            drift_uv: 0.0,
            pops_per_min: 0.0,
            ..Self::default()
        }
    }
}

/// Everything the simulator is made from. Equal configurations give equal streams,
/// bit for bit on one platform (sine and logarithm are the platform's).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    /// The person: source places, strengths, rhythms' frequencies (default 1).
    pub head_seed: u64,
    /// The run: noise, artefacts and the order of the cues (default 1). Two runs of one
    /// head differ in this alone.
    pub run_seed: u64,
    /// Which sensors (default EEG).
    pub modality: Modality,
    /// Number of channels: 8 to 64 for EEG, the first of
    /// [`TEN_TEN`](crate::montage::TEN_TEN) (default 16); 306 for MEG.
    pub n_channels: usize,
    /// Sampling rate in hertz, 50 to 20000 (default 250).
    pub rate_hz: f64,
    /// How much imagery changes the rhythms, 0 to 1 (default
    /// [`DEFAULT_SEPARABILITY`]). At 0 nothing in the samples depends on the cues.
    pub separability: f64,
    /// When the cues come.
    pub cues: CueSchedule,
    /// What disturbs the recording.
    pub artefacts: Artefacts,
    /// Length of the stream in seconds; `None` (default) is endless.
    pub duration_secs: Option<f64>,
}

/// The separability of the demo: left, right and idle are told apart well, but not
/// perfectly.
///
/// With 16 channels at 250 Hz, [`CALIBRATION_SECS`] of calibration and three minutes of
/// test on each of 20 heads, tangent space and logistic regression on 8-30 Hz and
/// windows of 2 s every 0.1 s reached an nMCC of 0.83 to 0.89 with idle included
/// (SciPy, pyRiemann and scikit-learn); at separability 0, 0.44 to 0.56 on 10 heads.
pub const DEFAULT_SEPARABILITY: f64 = 0.6;

/// Length of a calibration run that suffices for the demo's decoder, in seconds.
pub const CALIBRATION_SECS: f64 = 180.0;

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            head_seed: 1,
            run_seed: 1,
            modality: Modality::Eeg,
            n_channels: 16,
            rate_hz: 250.0,
            separability: DEFAULT_SEPARABILITY,
            cues: CueSchedule::default(),
            artefacts: Artefacts::default(),
            duration_secs: None,
        }
    }
}

/// Why a configuration can't be simulated: correct the field it names.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SimulatorError {
    /// The sensors don't come in this number: choose one from the range.
    #[error("{modality:?} needs {min} to {max} channels, not {n_channels}")]
    Channels {
        /// Which sensors.
        modality: Modality,
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
        /// What was asked for.
        n_channels: usize,
    },
    /// The rate is no rate: choose one from 50 to 20000 Hz.
    #[error(transparent)]
    Rate(#[from] BadRate),
    /// A number is outside its range: choose one inside.
    #[error("{field} must be in {min} to {max}, not {value}")]
    Range {
        /// The field's name.
        field: &'static str,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// What was asked for.
        value: f64,
    },
    /// The bad channel does not exist: name one that does.
    #[error("bad channel {channel_idx} is not among {n_channels} channels")]
    NoSuchChannel {
        /// What was asked for.
        channel_idx: usize,
        /// Number of channels.
        n_channels: usize,
    },
}

impl SimulatorConfig {
    /// The defaults with 306 MEG channels at 1 kHz.
    pub fn meg() -> Self {
        Self {
            modality: Modality::Meg,
            n_channels: crate::montage::helmet::N_CHANNELS,
            rate_hz: 1000.0,
            ..Self::default()
        }
    }

    /// Checks every field; gives the rate.
    pub(super) fn validate(&self) -> Result<SampleRate, SimulatorError> {
        let (min, max) = match self.modality {
            Modality::Eeg => (8, crate::montage::TEN_TEN.len()),
            Modality::Meg => {
                (crate::montage::helmet::N_CHANNELS, crate::montage::helmet::N_CHANNELS)
            }
        };
        let (modality, n_channels) = (self.modality, self.n_channels);
        if !(min..=max).contains(&n_channels) {
            return Err(SimulatorError::Channels { modality, min, max, n_channels });
        }
        let a = &self.artefacts;
        if let Some(bad) = a.bad_channel.filter(|bad| bad.channel_idx >= n_channels) {
            return Err(SimulatorError::NoSuchChannel { channel_idx: bad.channel_idx, n_channels });
        }
        let c = &self.cues;
        let line_hz = if a.line_hz == 60.0 { 50.0 } else { a.line_hz };
        for (field, value, min, max) in [
            ("rate_hz", self.rate_hz, 50.0, 20_000.0),
            ("separability", self.separability, 0.0, 1.0),
            ("first_secs", c.first_secs, 0.0, 3600.0),
            ("task_secs", c.task_secs, 0.1, 3600.0),
            ("rest_min_secs", c.rest_min_secs, 0.0, 3600.0),
            ("rest_max_secs", c.rest_max_secs, c.rest_min_secs, 3600.0),
            ("blinks_per_min", a.blinks_per_min, 0.0, 60.0),
            ("blink_uv", a.blink_uv, 0.0, 1e4),
            ("bursts_per_min", a.bursts_per_min, 0.0, 60.0),
            ("burst_uv", a.burst_uv, 0.0, 1e4),
            ("line_hz", line_hz, 50.0, 50.0),
            ("line_uv", a.line_uv, 0.0, 1e4),
            ("drift_uv", a.drift_uv, 0.0, 1e4),
            ("pops_per_min", a.pops_per_min, 0.0, 60.0),
            ("pop_uv", a.pop_uv, 0.0, 1e4),
            ("duration_secs", self.duration_secs.unwrap_or(1.0), 0.0, 1e7),
        ] {
            if !(min..=max).contains(&value) {
                return Err(SimulatorError::Range { field, min, max, value });
            }
        }
        Ok(SampleRate::new(self.rate_hz)?)
    }
}
