//! Multitaper spectra: one periodogram for each of several orthogonal tapers, averaged.

use super::PsdError;
use super::dpss::{Dpss, Symmetry};
use super::welch::{mean, real};
use acquisition::time::SampleRate;
use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{FftNum, RealFftPlanner, RealToComplex};
use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

/// How the tapers' periodograms are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaperWeights {
    /// By each taper's concentration `λ_k`: `P = Σ λ_k S_k / Σ λ_k`.
    Eigenvalue,
    /// By Thomson's iteration, frequency by frequency, which leaves out tapers where
    /// what leaks in from elsewhere is most of what they see: `P = Σ d_k² S_k / Σ d_k²`,
    /// `d_k = √λ_k P / (λ_k P + (1-λ_k) σ²)`, with `σ²` from the eigenvalue weights. It
    /// ends when no frequency's weights change by more than 1e-5 (root mean square
    /// over tapers), or after 150 steps.
    Adaptive,
}

/// Which tapers are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaperChoice {
    /// Those with more than 0.9 of their energy in the band.
    LowBias,
    /// All `⌊2 NW⌋`.
    All,
}

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalisation {
    /// Density: samples squared per hertz (MNE's `"full"`).
    Density,
    /// Density times the rate (MNE's default `"length"`).
    Length,
}

/// What multitaper spectra to plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultitaperSpec {
    /// Full width over which frequencies are smoothed, in hertz.
    pub bandwidth_hz: f64,
    /// How tapers are combined.
    pub weights: TaperWeights,
    /// Which tapers.
    pub tapers: TaperChoice,
    /// The unit.
    pub normalisation: Normalisation,
}

impl MultitaperSpec {
    /// Densities smoothed over `bandwidth_hz`, low-bias tapers, weights by eigenvalue.
    pub fn new(bandwidth_hz: f64) -> Self {
        Self {
            bandwidth_hz,
            weights: TaperWeights::Eigenvalue,
            tapers: TaperChoice::LowBias,
            normalisation: Normalisation::Density,
        }
    }
}

/// A planned multitaper spectrum with its buffers, in `f64` or `f32`; one per thread.
///
/// `S_k(f) = c_f |Σ_t v_k,t (x_t - x̄) e^(-2πi f t)|²`, `f = n rate / N`, with the
/// sequences `v_k` of [`Dpss`] for `NW = bandwidth N / (2 rate)` on the periodic length,
/// combined as [`TaperWeights`] says; `c_f = 2` but at 0 Hz and, for even `N`, at half
/// the rate. The same values as `mne.time_frequency.psd_array_multitaper`.
///
/// Adaptive weights with fewer than three tapers are those by eigenvalue, as in MNE.
///
/// # Reference
/// D. J. Thomson (1982), Proceedings of the IEEE 70(9), doi:10.1109/PROC.1982.12433.
#[derive(Clone)]
pub struct Multitaper<T: FftNum> {
    rate: SampleRate,
    n_samples: usize,
    weights: TaperWeights,
    /// The tapers one after the other, times `√(2 λ_k / Σ λ)` and the unit's factor.
    tapers: Vec<T>,
    concentrations: Vec<f64>,
    /// The unit's factor, that of a density times the rate being 1.
    unit: f64,
    fft: Arc<dyn RealToComplex<T>>,
    centred: Vec<T>,
    tapered: Vec<T>,
    spectrum: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
    adaptive: Adaptive,
}

impl<T: FftNum + Into<f64>> fmt::Debug for Multitaper<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multitaper")
            .field("n_samples", &self.n_samples)
            .field("n_tapers", &self.n_tapers())
            .field("weights", &self.weights)
            .finish_non_exhaustive()
    }
}

impl<T: FftNum + Into<f64>> Multitaper<T> {
    /// Plans spectra of `n_samples` samples.
    ///
    /// # Errors
    /// [`PsdError::BadBandwidth`] where `bandwidth_hz` is less than one bin or more than
    /// the rate.
    pub fn new(
        spec: &MultitaperSpec,
        n_samples: usize,
        rate: SampleRate,
    ) -> Result<Self, PsdError> {
        let half_bandwidth = spec.bandwidth_hz * n_samples as f64 / (2.0 * rate.hz());
        let n_tapers = (2.0 * half_bandwidth) as usize;
        let mut dpss = Dpss::new(n_samples, half_bandwidth, n_tapers, Symmetry::Periodic)?;
        if spec.tapers == TaperChoice::LowBias {
            dpss.keep_above(0.9);
        }
        let unit = match spec.normalisation {
            Normalisation::Density => 1.0 / rate.hz(),
            Normalisation::Length => 1.0,
        };
        let weights = if dpss.n_tapers() < 3 { TaperWeights::Eigenvalue } else { spec.weights };
        let fft = RealFftPlanner::new().plan_fft_forward(n_samples);
        let total: f64 = dpss.concentrations().iter().sum();
        let mut tapers = Vec::with_capacity(dpss.n_tapers() * n_samples);
        for (k, lambda) in dpss.concentrations().iter().enumerate() {
            let scale = match weights {
                TaperWeights::Eigenvalue => (2.0 * unit * lambda / total).sqrt(),
                TaperWeights::Adaptive => 2.0_f64.sqrt(),
            };
            tapers.extend(dpss.taper(k).iter().map(|v| real::<T>(v * scale)));
        }
        let n_bins = n_samples / 2 + 1;
        let n_kept = if weights == TaperWeights::Adaptive { dpss.n_tapers() } else { 0 };
        Ok(Self {
            rate,
            n_samples,
            weights,
            tapers,
            concentrations: dpss.concentrations().to_vec(),
            unit,
            centred: vec![T::zero(); n_samples],
            tapered: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            adaptive: Adaptive::new(n_kept, n_bins),
        })
    }

    /// Number of tapers in use.
    pub fn n_tapers(&self) -> usize {
        self.concentrations.len()
    }

    /// Number of bins: half the samples, rounded down, plus one.
    pub fn n_bins(&self) -> usize {
        self.spectrum.len()
    }

    /// The frequency of each bin in hertz, ascending from 0.
    pub fn freqs_hz(&self) -> Vec<f64> {
        let step = self.rate.hz() / self.n_samples as f64;
        (0..self.n_bins()).map(|k| k as f64 * step).collect()
    }

    /// Writes the spectrum of `samples` into `psd` (`n_bins` values).
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `samples` or `psd` are not of the planned length.
    pub fn run(&mut self, samples: &[T], psd: &mut [T]) {
        assert_eq!(samples.len(), self.n_samples, "window of another plan");
        assert_eq!(psd.len(), self.n_bins(), "spectrum of another plan");
        let mean = mean(samples);
        for (y, x) in self.centred.iter_mut().zip(samples) {
            *y = *x - mean;
        }
        psd.fill(T::zero());
        for k in 0..self.n_tapers() {
            self.transform(k);
            match self.weights {
                TaperWeights::Eigenvalue => {
                    for (p, c) in psd.iter_mut().zip(&self.spectrum) {
                        *p = *p + c.norm_sqr();
                    }
                }
                TaperWeights::Adaptive => {
                    let kept = self.adaptive.spectra.chunks_exact_mut(psd.len()).nth(k);
                    for (s, c) in kept.into_iter().flatten().zip(&self.spectrum) {
                        *s = c.norm_sqr().into();
                    }
                }
            }
        }
        match self.weights {
            TaperWeights::Eigenvalue => self.halve_ends(psd),
            TaperWeights::Adaptive => self.combine(psd),
        }
    }

    /// Writes the spectra of `samples` `(n_channels, n_samples)` into `psd`
    /// `(n_channels, n_bins)`, both row-major; epochs follow one another as channels do.
    /// The bits are those of [`Multitaper::run`], whatever the number of threads.
    ///
    /// Thread: the caller's rayon pool, channels side by side. Allocation: a plan's
    /// buffers for each piece of work; nothing is copied.
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
            .with_min_len(16)
            .for_each_init(|| self.clone(), |plan, (psd, samples)| plan.run(samples, psd));
    }

    fn transform(&mut self, k: usize) {
        let taper = &self.tapers[k * self.n_samples..][..self.n_samples];
        for ((y, x), v) in self.tapered.iter_mut().zip(&self.centred).zip(taper) {
            *y = *x * *v;
        }
        self.fft
            .process_with_scratch(&mut self.tapered, &mut self.spectrum, &mut self.scratch)
            .expect("the plan sized every buffer");
    }

    /// The ends of a spectrum stand for themselves alone, all other bins for two.
    fn halve_ends(&self, psd: &mut [T]) {
        let half = real(0.5);
        psd[0] = psd[0] * half;
        if self.n_samples.is_multiple_of(2) {
            let last = self.n_bins() - 1;
            psd[last] = psd[last] * half;
        }
    }

    fn combine(&mut self, psd: &mut [T]) {
        let n_bins = self.n_bins();
        for spectrum in self.adaptive.spectra.chunks_exact_mut(n_bins) {
            spectrum[0] *= 0.5;
            if self.n_samples.is_multiple_of(2) {
                spectrum[n_bins - 1] *= 0.5;
            }
        }
        self.adaptive.run(&self.concentrations);
        for (p, a) in psd.iter_mut().zip(&self.adaptive.psd) {
            *p = real(a * self.unit);
        }
    }
}

/// Thomson's iteration and its buffers.
#[derive(Clone, Debug)]
struct Adaptive {
    /// `2 |X_k(f)|²`, `(n_tapers, n_bins)`; empty where the weights are fixed.
    spectra: Vec<f64>,
    /// The weights of the step before, `(n_tapers, n_bins)`.
    weights: Vec<f64>,
    psd: Vec<f64>,
}

/// As `psd_array_multitaper`.
const MAX_STEPS: usize = 150;

impl Adaptive {
    fn new(n_tapers: usize, n_bins: usize) -> Self {
        let size = n_tapers * n_bins;
        let n_bins = if n_tapers == 0 { 0 } else { n_bins };
        Self { spectra: vec![0.0; size], weights: vec![0.0; size], psd: vec![0.0; n_bins] }
    }

    fn run(&mut self, lambdas: &[f64]) {
        self.fix(lambdas);
        let variance = trapezoid(&self.psd, PI / self.psd.len() as f64) / (2.0 * PI);
        // The iteration starts from the two best tapers.
        self.fix(&lambdas[..2]);
        self.weights.fill(0.0);
        for _ in 0..MAX_STEPS {
            if self.step(lambdas, variance) < 1e-10 {
                break;
            }
            self.average();
        }
    }

    /// The spectrum by fixed weights.
    fn fix(&mut self, lambdas: &[f64]) {
        let total: f64 = lambdas.iter().sum();
        self.psd.fill(0.0);
        for (spectrum, lambda) in self.spectra.chunks_exact(self.psd.len()).zip(lambdas) {
            for (p, s) in self.psd.iter_mut().zip(spectrum) {
                *p += lambda / total * s;
            }
        }
    }

    /// New weights; the largest mean square of their change over tapers.
    fn step(&mut self, lambdas: &[f64], variance: f64) -> f64 {
        let n_bins = self.psd.len();
        let mut largest = 0.0_f64;
        for (f, p) in self.psd.iter().enumerate() {
            let mut change = 0.0;
            for (k, lambda) in lambdas.iter().enumerate() {
                let weight = &mut self.weights[k * n_bins + f];
                let new = lambda.sqrt() * p / (lambda * p + (1.0 - lambda) * variance);
                change += (*weight - new).powi(2);
                *weight = new;
            }
            largest = largest.max(change / lambdas.len() as f64);
        }
        largest
    }

    /// The spectrum by the present weights.
    fn average(&mut self) {
        let n_bins = self.psd.len();
        for (f, p) in self.psd.iter_mut().enumerate() {
            let (mut sum, mut total) = (0.0, 0.0);
            for at in (f..self.spectra.len()).step_by(n_bins) {
                let square = self.weights[at] * self.weights[at];
                sum += square * self.spectra[at];
                total += square;
            }
            *p = sum / total;
        }
    }
}

fn trapezoid(values: &[f64], distance: f64) -> f64 {
    let ends = values.first().unwrap_or(&0.0) + values.last().unwrap_or(&0.0);
    (values.iter().sum::<f64>() - 0.5 * ends) * distance
}
