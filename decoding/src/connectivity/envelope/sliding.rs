//! Envelope correlation of a sliding window, from sums that are made once per step.

use super::{Envelope, Moment, Orthogonalisation, Sums};
use crate::connectivity::ConnectivityError;
use crate::connectivity::epochs::{check_channels, check_length};
use crate::connectivity::lines::WIDTH;
use crate::connectivity::reduce::n_pairs_below;
use crate::connectivity::wavelet::morlet;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use faer::traits::pulp::{Arch, Simd, WithSimd};
use realfft::num_complex::Complex64;

/// Variance below this share of the mean square is rounding.
const NO_SPREAD: f64 = 1e-14;

/// Envelope correlation between all channels of each window, updated per hop.
///
/// The analytic signal is the convolution with a Morlet wavelet of `n_cycles` at one
/// frequency, which is a band as well: a sample's value needs some samples on both sides
/// and no others, as a Hilbert transform does not. Time is cut into blocks of the window's
/// step, at multiples of the step from sample 0; of a window those blocks count whose
/// wavelets lie inside it. Each block's envelopes and their sums of products are made once;
/// a hop adds the sums of its blocks, oldest first. So nothing drifts, and the values
/// depend on the window's samples alone, bit for bit, from whatever window the run began.
///
/// Correlations are those of [`EnvelopeCorrelation`](super::EnvelopeCorrelation) of that
/// analytic signal. They are made of sums around no mean, which costs as many digits as
/// the envelopes' square has over their variance: one or two of sixteen.
///
/// Memory: `8 * 24 * n_blocks * n_pairs / 4` bytes, a sixth of that where nothing is
/// orthogonalised. A hop costs `2 * step * length` products per channel for a wavelet of
/// `length` samples, and some ten per pair and sample of the step.
///
/// # Reference
/// J. F. Hipp et al. (2012), Nature Neuroscience 15(6), doi:10.1038/nn.3101.
#[derive(Clone, Debug)]
pub struct SlidingEnvelope {
    n_channels: usize,
    window: WindowSpec,
    orthogonalisation: Orthogonalisation,
    envelope: Envelope,
    /// Samples 0, 1, 2 ... of the wavelet.
    half: Vec<Complex64>,
    /// The first of the window's blocks that counts.
    first: usize,
    re: Vec<f64>,
    im: Vec<f64>,
    /// Of the block at hand, `(n_channels / 4, step)`.
    moments: Vec<Moment>,
    /// Of one block after the other: of each channel, then of each pair.
    ring: Vec<f64>,
    held: Vec<Option<u64>>,
    sums: Vec<f64>,
    values: Vec<f64>,
}

impl SlidingEnvelope {
    /// Plans windows whose length is a multiple of their step.
    pub fn new(
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
        (freq_hz, n_cycles): (f64, f64),
        (orthogonalisation, envelope): (Orthogonalisation, Envelope),
    ) -> Result<Self, ConnectivityError> {
        let WindowSpec { window_samples, step_samples } = window;
        check_length(window_samples)?;
        check_channels(n_channels)?;
        if step_samples == 0 {
            return Err(ConnectivityError::NoStep);
        }
        let n_samples = window_samples;
        let is_wavelet = freq_hz > 0.0 && freq_hz <= 0.5 * rate.hz() && n_cycles > 0.0;
        let refused = ConnectivityError::BadWavelet { freq_hz, n_cycles, n_samples };
        // Longer than any window where it would not fit anyway: nothing that large is made.
        if !is_wavelet || n_cycles / freq_hz * rate.hz() > n_samples as f64 {
            return Err(refused);
        }
        let half = morlet(freq_hz, n_cycles, 0.0, rate);
        let reach = half.len() - 1;
        let first = reach.div_ceil(step_samples);
        let end = n_samples.saturating_sub(reach) / step_samples;
        if !window_samples.is_multiple_of(step_samples) || first >= end {
            return Err(refused);
        }
        let n_blocks = n_channels.div_ceil(WIDTH);
        let n_sums = 2 * WIDTH * n_blocks + n_entries(n_channels) * per_entry(orthogonalisation);
        Ok(Self {
            n_channels,
            window,
            orthogonalisation,
            envelope,
            half,
            first,
            re: vec![0.0; step_samples],
            im: vec![0.0; step_samples],
            moments: vec![Moment::default(); n_blocks * step_samples],
            ring: vec![0.0; n_sums * (end - first)],
            held: vec![None; end - first],
            sums: vec![0.0; n_sums],
            values: vec![0.0; n_pairs_below(n_channels)],
        })
    }

    /// Samples of a window whose envelopes are correlated.
    pub fn n_correlated(&self) -> usize {
        self.held.len() * self.window.step_samples
    }

    /// Forgets every block: call it where the samples of an index may change, as after a
    /// gap.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.held.fill(None);
    }

    /// The correlation of each pair of channels in the window whose last sample is `end`.
    /// Blocks that an earlier window held are not looked at again.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the window has another shape, or does not begin at a multiple of the step.
    pub fn slide(&mut self, end: SampleIndex, samples: Planar<'_>) -> &[f64] {
        let WindowSpec { window_samples, step_samples } = self.window;
        let shape = (samples.n_channels(), samples.n_samples());
        assert_eq!(shape, (self.n_channels, window_samples), "window of another plan");
        let start = (end.0 + 1).checked_sub(window_samples as u64).expect("a whole window");
        assert_eq!(start % step_samples as u64, 0, "a window that begins with a block");
        self.sums.fill(0.0);
        for at in self.first..self.first + self.held.len() {
            let block = start / step_samples as u64 + at as u64;
            let slot = (block % self.held.len() as u64) as usize;
            if self.held[slot] != Some(block) {
                self.hold(slot, at * step_samples, samples);
                self.held[slot] = Some(block);
            }
            let n_sums = self.sums.len();
            let sums = &self.ring[slot * n_sums..][..n_sums];
            self.sums.iter_mut().zip(sums).for_each(|(sum, x)| *sum += x);
        }
        self.correlate();
        &self.values
    }

    /// The values of the last window.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Fills `slot` with the block that begins at sample `at` of the window.
    fn hold(&mut self, slot: usize, at: usize, samples: Planar<'_>) {
        let n_sums = self.sums.len();
        for c in 0..self.n_channels {
            self.analyse(c, at, samples.channel(c));
        }
        let sums = &mut self.ring[slot * n_sums..][..n_sums];
        let add = AddProducts {
            moments: &self.moments,
            n_channels: self.n_channels,
            step: self.window.step_samples,
            orthogonalisation: self.orthogonalisation,
            envelope: self.envelope,
            sums,
        };
        Arch::new().dispatch(add);
    }

    /// Phase and envelope of channel `c` in the block at hand.
    fn analyse(&mut self, c: usize, at: usize, channel: &[f64]) {
        let step = self.window.step_samples;
        let centre = &channel[at..][..step];
        self.re.iter_mut().zip(centre).for_each(|(re, x)| *re = self.half[0].re * x);
        self.im.iter_mut().zip(centre).for_each(|(im, x)| *im = self.half[0].im * x);
        for (k, w) in self.half.iter().enumerate().skip(1) {
            let (before, after) = (&channel[at - k..][..step], &channel[at + k..][..step]);
            let places = self.re.iter_mut().zip(&mut self.im).zip(before.iter().zip(after));
            for ((re, im), (before, after)) in places {
                *re += w.re * (before + after);
                *im += w.im * (before - after);
            }
        }
        let (block, lane) = (c / WIDTH, c % WIDTH);
        let moments = &mut self.moments[block * step..][..step];
        for ((moment, re), im) in moments.iter_mut().zip(&self.re).zip(&self.im) {
            moment.set(lane, (*re, *im), self.envelope);
        }
    }

    /// Correlations of the window's sums.
    fn correlate(&mut self) {
        let n = self.n_correlated() as f64;
        let padded = self.n_channels.next_multiple_of(WIDTH);
        let (of_channels, of_pairs) = self.sums.split_at(2 * padded);
        let (one, square) = of_channels.split_at(padded);
        let size = per_entry(self.orthogonalisation);
        let spread = |one: f64, square: f64| {
            let rest = square - one * one / n;
            // What is not a number stays so.
            if rest <= NO_SPREAD * square { 0.0 } else { rest.sqrt() }
        };
        let correlation = |product: f64, o: (f64, f64), e: (f64, f64)| {
            let shared = product - o.0 * e.0 / n;
            let (a, b) = (spread(o.0, o.1), spread(e.0, e.1));
            if a == 0.0 || b == 0.0 { 0.0 } else { shared / (a * b) }
        };
        let entries = &mut of_pairs.chunks_exact(size);
        for i in 1..self.n_channels {
            let own = (one[i], square[i]);
            for (block, entry) in entries.take((i - 1) / WIDTH + 1).enumerate() {
                for lane in 0..WIDTH.min(i - block * WIDTH) {
                    let j = block * WIDTH + lane;
                    let (other, at) = ((one[j], square[j]), |k: usize| entry[k * WIDTH + lane]);
                    self.values[n_pairs_below(i) + j] = match self.orthogonalisation {
                        Orthogonalisation::None => correlation(at(0), own, other),
                        kind => {
                            let of_i = correlation(at(2), (at(0), at(1)), other);
                            let of_j = correlation(at(5), (at(3), at(4)), own);
                            let is_signed = kind == Orthogonalisation::PairwiseSigned;
                            0.5 * if is_signed { of_i + of_j } else { of_i.abs() + of_j.abs() }
                        }
                    };
                }
            }
        }
    }
}

/// Pairs of a channel with four others.
fn n_entries(n_channels: usize) -> usize {
    (1..n_channels).map(|i| (i - 1) / WIDTH + 1).sum()
}

/// Sums of an entry: products, or [`Sums`] both ways.
fn per_entry(orthogonalisation: Orthogonalisation) -> usize {
    WIDTH * if orthogonalisation == Orthogonalisation::None { 1 } else { 6 }
}

struct AddProducts<'a> {
    moments: &'a [Moment],
    n_channels: usize,
    step: usize,
    orthogonalisation: Orthogonalisation,
    envelope: Envelope,
    sums: &'a mut [f64],
}

impl WithSimd for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let padded = self.n_channels.next_multiple_of(WIDTH);
        let (of_channels, of_pairs) = self.sums.split_at_mut(2 * padded);
        let (one, square) = of_channels.split_at_mut(padded);
        for (block, moments) in self.moments.chunks_exact(self.step).enumerate() {
            let mut sums = Sums::default();
            for moment in moments {
                for k in 0..WIDTH {
                    sums.add(k, moment.centred[k], 0.0);
                }
            }
            one[block * WIDTH..][..WIDTH].copy_from_slice(&sums.one);
            square[block * WIDTH..][..WIDTH].copy_from_slice(&sums.square);
        }
        let mut entries = of_pairs.chunks_exact_mut(per_entry(self.orthogonalisation));
        for i in 1..self.n_channels {
            let x = &self.moments[i / WIDTH * self.step..][..self.step];
            for block in 0..=(i - 1) / WIDTH {
                let y = &self.moments[block * self.step..][..self.step];
                let Some(entry) = entries.next() else { return };
                match (self.orthogonalisation, self.envelope) {
                    (Orthogonalisation::None, _) => products(x, y, i % WIDTH, entry),
                    (_, Envelope::Amplitude) => both(x, y, i % WIDTH, entry, |x| x),
                    (_, Envelope::LogPower) => {
                        both(x, y, i % WIDTH, entry, |x| Envelope::LogPower.of(x));
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn products(x: &[Moment], y: &[Moment], lane: usize, entry: &mut [f64]) {
    let mut sums = [0.0; WIDTH];
    for (x, y) in x.iter().zip(y) {
        for k in 0..WIDTH {
            sums[k] += x.centred[lane] * y.centred[k];
        }
    }
    entry.copy_from_slice(&sums);
}

#[inline(always)]
fn both(x: &[Moment], y: &[Moment], lane: usize, entry: &mut [f64], envelope: impl Fn(f64) -> f64) {
    let [of_x, of_y] = super::orthogonal_sums(x, y, lane, envelope);
    let sums = [of_x.one, of_x.square, of_x.product, of_y.one, of_y.square, of_y.product];
    for (entry, sum) in entry.chunks_exact_mut(WIDTH).zip(sums) {
        entry.copy_from_slice(&sum);
    }
}
