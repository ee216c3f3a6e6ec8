//! What disturbs a recording. Every kind draws from its own generator and none looks
//! at the cues, so artefacts carry no information on the task.

use super::config::{Artefacts, Fault, Modality, SimulatorConfig};
use super::head::{self, Depth, Dipole, Vec3};
use super::mixer::Mixer;
use super::noise::{Dice, Rhythm};
use crate::montage::HEAD_RADIUS_M;
use std::f64::consts::{PI, TAU};

/// Seconds from a blink's start to its end.
const BLINK_SECS: f64 = 0.4;
/// Time constant of electrode drift in seconds.
const DRIFT_SECS: f64 = 20.0;
/// White noise of a loose electrode, rms in microvolts.
const LOOSE_UV: f64 = 200.0;
/// Sensor noise, as a density: microvolts per root hertz of an EEG amplifier, fT and
/// fT/cm per root hertz of MEG sensors.
const EEG_NOISE: f64 = 0.06;
const MEG_NOISE: f64 = 2.0;
/// What a microvolt of the sensors' own artefacts stands for with MEG, in fT or fT/cm.
const MEG_PER_UV: f64 = 10.0;

/// Numbers of the generators' streams, one for each kind.
#[derive(Clone, Copy)]
enum Stream {
    Sensor = 16,
    Line,
    Drift,
    Pop,
    Blink,
    Burst,
    Loose,
}

/// All artefacts of a run.
#[derive(Debug)]
pub(super) struct Disturbance {
    config: Artefacts,
    per_uv: f64,
    noise: (f64, Dice),
    line: Line,
    drift: Drift,
    pops: Pops,
    blinks: Blinks,
    bursts: Bursts,
    loose: Dice,
}

impl Disturbance {
    pub fn new(config: &SimulatorConfig, head_dice: &mut Dice) -> Self {
        let dice = |stream: Stream| Dice::new(config.run_seed, stream as u64);
        let (density, per_uv) = match config.modality {
            Modality::Eeg => (EEG_NOISE, 1.0),
            Modality::Meg => (MEG_NOISE, MEG_PER_UV),
        };
        let noise = density * (config.rate_hz / 2.0).sqrt();
        Self {
            config: config.artefacts,
            per_uv,
            noise: (noise, dice(Stream::Sensor)),
            line: Line::new(config, per_uv, head_dice, &mut dice(Stream::Line)),
            drift: Drift::new(config, per_uv, dice(Stream::Drift)),
            pops: Pops::new(config, dice(Stream::Pop)),
            blinks: Blinks::new(config, dice(Stream::Blink)),
            bursts: Bursts::new(config, dice(Stream::Burst)),
            loose: dice(Stream::Loose),
        }
    }

    /// Adds the artefacts of frame number `index`; to be called for every frame once.
    pub fn add_to(&mut self, frame: &mut [f32], index: u64) {
        let (noise, dice) = &mut self.noise;
        for sample in frame.iter_mut() {
            *sample += (*noise * dice.normal()) as f32;
        }
        self.line.add_to(frame, index);
        self.drift.add_to(frame);
        self.pops.add_to(frame, index, self.config.pop_uv * self.per_uv);
        self.blinks.add_to(frame, index, self.config.blinks_per_min);
        self.bursts.add_to(frame, index, self.config.bursts_per_min);
        if let Some(bad) = self.config.bad_channel {
            frame[bad.channel_idx] = match bad.fault {
                Fault::Flat => 0.0,
                Fault::Noisy => (LOOSE_UV * self.per_uv * self.loose.normal()) as f32,
            };
        }
    }
}

/// The power line: a sine and its third harmonic, of its own size on each channel.
#[derive(Debug)]
struct Line {
    cycles_per_frame: f64,
    start: f64,
    harmonics: Vec<f64>,
    mixer: Mixer,
}

impl Line {
    fn new(config: &SimulatorConfig, per_uv: f64, head_dice: &mut Dice, dice: &mut Dice) -> Self {
        let a = &config.artefacts;
        let size = a.line_uv * per_uv;
        let column: Vec<f64> =
            (0..config.n_channels).map(|_| size * head_dice.between(0.5, 1.5)).collect();
        let mut mixer = Mixer::new(config.n_channels);
        mixer.push(&column);
        let audible = |h: &f64| a.line_uv > 0.0 && h * a.line_hz < config.rate_hz / 2.0;
        let harmonics = [1.0, 3.0].into_iter().filter(audible).collect();
        Self { cycles_per_frame: a.line_hz / config.rate_hz, start: dice.unit(), harmonics, mixer }
    }

    fn add_to(&self, frame: &mut [f32], index: u64) {
        let cycles = (self.start + index as f64 * self.cycles_per_frame).fract();
        let value: f64 = self.harmonics.iter().map(|h| (TAU * h * cycles).sin() / (h * h)).sum();
        if !self.harmonics.is_empty() {
            self.mixer.add(frame, 0, value);
        }
    }
}

/// Slow wander of every channel: first-order low-passed noise in its stationary state.
#[derive(Debug)]
struct Drift {
    dice: Dice,
    decay: f64,
    drive: f64,
    levels: Vec<f64>,
}

impl Drift {
    fn new(config: &SimulatorConfig, per_uv: f64, mut dice: Dice) -> Self {
        let size = config.artefacts.drift_uv * per_uv;
        let decay = (-1.0 / (DRIFT_SECS * config.rate_hz)).exp();
        let n_levels = if size > 0.0 { config.n_channels } else { 0 };
        let levels = (0..n_levels).map(|_| size * dice.normal()).collect();
        Self { dice, decay, drive: size * (1.0 - decay * decay).sqrt(), levels }
    }

    fn add_to(&mut self, frame: &mut [f32]) {
        for (sample, level) in frame.iter_mut().zip(&mut self.levels) {
            *level = self.decay * *level + self.drive * self.dice.normal();
            *sample += *level as f32;
        }
    }
}

/// Steps of one electrode that fade exponentially; one at a time.
#[derive(Debug)]
struct Pops {
    dice: Dice,
    per_min: f64,
    rate_hz: f64,
    next: u64,
    channel_idx: usize,
    level: f64,
    decay: f64,
}

impl Pops {
    fn new(config: &SimulatorConfig, mut dice: Dice) -> Self {
        let (per_min, rate_hz) = (config.artefacts.pops_per_min, config.rate_hz);
        let next = dice.frames_to_next(per_min, rate_hz);
        Self { dice, per_min, rate_hz, next, channel_idx: 0, level: 0.0, decay: 0.0 }
    }

    fn add_to(&mut self, frame: &mut [f32], index: u64, size: f64) {
        if index == self.next {
            let wait = self.dice.frames_to_next(self.per_min, self.rate_hz);
            self.next = index.saturating_add(wait);
            self.channel_idx = self.dice.below(frame.len());
            let sign = if self.dice.unit() < 0.5 { -1.0 } else { 1.0 };
            self.level = sign * size * self.dice.between(0.5, 1.5);
            self.decay = (-1.0 / (self.dice.between(0.3, 1.0) * self.rate_hz)).exp();
        }
        // A pop ends at a millionth of its size: below that only slow denormals follow.
        if self.level.abs() > 1e-6 * size {
            frame[self.channel_idx] += self.level as f32;
            self.level *= self.decay;
        }
    }
}

/// An event that lasts: when it began, how long, how large.
#[derive(Debug)]
struct Event {
    rate_hz: f64,
    next: u64,
    begin: u64,
    n_frames: f64,
    size: f64,
}

impl Event {
    fn new(rate_hz: f64, next: u64) -> Self {
        Self { rate_hz, next, begin: 0, n_frames: 0.0, size: 0.0 }
    }

    /// Begins the next event where its time has come, with a length of `secs` and a
    /// random size around 1. Whether one began.
    fn begins(&mut self, index: u64, per_min: f64, secs: [f64; 2], dice: &mut Dice) -> bool {
        if index != self.next {
            return false;
        }
        self.begin = index;
        self.n_frames = (dice.between(secs[0], secs[1]) * self.rate_hz).ceil();
        self.size = dice.between(0.7, 1.3);
        let wait = dice.frames_to_next(per_min, self.rate_hz);
        self.next = (index + self.n_frames as u64).saturating_add(wait);
        true
    }

    /// How much of the event is over, 0 to 1, while it lasts.
    fn progress(&self, index: u64) -> Option<f64> {
        let done = (index - self.begin) as f64 / self.n_frames;
        (done < 1.0).then_some(done)
    }
}

/// Blinks: both eyes as dipoles that point forwards.
#[derive(Debug)]
struct Blinks {
    dice: Dice,
    event: Event,
    mixer: Mixer,
}

impl Blinks {
    fn new(config: &SimulatorConfig, mut dice: Dice) -> Self {
        let a = &config.artefacts;
        let at = head::electrode("Fp1");
        let eyes = [-0.03, 0.03].map(|x| Dipole {
            position_m: [x, 0.06, -0.03],
            moment_am: head::unit([0.0, 1.0, 0.5]),
            depth: Depth::UnderScalp,
        });
        let gain = a.blink_uv / eyes.iter().map(|eye| eye.potential_uv(at)).sum::<f64>();
        let [left, right] = eyes.map(|eye| eye.seen_by(config.modality, config.n_channels));
        let column: Vec<f64> = left.iter().zip(&right).map(|(l, r)| gain * (l + r)).collect();
        let mut mixer = Mixer::new(config.n_channels);
        mixer.push(&column);
        let next = dice.frames_to_next(a.blinks_per_min, config.rate_hz);
        Self { dice, event: Event::new(config.rate_hz, next), mixer }
    }

    /// A rise and fall over two thirds, then a shallow swing to the other side.
    fn add_to(&mut self, frame: &mut [f32], index: u64, per_min: f64) {
        self.event.begins(index, per_min, [0.8 * BLINK_SECS, BLINK_SECS], &mut self.dice);
        let Some(done) = self.event.progress(index) else { return };
        let shape = if done < 2.0 / 3.0 {
            (1.5 * PI * done).sin().powi(2)
        } else {
            -0.2 * (3.0 * PI * (done - 2.0 / 3.0)).sin().powi(2)
        };
        self.mixer.add(frame, 0, self.event.size * shape);
    }
}

/// Bursts of one temporal muscle at a time: wide-band noise around 60 Hz, high-passed
/// at 20 Hz.
#[derive(Debug)]
struct Bursts {
    dice: Dice,
    event: Event,
    noise: Rhythm,
    low: f64,
    low_step: f64,
    side: usize,
    mixer: Mixer,
}

impl Bursts {
    fn new(config: &SimulatorConfig, mut dice: Dice) -> Self {
        let a = &config.artefacts;
        let mut mixer = Mixer::new(config.n_channels);
        for label in ["T7", "T8"] {
            let above = head::electrode(label);
            let along: Vec3 = [0.0, 1.0, 0.0];
            let dipole = Dipole {
                position_m: head::scaled(head::unit(above), 0.8 * HEAD_RADIUS_M),
                moment_am: head::sum(head::unit(above), along),
                depth: Depth::UnderScalp,
            };
            mixer
                .push(&dipole.sized(above, a.burst_uv).seen_by(config.modality, config.n_channels));
        }
        // Slow rates hold the lower part of the band only.
        let centre_hz = f64::min(60.0, 0.3 * config.rate_hz);
        let noise = Rhythm::new(centre_hz, 0.75 * centre_hz, config.rate_hz, &mut dice);
        let low_step = 1.0 - (-TAU * centre_hz / 3.0 / config.rate_hz).exp();
        let next = dice.frames_to_next(a.bursts_per_min, config.rate_hz);
        let event = Event::new(config.rate_hz, next);
        Self { dice, event, noise, low: 0.0, low_step, side: 0, mixer }
    }

    fn add_to(&mut self, frame: &mut [f32], index: u64, per_min: f64) {
        if self.event.begins(index, per_min, [0.3, 1.0], &mut self.dice) {
            self.side = self.dice.below(2);
        }
        let Some(done) = self.event.progress(index) else { return };
        // A raised-cosine envelope of unit mean square.
        let envelope = (PI * done).sin().powi(2) / 0.375f64.sqrt();
        let noise = self.noise.next(&mut self.dice);
        self.low += self.low_step * (noise - self.low);
        self.mixer.add(frame, self.side, self.event.size * envelope * (noise - self.low));
    }
}
