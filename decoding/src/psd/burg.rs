//! Autoregressive spectra by Burg's method: smooth, and fine even in short windows.

use super::PsdError;
use super::welch::mean;
use crate::classifier::dot;
use acquisition::time::SampleRate;
use realfft::num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};
use std::fmt;
use std::sync::Arc;

/// How spectra are estimated: in sub-windows, whose spectra are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurgSpec {
    /// Order of the model.
    pub order: usize,
    /// Length of a sub-window; the window's for a single one.
    pub window_samples: usize,
    /// From one sub-window's start to the next.
    pub shift_samples: usize,
    /// Number of points of the transform: bins are `rate / n_fft` apart.
    pub n_fft: usize,
}

impl BurgSpec {
    /// Sub-windows of 0.25 s every 0.161 s, order `0.038 s · rate`, bins of 1 Hz, each
    /// rounded to whole samples: what `HappyFeat` uses.
    ///
    /// # Reference
    /// A. Desbois et al. (2024), Software Impacts 19, doi:10.1016/j.simpa.2023.100610.
    pub fn happy_feat(rate: SampleRate) -> Self {
        let samples = |secs| usize::try_from(rate.samples(secs)).unwrap_or(0).max(1);
        Self {
            order: samples(0.038),
            window_samples: samples(0.25),
            shift_samples: samples(0.161),
            n_fft: samples(1.0),
        }
    }

    /// One model of order `order` over the whole window.
    pub fn whole(order: usize, n_samples: usize, n_fft: usize) -> Self {
        Self { order, window_samples: n_samples, shift_samples: n_samples, n_fft }
    }
}

/// An autoregressive model in the making, with its buffers; make one per thread.
///
/// `x_t = Σ_k a_k x_(t-k) + e_t`, the mean removed. Order by order, the reflection
/// coefficient `κ = 2 Σ f_t b_(t-1) / Σ (f_t² + b_(t-1)²)` minimises the sum of forward
/// and backward prediction errors `f`, `b`, and the coefficients follow by Levinson's
/// recursion, so the model is always stable.
///
/// Two estimates of the variance of `e` are in use: `σ²_p = σ²_(p-1) (1 - κ²)` from
/// `σ²_0 = Σ x² / N` (Marple, and the spectrum here), and the mean of what the last
/// prediction errors' squares are (`statsmodels`); they differ by terms of order `p/N`.
///
/// # Reference
/// J. P. Burg (1975), Maximum entropy spectral analysis, Stanford; S. L. Marple (1987),
/// Digital Spectral Analysis, chapter 8.
#[derive(Clone, Debug)]
pub struct Burg {
    forward: Vec<f64>,
    backward: Vec<f64>,
    coefficients: Vec<f64>,
    mirrored: Vec<f64>,
    noise_variance: f64,
    residual_variance: f64,
}

impl Burg {
    /// Plans models of `order` of `n_samples` samples.
    ///
    /// # Errors
    /// [`PsdError::BadOrder`] where the order is 0 or not below `n_samples`.
    pub fn new(order: usize, n_samples: usize) -> Result<Self, PsdError> {
        if order == 0 || order >= n_samples {
            return Err(PsdError::BadOrder { order, n_samples });
        }
        Ok(Self {
            forward: vec![0.0; n_samples],
            backward: vec![0.0; n_samples],
            coefficients: vec![0.0; order],
            mirrored: vec![0.0; order],
            noise_variance: 0.0,
            residual_variance: 0.0,
        })
    }

    /// Fits the model to `samples`. A constant signal has coefficients and variance 0.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `samples` are not of the planned length.
    pub fn fit(&mut self, samples: &[f64]) {
        let n = samples.len();
        assert_eq!(n, self.forward.len(), "window of another plan");
        let mean = mean(samples);
        for ((f, b), x) in self.forward.iter_mut().zip(&mut self.backward).zip(samples) {
            *f = x - mean;
            *b = x - mean;
        }
        self.noise_variance = dot(&self.forward, &self.forward) / n as f64;
        for p in 0..self.coefficients.len() {
            self.add_order(p);
        }
    }

    /// From order `p` to order `p + 1`. `forward[p..]` and `backward[..n-p]` hold the
    /// errors of order `p`, the latter moved so that `backward[t]` is that before
    /// `forward[t + p + 1]`.
    fn add_order(&mut self, p: usize) {
        let n = self.forward.len();
        let (f, b) = (&mut self.forward[p + 1..], &mut self.backward[..n - p - 1]);
        let energy = dot(f, f) + dot(b, b);
        let reflection = if energy > 0.0 { 2.0 * dot(f, b) / energy } else { 0.0 };
        for (f, b) in f.iter_mut().zip(b) {
            (*f, *b) = (*f - reflection * *b, *b - reflection * *f);
        }
        let (known, rest) = self.coefficients.split_at_mut(p);
        self.mirrored[..p].copy_from_slice(known);
        for (a, m) in known.iter_mut().zip(self.mirrored[..p].iter().rev()) {
            *a -= reflection * m;
        }
        rest[0] = reflection;
        let left = 1.0 - reflection * reflection;
        self.noise_variance *= left;
        self.residual_variance = left * energy / (2.0 * (n - p - 1) as f64);
    }

    /// `a_1, a_2, ...` of the last fit.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The variance of the noise, by the recursion.
    pub fn noise_variance(&self) -> f64 {
        self.noise_variance
    }

    /// The variance of the noise, as the mean square of the last prediction errors.
    pub fn residual_variance(&self) -> f64 {
        self.residual_variance
    }
}

/// The planned spectrum of a window, averaged over sub-windows; make one per thread.
///
/// `P(f) = c_f σ² / (rate |1 - Σ_k a_k e^(-2πi f k / rate)|²)` of each sub-window's
/// [`Burg`] model, `f = n rate / n_fft`, `c_f = 2` but at 0 Hz and, for even `n_fft`, at
/// half the rate. The unit is that of the samples squared, per hertz. A rest too short
/// for a sub-window is left out.
#[derive(Clone)]
pub struct BurgPlan {
    spec: BurgSpec,
    n_samples: usize,
    rate: SampleRate,
    model: Burg,
    fft: Arc<dyn RealToComplex<f64>>,
    polynomial: Vec<f64>,
    response: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl fmt::Debug for BurgPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BurgPlan")
            .field("spec", &self.spec)
            .field("n_samples", &self.n_samples)
            .finish_non_exhaustive()
    }
}

impl BurgPlan {
    /// Plans spectra of `n_samples` samples.
    ///
    /// # Errors
    /// [`PsdError::BadSegment`] for sub-windows that do not fit or are not shifted,
    /// [`PsdError::BadOrder`] for an order of 0, or not below the sub-window's length or
    /// that of the transform.
    pub fn new(spec: BurgSpec, n_samples: usize, rate: SampleRate) -> Result<Self, PsdError> {
        let BurgSpec { order, window_samples, shift_samples, n_fft } = spec;
        if window_samples < 2 || window_samples > n_samples || shift_samples == 0 {
            return Err(PsdError::BadSegment { segment_samples: window_samples, n_samples });
        }
        if order >= n_fft {
            return Err(PsdError::BadOrder { order, n_samples: n_fft });
        }
        let fft = RealFftPlanner::new().plan_fft_forward(n_fft);
        Ok(Self {
            spec,
            n_samples,
            rate,
            model: Burg::new(order, window_samples)?,
            polynomial: fft.make_input_vec(),
            response: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        })
    }

    /// Number of bins.
    pub fn n_bins(&self) -> usize {
        self.response.len()
    }

    /// The frequency of each bin in hertz, ascending from 0.
    pub fn freqs_hz(&self) -> Vec<f64> {
        let step = self.rate.hz() / self.spec.n_fft as f64;
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
        let mut n_windows = 0.0;
        for window in samples.windows(self.spec.window_samples).step_by(self.spec.shift_samples) {
            self.model.fit(window);
            self.add_spectrum(psd);
            n_windows += 1.0;
        }
        let scale = 2.0 / (self.rate.hz() * n_windows);
        for p in psd.iter_mut() {
            *p *= scale;
        }
        psd[0] *= 0.5;
        if self.spec.n_fft.is_multiple_of(2) {
            psd[self.response.len() - 1] *= 0.5;
        }
    }

    fn add_spectrum(&mut self, psd: &mut [f64]) {
        self.polynomial.fill(0.0);
        self.polynomial[0] = 1.0;
        for (y, a) in self.polynomial[1..].iter_mut().zip(self.model.coefficients()) {
            *y = -a;
        }
        self.fft
            .process_with_scratch(&mut self.polynomial, &mut self.response, &mut self.scratch)
            .expect("the plan sized every buffer");
        let variance = self.model.noise_variance();
        for (p, h) in psd.iter_mut().zip(&self.response) {
            *p += variance / h.norm_sqr();
        }
    }
}
