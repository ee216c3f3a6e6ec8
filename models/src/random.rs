//! Seeded random numbers of networks and their training.
//!
//! Nothing here asks a backend or the machine for randomness: a seed gives the same
//! numbers on every device.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// A generator of uniform and normal numbers.
#[derive(Clone, Debug)]
pub struct Random {
    rng: ChaCha8Rng,
}

impl Random {
    /// Generator number `stream` of `seed`: streams of one seed are independent.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng }
    }

    /// Uniform in (0, 1].
    pub fn unit(&mut self) -> f64 {
        (f64::from(self.rng.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0)
    }

    /// Uniform between two numbers.
    pub fn between(&mut self, min: f64, max: f64) -> f64 {
        min + (max - min) * self.unit()
    }

    /// Uniform in `0..n`; the bias of at most `n / 2^32` can't be noticed.
    ///
    /// # Panics
    /// Where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "nothing lies below 0");
        ((u64::from(self.rng.next_u32()) * n as u64) >> 32) as usize
    }

    /// Whether an event of probability `p` happens.
    pub fn happens(&mut self, p: f64) -> bool {
        self.unit() <= p
    }

    /// Two standard normal numbers.
    ///
    /// # Reference
    /// Box and Muller (1958), doi 10.1214/aoms/1177706645.
    pub fn normal_pair(&mut self) -> [f64; 2] {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        let (sin, cos) = (TAU * self.unit()).sin_cos();
        [radius * cos, radius * sin]
    }

    /// `n` normal numbers of mean 0.
    pub fn normals(&mut self, n: usize, deviation: f64) -> Vec<f32> {
        let mut values: Vec<f32> = (0..n.div_ceil(2))
            .flat_map(|_| self.normal_pair())
            .map(|value| (value * deviation) as f32)
            .collect();
        values.truncate(n);
        values
    }

    /// `n` numbers uniform between `-bound` and `bound`.
    pub fn uniforms(&mut self, n: usize, bound: f64) -> Vec<f32> {
        (0..n).map(|_| self.between(-bound, bound) as f32).collect()
    }

    /// `kept` with probability `keep`, else `dropped`, `n` times.
    pub fn choices(&mut self, n: usize, keep: f64, kept: f32, dropped: f32) -> Vec<f32> {
        let limit = (keep * (f64::from(u32::MAX) + 1.0)) as u64;
        (0..n)
            .map(|_| if u64::from(self.rng.next_u32()) < limit { kept } else { dropped })
            .collect()
    }

    /// A gamma-distributed number of the given shape and scale 1.
    ///
    /// # Reference
    /// Marsaglia and Tsang (2000), doi 10.1145/358407.358414.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = self.unit().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * power;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let [x, _] = self.normal_pair();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.unit().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// A beta-distributed number with both parameters `alpha`.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let (a, b) = (self.gamma(alpha), self.gamma(alpha));
        if a + b > 0.0 { a / (a + b) } else { 0.5 }
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
