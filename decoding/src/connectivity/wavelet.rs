//! Morlet wavelet transforms, written as lines: samples of time are observations, or
//! cells.

use super::ConnectivityError;
use super::epochs::Transform;
use super::lines::Line;
use crate::integer::smooth_len;
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f64::consts::{PI, TAU};
use std::sync::Arc;

/// Planned convolutions with wavelets, and their buffers.
///
/// `W(t) = (e^(2πi f t) - o) e^(-t² / 2σ²)`, `σ = n_cycles / (2π f)`, `|t| < 5σ`, of norm
/// `√2`; `o` is 0, or what gives the wavelet zero mean. The result at sample `n` is
/// `Σ_t W(t) x(n - t)`, with zeros outside of `x`.
#[derive(Clone)]
pub(super) struct Wavelets {
    n_samples: usize,
    /// Per frequency: the transform of the wavelet's real part, which is even, and minus
    /// the imaginary part of that of its imaginary part, which is odd.
    kernels: Vec<(Vec<f64>, Vec<f64>)>,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    samples: Vec<f64>,
    spectrum: Vec<Complex64>,
    product: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Wavelets {
    /// Without the offset, as `mne.time_frequency.tfr_array_morlet` has them.
    pub(super) fn plain(
        n_samples: usize,
        rate: SampleRate,
        freqs_hz: &[f64],
        n_cycles: f64,
    ) -> Result<Self, ConnectivityError> {
        Self::new(n_samples, rate, freqs_hz, n_cycles, |_| 0.0)
    }

    /// With it, as mne-connectivity has them over epochs.
    pub(super) fn with_zero_mean(
        n_samples: usize,
        rate: SampleRate,
        freqs_hz: &[f64],
        n_cycles: f64,
    ) -> Result<Self, ConnectivityError> {
        // The Gaussian's own spectrum at -f, relative to that at 0.
        Self::new(n_samples, rate, freqs_hz, n_cycles, |cycles| (-0.5 * cycles * cycles).exp())
    }

    fn new(
        n_samples: usize,
        rate: SampleRate,
        freqs_hz: &[f64],
        n_cycles: f64,
        offset: fn(f64) -> f64,
    ) -> Result<Self, ConnectivityError> {
        let secs = n_samples as f64 / rate.hz();
        for &freq_hz in freqs_hz {
            let fits = freq_hz > 0.0 && freq_hz <= 0.5 * rate.hz() && n_cycles > 0.0;
            if !(fits && n_cycles / freq_hz <= secs) {
                return Err(ConnectivityError::BadWavelet { freq_hz, n_cycles, n_samples });
            }
        }
        let offset = offset(n_cycles);
        let wavelet = |freq_hz: &f64| morlet(*freq_hz, n_cycles, offset, rate);
        let wavelets: Vec<_> = freqs_hz.iter().map(wavelet).collect();
        let longest = wavelets.iter().map(Vec::len).max().unwrap_or(1);
        let n_fft = smooth_len((n_samples + longest).max(2 * longest), 2);
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(n_fft);
        let inverse = planner.plan_fft_inverse(n_fft);
        let kernels = wavelets.iter().map(|half| kernel(half, forward.as_ref())).collect();
        let n_scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Ok(Self {
            n_samples,
            kernels,
            samples: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            product: forward.make_output_vec(),
            scratch: vec![Complex64::default(); n_scratch],
            forward,
            inverse,
        })
    }

    pub(super) fn n_freqs(&self) -> usize {
        self.kernels.len()
    }

    /// Hands `put` the frequency and the real parts over time, then the imaginary parts
    /// (`true`), frequency after frequency. Allocation: none.
    fn convolve(&mut self, channel: &[f64], mut put: impl FnMut(usize, bool, &[f64])) {
        self.samples[..self.n_samples].copy_from_slice(channel);
        self.samples[self.n_samples..].fill(0.0);
        self.forward
            .process_with_scratch(&mut self.samples, &mut self.spectrum, &mut self.scratch)
            .expect("the plan sized every buffer");
        for f in 0..self.kernels.len() {
            let factors = self.spectrum.iter().zip(&self.kernels[f].0);
            for (p, (x, k)) in self.product.iter_mut().zip(factors) {
                *p = x * k;
            }
            self.invert();
            put(f, false, &self.samples[..self.n_samples]);
            let factors = self.spectrum.iter().zip(&self.kernels[f].1);
            for (p, (x, k)) in self.product.iter_mut().zip(factors) {
                *p = Complex64::new(x.im * k, -x.re * k);
            }
            self.invert();
            put(f, true, &self.samples[..self.n_samples]);
        }
    }

    /// `samples` from `product`.
    fn invert(&mut self) {
        // Real at both ends but for rounding, as the spectrum of real samples is.
        let last = self.product.len() - 1;
        self.product[0].im = 0.0;
        self.product[last].im = 0.0;
        self.inverse
            .process_with_scratch(&mut self.product, &mut self.samples, &mut self.scratch)
            .expect("the plan sized every buffer");
    }

    /// Transforms the channel at place `lane` into lines `(frequency, sample)`.
    /// Allocation: none.
    pub(super) fn run(&mut self, channel: &[f64], lane: usize, block: &mut [Line]) {
        let n = self.n_samples;
        self.convolve(channel, |f, is_imaginary, values| {
            for (line, value) in block[f * n..][..n].iter_mut().zip(values) {
                if is_imaginary {
                    line.im[lane] = *value;
                } else {
                    line.re[lane] = *value;
                }
            }
        });
    }
}

/// The wavelets with a cell for each sample and frequency, epochs as observations.
#[derive(Clone)]
pub(super) struct OverEpochs(pub(super) Wavelets);

impl Transform for OverEpochs {
    fn n_tapers(&self) -> usize {
        1
    }

    fn run(
        &mut self,
        channel: &[f64],
        lane: usize,
        (observation, n_observations): (usize, usize),
        block: &mut [Line],
    ) {
        let n_freqs = self.0.n_freqs();
        self.0.convolve(channel, |f, is_imaginary, values| {
            let lines = block[f * n_observations + observation..].iter_mut();
            for (line, value) in lines.step_by(n_freqs * n_observations).zip(values) {
                if is_imaginary {
                    line.im[lane] = *value;
                } else {
                    line.re[lane] = *value;
                }
            }
        });
    }
}

/// Samples 0, 1, 2 ... of a wavelet; those before 0 are their conjugates.
///
/// # Reference
/// C. Tallon-Baudry et al. (1997), Journal of Neuroscience 17(2),
/// doi:10.1523/JNEUROSCI.17-02-00722.1997.
pub(super) fn morlet(freq_hz: f64, n_cycles: f64, offset: f64, rate: SampleRate) -> Vec<Complex64> {
    let sigma = n_cycles / (2.0 * PI * freq_hz);
    let n = (5.0 * sigma / (1.0 / rate.hz())).ceil() as usize;
    let sample = |k: usize| {
        let t = k as f64 / rate.hz();
        let envelope = (-t * t / (2.0 * sigma * sigma)).exp();
        (Complex64::cis(TAU * freq_hz * t) - offset) * envelope
    };
    let half: Vec<_> = (0..n).map(sample).collect();
    let power: f64 = 2.0 * half.iter().map(Complex64::norm_sqr).sum::<f64>() - half[0].norm_sqr();
    let scale = (2.0 / power).sqrt();
    half.into_iter().map(|w| w * scale).collect()
}

/// The transform of a wavelet that lies around sample 0, divided by its length.
fn kernel(half: &[Complex64], forward: &dyn RealToComplex<f64>) -> (Vec<f64>, Vec<f64>) {
    let n = forward.len();
    let transform = |part: fn(&Complex64) -> f64, sign: f64| {
        let mut samples = vec![0.0; n];
        for (k, w) in half.iter().enumerate().rev() {
            samples[(n - k) % n] = sign * part(w) / n as f64;
            samples[k] = part(w) / n as f64;
        }
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut samples, &mut spectrum).expect("buffers of the plan's size");
        spectrum
    };
    let even = transform(|w| w.re, 1.0).iter().map(|c| c.re).collect();
    let odd = transform(|w| w.im, -1.0).iter().map(|c| -c.im).collect();
    (even, odd)
}
