//! What is read off the spectrum of a window, channel by channel: powers and entropies of
//! bands.

use super::spectrum::Spectrum;
use super::step::{self, Scale};
use crate::psd::PsdError;
use crate::psd::bands::{mean_power, relative_power, spectral_entropy};
use crate::time_domain::log_power;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use std::ops::Range;

/// Powers of bands, planned for windows of one spec.
#[derive(Clone, Debug)]
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
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
    ) -> Result<Self, PsdError> {
        let spectrum = Spectrum::new(params.spectrum(), n_channels, window, rate)?;
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

    /// Forgets earlier windows: an index may have other samples from here on.
    pub fn restart(&mut self) {
        self.spectrum.restart();
    }

    /// Writes the power per channel and band, channel-major, of a window that ends with the
    /// sample `end`, or of one by itself.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn powers_into(&mut self, end: Option<SampleIndex>, samples: Planar<'_>, out: &mut [f64]) {
        let spectra = self.spectrum.of(end, samples);
        for (powers, psd) in out.chunks_exact_mut(self.bins.len()).zip(spectra) {
            for (value, bins) in powers.iter_mut().zip(&self.bins) {
                let power = match &self.relative_to {
                    None => mean_power(psd, bins.clone()),
                    Some(total) => relative_power(psd, bins.clone(), total.clone()),
                };
                *value = match self.scale {
                    Scale::Log => log_power(power),
                    Scale::Linear => power,
                };
            }
        }
    }
}

/// Entropies of bands, planned for windows of one spec.
#[derive(Clone, Debug)]
pub(super) struct Entropy {
    spectrum: Spectrum,
    bins: Vec<Range<usize>>,
}

impl Entropy {
    /// Refuses what [`BandPower::new`] does.
    pub fn new(
        params: &step::SpectralEntropy,
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
    ) -> Result<Self, PsdError> {
        let spectrum = Spectrum::new(params.spectrum(), n_channels, window, rate)?;
        let bins = spectrum.bins(&params.bands_hz)?;
        Ok(Self { spectrum, bins })
    }

    /// Number of values per channel.
    pub fn n_bands(&self) -> usize {
        self.bins.len()
    }

    /// Forgets earlier windows: an index may have other samples from here on.
    pub fn restart(&mut self) {
        self.spectrum.restart();
    }

    /// Writes the entropy per channel and band, channel-major, as [`BandPower::powers_into`].
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn entropies_into(
        &mut self,
        end: Option<SampleIndex>,
        samples: Planar<'_>,
        out: &mut [f64],
    ) {
        let spectra = self.spectrum.of(end, samples);
        for (entropies, psd) in out.chunks_exact_mut(self.bins.len()).zip(spectra) {
            for (value, bins) in entropies.iter_mut().zip(&self.bins) {
                *value = spectral_entropy(psd, bins.clone());
            }
        }
    }
}
