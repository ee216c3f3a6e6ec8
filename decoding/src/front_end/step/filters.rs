//! Signal steps that filter every channel by itself.

use super::group::{BadParameter, Checked};
use super::{Family, check_family};
use crate::filter::Band;
use crate::filter::comb::Teeth;
use crate::filter::fir::design::Taper;
use serde::{Deserialize, Serialize};

/// Prototype order where none is given.
fn default_order() -> usize {
    4
}

/// Passes above an edge, with the parameters of [`OneEdge`].
pub type HighPass = OneEdge;

/// Passes below an edge, with the parameters of [`OneEdge`].
pub type LowPass = OneEdge;

/// A filter on one side of an edge: second-order sections, forward in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneEdge {
    /// The edge in hertz: -3 dB of a Butterworth filter, `stop_db` of a Chebyshev one.
    pub edge_hz: f64,
    /// Prototype order; half as many sections, rounded up.
    #[serde(default = "default_order")]
    pub order: usize,
    /// How it is designed.
    #[serde(default)]
    pub family: Family,
    /// Attenuation of a Chebyshev filter at the edge, in decibel; 30 where left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stop_db: Option<f64>,
}

/// Stops between two edges: second-order sections, forward in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandStop {
    /// Lower edge in hertz: -3 dB of a Butterworth filter, `stop_db` of a Chebyshev one.
    pub low_hz: f64,
    /// Upper edge in hertz.
    pub high_hz: f64,
    /// Prototype order; it has as many sections.
    #[serde(default = "default_order")]
    pub order: usize,
    /// How it is designed.
    #[serde(default)]
    pub family: Family,
    /// Attenuation of a Chebyshev filter at the edges, in decibel; 30 where left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stop_db: Option<f64>,
}

impl Checked for OneEdge {
    fn check(&self) -> Result<(), BadParameter> {
        check_family(self.family, self.stop_db)
    }
}

impl Checked for BandStop {
    fn check(&self) -> Result<(), BadParameter> {
        check_family(self.family, self.stop_db)
    }
}

/// What becomes of the frequencies between the edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// They pass.
    #[default]
    Pass,
    /// They are stopped.
    Stop,
}

/// How the delay of an impulse response is spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// `(n_taps - 1) / 2` samples at every frequency: shapes are kept, and come late.
    #[default]
    Linear,
    /// The least delay of a causal filter of this magnitude, different for every frequency
    /// ([`group_delay_samples`](crate::filter::fir::group_delay_samples)).
    Minimum,
}

/// A finite impulse response by the window method ([`crate::filter::fir::design`]).
///
/// With both edges it passes, or stops, what is between them; with `low_hz` alone it is a
/// high-pass, with `high_hz` alone a low-pass.
///
/// Without `n_taps` the edges are those of the passband, followed by transitions, and the
/// length follows from these (MNE's `firwin` design); with `n_taps` the response is -6 dB at
/// each edge (SciPy's `firwin`).
///
/// The delay of a linear phase is half the response: at 160 Hz a band-pass from 8 Hz on has
/// 265 taps and comes 0.8 s late, where a Butterworth band-pass of order 4 comes about 0.1 s
/// late. Live decisions are late by as much; `phase = "minimum"` is for them.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fir {
    /// Lower edge in hertz; none where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_hz: Option<f64>,
    /// Upper edge in hertz; none where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_hz: Option<f64>,
    /// What becomes of the frequencies between two edges.
    pub between: Between,
    /// Number of taps; an odd one where half the rate passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_taps: Option<usize>,
    /// Widths of the transitions at the lower and the upper edge in hertz; where they are left
    /// out, and no number of taps is given, a quarter of the edge but at least 2 Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transitions_hz: Option<[f64; 2]>,
    /// What the ideal response is cut off with.
    pub taper: Taper,
    /// How the delay is spread.
    pub phase: Phase,
}

impl Fir {
    /// What it passes; nothing where no edge is given.
    pub(crate) fn band(&self) -> Option<Band> {
        Some(match (self.low_hz, self.high_hz, self.between) {
            (Some(low_hz), Some(high_hz), Between::Pass) => Band::Bandpass { low_hz, high_hz },
            (Some(low_hz), Some(high_hz), Between::Stop) => Band::Bandstop { low_hz, high_hz },
            (Some(edge_hz), None, _) => Band::Highpass { edge_hz },
            (None, Some(edge_hz), _) => Band::Lowpass { edge_hz },
            (None, None, _) => return None,
        })
    }
}

impl Checked for Fir {
    fn check(&self) -> Result<(), BadParameter> {
        let error = |parameter, why: &str| Err(BadParameter::new(parameter, why));
        let Some(band) = self.band() else {
            return error("low_hz", "name at least one of low_hz and high_hz");
        };
        let is_one_edge = matches!(band, Band::Highpass { .. } | Band::Lowpass { .. });
        if is_one_edge && self.between == Between::Stop {
            return error("between", "to stop what is between, name low_hz and high_hz");
        }
        if self.n_taps.is_some() && self.transitions_hz.is_some() {
            return error("n_taps", "write n_taps or transitions_hz, not both");
        }
        if self.n_taps.is_none() && matches!(self.taper, Taper::Kaiser { .. }) {
            return error("n_taps", "a Kaiser taper has no rule for their number: name it");
        }
        Ok(())
    }
}

/// A comb against the power line and all its harmonics, one multiplication for all of them
/// ([`crate::filter::comb`]). The rate must be a multiple of the line's, of twice that for
/// odd teeth; `notch` fits any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Comb {
    /// Frequency of the line in hertz.
    pub line_hz: f64,
    /// Frequency over bandwidth (-3 dB).
    pub quality: f64,
    /// Which frequencies it stops.
    pub teeth: Teeth,
}

impl Default for Comb {
    /// Every harmonic of 50 Hz, and 0 Hz.
    fn default() -> Self {
        Self { line_hz: 50.0, quality: 30.0, teeth: Teeth::Every }
    }
}

impl Checked for Comb {}

/// Another rate, causally, by a ratio of integers ([`crate::filter::resample`]): everything
/// after it, filters and windows alike, counts samples of that rate.
///
/// Windows stay where they are on the stream's time axis, so window and step must come to
/// whole numbers of resampled samples; otherwise planning is refused. Sample `m` of the new
/// rate stands at the stream's sample `m * rate / rate_hz`, counted from the stream's
/// beginning and not from the last gap, and is made of the signal up to there.
///
/// The anti-aliasing filter delays the signal by ten samples of the lower of both rates at
/// every frequency: from 160 to 40 Hz a quarter of a second, by which decisions come later.
/// It passes all but the last tenth below half of that rate, -6 dB there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resample {
    /// The new rate in hertz.
    pub rate_hz: f64,
}

impl Checked for Resample {
    fn check(&self) -> Result<(), BadParameter> {
        if self.rate_hz > 0.0 && self.rate_hz.is_finite() {
            return Ok(());
        }
        Err(BadParameter::new("rate_hz", "it is a positive number of hertz"))
    }
}
