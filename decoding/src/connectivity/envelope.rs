//! Correlation of amplitude envelopes, with and without what two channels share at once.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]
#![expect(clippy::needless_range_loop, reason = "loops over equal arrays become vectors")]

mod sliding;

pub use self::sliding::SlidingEnvelope;

use super::ConnectivityError;
use super::epochs::{check_channels, check_finite, check_length, check_shape, contiguous};
use super::lines::{Line, WIDTH};
use super::reduce::n_pairs_below;
use crate::integer::smooth_len;
use crate::time_domain::log_power;
use crate::window::Planar;
use faer::traits::pulp::{Arch, Simd, WithSimd};
use ndarray::ArrayView3;
use rayon::prelude::*;
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whether a channel's part that is in phase with the other is taken out first: such
/// parts are what one source leaves in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orthogonalisation {
    /// The envelopes as they are.
    None,
    /// `|Im(z_i conj(z_j) / |z_j|)|` in place of channel `i`'s envelope, and the other way
    /// round; the pair's value is the mean of the magnitudes of both correlations.
    Pairwise,
    /// The same without the magnitudes: the mean of both correlations.
    PairwiseSigned,
}

/// What of the analytic signal is correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// Its magnitude.
    Amplitude,
    /// The logarithm of its squared magnitude.
    LogPower,
}

/// Envelope correlation of windows of one shape, with its buffers; make one per thread.
///
/// The analytic signal `z` is that of the window padded with zeros to a length without
/// prime factors above 5; envelopes are correlated over the window's samples. Give it
/// signals of one band. The values are those of mne-connectivity's
/// `envelope_correlation`. It has no update per hop, since the transform of a window is
/// not made of the transforms of its parts: see [`SlidingEnvelope`].
///
/// Memory: `32 * n_channels * n_samples` bytes.
///
/// # Reference
/// J. F. Hipp et al. (2012), Nature Neuroscience 15(6), doi:10.1038/nn.3101.
#[derive(Clone)]
pub struct EnvelopeCorrelation {
    shape: (usize, usize),
    orthogonalisation: Orthogonalisation,
    envelope: Envelope,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    samples: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
    /// `(n_blocks, n_samples)`.
    moments: Vec<Moment>,
    /// Norm of each channel's envelope around its mean.
    norms: Vec<f64>,
    values: Vec<f64>,
}

/// Four channels at one sample.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Moment {
    /// `z / |z|`.
    unit: Line,
    /// `|z|`.
    amplitude: [f64; WIDTH],
    /// The envelope without its mean.
    centred: [f64; WIDTH],
}

impl Moment {
    /// Phase, amplitude and envelope of one channel; the mean is yet to be removed.
    fn set(&mut self, lane: usize, (re, im): (f64, f64), envelope: Envelope) {
        let amplitude = (re * re + im * im).sqrt();
        let scale = if amplitude > 0.0 { 1.0 / amplitude } else { 0.0 };
        self.unit.re[lane] = re * scale;
        self.unit.im[lane] = im * scale;
        self.amplitude[lane] = amplitude;
        self.centred[lane] = envelope.of(amplitude);
    }
}

impl std::fmt::Debug for EnvelopeCorrelation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnvelopeCorrelation")
            .field("shape", &self.shape)
            .field("orthogonalisation", &self.orthogonalisation)
            .field("envelope", &self.envelope)
            .finish_non_exhaustive()
    }
}

impl EnvelopeCorrelation {
    /// Plans windows of `n_channels` and `n_samples`.
    pub fn new(
        n_channels: usize,
        n_samples: usize,
        orthogonalisation: Orthogonalisation,
        envelope: Envelope,
    ) -> Result<Self, ConnectivityError> {
        check_length(n_samples)?;
        check_channels(n_channels)?;
        let n_fft = smooth_len(n_samples, 1);
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(n_fft);
        let inverse = planner.plan_fft_inverse(n_fft);
        let n_scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let padded = n_channels.next_multiple_of(WIDTH);
        Ok(Self {
            shape: (n_channels, n_samples),
            orthogonalisation,
            envelope,
            samples: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch: vec![Complex64::default(); n_scratch],
            forward,
            inverse,
            moments: vec![Moment::default(); padded / WIDTH * n_samples],
            norms: vec![0.0; padded],
            values: vec![0.0; n_pairs_below(n_channels)],
        })
    }

    /// The correlation of each pair of channels of one window.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `samples` are not of the planned shape.
    pub fn run(&mut self, samples: Planar<'_>) -> &[f64] {
        let shape = (samples.n_channels(), samples.n_samples());
        assert_eq!(shape, self.shape, "window of another plan");
        for c in 0..shape.0 {
            self.analyse(c, samples.channel(c));
        }
        let (moments, norms, n_samples) = (&self.moments[..], &self.norms[..], self.shape.1);
        let correlate = Correlate {
            moments,
            norms,
            n_samples,
            orthogonalisation: self.orthogonalisation,
            envelope: self.envelope,
            n_channels: shape.0,
            out: &mut self.values,
        };
        Arch::new().dispatch(correlate);
        &self.values
    }

    /// The same for each of `epochs` `(n_epochs, n_channels, n_samples)`, on rayon's
    /// current pool: the pairs of each. Batch code: it allocates.
    pub fn run_epochs(
        &self,
        epochs: &ArrayView3<'_, f64>,
    ) -> Result<Vec<Vec<f64>>, ConnectivityError> {
        check_shape(self.shape, epochs)?;
        let (n_channels, n_samples) = self.shape;
        contiguous(epochs)
            .par_chunks_exact(n_channels * n_samples)
            .enumerate()
            .map_init(
                || self.clone(),
                |plan, (epoch, samples)| {
                    for (channel, samples) in samples.chunks_exact(n_samples).enumerate() {
                        check_finite(samples, epoch, channel)?;
                    }
                    let window = Planar::new(samples, n_channels, n_samples, n_samples);
                    Ok(plan.run(window).to_vec())
                },
            )
            .collect()
    }

    /// Phase and envelope of channel `c`.
    fn analyse(&mut self, c: usize, channel: &[f64]) {
        let n = channel.len();
        self.quadrature(channel);
        let (block, lane) = (c / WIDTH, c % WIDTH);
        let moments = &mut self.moments[block * n..][..n];
        let mut sum = 0.0;
        for ((moment, re), im) in moments.iter_mut().zip(channel).zip(&self.samples) {
            moment.set(lane, (*re, *im), self.envelope);
            sum += moment.centred[lane];
        }
        let mut square = 0.0;
        for moment in moments {
            moment.centred[lane] -= sum / n as f64;
            square += moment.centred[lane] * moment.centred[lane];
        }
        self.norms[c] = square.sqrt();
    }

    /// The Hilbert transform of `channel` into the beginning of `samples`.
    fn quadrature(&mut self, channel: &[f64]) {
        let n = self.samples.len();
        self.samples[..channel.len()].copy_from_slice(channel);
        self.samples[channel.len()..].fill(0.0);
        self.forward
            .process_with_scratch(&mut self.samples, &mut self.spectrum, &mut self.scratch)
            .expect("the plan sized every buffer");
        for x in &mut self.spectrum {
            *x = Complex64::new(x.im, -x.re) / n as f64;
        }
        self.spectrum[0] = Complex64::default();
        if n.is_multiple_of(2) {
            self.spectrum[n / 2] = Complex64::default();
        }
        self.inverse
            .process_with_scratch(&mut self.spectrum, &mut self.samples, &mut self.scratch)
            .expect("the plan sized every buffer");
    }
}

impl Envelope {
    #[inline(always)]
    fn of(self, amplitude: f64) -> f64 {
        match self {
            Self::Amplitude => amplitude,
            Self::LogPower => log_power(amplitude * amplitude),
        }
    }
}

struct Correlate<'a> {
    moments: &'a [Moment],
    norms: &'a [f64],
    n_samples: usize,
    n_channels: usize,
    orthogonalisation: Orthogonalisation,
    envelope: Envelope,
    out: &'a mut [f64],
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let n = self.n_samples;
        for i in 1..self.n_channels {
            let x = &self.moments[i / WIDTH * n..][..n];
            for block in 0..=(i - 1) / WIDTH {
                let y = &self.moments[block * n..][..n];
                let norms = &self.norms[block * WIDTH..][..WIDTH];
                let own = (i % WIDTH, self.norms[i]);
                let values = match (self.orthogonalisation, self.envelope) {
                    (Orthogonalisation::None, _) => plain(x, y, own, norms),
                    (kind, Envelope::Amplitude) => {
                        let is_signed = kind == Orthogonalisation::PairwiseSigned;
                        orthogonal(x, y, own, norms, is_signed, |x| x)
                    }
                    (kind, Envelope::LogPower) => {
                        let is_signed = kind == Orthogonalisation::PairwiseSigned;
                        orthogonal(x, y, own, norms, is_signed, |x| Envelope::LogPower.of(x))
                    }
                };
                let first = n_pairs_below(i) + block * WIDTH;
                let n_lanes = WIDTH.min(i - block * WIDTH);
                self.out[first..][..n_lanes].copy_from_slice(&values[..n_lanes]);
            }
        }
    }
}

/// `a / b`, `b` 1 where it is 0.
#[inline(always)]
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { a }
}

/// Correlations of one channel's envelope with those of four.
#[inline(always)]
fn plain(x: &[Moment], y: &[Moment], (lane, norm): (usize, f64), norms: &[f64]) -> [f64; WIDTH] {
    let mut sums = [0.0; WIDTH];
    for (x, y) in x.iter().zip(y) {
        for k in 0..WIDTH {
            sums[k] += x.centred[lane] * y.centred[k];
        }
    }
    for k in 0..WIDTH {
        sums[k] = ratio(ratio(sums[k], norm), norms[k]);
    }
    sums
}

/// Sums over samples of an orthogonalised envelope `o`: `Σ o`, `Σ o²`, and `Σ o e` with
/// the other channel's envelope `e`, whose mean is 0.
#[derive(Clone, Copy, Default)]
struct Sums {
    one: [f64; WIDTH],
    square: [f64; WIDTH],
    product: [f64; WIDTH],
}

impl Sums {
    #[inline(always)]
    fn add(&mut self, k: usize, value: f64, other: f64) {
        self.one[k] += value;
        self.square[k] += value * value;
        self.product[k] += value * other;
    }

    #[inline(always)]
    fn correlation(&self, k: usize, n: f64, norm: f64) -> f64 {
        let spread = (self.square[k] - self.one[k] * self.one[k] / n).max(0.0).sqrt();
        ratio(ratio(self.product[k], norm), spread)
    }
}

/// Sums of what is orthogonal of one channel to each of four, and of each of the four to
/// it.
///
/// What is orthogonal of `x` to `y` is `|x| s`, of `y` to `x` `|y| s`, with `s` the sine
/// of the angle between them: it serves both.
#[inline(always)]
fn orthogonal_sums(
    x: &[Moment],
    y: &[Moment],
    lane: usize,
    envelope: impl Fn(f64) -> f64,
) -> [Sums; 2] {
    let (mut of_x, mut of_y) = (Sums::default(), Sums::default());
    for (x, y) in x.iter().zip(y) {
        for k in 0..WIDTH {
            let (a, b) = (&x.unit, &y.unit);
            let sine = (a.im[lane] * b.re[k] - a.re[lane] * b.im[k]).abs();
            of_x.add(k, envelope(x.amplitude[lane] * sine), y.centred[k]);
            of_y.add(k, envelope(y.amplitude[k] * sine), x.centred[lane]);
        }
    }
    [of_x, of_y]
}

/// The mean of both directions' correlations of one channel with four.
#[inline(always)]
fn orthogonal(
    x: &[Moment],
    y: &[Moment],
    (lane, norm): (usize, f64),
    norms: &[f64],
    is_signed: bool,
    envelope: impl Fn(f64) -> f64,
) -> [f64; WIDTH] {
    let [of_x, of_y] = orthogonal_sums(x, y, lane, envelope);
    let n = x.len() as f64;
    let mut means = [0.0; WIDTH];
    for k in 0..WIDTH {
        let (a, b) = (of_x.correlation(k, n, norms[k]), of_y.correlation(k, n, norm));
        means[k] = 0.5 * if is_signed { a + b } else { a.abs() + b.abs() };
    }
    means
}
