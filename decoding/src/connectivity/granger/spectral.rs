//! Geweke's causality at each frequency, from a model.

use super::dense::solve;
use super::hidden::Hidden;
use super::{GrangerSpec, Scope, pairs};
use crate::connectivity::directed::{check_freqs, mean_over_band};
use crate::connectivity::mvar::{MvarError, MvarView};
use acquisition::time::SampleRate;
use ndarray::ArrayView3;
use rayon::prelude::*;
use std::f64::consts::TAU;

/// Causality of each channel for each other, given all others, at each frequency.
///
/// `f_(j -> i)(w) = ln(R_ii C_ii / |C_ii - g (exp(i w) I - D)^-1 D P g'|²)`, `R_ii` the
/// variance that is left where `j` is not seen, `C` the model's noise; the other letters
/// are those of a Kalman filter that follows `j`'s lags in the others' samples. No second
/// model is fitted, no spectrum is factorised. Of two channels it is Geweke's of 1982, of
/// more his conditional one of 1984; its mean over all frequencies from 0 to half the
/// rate is at most [`Self::totals`], and equal to it unless ties are so strong that the
/// number between the bars turns around zero over frequencies.
///
/// The values are those of the *model*: of one that is not stable
/// ([`Mvar::spectral_radius`](crate::connectivity::mvar::Mvar::spectral_radius)) they
/// mean nothing. They are NaN where the noise is no covariance.
///
/// A source costs about `40 p³` products and a frequency `p³ + m p²`, of `p` lags and `m`
/// channels. Memory: `8 (m² n_frequencies + 2 m p + 14 p²)` bytes.
///
/// # Reference
/// J. Geweke (1982), doi:10.1080/01621459.1982.10477803.
/// J. Geweke (1984), doi:10.1080/01621459.1984.10477110.
/// L. Barnett, A. K. Seth (2015), doi:10.1103/PhysRevE.91.040101: from one model.
#[derive(Clone, Debug)]
pub struct SpectralGranger {
    shape: (usize, usize),
    freqs_hz: Vec<f64>,
    /// `exp(i w)`.
    phasors: Vec<(f64, f64)>,
    hidden: Hidden,
    noise: Vec<f64>,
    precision: Vec<f64>,
    values: Vec<f64>,
    totals: Vec<f64>,
}

impl SpectralGranger {
    /// Plans models with `n_channels` and `order` lags at `freqs_hz`.
    pub fn new(
        (n_channels, order): (usize, usize),
        rate: SampleRate,
        freqs_hz: &[f64],
    ) -> Result<Self, MvarError> {
        check_shape((n_channels, order), rate, freqs_hz)?;
        let n_values = n_channels * n_channels;
        Ok(Self {
            shape: (n_channels, order),
            freqs_hz: freqs_hz.to_vec(),
            phasors: phasors(rate, freqs_hz),
            hidden: Hidden::new((n_channels, order), vec![0]),
            noise: vec![0.0; n_values],
            precision: vec![0.0; n_values],
            values: vec![0.0; n_values * freqs_hz.len()],
            totals: vec![0.0; n_values],
        })
    }

    /// The planned frequencies.
    pub fn freqs_hz(&self) -> &[f64] {
        &self.freqs_hz
    }

    /// The values of the last run, `(n_frequencies, to, from)`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The causality in time of the last run, `ln(R_ii / C_ii)`, `(to, from)`.
    pub fn totals(&self) -> &[f64] {
        &self.totals
    }

    /// The causality that a model has, `(n_frequencies, to, from)`; 0 from a channel to
    /// itself.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the model has another shape.
    pub fn run(&mut self, model: MvarView<'_>) -> &[f64] {
        let (m, _) = self.shape;
        assert_eq!((model.n_channels(), model.order()), self.shape, "the planned model");
        self.noise.copy_from_slice(model.noise());
        invert(&mut self.noise, &mut self.precision, m);
        for from in 0..m {
            self.hidden.hide(from);
            self.hidden.set(model, &self.precision);
            for (place, to) in self.hidden.rest().iter().enumerate() {
                let own = model.noise()[to * m + to];
                self.totals[to * m + from] = (self.hidden.missed(place, place) / own).ln_1p();
            }
            for (freq, phasor) in self.phasors.iter().enumerate() {
                self.hidden.set_frequency(*phasor);
                let values = &mut self.values[freq * m * m..][..m * m];
                for (place, to) in self.hidden.rest().iter().enumerate() {
                    let own = model.noise()[to * m + to];
                    let (re, im) = self.hidden.carried(place, place);
                    let (re, im) = (1.0 - re / own, im / own);
                    values[to * m + from] = self.totals[to * m + from] - (re * re + im * im).ln();
                }
            }
        }
        &self.values
    }

    /// Means over the frequencies from `low_hz` to `high_hz`, both included, of the last
    /// run, into `(to, from)`. NaN where no planned frequency lies in it.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn band_into(&self, band_hz: (f64, f64), out: &mut [f64]) {
        mean_over_band(&self.freqs_hz, &self.values, band_hz, out);
    }
}

/// Causality over frequencies, and in time, of all pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct GrangerSpectra {
    /// `(n_frequencies, to, from)`.
    pub values: Vec<f64>,
    /// `(to, from)`.
    pub totals: Vec<f64>,
}

impl GrangerSpec {
    /// The causality over `freqs_hz` of the least-squares model of `epochs` `(n_epochs,
    /// n_channels, n_samples)`: one of all channels ([`SpectralGranger`]), or for
    /// [`Scope::Pairwise`] one of each pair, on rayon's current pool. Batch code: it
    /// allocates.
    pub fn spectra(
        &self,
        epochs: &ArrayView3<'_, f64>,
        rate: SampleRate,
        freqs_hz: &[f64],
    ) -> Result<GrangerSpectra, MvarError> {
        let triangle = self.triangle(epochs)?;
        let m = triangle.n_channels();
        if self.scope == Scope::Conditional {
            let mut plan = SpectralGranger::new((m, self.order), rate, freqs_hz)?;
            plan.run(triangle.model()?.view());
            return Ok(GrangerSpectra { values: plan.values, totals: plan.totals });
        }
        let plan = SpectralGranger::new((2, self.order), rate, freqs_hz)?;
        let found = pairs(m).into_par_iter().map_init(
            || plan.clone(),
            |plan, pair| {
                plan.run(triangle.of(&pair)?.model()?.view());
                Ok((pair, plan.values.clone(), plan.totals.clone()))
            },
        );
        let found: Vec<_> = found.collect::<Result<_, MvarError>>()?;
        let mut spectra =
            GrangerSpectra { values: vec![0.0; freqs_hz.len() * m * m], totals: vec![0.0; m * m] };
        for ([i, j], values, totals) in &found {
            let maps = spectra.values.chunks_exact_mut(m * m).zip(values.chunks_exact(4));
            for (map, pair) in maps.chain([(&mut spectra.totals[..], &totals[..])]) {
                (map[i * m + j], map[j * m + i]) = (pair[1], pair[2]);
            }
        }
        Ok(spectra)
    }
}

/// `exp(i w)` at each frequency.
pub(super) fn phasors(rate: SampleRate, freqs_hz: &[f64]) -> Vec<(f64, f64)> {
    let phasor = |freq: &f64| {
        let (sin, cos) = (TAU * freq / rate.hz()).sin_cos();
        (cos, sin)
    };
    freqs_hz.iter().map(phasor).collect()
}

pub(super) fn check_shape(
    (n_channels, order): (usize, usize),
    rate: SampleRate,
    freqs_hz: &[f64],
) -> Result<(), MvarError> {
    match (n_channels, order) {
        (0, _) => Err(MvarError::NoChannel),
        (_, 0) => Err(MvarError::NoOrder),
        _ => check_freqs(rate, freqs_hz),
    }
}

/// `inverse` of `matrix`, which is used up.
pub(super) fn invert(matrix: &mut [f64], inverse: &mut [f64], n: usize) {
    inverse.fill(0.0);
    inverse.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
    solve(matrix, inverse, (n, n));
}
