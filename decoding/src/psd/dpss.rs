//! Discrete prolate spheroidal sequences: the tapers of multitaper spectra.

use super::PsdError;
use realfft::RealFftPlanner;
use std::f64::consts::PI;

/// Tapers of one length and half-bandwidth, the best concentrated first.
#[derive(Clone, Debug, PartialEq)]
pub struct Dpss {
    /// `n_tapers` sequences of `n_samples`, one after the other; each of norm 1.
    tapers: Vec<f64>,
    /// The part of each sequence's energy within the band.
    concentrations: Vec<f64>,
    n_samples: usize,
}

/// Which length the sequences are of norm 1 and symmetric on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symmetry {
    /// `n_samples`, as filters use them (SciPy's `sym=True`).
    Symmetric,
    /// `n_samples + 1`, of which the last is left out, as spectra use them
    /// (SciPy's `sym=False`).
    Periodic,
}

impl Dpss {
    /// The `n_tapers` best concentrated sequences of `n_samples` samples in
    /// `|f| <= W = NW / M` cycles per sample, `NW = half_bandwidth` and `M` the length
    /// of [`Symmetry`].
    ///
    /// They are the eigenvectors to the largest eigenvalues of the tridiagonal matrix
    /// with diagonal `((M-1-2t)/2)² cos 2πW` and off-diagonal `t (M-t) / 2`, found by
    /// bisection and inverse iteration. Signs: symmetric sequences have a positive sum,
    /// antisymmetric ones begin with a positive lobe. The concentration is
    /// `Σ_st v_s v_t sin(2πW(s-t)) / (π(s-t))`. Equal to
    /// `scipy.signal.windows.dpss(..., norm=2, return_ratios=True)`.
    ///
    /// # Errors
    /// [`PsdError::BadBandwidth`] where `half_bandwidth` is not between 0 and half the
    /// samples, or there are no tapers or more than samples.
    ///
    /// # Reference
    /// D. Slepian (1978), Bell System Technical Journal 57(5),
    /// doi:10.1002/j.1538-7305.1978.tb02104.x; D. B. Percival and A. T. Walden (1993),
    /// Spectral Analysis for Physical Applications, chapter 8.
    pub fn new(
        n_samples: usize,
        half_bandwidth: f64,
        n_tapers: usize,
        symmetry: Symmetry,
    ) -> Result<Self, PsdError> {
        let length = n_samples + usize::from(symmetry == Symmetry::Periodic);
        let is_possible = half_bandwidth > 0.0 && half_bandwidth < length as f64 / 2.0;
        if !is_possible || n_tapers == 0 || n_tapers > n_samples || n_samples < 2 {
            return Err(PsdError::BadBandwidth { half_bandwidth, n_tapers, n_samples });
        }
        let width = half_bandwidth / length as f64;
        let matrix = Tridiagonal::slepian(length, width);
        let mut whole: Vec<Vec<f64>> = Vec::with_capacity(n_tapers);
        for (k, eigenvalue) in matrix.largest(n_tapers).into_iter().enumerate() {
            whole.push(signed(matrix.eigenvector(eigenvalue, k), k));
        }
        let concentrations = concentrations(&whole, width);
        let tapers = whole.iter().flat_map(|taper| &taper[..n_samples]).copied().collect();
        Ok(Self { tapers, concentrations, n_samples })
    }

    /// Number of tapers.
    pub fn n_tapers(&self) -> usize {
        self.concentrations.len()
    }

    /// Taper `k`, `n_samples` values.
    pub fn taper(&self, k: usize) -> &[f64] {
        &self.tapers[k * self.n_samples..][..self.n_samples]
    }

    /// The part of each taper's energy within the band, between 0 and 1.
    pub fn concentrations(&self) -> &[f64] {
        &self.concentrations
    }

    /// Keeps the tapers with more than `least` of their energy in the band, or the best
    /// one if there are none.
    pub fn keep_above(&mut self, least: f64) {
        let n_kept = self.concentrations.partition_point(|c| *c > least).max(1);
        self.concentrations.truncate(n_kept);
        self.tapers.truncate(n_kept * self.n_samples);
    }
}

/// The sign by the convention of [`Dpss::new`].
fn signed(mut taper: Vec<f64>, k: usize) -> Vec<f64> {
    let is_negative = if k.is_multiple_of(2) {
        taper.iter().sum::<f64>() < 0.0
    } else {
        // The first value above the noise stands for the first lobe.
        let least = (1.0 / taper.len() as f64).max(1e-7);
        taper.iter().find(|v| *v * *v > least).is_some_and(|v| *v < 0.0)
    };
    if is_negative {
        for v in &mut taper {
            *v = -*v;
        }
    }
    taper
}

/// Energy in the band over all energy, from the spectra of tapers and of the band's
/// sinc, long enough not to wrap.
fn concentrations(tapers: &[Vec<f64>], width: f64) -> Vec<f64> {
    let length = tapers[0].len();
    let n_fft = (2 * length).next_power_of_two();
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(n_fft);
    let mut input = fft.make_input_vec();
    let mut spectrum = fft.make_output_vec();
    input[0] = 2.0 * width;
    for lag in 1..length {
        let sinc = (2.0 * PI * width * lag as f64).sin() / (PI * lag as f64);
        input[lag] = sinc;
        input[n_fft - lag] = sinc;
    }
    fft.process(&mut input, &mut spectrum).expect("the plan sized every buffer");
    let band: Vec<f64> = spectrum.iter().map(|c| c.re).collect();
    let mut concentration = |taper: &Vec<f64>| {
        input.fill(0.0);
        input[..length].copy_from_slice(taper);
        fft.process(&mut input, &mut spectrum).expect("the plan sized every buffer");
        let both: Vec<f64> = spectrum.iter().zip(&band).map(|(c, b)| c.norm_sqr() * b).collect();
        let inner: f64 = both[1..both.len() - 1].iter().sum();
        (both[0] + 2.0 * inner + both[both.len() - 1]) / n_fft as f64
    };
    tapers.iter().map(&mut concentration).collect()
}

/// A symmetric tridiagonal matrix.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// Element `t` stands between `t` and `t + 1`.
    off_diagonal: Vec<f64>,
}

impl Tridiagonal {
    fn slepian(length: usize, width: f64) -> Self {
        let (m, cos) = (length as f64, (2.0 * PI * width).cos());
        let diagonal = |t: usize| ((m - 1.0 - 2.0 * t as f64) / 2.0).powi(2) * cos;
        let off_diagonal = |t: usize| t as f64 * (m - t as f64) / 2.0;
        Self {
            diagonal: (0..length).map(diagonal).collect(),
            off_diagonal: (1..length).map(off_diagonal).collect(),
        }
    }

    /// The `n` largest eigenvalues, descending, by bisection to the last bits.
    fn largest(&self, n: usize) -> Vec<f64> {
        let radius = |t: usize| {
            let left = if t > 0 { self.off_diagonal[t - 1] } else { 0.0 };
            left + self.off_diagonal.get(t).unwrap_or(&0.0)
        };
        let reach = |sign: f64| {
            let ends = self.diagonal.iter().enumerate().map(|(t, d)| sign * d + radius(t));
            ends.fold(f64::NEG_INFINITY, f64::max)
        };
        let (low, high) = (-reach(-1.0), reach(1.0));
        let mut above = high;
        let next = |k: usize| {
            above = self.bisect(k, low, above);
            above
        };
        (0..n).map(next).collect()
    }

    /// The eigenvalue that has `k` others above it.
    fn bisect(&self, k: usize, mut low: f64, mut high: f64) -> f64 {
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return middle;
            }
            if self.n_above(middle) > k {
                low = middle;
            } else {
                high = middle;
            }
        }
    }

    /// How many eigenvalues are above `x`: the positive pivots of `T - x` (Sturm).
    fn n_above(&self, x: f64) -> usize {
        let tiny = f64::MIN_POSITIVE;
        let mut pivot = self.diagonal[0] - x;
        let mut n_above = usize::from(pivot > 0.0);
        for (d, e) in self.diagonal[1..].iter().zip(&self.off_diagonal) {
            let divisor = if pivot.abs() < tiny { tiny } else { pivot };
            pivot = (d - x) - e * e / divisor;
            n_above += usize::from(pivot > 0.0);
        }
        n_above
    }

    /// The eigenvector of norm 1 by inverse iteration, from a start of its parity.
    fn eigenvector(&self, eigenvalue: f64, k: usize) -> Vec<f64> {
        let n = self.diagonal.len();
        let half = (n as f64 - 1.0) / 2.0;
        let is_odd = !k.is_multiple_of(2);
        let start = |t: usize| {
            let wave = (PI * (k + 1) as f64 * (t + 1) as f64 / (n + 1) as f64).sin();
            let is_late = t as f64 > half;
            let parity = if is_odd && is_late { -1.0 } else { 1.0 };
            wave + 0.01 * parity
        };
        let mut vector: Vec<f64> = (0..n).map(start).collect();
        let factors = Factors::new(self, eigenvalue);
        for _ in 0..4 {
            factors.solve(&mut vector);
            let norm = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
            for v in &mut vector {
                *v /= norm;
            }
        }
        vector
    }
}

/// `T - x = P L U` by elimination with row exchanges; `U` has two bands above its
/// diagonal.
struct Factors {
    upper: Vec<[f64; 3]>,
    /// The multiplier of each step, and whether its rows changed places.
    steps: Vec<(f64, bool)>,
}

impl Factors {
    fn new(matrix: &Tridiagonal, x: f64) -> Self {
        let n = matrix.diagonal.len();
        let off = |t: usize| matrix.off_diagonal.get(t).copied().unwrap_or(0.0);
        let mut upper = Vec::with_capacity(n);
        let mut steps = Vec::with_capacity(n - 1);
        let mut row = [matrix.diagonal[0] - x, off(0), 0.0];
        for t in 0..n - 1 {
            let below = [off(t), matrix.diagonal[t + 1] - x, off(t + 1)];
            let exchange = below[0].abs() > row[0].abs();
            let (pivot, other) = if exchange { (below, row) } else { (row, below) };
            let factor = other[0] / away_from_zero(pivot[0]);
            upper.push(pivot);
            steps.push((factor, exchange));
            row = [other[1] - factor * pivot[1], other[2] - factor * pivot[2], 0.0];
        }
        upper.push(row);
        Self { upper, steps }
    }

    fn solve(&self, x: &mut [f64]) {
        for (t, (factor, exchange)) in self.steps.iter().enumerate() {
            if *exchange {
                x.swap(t, t + 1);
            }
            x[t + 1] -= factor * x[t];
        }
        for t in (0..x.len()).rev() {
            let [pivot, first, second] = self.upper[t];
            let known =
                first * x.get(t + 1).unwrap_or(&0.0) + second * x.get(t + 2).unwrap_or(&0.0);
            x[t] = (x[t] - known) / away_from_zero(pivot);
        }
    }
}

/// A pivot that can be divided by: an exact eigenvalue makes the last one zero.
fn away_from_zero(pivot: f64) -> f64 {
    if pivot.abs() < 1e-300 { 1e-300 } else { pivot }
}
