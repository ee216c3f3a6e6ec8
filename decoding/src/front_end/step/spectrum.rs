//! Features that are read off the spectrum of each channel.

use super::group::{BadParameter, Checked};
use super::some_band;
use crate::psd::bands::BANDS;
use serde::{Deserialize, Serialize};

/// How the density of a window is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpectrumMethod {
    /// Welch's: Hann segments of 1 s, half overlap, bins of 1 Hz
    /// ([`crate::psd::welch`]).
    #[default]
    Welch,
    /// An autoregressive model by Burg's method in sub-windows of 0.25 s every 0.161 s, bins
    /// of 1 Hz ([`BurgSpec::happy_feat`](crate::psd::burg::BurgSpec::happy_feat)).
    Burg,
    /// Orthogonal tapers over the whole window, bins of one over its length
    /// ([`crate::psd::multitaper`]).
    Multitaper,
}

/// What stands for a power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Its natural logarithm, at least that of the smallest positive number: powers are
    /// nearly normal then, as discriminants want them.
    #[default]
    Log,
    /// Itself.
    Linear,
}

/// An estimator of densities and the parameter that it alone knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SpectrumParams {
    pub method: SpectrumMethod,
    pub order: Option<usize>,
    pub bandwidth_hz: Option<f64>,
}

impl SpectrumParams {
    /// Width over which a multitaper spectrum is smoothed where none is given: half of the
    /// narrowest of the usual bands.
    pub const BANDWIDTH_HZ: f64 = 2.0;

    /// A parameter of one method is an error beside another.
    fn check(self) -> Result<(), BadParameter> {
        let error = |parameter, why: &str| Err(BadParameter::new(parameter, why));
        match (self.order, self.bandwidth_hz) {
            (Some(_), _) if self.method != SpectrumMethod::Burg => {
                error("order", "it is for method = \"burg\" alone")
            }
            (Some(0), _) => error("order", "a model has at least one coefficient"),
            (_, Some(_)) if self.method != SpectrumMethod::Multitaper => {
                error("bandwidth_hz", "it is for method = \"multitaper\" alone")
            }
            (_, Some(hz)) if !(hz > 0.0 && hz.is_finite()) => {
                error("bandwidth_hz", "it is a positive number of hertz")
            }
            _ => Ok(()),
        }
    }
}

/// The mean density of each channel in each of the bands, channel-major: in the unit of
/// the samples squared per hertz, or as a share of a wider range; its logarithm, or itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BandPower {
    /// Edges in hertz: `low <= f < high`.
    pub bands_hz: Vec<[f64; 2]>,
    /// How the density is estimated.
    pub method: SpectrumMethod,
    /// Order of the model of method `burg`; `0.038 s * rate` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<usize>,
    /// Full width over which method `multitaper` smooths, in hertz; 2 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_hz: Option<f64>,
    /// The power of a band is its share of the power in this range
    /// ([`relative_power`](crate::psd::bands::relative_power)), which does not depend on the
    /// amplifier's gain; where it is left out it is a density.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_to_hz: Option<[f64; 2]>,
    /// What stands for a power.
    pub scale: Scale,
}

impl Default for BandPower {
    /// Logarithms of Welch densities, mu, and beta in three parts.
    fn default() -> Self {
        Self {
            bands_hz: BANDS.iter().map(|band| [band.low_hz, band.high_hz]).collect(),
            method: SpectrumMethod::default(),
            order: None,
            bandwidth_hz: None,
            relative_to_hz: None,
            scale: Scale::default(),
        }
    }
}

impl BandPower {
    /// How the density is estimated.
    pub(crate) fn spectrum(&self) -> SpectrumParams {
        let Self { method, order, bandwidth_hz, .. } = *self;
        SpectrumParams { method, order, bandwidth_hz }
    }
}

impl Checked for BandPower {
    fn check(&self) -> Result<(), BadParameter> {
        some_band(&self.bands_hz)?;
        self.spectrum().check()
    }
}

/// How flat the spectrum of each channel is in each of the bands, from 0, all in one bin, to
/// 1 ([`spectral_entropy`](crate::psd::bands::spectral_entropy)); channel-major. A band of one
/// bin has entropy 0: choose wide ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpectralEntropy {
    /// Edges in hertz: `low <= f < high`.
    pub bands_hz: Vec<[f64; 2]>,
    /// How the density is estimated.
    pub method: SpectrumMethod,
    /// Order of the model of method `burg`; `0.038 s * rate` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<usize>,
    /// Full width over which method `multitaper` smooths, in hertz; 2 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_hz: Option<f64>,
}

impl Default for SpectralEntropy {
    /// Of a Welch density from 4 to 40 Hz.
    fn default() -> Self {
        Self {
            bands_hz: vec![[4.0, 40.0]],
            method: SpectrumMethod::default(),
            order: None,
            bandwidth_hz: None,
        }
    }
}

impl SpectralEntropy {
    /// How the density is estimated.
    pub(crate) fn spectrum(&self) -> SpectrumParams {
        let Self { method, order, bandwidth_hz, .. } = *self;
        SpectrumParams { method, order, bandwidth_hz }
    }
}

impl Checked for SpectralEntropy {
    fn check(&self) -> Result<(), BadParameter> {
        some_band(&self.bands_hz)?;
        self.spectrum().check()
    }
}
