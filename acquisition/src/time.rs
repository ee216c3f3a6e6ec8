//! Newtypes of time. The sample index is the primary clock: it cannot drift
//! against the data, and seconds are derived from it.

use serde::{Deserialize, Serialize};

/// Fastest rate that is read from a file or the network. Memory is reserved by rate, so
/// one that claims more is refused before.
pub const MAX_RATE_HZ: f64 = 200_000.0;

/// Slowest rate of a stream that is played or received: below it, waiting for the next
/// frame can't be told from a stream that is dead.
pub const MIN_RATE_HZ: f64 = 0.1;

/// Index of a frame, counted from a stream's first frame. Frames that were lost on
/// the way are counted, so equal indices mean equal instants.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SampleIndex(pub u64);

/// Seconds on the local LSL clock (monotonic, arbitrary origin). Instants of two
/// machines compare only after the clock offset has been applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct LslTime(pub f64);

/// A nominal sampling rate: finite and positive by construction.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct SampleRate(f64);

/// The rate is not finite and positive: ask the stream's owner for a regular rate.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("sampling rate must be finite and positive, not {0}")]
pub struct BadRate(pub f64);

impl SampleRate {
    /// A rate in hertz.
    pub fn new(hz: f64) -> Result<Self, BadRate> {
        if hz.is_finite() && hz > 0.0 { Ok(Self(hz)) } else { Err(BadRate(hz)) }
    }

    /// The rate in hertz.
    pub fn hz(self) -> f64 {
        self.0
    }

    /// `round(secs * rate)`, half to even: the one conversion from seconds to samples.
    /// Negative results are kept, so that cues before sample 0 can be recognised.
    pub fn samples(self, secs: f64) -> i64 {
        (secs * self.0).round_ties_even() as i64
    }

    /// Seconds from sample 0 to the sample `index`.
    pub fn secs(self, index: SampleIndex) -> f64 {
        index.0 as f64 / self.0
    }
}

impl TryFrom<f64> for SampleRate {
    type Error = BadRate;
    fn try_from(hz: f64) -> Result<Self, BadRate> {
        Self::new(hz)
    }
}

impl From<SampleRate> for f64 {
    fn from(rate: SampleRate) -> Self {
        rate.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_to_even() {
        let rate = SampleRate::new(1.0).unwrap();
        assert_eq!([0.5, 1.5, 2.5, -0.5].map(|s| rate.samples(s)), [0, 2, 2, 0]);
    }

    #[test]
    fn refuses_rates_that_are_no_rates() {
        for hz in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(SampleRate::new(hz).is_err());
        }
    }
}
