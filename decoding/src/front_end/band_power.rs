//! Log band power of a window: Welch per channel, then the mean of each band's bins.

use crate::psd::PsdError;
use crate::psd::bands::{BANDS, mean_power};
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
    /// Number of values per channel.
    pub const N_BANDS: usize = BANDS.len();

    /// Refuses windows shorter than one segment, and rates too low for the bands.
    pub fn new(n_samples: usize, rate: SampleRate) -> Result<Self, PsdError> {
        let segment = rate.hz().round_ties_even() as usize;
        let welch = WelchPlan::new(n_samples, rate, segment, segment / 2)?;
        let freqs_hz = welch.freqs_hz();
        let bins = BANDS.iter().map(|band| band.bins(&freqs_hz)).collect::<Result<_, _>>()?;
        Ok(Self { psd: vec![0.0; welch.n_bins()], bins, welch })
    }

    /// Writes `ln` of the mean density per channel and band, channel-major.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn log_power_into(&mut self, samples: Planar<'_>, out: &mut [f64]) {
        for (c, powers) in out.chunks_exact_mut(Self::N_BANDS).enumerate() {
            self.welch.run(samples.channel(c), &mut self.psd);
            for (power, bins) in powers.iter_mut().zip(&self.bins) {
                *power = mean_power(&self.psd, bins.clone()).max(f64::MIN_POSITIVE).ln();
            }
        }
    }
}
