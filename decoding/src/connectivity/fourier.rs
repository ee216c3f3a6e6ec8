//! Tapered Fourier transforms of four channels at a time, written as [`Line`]s.

use super::epochs::Transform;
use super::lines::{Line, WIDTH};
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// A planned transform with its buffers: `X(f) = Σ_t w_t (x_t - x̄) e^(-2πi f t / L)` at
/// the wanted bins, for each taper `w`.
#[derive(Clone)]
pub(super) struct Fourier {
    /// `(n_tapers, n_samples)`, weights included.
    tapers: Vec<Vec<f64>>,
    bins: Vec<usize>,
    fft: Arc<dyn RealToComplex<f64>>,
    samples: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Fourier {
    /// Plans the bins `bins` of segments as long as each of `tapers`.
    pub(super) fn new(tapers: Vec<Vec<f64>>, bins: Vec<usize>) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(tapers[0].len());
        Self {
            tapers,
            bins,
            samples: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    pub(super) fn n_samples(&self) -> usize {
        self.samples.len()
    }

    /// What a constant channel has: nothing.
    fn clear(&self, lane: usize, (observation, n): (usize, usize), block: &mut [Line]) {
        let n_tapers = self.tapers.len();
        for cell in block.chunks_exact_mut(n * n_tapers) {
            for line in &mut cell[observation * n_tapers..][..n_tapers] {
                line.re[lane] = 0.0;
                line.im[lane] = 0.0;
            }
        }
    }
}

impl Transform for Fourier {
    fn n_tapers(&self) -> usize {
        self.tapers.len()
    }

    fn run(
        &mut self,
        channel: &[f64],
        lane: usize,
        (observation, n_observations): (usize, usize),
        block: &mut [Line],
    ) {
        debug_assert!(lane < WIDTH, "a lane of a block");
        if channel.iter().all(|x| *x == channel[0]) {
            // Rounding would leave a trace of the mean, and a phase with it.
            return self.clear(lane, (observation, n_observations), block);
        }
        let mean = channel.iter().sum::<f64>() / channel.len() as f64;
        let n_tapers = self.tapers.len();
        for (taper, weights) in self.tapers.iter().enumerate() {
            for ((y, x), w) in self.samples.iter_mut().zip(channel).zip(weights) {
                *y = (x - mean) * w;
            }
            self.fft
                .process_with_scratch(&mut self.samples, &mut self.spectrum, &mut self.scratch)
                .expect("the plan sized every buffer");
            let lines = block.iter_mut().skip(observation * n_tapers + taper);
            for (line, bin) in lines.step_by(n_observations * n_tapers).zip(&self.bins) {
                line.re[lane] = self.spectrum[*bin].re;
                line.im[lane] = self.spectrum[*bin].im;
            }
        }
    }
}

/// The frequencies of a transform of `n_samples`.
pub(super) fn freqs_hz(n_samples: usize, rate: SampleRate) -> Vec<f64> {
    (0..=n_samples / 2).map(|k| k as f64 * rate.hz() / n_samples as f64).collect()
}

/// The symmetric Hann window, `0.5 - 0.5 cos(2π t / (n - 1))`: both ends are 0.
pub(super) fn hann(n_samples: usize) -> Vec<f64> {
    let angle = TAU / (n_samples - 1) as f64;
    (0..n_samples).map(|t| 0.5 - 0.5 * (angle * t as f64).cos()).collect()
}
