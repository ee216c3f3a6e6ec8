//! What is read off the spectrum of a window, channel by channel: powers and entropies of
//! bands.

use super::spectrum::Spectrum;
use super::step::{self, Scale};
use crate::psd::PsdError;
use crate::psd::bands::{mean_power, relative_power, spectral_entropy};
use crate::window::Planar;
use acquisition::time::SampleRate;
use std::ops::Range;

/// Powers of bands, planned for windows of one length.
pub struct BandPower {
    spectrum: Spectrum,
    bins: Vec<Range<usize>>,
    relative_to: Option<Range<usize>>,
    scale: Scale,
}

impl BandPower {
    /// Refuses windows shorter than the method needs, and bands without bins, as those above
    /// half the rate.
    pub fn new(
        params: &step::BandPower,
        n_samples: usize,
        rate: SampleRate,
    ) -> Result<Self, PsdError> {
        let spectrum = Spectrum::new(params.spectrum(), n_samples, rate)?;
        let bins = spectrum.bins(&params.bands_hz)?;
        let relative_to = match params.relative_to_hz {
            Some(range_hz) => spectrum.bins(&[range_hz])?.pop(),
            None => None,
        };
        Ok(Self { spectrum, bins, relative_to, scale: params.scale })
    }

    /// Number of values per channel.
    pub fn n_bands(&self) -> usize {
        self.bins.len()
    }

    /// Writes the power per channel and band, channel-major.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn powers_into(&mut self, samples: Planar<'_>, out: &mut [f64]) {
        for (c, powers) in out.chunks_exact_mut(self.bins.len()).enumerate() {
            let psd = self.spectrum.of(samples.channel(c));
            for (value, bins) in powers.iter_mut().zip(&self.bins) {
                let power = match &self.relative_to {
                    None => mean_power(psd, bins.clone()),
                    Some(total) => relative_power(psd, bins.clone(), total.clone()),
                };
                *value = match self.scale {
                    Scale::Log => power.max(f64::MIN_POSITIVE).ln(),
                    Scale::Linear => power,
                };
            }
        }
    }
}

/// Entropies of bands, planned for windows of one length.
pub(super) struct Entropy {
    spectrum: Spectrum,
    bins: Vec<Range<usize>>,
}

impl Entropy {
    /// Refuses what [`BandPower::new`] does.
    pub fn new(
        params: &step::SpectralEntropy,
        n_samples: usize,
        rate: SampleRate,
    ) -> Result<Self, PsdError> {
        let spectrum = Spectrum::new(params.spectrum(), n_samples, rate)?;
        let bins = spectrum.bins(&params.bands_hz)?;
        Ok(Self { spectrum, bins })
    }

    /// Number of values per channel.
    pub fn n_bands(&self) -> usize {
        self.bins.len()
    }

    /// Writes the entropy per channel and band, channel-major.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn entropies_into(&mut self, samples: Planar<'_>, out: &mut [f64]) {
        for (c, entropies) in out.chunks_exact_mut(self.bins.len()).enumerate() {
            let psd = self.spectrum.of(samples.channel(c));
            for (value, bins) in entropies.iter_mut().zip(&self.bins) {
                *value = spectral_entropy(psd, bins.clone());
            }
        }
    }
}
