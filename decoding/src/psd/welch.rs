//! Welch's averaged periodogram.

use super::PsdError;
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

/// A planned spectrum with its buffers; make one per thread.
///
/// `P(f_k) = c_k / (rate Σ w²) · mean_segments |Σ_t w_t (x_t - x̄) e^(-2πi k t / L)|²`,
/// `f_k = k rate / L`, with a periodic Hann window `w`, the segment's own mean `x̄`
/// removed, and `c_k = 2` but at 0 Hz and, for even `L`, at half the rate. Segments
/// start every `L - overlap` samples; a rest too short for a segment is left out.
/// The unit is that of the samples squared, per hertz. The same values as
/// `scipy.signal.welch` with its defaults.
///
/// # Reference
/// P. D. Welch (1967), IEEE Transactions on Audio and Electroacoustics 15(2),
/// doi:10.1109/TAU.1967.1161901.
#[derive(Clone)]
pub struct WelchPlan {
    n_samples: usize,
    step_samples: usize,
    rate: SampleRate,
    window: Vec<f64>,
    /// `1 / (rate Σ w² n_segments)`.
    scale: f64,
    fft: Arc<dyn RealToComplex<f64>>,
    segment: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl fmt::Debug for WelchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WelchPlan")
            .field("n_samples", &self.n_samples)
            .field("segment_samples", &self.window.len())
            .field("step_samples", &self.step_samples)
            .finish_non_exhaustive()
    }
}

impl WelchPlan {
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
            window,
            scale: 1.0 / (rate.hz() * power * n_segments as f64),
            segment: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
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
    pub fn run(&mut self, samples: &[f64], psd: &mut [f64]) {
        assert_eq!(samples.len(), self.n_samples, "window of another plan");
        assert_eq!(psd.len(), self.n_bins(), "spectrum of another plan");
        psd.fill(0.0);
        for segment in samples.windows(self.window.len()).step_by(self.step_samples) {
            self.add_periodogram(segment, psd);
        }
        for p in psd.iter_mut() {
            *p *= 2.0 * self.scale;
        }
        psd[0] /= 2.0;
        if self.window.len().is_multiple_of(2) {
            psd[self.n_bins() - 1] /= 2.0;
        }
    }

    fn add_periodogram(&mut self, segment: &[f64], psd: &mut [f64]) {
        let mean = segment.iter().sum::<f64>() / segment.len() as f64;
        for ((y, x), w) in self.segment.iter_mut().zip(segment).zip(&self.window) {
            *y = (x - mean) * w;
        }
        self.fft
            .process_with_scratch(&mut self.segment, &mut self.spectrum, &mut self.scratch)
            .expect("the plan sized every buffer");
        for (p, c) in psd.iter_mut().zip(&self.spectrum) {
            *p += c.norm_sqr();
        }
    }
}

/// The periodic Hann window, `0.5 - 0.5 cos(2π t / n)`.
fn hann(n: usize) -> Vec<f64> {
    (0..n).map(|t| 0.5 - 0.5 * (TAU * t as f64 / n as f64).cos()).collect()
}
