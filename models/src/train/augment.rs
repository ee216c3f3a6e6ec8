//! Examples changed as recordings change, so that a network does not learn by heart.
//!
//! None is fitted to anything, and none is applied in a session.

use super::{Task, TrainError};
use crate::net::Geometry;
use crate::random::Random;
use decoding::pipeline::mirror::exchange;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

#[cfg(test)]
mod tests;

/// The `[training.augmentation]` table of a description.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Windows are moved by up to so many samples, and end in zeros.
    pub time_shift_samples: usize,
    /// Each channel is set to 0 with this probability.
    pub channel_drop_probability: f64,
    /// Standard deviation of Gaussian noise, as a part of each channel's own.
    pub noise_part: f64,
    /// All frequencies are moved by up to so many hertz.
    pub frequency_shift_hz: f64,
    /// Windows are mixed in pairs, with a part drawn from a beta distribution with both
    /// parameters so large; 0 mixes none.
    ///
    /// H. Zhang, M. Cissé, Y. Dauphin, D. Lopez-Paz: mixup (2018), arXiv:1710.09412.
    pub mixup_alpha: f64,
    /// With this probability left and right are exchanged, channels and classes.
    pub mirror_probability: f64,
    /// With this probability a window's subject is not told, so that a network with a
    /// subject token learns to do without.
    pub subject_drop_probability: f64,
}

impl Default for Augmentation {
    /// Windows stay as they are; of ten subjects nine are told.
    fn default() -> Self {
        Self {
            time_shift_samples: 0,
            channel_drop_probability: 0.0,
            noise_part: 0.0,
            frequency_shift_hz: 0.0,
            mixup_alpha: 0.0,
            mirror_probability: 0.0,
            subject_drop_probability: 0.1,
        }
    }
}

/// What left and right exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// For each channel the one at the mirrored place; of the midline itself.
    pub channels: Vec<usize>,
    /// For each class its mirror image, itself where it has none.
    pub classes: Vec<usize>,
}

impl Mirror {
    /// Exchanges electrodes by their names, and the classes of each of `pairs`.
    ///
    /// `None` where an electrode is not of the 10-10 system, or its twin is not there.
    pub fn of_labels(labels: &[String], n_classes: usize, pairs: &[[usize; 2]]) -> Option<Self> {
        let channels = exchange(labels).ok()?;
        let mut classes: Vec<usize> = (0..n_classes).collect();
        for &[a, b] in pairs {
            if a.max(b) < n_classes {
                classes.swap(a, b);
            }
        }
        Some(Self { channels, classes })
    }

    fn is_exchange(&self, geometry: Geometry) -> bool {
        let undoes_itself =
            |map: &[usize], n: usize| map.len() == n && (0..n).all(|k| map.get(map[k]) == Some(&k));
        undoes_itself(&self.channels, geometry.n_channels)
            && undoes_itself(&self.classes, geometry.n_classes)
    }
}

impl Augmentation {
    pub(super) fn check(&self, task: &Task) -> Result<(), TrainError> {
        let bad = |name, why: &str| Err(TrainError::BadParameter { name, why: why.to_owned() });
        if self.time_shift_samples >= task.geometry.n_samples {
            return bad("time_shift_samples", "nothing of a window would be left");
        }
        if !(0.0..1.0).contains(&self.channel_drop_probability) {
            return bad("channel_drop_probability", "a probability below 1 is needed");
        }
        for (name, value) in [
            ("mirror_probability", self.mirror_probability),
            ("subject_drop_probability", self.subject_drop_probability),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return bad(name, "a probability is needed");
            }
        }
        for (name, value) in [
            ("noise_part", self.noise_part),
            ("frequency_shift_hz", self.frequency_shift_hz),
            ("mixup_alpha", self.mixup_alpha),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return bad(name, "a number from 0 on is needed");
            }
        }
        if self.frequency_shift_hz >= task.rate_hz / 4.0 {
            return bad("frequency_shift_hz", "it must lie below a quarter of the rate");
        }
        if self.mirror_probability > 0.0 {
            match &task.mirror {
                Some(mirror) if mirror.is_exchange(task.geometry) => {}
                Some(_) => return bad("mirror_probability", "the mirror does not undo itself"),
                None => return bad("mirror_probability", "the montage has no mirror image"),
            }
        }
        Ok(())
    }
}

/// Augmentation ready to be applied.
pub(super) struct Augmenter<'a> {
    params: Augmentation,
    geometry: Geometry,
    rate_hz: f64,
    mirror: Option<&'a Mirror>,
    /// Circular kernel that turns every frequency by a quarter.
    quarter: Vec<f64>,
}

impl<'a> Augmenter<'a> {
    pub fn new(task: &'a Task) -> Self {
        let params = task.training.augmentation;
        let n = task.geometry.n_samples;
        let quarter = if params.frequency_shift_hz > 0.0 { quarter_turn(n) } else { Vec::new() };
        let mirror = task.mirror.as_ref();
        Self { params, geometry: task.geometry, rate_hz: task.rate_hz, mirror, quarter }
    }

    /// A window `(n_channels, n_samples)` changed, and its class.
    pub fn augment(&self, window: &[f32], label: usize, random: &mut Random) -> (Vec<f32>, usize) {
        let mut window = window.to_vec();
        let mut label = label;
        let p = &self.params;
        if p.mirror_probability > 0.0
            && random.happens(p.mirror_probability)
            && let Some(mirror) = self.mirror
        {
            window = self.mirrored(&window, mirror);
            label = mirror.classes[label];
        }
        if p.frequency_shift_hz > 0.0 {
            let shift_hz = random.between(-p.frequency_shift_hz, p.frequency_shift_hz);
            window = self.shifted_in_frequency(&window, shift_hz);
        }
        if p.time_shift_samples > 0 {
            let n = p.time_shift_samples;
            let shift = random.below(2 * n + 1) as isize - n as isize;
            window = self.shifted_in_time(&window, shift);
        }
        if p.noise_part > 0.0 {
            self.add_noise(&mut window, random);
        }
        if p.channel_drop_probability > 0.0 {
            for channel in window.chunks_exact_mut(self.geometry.n_samples) {
                if random.happens(p.channel_drop_probability) {
                    channel.fill(0.0);
                }
            }
        }
        (window, label)
    }

    /// A window's subject, or 0 where it is not told.
    pub fn subject(&self, subject: usize, random: &mut Random) -> usize {
        let p = self.params.subject_drop_probability;
        if p > 0.0 && random.happens(p) { 0 } else { subject }
    }

    /// The part of each window that is kept, and the window that the rest is of.
    pub fn mixture(&self, n: usize, random: &mut Random) -> Option<(f64, Vec<usize>)> {
        if self.params.mixup_alpha <= 0.0 {
            return None;
        }
        // The larger part stays the window's own, so that its class counts as right.
        let part = random.beta(self.params.mixup_alpha);
        let mut partners: Vec<usize> = (0..n).collect();
        random.shuffle(&mut partners);
        Some((part.max(1.0 - part), partners))
    }

    fn mirrored(&self, window: &[f32], mirror: &Mirror) -> Vec<f32> {
        let n = self.geometry.n_samples;
        mirror.channels.iter().flat_map(|&twin| &window[twin * n..][..n]).copied().collect()
    }

    fn shifted_in_time(&self, window: &[f32], shift: isize) -> Vec<f32> {
        let n = self.geometry.n_samples as isize;
        let channels = window.chunks_exact(self.geometry.n_samples);
        let sample = |channel: &[f32], t: isize| {
            if (0..n).contains(&t) { channel[t as usize] } else { 0.0 }
        };
        channels.flat_map(|c| (0..n).map(move |t| sample(c, t - shift))).collect()
    }

    /// `x cos(2 pi f t) - h sin(2 pi f t)`, where `h` is `x` with every frequency turned by
    /// a quarter. What leaves the spectrum at one end comes in at the other.
    fn shifted_in_frequency(&self, window: &[f32], shift_hz: f64) -> Vec<f32> {
        let n = self.geometry.n_samples;
        let step = TAU * shift_hz / self.rate_hz;
        window
            .chunks_exact(n)
            .flat_map(|channel| {
                (0..n).map(move |t| {
                    let turned: f64 =
                        (0..n).map(|s| f64::from(channel[s]) * self.quarter[(t + n - s) % n]).sum();
                    let (sin, cos) = (step * t as f64).sin_cos();
                    (f64::from(channel[t]) * cos - turned * sin) as f32
                })
            })
            .collect()
    }

    fn add_noise(&self, window: &mut [f32], random: &mut Random) {
        let n = self.geometry.n_samples;
        for channel in window.chunks_exact_mut(n) {
            let mean = channel.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            let square = channel.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>();
            let deviation = (square / n as f64).sqrt() * self.params.noise_part;
            for (x, noise) in channel.iter_mut().zip(random.normals(n, deviation)) {
                *x += noise;
            }
        }
    }
}

/// The circular kernel `2/n sum_k sin(2 pi k m / n)` over all frequencies `k` between 0 and
/// half the rate: convolved with it, cosines become sines.
fn quarter_turn(n: usize) -> Vec<f64> {
    let sine = |k: usize, m: usize| (TAU * ((k * m) % n) as f64 / n as f64).sin();
    (0..n).map(|m| 2.0 / n as f64 * (1..n.div_ceil(2)).map(|k| sine(k, m)).sum::<f64>()).collect()
}
