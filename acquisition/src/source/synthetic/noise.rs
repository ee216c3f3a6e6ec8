//! Random signals that are made frame by frame: Gaussian numbers, 1/f noise and
//! noisy rhythms. All keep their statistics at any sampling rate.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::{PI, TAU};

/// A seeded generator of uniform and standard normal numbers.
///
/// Normal numbers come in pairs by `r = sqrt(-2 ln u1)`, `(r cos 2 pi u2, r sin 2 pi u2)`.
///
/// # Reference
/// Box and Muller (1958), doi:10.1214/aoms/1177706645.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    rng: ChaCha8Rng,
    spare: Option<f64>,
}

impl Dice {
    /// The generator number `stream` of `seed`: streams of one seed are independent, so
    /// drawing more from one moves no other.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng, spare: None }
    }

    /// Uniform in (0, 1].
    pub fn unit(&mut self) -> f64 {
        ((self.rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Uniform between two numbers.
    pub fn between(&mut self, min: f64, max: f64) -> f64 {
        min + (max - min) * self.unit()
    }

    /// Uniform whole number in `0..n`; the bias of at most `n / 2^53` can't be noticed.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }

    /// Normal with mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let r = (-2.0 * self.unit().ln()).sqrt();
        let (sin, cos) = (TAU * self.unit()).sin_cos();
        self.spare = Some(r * sin);
        r * cos
    }

    /// Frames until the next event of a Poisson process, at least one; `u64::MAX` where
    /// the process has no events.
    pub fn frames_to_next(&mut self, per_min: f64, rate_hz: f64) -> u64 {
        if per_min <= 0.0 {
            return u64::MAX;
        }
        (-self.unit().ln() * 60.0 / per_min * rate_hz).ceil().max(1.0) as u64
    }
}

/// Corner frequencies of the sections of [`Pink`]; a factor of three apart, which
/// keeps the density within 1.5 dB of 1/f from 0.5 to 30 Hz.
const CORNERS_HZ: [f64; 7] = [0.2, 0.6, 1.8, 5.4, 16.2, 48.6, 145.8];

/// 1/f noise: one white input through first-order low-passes in parallel,
/// `x_i[n] = a_i x_i[n-1] + (1 - a_i) w[n]`, `y = sum g_i x_i`, with
/// `a_i = exp(-2 pi f_i / rate)` and `g_i` proportional to `f_i^(-1/2)`.
///
/// The sum approximates the integral of `p^(-1/2) / (s + p)` over all corners `p`,
/// which is proportional to `s^(-1/2)`. Flat below 0.2 Hz, so its power is finite. Output
/// has a one-sided power density of `1 / f` per hertz at 10 Hz.
#[derive(Clone, Debug)]
pub(super) struct Pink {
    decays: [f64; CORNERS_HZ.len()],
    gains: [f64; CORNERS_HZ.len()],
}

/// The changing part of one source of [`Pink`].
pub(super) type PinkState = [f64; CORNERS_HZ.len()];

impl Pink {
    /// The filter for a sampling rate.
    pub fn new(rate_hz: f64) -> Self {
        let decays = CORNERS_HZ.map(|hz| (-TAU * hz / rate_hz).exp());
        let shape = CORNERS_HZ.map(|hz| hz.powf(-0.5));
        let (sin, cos) = (TAU * 10.0 / rate_hz).sin_cos();
        let (mut re, mut im) = (0.0, 0.0);
        for (a, g) in decays.iter().zip(shape) {
            // Response of one section at 10 Hz: g (1 - a) / (1 - a exp(-i w)).
            let (dr, di) = (1.0 - a * cos, a * sin);
            let scale = g * (1.0 - a) / (dr * dr + di * di);
            re += scale * dr;
            im -= scale * di;
        }
        let density = 2.0 / rate_hz * (re * re + im * im);
        let norm = (0.1 / density).sqrt();
        Self { decays, gains: shape.map(|g| g * norm) }
    }

    /// A state as after a long run: each section at its own stationary spread.
    pub fn start(&self, dice: &mut Dice) -> PinkState {
        self.decays.map(|a| ((1.0 - a) / (1.0 + a)).sqrt() * dice.normal())
    }

    /// The next value.
    pub fn next(&self, state: &mut PinkState, dice: &mut Dice) -> f64 {
        let white = dice.normal();
        let mut sum = 0.0;
        for ((x, a), g) in state.iter_mut().zip(&self.decays).zip(&self.gains) {
            *x = a * *x + (1.0 - a) * white;
            sum += g * *x;
        }
        sum
    }
}

/// Narrow-band noise of unit variance whose amplitude waxes and wanes: the real part
/// of `z[n] = rho e^(i omega) z[n-1] + sqrt(1 - rho^2) (w1 + i w2)`, with
/// `rho = exp(-pi width / rate)` and `omega = 2 pi f / rate`.
///
/// The spectrum is a Lorentz line at `f` of full width `width` at half height; the
/// envelope is Rayleigh distributed.
#[derive(Clone, Debug)]
pub(super) struct Rhythm {
    re: f64,
    im: f64,
    turn_re: f64,
    turn_im: f64,
    drive: f64,
}

impl Rhythm {
    /// A rhythm in its stationary state.
    pub fn new(freq_hz: f64, width_hz: f64, rate_hz: f64, dice: &mut Dice) -> Self {
        let rho = (-PI * width_hz / rate_hz).exp();
        let (sin, cos) = (TAU * freq_hz / rate_hz).sin_cos();
        let drive = (1.0 - rho * rho).sqrt();
        let (re, im) = (dice.normal(), dice.normal());
        Self { re, im, turn_re: rho * cos, turn_im: rho * sin, drive }
    }

    /// The next value.
    pub fn next(&mut self, dice: &mut Dice) -> f64 {
        let re = self.turn_re * self.re - self.turn_im * self.im + self.drive * dice.normal();
        self.im = self.turn_re * self.im + self.turn_im * self.re + self.drive * dice.normal();
        self.re = re;
        re
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments of 10^5 draws: spreads of 0.003, 0.004 and 0.016.
    #[test]
    fn normal_numbers_have_normal_moments() {
        let mut dice = Dice::new(3, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| dice.normal()).collect();
        let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / 1e5;
        assert!(moment(1).abs() < 0.015);
        assert!((moment(2) - 1.0).abs() < 0.02);
        assert!((moment(4) - 3.0).abs() < 0.15);
    }

    #[test]
    fn streams_of_a_seed_differ() {
        assert_ne!(Dice::new(3, 0).unit(), Dice::new(3, 1).unit());
        assert_eq!(Dice::new(3, 1).unit(), Dice::new(3, 1).unit());
    }

    /// The exact response of the filter, at three rates, against 1/f. The ripple of the
    /// sections is 1 dB; near half the rate the discrete filter leaves the slope.
    #[test]
    fn pink_noise_falls_with_frequency_at_any_rate() {
        for rate_hz in [100.0, 250.0, 20_000.0] {
            let pink = Pink::new(rate_hz);
            for hz in [0.5, 1.0, 3.0, 10.0, 30.0] {
                let (sin, cos) = (TAU * hz / rate_hz).sin_cos();
                let (mut re, mut im) = (0.0, 0.0);
                for (a, g) in pink.decays.iter().zip(pink.gains) {
                    let square = 1.0 - 2.0 * a * cos + a * a;
                    re += g * (1.0 - a) * (1.0 - a * cos) / square;
                    im -= g * (1.0 - a) * a * sin / square;
                }
                let density = 2.0 / rate_hz * (re * re + im * im);
                let db = 10.0 * (density * hz).log10();
                assert!(db.abs() < 1.5, "{rate_hz} Hz: {db} dB at {hz} Hz");
            }
        }
    }

    #[test]
    fn rhythms_have_unit_variance_at_any_rate() {
        let mut dice = Dice::new(5, 0);
        for rate_hz in [50.0, 1000.0] {
            let mut rhythm = Rhythm::new(10.0, 4.0, rate_hz, &mut dice);
            let n = (500.0 * rate_hz) as usize;
            let power = (0..n).map(|_| rhythm.next(&mut dice).powi(2)).sum::<f64>() / n as f64;
            // Some 500 s times 4 Hz times pi / 2 of independent power: spread of 2 %.
            assert!((power - 1.0).abs() < 0.1, "{rate_hz} Hz: {power}");
        }
    }
}
