//! A simulated head: demo board and test fixture.
//!
//! [`Simulator`] is a [`Feed`] of EEG or MEG with cues of imagined hand movements,
//! made frame by frame from two seeds: the head (where its sources lie and how they
//! oscillate) and the run (noise, artefacts, order of the cues). Calibration and
//! session of one person differ in `run_seed` alone.
//!
//! It is *not* a model of cognition, and a score on it says nothing about people.
//! There are no evoked responses to the cue, no rebound after a task, no fatigue and
//! no learning; a rhythm follows its cue within a third of a second, every time.
//! Streams say `simulated`, and so does whoever shows them.
//!
//! # The signal
//! `frame = G_b b + G_r (1 - loss(t)) r + artefacts + sensor noise`, with
//! - `b`: 48 sources of 1/f noise across the head; `r`: rhythms of narrow-band noise:
//!   alpha (10 Hz) under O1, O2 and `POz`, mu (11 Hz) and beta (20 Hz) under C3, `CP3`,
//!   C4, `CP4`; frequencies differ a little between heads;
//! - `G`: the forward model of dipoles in a sphere: potentials with an approximate skull
//!   for EEG, Sarvas' formula for MEG; the two see the same sources, whose strengths
//!   are set by their size at the electrode above them;
//! - `loss`: up to 0.85 times `separability` of the amplitude in the hand area opposite
//!   the imagined hand, 0.35 times in the one on its side, smoothed over some 0.3 s;
//! - artefacts: [`Artefacts`]. They never look at the cues, so at separability 0 the
//!   samples are independent of the cues altogether.
//!
//! # Threads and allocation
//! One thread at a time. [`Simulator::new`] allocates; reading allocates nothing but
//! room in the caller's `markers`.

mod artefact;
mod brain;
mod config;
mod head;
mod mixer;
mod noise;
mod schedule;
#[cfg(test)]
mod tests;

pub use config::{
    Artefacts, BadChannel, CALIBRATION_SECS, CueSchedule, DEFAULT_SEPARABILITY, Fault, Modality,
    SimulatorConfig, SimulatorError,
};

use crate::marker::Marker;
use crate::signal::{Chunk, Recording, StreamInfo};
use crate::source::{Feed, SourceError};
use crate::text::InlineText;
use crate::time::{SampleIndex, SampleRate};
use artefact::Disturbance;
use brain::Brain;
use ndarray::Array2;
use noise::Dice;
use schedule::Schedule;

/// The marker texts of the cues: imagined movement of the left and the right hand.
pub const CLASSES: [&str; schedule::N_CLASSES] = ["left_hand", "right_hand"];

/// Numbers of the generators' streams; those of artefacts follow from 16.
const HEAD_STREAM: u64 = 0;
const BACKGROUND_STREAM: u64 = 1;
const RHYTHM_STREAM: u64 = 2;
const CUE_STREAM: u64 = 3;

/// A simulated stream; see the [module](self).
#[derive(Debug)]
pub struct Simulator {
    info: StreamInfo,
    n_frames: u64,
    next: u64,
    brain: Brain,
    disturbance: Disturbance,
    schedule: Schedule,
    frame: Vec<f32>,
}

impl Simulator {
    /// The stream of `config`, at its first frame.
    ///
    /// # Errors
    /// Where a field of the configuration is out of its range.
    pub fn new(config: &SimulatorConfig) -> Result<Self, SimulatorError> {
        let rate = config.validate()?;
        let mut head_dice = Dice::new(config.head_seed, HEAD_STREAM);
        let run_dice = |stream| Dice::new(config.run_seed, stream);
        let brain = Brain::new(
            config,
            rate,
            &mut head_dice,
            run_dice(BACKGROUND_STREAM),
            run_dice(RHYTHM_STREAM),
        );
        Ok(Self {
            info: info(config, rate),
            n_frames: config.duration_secs.map_or(u64::MAX, |secs| rate.samples(secs) as u64),
            next: 0,
            brain,
            disturbance: Disturbance::new(config, &mut head_dice),
            schedule: Schedule::new(config.cues, rate, run_dice(CUE_STREAM)),
            frame: vec![0.0; config.n_channels],
        })
    }

    /// The first `secs` seconds of the stream of `config`, in memory; the configured
    /// duration takes no part. It holds four bytes for each sample of each channel.
    ///
    /// # Errors
    /// As [`Simulator::new`].
    pub fn record(config: &SimulatorConfig, secs: f64) -> Result<Recording, SimulatorError> {
        let config = SimulatorConfig { duration_secs: Some(secs), ..config.clone() };
        let mut simulator = Self::new(&config)?;
        let n_samples = simulator.n_frames as usize;
        let mut samples = Array2::zeros((config.n_channels, n_samples));
        let mut markers = Vec::new();
        for mut column in samples.columns_mut() {
            markers.extend(simulator.step());
            for (sample, value) in column.iter_mut().zip(&simulator.frame) {
                *sample = *value;
            }
        }
        let (gaps, findings) = (Vec::new(), Vec::new());
        Ok(Recording { info: simulator.info, samples, markers, gaps, findings })
    }

    /// Makes the next frame; gives the marker that lies on it.
    fn step(&mut self) -> Option<Marker> {
        let index = self.next;
        self.next += 1;
        let cue = self.schedule.cue_at(index);
        self.frame.fill(0.0);
        self.brain.add_to(&mut self.frame, self.schedule.task_at(index));
        self.disturbance.add_to(&mut self.frame, index);
        cue.map(|class| Marker {
            onset_secs: self.info.rate.secs(SampleIndex(index)),
            duration_secs: 0.0,
            text: InlineText::new(CLASSES[class]),
        })
    }
}

impl Feed for Simulator {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> Result<bool, SourceError> {
        chunk.restart(SampleIndex(self.next));
        while chunk.room() > 0 && self.next < self.n_frames {
            markers.extend(self.step());
            chunk.extend(&self.frame);
        }
        Ok(!chunk.is_empty())
    }
}

/// The stream's description. The same head and run have the same identity.
fn info(config: &SimulatorConfig, rate: SampleRate) -> StreamInfo {
    let kind = match config.modality {
        Modality::Eeg => "EEG",
        Modality::Meg => "MEG",
    };
    StreamInfo {
        name: "mindloop-sim".into(),
        kind: kind.into(),
        source_id: format!("mindloop-sim-{}-{}", config.head_seed, config.run_seed),
        host: String::new(),
        rate,
        channels: head::channels(config.modality, config.n_channels),
        simulated: true,
    }
}
