//! Whether a channel can be trusted, from its newest second of raw samples. A hint to
//! the person at the headset; decoders do not see it.

use acquisition::signal::Unit;
use std::f64::consts::TAU;

/// Seconds of samples looked at.
pub const QUALITY_SECS: f64 = 1.0;

/// What is wrong with a channel, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Too few samples to tell.
    Unknown,
    /// Samples that are not finite.
    NotFinite,
    /// No signal: the electrode is off, or shorted to the reference.
    Flat,
    /// Stuck at the amplifier's limits.
    Railed,
    /// Larger than any brain signal: movement or a loose electrode.
    TooLarge,
    /// More than half of the signal's power is mains hum.
    LineNoise {
        /// The mains frequency.
        hz: u8,
    },
    /// Nothing found.
    Good,
}

impl Quality {
    /// Judges `samples` (the newest, oldest first, in `unit`) at `rate_hz`.
    ///
    /// Flat and too large compare the peak-to-peak range with limits of the unit;
    /// railed means that a fifth of the samples equals the range's ends; line noise is
    /// more than half of the power at 50 or 60 Hz, so that what is seen of the trace is hum.
    pub fn of(samples: &[f32], unit: Unit, rate_hz: f64) -> Self {
        if samples.len() < 16 || (samples.len() as f64) < 0.5 * QUALITY_SECS * rate_hz {
            return Self::Unknown;
        }
        if samples.iter().any(|x| !x.is_finite()) {
            return Self::NotFinite;
        }
        let low = samples.iter().copied().fold(f32::INFINITY, f32::min);
        let high = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let range = f64::from(high) - f64::from(low);
        let (flat, large) = limits(unit);
        if range <= flat {
            return Self::Flat;
        }
        let n_at_ends = samples.iter().filter(|x| **x == low || **x == high).count();
        if n_at_ends * 5 >= samples.len() {
            return Self::Railed;
        }
        if range > large {
            return Self::TooLarge;
        }
        let hums = |hz: u8| tone_share(samples, f64::from(hz), rate_hz) > 0.5;
        match [50, 60].into_iter().find(|hz| hums(*hz)) {
            Some(hz) => Self::LineNoise { hz },
            None => Self::Good,
        }
    }

    /// In at most six ASCII characters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::NotFinite => "NaN",
            Self::Flat => "flat",
            Self::Railed => "railed",
            Self::TooLarge => "large",
            Self::LineNoise { hz: 50 } => "50 Hz",
            Self::LineNoise { .. } => "60 Hz",
            Self::Good => "ok",
        }
    }

    /// Whether something is wrong.
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::Unknown | Self::Good)
    }
}

/// Peak-to-peak range up to which a channel is flat, and from which it is too large,
/// over one second. Flat is far below any amplifier's noise; large is several times
/// the amplitudes at which epochs are usually rejected (150 µV, 4 pT, 4 pT/cm).
fn limits(unit: Unit) -> (f64, f64) {
    match unit {
        Unit::Microvolt => (0.5, 500.0),
        Unit::Femtotesla | Unit::FemtoteslaPerCm => (1.0, 20_000.0),
        Unit::Unknown => (0.0, f64::INFINITY),
    }
}

/// The share of a signal's power that is a tone at `hz`: 1 for that tone alone, about
/// `3 / n` for white noise. 0 where the rate is too low to tell.
///
/// ```text
/// share = 2 |sum w x e^{-2 pi i f t}|^2 * sum w^2 / ((sum w)^2 * sum (w x)^2)      w Hann, x without its mean
/// ```
fn tone_share(samples: &[f32], hz: f64, rate_hz: f64) -> f64 {
    if hz > 0.45 * rate_hz || samples.len() < 16 {
        return 0.0;
    }
    let window: Vec<f64> = (0..samples.len()).map(|k| hann(k, samples.len())).collect();
    let tapered = tapered(samples, &window);
    let gain: f64 = window.iter().sum();
    let noise_gain: f64 = window.iter().map(|w| w * w).sum();
    let total: f64 = tapered.iter().map(|x| x * x).sum();
    let power = tone_power(&tapered, hz / rate_hz);
    if total > 0.0 { 2.0 * power * noise_gain / (gain * gain * total) } else { 0.0 }
}

/// Periodic Hann window.
fn hann(k: usize, n: usize) -> f64 {
    0.5 - 0.5 * (TAU * k as f64 / n as f64).cos()
}

/// The samples without their mean, times the window.
fn tapered(samples: &[f32], window: &[f64]) -> Vec<f64> {
    let mean = samples.iter().map(|x| f64::from(*x)).sum::<f64>() / samples.len() as f64;
    samples.iter().zip(window).map(|(x, w)| (f64::from(*x) - mean) * w).collect()
}

/// `|sum_k x_k exp(-2 pi i f k)|^2` at `f` cycles per sample.
fn tone_power(x: &[f64], cycles_per_sample: f64) -> f64 {
    let (step_im, step_re) = (TAU * cycles_per_sample).sin_cos();
    let (mut re, mut im) = (1.0, 0.0);
    let (mut sum_re, mut sum_im) = (0.0, 0.0);
    for value in x {
        sum_re += value * re;
        sum_im += value * im;
        (re, im) = (re * step_re - im * step_im, re * step_im + im * step_re);
    }
    sum_re * sum_re + sum_im * sum_im
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f64 = 250.0;

    fn signal(f: impl Fn(f64) -> f64) -> Vec<f32> {
        (0..250).map(|k| f(f64::from(k) / RATE_HZ) as f32).collect()
    }

    fn judge(samples: &[f32]) -> Quality {
        Quality::of(samples, Unit::Microvolt, RATE_HZ)
    }

    fn sine(hz: f64, t: f64) -> f64 {
        (TAU * hz * t).sin()
    }

    #[test]
    fn a_good_channel_is_good() {
        let samples = signal(|t| 300.0 + 20.0 * t + 15.0 * sine(10.0, t) + 5.0 * sine(21.0, t));
        assert_eq!(judge(&samples), Quality::Good);
    }

    #[test]
    fn each_fault_has_its_name() {
        assert_eq!(judge(&signal(|_| 7.0)), Quality::Flat);
        assert_eq!(judge(&signal(|t| 400.0 * sine(3.0, t))), Quality::TooLarge);
        assert_eq!(judge(&signal(|t| (90.0 * sine(3.0, t)).clamp(-40.0, 40.0))), Quality::Railed);
        let hum = |hz| signal(move |t| 10.0 * sine(10.0, t) + 20.0 * sine(hz, t));
        assert_eq!(judge(&hum(50.0)), Quality::LineNoise { hz: 50 });
        assert_eq!(judge(&hum(60.0)), Quality::LineNoise { hz: 60 });
        let mut samples = signal(|t| sine(10.0, t));
        samples[100] = f32::NAN;
        assert_eq!(judge(&samples), Quality::NotFinite);
        assert_eq!(judge(&samples[..8]), Quality::Unknown);
    }

    #[test]
    fn a_tone_is_all_of_itself() {
        let share = |hz| tone_share(&signal(|t| 3.0 * sine(hz, t)), 50.0, RATE_HZ);
        assert!((share(50.0) - 1.0).abs() < 0.01 && share(10.0) < 0.01);
    }
}
