//! The steps of a pipeline that the front end runs: signal steps, which turn frames into
//! frames, and features, which turn a window into what is fitted on.
//!
//! They are descriptions: plain parameters, equal where they mean the same. Several
//! pipelines may ask for the same ones; [`FrontEnd`](super::FrontEnd) computes each
//! distinct one once.

pub mod group;

use self::group::{BadParameter, Checked, steps};
use crate::psd::bands::BANDS;
use serde::{Deserialize, Serialize};

steps! {
    /// A step from frames to frames: causal, with carried state.
    SignalStep {
        /// One band-pass.
        BandPass = "band_pass",
        /// Several band-passes side by side: everything after is done per band.
        FilterBank = "filter_bank",
        /// Removes the power line.
        Notch = "notch",
        /// Some of the channels, by label.
        Pick = "pick",
    }
}

steps! {
    /// What is computed of a window, per band of the signal.
    Feature {
        /// Covariance of the channels.
        Covariance = "covariance",
        /// Logarithm of each channel's variance.
        LogVariance = "log_variance",
        /// Logarithm of Welch band power per channel and band.
        BandPower = "band_power",
    }
}

/// Butterworth band-pass of second-order sections, forward in time
/// ([`crate::filter::butterworth::bandpass`]).
///
/// Where an edge or the order is left out it is the session's
/// ([`FrontEndSpec`](super::FrontEndSpec); `--low`, `--high` and `--order` on the
/// command line).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BandPass {
    /// Lower edge (-3 dB) in hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_hz: Option<f64>,
    /// Upper edge (-3 dB) in hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_hz: Option<f64>,
    /// Prototype order; it has as many sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<usize>,
}

/// Butterworth band-passes side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterBank {
    /// Lower and upper edge (-3 dB) of each in hertz.
    pub bands_hz: Vec<[f64; 2]>,
    /// Prototype order of all of them.
    pub order: usize,
}

impl Default for FilterBank {
    /// Nine bands of 4 Hz from 4 to 40 Hz, of order 4: K. K. Ang et al. (2012), doi
    /// 10.3389/fnins.2012.00039 (their filters are Chebyshev's, of type II).
    fn default() -> Self {
        let band = |k: i32| [f64::from(4 * k), f64::from(4 * k + 4)];
        Self { bands_hz: (1..=9).map(band).collect(), order: 4 }
    }
}

/// A notch at the power line's frequency and its harmonics below half the rate
/// ([`crate::filter::notch`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notch {
    /// Frequency of the line in hertz.
    pub line_hz: f64,
    /// Frequency over bandwidth (-3 dB).
    pub quality: f64,
    /// Notches at `1..=n_harmonics` times the line; those above half the rate are left
    /// out, the first is not.
    pub n_harmonics: usize,
}

impl Default for Notch {
    fn default() -> Self {
        Self { line_hz: 50.0, quality: 30.0, n_harmonics: 1 }
    }
}

/// The channels of these labels (upper and lower case alike), in this order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// Their labels.
    pub channels: Vec<String>,
}

/// How a covariance is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Mean removed, divided by the number of samples.
    Scm,
    /// Oracle-approximating shrinkage ([`crate::riemann::covariance::oas_shrink`]).
    #[default]
    Oas,
}

/// One covariance matrix per band, `(n_channels, n_channels)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Covariance {
    /// How it is estimated.
    pub estimator: Estimator,
}

/// `ln` of each channel's variance, band after band.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogVariance {}

/// `ln` of the mean Welch density of each channel in each of the bands, channel-major:
/// Hann segments of 1 s, half overlap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BandPower {
    /// Edges in hertz: `low <= f < high`.
    pub bands_hz: Vec<[f64; 2]>,
}

impl Default for BandPower {
    /// Mu, and beta in three parts.
    fn default() -> Self {
        Self { bands_hz: BANDS.iter().map(|band| [band.low_hz, band.high_hz]).collect() }
    }
}

impl Checked for BandPass {}
impl Checked for Notch {}
impl Checked for Covariance {}
impl Checked for LogVariance {}

impl Checked for FilterBank {
    fn check(&self) -> Result<(), BadParameter> {
        const MAX_BANDS: usize = 64;
        match self.bands_hz.len() {
            0 => Err(BadParameter::new("bands_hz", "name at least one band")),
            n if n > MAX_BANDS => {
                Err(BadParameter::new("bands_hz", format!("{n} bands, at most {MAX_BANDS}")))
            }
            _ => Ok(()),
        }
    }
}

impl Checked for Pick {
    fn check(&self) -> Result<(), BadParameter> {
        let is_twin = |k: usize| {
            let label = &self.channels[k];
            self.channels[..k].iter().any(|other| other.eq_ignore_ascii_case(label))
        };
        if self.channels.is_empty() {
            return Err(BadParameter::new("channels", "name at least one channel"));
        }
        match (0..self.channels.len()).find(|k| is_twin(*k)) {
            Some(k) => {
                Err(BadParameter::new("channels", format!("{} is named twice", self.channels[k])))
            }
            None => Ok(()),
        }
    }
}

impl Checked for BandPower {
    fn check(&self) -> Result<(), BadParameter> {
        if self.bands_hz.is_empty() {
            return Err(BadParameter::new("bands_hz", "name at least one band"));
        }
        Ok(())
    }
}

/// What a pipeline asks of the front end: a chain of signal steps, and the feature of
/// its windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// In the order in which they run.
    pub signal: Vec<SignalStep>,
    /// What is computed of each window.
    pub feature: Feature,
}

impl Demand {
    /// The signal steps that do not depend on which channels there are.
    pub(crate) fn without_channels(&self) -> Vec<SignalStep> {
        let is_free = |step: &&SignalStep| match step {
            SignalStep::BandPass(_) | SignalStep::FilterBank(_) | SignalStep::Notch(_) => true,
            SignalStep::Pick(_) => false,
        };
        self.signal.iter().filter(is_free).cloned().collect()
    }
}

/// What several pipelines ask for, each distinct demand once. The position of a demand
/// is its slot in [`Features`](crate::window::Features).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demands(Vec<Demand>);

impl Demands {
    /// The slot of a demand, if it is among these.
    pub fn slot(&self, demand: &Demand) -> Option<usize> {
        self.0.iter().position(|known| known == demand)
    }

    /// All of them, by slot.
    pub fn as_slice(&self) -> &[Demand] {
        &self.0
    }
}

impl FromIterator<Demand> for Demands {
    fn from_iter<I: IntoIterator<Item = Demand>>(demands: I) -> Self {
        let mut distinct = Self::default();
        for demand in demands {
            if distinct.slot(&demand).is_none() {
                distinct.0.push(demand);
            }
        }
        distinct
    }
}
