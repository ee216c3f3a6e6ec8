//! Log band power of a window: Welch per channel, then the mean of each band's bins.

use crate::psd::PsdError;
use crate::psd::bands::{Band, mean_power};
use crate::psd::welch::sliding::SlidingWelch;
use crate::time_domain::log_power;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use std::ops::Range;

/// Planned for windows of one spec: Hann segments of 1 s, half overlap, in which a segment
/// that windows share is transformed once ([`SlidingWelch`]).
#[derive(Clone, Debug)]
pub struct BandPower {
    welch: SlidingWelch,
    /// `(n_channels, n_bins)`.
    psd: Vec<f64>,
    bins: Vec<Range<usize>>,
}

impl BandPower {
    /// Refuses windows shorter than one segment, and rates too low for the bands
    /// (`low <= f < high` in hertz).
    pub fn new(
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
        bands_hz: &[[f64; 2]],
    ) -> Result<Self, PsdError> {
        let segment = rate.hz().round_ties_even() as usize;
        let welch = SlidingWelch::new(n_channels, window, rate, segment, segment / 2)?;
        let freqs_hz = welch.freqs_hz();
        let bins_of = |&[low_hz, high_hz]: &[f64; 2]| Band { low_hz, high_hz }.bins(&freqs_hz);
        let bins = bands_hz.iter().map(bins_of).collect::<Result<_, _>>()?;
        Ok(Self { psd: vec![0.0; n_channels * welch.n_bins()], bins, welch })
    }

    /// Number of values per channel.
    pub fn n_bands(&self) -> usize {
        self.bins.len()
    }

    /// Forgets earlier windows: call it where the samples of an index may change, as after
    /// a gap.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.welch.restart();
    }

    /// Writes `ln` of the mean density per channel and band, channel-major, of the window
    /// whose last sample is `end`. Segments that an earlier window held are not
    /// transformed again.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the window is not on the grid of steps, or a size is not the planned one.
    pub fn slide_into(&mut self, end: SampleIndex, samples: Planar<'_>, out: &mut [f64]) {
        let first = (end.0 + 1).saturating_sub(samples.n_samples() as u64);
        self.welch.run(SampleIndex(first), samples, &mut self.psd);
        self.log_power_into(out);
    }

    /// Writes the same of one window by itself: the values of [`BandPower::slide_into`],
    /// bit for bit, without memory of other windows.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If a size is not the planned one.
    pub fn run_into(&mut self, samples: Planar<'_>, out: &mut [f64]) {
        self.restart();
        self.slide_into(SampleIndex(samples.n_samples() as u64 - 1), samples, out);
        self.restart();
    }

    fn log_power_into(&self, out: &mut [f64]) {
        let spectra = self.psd.chunks_exact(self.welch.n_bins());
        for (powers, psd) in out.chunks_exact_mut(self.bins.len().max(1)).zip(spectra) {
            for (power, bins) in powers.iter_mut().zip(&self.bins) {
                *power = log_power(mean_power(psd, bins.clone()));
            }
        }
    }
}
