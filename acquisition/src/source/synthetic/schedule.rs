//! When the cues come, and how the brain follows them.

use super::config::CueSchedule;
use super::noise::Dice;
use crate::time::SampleRate;

/// The classes, in the order of their marker texts [`CLASSES`](super::CLASSES).
pub(super) const N_CLASSES: usize = 2;
/// Cues of each class in a block; the order within a block is shuffled.
const CUES_PER_BLOCK: usize = 2;

/// The endless sequence of cues of a run.
#[derive(Debug)]
pub(super) struct Schedule {
    dice: Dice,
    rate: SampleRate,
    times: CueSchedule,
    block: Vec<usize>,
    next_onset: u64,
    task_end: u64,
    class: usize,
}

impl Schedule {
    pub fn new(times: CueSchedule, rate: SampleRate, dice: Dice) -> Self {
        let next_onset = rate.samples(times.first_secs) as u64;
        let block = Vec::with_capacity(N_CLASSES * CUES_PER_BLOCK);
        Self { dice, rate, times, block, next_onset, task_end: 0, class: 0 }
    }

    /// The class whose cue lies at `frame`, if one does. To be asked for every frame once.
    pub fn cue_at(&mut self, frame: u64) -> Option<usize> {
        if frame != self.next_onset {
            return None;
        }
        if self.block.is_empty() {
            self.shuffle_block();
        }
        self.class = self.block.pop()?;
        let rest_secs = self.dice.between(self.times.rest_min_secs, self.times.rest_max_secs);
        self.task_end = frame + self.rate.samples(self.times.task_secs) as u64;
        self.next_onset = self.task_end + self.rate.samples(rest_secs) as u64;
        Some(self.class)
    }

    /// The class whose task `frame` lies in.
    pub fn task_at(&self, frame: u64) -> Option<usize> {
        (frame < self.task_end).then_some(self.class)
    }

    /// Fisher and Yates' shuffle of as many cues of each class.
    fn shuffle_block(&mut self) {
        self.block.extend((0..N_CLASSES * CUES_PER_BLOCK).map(|k| k % N_CLASSES));
        for k in (1..self.block.len()).rev() {
            self.block.swap(k, self.dice.below(k + 1));
        }
    }
}

/// Time constant of each of the two stages while the rhythm fades, in seconds: half
/// way after 0.17 s.
const ONSET_SECS: f64 = 0.10;
/// The same while it recovers: half way after 0.25 s.
const RECOVERY_SECS: f64 = 0.15;

/// How far a rhythm follows its task: two equal low-passes in a row, so it starts and
/// ends smoothly and never overshoots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Engagement {
    onset_step: f64,
    recovery_step: f64,
    first: f64,
    second: f64,
}

impl Engagement {
    pub fn new(rate: SampleRate) -> Self {
        let step = |secs: f64| 1.0 - (-1.0 / (secs * rate.hz())).exp();
        let (onset_step, recovery_step) = (step(ONSET_SECS), step(RECOVERY_SECS));
        Self { onset_step, recovery_step, first: 0.0, second: 0.0 }
    }

    /// The engagement after one more frame with `target`, 0 to 1.
    pub fn next(&mut self, target: f64) -> f64 {
        let step = if target > self.first { self.onset_step } else { self.recovery_step };
        self.first += step * (target - self.first);
        self.second += step * (self.first - self.second);
        self.second
    }
}
