//! Morlet wavelets: a signal's amplitude and phase at each time and frequency.

use super::TimeFrequencyError;
use crate::integer::smooth_len;
use acquisition::time::SampleRate;
use ndarray::ArrayView3;
use rayon::prelude::*;
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f64::consts::{PI, TAU};
use std::fmt;
use std::sync::Arc;

/// Whether a wavelet's mean is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admissibility {
    /// The wavelet as it is: a constant leaks in where there are few cycles.
    Plain,
    /// `exp(-2 (π f σ)²)` is taken off the oscillation, so that a constant gives 0
    /// (`zero_mean` in MNE).
    ZeroMean,
}

/// Planned wavelets with their buffers; make one per thread.
///
/// `W(t) = A (e^(2πi f t) - z) e^(-t² / 2σ²)`, `σ = n_cycles / (2π f)`, sampled over
/// `|t| < 5 σ` with one sample at 0, `z` of [`Admissibility`], and `A` such that
/// `Σ |W|² = 2`. The signal is zero outside of what is given, and the result
/// `y_t = Σ_s x_(t-s) W_s` is as long as the signal, without delay. It looks as far
/// ahead as back, so it is for whole epochs, not for a running session. The same values
/// as `mne.time_frequency.tfr_array_morlet`.
///
/// Memory: two real spectra per frequency, of the signal's length and half a wavelet's.
///
/// # Reference
/// C. Tallon-Baudry et al. (1997), The Journal of Neuroscience 17(2),
/// doi:10.1523/JNEUROSCI.17-02-00722.1997.
#[derive(Clone)]
pub struct MorletPlan {
    n_samples: usize,
    freqs_hz: Vec<f64>,
    /// The spectra of real and imaginary part of each wavelet, times `1 / n_fft`. The
    /// wavelet is centred at 0: its real part is even and has a real spectrum, its
    /// imaginary part is odd and has an imaginary one.
    wavelets: Arc<[[Vec<f64>; 2]]>,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    padded: Vec<f64>,
    spectrum: Vec<Complex64>,
    product: Vec<Complex64>,
    parts: [Vec<f64>; 2],
    scratch: Vec<Complex64>,
}

impl fmt::Debug for MorletPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MorletPlan")
            .field("n_samples", &self.n_samples)
            .field("freqs_hz", &self.freqs_hz)
            .finish_non_exhaustive()
    }
}

impl MorletPlan {
    /// Plans transforms of `n_samples` samples at frequencies of so many cycles each:
    /// `[(freq_hz, n_cycles), ...]`.
    ///
    /// # Errors
    /// [`TimeFrequencyError::BadFrequency`] for a frequency that the rate can't show, or
    /// none; [`TimeFrequencyError::TooShort`] for a wavelet longer than the signal.
    pub fn new(
        freqs: &[(f64, f64)],
        n_samples: usize,
        rate: SampleRate,
        admissibility: Admissibility,
    ) -> Result<Self, TimeFrequencyError> {
        let rate_hz = rate.hz();
        let mut halves = Vec::with_capacity(freqs.len());
        for &(freq_hz, n_cycles) in freqs {
            if !(freq_hz > 0.0 && freq_hz < rate_hz / 2.0 && n_cycles >= 0.1) {
                return Err(TimeFrequencyError::BadFrequency { freq_hz, n_cycles, rate_hz });
            }
            let n_half = n_cycles / (TAU * freq_hz) * 5.0 * rate_hz;
            if 2.0 * n_half > n_samples as f64 {
                let wavelet_samples = ((2.0 * n_half) as usize).saturating_add(1);
                return Err(TimeFrequencyError::TooShort { freq_hz, wavelet_samples, n_samples });
            }
            halves.push(half_wavelet(freq_hz, n_cycles, rate_hz, admissibility));
        }
        let none = TimeFrequencyError::BadFrequency { freq_hz: f64::NAN, n_cycles: 0.0, rate_hz };
        let longest = halves.iter().map(|[re, _]| re.len()).max().ok_or(none)?;
        let n_fft = smooth_len(n_samples + longest - 1, 2);
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(n_fft), planner.plan_fft_inverse(n_fft));
        let wavelets = halves.iter().map(|half| spectra(half, forward.as_ref())).collect();
        let n_scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Ok(Self {
            n_samples,
            freqs_hz: freqs.iter().map(|(f, _)| *f).collect(),
            wavelets,
            padded: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            product: forward.make_output_vec(),
            parts: [inverse.make_output_vec(), inverse.make_output_vec()],
            scratch: vec![Complex64::ZERO; n_scratch],
            forward,
            inverse,
        })
    }

    /// The frequencies, as planned.
    pub fn freqs_hz(&self) -> &[f64] {
        &self.freqs_hz
    }

    /// Number of samples of a signal.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// Values of one signal's transform: frequencies times samples.
    pub fn n_values(&self) -> usize {
        self.freqs_hz.len() * self.n_samples
    }

    /// Writes amplitude and phase into `out` `(n_freqs, n_samples)`, row-major.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `samples` or `out` are not of the planned size.
    pub fn complex_into(&mut self, samples: &[f64], out: &mut [Complex64]) {
        self.each_value(samples, out, |out, re, im| *out = Complex64::new(re, im));
    }

    /// Writes power, the squared amplitude, into `out` `(n_freqs, n_samples)`.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `samples` or `out` are not of the planned size.
    pub fn power_into(&mut self, samples: &[f64], out: &mut [f64]) {
        self.each_value(samples, out, |out, re, im| *out = re * re + im * im);
    }

    /// Adds power to `out`, to average over epochs.
    fn add_power(&mut self, samples: &[f64], out: &mut [f64]) {
        self.each_value(samples, out, |out, re, im| *out += re * re + im * im);
    }

    /// Power averaged over the epochs `(n_epochs, n_channels, n_samples)` in `picks`,
    /// into `out` `(n_channels, n_freqs, n_samples)`.
    ///
    /// Thread: the caller's rayon pool, channels side by side. Allocation: a plan's
    /// buffers for each piece of work, and one signal where epochs are not contiguous.
    ///
    /// # Panics
    /// If a size is not the planned one, or `picks` are empty or name no epoch.
    pub fn average_power(&self, epochs: &ArrayView3<'_, f64>, picks: &[usize], out: &mut [f64]) {
        assert_eq!(out.len(), epochs.dim().1 * self.n_values(), "maps of another size");
        assert!(!picks.is_empty(), "an average needs an epoch");
        out.par_chunks_exact_mut(self.n_values()).enumerate().for_each_init(
            || self.clone(),
            |plan, (c, out)| {
                out.fill(0.0);
                for &k in picks {
                    let signal = epochs.slice(ndarray::s![k, c, ..]);
                    let signal = signal.as_standard_layout();
                    plan.add_power(signal.as_slice().expect("one row is contiguous"), out);
                }
                for p in out.iter_mut() {
                    *p /= picks.len() as f64;
                }
            },
        );
    }

    /// Inter-trial coherence, the length of the mean of unit phasors over the epochs in
    /// `picks`, from 0 to 1, into `out` `(n_channels, n_freqs, n_samples)`. A signal of
    /// zeros has no phase and counts as 0.
    ///
    /// Thread and allocation: as [`MorletPlan::average_power`], and a complex map.
    ///
    /// # Panics
    /// If a size is not the planned one, or `picks` are empty or name no epoch.
    pub fn inter_trial_coherence(
        &self,
        epochs: &ArrayView3<'_, f64>,
        picks: &[usize],
        out: &mut [f64],
    ) {
        assert_eq!(out.len(), epochs.dim().1 * self.n_values(), "maps of another size");
        assert!(!picks.is_empty(), "an average needs an epoch");
        let init = || (self.clone(), vec![Complex64::ZERO; self.n_values()]);
        out.par_chunks_exact_mut(self.n_values()).enumerate().for_each_init(
            init,
            |(plan, sum), (c, out)| {
                sum.fill(Complex64::ZERO);
                for &k in picks {
                    let signal = epochs.slice(ndarray::s![k, c, ..]);
                    let signal = signal.as_standard_layout();
                    let signal = signal.as_slice().expect("one row is contiguous");
                    plan.each_value(signal, sum, |sum, re, im| *sum += phasor(re, im));
                }
                for (out, sum) in out.iter_mut().zip(sum) {
                    *out = sum.norm() / picks.len() as f64;
                }
            },
        );
    }

    fn each_value<V>(&mut self, samples: &[f64], out: &mut [V], f: impl Fn(&mut V, f64, f64)) {
        assert_eq!(samples.len(), self.n_samples, "signal of another plan");
        assert_eq!(out.len(), self.n_values(), "map of another plan");
        self.padded[..samples.len()].copy_from_slice(samples);
        self.padded[samples.len()..].fill(0.0);
        let scratch = &mut self.scratch[..self.forward.get_scratch_len()];
        self.forward
            .process_with_scratch(&mut self.padded, &mut self.spectrum, scratch)
            .expect("the plan sized every buffer");
        let wavelets = Arc::clone(&self.wavelets);
        for (wavelet, out) in wavelets.iter().zip(out.chunks_exact_mut(samples.len())) {
            self.convolve(wavelet);
            let [re, im] = &self.parts;
            for ((out, re), im) in out.iter_mut().zip(re).zip(im) {
                f(out, *re, *im);
            }
        }
    }

    /// The signal with one wavelet, into `parts`.
    fn convolve(&mut self, [even, odd]: &[Vec<f64>; 2]) {
        let [re, im] = &mut self.parts;
        for ((p, x), w) in self.product.iter_mut().zip(&self.spectrum).zip(even) {
            *p = x * w;
        }
        real_ends(&mut self.product);
        let scratch = &mut self.scratch[..self.inverse.get_scratch_len()];
        let checked = self.inverse.process_with_scratch(&mut self.product, re, scratch);
        checked.expect("the ends are real");
        for ((p, x), w) in self.product.iter_mut().zip(&self.spectrum).zip(odd) {
            *p = Complex64::new(-x.im * w, x.re * w);
        }
        real_ends(&mut self.product);
        let checked = self.inverse.process_with_scratch(&mut self.product, im, scratch);
        checked.expect("the ends are real");
    }
}

/// A real signal's spectrum of even length has real ends; NaN samples break that too.
fn real_ends(spectrum: &mut [Complex64]) {
    let last = spectrum.len() - 1;
    spectrum[0].im = 0.0;
    spectrum[last].im = 0.0;
}

fn phasor(re: f64, im: f64) -> Complex64 {
    let norm = re.hypot(im);
    if norm > 0.0 { Complex64::new(re / norm, im / norm) } else { Complex64::ZERO }
}

/// Real and imaginary part at `t = 0, 1/rate, ...`; the former is even, the latter odd.
fn half_wavelet(
    freq_hz: f64,
    n_cycles: f64,
    rate_hz: f64,
    admissibility: Admissibility,
) -> [Vec<f64>; 2] {
    let sigma = n_cycles / (TAU * freq_hz);
    let n_half = (5.0 * sigma * rate_hz).ceil() as usize;
    let offset = match admissibility {
        Admissibility::Plain => 0.0,
        Admissibility::ZeroMean => (-2.0 * (PI * freq_hz * sigma).powi(2)).exp(),
    };
    let value = |t: usize| {
        let secs = t as f64 / rate_hz;
        let envelope = (-secs * secs / (2.0 * sigma * sigma)).exp();
        let (sin, cos) = (TAU * freq_hz * secs).sin_cos();
        ((cos - offset) * envelope, sin * envelope)
    };
    let (mut re, mut im): (Vec<f64>, Vec<f64>) = (0..n_half.max(1)).map(value).unzip();
    let energy = |t: usize| re[t] * re[t] + im[t] * im[t];
    let norm = energy(0) + 2.0 * (1..re.len()).map(energy).sum::<f64>();
    let amplitude = (2.0 / norm).sqrt();
    re.iter_mut().chain(&mut im).for_each(|v| *v *= amplitude);
    [re, im]
}

/// The spectra of the whole wavelet's parts, wrapped around 0.
fn spectra([re, im]: &[Vec<f64>; 2], fft: &dyn RealToComplex<f64>) -> [Vec<f64>; 2] {
    let n_fft = fft.len();
    let transformed = |half: &[f64], parity: f64| {
        let mut input = fft.make_input_vec();
        let mut output = fft.make_output_vec();
        input[..half.len()].copy_from_slice(half);
        for (t, value) in half.iter().enumerate().skip(1) {
            input[n_fft - t] = parity * value;
        }
        fft.process(&mut input, &mut output).expect("the plan sized every buffer");
        output
    };
    let scale = 1.0 / n_fft as f64;
    let mut odd: Vec<f64> = transformed(im, -1.0).iter().map(|c| c.im * scale).collect();
    // An odd function has no part at 0 Hz and at half the rate, roundings aside.
    odd[0] = 0.0;
    if n_fft.is_multiple_of(2) {
        odd[n_fft / 2] = 0.0;
    }
    [transformed(re, 1.0).iter().map(|c| c.re * scale).collect(), odd]
}
