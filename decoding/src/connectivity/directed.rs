//! Who drives whom, at which frequency: transfer functions of vector autoregressions.
//!
//! Of a model `x_t = sum_k A_k x_(t-k) + e_t`, `cov(e) = C`:
//!
//! ```text
//! A(f) = I - sum_k A_k exp(-2 pi i f k / rate)     H = A^-1
//! S = H C H*      S^-1 = A* C^-1 A      pCoh_ij = S^-1_ij / sqrt(S^-1_ii S^-1_jj)
//! ```
//!
//! All measures are magnitudes, not their squares, ordered `(measure, frequency, to,
//! from)`: entry `i, j` is what channel `i` gets from channel `j`.

use super::mvar::{MvarError, MvarView};
use acquisition::time::SampleRate;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

mod complex;

pub(super) use self::complex::Square;

/// A directed measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectedMeasure {
    /// Directed transfer function `|H_ij| / sqrt(sum_k |H_ik|²)`: of all that reaches
    /// `i`, the share from `j`, by whatever path (Kamiński and Blinowska 1991).
    Transfer,
    /// Full-frequency DTF `|H_ij| / sqrt(sum_f sum_k |H_ik(f)|²)`, over the planned
    /// frequencies (Korzeniewska et al. 2003).
    FullFrequencyTransfer,
    /// Direct DTF: [`Self::FullFrequencyTransfer`] times `|pCoh_ij|`, which is 0 where `j`
    /// reaches `i` over other channels only and both drive no channel together (Korzeniewska et al. 2003).
    DirectTransfer,
    /// Direct DTF with one scale, `|H_ij| |pCoh_ij| / sqrt(sum_(f,k,l) (|H_kl| |pCoh_kl|)²)`,
    /// so that links can be compared (Korzeniewska et al. 2008).
    DirectTransfer08,
    /// Partial directed coherence `|A_ij| / sqrt(sum_k |A_kj|²)`: of all that leaves `j`,
    /// the share that reaches `i` directly (Baccalá and Sameshima 2001).
    PartialCoherence,
    /// Generalised PDC: the rows of `A` over the noise's standard deviations, which makes
    /// it free of the channels' units (Baccalá, Sameshima and Takahashi 2007).
    GeneralisedPartialCoherence,
}

/// Planned for models of one shape at some frequencies.
///
/// Memory: `8 m² (n_measures n_frequencies + n_frequencies + 8)` bytes of `m` channels. A
/// frequency costs one complex inverse, `m³` products.
///
/// # Reference
/// M. J. Kamiński, K. J. Blinowska (1991), doi:10.1007/BF00198091.
/// A. Korzeniewska et al. (2003), doi:10.1016/S0165-0270(03)00052-9.
/// A. Korzeniewska et al. (2008), doi:10.1002/hbm.20458.
/// L. A. Baccalá, K. Sameshima (2001), doi:10.1007/PL00007990.
/// L. A. Baccalá, K. Sameshima, D. Y. Takahashi (2007), doi:10.1109/ICDSP.2007.4288544.
#[derive(Clone, Debug)]
pub struct DirectedConnectivity {
    n_channels: usize,
    order: usize,
    measures: Vec<DirectedMeasure>,
    freqs_hz: Vec<f64>,
    /// `cos` and `sin` of each lag at each frequency.
    phasors: Vec<(f64, f64)>,
    abar: Square,
    h: Square,
    whitened: Square,
    root: Vec<f64>,
    row: Vec<f64>,
    /// Magnitude of the partial coherence at one frequency.
    partial: Vec<f64>,
    /// `|H|` at every frequency, and `|H| |pCoh|` after it.
    transfer: Vec<f64>,
    direct: Vec<f64>,
    values: Vec<f64>,
}

impl DirectedConnectivity {
    /// Plans `measures` of models with `n_channels` and `order` lags at `freqs_hz`.
    pub fn new(
        (n_channels, order): (usize, usize),
        rate: SampleRate,
        freqs_hz: &[f64],
        measures: &[DirectedMeasure],
    ) -> Result<Self, MvarError> {
        if n_channels == 0 {
            return Err(MvarError::NoChannel);
        }
        if order == 0 {
            return Err(MvarError::NoOrder);
        }
        check_freqs(rate, freqs_hz)?;
        let phasor = |freq: f64, lag: usize| {
            let (sin, cos) = (-TAU * freq * lag as f64 / rate.hz()).sin_cos();
            (cos, sin)
        };
        let phasors =
            freqs_hz.iter().flat_map(|f| (1..=order).map(move |lag| phasor(*f, lag))).collect();
        let n_values = n_channels * n_channels;
        Ok(Self {
            n_channels,
            order,
            measures: measures.to_vec(),
            freqs_hz: freqs_hz.to_vec(),
            phasors,
            abar: Square::zeros(n_channels),
            h: Square::zeros(n_channels),
            whitened: Square::zeros(n_channels),
            root: vec![0.0; n_values],
            row: vec![0.0; n_channels],
            partial: vec![0.0; n_values],
            transfer: vec![0.0; n_values * freqs_hz.len()],
            direct: vec![0.0; n_values * freqs_hz.len()],
            values: vec![0.0; n_values * freqs_hz.len() * measures.len()],
        })
    }

    /// The planned frequencies.
    pub fn freqs_hz(&self) -> &[f64] {
        &self.freqs_hz
    }

    /// The planned measures.
    pub fn measures(&self) -> &[DirectedMeasure] {
        &self.measures
    }

    /// The values of the last run, `(n_measures, n_frequencies, to, from)`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The measures of a model. They are NaN at a frequency where the model has a pole,
    /// and where its noise is no covariance.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the model has another shape.
    pub fn run(&mut self, model: MvarView<'_>) -> &[f64] {
        let m = self.n_channels;
        assert_eq!((model.n_channels(), model.order()), (m, self.order), "the planned model");
        self.root.copy_from_slice(model.noise());
        root_in_place(&mut self.root, m);
        let per_measure = m * m * self.freqs_hz.len();
        for freq in 0..self.freqs_hz.len() {
            self.transform(model, freq);
            let cells = freq * m * m..(freq + 1) * m * m;
            self.h.magnitudes_into(&mut self.transfer[cells.clone()]);
            let (transfer, direct) =
                (&self.transfer[cells.clone()], &mut self.direct[cells.clone()]);
            direct.iter_mut().zip(transfer).zip(&self.partial).for_each(|((d, h), p)| *d = h * p);
            for (measure, values) in
                self.measures.iter().zip(self.values.chunks_exact_mut(per_measure))
            {
                let values = &mut values[cells.clone()];
                match measure {
                    DirectedMeasure::PartialCoherence => {
                        self.abar.magnitudes_into(values);
                        share_of_columns(values, m);
                    }
                    DirectedMeasure::GeneralisedPartialCoherence => {
                        self.abar.magnitudes_into(values);
                        for (to, row) in values.chunks_exact_mut(m).enumerate() {
                            let std = model.noise()[to * m + to].sqrt();
                            for x in row {
                                *x /= std;
                            }
                        }
                        share_of_columns(values, m);
                    }
                    DirectedMeasure::Transfer => {
                        values.copy_from_slice(transfer);
                        values.chunks_exact_mut(m).for_each(share);
                    }
                    // Those that look at all frequencies follow.
                    _ => {}
                }
            }
        }
        self.over_frequencies(per_measure);
        &self.values
    }

    /// Forms `A`, `H` and the partial coherence at one frequency.
    fn transform(&mut self, model: MvarView<'_>, freq: usize) {
        let m = self.n_channels;
        self.abar.set_identity();
        for (k, &(cos, sin)) in self.phasors[freq * self.order..][..self.order].iter().enumerate() {
            for to in 0..m {
                let row = to * m..(to + 1) * m;
                let cells = self.abar.re[row.clone()].iter_mut().zip(&mut self.abar.im[row]);
                for (from, (re, im)) in cells.enumerate() {
                    let a = model.coefficient(k + 1, to, from);
                    *re -= a * cos;
                    *im -= a * sin;
                }
            }
        }
        self.h.set_inverse(&self.abar);
        // L^-1 A: its columns' products are S^-1.
        self.whitened.copy_from(&self.abar);
        self.whitened.divide_rows(&self.root);
        self.whitened.column_coherence_into(&mut self.row, &mut self.partial);
    }

    /// The measures that are scaled by sums over all frequencies.
    fn over_frequencies(&mut self, per_measure: usize) {
        let m = self.n_channels;
        let reached = |to: usize, transfer: &[f64]| -> f64 {
            let rows = transfer.chunks_exact(m).skip(to).step_by(m);
            rows.flatten().map(|h| h * h).sum::<f64>().sqrt()
        };
        for (measure, values) in self.measures.iter().zip(self.values.chunks_exact_mut(per_measure))
        {
            let of = match measure {
                DirectedMeasure::FullFrequencyTransfer => &self.transfer,
                DirectedMeasure::DirectTransfer | DirectedMeasure::DirectTransfer08 => &self.direct,
                _ => continue,
            };
            values.copy_from_slice(of);
            if *measure == DirectedMeasure::DirectTransfer08 {
                share(values);
                continue;
            }
            for to in 0..m {
                let scale = reached(to, &self.transfer);
                let rows = values.chunks_exact_mut(m).skip(to).step_by(m);
                rows.flatten().for_each(|x| *x /= scale);
            }
        }
    }

    /// Means over the frequencies from `low_hz` to `high_hz`, both included, of the last
    /// run, into `(n_measures, to, from)`. NaN where no planned frequency lies in it.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn band_into(&self, band_hz: (f64, f64), out: &mut [f64]) {
        let cells = self.n_channels * self.n_channels;
        assert_eq!(out.len(), self.measures.len() * cells, "a value per measure and pair");
        let per_measure = self.values.chunks_exact(cells * self.freqs_hz.len());
        for (values, out) in per_measure.zip(out.chunks_exact_mut(cells)) {
            mean_over_band(&self.freqs_hz, values, band_hz, out);
        }
    }
}

/// Refuses frequencies beyond half the rate, and none.
pub(super) fn check_freqs(rate: SampleRate, freqs_hz: &[f64]) -> Result<(), MvarError> {
    let outside = |freq: &&f64| !(0.0..=0.5 * rate.hz()).contains(*freq);
    let none = freqs_hz.is_empty().then_some(&f64::NAN);
    match freqs_hz.iter().find(outside).or(none) {
        Some(&freq_hz) => Err(MvarError::BadFrequency { freq_hz }),
        None => Ok(()),
    }
}

/// Mean of maps, one per frequency, over those within a band, both edges included.
pub(super) fn mean_over_band(
    freqs_hz: &[f64],
    values: &[f64],
    (low_hz, high_hz): (f64, f64),
    out: &mut [f64],
) {
    assert_eq!(values.len(), out.len() * freqs_hz.len(), "a value per pair");
    out.fill(0.0);
    let mut n_freqs = 0.0;
    for (freq, values) in freqs_hz.iter().zip(values.chunks_exact(out.len())) {
        if (low_hz..=high_hz).contains(freq) {
            out.iter_mut().zip(values).for_each(|(sum, x)| *sum += x);
            n_freqs += 1.0;
        }
    }
    for sum in out {
        *sum /= n_freqs;
    }
}

/// Divides by the root of the sum of squares.
fn share(values: &mut [f64]) {
    let norm = values.iter().map(|x| x * x).sum::<f64>().sqrt();
    for x in values {
        *x /= norm;
    }
}

fn share_of_columns(values: &mut [f64], m: usize) {
    for col in 0..m {
        let norm = values.iter().skip(col).step_by(m).map(|x| x * x).sum::<f64>().sqrt();
        values.iter_mut().skip(col).step_by(m).for_each(|x| *x /= norm);
    }
}

/// The lower triangular root; NaN where there is none.
fn root_in_place(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let left = a[i * n + j] - sum;
            a[i * n + j] = if i == j { left.sqrt() } else { left / a[j * n + j] };
        }
    }
}
