//! The steps of a pipeline that the front end runs: signal steps, which turn frames into
//! frames, and features, which turn a window into what is fitted on.
//!
//! They are descriptions: plain parameters, equal where they mean the same. Several
//! pipelines may ask for the same ones; [`FrontEnd`](super::FrontEnd) computes each
//! distinct one once.

mod channels;
mod cleaning;
mod demand;
mod filters;
pub mod group;
mod spectrum;
mod ssvep;
mod time_domain;

pub use self::channels::{Bipolar, CurrentSourceDensity, Interpolate, Rest};
pub use self::filters::{BandStop, Between, Comb, Fir, HighPass, LowPass, Phase, Resample};
pub(crate) use self::spectrum::SpectrumParams;
pub use self::spectrum::{BandPower, Scale, SpectralEntropy, SpectrumMethod};
pub use self::ssvep::Cca;
pub use self::time_domain::TimeDomain;

pub(crate) use self::cleaning::LEARNED;
pub use self::cleaning::{Asr, EogRegression};
pub use self::demand::{Demand, Demands};

use self::group::{BadParameter, Checked, steps};
use crate::connectivity::Measure;
use crate::riemann::covariance::Estimator;
use crate::spatial::laplacian::{Edge, Reach};
use crate::spatial_filter::augmented::AugmentedParams;
use serde::{Deserialize, Serialize};

steps! {
    /// A step from frames to frames: causal, with carried state.
    SignalStep {
        /// One band-pass.
        BandPass = "band_pass",
        /// Several band-passes side by side: everything after is done per band.
        FilterBank = "filter_bank",
        /// Removes what is slower than an edge.
        HighPass = "high_pass",
        /// Removes what is faster than an edge.
        LowPass = "low_pass",
        /// Removes what is between two edges.
        BandStop = "band_stop",
        /// A finite impulse response.
        Fir = "fir",
        /// Removes the power line.
        Notch = "notch",
        /// Removes the power line and all its harmonics.
        Comb = "comb",
        /// Another rate.
        Resample = "resample",
        /// Some of the channels, by label.
        Pick = "pick",
        /// Every channel less the mean of several.
        Reference = "reference",
        /// Differences of pairs of channels.
        Bipolar = "bipolar",
        /// Every electrode less its neighbours.
        Laplacian = "laplacian",
        /// What flows through the skull below each electrode, by a spline.
        CurrentSourceDensity = "current_source_density",
        /// Bad channels by what the others say.
        Interpolate = "interpolate",
        /// Against a point at infinity.
        Rest = "rest",
        /// Takes out directions that are far above their usual power.
        Asr = "asr",
        /// Takes out what EOG channels say of the others.
        EogRegression = "eog_regression",
    }
}

steps! {
    /// What is computed of a window, per band of the signal.
    Feature {
        /// Covariance of the channels.
        Covariance = "covariance",
        /// Covariance of the channels and delayed copies of them.
        AugmentedCovariance = "augmented_covariance",
        /// Logarithm of each channel's variance.
        LogVariance = "log_variance",
        /// Power per channel and band.
        BandPower = "band_power",
        /// How flat the spectrum is, per channel and band.
        SpectralEntropy = "spectral_entropy",
        /// Hjorth's parameters, line length and the like, per channel.
        TimeDomain = "time_domain",
        /// How strongly the window follows each stimulation frequency.
        Cca = "cca",
        /// How the channels go together, per band.
        Connectivity = "connectivity",
        /// The samples as they are.
        Raw = "samples",
    }
}

/// How a band-pass is designed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Flat in the band, -3 dB at its edges ([`crate::filter::butterworth`]).
    #[default]
    Butterworth,
    /// Flat in the band, `stop_db` down at its edges and beyond
    /// ([`crate::filter::chebyshev`]).
    Chebyshev2,
}

/// Attenuation of a Chebyshev filter where none is given.
pub(crate) const STOP_DB: f64 = 30.0;

/// The attenuation is Chebyshev's alone.
fn check_family(family: Family, stop_db: Option<f64>) -> Result<(), BadParameter> {
    match stop_db {
        Some(_) if family != Family::Chebyshev2 => {
            Err(BadParameter::new("stop_db", "it is for family = \"chebyshev2\" alone"))
        }
        _ => Ok(()),
    }
}

/// Band-pass of second-order sections, forward in time.
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
    /// How it is designed.
    pub family: Family,
    /// Attenuation of a Chebyshev filter at the edges, in decibel; 30 where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_db: Option<f64>,
}

impl BandPass {
    /// Attenuation at the edges of a Chebyshev filter.
    pub(crate) fn attenuation_db(&self) -> f64 {
        self.stop_db.unwrap_or(STOP_DB)
    }
}

/// Band-passes side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterBank {
    /// Lower and upper edge of each in hertz.
    pub bands_hz: Vec<[f64; 2]>,
    /// Prototype order of all of them.
    pub order: usize,
    /// How they are designed.
    pub family: Family,
    /// Attenuation of Chebyshev filters at the edges, in decibel; 30 where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_db: Option<f64>,
}

impl FilterBank {
    /// Attenuation at the edges of Chebyshev filters.
    pub(crate) fn attenuation_db(&self) -> f64 {
        self.stop_db.unwrap_or(STOP_DB)
    }
}

impl Default for FilterBank {
    /// Nine bands of 4 Hz from 4 to 40 Hz, of order 4: K. K. Ang et al. (2012), doi
    /// 10.3389/fnins.2012.00039 (their filters are Chebyshev's, of type II).
    fn default() -> Self {
        let band = |k: i32| [f64::from(4 * k), f64::from(4 * k + 4)];
        let bands_hz = (1..=9).map(band).collect();
        Self { bands_hz, order: 4, family: Family::default(), stop_db: None }
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
    /// What is done about a label that the stream does not have.
    #[serde(default)]
    pub absent: Absent,
}

/// What is done about a channel that a stream does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// The stream is refused.
    #[default]
    Refuse,
    /// The others are taken, where there is one: for descriptions that serve caps with
    /// few and with many electrodes.
    LeaveOut,
}

/// One covariance matrix per band and part of the window, `(n_channels, n_channels)`.
///
/// With several parts what follows sees the course of time within the window: what has
/// just begun looks different from what is about to end. A band's parts stand one after
/// the other, the oldest first, and count as bands do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Covariance {
    /// How it is estimated.
    pub estimator: Estimator,
    /// Equal parts that the window is cut into; where its samples don't divide, the oldest
    /// that are left over belong to none.
    pub parts: usize,
    /// What becomes of several bands.
    pub bands: Bands,
}

impl Default for Covariance {
    /// The window as a whole.
    fn default() -> Self {
        Self { estimator: Estimator::default(), parts: 1, bands: Bands::default() }
    }
}

/// What becomes of several bands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bands {
    /// Each has a matrix of its own.
    #[default]
    Each,
    /// The channels of all of them stand below each other in one matrix, band after band,
    /// `(n_bands * n_channels, n_bands * n_channels)`: as responses to flicker are
    /// classified, whose frequencies are the bands. M. Congedo, A. Barachant, A. Andreev
    /// (2013), doi 10.48550/arXiv.1310.8115.
    Stacked,
}

/// One covariance per band of the channels and of copies delayed by `lag` samples each
/// ([`AugmentedParams`]), `(order * n_channels, order * n_channels)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentedCovariance {
    /// Copies, the undelayed one counted.
    pub order: usize,
    /// Samples from one copy to the next.
    pub lag: usize,
    /// How the covariance is estimated.
    pub estimator: Estimator,
}

impl Default for AugmentedCovariance {
    fn default() -> Self {
        let AugmentedParams { order, lag, estimator } = AugmentedParams::default();
        Self { order, lag, estimator }
    }
}

impl AugmentedCovariance {
    /// The same as the parameters of its plan.
    pub(crate) fn params(&self) -> AugmentedParams {
        AugmentedParams { order: self.order, lag: self.lag, estimator: self.estimator }
    }
}

/// `ln` of each channel's variance, band after band.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogVariance {}

/// Connectivity over the half-second segments of a window
/// ([`Segments::half_second`](crate::connectivity::Segments::half_second)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connectivity {
    /// Which measure.
    pub measure: Measure,
    /// What is kept of the pairs.
    pub summary: Summary,
    /// Edges in hertz: `low <= f < high`.
    pub bands_hz: Vec<[f64; 2]>,
}

impl Default for Connectivity {
    /// Node strength of the magnitude of the imaginary coherence, in the bands of
    /// [`BandPower`].
    fn default() -> Self {
        Self {
            measure: Measure::AbsImaginaryCoherence,
            summary: Summary::NodeStrength,
            bands_hz: BandPower::default().bands_hz,
        }
    }
}

/// What is kept of a connectivity between all pairs of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Summary {
    /// The mean over the other channels, channel-major: `n_channels * n_bands`; of a measure
    /// with a direction, how much the channel leads
    /// ([`NodeStrength`](crate::connectivity::NodeStrength)).
    NodeStrength,
    /// Every pair, band after band: `n_bands * n_pairs`
    /// ([`SlidingConnectivity`](crate::connectivity::SlidingConnectivity)).
    Pairs,
}

/// The samples of a window, `(n_channels, n_samples)` per band, for steps that look at
/// the course of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {}

impl Checked for Raw {}
impl Checked for AugmentedCovariance {}

impl Checked for Connectivity {
    fn check(&self) -> Result<(), BadParameter> {
        some_band(&self.bands_hz)
    }
}

/// At least one band.
fn some_band(bands_hz: &[[f64; 2]]) -> Result<(), BadParameter> {
    if bands_hz.is_empty() {
        return Err(BadParameter::new("bands_hz", "name at least one band"));
    }
    Ok(())
}

/// Re-references ([`ChannelMap`](crate::spatial::ChannelMap)).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reference {
    /// The channels whose mean is subtracted, by label; all of them where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
}

/// Surface Laplacian by the neighbours on the 10-10 grid
/// ([`laplacian`](crate::spatial::laplacian::laplacian)).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Laplacian {
    /// How far away the neighbours are.
    pub reach: Reach,
    /// What becomes of electrodes with fewer than four of them.
    pub edge: Edge,
}

impl Checked for Reference {}
impl Checked for Laplacian {}
impl Checked for Notch {}

impl Checked for BandPass {
    fn check(&self) -> Result<(), BadParameter> {
        check_family(self.family, self.stop_db)
    }
}
impl Checked for Covariance {
    fn check(&self) -> Result<(), BadParameter> {
        if self.bands == Bands::Stacked && self.parts > 1 {
            return Err(BadParameter::new("parts", "write bands = \"each\", or one part"));
        }
        match self.parts {
            1..=MAX_BANDS => Ok(()),
            n => Err(BadParameter::new("parts", format!("{n} is not between 1 and {MAX_BANDS}"))),
        }
    }
}
impl Checked for LogVariance {}

/// Most bands side by side.
pub(crate) const MAX_BANDS: usize = 64;

impl Checked for FilterBank {
    fn check(&self) -> Result<(), BadParameter> {
        check_family(self.family, self.stop_db)?;
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

impl SignalStep {
    /// Whether it does the same to every channel, whichever channels there are.
    pub(crate) fn is_filter(&self) -> bool {
        match self {
            Self::BandPass(_)
            | Self::FilterBank(_)
            | Self::HighPass(_)
            | Self::LowPass(_)
            | Self::BandStop(_)
            | Self::Fir(_)
            | Self::Notch(_)
            | Self::Comb(_)
            | Self::Resample(_) => true,
            Self::Pick(_)
            | Self::Reference(_)
            | Self::Bipolar(_)
            | Self::Laplacian(_)
            | Self::CurrentSourceDensity(_)
            | Self::Interpolate(_)
            | Self::Rest(_)
            | Self::Asr(_)
            | Self::EogRegression(_) => false,
        }
    }

    /// Whether it learns from the calibration's signal.
    pub(crate) fn learns(&self) -> bool {
        matches!(self, Self::Asr(_) | Self::EogRegression(_))
    }

    /// Leaves its parameters alone and drops what it learned.
    pub(crate) fn forget(&mut self) {
        match self {
            Self::Asr(step) => step.learned = None,
            Self::EogRegression(step) => step.learned = None,
            _ => {}
        }
    }

    /// Whether it has yet to learn.
    pub(crate) fn is_unlearned(&self) -> bool {
        match self {
            Self::Asr(step) => step.learned.is_none(),
            Self::EogRegression(step) => step.learned.is_none(),
            _ => false,
        }
    }
}
