//! Welch's averaged periodogram: of one window, of all channels of a recording, and
//! ([`sliding`]) of windows that slide, where a segment is transformed once.

#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

mod pairs;
pub mod sliding;

use self::pairs::Pairs;
use super::PsdError;
use acquisition::time::SampleRate;
use fearless_simd::{Level, dispatch};
use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{FftNum, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

/// A planned spectrum with its buffers, in `f64` or `f32`; make one per thread.
///
/// `P(f_k) = c_k / (rate Σ w²) · mean_segments |Σ_t w_t (x_t - x̄) e^(-2πi k t / L)|²`,
/// `f_k = k rate / L`, with a periodic Hann window `w`, the segment's own mean `x̄`
/// removed, and `c_k = 2` but at 0 Hz and, for even `L`, at half the rate. Segments
/// start every `L - overlap` samples; a rest too short for a segment is left out.
/// The unit is that of the samples squared, per hertz. The same values as
/// `scipy.signal.welch` with its defaults.
///
/// In `f32` everything but the plan is computed in `f32`: relative errors stay below
/// about 1e-5 of the spectrum's largest value.
///
/// # Reference
/// P. D. Welch (1967), IEEE Transactions on Audio and Electroacoustics 15(2),
/// doi:10.1109/TAU.1967.1161901.
#[derive(Clone)]
pub struct Welch<T: FftNum> {
    n_samples: usize,
    step_samples: usize,
    rate: SampleRate,
    window: Vec<T>,
    /// `2 / (rate Σ w² n_segments)`.
    scale: T,
    fft: Arc<dyn RealToComplex<T>>,
    pair_fft: Arc<dyn Fft<T>>,
    segment: Vec<T>,
    spectrum: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
}

/// The plan of the decoders, in `f64`.
pub type WelchPlan = Welch<f64>;

impl<T: FftNum> fmt::Debug for Welch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Welch")
            .field("n_samples", &self.n_samples)
            .field("segment_samples", &self.window.len())
            .field("step_samples", &self.step_samples)
            .finish_non_exhaustive()
    }
}

impl<T: FftNum> Welch<T> {
    /// Plans spectra of `n_samples` samples.
    pub fn new(
        n_samples: usize,
        rate: SampleRate,
        segment_samples: usize,
        overlap_samples: usize,
    ) -> Result<Self, PsdError> {
        if segment_samples < 2 || segment_samples > n_samples {
            return Err(PsdError::BadSegment { segment_samples, n_samples });
        }
        if overlap_samples >= segment_samples {
            return Err(PsdError::BadOverlap { overlap_samples, segment_samples });
        }
        let window = hann(segment_samples);
        let step_samples = segment_samples - overlap_samples;
        let n_segments = (n_samples - segment_samples) / step_samples + 1;
        let power: f64 = window.iter().map(|w| w * w).sum();
        let fft = RealFftPlanner::new().plan_fft_forward(segment_samples);
        Ok(Self {
            n_samples,
            step_samples,
            rate,
            window: window.into_iter().map(real).collect(),
            scale: real(2.0 / (rate.hz() * power * n_segments as f64)),
            segment: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            pair_fft: FftPlanner::new().plan_fft_forward(segment_samples),
        })
    }

    /// Number of bins: half a segment, rounded down, plus one.
    pub fn n_bins(&self) -> usize {
        self.spectrum.len()
    }

    /// The frequency of each bin in hertz, ascending from 0.
    pub fn freqs_hz(&self) -> Vec<f64> {
        let step = self.rate.hz() / self.window.len() as f64;
        (0..self.n_bins()).map(|k| k as f64 * step).collect()
    }

    /// Writes the density of `samples` into `psd` (`n_bins` values).
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `samples` or `psd` are not of the planned length.
    pub fn run(&mut self, samples: &[T], psd: &mut [T]) {
        assert_eq!(samples.len(), self.n_samples, "window of another plan");
        assert_eq!(psd.len(), self.n_bins(), "spectrum of another plan");
        dispatch!(Level::new(), _simd => self.run_segments(samples, psd));
    }

    #[inline(always)]
    fn run_segments(&mut self, samples: &[T], psd: &mut [T]) {
        psd.fill(T::zero());
        for segment in samples.windows(self.window.len()).step_by(self.step_samples) {
            self.transform(segment);
            for (p, c) in psd.iter_mut().zip(&self.spectrum) {
                *p = *p + (c.re * c.re + c.im * c.im);
            }
        }
        self.normalise(psd);
    }

    /// Writes the density of each of `samples` `(n_channels, n_samples)` into `psd`
    /// `(n_channels, n_bins)`, both row-major: the values of [`Welch::run`], but for
    /// rounding, in less time, because two segments take one transform. The bits do not
    /// depend on the number of threads.
    ///
    /// Thread: the caller's rayon pool, channels side by side. Allocation: the buffers of
    /// a transform, about five segments, for each piece of work; nothing is copied.
    ///
    /// # Panics
    /// If `samples` and `psd` do not hold the same number of whole channels.
    pub fn run_channels(&self, samples: &[T], psd: &mut [T]) {
        let n_channels = samples.len() / self.n_samples;
        assert_eq!(samples.len(), n_channels * self.n_samples, "windows of another plan");
        assert_eq!(psd.len(), n_channels * self.n_bins(), "spectra of another plan");
        let channels = samples.par_chunks_exact(self.n_samples);
        psd.par_chunks_exact_mut(self.n_bins())
            .zip(channels)
            .with_min_len(4)
            .for_each_init(|| Pairs::new(self), |pairs, (psd, samples)| pairs.run(samples, psd));
    }

    /// Transforms one segment into `self.spectrum`.
    #[inline(always)]
    fn transform(&mut self, segment: &[T]) {
        let mean = mean(segment);
        for ((y, x), w) in self.segment.iter_mut().zip(segment).zip(&self.window) {
            *y = (*x - mean) * *w;
        }
        self.fft
            .process_with_scratch(&mut self.segment, &mut self.spectrum, &mut self.scratch)
            .expect("the plan sized every buffer");
    }

    /// From the sum over segments to a one-sided density.
    fn normalise(&self, psd: &mut [T]) {
        for p in psd.iter_mut() {
            *p = *p * self.scale;
        }
        let half = real(0.5);
        psd[0] = psd[0] * half;
        if self.window.len().is_multiple_of(2) {
            let last = self.n_bins() - 1;
            psd[last] = psd[last] * half;
        }
    }
}

/// The number nearest to `x`.
pub(super) fn real<T: FftNum>(x: f64) -> T {
    T::from_f64(x).expect("every f64 has a nearest f32 and f64")
}

/// The mean, from eight sums side by side: one sum alone would wait for each addition.
#[inline(always)]
pub(super) fn mean<T: FftNum>(x: &[T]) -> T {
    let mut sums = [T::zero(); 8];
    let (eights, rest) = x.as_chunks::<8>();
    for eight in eights {
        for (sum, x) in sums.iter_mut().zip(eight) {
            *sum = *sum + *x;
        }
    }
    let total = sums.iter().chain(rest).fold(T::zero(), |total, x| total + *x);
    total / real(x.len() as f64)
}

/// The periodic Hann window, `0.5 - 0.5 cos(2π t / n)`.
fn hann(n: usize) -> Vec<f64> {
    (0..n).map(|t| 0.5 - 0.5 * (TAU * t as f64 / n as f64).cos()).collect()
}
