//! Two real segments in one complex transform.
//!
//! With `z = a + i b` it is `|A_k|² + |B_k|² = (|Z_k|² + |Z_(L-k)|²) / 2`: where only the
//! sum of the powers is wanted, the two spectra need not be told apart.

use super::{Welch, mean, real};
use fearless_simd::{Level, dispatch};
use realfft::FftNum;
use realfft::num_complex::Complex;
use rustfft::Fft;
use std::sync::Arc;

/// A plan's segments by twos, with the buffers for them.
pub(super) struct Pairs<'a, T: FftNum> {
    plan: &'a Welch<T>,
    fft: Arc<dyn Fft<T>>,
    pair: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
    /// `Σ |Z_k|²` of all pairs, `k = 0..L`.
    power: Vec<T>,
}

impl<'a, T: FftNum> Pairs<'a, T> {
    pub(super) fn new(plan: &'a Welch<T>) -> Self {
        let (fft, n) = (Arc::clone(&plan.pair_fft), plan.window.len());
        let zeros = |n| vec![Complex::new(T::zero(), T::zero()); n];
        let (pair, scratch) = (zeros(n), zeros(fft.get_inplace_scratch_len()));
        Self { plan, fft, pair, scratch, power: vec![T::zero(); n] }
    }

    /// Writes the density of one channel.
    pub(super) fn run(&mut self, samples: &[T], psd: &mut [T]) {
        dispatch!(Level::new(), _simd => self.sum(samples));
        let n = self.power.len();
        let half = real(0.5);
        for (k, p) in psd.iter_mut().enumerate() {
            *p = (self.power[k] + self.power[(n - k) % n]) * half;
        }
        self.plan.normalise(psd);
    }

    #[inline(always)]
    fn sum(&mut self, samples: &[T]) {
        self.power.fill(T::zero());
        let (length, step) = (self.plan.window.len(), self.plan.step_samples);
        let mut segments = samples.windows(length).step_by(step);
        while let Some(first) = segments.next() {
            match segments.next() {
                Some(second) => self.load(first, second),
                None => self.load_one(first),
            }
            self.fft.process_with_scratch(&mut self.pair, &mut self.scratch);
            for (p, z) in self.power.iter_mut().zip(&self.pair) {
                *p = *p + (z.re * z.re + z.im * z.im);
            }
        }
    }

    #[inline(always)]
    fn load(&mut self, first: &[T], second: &[T]) {
        let (mean_1, mean_2) = (mean(first), mean(second));
        let both = first.iter().zip(second).zip(&self.plan.window);
        for (z, ((a, b), w)) in self.pair.iter_mut().zip(both) {
            *z = Complex::new((*a - mean_1) * *w, (*b - mean_2) * *w);
        }
    }

    #[inline(always)]
    fn load_one(&mut self, only: &[T]) {
        let mean = mean(only);
        for (z, (a, w)) in self.pair.iter_mut().zip(only.iter().zip(&self.plan.window)) {
            *z = Complex::new((*a - mean) * *w, T::zero());
        }
    }
}
