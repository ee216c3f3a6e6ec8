//! Log band power of a window: Welch per channel, then the mean of each band's bins.

use crate::psd::PsdError;
use crate::psd::bands::{Band, mean_power};
use crate::psd::welch::WelchPlan;
use crate::window::Planar;
use acquisition::time::SampleRate;
use std::ops::Range;

/// Planned for windows of one length: Hann segments of 1 s, half overlap.
pub struct BandPower {
    welch: WelchPlan,
    psd: Vec<f64>,
    bins: Vec<Range<usize>>,
}

impl BandPower {
    /// Refuses windows shorter than one segment, and rates too low for the bands
    /// (`low <= f < high` in hertz).
    pub fn new(
        n_samples: usize,
        rate: SampleRate,
        bands_hz: &[[f64; 2]],
    ) -> Result<Self, PsdError> {
        let segment = rate.hz().round_ties_even() as usize;
        let welch = WelchPlan::new(n_samples, rate, segment, segment / 2)?;
        let freqs_hz = welch.freqs_hz();
        let bins_of = |&[low_hz, high_hz]: &[f64; 2]| Band { low_hz, high_hz }.bins(&freqs_hz);
        let bins = bands_hz.iter().map(bins_of).collect::<Result<_, _>>()?;
        Ok(Self { psd: vec![0.0; welch.n_bins()], bins, welch })
    }

    /// Number of values per channel.
    pub fn n_bands(&self) -> usize {
        self.bins.len()
    }

    /// Writes `ln` of the mean density per channel and band, channel-major.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn log_power_into(&mut self, samples: Planar<'_>, out: &mut [f64]) {
        for (c, powers) in out.chunks_exact_mut(self.bins.len()).enumerate() {
            self.welch.run(samples.channel(c), &mut self.psd);
            for (power, bins) in powers.iter_mut().zip(&self.bins) {
                *power = mean_power(&self.psd, bins.clone()).max(f64::MIN_POSITIVE).ln();
            }
        }
    }
}
